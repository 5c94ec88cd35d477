/* Following the journal. Whoever holds `making` goes through these steps:
 *
 *	1  stale? Then what was counted is forgotten
 *	2  control lane   new marks, of which each count hears: it goes, stays, or is parted
 *	3  lane by lane   events behind the lane's position that no mark covers
 *	4  days           counts of those that are over go
 *	5  rows           sums over shards and days, which are told from then on
 *
 * Each step can be left and gone on with later; rows are made when all was read.
 *
 * A count has the positions of the first and the last block that it has events of. A mark that
 * reaches up to the last covers all of it, and one that does not reach the first covers nothing. In
 * between nobody knows how much, and the lane is counted anew. That happens when a release was cut
 * off, or fell between two steps.
 *
 * Marks of older versions (by time, of all shards) stand among the events of shard 0, and may
 * follow what they cover. So when that lane has a new one all is counted anew, with the mark known.
 *
 * Names of patterns are kept until everything is forgotten. When there were too many, and counts of
 * some went, everything is counted anew, so that others get a name. */
#include "crumb/ingest/asides.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/low.h"
#include "crumb/base/map.h"
#include "aside_marks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Patterns are hosts, too, and any client can make up hosts: beyond this many patterns they are
 * counted together. */
#define NAMES_MOST 1000
#define NAMES_ALL (NAMES_MOST + ASIDE_MAX) /* with one of others for each reason */
#define FOLLOW_US 60000000		   /* between two followings that nobody asked for */

struct name {
	enum aside why;
	bool others;
	char key[260]; /* a letter for the reason, then the pattern */
};

/* Of a shard, a day, a reason and a pattern. */
struct count {
	uint16_t name;
	uint16_t first, last; /* days of events */
	uint64_t events;
	struct journal_pos from, upto; /* behind the first and the last block that has some */
};

struct count_day {
	uint16_t day;
	struct count *list; /* by name */
	size_t n, cap;
};

struct lane {
	struct journal_pos pos; /* up to there it is counted */
	struct count_day *days;
	size_t n, cap;
};

struct asides {
	struct store *store; /* constant */
	/* shared */
	_Atomic bool stale, asked;
	_Atomic unsigned paused;
	_Atomic unsigned hurried;     /* threads that wait for `making`, and are no low ones */
	_Atomic uint64_t followed_us; /* by clock_mono_us() */
	pthread_mutex_t lock;
	/* shared, under lock: what is told */
	struct aside_row *rows;
	size_t rows_n;
	uint32_t made;
	pthread_mutex_t making;
	/* shared, under making */
	struct aside_marks marks;
	struct journal_pos control;
	bool old_mark; /* shard 0 had a new one of those by time */
	struct lane *lanes;
	struct name *names; /* NAMES_ALL; never moved */
	size_t names_n;
	struct map numbers; /* of names, by key */
	bool crowded;	    /* a pattern found no place */
	bool changed;	    /* since rows were made */
	struct record record;
};

/* How long a follower may go on. */
struct pace {
	uint64_t until_us; /* 0: for ever */
	const _Atomic bool *stop;
	bool low; /* it lets go for others */
};

/* --- forgetting */

static void forget_lane(struct lane *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->days[i].list);
	l->n = 0;
	l->pos = JOURNAL_START;
}

static void forget_counts(struct asides *a)
{
	for (unsigned i = 0; i < a->store->shards; i++)
		forget_lane(&a->lanes[i]);
	map_done(&a->numbers);
	a->names_n = 0;
	a->crowded = false;
	a->changed = true;
}

static void forget_all(struct asides *a)
{
	forget_counts(a);
	aside_marks_done(&a->marks);
	a->control = JOURNAL_START;
	a->old_mark = false;
}

/* --- counting */

/* The number of the name of a reason and pattern. When there are too many, that of all other
 * patterns of the reason. */
