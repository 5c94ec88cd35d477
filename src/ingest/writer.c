/* The journal thread. ingest/writer.h has its promise and its pace.
 *
 * Others put what they want under the lock and wake the thread: batches into the queue, tasks, a
 * wish to publish, rules, an expiry. pass() takes all of it, lets go of the lock, and does it; so
 * nobody waits for the disk under the lock.
 *
 * A commit is merged first: one block for each day and shard that any batch has records for. If
 * there is no memory to merge, nothing is committed, and every owner hears ERR_NOMEM.
 *
 * Three things may fail by the disk: recording, publishing, expiring. Each is tried again after a
 * growing time, is in the log once, and is told by writer_trouble() while it lasts. */
#include "crumb/ingest/writer.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/lock.h"
#include "crumb/base/thread.h"
#include "crumb/base/trouble.h"
#include "crumb/core/metric.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PUBLISH_US 50000	 /* committed blocks are published after so long, */
#define PUBLISH_BYTES (1u << 20) /* or when they are so many bytes */
#define RETRY_MOST_S 60		 /* what fails is tried again after 1 s, 2 s, 4 s, up to this */
#define TRY_MOST_S 4 /* the same for hits, which do not come while we answer that they cannot */

/* The records of all batches for one day and shard. */
struct merged {
	struct journal_block block;
	struct buf joined; /* when more than one batch has some */
};

/* On the stack of whoever waits in writer_run(). */
struct task {
	struct task *next;
	void (*run)(void *arg);
	void *arg;
	bool ran;
	sem_t done;
};

struct writer {
	/* set when it is made */
	bool alone; /* no thread: its owner calls writer_turn() */
	struct store *store;
	struct writer_told told;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under lock: what others want */
	struct batch *first, **last; /* the queue */
	bool stop, asked;
	bool arrived; /* something waits for publish() that this thread has not committed */
	struct task *tasks;
	uint8_t rules_hash[16];
	struct buf rules_bundle;
	uint16_t want_oldest, want_today;
	char trouble[800]; /* for writer_trouble(); "": none */
	/* any thread; the journal thread writes it */
	_Atomic uint16_t expired;
	/* journal thread */
	uint8_t hash[16]; /* of the rules that it commits with, and their bundle */
	struct buf bundle;
	uint64_t publish_at; /* clock_mono_us(); 0: all is published */
	struct trouble recording, publishing, expiring;
	struct merged *merged; /* of the commit at hand */
	size_t merged_n, merged_cap;
	bool starved; /* there was no memory to merge something: nothing is committed */
	struct journal_block *blocks;
	size_t blocks_cap;
	uint8_t rules_said[16]; /* days whose journal has the activation of these rules: */
	uint16_t rules_days[JOURNAL_DAYS_MAX];
	unsigned rules_days_n;
};

static struct merged *merged_for(struct writer *w, uint16_t day, uint16_t shard)
{
	for (size_t i = 0; i < w->merged_n; i++)
		if (w->merged[i].block.day == day && w->merged[i].block.shard == shard)
			return &w->merged[i];
	if (!array_room_zeroed(w->merged, w->merged_cap, w->merged_n + 1) ||
	    !array_room(w->blocks, w->blocks_cap, w->merged_n + 1))
		return NULL;
	struct merged *m = &w->merged[w->merged_n++];
	m->block = (struct journal_block){.day = day, .shard = shard};
	buf_clear(&m->joined);
	return m;
}

/* Adds records to their block. The first are borrowed from their batch; only when a second batch
 * has some for the same day and shard both are copied. */
static void merge(struct writer *w, uint16_t day, uint16_t shard, uint32_t count, uint32_t events,
    struct str records)
{
	struct merged *m = merged_for(w, day, shard);
	if (!m) {
		w->starved = true;
		return;
	}
	if (m->block.count == 0) {
		m->block.records = records;
	} else {
		if (m->joined.n == 0)
			buf_str(&m->joined, m->block.records);
		buf_str(&m->joined, records);
		w->starved |= m->joined.failed;
		m->block.records = buf_view(&m->joined);
	}
	m->block.count += count;
	m->block.events += events;
}

/* The activation of the rules goes into each shard of each day, with the first commit of that day,
 * so that the day can be read when all others are gone. `record` must live until the commit. */
