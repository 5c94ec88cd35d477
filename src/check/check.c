/* The checker goes once over the rules that were loaded: categories with their patterns, labels of
 * vocabularies, segments with their conditions; at last the matcher is made.
 *
 * An error is said of what can never be right: a condition that nobody meets, a pattern that the
 * scrubber has made impossible, an audience that may not go where it is sent. A warning is said of
 * what is likely a mistake. When it is not certain, nothing is said: covers() and rules_logic()
 * (condition/logic.h) answer only what they can prove. */
#include "crumb/check/check.h"

#include "crumb/load/load.h"
#include "crumb/condition/logic.h"

#include "crumb/base/clock.h"
#include "crumb/base/text.h"
#include "crumb/match/match.h"
#include "crumb/partners/format.h"
#include "crumb/condition/meant_range.h"

#include <stdio.h>
#include <stdlib.h>

/* What every check has at hand. */
struct checker {
	struct rules *r;
	const struct rules_policy *p;
	struct report *report;
};

static void check_say(struct checker *c, const struct rules_at *at, enum severity severity,
    const char *code, const char *hint, const char *message)
{
	report_add(c->report, at, severity, code, hint, "%s", message);
}

/* A message about a part of a segment's condition. */
static void check_say_of(struct checker *c, const struct segment *s, struct str part,
    enum severity severity, const char *code, const char *hint, const char *message)
{
	struct rules_at at = rules_segment_at(s, part);
	check_say(c, &at, severity, code, hint, message);
}

/* --- conditions */

/* A name that is declared looks like one that is not. */
static void undeclared(struct checker *c, const struct rules_at *at, struct str name)
{
	char hint[200], message[200];
	struct near near = near_begin(name);
	if (rules_vocabulary(c->r, name))
		return;
	for (size_t i = 0; i < c->r->vocabularies_n; i++)
		near_try(&near, str_c(c->r->vocabularies[i].id));
	if (!near.best.n)
		return;
	snprintf(message, sizeof message, "attribute '" STR_FMT "' is not declared",
	    (int)(name.n > 100 ? 100 : name.n), name.p);
	check_say(
	    c, at, SEVERITY_WARNING, "undeclared", near_hint(&near, hint, sizeof hint), message);
}

/* A word that reads like numbers, where nothing says that it is one of the attribute's values. */
static void check_meant(
    struct checker *c, const struct rules_at *at, struct str name, struct str word, bool condition)
{
	struct meant m;
	char right[120], message[300], hint[300];
	const struct vocabulary *v = rules_vocabulary(c->r, name);
	if ((v && !v->ranged) ||
	    !number_meant(word, condition ? MEANT_IN_CONDITION : MEANT_IN_PATTERN, &m))
		return;
	if (condition)
		meant_condition(&m, right);
	else
		meant_pattern(&m, right);
	snprintf(message, sizeof message, "'" STR_FMT "' is compared as a word, not as %s",
	    (int)(word.n > 100 ? 100 : word.n), word.p,
	    m.single ? "a number" : "a range of numbers");
	snprintf(hint, sizeof hint, "write %s%s", right,
	    v || !name.n ? "" : "; if it is one of its values, declare the attribute");
	check_say(c, at, SEVERITY_WARNING, "range", hint, message);
}

/* Windows, facts and attributes that nobody can have. Follows the tree, which is not deep. */
static void check_node(struct checker *c, const struct segment *s, int at)
{
	const struct rule_node *n = &c->r->nodes[at];
	char message[300];
	struct rules_at place = rules_segment_at(s, n->text);
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		check_node(c, s, n->left);
		check_node(c, s, n->right);
		return;
	case NODE_NOT:
		check_node(c, s, n->left);
		return;
	case NODE_FACT:
		if (n->fact == FACT_REGION && c->p->regions == REGIONS_NONE)
			check_say(c, &place, SEVERITY_WARNING, "no-regions",
			    "set geo.database to a file that knows regions (a City file)",
			    "the place file knows countries only: nobody has a region");
		return;
	case NODE_ATTR:
		undeclared(c, &place, n->attr);
		for (unsigned i = 0; i < n->words_n && !n->numeric; i++)
			check_meant(c, &place, n->attr, n->words[i], true);
		if (c->p->drops && c->p->drops(n->attr))
			check_say(c, &place, SEVERITY_WARNING, "never",
			    "attributes that name persons are dropped when a hit comes in",
			    "nobody ever has this attribute");
		return;
	default:
		if (n->window > c->p->retention_days) {
			snprintf(message, sizeof message,
			    "a window of %ud is longer than the %u days that are kept", n->window,
			    c->p->retention_days);
			check_say(c, &place, SEVERITY_ERROR, "window",
			    "make it shorter, or raise retention in crumb.yaml (90 at most)",
			    message);
		}
		return;
	}
}

