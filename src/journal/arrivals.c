/* The queue between the listener's thread and the writer's.
 *
 * A record is opened on the listener's thread, so that the writer's only stores. Some do not open:
 *
 *     of a day that is over       its key is destroyed, as it was to be: dropped
 *     of a day without a key,
 *     of a newer crumb            not ours to drop: nothing more is heard
 *     damaged, of another store   dropped, counted, in the log
 *
 * Dropped is the block alone: that its partition was heard so far is queued all the same. */
#include "kafka.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "logged.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TELL_US 60000000u /* what comes with each record is told once in so long */

enum err arrivals_init(struct arrivals *a, struct keys *keys, unsigned lanes)
{
	*a = (struct arrivals){.keys = keys, .lanes = lanes, .last = &a->first};
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->room, NULL);
	a->heard = calloc(lanes, sizeof *a->heard);
	return a->heard && opener_init(&a->opener) ? OK : err_set(ERR_NOMEM, "no memory");
}

static void free_arrival(struct arrival *x)
{
	buf_done(&x->records);
	free(x);
}

void arrivals_done(struct arrivals *a)
{
	while (a->first) {
		struct arrival *x = a->first;
		a->first = x->next;
		free_arrival(x);
	}
	opener_done(&a->opener);
	free(a->heard);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->room);
}

/* --- the listener's thread */

static bool hear_no_more(struct arrivals *a, enum err e, const char *why)
{
	pthread_mutex_lock(&a->lock);
	a->err = e;
	snprintf(a->why, sizeof a->why, "%s", why);
	pthread_mutex_unlock(&a->lock);
	log_error("journal", "nothing more is read from the log why=\"%s\"", why);
	a->arrived(a->arg); /* the writer tells it */
	return false;
}

/* The key of a record's day. ERR_NOT_FOUND: the day is over. */
static enum err key_of(struct arrivals *a, uint16_t day, uint8_t out[32])
{
	uint8_t day_key[32];
	enum err e = keys_day(a->keys, day, KEYS_DAY_FIND, day_key);
	if (e == ERR_NOT_FOUND && day >= keys_destroyed_before(a->keys)) {
		char text[DAY_TEXT];
		day_text(day, text);
		return err_set(ERR_USAGE,
		    "the log has records of %s, and this store has no key for that day: it is "
		    "another store's log, or its keys did not come here",
		    text);
	}
	if (!e)
		logged_key(day_key, out);
	sodium_memzero(day_key, sizeof day_key);
	return e;
}

/* Is it to be told? Then *n is how many of it there were. */
static bool tells(struct told *t, uint64_t *n)
{
	uint64_t now = clock_mono_us();
	*n = ++t->since;
	if (t->at_us && now - t->at_us < TELL_US)
		return false;
	*t = (struct told){.at_us = now};
	return true;
}

static void drop(struct arrivals *a, uint32_t partition, uint64_t offset)
{
	uint64_t n;
	metric_inc(M_LOG_UNREADABLE);
	if (tells(&a->dropped, &n))
		log_warn("journal",
		    "records of the log do not open records=%llu partition=%u offset=%llu "
		    "why=\"%s\"",
		    (unsigned long long)n, (unsigned)partition, (unsigned long long)offset,
		    err_text());
}

/* Without memory a record is opened later; the log waits. False: it is to stop. */
static bool pause_a_second(struct arrivals *a)
{
	struct timespec until;
	uint64_t n;
	if (tells(&a->troubled, &n))
		log_warn("journal", "no memory for a record of the log, will be tried again");
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&a->lock);
	if (!a->stop)
		pthread_cond_clockwait(&a->room, &a->lock, CLOCK_MONOTONIC, &until);
	bool on = !a->stop;
	pthread_mutex_unlock(&a->lock);
	return on;
}

/* Puts the record's block into the arrival; without one when it is to be dropped. */
static enum err open_record(struct arrivals *a, struct str key, struct str value, struct arrival *x)
{
	struct logged_head h;
	uint8_t k[32];
	if (value.n && (uint8_t)*value.p > LOGGED_VERSION)
		return err_set(ERR_USAGE,
		    "the log has records of a newer crumb (version %u): this node has to be "
		    "upgraded before others use it",
		    (uint8_t)*value.p);
	enum err e = logged_peek(key, value, &h);
	if (!e && h.shard >= a->lanes)
		e = err_set(ERR_CORRUPT, "it is of shard %u", h.shard);
	if (!e && !(e = key_of(a, h.day, k)))
		e = logged_open(&a->opener, k, key, value, &x->records);
	sodium_memzero(k, sizeof k);
	if (e)
		return e;
	x->life = h.id.life;
	x->counter = h.id.counter;
	x->day = h.day;
	x->shard = h.shard;
	x->count = h.count;
	x->events = (uint32_t)ledger_events(buf_view(&x->records));
	memcpy(x->rules, h.rules_hash, sizeof x->rules);
	return OK;
}

