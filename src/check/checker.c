/* What is said of attributes and labels wherever rules name them: in conditions, in patterns, on
 * categories, vocabularies and segments. */
#include "checker.h"

#include <stdio.h>

void check_say(struct checker *c, const struct yaml_place *at, enum severity severity,
    const char *code, const char *hint, const char *message)
{
	report_add(c->report, at, severity, code, hint, "%s", message);
}

/* A name that is declared looks like one that is not. */
void check_undeclared(struct checker *c, const struct yaml_place *at, struct str name)
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
void check_meant(struct checker *c, const struct yaml_place *at, struct str name, struct str word,
    enum meant_where where)
{
	struct meant m;
	char right[120], message[300], hint[300];
	const struct vocabulary *v = rules_vocabulary(c->r, name);
	if ((v && !v->ranged) || !number_meant(word, where, &m))
		return;
	if (where == MEANT_IN_CONDITION)
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

/* A label that nobody may get is meant so, often; one that hardly differs from another's is a slip.
 */
void check_labels(struct checker *c, const struct labels *l, const struct yaml_place *at)
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
