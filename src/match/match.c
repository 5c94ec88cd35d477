#include "crumb/match/match.h"

#include "crumb/base/code.h"
#include "crumb/base/text.h"
#include "crumb/core/metric.h"
#include "scanner.h"
#include "trie.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NONE UINT32_MAX
#define KEY_MAX 512
#define TITLE_MAX 1024
#define FOLDED_MAX 8192 /* of a value with other than ASCII letters; more is not looked at */
#define LENGTHS_MAX 24

/* How one field that some rule wants is looked at, made of the field's row when the matcher is
 * made. */
enum way {
	WAY_TRIE,   /* a text, along the paths */
	WAY_WORDS,  /* a text, by its words */
	WAY_TEXT,   /* a text as a whole */
	WAY_BELOW,  /* a host, and every one that it is below of */
	WAY_NUMBER, /* a number, by its word */
	WAY_COUNTRY,
	WAY_REGION,
	WAY_ATTRS,    /* the texts of all attributes */
	WAY_PARAMS,   /* the texts of all parameters */
	WAY_FUNCTION, /* a text that the row's function computes */
};
struct step {
	enum way way;
	enum rule_field field;
	size_t at;
	const char *const *words; /* NUMBER */
};
struct steps {
	struct step list[2 * FIELD_MAX]; /* a field may want two: its words, and the whole */
	unsigned n;
};

struct rules_matcher {
	struct steps kept, seen; /* of fields that are kept, and of those that are not */
	struct map exact;	 /* field, name, value -> pattern */
	struct map leaves;	 /* name of a leaf, eight bytes -> pattern */
	struct map words;	 /* rarest word -> first pattern that wants it */
	struct map ranges;	 /* field and name -> first pattern */
	uint32_t *next;		 /* per pattern: the next one with the same word, or range */
	struct trie paths;
	struct scan *scans[FIELD_MAX];
	struct map
	    affixes;	 /* globs with one star, at an end: field, end, name, literal -> pattern */
	struct lengths { /* of these literals, so that only such pieces of a value are looked up */
		uint8_t of[LENGTHS_MAX];
		unsigned n;
	} lengths[FIELD_MAX][2];
	bool ranged[FIELD_MAX];	     /* some pattern is a range */
	uint32_t *always[FIELD_MAX]; /* globs of stars only */
	size_t always_n[FIELD_MAX];
	uint32_t *from, *categories; /* categories in which pattern i stands: categories[from[i]] …
					categories[from[i + 1]] */
};

struct match {
	struct rules *r;
	const struct rules_matcher *m;
	struct scan_scratch *scratch;
	struct trie_walk walk;
	uint32_t epoch, *stamp, *category_stamp, *hits;
	size_t hits_n;
	/* the value that is being scanned */
	struct str value, name;
	char *folded;	 /* the value, if it is not ASCII: FOLDED_MAX bytes */
	size_t folded_n; /* of them have been used */
};

/* --- making it */

static struct str key_of(enum rule_field f, struct str name, struct str value, char out[KEY_MAX])
{
	size_t n = 0;
	if (name.n + value.n + 2 > KEY_MAX)
		return STR("");
	out[n++] = (char)('A' + f);
	memcpy(out + n, name.p ? name.p : "", name.n);
	n += name.n;
	out[n++] = 0;
	for (size_t i = 0; i < value.n; i++)
		out[n++] = chr_lower(value.p[i]);
	return str_make(out, n);
}

static struct str longest_literal(struct str glob)
{
	struct str best = {glob.p, 0}, part;
	while (str_cut(&glob, '*', &part))
		if (part.n > best.n)
			best = part;
	return best;
}

/* Prepends pattern `id` to the list that `key` names. */
static void chain(
    struct rules *r, struct rules_matcher *m, struct map *map, struct str key, uint32_t id)
{
	uint32_t first = NONE;
	if (map_get(map, key, &first))
		map_set(map, key, id);
	else
		map_put(map, arena_keep(&r->arena, key), id);
	m->next[id] = first;
}