static enum err aside_name(struct asides *a, const struct event *e, uint16_t *out)
{
	char text[sizeof a->names->key];
	struct str pattern = e->pattern;
	bool others = false;
	for (;; others = true, pattern = STR(QUARANTINE_OTHERS)) {
		uint32_t number;
		int n = snprintf(text, sizeof text, "%c" STR_FMT, 'a' + e->aside, STR_ARG(pattern));
		struct str key =
		    str_make(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
		if (map_get(&a->numbers, key, &number)) {
			*out = (uint16_t)number;
			return OK;
		}
		if (a->names_n < NAMES_MOST || others)
			break;
		a->crowded = true;
	}
	if (!map_room(&a->numbers))
		return err_set(ERR_NOMEM, "no memory to count what was set aside");
	struct name *name = &a->names[a->names_n];
	*name = (struct name){
	    .why = e->aside, .others = others || str_eq(pattern, STR(QUARANTINE_OTHERS))};
	snprintf(name->key, sizeof name->key, "%s", text);
	*out = (uint16_t)a->names_n++;
	map_put(&a->numbers, str_c(name->key), *out);
	return OK;
}

static struct count_day *day_in(struct lane *l, uint16_t day)
{
	for (size_t i = l->n; i-- > 0;)
		if (l->days[i].day == day)
			return &l->days[i];
	if (!array_room(l->days, l->cap, l->n + 1))
		return NULL;
	l->days[l->n] = (struct count_day){.day = day};
	return &l->days[l->n++];
}

/* The count of a name, or a new one of no events in its place. NULL: there is no memory. */
static struct count *count_in(struct count_day *d, uint16_t name)
{
	size_t lo = 0, hi = d->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (d->list[mid].name < name)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < d->n && d->list[lo].name == name)
		return &d->list[lo];
	if (!array_room(d->list, d->cap, d->n + 1))
		return NULL;
	memmove(&d->list[lo + 1], &d->list[lo], (d->n++ - lo) * sizeof *d->list);
	d->list[lo] = (struct count){.name = name};
	return &d->list[lo];
}

static enum err count_event(struct asides *a, struct lane *l, uint16_t block_day,
    struct journal_pos pos, const struct event *e)
{
	uint16_t name = 0, day = day_of(e->t);
	enum err err = aside_name(a, e, &name);
	struct count_day *d = err ? NULL : day_in(l, block_day);
	struct count *c = d ? count_in(d, name) : NULL;
	if (!c)
		return err ? err : err_set(ERR_NOMEM, "no memory to count what was set aside");
	if (!c->events++) {
		c->from = pos;
		c->first = c->last = day;
	}
	c->upto = pos;
	c->first = day < c->first ? day : c->first;
	c->last = day > c->last ? day : c->last;
	a->changed = true;
	return OK;
}

/* --- reading */

/* What a record of a lane means: marks are noted, events that none covers are counted. */
static enum err take_record(struct asides *a, unsigned shard, uint16_t day, struct journal_pos pos)
{
	const struct record *r = &a->record;
	bool control = shard == journal_control(a->store->journal);
	if (control) {
		if (r->kind == RECORD_TAKEN)
			(void)aside_marks_note(&a->marks, r);
	} else if (r->kind == RECORD_RELEASED) {
		if (shard == 0 && aside_marks_note(&a->marks, r))
			a->old_mark = true;
	} else if (r->kind == RECORD_ASIDE &&
		   !aside_marks_cover(&a->marks, shard, pos, &r->event)) {
		return count_event(a, &a->lanes[shard], day, pos, &r->event);
	}
	return OK;
}

static bool says_aside(enum record_kind kind)
{
	return kind == RECORD_ASIDE || kind == RECORD_RELEASED || kind == RECORD_TAKEN;
}

/* May the follower not go on now? */
static enum err look_up(const struct asides *a, const struct pace *p)
{
	if ((p->stop && atomic_load(p->stop)) || atomic_load(&a->paused) ||
	    (p->low && atomic_load(&a->hurried)) || (p->until_us && clock_mono_us() >= p->until_us))
		return err_set(ERR_BUSY, "what was set aside is still being counted");
	return OK;
}

/* Reads one lane from *upto on, and moves that behind each block. A damaged block is passed over;
 * the folds have said so. */
