/* Threads for what can wait: a low thread runs when no other thread wants to.
 *
 * On a busy machine a low thread that holds a lock would let go of the lock late, and whoever waits
 * for the lock would wait as long. So a low thread is an ordinary one from low_hold() to
 * low_release(). For a thread that is not low these calls do nothing.
 *
 * The way back from SCHED_IDLE wants a right (RLIMIT_NICE, as etc/crumbd.service gives it). Without
 * the right a low thread is a nice one: what it holds is let go of in bounded time, too. */
#ifndef CRUMB_BASE_LOW_H
#define CRUMB_BASE_LOW_H

#include <stdbool.h>

void low_begin(void); /* the calling thread, from now on */
void low_hold(void);  /* nests */
void low_release(void);

/* How the calling thread is, for the threads that it starts: thread_start() hands it on. A thread
 * that is started between low_hold() and low_release() is an ordinary one to its end. */
struct low {
	bool low, idle, held;
};
struct low low_mine(void);
void low_enter(struct low of); /* first thing on a thread that was started */

/* From now on no thread is low. Whoever ends the process waits for each thread to end, and on a
 * busy machine a low thread would never end. Any thread. */
void low_over(void);

#endif