/* A part of a condition as it is written, for a message. */
static const char *said(const struct rules *r, int at, bool negated, char out[120])
{
	struct str t = r->nodes[at].text;
	int most = t.n > 110 ? 110 : (int)t.n;
	snprintf(out, 120, "%s" STR_FMT, negated ? "not " : "", most, t.p);
	return out;
}

/* What the condition says of itself: parts that exclude each other, parts that are always true. */
static void check_logic(struct checker *c, const struct segment *s)
{
	struct logic l = rules_logic(c->r, s->root);
	char message[400], one[120], other[120];
	bool never = l.verdict == LOGIC_NEVER;
	if (never || l.dead) {
		const char *whole = never ? "" : "one way to be in it is impossible: ";
		struct str part = STR("");
		if (l.a >= 0)
			part = c->r->nodes[l.b >= 0 ? l.b : l.a].text;
		if (l.b >= 0)
			snprintf(message, sizeof message, "%s'%s' and '%s' are never both true",
			    whole, said(c->r, l.a, l.a_not, one), said(c->r, l.b, l.b_not, other));
		else if (l.a >= 0)
			snprintf(message, sizeof message, "%s'%s' is never true", whole,
			    said(c->r, l.a, l.a_not, one));
		else
			snprintf(
			    message, sizeof message, "%sits parts are never true together", whole);
		check_say_of(c, s, part, never ? SEVERITY_ERROR : SEVERITY_WARNING, "contradiction",
		    never ? "nobody can ever be in this segment" : NULL, message);
	}
	if (l.always >= 0) {
		snprintf(message, sizeof message, "'%s' is always true",
		    said(c->r, l.always, false, one));
		check_say_of(c, s, c->r->nodes[l.always].text, SEVERITY_WARNING, "always",
		    "leave it out", message);
	}
}

/* A sensitive segment goes only where whoever runs crumb allows it. */
static void check_sensitive(struct checker *c, const struct segment *s)
{
	char message[300], hint[300];
	for (unsigned i = 0; s->sensitive && i < s->destinations_n; i++) {
		struct str d = s->destinations[i];
		if (config_list_has(
			c->p->sensitive_destinations ? c->p->sensitive_destinations : "", d))
			continue;
		snprintf(message, sizeof message,
		    "segment '%.100s' uses a sensitive category and may not go to '" STR_FMT "'",
		    s->id, (int)(d.n > 60 ? 60 : d.n), d.p);
		snprintf(hint, sizeof hint,
		    "take the destination out; whoever runs crumb can allow it with "
		    "privacy.sensitive_destinations");
		check_say(c, &s->at, SEVERITY_ERROR, "sensitive", hint, message);
	}
}

/* Labels say where data came from; a destination says which it may get. */
static void check_destinations(struct checker *c, const struct segment *s)
{
	char message[400], hint[300];
	struct str label;
	for (unsigned i = 0; i < s->destinations_n; i++) {
		struct str name = s->destinations[i];
		const struct destination *d = destinations_find(c->p->destinations, name);
		if (!d && c->p->destinations && c->p->destinations->found &&
		    !format_built_in(name)) {
			struct near near = near_begin(name);
			for (size_t k = 0; k < c->p->destinations->n; k++)
				near_try(&near, str_c(c->p->destinations->list[k].id));
			snprintf(message, sizeof message, "there is no destination '" STR_FMT "'",
			    (int)(name.n > 60 ? 60 : name.n), name.p);
			check_say(c, &s->at, SEVERITY_WARNING, "destination",
			    near_hint(&near, hint, sizeof hint), message);
		}
		if (c->p->destinations && c->p->destinations->found &&
		    !segment_labels_allowed(c->r, s, c->p->destinations, d, &label)) {
			snprintf(message, sizeof message,
			    "segment '%.100s' is made of data labelled '" STR_FMT
			    "' and may not go to '" STR_FMT "'",
			    s->id, (int)(label.n > 60 ? 60 : label.n), label.p,
			    (int)(name.n > 60 ? 60 : name.n), name.p);
			check_say(c, &s->at, SEVERITY_ERROR, "label",
			    "take the destination out; whoever runs crumb can allow the label "
			    "where destinations are (destinations.path)",
			    message);
		}
		if (d && format_numbered(d) && !destination_segment(d, str_c(s->id)).n) {
			snprintf(message, sizeof message,
			    "destination '" STR_FMT
			    "' has no number for segment '%.100s': it is not sent there",
			    (int)(name.n > 60 ? 60 : name.n), name.p, s->id);
			check_say(c, &s->at, SEVERITY_WARNING, "destination",
			    "write it below segments: of the destination", message);
		}
	}
}

