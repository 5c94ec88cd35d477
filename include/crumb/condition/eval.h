/* The evaluator: conditions over profiles. There is no other. Everything here is a pure function;
 * any thread. */
#ifndef CRUMB_CONDITION_EVAL_H
#define CRUMB_CONDITION_EVAL_H

#include "crumb/rules/fact.h"

/* Does the condition hold? A profile without rows is nobody, of whom nothing holds. */
bool rules_holds(const struct rules *r, int root, const struct profile *p, uint16_t today);
/* Sets the bits of the categories whose rows the condition looks at; `wanted` has 65,536. */
void rules_asks(const struct rules *r, int root, uint64_t *wanted);
/* Is the visitor in the segment? Its condition holds, and its last day is not over. */
bool rules_eval(const struct rules *r, uint16_t segment, const struct profile *p, uint16_t today);
/* Evaluates every segment: writes the sorted numbers of those that hold to `out` (segments_n
 * places). */
unsigned rules_eval_all(
    const struct rules *r, const struct profile *p, uint16_t today, uint16_t *out);
/* Would the condition hold of somebody who never did anything? What compares place, device or
 * attributes is unknown of them, and unknown is no. */
bool rules_holds_of_nobody(const struct rules *r, int root);

/* The next day, after `today`, on which anything about the profile can change by time alone: a row,
 * a fact, a window or a segment ends. `p->segments` are the memberships of today. Something
 * retained always ends, so there is a day for every profile that is not empty. */
uint16_t rules_next_due(
    const struct rules *r, const struct profile *p, uint16_t today, unsigned retention);
/* The first day after `today` on which a member is none any more, if nothing more is observed. */
uint16_t rules_member_until(const struct rules *r, uint16_t segment, const struct profile *p,
    uint16_t today, unsigned retention);

/* What a COUNT, DAYS or SUM node counts, and the days that contribute. */
struct amount {
	int64_t n; /* SUM: millionths */
	uint16_t first_day, last_day;
	unsigned days;
};
struct amount rules_amount(const struct profile *p, const struct rule_node *n, uint16_t today);
bool rules_compare(const struct rule_node *n, int64_t amount);

#endif
