/* The nightly work, on a thread of its own: once a day, when the sweep is through,
 *
 *     journal     days that are over lose the events of visitors who were erased
 *     wal         is overwritten
 *     state       is compacted into a fresh generation
 *     exports     what destinations hold of visitors who are gone is noted, and given up after a
 * week models      lookalikes whose time has come are trained anew erased      forgets whom no
 * cookie and no backup can bring back
 *
 * so that within a day nothing of what is over is left in the files' bytes. What a crash interrupts
 * is done again. */
#ifndef CRUMB_NODE_KEEPER_H
#define CRUMB_NODE_KEEPER_H

#include "crumb/node/node.h"

struct keeper;

enum err keeper_start(struct node *n, struct keeper **out) MUST_CHECK;
void keeper_stop(struct keeper *k); /* what it is at is given up, and done again next time */
/* Of a node that is alone, for which keeper_start() starts no thread: one round, now. What it is at
 * is given up when keeper_leave() was called. */
enum err keeper_round(struct keeper *k) MUST_CHECK;
void keeper_leave(struct keeper *k);
void keeper_tick(struct keeper *k); /* about once a second */
/* Does it without waiting for the night; it is done when keeper_rounds() is at least what this
 * returns. */
uint64_t keeper_now(struct keeper *k);
uint64_t keeper_failures(struct keeper *k, char *why,
    size_t cap);			  /* how often it was not possible, and why the last time */
uint64_t keeper_rounds(struct keeper *k); /* how often it was done since the start */

#endif