/* A label that nobody may get is meant so, often; one that hardly differs from another's is a slip.
 */
static void check_labels(struct checker *c, const struct labels *l, const struct rules_at *at)
{
	const struct destinations *all = c->p->destinations;
	char message[200], hint[200];
	for (unsigned i = 0; i < l->n && all && all->found; i++) {
		struct near near = near_begin(l->list[i]);
		bool known = false;
		for (size_t d = 0; d < all->n; d++)
			for (unsigned k = 0; k < all->list[d].labels.n; k++) {
				known |= str_eq(all->list[d].labels.list[k], l->list[i]);
				near_try(&near, all->list[d].labels.list[k]);
			}
		snprintf(message, sizeof message,
		    "no destination may get what is labelled '" STR_FMT "'",
		    (int)(l->list[i].n > 60 ? 60 : l->list[i].n), l->list[i].p);
		if (!known && near.best.n)
			check_say(c, at, SEVERITY_WARNING, "label",
			    near_hint(&near, hint, sizeof hint), message);
	}
}

/* Everything about one segment, its condition first. */
static void check_segment(struct checker *c, const struct segment *s)
{
	char message[200];
	if (s->root >= 0)
		check_node(c, s, s->root);
	if (s->root >= 0 && !c->r->tangled)
		check_logic(c, s);
	check_sensitive(c, s);
	check_labels(c, &s->labels, &s->at);
	check_destinations(c, s);
	if (s->until && c->p->today && s->until < c->p->today) {
		snprintf(message, sizeof message,
		    "segment '%.100s' is over: its last day has passed", s->id);
		check_say(c, &s->at, SEVERITY_WARNING, "over", "remove it, or move until", message);
	}
	if (s->alert && s->alert <= (long)c->p->k) {
		snprintf(message, sizeof message,
		    "sizes below %u are told to nobody: the alert can only say that much", c->p->k);
		check_say(c, &s->at, SEVERITY_WARNING, "alert", "ask for a larger size", message);
	}
}

/* --- patterns */

/* What the scrubber and the decoder make of a path before rules see it. */
static void check_path(struct checker *c, const struct pattern *p, const struct rules_at *at)
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
static void check_host(struct checker *c, const struct pattern *p, const struct rules_at *at)
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
static void check_attr(struct checker *c, const struct pattern *p, const struct rules_at *at)
{
	const struct vocabulary *v = rules_vocabulary(c->r, p->name);
	char message[300], hint[200];
	struct str value = p->text;
	if (c->p->drops && c->p->drops(p->name))
		check_say(c, at, SEVERITY_WARNING, "never",
		    "attributes that name persons are dropped when a hit comes in",
		    "no event ever has this attribute");
	if (!v) {
		undeclared(c, at, p->name);
		if (p->kind == PATTERN_EXACT)
			check_meant(c, at, p->name, p->text, false);
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
			check_meant(c, &t->at[i], STR(""), p->text, false);
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
static void shadowed(struct checker *c, const struct pattern *by, const struct rules_at *by_at,
    const struct rules_at *at)
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
static void check_category(struct checker *c, const struct category *cat)
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

/* --- expressions that read well and cannot be compiled */

/* Vectorscan refuses some expressions only when many are compiled together. The words of the error
 * say where the expression stands. */
static void check_matcher(struct checker *c)
{
	struct match *m;
	if (rules_match_begin(c->r, &m) == OK) {
		rules_match_end(m);
		return;
	}
	/* "file:line:column: words" */
	char file[256] = "rules", words[400];
	size_t line = 1, column = 1;
	int at = 0;
	snprintf(words, sizeof words, "%s", err_text());
	if (sscanf(words, "%255[^:]:%zu:%zu: %n", file, &line, &column, &at) != 3)
		at = 0;
	check_say(c, &(struct rules_at){file, line, column, 1}, SEVERITY_ERROR, "regex", NULL,
	    words + at);
}

/* What rules_load_new() calls; `policy` is a struct rules_policy. */
static void check_rules(struct rules *r, const void *policy, struct report *report)
{
	struct checker c = {r, policy, report};
	for (size_t i = 1; i < r->categories_n; i++)
		if (r->categories[i].named)
			check_category(&c, &r->categories[i]);
	for (size_t i = 0; i < r->vocabularies_n; i++)
		check_labels(&c, &r->vocabularies[i].labels, &r->vocabularies[i].at);
	for (size_t i = 0; i < r->segments_n; i++)
		check_segment(&c, &r->segments[i]);
	check_matcher(&c);
}

enum err rules_load_checked(
    struct str bundle, const struct rules_policy *policy, struct report *report, struct rules **out)
{
	return policy ? rules_load_new(bundle, check_rules, policy, report, out)
		      : rules_load(bundle, report, out);
}
