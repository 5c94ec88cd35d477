/* Segments of up to 64 visitors at once: the evaluator (condition/eval.h) turned round for many
 * segments. A visitor's days are walked once and wake only the comparisons that mention their
 * categories; the conditions are then worked out for all visitors together, a bit for each.
 *
 * What it says of a visitor and a segment is what rules_eval() says. One block belongs to one
 * thread; the rules must outlive it. */
#ifndef CRUMB_CONDITION_BLOCK_H
#define CRUMB_CONDITION_BLOCK_H

#include "crumb/rules/rules.h"

#define BLOCK_MAX 64

struct block;

struct block *rules_block_begin(const struct rules *r);
void rules_block_end(struct block *b);
/* Begins anew, as of a day. */
void rules_block_clear(struct block *b, uint16_t today);
/* The next visitor, whose number is how many were added before. The profile is not needed
 * afterwards. */
void rules_block_add(struct block *b, const struct profile *p);
/* Who is in the segment: bit i is visitor i. */
uint64_t rules_block_segment(struct block *b, uint16_t segment);

#endif
