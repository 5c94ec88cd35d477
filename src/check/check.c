/* The checker goes once over the rules that were loaded: categories with their patterns, labels of
 * vocabularies, segments with their conditions, journeys; at last the matcher is made.
 *
 * An error is said of what can never be right: a condition that nobody meets, a pattern that the
 * scrubber has made impossible, an audience that may not go where it is sent. A warning is said of
 * what is likely a mistake. When it is not certain, nothing is said: covers() (patterns.c) and
 * rules_logic() (condition/logic.h) answer only what they can prove. */
#include "checker.h"

#include "crumb/condition/logic.h"
#include "crumb/load/load.h"
#include "crumb/match/match.h"
#include "crumb/partners/format.h"

#include <stdio.h>

#define WINDOW_HINT "make it shorter, or raise retention in crumb.yaml (90 at most)"

/* A message about a part of a segment's condition. */
static void check_say_of(struct checker *c, const struct segment *s, struct str part,
    enum severity severity, const char *code, const char *hint, const char *message)
{
	struct yaml_place at = rules_segment_at(s, part);
	check_say(c, &at, severity, code, hint, message);
}

/* --- conditions */

/* Windows, facts and attributes that nobody can have. Follows the tree, which is not deep. */
static void check_node(struct checker *c, const struct segment *s, int at)
{
	const struct rule_node *n = &c->r->nodes[at];
	char message[300];
	struct yaml_place place = rules_segment_at(s, n->text);
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
		check_undeclared(c, &place, n->attr);
		for (unsigned i = 0; i < n->words_n && !n->numeric; i++)
			check_meant(c, &place, n->attr, n->words[i], MEANT_IN_CONDITION);
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
			check_say(c, &place, SEVERITY_ERROR, "window", WINDOW_HINT, message);
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

/* A journey that is longer than what is kept would end before its time. */
static void check_journey(struct checker *c, const struct journey *j)
{
	char message[200];
	if (j->within <= c->p->retention_days)
		return;
	snprintf(message, sizeof message,
	    "a window of %ud is longer than the %u days that are kept", j->within,
	    c->p->retention_days);
	check_say(c, &j->within_at, SEVERITY_ERROR, "window", WINDOW_HINT, message);
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
	/* "file:line:column: words"; where it is no expression's fault, words alone */
	char file[256] = "rules", words[400];
	size_t line = 1, column = 1;
	int at = 0;
	snprintf(words, sizeof words, "%s", err_text());
	if (sscanf(words, "%255[^:]:%zu:%zu: %n", file, &line, &column, &at) != 3)
		snprintf(file, sizeof file, "rules"), line = column = 1, at = 0;
	check_say(c, &(struct yaml_place){file, line, column, 1}, SEVERITY_ERROR, "regex", NULL,
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
	for (size_t i = 0; i < r->journeys_n; i++)
		check_journey(&c, &r->journeys[i]);
	check_matcher(&c);
}

enum err rules_load_checked(
    struct str bundle, const struct rules_policy *policy, struct report *report, struct rules **out)
{
	return policy ? rules_load_new(bundle, check_rules, policy, report, out)
		      : rules_load(bundle, report, out);
}
