/* The night. keeper.h lists the steps of a round; this is how they stay out of the way of others.
 *
 * A round runs on a low thread, which is an ordinary one (low_hold()) except where it reads and
 * writes much and holds nothing that others wait for.
 *
 * Cleaning a day: journal_clean() writes the day anew beside itself, on this thread. The exchange
 * of the two is the writer's (writer_run()), as everything that changes the table of days. When the
 * day has grown meanwhile the exchange refuses, and the day is cleaned once more. Which days are
 * read:
 *
 *     day                             erased visitors taken out of it
 *     today, or later                 none: it is being written, and its turn comes tomorrow
 *     from the last round's day on    all that are on the list
 *     before                          those on the list since the last round's day; the others
 *                                     were taken out then
 *
 * A day for which there is nobody is not read. So a quiet night reads nothing of the journal. */
#include "crumb/node/keeper.h"

#include "crumb/base/lock.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "crumb/base/thread.h"
#include "crumb/base/trouble.h"
#include "crumb/core/metric.h"
#include "crumb/delivery/deliver.h"
#include "crumb/node/lookalike.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SWAP_TRIES 3	     /* of a day that grows */
#define COMPACT_WAIT_MS 20   /* between two looks */
#define READER_WAIT_MS 10000 /* for those who read the old generation */
#define RETRY_MOST_S 60	     /* between two rounds that fail */

/* What the thread does, the first of those that are wanted first. */
enum work { WORK_ROUND, WORK_REPORT, WORK_SIGNALS, WORK_ASIDES, WORKS };
static const char *const work_names[WORKS] = {"the nightly work", "the report of the day",
    "reading the journal for signals", "counting what was set aside"};

struct keeper {
	struct node *node; /* constant */
	pthread_t thread;
	/* shared, under lock */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct {
		bool wanted, busy; /* asked for, under way */
		struct trouble trouble;
	} work[WORKS];
	uint64_t failures;
	char why[300];	   /* the last round failed */
	uint16_t reported; /* the latest report was of this day; 0: none was made */
	uint8_t reported_rules[16];
	/* shared */
	_Atomic bool stop;
	_Atomic uint64_t rounds; /* done since the start */
};

/* Who is taken out of a day: visitors who were erased on the day `since` or later; 0: all of the
 * list. */
struct whom {
	struct erased *erased;
	uint16_t since;
};

static bool is_erased(void *arg, const struct vkey *k)
{
	const struct whom *w = arg;
	low_hold();
	bool is = erased_since(w->erased, k, w->since);
	low_release();
	return is;
}

/* An exchange runs on the writer's thread, and so do its words of why not. */
struct exchange {
	struct journal *journal;
	struct journal_cleaned *cleaned;
	enum err err;
	char why[300];
};

static void exchange(void *arg)
{
	struct exchange *x = arg;
	x->err = journal_swap(x->journal, x->cleaned);
	if (x->err) {
		snprintf(x->why, sizeof x->why, "%s", err_text());
		log_warn(
		    "keeper", "a day of the journal stays as it is for now why=\"%s\"", x->why);
	}
}

/* Adds to *dropped how many records went. */
static enum err clean_day(struct keeper *k, uint16_t day, struct whom *whom, uint64_t *dropped)
{
	struct store *s = k->node->store;
	for (int i = 0; i < SWAP_TRIES; i++) {
		struct exchange x = {.journal = s->journal, .err = OK};
		uint64_t n;
		low_release();
		enum err e =
		    journal_clean(s->journal, day, is_erased, whom, &k->stop, &x.cleaned, &n);
		low_hold();
		if (e || !x.cleaned)
			return e;
		if (!writer_run(k->node->writer, exchange, &x)) {
			journal_discard(s->journal, x.cleaned);
			return err_set(ERR_BUSY, "the journal cannot be written to now");
		}
		if (!x.err) {
			asides_stale(k->node->asides);
			*dropped += n;
			return OK;
		}
		if (x.err != ERR_BUSY)
			return err_set(x.err, "%s", x.why);
	}
	return err_set(ERR_BUSY, "a day of the journal grows faster than it is cleaned");
}