static void merge_rules(
    struct writer *w, struct buf *record, const uint8_t hash[16], struct str bundle)
{
	if (memcmp(w->rules_said, hash, 16) != 0) {
		w->rules_days_n = 0;
		memcpy(w->rules_said, hash, 16);
	}
	if (!bundle.n)
		return;
	struct record said_now = {
	    .kind = RECORD_RULES, .event = {.t = clock_now()}, .rules_text = bundle};
	memcpy(said_now.rules, hash, sizeof said_now.rules);
	record_encode(&said_now, record);
	size_t n = w->merged_n;
	for (size_t i = 0; i < n; i++) {
		uint16_t day = w->merged[i].block.day;
		bool said = false;
		for (unsigned k = 0; k < w->rules_days_n; k++)
			said |= w->rules_days[k] == day;
		if (said)
			continue;
		if (w->rules_days_n == JOURNAL_DAYS_MAX)
			w->rules_days_n = 0; /* said again, which does no harm */
		w->rules_days[w->rules_days_n++] = day;
		for (unsigned s = 0; s < w->store->shards; s++)
			merge(w, day, (uint16_t)s, 1, 0, buf_view(record));
	}
}

/* A batch that lacks a record for want of memory is refused as a whole: nobody knows which of its
 * hits that was. */
static void refuse_incomplete(struct batch *list)
{
	for (struct batch *b = list; b; b = b->next) {
		b->result = OK;
		bool none = b->starved;
		for (size_t i = 0; i < b->parts_n; i++)
			none |= b->parts[i].records.failed;
		if (none)
			b->result = err_set(ERR_NOMEM, "no memory for what was to be recorded");
		if (b->result) {
			metric_inc(M_JOURNAL_FAILED);
			log_error("journal", "refused why=\"%s\"", err_text());
		}
	}
}

/* The erased are on the list before the commit, and so before anybody hears that they are erased.
 */
static enum err list_erased(struct writer *w, const struct batch *list)
{
	enum err e = OK;
	for (const struct batch *b = list; b && !e; b = b->next)
		if (b->erased_n && !b->result)
			e = erased_add(
			    w->store->erased, b->erased, b->erased_n, day_of(clock_now()));
	return e;
}

/* Ends what erased_note() began, for refused batches too: their visitors were not erased. */
static void settle_erased(struct writer *w, const struct batch *list, enum err committed)
{
	for (const struct batch *b = list; b; b = b->next)
		if (b->erased_n)
			erased_settle(w->store->erased, b->erased, b->erased_n,
			    b->result || committed ? ERASED_FAILED : ERASED_DONE);
}

/* Notes whether hits can be recorded, for the log and for writer_trouble(). */
static void recorded(struct writer *w, enum err e)
{
	if (e)
		trouble_note(&w->recording, TRY_MOST_S, "journal", "recording hits");
	else
		trouble_over(&w->recording, "journal", "recording hits");
}

/* One commit of all batches of the list. Refused ones are left out; if the commit fails, all others
 * have its error for their result. Then every owner is told. */
static void commit(struct writer *w, struct batch *list, const uint8_t hash[16], struct str bundle)
{
	struct buf record = {0};
	w->merged_n = 0;
	w->starved = false;
	refuse_incomplete(list);
	for (struct batch *b = list; b; b = b->next)
		for (size_t i = 0; i < b->parts_n; i++)
			if (b->parts[i].count && !b->result)
				merge(w, b->parts[i].day, b->parts[i].shard, b->parts[i].count,
				    b->parts[i].events, buf_view(&b->parts[i].records));
	enum err e = OK;
	if (w->merged_n || w->starved) {
		merge_rules(w, &record, hash, bundle);
		for (size_t i = 0; i < w->merged_n; i++)
			w->blocks[i] = w->merged[i].block;
		w->starved |= record.failed;
		if (w->starved)
			e = err_set(ERR_NOMEM, "no memory for what was to be recorded");
		if (!e && !(e = list_erased(w, list)))
			e = journal_commit(w->store->journal, w->blocks, w->merged_n, hash);
		metric_inc(e ? M_JOURNAL_FAILED : M_JOURNAL_COMMITS);
		metric_add(M_JOURNAL_BLOCKS, e ? 0 : w->merged_n);
		if (e) /* the activations were not written either */
			w->rules_days_n = 0;
		recorded(w, e);
	}
	settle_erased(w, list, e);
	buf_done(&record);
	while (list) {
		struct batch *b = list;
		list = b->next;
		if (!b->result)
			b->result = e;
		for (size_t i = 0; i < b->parts_n && !b->result; i++)
			metric_add(M_EVENTS, b->parts[i].events);
		b->done(b);
	}
}

