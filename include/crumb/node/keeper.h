/* The nightly work, on a thread of its own: once a day, when the sweep is through, in this order
 *
 *     journal     days that are over lose the events of visitors who were erased
 *     wal         is overwritten
 *     state       is compacted into a fresh generation
 *     exports     what destinations hold of visitors who are gone is noted, and given up after a
 *                 week
 *     models      lookalikes whose time has come are trained anew
 *     erased      forgets whom no cookie and no backup can bring back
 *     kept        notes that this day's work is done
 *
 * so that within a day nothing of what is over is left in the files' bytes. What a crash or a
 * failure interrupts is done again, all of it: `kept` has the day of before. After a failure it is
 * tried again within a minute. While the clock is in doubt nothing is done.
 *
 * Besides, the report of the day (report/dailies.h) and its signals (answers/signals_kept.h): once
 * the day before is complete, and when other rules serve. What fails is tried again; a round does
 * not wait for it to succeed. On the first day of a store there is no report, and signals are read
 * when somebody asks. And once somebody has asked for what was set aside, its counts follow the
 * journal, a minute behind as a rule, and are made anew when the night has taken records away.
 *
 * The thread is a low one (base/low.h). keeper_start(), keeper_stop() and keeper_tick() belong to
 * the thread that runs the node; the others are for any thread. */
#ifndef CRUMB_NODE_KEEPER_H
#define CRUMB_NODE_KEEPER_H

#include "crumb/node/node.h"

struct keeper;

enum err keeper_start(struct node *n, struct keeper **out) MUST_CHECK;
/* Ends the thread. A round that is under way is given up, and done again next time. NULL is fine.
 */
void keeper_stop(struct keeper *k);
/* One round, now. For a node that is alone, for which keeper_start() starts no thread.
 * keeper_leave(): a round that is under way is given up. */
enum err keeper_round(struct keeper *k) MUST_CHECK;
void keeper_leave(struct keeper *k);
/* Starts a round when the day has none yet, and a report when it is due, and the node is settled.
 * Call about once a second. */
void keeper_tick(struct keeper *k);
/* Starts a round without waiting for the night. It is done when keeper_rounds() is at least what
 * this returns. */
uint64_t keeper_now(struct keeper *k);
/* Reads the signals of the day, unless that is asked for already, or failed a moment ago. */
void keeper_signals(struct keeper *k);
/* Counts what was set aside (ingest/asides.h) up to the journal's end, unless that is asked for
 * already, or failed a moment ago. */
void keeper_asides(struct keeper *k);
uint64_t keeper_rounds(struct keeper *k); /* how many were done since the start */
/* How many failed since the start, and why the last one did. */
uint64_t keeper_failures(struct keeper *k, char *why, size_t cap);

#endif
