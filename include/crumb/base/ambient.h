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

struct clock {
	_Atomic int64_t offset; /* seconds by which tests moved it */
	_Atomic int64_t
	    reference; /* wall minus boot time when last believed, seconds; 0: not looked yet */
	_Atomic bool jumped, doubted;
	_Atomic uint32_t floor; /* seconds, UTC */
};

struct ambient {
	struct clock clock;
	_Atomic(struct metric_block *) counts; /* one block for each thread that has counted here; a
						  block outlives its thread */
};

extern _Thread_local struct ambient *ambient_mine; /* this thread's; never NULL */
extern _Thread_local struct metric_block
    *ambient_counts; /* this thread's block there; NULL: it has not counted yet since it entered */

void ambient_init(struct ambient *a);
void ambient_done(struct ambient *a); /* nobody may be in it */
/* The calling thread is in `a` from now on; says in which it was. */
struct ambient *ambient_enter(struct ambient *a);

#endif
