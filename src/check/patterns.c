/* The checks of a category: patterns that can never match, and lists of which one entry makes
 * another useless.
 *
 * Each pattern is looked at alone: what the wall does to its field before rules see it, and which
 * values the vocabulary has. Then patterns are compared two by two, by covers(a, b): does a match
 * everything that b matches? Within any: what is covered is superfluous; under none: what covers an
 * entry of any takes it away. Comparing takes time that grows with the square of a list, so only
 * the first SHADOW_MAX entries are compared. */
#include "checker.h"

#include "crumb/base/text.h"
#include "crumb/match/match.h"

#include <stdio.h>

/* What the scrubber and the decoder make of a path before rules see it. */
static void check_path(struct checker *c, const struct pattern *p, const struct yaml_place *at)
{
	struct str rest = p->text, segment;
	const char *by;
	char message[200], hint[200];
	while (str_cut(&rest, '/', &segment)) {
		if (segment.n == 0 || segment.p[0] == '[')
			continue;
		if (str_find(segment, '*') == segment.n && c->p->scrubs &&
		    c->p->scrubs(segment, &by)) {
			snprintf(message, sizeof message,
			    "'" STR_FMT "' is scrubbed from paths: this can never match",
			    (int)(segment.n > 100 ? 100 : segment.n), segment.p);
			snprintf(
			    hint, sizeof hint, "crumb keeps it as %s: write %s, or '*'", by, by);
			check_say(c, at, SEVERITY_ERROR, "scrubbed", hint, message);
		} else if (str_find(segment, '%') + 2 < segment.n) {
			check_say(c, at, SEVERITY_WARNING, "never",
			    "write the character itself: a blank for %20",
			    "paths are decoded: '%' followed by digits hardly ever matches");
		} else if (str_find(segment, ';') < segment.n) {
			check_say(c, at, SEVERITY_WARNING, "never",
			    "leave out what stands behind ';'",
			    "paths are cut at ';': this can never match");
		}
	}
	if (p->text.n > EVENT_PATH_MAX) {
		snprintf(message, sizeof message, "paths are cut to %d bytes: this can never match",
		    EVENT_PATH_MAX);
		check_say(c, at, SEVERITY_WARNING, "never", NULL, message);
	}
}

/* Parts of a host that the scrubber replaces. */
static void check_host(struct checker *c, const struct pattern *p, const struct yaml_place *at)
{
	struct str rest = p->text, label;
	const char *by;
	char message[200];
	while (p->kind != PATTERN_REGEX && str_cut(&rest, '.', &label)) {
		if (label.n == 0 || label.p[0] == '[' || str_find(label, '*') < label.n ||
		    !c->p->scrubs || !c->p->scrubs(label, &by))
			continue;
		snprintf(message, sizeof message,
		    "'" STR_FMT "' is scrubbed from hosts: this can never match",
		    (int)(label.n > 100 ? 100 : label.n), label.p);
		check_say(c, at, SEVERITY_ERROR, "scrubbed",
		    "crumb keeps it as [token]: write '*' in its place", message);
	}
}

/* A value that the vocabulary does not have, or an attribute that nobody declared. */
static void check_attr(struct checker *c, const struct pattern *p, const struct yaml_place *at)
{
	const struct vocabulary *v = rules_vocabulary(c->r, p->name);
	char message[300], hint[200];
	struct str value = p->text;
	if (c->p->drops && c->p->drops(p->name))
		check_say(c, at, SEVERITY_WARNING, "never",
		    "attributes that name persons are dropped when a hit comes in",
		    "no event ever has this attribute");
	if (!v) {
		check_undeclared(c, at, p->name);
		if (p->kind == PATTERN_EXACT)
			check_meant(c, at, p->name, p->text, MEANT_IN_PATTERN);
		return;
	}
	if (p->kind != PATTERN_EXACT || rules_attr(c->r, p->name, &value)) {
		bool fits = p->kind != PATTERN_GLOB || v->ranged;
		for (unsigned i = 0; i < v->values_n && !fits; i++)
			fits = text_glob(p->text, v->values[i]);
		if (!fits)
			check_say(c, at, SEVERITY_WARNING, "never", NULL,
			    "none of the declared values matches this");
		return;
	}
	struct near near = near_begin(p->text);
	for (unsigned i = 0; i < v->values_n; i++)
		near_try(&near, v->values[i]);
	near_hint(&near, hint, sizeof hint);
	struct meant m;
	char right[100];
	if (v->ranged && number_meant(p->text, MEANT_IN_PATTERN, &m)) {
		meant_pattern(&m, right);
		snprintf(hint, sizeof hint, "write %s", right);
	}
	if (!*hint)
		snprintf(hint, sizeof hint, "it is declared at %.100s:%zu", v->at.file, v->at.line);
	snprintf(message, sizeof message, "attribute '%.64s' never is '" STR_FMT "'", v->id,
	    (int)(p->text.n > 64 ? 64 : p->text.n), p->text.p);
	check_say(c, at, SEVERITY_ERROR, "vocabulary", hint, message);
}

