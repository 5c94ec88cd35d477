/* Matching: what one event or one hit has is looked up in the matcher (matcher.h), value by value.
 *
 * Nothing is cleared between events. A pattern has matched when its stamp is the epoch of the event
 * at hand, so a new epoch forgets all of the event before. `hits` lists the patterns that matched,
 * each once. Then only their categories are looked at: first whether the category holds, by the
 * stamps of its patterns, then its parents, which hold too.
 *
 * Fields that are not kept (URL, title, parameters) are matched while the hit is there. What is
 * left of them in the event is a leaf: the 64-bit name of each pattern that matched. */
#include "crumb/match/match.h"

#include "crumb/base/code.h"
#include "crumb/base/text.h"
#include "crumb/core/metric.h"
#include "matcher.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TITLE_MAX 1024	/* bytes of the words of a title; more are not looked at */
#define FOLDED_MAX 8192 /* of a value with other than ASCII letters; more is not looked at */

/* One thread's. Memory: 8 bytes a pattern, 4 a category, 12 a node of the trie, FOLDED_MAX, and
 * what vectorscan wants. */
struct match {
	struct rules *r; /* a reference of its own */
	const struct rules_matcher *m;
	struct scan_scratch *scratch;
	struct trie_walk walk;
	uint32_t epoch;		  /* of the event or hit at hand; never 0 */
	uint32_t *stamp;	  /* by pattern: the latest epoch in which it matched */
	uint32_t *category_stamp; /* by category: the latest epoch in which it was looked at */
	uint32_t *hits;		  /* the patterns that matched, each once */
	size_t hits_n;
	struct str value, name; /* what is being scanned */
	char *folded;		/* the value, if it is not ASCII: FOLDED_MAX bytes */
	size_t folded_n;	/* of them have been used */
};

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

/* --- values */

/* Forgets what matched before: a new epoch. When the number runs over, all stamps are cleared once,
 * so that none is taken for a new one. */
static void match_anew(struct match *x)
{
	x->hits_n = 0;
	if (++x->epoch == 0) {
		memset(x->stamp, 0, x->r->patterns_n * sizeof *x->stamp);
		memset(x->category_stamp, 0, x->r->categories_n * sizeof *x->category_stamp);
		x->epoch = 1;
	}
}

/* The pattern matched; the epoch keeps it from being listed twice. */
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

/* The whole value, as some pattern has it. */
static void exact(struct match *x, enum rule_field f, struct str name, struct str value)
{
	char text[KEY_MAX];
	uint32_t id;
	struct str key = match_key(f, name, value, text);
	if (x->m->exact.n && key.n && map_get(&x->m->exact, key, &id))
		hit(x, id);
}

/* Its beginnings and ends, of the lengths that some pattern has. */
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

/* The few ranges of this attribute, one after the other. */
static void ranges(struct match *x, enum rule_field f, struct str name, struct str value)
{
	char text[KEY_MAX];
	double v;
	uint32_t id;
	if (!map_get(&x->m->ranges, match_key(f, name, STR(""), text), &id) ||
	    !rules_number(value, &v))
		return;
	for (; id != MATCH_NONE; id = x->m->next[id])
		if (range_has(&x->r->patterns[id].range, v))
			hit(x, id);
}

/* A value with other than ASCII letters, folded into the scratch, as patterns are. */
static struct str wide(struct match *x, struct str value)
{
	size_t n = text_fold(value, x->folded, FOLDED_MAX);
	x->folded_n = n > x->folded_n ? n : x->folded_n;
	return str_make(x->folded, n);
}

/* Exact values, globs, expressions and ranges of one field. */
static void look_at_value(struct match *x, enum rule_field f, struct str name, struct str value)
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

/* A rule may say the region alone or with its country: ENG or GB-ENG. */
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

/* --- categories */

/* A test holds when one of its patterns matched, a clause when all of its tests hold. */
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

/* Some clause of any (if there is one), every clause of all, no clause of none. */
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

/* Puts a category into the sorted list, unless it is there. An event has a handful. */
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

/* --- fields */

/* Every word of `words` (" a b ") is a word of `text` (" x a b "). */
static bool words_match(struct str words, struct str text)
{
	struct str rest = str_skip(words, 1), word;
	while (str_cut(&rest, ' ', &word) && word.n)
		if (!str_has(text, str_make(word.p - 1, word.n + 2)))
			return false;
	return true;
}

/* Each word of a title leads to the patterns whose rarest word it is; those are compared in full.
 */
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
			for (; id != MATCH_NONE; id = x->m->next[id])
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
		look_at_value(x, s->field, STR(""), *text);
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
			look_at_value(x, s->field, e->attrs[i].name, e->attrs[i].value);
		return;
	case WAY_PARAMS:
		for (unsigned i = 0; i < in->params_n; i++)
			look_at_value(x, s->field, in->params[i].name, in->params[i].value);
		return;
	case WAY_FUNCTION: {
		const struct field *row = &rule_fields[s->field];
		look_at_value(x, s->field, STR(""), e ? row->of_event(e) : row->of_hit(in));
		return;
	}
	}
}

unsigned rules_categorise(struct match *x, const struct event *e, uint16_t *out)
{
	const struct rules *r = x->r;
	unsigned n = 0;
	match_anew(x);
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
	match_anew(x);
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