static enum err read_lane(
    struct asides *a, unsigned shard, struct journal_pos *upto, const struct pace *p)
{
	struct journal_reader *r;
	struct buf records = {0};
	uint32_t count;
	uint16_t day;
	if (!journal_pos_before(*upto, journal_last(a->store->journal, shard)))
		return OK;
	enum err e = journal_read(a->store->journal, shard, *upto, &r);
	if (e)
		return e;
	while (!e) {
		struct journal_pos pos;
		buf_clear(&records);
		e = journal_next(r, &records, &pos, &count, &day);
		bool damaged = e == ERR_CORRUPT;
		struct mp m = mp_over(e ? STR("") : buf_view(&records));
		while (!e && m.p < m.end) {
			if (!says_aside(record_kind_at(&m)))
				mp_skip(&m);
			else if (record_decode(&m, &a->record))
				e = take_record(a, shard, day, pos);
			if (m.bad)
				break;
		}
		if (damaged)
			e = OK;
		if (!e) {
			*upto = pos;
			e = look_up(a, p);
		}
	}
	journal_read_end(r);
	buf_done(&records);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* --- marks */

enum fate { COUNT_STAYS, COUNT_GOES, COUNT_PARTED };

/* What the fresh marks make of a count. */
static enum fate fate_of(const struct asides *a, unsigned shard, const struct count *c)
{
	const struct name *name = &a->names[c->name];
	enum fate fate = COUNT_STAYS;
	for (size_t i = 0; i < a->marks.n; i++) {
		const struct aside_mark *m = &a->marks.list[i];
		bool any = !*m->pattern, one = strcmp(m->pattern, name->key + 1) == 0;
		if (!m->fresh || !m->of_shard || m->shard != shard || m->why != name->why ||
		    journal_pos_before(m->upto, c->from) || !(any || one || name->others))
			continue;
		if ((any || (one && !name->others)) && !journal_pos_before(m->upto, c->upto))
			return COUNT_GOES;
		fate = COUNT_PARTED;
	}
	return fate;
}

static void mark_lane(struct asides *a, unsigned shard)
{
	struct lane *l = &a->lanes[shard];
	for (size_t i = 0; i < l->n; i++) {
		struct count_day *d = &l->days[i];
		size_t stay = 0;
		for (size_t k = 0; k < d->n; k++) {
			enum fate fate = fate_of(a, shard, &d->list[k]);
			if (fate == COUNT_PARTED) {
				forget_lane(l);
				return;
			}
			if (fate == COUNT_STAYS)
				d->list[stay++] = d->list[k];
		}
		d->n = stay;
	}
}

static enum err read_marks(struct asides *a, const struct pace *p)
{
	bool fresh = false;
	enum err e = read_lane(a, journal_control(a->store->journal), &a->control, p);
	for (size_t i = 0; i < a->marks.n && !e; i++)
		fresh |= a->marks.list[i].fresh;
	if (e || !fresh)
		return e;
	for (unsigned i = 0; i < a->store->shards; i++)
		mark_lane(a, i);
	aside_marks_settle(&a->marks);
	a->changed = true;
	return OK;
}

/* --- the end of days, and rows */

static void forget_over(struct asides *a)
{
	uint16_t days[JOURNAL_DAYS_MAX];
	low_hold();
	unsigned n = journal_days(a->store->journal, days, JOURNAL_DAYS_MAX);
	low_release();
	for (unsigned s = 0; s < a->store->shards; s++) {
		struct lane *l = &a->lanes[s];
		size_t stay = 0;
		for (size_t i = 0; i < l->n; i++) {
			unsigned k = 0;
			while (k < n && days[k] != l->days[i].day)
				k++;
			if (k < n) {
				l->days[stay++] = l->days[i];
				continue;
			}
			free(l->days[i].list);
			a->changed = true;
		}
		l->n = stay;
	}
}

static int by_reason(const void *a, const void *b)
{
	const struct aside_row *x = a, *y = b;
	if (x->why != y->why)
		return x->why < y->why ? -1 : 1;
	if (x->events != y->events)
		return x->events > y->events ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Sorting and copying move rows. */
static void name_rows(struct aside_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rows[i].pattern = rows[i].key + 1;
}

static void add_count(const struct asides *a, const struct count *c, struct aside_row *row)
{
	if (!row->events) {
		row->why = a->names[c->name].why;
		row->first = c->first;
		row->last = c->last;
		memcpy(row->key, a->names[c->name].key, sizeof row->key);
	}
	row->events += c->events;
	row->first = c->first < row->first ? c->first : row->first;
	row->last = c->last > row->last ? c->last : row->last;
}

static enum err make_rows(struct asides *a)
{
	struct aside_row *rows = calloc(a->names_n + 1, sizeof *rows), *old;
	size_t n = 0;
	if (!rows)
		return err_set(ERR_NOMEM, "no memory to count what was set aside");
	for (unsigned s = 0; s < a->store->shards; s++)
		for (size_t i = 0; i < a->lanes[s].n; i++)
			for (size_t k = 0; k < a->lanes[s].days[i].n; k++) {
				const struct count *c = &a->lanes[s].days[i].list[k];
				add_count(a, c, &rows[c->name]);
			}
	for (size_t i = 0; i < a->names_n; i++)
		if (rows[i].events)
			rows[n++] = rows[i];
	if (n)
		qsort(rows, n, sizeof *rows, by_reason);
	name_rows(rows, n);
	if (a->crowded && n < a->names_n)
		asides_stale(a); /* there is room for names again */
	low_hold();
	pthread_mutex_lock(&a->lock);
	old = a->rows;
	a->rows = rows;
	a->rows_n = n;
	pthread_mutex_unlock(&a->lock);
	low_release();
	free(old);
	a->changed = false;
	return OK;
}

/* --- following */

static enum err read_lanes(struct asides *a, const struct pace *p)
{
	enum err e = OK;
	for (unsigned i = 0; i < a->store->shards && !e; i++) {
		e = read_lane(a, i, &a->lanes[i].pos, p);
		if (!e && a->old_mark) {
			a->old_mark = false;
			aside_marks_settle(&a->marks);
			forget_counts(a);
			i = UINT_MAX; /* the first is next */
		}
	}
	return e;
}

/* ERR_BUSY leaves what was counted as far as it has come. Another error may come from the middle of
 * a block. */
static enum err catch_up(struct asides *a, const struct pace *p)
{
	enum err e = look_up(a, p);
	if (!e && atomic_exchange(&a->stale, false))
		forget_all(a);
	if (!e)
		e = read_marks(a, p);
	if (!e)
		e = read_lanes(a, p);
	if (!e)
		forget_over(a);
	if (!e && a->changed)
		e = make_rows(a);
	if (e && e != ERR_BUSY)
		asides_stale(a);
	return e;
}

static void note_followed(struct asides *a)
{
	atomic_store(&a->followed_us, clock_mono_us());
	low_hold();
	pthread_mutex_lock(&a->lock);
	a->made = clock_now();
	pthread_mutex_unlock(&a->lock);
	low_release();
}

enum err asides_follow(struct asides *a, uint64_t budget_us, const _Atomic bool *stop)
{
	bool low = low_mine().low;
	struct pace p = {budget_us ? clock_mono_us() + budget_us : 0, stop, low};
	atomic_store(&a->asked, true);
	if (!budget_us) {
		atomic_fetch_add(&a->hurried, !low);
		pthread_mutex_lock(&a->making);
		atomic_fetch_sub(&a->hurried, !low);
	} else if (pthread_mutex_trylock(&a->making) != 0) {
		return err_set(ERR_BUSY, "somebody is counting what was set aside");
	}
	enum err e = catch_up(a, &p);
	if (!e)
		note_followed(a);
	if (!e && atomic_load(&a->stale))
		e = err_set(ERR_BUSY, "what was set aside is to be counted anew");
	pthread_mutex_unlock(&a->making);
	return e;
}

bool asides_due(const struct asides *a)
{
	return atomic_load(&a->asked) &&
	       (atomic_load(&a->stale) ||
		   clock_mono_us() - atomic_load(&a->followed_us) >= FOLLOW_US);
}

void asides_stale(struct asides *a)
{
	atomic_store(&a->stale, true);
}

void asides_pause(struct asides *a)
{
	atomic_fetch_add(&a->paused, 1);
}

void asides_resume(struct asides *a)
{
	atomic_fetch_sub(&a->paused, 1);
}

enum err asides_tell(struct asides *a, struct asides_told *out)
{
	struct asides_told told;
	pthread_mutex_lock(&a->lock);
	told.made = a->made;
	told.n = a->rows_n;
	told.rows = malloc((told.n + 1) * sizeof *told.rows);
	if (told.rows && told.n)
		memcpy(told.rows, a->rows, told.n * sizeof *told.rows);
	pthread_mutex_unlock(&a->lock);
	if (!told.rows)
		return err_set(ERR_NOMEM, "no memory to tell what was set aside");
	name_rows(told.rows, told.n);
	*out = told;
	return OK;
}

/* --- beginning and end */

struct asides *asides_new(struct store *s)
{
	struct asides *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	a->store = s;
	pthread_mutex_init(&a->lock, NULL);
	pthread_mutex_init(&a->making, NULL);
	a->lanes = calloc(s->shards, sizeof *a->lanes);
	a->names = calloc(NAMES_ALL, sizeof *a->names);
	if (a->lanes && a->names)
		return a;
	asides_free(a);
	return NULL;
}

void asides_free(struct asides *a)
{
	if (!a)
		return;
	for (unsigned i = 0; a->lanes && i < a->store->shards; i++) {
		forget_lane(&a->lanes[i]);
		free(a->lanes[i].days);
	}
	aside_marks_done(&a->marks);
	map_done(&a->numbers);
	free(a->lanes);
	free(a->names);
	free(a->rows);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->making);
	free(a);
}

enum err asides_list(struct store *s, struct aside_row **rows, size_t *n)
{
	struct asides *a = asides_new(s);
	struct asides_told told;
	if (!a)
		return err_set(ERR_NOMEM, "no memory to count what was set aside");
	enum err e = asides_follow(a, 0, NULL);
	if (!e || e == ERR_BUSY) /* what went meanwhile is not counted anew */
		e = asides_tell(a, &told);
	if (!e) {
		*rows = told.rows;
		*n = told.n;
	}
	asides_free(a);
	return e;
}
