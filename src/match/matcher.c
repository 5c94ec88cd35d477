/* Making the matcher: every pattern of a rule set is put where matcher.h says it is looked for.
 *
 * Words are counted first, since a pattern of words goes under its rarest word. Then, field by
 * field, each pattern is placed; what has to be scanned for is gathered and compiled at the field's
 * end. Last come the categories of each pattern and the steps: which fields to look at, and how. */
#include "matcher.h"

#include "crumb/base/code.h"

#include <stdlib.h>

/* The piece between two stars that is scanned for: the longer it is, the less else it is found in.
 */
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
	uint32_t first = MATCH_NONE;
	if (map_get(map, key, &first))
		map_set(map, key, id);
	else
		map_put(map, arena_keep(&r->arena, key), id);
	m->next[id] = first;
}

/* In how many patterns each word stands. */
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

/* One category's patterns, from its clauses. First pass: counts them, in m->from[pattern + 1].
 * Second pass: m->from[pattern] is where the pattern's next category goes. */
static void index_clauses(
    struct rules_matcher *m, const struct clauses *clauses, uint32_t category, bool counting)
{
	for (unsigned a = 0; a < clauses->n; a++) {
		const struct clause *clause = &clauses->list[a];
		for (unsigned t = 0; t < clause->tests_n; t++) {
			const struct test *test = &clause->tests[t];
			for (unsigned p = 0; p < test->any_n; p++) {
				if (counting)
					m->from[test->any[p] + 1]++;
				else
					m->categories[m->from[test->any[p]]++] = category;
			}
		}
	}
}

/* Whatever belongs to a category matches something of its any, or else of its all: the patterns of
 * these clauses lead to it. */
static void index_each(const struct rules *r, struct rules_matcher *m, bool counting)
{
	for (size_t i = 1; i < r->categories_n; i++) {
		const struct category *c = &r->categories[i];
		index_clauses(m, c->any.n ? &c->any : &c->all, (uint32_t)i, counting);
	}
}

/* Makes `from` and `categories` (matcher.h draws them) in two passes over all clauses. */
static void index_categories(const struct rules *r, struct rules_matcher *m)
{
	index_each(r, m, true);
	for (size_t i = 0; i < r->patterns_n; i++)
		m->from[i + 1] += m->from[i];
	m->categories = calloc(m->from[r->patterns_n] + 1, sizeof *m->categories);
	CHECK(m->categories);
	index_each(r, m, false);
	/* filling moved every beginning to its end: move them back */
	memmove(m->from + 1, m->from, r->patterns_n * sizeof *m->from);
	m->from[0] = 0;
}

/* Adds to the patterns that match whatever a field holds. There are few, if any. */
static void place_always(struct rules *r, struct rules_matcher *m, enum rule_field f, uint32_t id)
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
		chain(r, m, &m->ranges, match_key(p->field, p->name, STR(""), text), id);
		return;
	case PATTERN_REGEX:
		in[(*in_n)++] = (struct scan_input){p->text, id, true, p->field == FIELD_PATH};
		return;
	case PATTERN_EXACT:
		if (exact_by_map(p->field) && p->name.n + p->text.n + 2 <= KEY_MAX) {
			map_put(&m->exact,
			    arena_keep(&r->arena, match_key(p->field, p->name, p->text, text)), id);
			return;
		}
		/* fall through */
	case PATTERN_GLOB: {
		if (place_affix(r, m, id))
			return;
		struct str literal = longest_literal(p->text);
		if (literal.n == 0)
			place_always(r, m, p->field, id);
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

enum err matcher_new(struct rules *r, struct rules_matcher **out)
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
			const struct yaml_place *at = &r->patterns[culprit].at;
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