/* Each kind of field has its own ways to be impossible. */
static void check_test(struct checker *c, const struct test *t)
{
	for (unsigned i = 0; i < t->any_n; i++) {
		const struct pattern *p = &c->r->patterns[t->any[i]];
		if (p->kind == PATTERN_PATH)
			check_path(c, p, &t->at[i]);
		else if (p->field == FIELD_ATTR)
			check_attr(c, p, &t->at[i]);
		else if ((rule_fields[p->field].takes & TAKES_RANGE) && p->kind == PATTERN_EXACT)
			check_meant(c, &t->at[i], STR(""), p->text, MEANT_IN_PATTERN);
		else if (rule_fields[p->field].is == IS_HOST)
			check_host(c, p, &t->at[i]);
		else if (rule_fields[p->field].from == FROM_REGION && c->p->regions == REGIONS_NONE)
			check_say(c, &t->at[i], SEVERITY_WARNING, "no-regions",
			    "set geo.database to a file that knows regions (a City file)",
			    "the place file knows countries only: no event has a region");
	}
}

/* --- what shadows what */

/* Everything that `b` matches, `a` matches too. Says so only when it is certain. */
static bool covers(const struct pattern *a, const struct pattern *b)
{
	if (a == b)
		return true;
	if (a->field != b->field || !str_eq(a->name, b->name) || a->kind == PATTERN_REGEX ||
	    b->kind == PATTERN_REGEX)
		return false;
	if (a->kind == PATTERN_RANGE || b->kind == PATTERN_RANGE)
		return a->kind == b->kind && a->range.lo <= b->range.lo &&
		       a->range.hi >= b->range.hi && !a->range.lo_out && !a->range.hi_out;
	if (a->kind == PATTERN_WORDS) {
		/* fewer words match more titles */
		struct str rest = str_skip(a->text, 1), word;
		while (str_cut(&rest, ' ', &word) && word.n)
			if (!str_has(b->text, str_make(word.p - 1, word.n + 2)))
				return false;
		return true;
	}
	if (a->kind == PATTERN_PATH) {
		if (!str_has(b->text, STR("**")))
			return rules_path_glob(a->text, b->text);
		/* below a prefix: what ends with two stars covers what begins with the same */
		struct str prefix = a->text;
		if (prefix.n < 3 || !str_eq(str_skip(prefix, prefix.n - 3), STR("/**")))
			return false;
		prefix.n -= 3;
		return str_find(prefix, '*') == prefix.n && str_starts(b->text, prefix) &&
		       b->text.n > prefix.n && b->text.p[prefix.n] == '/';
	}
	if (rule_fields[a->field].takes & TAKES_BELOW)
		return b->text.n > a->text.n && b->text.p[b->text.n - a->text.n - 1] == '.' &&
		       str_eq(str_skip(b->text, b->text.n - a->text.n), a->text);
	return a->kind == PATTERN_GLOB && str_iglob(a->text, b->text);
}

/* Two patterns of one list, of which one is enough. */
static void shadowed(struct checker *c, const struct pattern *by, const struct yaml_place *by_at,
    const struct yaml_place *at)
{
	char message[300];
	snprintf(message, sizeof message, "this is covered by '" STR_FMT "' in line %zu",
	    (int)(by->text.n > 100 ? 100 : by->text.n), by->text.p, by_at->line);
	check_say(c, at, SEVERITY_WARNING, "shadowed", "one of the two is enough", message);
}

#define SHADOW_MAX 300 /* entries of one list that are compared with each other */

/* Within one test, and between entries that have one field each. A pattern that stands twice is
 * said of once. The time grows with the square of the list, hence SHADOW_MAX. */
static void check_shadows(struct checker *c, const struct clauses *any)
{
	const struct pattern *all = c->r->patterns;
	for (unsigned i = 0; i < any->n && i < SHADOW_MAX; i++)
		for (unsigned t = 0; t < any->list[i].tests_n; t++) {
			const struct test *x = &any->list[i].tests[t];
			for (unsigned a = 0; a < x->any_n && a < SHADOW_MAX; a++)
				for (unsigned b = 0; b < x->any_n && b < SHADOW_MAX; b++)
					if (a != b && covers(&all[x->any[a]], &all[x->any[b]]) &&
					    (x->any[a] != x->any[b] || a < b))
						shadowed(c, &all[x->any[a]], &x->at[a], &x->at[b]);
		}
	/* an entry with one field is covered by another with one field */
	for (unsigned i = 0; i < any->n && i < SHADOW_MAX; i++)
		for (unsigned k = 0; k < any->n && k < SHADOW_MAX; k++) {
			if (i == k || any->list[i].tests_n != 1 || any->list[k].tests_n == 0)
				continue;
			const struct test *x = &any->list[i].tests[0];
			for (unsigned t = 0; t < any->list[k].tests_n; t++) {
				const struct test *y = &any->list[k].tests[t];
				if (y->any_n == 1 && any->list[k].tests_n == 1 && x->any_n == 1 &&
				    x->any[0] == y->any[0] && i > k)
					continue; /* the same pattern twice: said of the second */
				for (unsigned a = 0; a < x->any_n && a < SHADOW_MAX; a++)
					for (unsigned b = 0; b < y->any_n && b < SHADOW_MAX; b++)
						if (covers(&all[x->any[a]], &all[y->any[b]]) &&
						    y->any_n == 1)
							shadowed(c, &all[x->any[a]], &x->at[a],
							    &y->at[b]);
			}
		}
}

