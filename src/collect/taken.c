/* Who has taken what was swapped: the collect threads that run, how they are woken, and how others
 * wait for them.
 *
 * A thread that waits for hits would take new rules only behind the next one, and judge that one by
 * the older rules. So whoever swaps something wakes all threads, and tells nobody that it is done
 * before each of them has taken it:
 *
 *	swapper, under lock     collect thread
 *	swap, version 8     ──► woken by its eventfd
 *	collect_taken(8)        take_shared(), under lock: version 8
 *	                    ◄── `taken` is broadcast
 *	told as done
 *
 * A thread that had no memory for the new rules stays behind; it is woken again, and tries again.
 * On the way of a hit there is nothing of this: a thread compares one number, and takes the lock
 * only where that has grown. */
#include "crumb/collect/collecting.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"

#include <time.h>
#include <unistd.h>

#define AGAIN_MS 100	/* a thread that is behind is woken so often */
#define SAID_US 5000000 /* behind for so long: the log says so, once */

void collect_shared_init(struct collect_shared *s)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->taken, &attr);
	pthread_condattr_destroy(&attr);
}

void collect_wake(struct collect *c)
{
	uint64_t one = 1;
	if (write(c->wake_fd, &one, sizeof one) < 0) {
		/* the counter is full: a wake-up is waiting already */
	}
}

void collect_begins(struct collect *c)
{
	struct collect_shared *s = c->shared;
	pthread_mutex_lock(&s->lock);
	c->next = s->running;
	s->running = c;
	pthread_mutex_unlock(&s->lock);
}

void collect_ends(struct collect *c)
{
	struct collect_shared *s = c->shared;
	pthread_mutex_lock(&s->lock);
	struct collect **at = &s->running;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	pthread_cond_broadcast(&s->taken); /* nobody waits for this one any more */
	pthread_mutex_unlock(&s->lock);
}

/* Wakes all threads that have not taken the version; how many these are. With the lock. */
static unsigned wake_behind(struct collect_shared *s, uint64_t version)
{
	unsigned n = 0;
	for (struct collect *c = s->running; c; c = c->next)
		if (c->version < version) {
			collect_wake(c);
			n++;
		}
	return n;
}

uint64_t collect_swapped(struct collect_shared *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t version = atomic_fetch_add(&s->version, 1) + 1;
	wake_behind(s, version);
	pthread_mutex_unlock(&s->lock);
	return version;
}

static void wait_a_little(struct collect_shared *s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += AGAIN_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&s->taken, &s->lock, &until);
}

void collect_taken(struct collect_shared *s, uint64_t version)
{
	uint64_t began = clock_mono_us();
	bool said = false;
	unsigned behind;
	pthread_mutex_lock(&s->lock);
	while (!s->ending && (behind = wake_behind(s, version)) > 0) {
		if (!said && clock_mono_us() - began > SAID_US) {
			said = true;
			log_warn("collect",
			    "threads that take hits have not taken what is new; they are asked "
			    "again threads=%u",
			    behind);
		}
		wait_a_little(s);
	}
	pthread_mutex_unlock(&s->lock);
}

void collect_shared_end(struct collect_shared *s)
{
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->taken);
	pthread_mutex_unlock(&s->lock);
}
