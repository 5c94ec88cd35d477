/* What a thread finds around it without being handed it: the clock and the counters of the node
 * that it works for.
 *
 * A thread is in one ambient at a time. A program has one from its start, and needs no other unless
 * it runs several nodes: then each has its own, and neither a moved clock nor a count of one is
 * seen by another. A thread that is started by thread_start() is in the ambient of whoever starts
 * it, so whatever a node starts is in the node's. A thread that works for several nodes enters each
 * before it calls anything of that node.
 *
 *     struct ambient a;
 *     ambient_init(&a);
 *     struct ambient *before = ambient_enter(&a);
 *     … node_start() … node_stop()
 *     ambient_enter(before);
 *     ambient_done(&a);
 *
 * Fields are for base/clock.c and core/metric.c alone; any thread may read and write them. */
#ifndef CRUMB_BASE_AMBIENT_H
#define CRUMB_BASE_AMBIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct metric_block; /* core/metric.h */

/* Shared; any thread of the ambient reads and writes, no lock. base/clock.h says what it means. */
struct clock {
	_Atomic int64_t offset; /* seconds by which tests moved the clock */
	/* wall time minus boot time, in seconds, when the clock was last believed; 0: nobody has
	 * looked yet */
	_Atomic int64_t reference;
	_Atomic bool jumped, doubted;
	_Atomic uint32_t floor; /* seconds, UTC */
};

struct ambient {
	struct clock clock;
	/* shared, a list that only grows: a block for each thread that has counted here; a block
	 * outlives its thread */
	_Atomic(struct metric_block *) counts;
};

/* The calling thread's ambient; never NULL. */
extern _Thread_local struct ambient *ambient_mine;
/* The calling thread's block of counters there; NULL: the thread has not counted since it entered.
 */
extern _Thread_local struct metric_block *ambient_counts;

void ambient_init(struct ambient *a);
void ambient_done(struct ambient *a); /* nobody may be in it */
/* The calling thread is in `a` from now on; says in which it was. */
struct ambient *ambient_enter(struct ambient *a);

#endif