static enum err clean_journal(struct keeper *k, uint16_t today, uint16_t done)
{
	struct store *s = k->node->store;
	uint16_t days[JOURNAL_DAYS_MAX];
	unsigned n = journal_days(s->journal, days, JOURNAL_DAYS_MAX);
	uint64_t dropped = 0;
	for (unsigned i = 0; i < n && !atomic_load(&k->stop); i++) {
		struct whom whom = {s->erased, days[i] >= done ? 0 : done};
		if (days[i] >= today || erased_count_since(s->erased, whom.since) == 0)
			continue;
		enum err e = clean_day(k, days[i], &whom, &dropped);
		if (e)
			return e;
	}
	metric_add(M_CLEANED, dropped);
	if (atomic_load(&k->stop)) /* the days that are left must not count as done */
		return err_set(ERR_BUSY, "stopping");
	return OK;
}

static void wipe_log(void *arg)
{
	journal_wipe_log(arg);
}

/* Has the views made anew, by adopting them into a fresh generation, and waits until that serves.
 * Free pages and slack, with bytes of what is over, go with the old files. */
static enum err compact_views(struct keeper *k)
{
	struct engine *e = k->node->engine;
	struct generation *g = engine_serving(e);
	uint32_t number = g->number, now;
	generation_unref(g);
	/* where something else is being built, that makes fresh files, too */
	if (!engine_compact(e) && !engine_building(e))
		return err_set(ERR_BUSY, "no generation can be built now");
	do {
		node_rest(k->node, COMPACT_WAIT_MS);
		g = engine_serving(e);
		now = g->number;
		generation_unref(g);
	} while (now == number && (engine_compacting(e) || engine_building(e)) &&
		 !atomic_load(&k->stop));
	char why[300];
	/* the old files go with their last reader: wait for that, but not for ever */
	for (int ms = 0;
	     now != number && engine_removing(e) && ms < READER_WAIT_MS && !atomic_load(&k->stop);
	     ms += COMPACT_WAIT_MS)
		node_rest(k->node, COMPACT_WAIT_MS);
	if (now != number)
		return OK;
	if (engine_build_trouble(e, why, sizeof why))
		return err_set(ERR_FULL, "%s", why);
	return err_set(ERR_BUSY, "not finished");
}

/* Notes what destinations hold of visitors who are gone, until it could be delivered. */
static enum err tend_destinations(struct keeper *k)
{
	struct node *n = k->node;
	struct destinations *all = node_destinations(n);
	struct generation *g = engine_serving(n->engine);
	enum err e = OK;
	for (size_t i = 0; i < all->n && !e && !atomic_load(&k->stop); i++) {
		struct plan_wish w = {.g = g,
		    .config = n->config,
		    .all = all,
		    .d = &all->list[i],
		    .now = clock_now()};
		if (w.d->format->item)
			e = deliver_tend(&w);
	}
	if (!e)
		deliver_tend_gone(n->store->path, all, clock_now());
	generation_unref(g);
	destinations_unref(all);
	return e;
}

/* Trains lookalikes. Their models are in force when the rules are read next, which models_changed
 * asks for. */
static enum err refresh_lookalikes(struct keeper *k)
{
	struct node *n = k->node;
	struct generation *g = engine_serving(n->engine);
	bool changed;
	low_release();
	enum err e = lookalike_refresh(g, n->config, clock_now(), &k->stop, &changed);
	low_hold();
	generation_unref(g);
	if (changed)
		atomic_store(&n->models_changed, true);
	return e;
}

/* All steps, in the order of keeper.h; the first that fails ends the round. The day is taken once:
 * a round that crosses midnight is yesterday's. */
