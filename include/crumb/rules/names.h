/* Names that rules give to fields, facts and their values. Any thread. */
#ifndef CRUMB_RULES_NAMES_H
#define CRUMB_RULES_NAMES_H

#include "crumb/rules/rules.h"

/* Checks a value of a field or fact with a fixed list of values; reports it with the nearest name. */
bool names_check(struct report *report, const struct rules_at *at, enum rule_field f, struct str value);

#endif