static void count_words(const struct rules *r, struct map *counts)
{
	for (size_t i = 0; i < r->patterns_n; i++) {
		struct str rest, word;
		uint32_t n;
		if (r->patterns[i].kind != PATTERN_WORDS)
			continue;
		rest = str_trim(r->patterns[i].text);
		while (str_cut(&rest, ' ', &word)) {
			if (map_get(counts, word, &n))
				map_set(counts, word, n + 1);
			else
				map_put(counts, word, 1);
		}
	}
}

static struct str rarest_word(struct str words, const struct map *counts)
{
	struct str rest = str_trim(words), word, best = {NULL, 0};
	uint32_t least = UINT32_MAX, n;
	while (str_cut(&rest, ' ', &word))
		if (map_get(counts, word, &n) && n < least)
			least = n, best = word;
	return best;
}

static void index_categories(const struct rules *r, struct rules_matcher *m)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 1; i < r->categories_n; i++) {
			const struct category *c = &r->categories[i];
			/* whatever belongs to the category matches something of any, or else of all
			 */
			const struct clauses *list = c->any.n ? &c->any : &c->all;
			for (unsigned a = 0; a < list->n; a++)
				for (unsigned t = 0; t < list->list[a].tests_n; t++)
					for (unsigned p = 0; p < list->list[a].tests[t].any_n;
					     p++) {
						uint32_t id = list->list[a].tests[t].any[p];
						if (pass == 0)
							m->from[id + 1]++;
						else
							m->categories[m->from[id]++] = (uint32_t)i;
					}
		}
		if (pass == 0) {
			for (size_t i = 0; i < r->patterns_n; i++)
				m->from[i + 1] += m->from[i];
			m->categories = calloc(m->from[r->patterns_n] + 1, sizeof *m->categories);
			CHECK(m->categories);
		}
	}
	/* filling moved every beginning to its end: move them back */
	memmove(m->from + 1, m->from, r->patterns_n * sizeof *m->from);
	m->from[0] = 0;
}

static void always(struct rules *r, struct rules_matcher *m, enum rule_field f, uint32_t id)
{
	uint32_t *more = arena_alloc(&r->arena, (m->always_n[f] + 1) * sizeof *more);
	if (m->always_n[f])
		memcpy(more, m->always[f], m->always_n[f] * sizeof *more);
	more[m->always_n[f]++] = id;
	m->always[f] = more;
}

/* "prefix*" or "*suffix": which end the literal is at, and the literal. */
static bool one_star_at_an_end(struct str glob, unsigned *end, struct str *literal)
{
	size_t star = str_find(glob, '*');
	if (star == glob.n || glob.n < 2 ||
	    str_find(str_skip(glob, star + 1), '*') != glob.n - star - 1 ||
	    (star != 0 && star != glob.n - 1))
		return false;
	*end = star == 0;
	*literal = star == 0 ? str_skip(glob, 1) : str_make(glob.p, glob.n - 1);
	return literal->n < KEY_MAX / 2;
}

static struct str affix_key(
    enum rule_field f, unsigned end, struct str name, struct str literal, char out[KEY_MAX])
{
	char at[2] = {(char)('0' + end), 0};
	char text[KEY_MAX];
	size_t n = name.n;
	if (n + literal.n + 4 > KEY_MAX)
		return STR("");
	memcpy(text, at, 1);
	memcpy(text + 1, name.p ? name.p : "", n);
	return key_of(f, str_make(text, n + 1), literal, out);
}

/* False: too many lengths; the glob is scanned for like any other. */
static bool place_affix(struct rules *r, struct rules_matcher *m, uint32_t id)
{
	const struct pattern *p = &r->patterns[id];
	char text[KEY_MAX];
	struct str literal;
	unsigned end, i = 0;
	if (p->kind != PATTERN_GLOB || !one_star_at_an_end(p->text, &end, &literal) ||
	    literal.n > UINT8_MAX)
		return false;
	struct lengths *l = &m->lengths[p->field][end];
	while (i < l->n && l->of[i] != literal.n)
		i++;
	struct str key = affix_key(p->field, end, p->name, literal, text);
	if (i == LENGTHS_MAX || key.n == 0 || !map_put(&m->affixes, arena_keep(&r->arena, key), id))
		return false;
	if (i == l->n)
		l->of[l->n++] = (uint8_t)literal.n;
	return true;
}

static bool exact_by_map(enum rule_field f)
{
	return field_is_kept(f);
}