static enum err do_round(struct keeper *k)
{
	struct node *n = k->node;
	memory_begin();
	uint16_t today = day_of(clock_now());
	uint64_t from = clock_mono_us();
	if (clock_jumped()) /* by this clock the round would forget what is not over */
		return err_set(ERR_BUSY,
		    "the clock is in doubt: GET /readyz, or the log, says why and what to do");
	enum err e = clean_journal(k, today, store_kept_day(n->store));
	if (!e && !writer_run(n->writer, wipe_log, n->store->journal))
		e = err_set(ERR_BUSY, "the journal cannot be written to now");
	if (!e)
		e = compact_views(k);
	if (!e)
		e = tend_destinations(k);
	if (!e)
		e = refresh_lookalikes(k);
	if (!e)
		e = erased_expire(n->store->erased, oldest_day(today, RETENTION_MAX));
	if (!e)
		e = store_save_kept_day(n->store, today);
	if (!e)
		log_info("keeper", "done ms=%llu",
		    (unsigned long long)((clock_mono_us() - from) / 1000));
	return e;
}

/* --- the report of the day */

/* Of the rules that serve, unless it is there. One about too few visitors is not kept; it is not
 * tried again before the day or the rules change. */
static enum err make_report(struct keeper *k)
{
	struct node *n = k->node;
	struct kgate gate = kgate_of(n->config);
	struct generation *g = engine_serving(n->engine);
	uint32_t now = clock_now();
	memory_begin();
	low_release();
	enum err e = dailies_make(n->dailies, g, &gate, now, &k->stop);
	low_hold();
	if (!e) {
		pthread_mutex_lock(&k->lock);
		k->reported = day_of(now);
		memcpy(k->reported_rules, g->rules->hash, sizeof k->reported_rules);
		pthread_mutex_unlock(&k->lock);
	}
	generation_unref(g);
	return e;
}

/* Is the report of today and of the rules that serve still to be made? Not while other rules are on
 * their way, nor on the first day of a store, of which no day is complete: then somebody asked for
 * the report that was there, and only one that was lost is made again. */
static bool report_due(struct keeper *k)
{
	struct node *n = k->node;
	uint16_t today = day_of(clock_now()), oldest = journal_oldest_day(n->store->journal);
	bool complete = oldest && oldest < today;
	if ((!complete && !dailies_lost(n->dailies)) || engine_building(n->engine))
		return false;
	struct generation *g = engine_serving(n->engine);
	pthread_mutex_lock(&k->lock);
	bool tried = k->reported == today &&
		     memcmp(k->reported_rules, g->rules->hash, sizeof k->reported_rules) == 0;
	pthread_mutex_unlock(&k->lock);
	bool due = !tried && !dailies_current(n->dailies, g->rules, today);
	generation_unref(g);
	return due;
}

/* Of the rules that serve, unless they are there. */
static enum err make_signals(struct keeper *k)
{
	struct node *n = k->node;
	struct kgate gate = kgate_of(n->config);
	struct generation *g = engine_serving(n->engine);
	const struct signals_of of = {
	    .store = n->store, .g = g, .gate = &gate, .now = clock_now(), .stop = &k->stop};
	memory_begin();
	low_release();
	enum err e = signals_kept_make(n->signals, &of);
	low_hold();
	generation_unref(g);
	return e;
}

/* What is not counted yet is due again at the next tick. */
static enum err follow_asides(struct keeper *k)
{
	memory_begin();
	low_release();
	enum err e = asides_follow(k->node->asides, 0, &k->stop);
	low_hold();
	return e == ERR_BUSY ? OK : e;
}

/* --- the thread */

/* What was asked for, without the lock. */
static enum err do_work(struct keeper *k, enum work what)
{
	enum err e = OK;
	pthread_mutex_unlock(&k->lock);
	switch (what) {
	case WORK_ROUND:
		e = keeper_round(k);
		break;
	case WORK_REPORT:
		e = make_report(k);
		break;
	case WORK_SIGNALS:
		e = make_signals(k);
		break;
	case WORK_ASIDES:
		e = follow_asides(k);
		break;
	case WORKS:
		break;
	}
	pthread_mutex_lock(&k->lock);
	return e;
}

static void note_failure(struct keeper *k, enum work what)
{
	CHECK_HELD(&k->lock);
	trouble_note(&k->work[what].trouble, RETRY_MOST_S, "keeper", work_names[what]);
	if (what == WORK_ROUND) {
		k->failures++;
		snprintf(k->why, sizeof k->why, "%s", err_text());
	}
}

