/* Counts of what was set aside, by reason and pattern and by the journal's days, brought up to date
 * by what is new.
 *
 *     a new event          is added to its row and day
 *     a day has expired    its counts are passed over, and given up when others need the place
 *     a new mark, a day was written anew    everything is counted anew
 *
 * A release is a person's word and cleaning the night's work, so that counting anew is rare.
 *
 * The counts are in memory only: patterns are hosts, and the journal has them under its days' keys.
 * Nothing outside may keep them longer. */
#include "aside_scan.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/low.h"
#include "crumb/base/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Patterns are hosts, too, and any client can make up hosts: beyond this many patterns they are
 * counted together. */
#define ROWS_MOST 1000
#define ROWS_ALL (ROWS_MOST + ASIDE_MAX) /* and one of others for each reason */

struct day_events {
	uint16_t day; /* of the journal */
	uint64_t events;
	uint16_t first, last; /* days of the events */
};

struct counted {
	char key[260]; /* a letter for the reason, the pattern */
	enum aside why;
	struct day_events *days; /* in no order */
	size_t days_n, days_cap;
};

struct counts {
	bool whole;	    /* all up to the positions is counted; else nothing */
	uint64_t forgotten; /* of aside_kept, when counting began */
	struct aside_scan scan;
	struct journal_pos control, *pos; /* pos: of each shard */
	struct counted *rows;		  /* ROWS_ALL of them, so that none is moved */
	size_t rows_n;
	struct map numbers;	/* of rows; keys lie in the rows */
	struct counted *latest; /* the row of the event before: the next is mostly of the same */
};

struct aside_kept {
	pthread_mutex_t lock;
	struct store *store;  /* constant */
	struct counts counts; /* shared, under lock */
	/* shared: how often something left the journal. Not under the lock, which a reader of all
	 * of the journal holds: the journal's thread counts here. */
	_Atomic uint64_t forgotten;
};

/* --- counts of one moment */

static enum err no_room(void)
{
	return err_set(ERR_NOMEM, "no memory to count what was set aside");
}

static void empty_counts(struct counts *c)
{
	for (size_t i = 0; i < c->rows_n; i++)
		free(c->rows[i].days);
	map_done(&c->numbers);
	aside_scan_done(&c->scan);
	free(c->rows);
	free(c->pos);
	*c = (struct counts){.whole = false};
}

/* The row of the event's reason and pattern. When there are too many, that of all other patterns of
 * the reason. NULL: no memory. */
static struct counted *row_of(struct counts *c, const struct event *e)
{
	char name[sizeof c->rows->key];
	uint32_t number;
	struct str pattern = e->pattern;
	for (int tries = 0;; tries++) {
		int n = snprintf(name, sizeof name, "%c" STR_FMT, 'a' + e->aside, STR_ARG(pattern));
		struct str key =
		    str_make(name, (size_t)n < sizeof name ? (size_t)n : sizeof name - 1);
		if (c->latest && str_eq(str_c(c->latest->key), key))
			return c->latest;
		if (map_get(&c->numbers, key, &number))
			return &c->rows[number];
		if (c->rows_n < ROWS_MOST || tries)
			break;
		pattern = STR(QUARANTINE_OTHERS);
	}
	if (!map_room(&c->numbers))
		return NULL;
	struct counted *row = &c->rows[c->rows_n];
	*row = (struct counted){.why = e->aside};
	snprintf(row->key, sizeof row->key, "%s", name);
	map_put(&c->numbers, str_c(row->key), (uint32_t)c->rows_n++);
	return row;
}

static enum err count(struct aside_scan *s, struct event *e)
{
	struct counts *c = s->arg;
	uint16_t day = day_of(e->t);
	struct counted *row = row_of(c, e);
	if (!row)
		return no_room();
	c->latest = row;
	size_t i = 0;
	while (i < row->days_n && row->days[i].day != s->day)
		i++;
	if (i == row->days_n) {
		if (!array_room(row->days, row->days_cap, row->days_n + 1))
			return no_room();
		row->days[row->days_n++] =
		    (struct day_events){.day = s->day, .first = day, .last = day};
	}
	struct day_events *d = &row->days[i];
	d->events++;
	d->first = day < d->first ? day : d->first;
	d->last = day > d->last ? day : d->last;
	return OK;
}

/* All places are taken, and some by what has expired. */
static bool crowded(const struct counts *c, uint16_t oldest)
{
	for (size_t i = 0; c->rows_n >= ROWS_MOST && i < c->rows_n; i++) {
		bool lives = false;
		for (size_t d = 0; d < c->rows[i].days_n; d++)
			lives |= c->rows[i].days[d].day >= oldest;
		if (!lives)
			return true;
	}
	return false;
}

/* Counts from the beginning: all marks are read. */
static enum err begin_counts(struct counts *c, struct store *store)
{
	empty_counts(c);
	c->scan = (struct aside_scan){.store = store, .each = count};
	c->rows = calloc(ROWS_ALL, sizeof *c->rows);
	c->pos = calloc(store->shards, sizeof *c->pos);
	return c->rows && c->pos ? aside_marks(&c->scan, &c->control) : no_room();
}