/* Puts one pattern where it is looked for; those that are scanned for go to `in`. */
static void place_pattern(struct rules *r, struct rules_matcher *m, uint32_t id,
    const struct map *counts, struct scan_input *in, size_t *in_n)
{
	const struct pattern *p = &r->patterns[id];
	char text[KEY_MAX];
	if (!field_is_kept(p->field)) {
		uint8_t *name = arena_alloc(&r->arena, 8);
		put_u64(name, p->leaf);
		map_put(&m->leaves, str_make((const char *)name, 8), id);
	}
	switch (p->kind) {
	case PATTERN_PATH:
		trie_add(&m->paths, r, p->text, id);
		return;
	case PATTERN_WORDS:
		chain(r, m, &m->words, rarest_word(p->text, counts), id);
		return;
	case PATTERN_RANGE:
		m->ranged[p->field] = true;
		chain(r, m, &m->ranges, key_of(p->field, p->name, STR(""), text), id);
		return;
	case PATTERN_REGEX:
		in[(*in_n)++] = (struct scan_input){p->text, id, true, p->field == FIELD_PATH};
		return;
	case PATTERN_EXACT:
		if (exact_by_map(p->field) && p->name.n + p->text.n + 2 <= KEY_MAX) {
			map_put(&m->exact,
			    arena_keep(&r->arena, key_of(p->field, p->name, p->text, text)), id);
			return;
		}
		/* fall through */
	case PATTERN_GLOB: {
		if (place_affix(r, m, id))
			return;
		struct str literal = longest_literal(p->text);
		if (literal.n == 0)
			always(r, m, p->field, id);
		else
			in[(*in_n)++] = (struct scan_input){literal, id, false, false};
		return;
	}
	}
}

static void add_step(struct rules_matcher *m, enum rule_field f, enum way way)
{
	const struct field *row = &rule_fields[f];
	struct steps *s = field_is_kept(f) ? &m->kept : &m->seen;
	s->list[s->n++] = (struct step){.way = way, .field = f, .at = row->at, .words = row->words};
}

static bool by_parts(const struct pattern *p)
{
	return p->kind == PATTERN_PATH || p->kind == PATTERN_WORDS;
}

/* How fields that have patterns are looked at: by their parts first, then as a whole. */
static void add_steps(const struct rules *r, struct rules_matcher *m)
{
	static const enum way ways[FROM_MAX] = {
	    [FROM_TEXT] = WAY_TEXT,
	    [FROM_NUMBER] = WAY_NUMBER,
	    [FROM_COUNTRY] = WAY_COUNTRY,
	    [FROM_REGION] = WAY_REGION,
	    [FROM_ATTRS] = WAY_ATTRS,
	    [FROM_PARAMS] = WAY_PARAMS,
	    [FROM_FUNCTION] = WAY_FUNCTION,
	};
	struct {
		bool parts, whole;
	} wanted[FIELD_MAX] = {{false, false}};
	for (size_t i = 0; i < r->patterns_n; i++)
		if (by_parts(&r->patterns[i]))
			wanted[r->patterns[i].field].parts = true;
		else
			wanted[r->patterns[i].field].whole = true;
	for (int i = 0; i < FIELD_MAX; i++) {
		enum rule_field f = (enum rule_field)i;
		const struct field *row = &rule_fields[f];
		if (wanted[f].parts)
			add_step(m, f, row->is == IS_PATH ? WAY_TRIE : WAY_WORDS);
		if (wanted[f].whole)
			add_step(m, f, row->takes & TAKES_BELOW ? WAY_BELOW : ways[row->from]);
	}
}

static void matcher_free(struct rules_matcher *m)
{
	if (!m)
		return;
	map_done(&m->exact);
	map_done(&m->affixes);
	map_done(&m->leaves);
	map_done(&m->words);
	map_done(&m->ranges);
	trie_done(&m->paths);
	for (int f = 0; f < FIELD_MAX; f++)
		scan_free(m->scans[f]);
	free(m->next);
	free(m->from);
	free(m->categories);
	free(m);
}

