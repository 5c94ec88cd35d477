/* Inside check: what the checks of segments and those of patterns share. */
#ifndef CRUMB_SRC_CHECK_CHECKER_H
#define CRUMB_SRC_CHECK_CHECKER_H

#include "crumb/check/check.h"
#include "crumb/condition/meant_range.h"

/* What every check has at hand, for one run over one rule set; one thread. Borrowed. */
struct checker {
	struct rules *r;
	const struct rules_policy *p;
	struct report *report;
};

void check_say(struct checker *c, const struct yaml_place *at, enum severity severity,
    const char *code, const char *hint, const char *message);
/* Warns where the name of an attribute that is not declared looks like one that is. */
void check_undeclared(struct checker *c, const struct yaml_place *at, struct str name);
/* Warns where a word reads like numbers and nothing says that it is one of the attribute's values.
 * `name` is empty for a field without names. */
void check_meant(struct checker *c, const struct yaml_place *at, struct str name, struct str word,
    enum meant_where where);
/* Warns of labels that no destination may get and that hardly differ from one that some may. */
void check_labels(struct checker *c, const struct labels *l, const struct yaml_place *at);

/* --- patterns.c; calls the functions above */
void check_category(struct checker *c, const struct category *cat);

#endif
