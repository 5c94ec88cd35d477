/* Inside delivery: how many members of open segments did not go, by the first reason that held.
 * plan_stays() has the reasons; the plan counts each visitor once, and the manifest and the log
 * keep the exact numbers:
 *
 *     "not_sent":{"go":60,"no_id":0,"no_consent":30,"other_source":30,"held_out":7}
 *
 * What is told of them, here with k = 20, has no "go", and null for each number below k, for 0 as
 * well: where there are two cases, null says nothing.
 *
 *     "not_sent":{"no_id":null,"no_consent":null,"other_source":30,"held_out":null}
 *
 * Why is no_consent null? All members are told, and whoever goes by segment. With all reasons but
 * one told, too, the 7 who are held out could be had by subtraction. So the smallest number is
 * withheld as well, where those that are withheld are together fewer than k. It is never no_id,
 * which follows from the match rate: reach_show() withholds it there.
 *
 * Neither a lock nor a thread: whoever has the JSON may call these. */
#ifndef CRUMB_SRC_DELIVERY_NOT_SENT_H
#define CRUMB_SRC_DELIVERY_NOT_SENT_H

#include "crumb/delivery/plan.h"

#include <jansson.h>

/* The exact numbers, for the manifest; the caller's reference. NULL: no memory. */
json_t *not_sent_exact(const struct plan_result *r);
/* Puts the numbers of a row of the log as they may be told in their place. What is missing, as in
 * lines of older versions, or is damaged is not told at all. */
void not_sent_gate(json_t *row, const struct kgate *gate);

#endif