static enum err matcher_new(struct rules *r, struct rules_matcher **out)
{
	struct rules_matcher *m = calloc(1, sizeof *m);
	struct map counts = {NULL, 0, 0};
	struct scan_input *in = calloc(r->patterns_n + 1, sizeof *in);
	enum err e = OK;
	CHECK(m && in);
	m->next = calloc(r->patterns_n + 1, sizeof *m->next);
	m->from = calloc(r->patterns_n + 2, sizeof *m->from);
	CHECK(m->next && m->from);
	trie_init(&m->paths, r->patterns_n);
	count_words(r, &counts);
	for (int f = 0; f < FIELD_MAX && !e; f++) {
		size_t n = 0;
		uint32_t culprit = 0;
		for (size_t i = 0; i < r->patterns_n; i++)
			if (r->patterns[i].field == (enum rule_field)f)
				place_pattern(r, m, (uint32_t)i, &counts, in, &n);
		if (n && (e = scan_build(in, n, &m->scans[f], &culprit))) {
			const struct rules_at *at = &r->patterns[culprit].at;
			e = err_wrap(e, "%s:%zu:%zu: this regular expression cannot be used",
			    at->file, at->line, at->column);
		}
	}
	index_categories(r, m);
	add_steps(r, m);
	free(in);
	map_done(&counts);
	if (e)
		matcher_free(m);
	else
		*out = m, r->matcher_free = matcher_free;
	return e;
}

enum err rules_match_begin(struct rules *r, struct match **out)
{
	static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&making);
	enum err e = r->matcher ? OK : matcher_new(r, &r->matcher);
	pthread_mutex_unlock(&making);
	if (e)
		return e;
	struct match *x = calloc(1, sizeof *x);
	if (!x)
		return err_set(ERR_NOMEM, "no memory for this now");
	x->m = r->matcher;
	for (int f = 0; f < FIELD_MAX && !e; f++)
		e = scan_scratch_for(x->m->scans[f], &x->scratch);
	if (e) {
		scan_scratch_free(x->scratch);
		free(x);
		return e;
	}
	x->r = rules_ref(r);
	x->stamp = calloc(r->patterns_n + 1, sizeof *x->stamp);
	x->hits = calloc(r->patterns_n + 1, sizeof *x->hits);
	x->category_stamp = calloc(r->categories_n + 1, sizeof *x->category_stamp);
	x->folded = malloc(FOLDED_MAX);
	if (!trie_walk_init(&x->walk, &x->m->paths) || !x->folded || !x->stamp || !x->hits ||
	    !x->category_stamp) {
		rules_match_end(x);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	*out = x;
	return OK;
}

void rules_match_end(struct match *x)
{
	if (!x)
		return;
	scan_scratch_free(x->scratch);
	trie_walk_done(&x->walk);
	free(x->folded);
	free(x->stamp);
	free(x->hits);
	free(x->category_stamp);
	rules_unref(x->r);
	free(x);
}

/* --- matching */

static void begin(struct match *x)
{
	x->hits_n = 0;
	if (++x->epoch == 0) {
		memset(x->stamp, 0, x->r->patterns_n * sizeof *x->stamp);
		memset(x->category_stamp, 0, x->r->categories_n * sizeof *x->category_stamp);
		x->epoch = 1;
	}
}

static void hit(void *arg, uint32_t id)
{
	struct match *x = arg;
	if (x->stamp[id] == x->epoch)
		return;
	x->stamp[id] = x->epoch;
	x->hits[x->hits_n++] = id;
}

/* A literal or an expression was found in the value at hand; the pattern decides. */
static void scanned(void *arg, uint32_t id)
{
	struct match *x = arg;
	const struct pattern *p = &x->r->patterns[id];
	if (x->stamp[id] == x->epoch || (p->name.n && !str_eq(p->name, x->name)))
		return;
	if (p->kind == PATTERN_REGEX || str_iglob(p->text, x->value))
		hit(x, id);
}

static void exact(struct match *x, enum rule_field f, struct str name, struct str value)
{
	char text[KEY_MAX];
	uint32_t id;
	struct str key = key_of(f, name, value, text);
	if (x->m->exact.n && key.n && map_get(&x->m->exact, key, &id))
		hit(x, id);
}