/* Waits until something is asked for. What is asked for while it is under way comes after it: what
 * was erased during a round may have missed that one. */
static void *keeper_thread(void *arg)
{
	struct keeper *k = arg;
	low_begin();
	low_hold(); /* the work releases it where it may */
	pthread_mutex_lock(&k->lock);
	while (!atomic_load(&k->stop)) {
		enum work what = WORK_ROUND;
		while (what < WORKS && !k->work[what].wanted)
			what++;
		if (what == WORKS) {
			pthread_cond_wait(&k->wake, &k->lock);
			continue;
		}
		k->work[what].wanted = false;
		k->work[what].busy = true;
		enum err e = do_work(k, what);
		k->work[what].busy = false;
		if (!e)
			trouble_over(&k->work[what].trouble, "keeper", work_names[what]);
		else if (!atomic_load(&k->stop))
			note_failure(k, what);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

enum err keeper_round(struct keeper *k)
{
	enum err e = do_round(k);
	if (!e)
		atomic_fetch_add(&k->rounds, 1);
	return e;
}

void keeper_leave(struct keeper *k)
{
	atomic_store(&k->stop, true);
}

enum err keeper_start(struct node *n, struct keeper **out)
{
	struct keeper *k = calloc(1, sizeof *k);
	if (!k)
		return err_set(ERR_NOMEM, "no memory");
	k->node = n;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->wake, NULL);
	enum err e = n->alone ? OK : thread_start(&k->thread, "keeper", keeper_thread, k);
	if (e) {
		free(k);
		return e;
	}
	*out = k;
	return OK;
}

void keeper_stop(struct keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	atomic_store(&k->stop, true);
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	if (!k->node->alone)
		pthread_join(k->thread, NULL);
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->wake);
	free(k);
}

/* Asks the thread for it. What is under way counts as none: the caller wants one that begins now.
 */
static void want(struct keeper *k, enum work what)
{
	CHECK_HELD(&k->lock);
	k->work[what].wanted = true;
	pthread_cond_signal(&k->wake);
}

uint64_t keeper_now(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	uint64_t round = atomic_load(&k->rounds) + 1 + k->work[WORK_ROUND].busy;
	want(k, WORK_ROUND);
	pthread_mutex_unlock(&k->lock);
	return round;
}

/* Is none wanted or under way, and has none failed a moment ago? */
static bool is_idle(struct keeper *k, enum work what)
{
	CHECK_HELD(&k->lock);
	return !k->work[what].busy && !k->work[what].wanted && trouble_due(&k->work[what].trouble);
}

static void want_if_idle(struct keeper *k, enum work what)
{
	pthread_mutex_lock(&k->lock);
	if (is_idle(k, what))
		want(k, what);
	pthread_mutex_unlock(&k->lock);
}

void keeper_signals(struct keeper *k)
{
	want_if_idle(k, WORK_SIGNALS);
}

void keeper_asides(struct keeper *k)
{
	want_if_idle(k, WORK_ASIDES);
}

void keeper_tick(struct keeper *k)
{
	struct node *n = k->node;
	pthread_mutex_lock(&k->lock);
	bool round = is_idle(k, WORK_ROUND), report = is_idle(k, WORK_REPORT);
	pthread_mutex_unlock(&k->lock);
	if (clock_jumped() || !node_settled(n))
		return;
	if (asides_due(n->asides))
		keeper_asides(k);
	round = round && store_kept_day(n->store) != day_of(clock_now());
	report = report && report_due(k);
	pthread_mutex_lock(&k->lock);
	if (round)
		want(k, WORK_ROUND);
	if (report) {
		want(k, WORK_REPORT);
		want(k, WORK_SIGNALS);
	}
	pthread_mutex_unlock(&k->lock);
}

uint64_t keeper_failures(struct keeper *k, char *why, size_t cap)
{
	pthread_mutex_lock(&k->lock);
	uint64_t n = k->failures;
	snprintf(why, cap, "%s", k->why);
	pthread_mutex_unlock(&k->lock);
	return n;
}

uint64_t keeper_rounds(struct keeper *k)
{
	return atomic_load(&k->rounds);
}
