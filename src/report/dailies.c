/* The kept report and its making. Two locks: `lock` for the pointer, which readers hold for a
 * moment, and `making`, which is held as long as a report is made. */
#include "reporting.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "crumb/base/memory.h"
#include "crumb/base/thread.h"
#include "crumb/disk/checked.h"
#include "making.h"
#include "told_before.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct dailies {
	char *store;		/* the folder; constant */
	pthread_mutex_t making; /* held by whoever makes one */
	_Atomic bool running;	/* shared */
	_Atomic bool lost;	/* shared: there is a file, and it cannot be told */
	pthread_mutex_t lock;
	struct daily *kept; /* shared, under lock */
};

static void open_kept(struct dailies *d, uint32_t k)
{
	char path[FILE_PATH_MAX];
	snprintf(path, sizeof path, "%s/" DAILY_FILE, d->store);
	if (daily_open(d->store, k, &d->kept) == OK)
		return;
	d->kept = NULL;
	if (access(path, F_OK) != 0)
		return;
	atomic_store(&d->lost, true);
	log_warn("report", "the kept report is not told, and is made anew why=\"%s\"", err_text());
}

struct dailies *dailies_new(const char *store, uint32_t k)
{
	struct dailies *d = calloc(1, sizeof *d);
	CHECK(d && (d->store = str_dup(str_c(store))));
	pthread_mutex_init(&d->making, NULL);
	pthread_mutex_init(&d->lock, NULL);
	open_kept(d, k);
	return d;
}

void dailies_free(struct dailies *d)
{
	if (!d)
		return;
	daily_unref(d->kept);
	pthread_mutex_destroy(&d->making);
	pthread_mutex_destroy(&d->lock);
	free(d->store);
	free(d);
}

struct daily *dailies_kept(struct dailies *d)
{
	pthread_mutex_lock(&d->lock);
	struct daily *kept = daily_ref(d->kept);
	pthread_mutex_unlock(&d->lock);
	return kept;
}

bool dailies_current(struct dailies *d, const struct rules *rules, uint16_t today)
{
	pthread_mutex_lock(&d->lock);
	bool is = daily_is_of(d->kept, rules, today);
	pthread_mutex_unlock(&d->lock);
	return is;
}

bool dailies_lost(const struct dailies *d)
{
	return atomic_load(&d->lost);
}

bool dailies_running(const struct dailies *d)
{
	return atomic_load(&d->running);
}

/* --- making one */

/* What a thread of low priority is given, and leaves. */
struct work {
	struct dailies *d;
	struct making m;
	struct daily *made; /* NULL: there was nothing to keep */
	enum err err;
	char why[400];
};

/* Walks, gate, files: what was told is remembered before anybody can be told it. */
static enum err make_daily(struct work *w)
{
	struct making *m = &w->m;
	struct told_before before = {0};
	struct buf text = {0};
	char folder[FILE_PATH_MAX], told[FILE_PATH_MAX], file[FILE_PATH_MAX];
	snprintf(folder, sizeof folder, "%s/" DAILY_FOLDER, w->d->store);
	snprintf(told, sizeof told, "%s/" DAILY_TOLD, w->d->store);
	snprintf(file, sizeof file, "%s/" DAILY_FILE, w->d->store);
	m->wanted = malloc(PROFILE_NUMBERS / 8);
	if (!m->wanted)
		return err_set(ERR_NOMEM, "no memory for the report");
	memset(m->wanted, 0xff, PROFILE_NUMBERS / 8);
	enum err e = choose_groups(m);
	if (!e)
		e = count_groups(m);
	if (e || m->groups[0].n < m->k)
		return e;
	told_before_read(&before, told);
	name_groups(m);
	e = gate_groups(m, &before);
	if (!e)
		e = gate_days(m);
	if (!e)
		e = tell_report(m, &text);
	if (!e)
		e = folder_make(folder, 0700);
	if (!e)
		e = told_before_write(&before, told, m->today);
	if (!e)
		e = checked_write(file, &text);
	if (!e)
		e = daily_take(&text, &w->made);
	told_before_done(&before);
	buf_done(&text);
	return e;
}

static void *make_low(void *arg)
{
	struct work *w = arg;
	low_begin();
	memory_begin();
	w->err = make_daily(w);
	if (w->err)
		snprintf(w->why, sizeof w->why, "%s", err_text());
	making_done(&w->m);
	return NULL;
}

static enum err make_now(struct dailies *d, struct work *w)
{
	pthread_t thread;
	uint64_t from = clock_mono_us();
	enum err e = thread_start(&thread, "report", make_low, w);
	if (e)
		return e;
	pthread_join(thread, NULL);
	if (w->err)
		return err_set(w->err, "%s", w->why);
	if (!w->made)
		return OK;
	pthread_mutex_lock(&d->lock);
	struct daily *old = d->kept;
	d->kept = w->made;
	pthread_mutex_unlock(&d->lock);
	atomic_store(&d->lost, false);
	daily_unref(old);
	log_info("report", "made ms=%llu", (unsigned long long)((clock_mono_us() - from) / 1000));
	return OK;
}

enum err dailies_make(struct dailies *d, struct generation *g, const struct kgate *gate,
    uint32_t now, const _Atomic bool *stop)
{
	struct work w = {.d = d,
	    .m = {.g = g,
		.gate = gate,
		.now = now,
		.stop = stop,
		.tables_most = TABLES_MOST,
		.r = g->rules,
		.today = day_of(now),
		.k = kgate_k(gate)}};
	enum err e = OK;
	pthread_mutex_lock(&d->making);
	atomic_store(&d->running, true);
	if (!dailies_current(d, g->rules, day_of(now)))
		e = make_now(d, &w);
	atomic_store(&d->running, false);
	pthread_mutex_unlock(&d->making);
	return e;
}