static void affixes(struct match *x, enum rule_field f, struct str name, struct str value)
{
	char text[KEY_MAX];
	uint32_t id;
	for (unsigned end = 0; end < 2; end++) {
		const struct lengths *l = &x->m->lengths[f][end];
		for (unsigned i = 0; i < l->n; i++) {
			if (l->of[i] > value.n)
				continue;
			struct str piece =
			    end ? str_skip(value, value.n - l->of[i]) : str_make(value.p, l->of[i]);
			struct str key = affix_key(f, end, name, piece, text);
			if (key.n && map_get(&x->m->affixes, key, &id))
				hit(x, id);
		}
	}
}

static void ranges(struct match *x, enum rule_field f, struct str name, struct str value)
{
	char text[KEY_MAX];
	double v;
	uint32_t id;
	if (!map_get(&x->m->ranges, key_of(f, name, STR(""), text), &id) ||
	    !rules_number(value, &v))
		return;
	for (; id != NONE; id = x->m->next[id])
		if (range_has(&x->r->patterns[id].range, v))
			hit(x, id);
}

static struct str wide(struct match *x, struct str value)
{
	size_t n = text_fold(value, x->folded, FOLDED_MAX);
	x->folded_n = n > x->folded_n ? n : x->folded_n;
	return str_make(x->folded, n);
}

/* Exact values, globs, expressions and ranges of one field. */
static void look(struct match *x, enum rule_field f, struct str name, struct str value)
{
	if (value.n == 0)
		return;
	if (f != FIELD_PATH && !text_plain(value))
		value = wide(x, value);
	if (exact_by_map(f))
		exact(x, f, name, value);
	affixes(x, f, name, value);
	if (x->m->scans[f]) {
		x->name = name;
		x->value = value;
		scan_run(x->m->scans[f], x->scratch, value, scanned, x);
	}
	for (size_t i = 0; i < x->m->always_n[f]; i++) {
		const struct pattern *p = &x->r->patterns[x->m->always[f][i]];
		if (p->name.n == 0 || str_eq(p->name, name))
			hit(x, x->m->always[f][i]);
	}
	if (x->m->ranged[f])
		ranges(x, f, name, value);
}

/* A site is a host and every one below it. */
static void look_below(struct match *x, enum rule_field f, struct str host)
{
	while (host.n) {
		exact(x, f, STR(""), host);
		size_t dot = str_find(host, '.');
		host = dot < host.n ? str_skip(host, dot + 1) : STR("");
	}
}

static void look_region(struct match *x, enum rule_field f, const struct place *p)
{
	char both[12];
	struct str country = place_country(p), region = place_region(p);
	if (region.n == 0)
		return;
	exact(x, f, STR(""), region);
	if (country.n) {
		int n = snprintf(
		    both, sizeof both, STR_FMT "-" STR_FMT, STR_ARG(country), STR_ARG(region));
		exact(x, f, STR(""), str_make(both, (size_t)n));
	}
}

static bool test_holds(const struct match *x, const struct test *t)
{
	for (unsigned i = 0; i < t->any_n; i++)
		if (x->stamp[t->any[i]] == x->epoch)
			return true;
	return false;
}

static bool clause_holds(const struct match *x, const struct clause *c)
{
	for (unsigned i = 0; i < c->tests_n; i++)
		if (!test_holds(x, &c->tests[i]))
			return false;
	return true;
}

static bool category_holds(const struct match *x, const struct category *c)
{
	bool some = c->any.n == 0;
	for (unsigned i = 0; i < c->any.n && !some; i++)
		some = clause_holds(x, &c->any.list[i]);
	if (!some)
		return false;
	for (unsigned i = 0; i < c->all.n; i++)
		if (!clause_holds(x, &c->all.list[i]))
			return false;
	for (unsigned i = 0; i < c->none.n; i++)
		if (clause_holds(x, &c->none.list[i]))
			return false;
	return true;
}

static unsigned insert(uint16_t *out, unsigned n, uint16_t cat)
{
	unsigned at = n;
	while (at > 0 && out[at - 1] > cat)
		at--;
	if (at > 0 && out[at - 1] == cat)
		return n;
	memmove(out + at + 1, out + at, (n - at) * sizeof *out);
	out[at] = cat;
	return n + 1;
}

/* Every word of `words` (" a b ") is a word of `text` (" x a b "). */
static bool words_match(struct str words, struct str text)
{
	struct str rest = str_skip(words, 1), word;
	while (str_cut(&rest, ' ', &word) && word.n)
		if (!str_has(text, str_make(word.p - 1, word.n + 2)))
			return false;
	return true;
}