/* Exact patterns on fields that have one value: an event cannot be two things at once. */
static bool one_value(const struct checker *c, const struct test *t, const struct pattern **p)
{
	*p = &c->r->patterns[t->any[0]];
	bool exact = (*p)->kind == PATTERN_EXACT ||
		     ((*p)->kind == PATTERN_PATH && str_find((*p)->text, '*') == (*p)->text.n);
	return t->any_n == 1 && exact && field_is_single(t->field);
}

/* Every entry of all must match; two of them that want different values of one field never do. */
static void check_all(struct checker *c, const struct clauses *all)
{
	char message[300];
	const struct pattern *a, *b;
	for (unsigned i = 0; i < all->n; i++)
		for (unsigned k = 0; k < i; k++)
			for (unsigned t = 0; t < all->list[i].tests_n; t++)
				for (unsigned u = 0; u < all->list[k].tests_n; u++) {
					const struct test *x = &all->list[i].tests[t],
							  *y = &all->list[k].tests[u];
					if (x->field != y->field || !one_value(c, x, &a) ||
					    !one_value(c, y, &b) || !str_eq(a->name, b->name) ||
					    a == b)
						continue;
					snprintf(message, sizeof message,
					    "no event has two values: it is also to be '" STR_FMT
					    "'",
					    (int)(b->text.n > 100 ? 100 : b->text.n), b->text.p);
					check_say(c, &x->at[0], SEVERITY_ERROR, "contradiction",
					    "every entry of all: must match; put alternatives "
					    "under any:",
					    message);
				}
}

/* What none: takes away is all that any: gives. */
static void check_none(struct checker *c, const struct category *cat)
{
	for (unsigned i = 0; i < cat->none.n; i++) {
		if (cat->none.list[i].tests_n != 1)
			continue;
		const struct test *x = &cat->none.list[i].tests[0];
		for (unsigned k = 0; k < cat->any.n; k++)
			for (unsigned t = 0; t < cat->any.list[k].tests_n; t++) {
				const struct test *y = &cat->any.list[k].tests[t];
				for (unsigned a = 0; a < x->any_n; a++)
					if (y->any_n == 1 && covers(&c->r->patterns[x->any[a]],
								 &c->r->patterns[y->any[0]]))
						check_say(c, &y->at[0], SEVERITY_WARNING, "never",
						    "the entry under none: takes everything away",
						    "this can never count: none: covers it");
			}
	}
}

/* A glob that looks inside names takes nothing away where the name was scrubbed. */
static void check_hidden(struct checker *c, const struct clauses *none)
{
	for (unsigned i = 0; i < none->n; i++)
		for (unsigned t = 0; t < none->list[i].tests_n; t++) {
			const struct test *x = &none->list[i].tests[t];
			for (unsigned a = 0; a < x->any_n && rule_fields[x->field].is == IS_HOST;
			     a++) {
				struct str s = c->r->patterns[x->any[a]].text;
				if (c->r->patterns[x->any[a]].kind == PATTERN_GLOB && s.n > 2 &&
				    s.p[0] == '*' && s.p[1] != '.' && s.p[s.n - 1] == '*')
					check_say(c, &x->at[a], SEVERITY_WARNING, "scrubbed",
					    "a part of a host that could be somebody's number "
					    "reads [token]: name the hosts, or use site:",
					    "hosts are scrubbed before rules see them: this does "
					    "not find what was replaced");
			}
		}
}

/* Everything about one category: its patterns, then its lists against each other. */
void check_category(struct checker *c, const struct category *cat)
{
	const struct clauses *lists[] = {&cat->any, &cat->all, &cat->none};
	for (size_t l = 0; l < 3; l++)
		for (unsigned i = 0; i < lists[l]->n; i++)
			for (unsigned t = 0; t < lists[l]->list[i].tests_n; t++)
				check_test(c, &lists[l]->list[i].tests[t]);
	check_labels(c, &cat->labels, &cat->at);
	check_shadows(c, &cat->any);
	check_hidden(c, &cat->none);
	check_all(c, &cat->all);
	check_none(c, cat);
}