/* Publishes when it is time: `now`, or after PUBLISH_US or PUBLISH_BYTES, or when the journal has
 * done it already. What arrived from a log outside is published alike. After a failure it is tried
 * again later. */
static void publish(struct writer *w, bool now, bool asked)
{
	struct journal *j = w->store->journal;
	size_t waiting = journal_unpublished(j) + journal_arrived(j);
	if (waiting && !w->publish_at)
		w->publish_at = clock_mono_us() + PUBLISH_US;
	if (!w->publish_at || !trouble_due(&w->publishing) ||
	    !(now || waiting == 0 || waiting > PUBLISH_BYTES || clock_mono_us() >= w->publish_at))
		return;
	enum err e = journal_publish(j);
	if (e) {
		trouble_note(&w->publishing, RETRY_MOST_S, "journal", "storing hits in their day");
		w->publish_at = w->publishing.again_us;
		return;
	}
	trouble_over(&w->publishing, "journal", "storing hits in their day");
	/* what arrived meanwhile found a queue that was not empty, and woke nobody */
	w->publish_at = journal_arrived(j) ? clock_mono_us() + PUBLISH_US : 0;
	(asked ? w->told.asked : w->told.published)(w->told.arg);
}

/* First all is published: a commit in the write-ahead log may be of a day whose key goes. What a
 * log outside may still have does not keep days: nobody can open it without the key. */
static void expire(struct writer *w, uint16_t oldest, uint16_t today)
{
	enum err e = journal_publish(w->store->journal);
	if (!e || !journal_unpublished(w->store->journal))
		e = keys_expire(w->store->keys, oldest, today);
	if (e) {
		trouble_note(
		    &w->expiring, RETRY_MOST_S, "journal", "destroying the keys of expired days");
		return;
	}
	trouble_over(&w->expiring, "journal", "destroying the keys of expired days");
	journal_expire(w->store->journal, oldest);
	atomic_store(&w->expired, oldest);
}

static void run_tasks(struct writer *w, struct task *t)
{
	while (t) {
		struct task *next = t->next;
		publish(
		    w, true, false); /* more may arrive meanwhile, and is not what the task needs */
		if (journal_unpublished(w->store->journal) == 0) {
			t->run(t->arg);
			t->ran = true;
		}
		sem_post(&t->done);
		t = next;
	}
}

static bool expiry_due(const struct writer *w)
{
	return w->want_oldest != atomic_load(&w->expired) && trouble_due(&w->expiring);
}

/* When the thread has to wake by itself; 0: never. */
static uint64_t next_look(struct writer *w)
{
	uint64_t at = w->publish_at;
	CHECK_HELD(&w->lock);
	if (w->recording.times && (!at || w->recording.again_us < at))
		at = w->recording.again_us;
	if (w->want_oldest != atomic_load(&w->expired) && (!at || w->expiring.again_us < at))
		at = w->expiring.again_us;
	return at;
}

static void wait_for_work(struct writer *w)
{
	CHECK_HELD(&w->lock);
	while (!w->first && !w->stop && !w->asked && !w->arrived && !w->tasks && !expiry_due(w)) {
		uint64_t at = next_look(w);
		if (!at) {
			pthread_cond_wait(&w->wake, &w->lock);
			continue;
		}
		struct timespec until = {(time_t)(at / 1000000), (long)(at % 1000000) * 1000};
		if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT)
			return;
	}
}

/* Writes what writer_trouble() tells. */
static void tell_trouble(struct writer *w)
{
	CHECK_HELD(&w->lock);
	const struct {
		const struct trouble *t;
		const char *what;
	} all[] = {{&w->recording, "hits cannot be recorded"},
	    {&w->publishing, "hits are recorded, but do not reach the views"},
	    {&w->expiring, "days that are over cannot be let go"}};
	size_t n = 0;
	w->trouble[0] = 0;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].t->times && n < sizeof w->trouble)
			n += (size_t)snprintf(w->trouble + n, sizeof w->trouble - n, "%s%s (%s)",
			    n ? "; " : "", all[i].what, all[i].t->why);
}

/* Takes all that others want, lets go of the lock, and does it: the commit, the publishing, the
 * expiry, the tasks. Takes the lock again. False: the thread is to stop, and nothing is left. */