static void look_words(struct match *x, struct str title)
{
	if (title.n == 0)
		return;
	char folded[TITLE_MAX];
	struct str text = {folded, text_words(title, folded, sizeof folded)},
		   rest = str_skip(text, 1), word;
	uint32_t id;
	while (str_cut(&rest, ' ', &word) && word.n)
		if (map_get(&x->m->words, word, &id))
			for (; id != NONE; id = x->m->next[id])
				if (x->stamp[id] != x->epoch &&
				    words_match(x->r->patterns[id].text, text))
					hit(x, id);
	explicit_bzero(folded, text.n);
}

/* One field of an event, or of a hit: the other is NULL. */
static void look_at(
    struct match *x, const struct step *s, const struct event *e, const struct leaf_input *in)
{
	const char *from = e ? (const char *)e : (const char *)in;
	const struct str *text = (const struct str *)(const void *)(from + s->at);
	switch (s->way) {
	case WAY_TRIE:
		trie_match(&x->m->paths, &x->walk, *text, hit, x);
		return;
	case WAY_WORDS:
		look_words(x, *text);
		return;
	case WAY_TEXT:
		look(x, s->field, STR(""), *text);
		return;
	case WAY_BELOW:
		look_below(x, s->field, *text);
		return;
	case WAY_NUMBER:
		exact(x, s->field, STR(""), str_c(s->words[*(const uint8_t *)(from + s->at)]));
		return;
	case WAY_COUNTRY:
		exact(x, s->field, STR(""), place_country(&e->place));
		return;
	case WAY_REGION:
		look_region(x, s->field, &e->place);
		return;
	case WAY_ATTRS:
		for (unsigned i = 0; i < e->attrs_n; i++)
			look(x, s->field, e->attrs[i].name, e->attrs[i].value);
		return;
	case WAY_PARAMS:
		for (unsigned i = 0; i < in->params_n; i++)
			look(x, s->field, in->params[i].name, in->params[i].value);
		return;
	case WAY_FUNCTION: {
		const struct field *row = &rule_fields[s->field];
		look(x, s->field, STR(""), e ? row->of_event(e) : row->of_hit(in));
		return;
	}
	}
}

unsigned rules_categorise(struct match *x, const struct event *e, uint16_t *out)
{
	const struct rules *r = x->r;
	unsigned n = 0;
	begin(x);
	for (unsigned i = 0; i < x->m->kept.n; i++)
		look_at(x, &x->m->kept.list[i], e, NULL);
	for (unsigned i = 0; i < e->leaves_n; i++) {
		uint8_t name[8];
		uint32_t id;
		put_u64(name, e->leaves[i]);
		if (map_get(&x->m->leaves, str_make((const char *)name, 8), &id))
			hit(x, id);
	}
	for (size_t i = 0; i < x->hits_n; i++) {
		uint32_t id = x->hits[i];
		for (uint32_t k = x->m->from[id]; k < x->m->from[id + 1]; k++) {
			uint32_t cat = x->m->categories[k];
			if (x->category_stamp[cat] == x->epoch)
				continue;
			x->category_stamp[cat] = x->epoch;
			if (category_holds(x, &r->categories[cat]))
				for (int up = (int)cat; up >= 0; up = r->categories[up].parent)
					n = insert(out, n, (uint16_t)up);
		}
	}
	return n;
}

unsigned rules_leaves(struct match *x, const struct leaf_input *in, uint64_t *out)
{
	if (!x->r->any_leaf)
		return 0;
	begin(x);
	for (unsigned i = 0; i < x->m->seen.n; i++)
		look_at(x, &x->m->seen.list[i], NULL, in);
	if (x->folded_n) /* what a browser sent is not kept */
		explicit_bzero(x->folded, x->folded_n);
	x->folded_n = 0;
	unsigned n = 0;
	for (size_t i = 0; i < x->hits_n && n < EVENT_LEAVES_MAX; i++)
		out[n++] = x->r->patterns[x->hits[i]].leaf;
	metric_add(M_LEAVES_DROPPED, x->hits_n - n);
	return n;
}