static enum err catch_up(struct counts *c, struct store *store, uint64_t forgotten)
{
	bool marked = false;
	enum err e = OK;
	if (c->forgotten != forgotten || crowded(c, journal_oldest_day(store->journal)))
		c->whole = false;
	if (c->whole && !(e = aside_new_marks(&c->scan, &c->control, &marked)) && marked)
		c->whole = false;
	if (!e && !c->whole)
		e = begin_counts(c, store);
	c->forgotten = forgotten;
	c->scan.arg = c; /* it may have been moved */
	for (unsigned i = 0; i < store->shards && !e; i++)
		e = aside_events(&c->scan, i, &c->pos[i]);
	c->whole = !e;
	return e;
}

/* --- telling */

static int by_reason(const void *a, const void *b)
{
	const struct aside_row *x = a, *y = b;
	if (x->why != y->why)
		return x->why < y->why ? -1 : 1;
	if (x->events != y->events)
		return x->events > y->events ? -1 : 1;
	return strcmp(x->key, y->key);
}

static bool has_day(const uint16_t *days, unsigned n, uint16_t day)
{
	for (unsigned i = 0; i < n; i++)
		if (days[i] == day)
			return true;
	return false;
}

/* The sum of the days that the journal has. */
static void sum_row(
    const struct counted *r, const uint16_t *days, unsigned n, struct aside_row *out)
{
	*out = (struct aside_row){.why = r->why, .first = UINT16_MAX};
	snprintf(out->key, sizeof out->key, "%s", r->key);
	for (size_t i = 0; i < r->days_n; i++) {
		const struct day_events *d = &r->days[i];
		if (!has_day(days, n, d->day))
			continue;
		out->events += d->events;
		out->first = d->first < out->first ? d->first : out->first;
		out->last = d->last > out->last ? d->last : out->last;
	}
}

static enum err tell(
    const struct counts *c, struct store *store, struct aside_row **rows, size_t *n)
{
	uint16_t days[JOURNAL_DAYS_MAX];
	unsigned days_n = journal_days(store->journal, days, JOURNAL_DAYS_MAX);
	struct aside_row *all = calloc(c->rows_n + 1, sizeof *all);
	if (!all)
		return no_room();
	*n = 0;
	for (size_t i = 0; i < c->rows_n; i++) {
		sum_row(&c->rows[i], days, days_n, &all[*n]);
		*n += all[*n].events > 0;
	}
	if (*n)
		qsort(all, *n, sizeof *all, by_reason);
	for (size_t i = 0; i < *n; i++)
		all[i].pattern = all[i].key + 1; /* sorting has moved the row */
	*rows = all;
	return OK;
}

enum err quarantine_list(struct store *store, struct aside_row **rows, size_t *n)
{
	struct counts c = {.whole = false};
	enum err e = catch_up(&c, store, 0);
	if (!e)
		e = tell(&c, store, rows, n);
	empty_counts(&c);
	return e;
}

/* --- kept */

enum err aside_kept_new(struct store *store, struct aside_kept **out)
{
	struct aside_kept *k = calloc(1, sizeof *k);
	if (!k)
		return no_room();
	k->store = store;
	pthread_mutex_init(&k->lock, NULL);
	*out = k;
	return OK;
}

void aside_kept_free(struct aside_kept *k)
{
	if (!k)
		return;
	empty_counts(&k->counts);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

enum err aside_kept_list(struct aside_kept *k, struct aside_row **rows, size_t *n)
{
	pthread_mutex_lock(&k->lock);
	enum err e = catch_up(&k->counts, k->store, atomic_load(&k->forgotten));
	if (!e)
		e = tell(&k->counts, k->store, rows, n);
	pthread_mutex_unlock(&k->lock);
	return e;
}

/* Counts beside what is kept, without the lock: whoever lists meanwhile does not wait for a thread
 * that others may keep from running. */
enum err aside_kept_warm(struct aside_kept *k)
{
	struct counts fresh = {.whole = false};
	uint64_t forgotten = atomic_load(&k->forgotten);
	low_hold();
	pthread_mutex_lock(&k->lock);
	bool warm = k->counts.whole && k->counts.forgotten == forgotten;
	pthread_mutex_unlock(&k->lock);
	low_release();
	enum err e = warm ? OK : catch_up(&fresh, k->store, forgotten);
	low_hold();
	pthread_mutex_lock(&k->lock);
	if (!e && fresh.whole) { /* where somebody has listed meanwhile, that is as good */
		struct counts old = k->counts;
		k->counts = fresh;
		fresh = old;
	}
	pthread_mutex_unlock(&k->lock);
	low_release();
	empty_counts(&fresh);
	return e;
}

void aside_kept_forget(struct aside_kept *k)
{
	atomic_fetch_add(&k->forgotten, 1);
}
