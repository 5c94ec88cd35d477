/* Segments of up to 64 visitors at once, in a machine word: bit i is visitor i. Folds and moves of
 * a diff add one visitor at a time and read bit 0; what is scanned whole adds 64.
 *
 * The plain evaluator (condition/eval.h) walks every condition for every visitor, and looks up the
 * days of a category for every comparison. With 1,000 segments nearly all of that is about
 * categories that the visitor never had. The block turns it round, in three steps.
 *
 * Once for a rule set: comparisons of counts and days become *atoms*. Nodes with
 * equal category, window, kind, operator and numbers, in whichever segments, share one atom and its
 * word. Atoms stand by category, then by window,
 * shortest first.
 *
 *     category    window        atoms
 *     coats       7 days        word 0: >= 2
 *                 30 days       word 1: < 5        word 2: between 2 and 4
 *                 everything    word 3: >= 5
 *     boots       30 days       word 4: >= 1
 *
 * For each visitor: the rows, which lie by category and day, are walked once. The atoms of a
 * category are woken by its rows, from the newest row back; each window goes on counting where the
 * shorter one stopped.
 *
 *     day 100, visitor 3    coats: day 98 2 ×, day 95 1 ×, day 60 4 ×        boots: no row
 *     7 days (from 94)      2 + 1 = 3       >= 2 holds
 *     30 days (from 71)     3               < 5 holds, between 2 and 4 holds
 *     everything            3 + 4 = 7       >= 5 holds
 *
 * A word is 0 for whoever has no row of the category, so such visitors cost nothing, not even a
 * store. But "< 5" holds of them. So a bit says whether the visitor *differs* from somebody who
 * never had the category, and the leaf of the condition is inverted where the comparison holds of
 * 0:
 *
 *     word    holds of 0    visitor 3    bit        what the condition reads
 *     0       no            holds        1          word 0
 *     1       yes           holds        0          ~word 1
 *     2       no            holds        1          word 2
 *     4       no            no row       0          word 4
 *
 * For each segment: the tree of its condition is worked out with & | ~ on words, once for all 64.
 * Example: "coats >= 2 in 7d and not boots in 30d" is  word 0 & ~word 4 , and of that the bits of
 * visitors who have a row (`alive`), for "not" also sets bits that nobody has.
 *
 * Sums, first days and orders (A then B) want more than a count: they ask rules_holds() when a row
 * of their category wakes them. Facts, attributes and models are asked of everybody
 * who has a row.
 *
 * Cost: 8 bytes of words and some 40 of tables for each node; a visitor costs the rows and
 * the atoms that they wake, a segment its nodes once for 64 visitors. With full blocks the
 * segments of 1,000,000 visitors took 0.03 times as long as with the plain evaluator (tests/bench).
 *
 * What it says of a visitor and a segment is what rules_eval() says. One block belongs to one
 * thread; the rules must outlive it. */
#ifndef CRUMB_CONDITION_BLOCK_H
#define CRUMB_CONDITION_BLOCK_H

#include "crumb/rules/rules.h"

#define BLOCK_MAX 64 /* visitors: the bits of a word */

struct block;

/* Makes the tables for these rules, without visitors. Ends the process when there is no memory. */
struct block *rules_block_begin(const struct rules *r);
void rules_block_end(struct block *b);
/* Forgets the visitors, and is of that day from now on. */
void rules_block_clear(struct block *b, uint16_t today);
/* Adds a visitor, whose number is how many were added before; fewer than BLOCK_MAX were. The
 * profile is not needed afterwards. */
void rules_block_add(struct block *b, const struct profile *p);
/* Who is in the segment: bit i is visitor i. */
uint64_t rules_block_segment(struct block *b, uint16_t segment);
/* For whom a node holds: a condition, or a part of one. */
uint64_t rules_block_node(const struct block *b, int node);

#endif
