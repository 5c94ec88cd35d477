/* How a delivered file begins, without the ids in it: what somebody looks at who wants to know
 * whether a partner gets what he should.
 *
 * Nobody can be found in it:
 *   - an id is a mask, whatever its format; files are read back by the format that wrote them,
 *   - a line is told only when at least k lines of what was read are alike behind the mask. So
 *     one that nobody shares is not there, and neither is what only a few have together,
 *   - each different line is told once, in the order of its text: not how many there are, and not
 *     who stands beside whom.
 *
 * For example, of a file with 60 members of `coats` and 5 of `coats` and `boots`, k 20:
 *
 *     id,segment,expires,action
 *     ••••,coats,2026-12-01,add           60 lines, or more, are so; those with boots are 5
 *
 * The first file of the latest delivery that arrived is read where the destination keeps it; of a
 * large one its beginning, FORMAT_BEGINS bytes. It is told only while that is what we wrote. Any
 * thread. */
#ifndef CRUMB_DELIVERY_HEAD_H
#define CRUMB_DELIVERY_HEAD_H

#include "crumb/delivery/plan.h"

struct json_t;

#define HEAD_USUAL 20 /* lines that are told where nobody says */
#define HEAD_MOST 100

/* {"destination","state","format"} and, where the state is "file", "delivery", "file", "lines":[…],
 * "more": there are others that may be told, "part": only the beginning was read. Other states:
 *
 *     push     files are sent, and none stays      asked    whoever wants it asks: there are none
 *     none     nothing was delivered yet           gone     somebody has taken it away
 *     changed  it is not what was delivered        older    an earlier version delivered it, and
 *                                                           did not note how it begins
 *
 * `w` says of which destination. */
enum err head_told(const struct plan_wish *w, const struct kgate *gate, unsigned lines,
    struct json_t **out) MUST_CHECK;

#endif