/* Waits for room. False: it is to stop. */
static bool enqueue(struct arrivals *a, struct arrival *x)
{
	size_t n = x->records.n + sizeof *x;
	pthread_mutex_lock(&a->lock);
	while (!a->stop && a->bytes && a->bytes + n > ARRIVALS_MOST) {
		pthread_mutex_unlock(&a->lock);
		a->arrived(a->arg); /* again: somebody has to make room */
		pthread_mutex_lock(&a->lock);
		if (!a->stop && a->bytes && a->bytes + n > ARRIVALS_MOST)
			pthread_cond_wait(&a->room, &a->lock);
	}
	bool on = !a->stop, first = a->bytes == 0;
	if (on) {
		*a->last = x;
		a->last = &x->next;
		a->bytes += n;
		a->heard[x->partition] = x->offset;
	}
	pthread_mutex_unlock(&a->lock);
	if (!on)
		free_arrival(x);
	else if (first)
		a->arrived(a->arg);
	return on;
}

static bool hear_record(
    void *arg, uint32_t partition, uint64_t offset, struct str key, struct str value)
{
	struct arrivals *a = arg;
	struct arrival *x;
	enum err e;
	while (!(x = calloc(1, sizeof *x)))
		if (!pause_a_second(a))
			return false;
	x->partition = partition;
	x->offset = offset + 1;
	while ((e = open_record(a, key, value, x)) == ERR_NOMEM)
		if (!pause_a_second(a)) {
			free_arrival(x);
			return false;
		}
	if (e == ERR_CORRUPT)
		drop(a, partition, offset);
	if (e && e != ERR_CORRUPT && e != ERR_NOT_FOUND) {
		free_arrival(x);
		return hear_no_more(a, e, err_text());
	}
	if (e)
		x->day = 0;
	return enqueue(a, x);
}

/* Markers, and what retention took, leave gaps at the end of a partition. */
static void hear_reached(void *arg, uint32_t partition, uint64_t next)
{
	struct arrivals *a = arg;
	struct arrival *x = next > a->heard[partition] ? calloc(1, sizeof *x) : NULL;
	if (!x)
		return; /* without memory it is told again */
	x->partition = partition;
	x->offset = next;
	(void)enqueue(a, x);
}

static void hear_trouble(void *arg, uint32_t partition, enum err e, const char *why)
{
	struct arrivals *a = arg;
	char text[300];
	uint64_t n;
	if (e != ERR_NOT_FOUND) {
		if (tells(&a->troubled, &n))
			log_warn("journal",
			    "the log is not read now, will be tried again times=%llu why=\"%s\"",
			    (unsigned long long)n, why);
		return;
	}
	snprintf(text, sizeof text,
	    "partition %u has not what comes next for this store: it was away for longer than the "
	    "log is kept (retention.ms), or the topic was made anew (%s)",
	    (unsigned)partition, why);
	(void)hear_no_more(a, e, text);
}

const struct broker_ears arrivals_ears = {hear_record, hear_reached, hear_trouble, NULL};

/* --- the writer's thread */

void arrivals_begin(struct arrivals *a)
{
	pthread_mutex_lock(&a->lock);
	a->stop = false;
	pthread_mutex_unlock(&a->lock);
}

void arrivals_stop(struct arrivals *a)
{
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->room);
	pthread_mutex_unlock(&a->lock);
}

struct arrival *arrivals_peek(struct arrivals *a, size_t *n)
{
	*n = 0;
	pthread_mutex_lock(&a->lock);
	struct arrival *first = a->first;
	for (const struct arrival *x = first; x; x = x->next)
		++*n;
	pthread_mutex_unlock(&a->lock);
	return first;
}

void arrivals_took(struct arrivals *a, size_t n)
{
	struct arrival *gone;
	pthread_mutex_lock(&a->lock);
	gone = a->first;
	for (size_t i = 0; i < n; i++) {
		a->bytes -= a->first->records.n + sizeof *a->first;
		a->first = a->first->next;
	}
	bool more = a->first;
	if (!more)
		a->last = &a->first;
	pthread_cond_broadcast(&a->room);
	pthread_mutex_unlock(&a->lock);
	if (more) /* it came while the others were stored, when the queue was not empty */
		a->arrived(a->arg);
	for (struct arrival *x = gone, *next; n--; x = next) {
		next = x->next;
		free_arrival(x);
	}
}

size_t arrivals_bytes(struct arrivals *a)
{
	pthread_mutex_lock(&a->lock);
	size_t n = a->bytes + (a->err != OK);
	pthread_mutex_unlock(&a->lock);
	return n;
}

enum err arrivals_trouble(struct arrivals *a)
{
	pthread_mutex_lock(&a->lock);
	enum err e = a->err ? err_set(a->err, "%s", a->why) : OK;
	pthread_mutex_unlock(&a->lock);
	return e;
}
