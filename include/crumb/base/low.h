/* Threads for what can wait: they run when nobody else wants to. A lock that others wait for is not
 * held like that: on a busy machine it would be let go of late. So such a thread is an ordinary one
 * for as long as it holds something. For any other thread these calls do nothing.
 *
 * The way back from SCHED_IDLE wants a right (RLIMIT_NICE, as etc/crumbd.service gives it). Without
 * it a low thread is a nice one: what it holds is let go of in bounded time, too. */
#ifndef CRUMB_BASE_LOW_H
#define CRUMB_BASE_LOW_H

void low_begin(void); /* the calling thread, from now on */
void low_hold(void);  /* nests */
void low_release(void);

/* From now on none is low: whoever ends the process waits for each of them to end, and on a busy
 * machine that would be never. Any thread. */
void low_over(void);

#endif