static bool pass(struct writer *w)
{
	CHECK_HELD(&w->lock);
	struct batch *list = w->first;
	uint16_t oldest = w->want_oldest, today = w->want_today;
	bool asked = w->asked, stop = w->stop;
	struct task *tasks = w->tasks;
	w->tasks = NULL;
	w->asked = w->arrived = false;
	w->first = NULL;
	w->last = &w->first;
	if (memcmp(w->hash, w->rules_hash, 16) != 0) {
		memcpy(w->hash, w->rules_hash, 16);
		buf_clear(&w->bundle);
		buf_str(&w->bundle, buf_view(&w->rules_bundle));
	}
	pthread_mutex_unlock(&w->lock);
	if (list)
		commit(w, list, w->hash, buf_view(&w->bundle));
	else if (w->recording.times && trouble_due(&w->recording))
		/* no hits come while we refuse them, so the disk is tried without one */
		recorded(w, journal_try(w->store->journal, day_of(clock_now())));
	publish(w, asked || stop, asked);
	if (oldest != atomic_load(&w->expired) && trouble_due(&w->expiring)) {
		expire(w, oldest, today);
		w->told.published(w->told.arg);
	}
	run_tasks(w, tasks);
	pthread_mutex_lock(&w->lock);
	tell_trouble(w);
	return !stop || w->first || w->tasks;
}

/* The journal thread. */
static void *run(void *arg)
{
	struct writer *w = arg;
	pthread_mutex_lock(&w->lock);
	do
		wait_for_work(w);
	while (pass(w));
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

void writer_turn(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	(void)pass(w);
	pthread_mutex_unlock(&w->lock);
}

enum err writer_open(struct store *s, const struct writer_told *told, struct writer **out)
{
	struct writer *w = calloc(1, sizeof *w);
	if (!w)
		return err_set(ERR_NOMEM, "no memory");
	w->alone = true;
	w->store = s;
	w->told = *told;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	*out = w;
	return OK;
}

/* On a thread of the journal's. */
static void arrived(void *arg)
{
	struct writer *w = arg;
	pthread_mutex_lock(&w->lock);
	w->arrived = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

enum err writer_start(struct store *s, const struct writer_told *told, struct writer **out)
{
	struct writer *w;
	enum err e = writer_open(s, told, &w);
	if (e)
		return e;
	w->alone = false;
	if ((e = thread_start(&w->thread, "journal", run, w))) {
		w->alone = true;
		writer_stop(w);
		return e;
	}
	if ((e = journal_follow(s->journal, arrived, w))) {
		writer_stop(w);
		return e;
	}
	*out = w;
	return OK;
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	if (w->alone)
		writer_turn(w);
	else
		pthread_join(w->thread, NULL);
	journal_unfollow(w->store->journal);
	for (size_t i = 0; i < w->merged_cap; i++)
		buf_done(&w->merged[i].joined);
	free(w->merged);
	free(w->blocks);
	buf_done(&w->rules_bundle);
	buf_done(&w->bundle);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	free(w);
}

void writer_submit(struct writer *w, struct batch *b)
{
	b->next = NULL;
	pthread_mutex_lock(&w->lock);
	*w->last = b;
	w->last = &b->next;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

bool writer_run(struct writer *w, void (*task)(void *), void *arg)
{
	struct task t = {.run = task, .arg = arg};
	sem_init(&t.done, 0, 0);
	pthread_mutex_lock(&w->lock);
	t.next = w->tasks;
	w->tasks = &t;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	if (w->alone)
		writer_turn(w);
	while (sem_wait(&t.done) != 0)
		;
	sem_destroy(&t.done);
	return t.ran;
}

void writer_publish(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->asked = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void writer_rules(struct writer *w, const uint8_t hash[16], struct str bundle)
{
	pthread_mutex_lock(&w->lock);
	memcpy(w->rules_hash, hash, 16);
	buf_clear(&w->rules_bundle);
	buf_str(&w->rules_bundle, bundle);
	pthread_mutex_unlock(&w->lock);
}

void writer_expire(struct writer *w, uint16_t oldest, uint16_t today)
{
	pthread_mutex_lock(&w->lock);
	w->want_oldest = oldest;
	w->want_today = today;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

bool writer_trouble(struct writer *w, char *out, size_t cap)
{
	pthread_mutex_lock(&w->lock);
	snprintf(out, cap, "%s", w->trouble);
	pthread_mutex_unlock(&w->lock);
	return *out != 0;
}

uint16_t writer_expired(const struct writer *w)
{
	return atomic_load(&w->expired);
}
