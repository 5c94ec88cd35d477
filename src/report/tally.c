/* Tallies by day (report/tally.h says what they are). Two threads and one lock:
 *
 *     main      look(): counters ─► rows, once a second and before each report; wakes the saver
 *     saver     rows ─► text, under the lock; text ─► file, without it
 *
 * Hits are recorded under the day that the clock says, whether it is in doubt or not; so are their
 * counts. A clock that is set back leaves rows of days to come: once the clock is believed they are
 * added to today, when they were surely counted before tomorrow. */
#include "crumb/report/tally.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/lock.h"
#include "crumb/base/memory.h"
#include "crumb/base/thread.h"
#include "crumb/base/trouble.h"
#include "crumb/disk/checked.h"
#include "crumb/disk/damage.h"
#include "crumb/report/days.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAGIC "crumb tallies 1\n"
#define FILE_MOST (1u << 20)		 /* bytes; some 50 counters of 91 days have 200 KB */
#define SAVE_US (60 * UINT64_C(1000000)) /* between two times that the file is written */
#define NAME_CAP 80

struct tally_row {
	uint16_t day;
	uint64_t n[METRIC_MAX]; /* of counters that are kept; 0 of the others */
};

struct tally {
	/* set when it is made */
	char path[FILE_PATH_MAX];
	bool counts; /* false: it was opened for reading */
	enum tally_by by;
	pthread_t saver;
	/* the saver's, or of whoever saves without one */
	struct trouble trouble;
	/* shared, under lock */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct tally_row *rows; /* in the order of their days */
	size_t rows_n, rows_cap;
	uint16_t since;		   /* the first day that was counted */
	uint16_t day;		   /* of the latest look */
	uint64_t seen[METRIC_MAX]; /* the counters at the latest look */
	bool changed;		   /* since the file was written */
	bool wanted, stop;	   /* for the saver */
	uint64_t saved_us;	   /* when the file was last written or tried, by clock_mono_us() */
};

/* --- counters and their names in the file */

static bool kept_by_day(enum metric m)
{
	return metric_families[metric_counters[m].family].by_day;
}

/* "hits_total", "refused_total.gpc" */
static void counter_name(enum metric m, char out[NAME_CAP])
{
	const struct metric_counter_row *c = &metric_counters[m];
	snprintf(out, NAME_CAP, "%s%s%s", metric_families[c->family].name, c->value ? "." : "",
	    c->value ? c->value : "");
}

/* METRIC_MAX: there is no such counter any more, or it is not kept. */
static enum metric counter_named(const char *name)
{
	char one[NAME_CAP];
	for (enum metric m = 0; m < METRIC_MAX; m++) {
		counter_name(m, one);
		if (kept_by_day(m) && strcmp(one, name) == 0)
			return m;
	}
	return METRIC_MAX;
}

/* --- rows */

static struct tally_row *find_row(const struct tally *t, uint16_t day)
{
	for (size_t i = t->rows_n; i-- > 0;)
		if (t->rows[i].day == day)
			return &t->rows[i];
	return NULL;
}

/* NULL: there is no memory. */
static struct tally_row *row_of(struct tally *t, uint16_t day)
{
	struct tally_row *row = find_row(t, day);
	size_t at = t->rows_n;
	if (row || !array_room(t->rows, t->rows_cap, t->rows_n + 1))
		return row;
	while (at && t->rows[at - 1].day > day)
		at--;
	memmove(&t->rows[at + 1], &t->rows[at], (t->rows_n - at) * sizeof *t->rows);
	t->rows[at] = (struct tally_row){.day = day};
	t->rows_n++;
	return &t->rows[at];
}

static void drop_row(struct tally *t, size_t at)
{
	t->rows_n--;
	memmove(&t->rows[at], &t->rows[at + 1], (t->rows_n - at) * sizeof *t->rows);
	t->changed = true;
}

/* Ends days that are over, and adds rows of days to come to today's. */
static void keep_days(struct tally *t, uint16_t today, unsigned retention)
{
	uint16_t oldest = (uint16_t)(today >= retention ? today - retention + 1 : 0);
	while (t->rows_n && t->rows[0].day < oldest)
		drop_row(t, 0);
	t->changed |= t->since < oldest;
	t->since = t->since < oldest ? oldest : t->since;
	if (!t->rows_n || t->rows[t->rows_n - 1].day <= today || !row_of(t, today))
		return;
	while (t->rows[t->rows_n - 1].day > today) {
		const struct tally_row *ahead = &t->rows[t->rows_n - 1];
		struct tally_row *row = find_row(t, today);
		for (enum metric m = 0; m < METRIC_MAX; m++)
			row->n[m] += ahead->n[m];
		drop_row(t, t->rows_n - 1);
	}
	t->since = t->since > today ? today : t->since;
}

/* Adds what the counters counted since the latest look to the day of that look, which is a second
 * ago: what came before midnight is yesterday's. Without memory it is left for the next look. */
static void look(struct tally *t, uint32_t now)
{
	CHECK_HELD(&t->lock);
	uint16_t today = now < CLOCK_LEAST ? t->day : day_of(now);
	struct tally_row *row = NULL;
	for (enum metric m = 0; t->counts && m < METRIC_MAX; m++) {
		uint64_t n = kept_by_day(m) ? metric_get(m) : 0;
		if (n == t->seen[m])
			continue;
		if (!row && !(row = row_of(t, t->day)))
			return;
		row->n[m] += n - t->seen[m];
		t->seen[m] = n;
		t->changed = true;
	}
	t->day = today;
}

/* --- the file */

static void write_rows(const struct tally *t, struct buf *out)
{
	char day[DAY_TEXT], name[NAME_CAP];
	day_text(t->since, day);
	buf_addf(out, MAGIC "since %s\n", day);
	for (size_t i = 0; i < t->rows_n; i++) {
		day_text(t->rows[i].day, day);
		for (enum metric m = 0; m < METRIC_MAX; m++)
			if (t->rows[i].n[m]) {
				counter_name(m, name);
				buf_addf(out, "%s %s %" PRIu64 "\n", day, name, t->rows[i].n[m]);
			}
	}
}

/* False: the line is none of ours. A counter that is not kept any more is passed over. */
static bool read_row(struct tally *t, struct str line)
{
	char text[NAME_CAP + 64], name[NAME_CAP];
	uint16_t day;
	uint64_t n;
	snprintf(text, sizeof text, STR_FMT, STR_ARG(line));
	if (line.n < DAY_TEXT || !day_parse(text, DAY_TEXT - 1, &day) ||
	    sscanf(text + DAY_TEXT, "%79s %" SCNu64, name, &n) != 2)
		return false;
	enum metric m = counter_named(name);
	struct tally_row *row = m < METRIC_MAX ? row_of(t, day) : NULL;
	if (row)
		row->n[m] = n;
	return true;
}

static bool read_rows(struct tally *t, struct str text)
{
	struct str line;
	if (!str_starts(text, STR(MAGIC "since ")))
		return false;
	text = str_skip(text, strlen(MAGIC "since "));
	bool fine = str_cut(&text, '\n', &line) && day_parse(line.p, line.n, &t->since);
	while (fine && str_cut(&text, '\n', &line))
		fine = !line.n || read_row(t, line);
	return fine;
}

/* Where the file is not there, or is not as it was written, counting begins today. */
static void read_file(struct tally *t, struct damage *damage)
{
	struct buf b = {0};
	struct str text;
	bool there = access(t->path, F_OK) == 0;
	if (there && !(checked_read(t->path, FILE_MOST, &b) && checked_text(buf_view(&b), &text) &&
			 read_rows(t, text))) {
		t->rows_n = 0;
		t->since = t->day;
		t->changed = true; /* or the next start finds it, too */
		if (damage)
			damage_note(damage, "tallies", 0,
			    "cannot be read: what was counted by day before today is lost");
	}
	buf_done(&b);
}

/* Whoever saves is alone in it. The lock is let go of while the disk is waited for. */
static void save(struct tally *t)
{
	CHECK_HELD(&t->lock);
	struct buf text = {0};
	write_rows(t, &text);
	t->changed = t->wanted = false;
	t->saved_us = clock_mono_us();
	pthread_mutex_unlock(&t->lock);
	enum err e = checked_write(t->path, &text);
	if (e)
		trouble_note(&t->trouble, 60, "tally", "keeping what was counted by day");
	else
		trouble_over(&t->trouble, "tally", "keeping what was counted by day");
	buf_done(&text);
	pthread_mutex_lock(&t->lock);
	t->changed |= e != OK;
}

static void *saver_thread(void *arg)
{
	struct tally *t = arg;
	pthread_mutex_lock(&t->lock);
	while (!t->stop)
		if (t->wanted)
			save(t);
		else
			pthread_cond_wait(&t->wake, &t->lock);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* --- its life */

static struct tally *tally_new(const char *store, struct damage *damage, uint32_t now)
{
	struct tally *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	snprintf(t->path, sizeof t->path, "%s/tallies", store);
	t->day = t->since = day_of(now);
	t->saved_us = clock_mono_us();
	read_file(t, damage);
	return t;
}

static void tally_free(struct tally *t)
{
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->rows);
	free(t);
}

enum err tally_open(
    const char *store, struct damage *damage, uint32_t now, enum tally_by by, struct tally **out)
{
	struct tally *t = tally_new(store, damage, now);
	if (!t)
		return err_set(ERR_NOMEM, "no memory");
	t->counts = true;
	t->by = by;
	for (enum metric m = 0; m < METRIC_MAX; m++)
		t->seen[m] = kept_by_day(m) ? metric_get(m) : 0;
	t->changed |= access(t->path, F_OK) != 0; /* the first day is noted though nothing came */
	enum err e = by == TALLY_THREAD ? thread_start(&t->saver, "tally", saver_thread, t) : OK;
	if (e)
		tally_free(t);
	else
		*out = t;
	return e;
}

enum err tally_read(const char *store, uint32_t now, struct tally **out)
{
	struct tally *t = tally_new(store, NULL, now);
	if (!t)
		return err_set(ERR_NOMEM, "no memory");
	*out = t;
	return OK;
}

void tally_tick(struct tally *t, uint32_t now, unsigned retention)
{
	pthread_mutex_lock(&t->lock);
	uint16_t before = t->day;
	look(t, now);
	if (retention)
		keep_days(t, t->day, retention);
	if (t->changed && (t->day != before || clock_mono_us() - t->saved_us >= SAVE_US)) {
		t->wanted = true;
		pthread_cond_signal(&t->wake);
		if (t->by == TALLY_ALONE)
			save(t);
	}
	pthread_mutex_unlock(&t->lock);
}

void tally_close(struct tally *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	if (t->counts && t->by == TALLY_THREAD)
		pthread_join(t->saver, NULL);
	pthread_mutex_lock(&t->lock);
	look(t, clock_now());
	if (t->counts && t->changed)
		save(t);
	pthread_mutex_unlock(&t->lock);
	tally_free(t);
}

/* --- what is told */

static uint64_t counted(const struct tally *t, enum metric m, uint16_t day)
{
	const struct tally_row *row = find_row(t, day);
	return row ? row->n[m] : 0;
}

static json_t *row_json(
    const struct tally *t, const struct kgate *gate, enum metric m, unsigned days, uint16_t today)
{
	const struct metric_counter_row *c = &metric_counters[m];
	const char *name = metric_families[c->family].name, *total = strstr(name, "_total");
	json_t *by_day = json_array();
	for (unsigned i = 0; i < days; i++) {
		uint16_t day = (uint16_t)(today - days + 1 + i);
		struct shown n = {false, 0};
		if (day >= t->since)
			n = kgate_show_count(gate, counted(t, m, day));
		json_array_append_new(by_day, report_shown(n));
	}
	size_t n = total ? (size_t)(total - name) : strlen(name);
	return json_pack("{s:s%,s:s,s:s,s:o}", "what", name, n, "reason", c->value ? c->value : "",
	    "help", c->help, "by_day", by_day);
}

enum err tally_report(
    struct tally *t, const struct kgate *gate, unsigned days, uint32_t now, json_t **out)
{
	uint16_t today = day_of(now);
	json_t *rows = json_array();
	days = days > TALLY_DAYS ? TALLY_DAYS : days;
	pthread_mutex_lock(&t->lock);
	look(t, now);
	for (enum metric m = 0; m < METRIC_MAX; m++)
		if (kept_by_day(m))
			json_array_append_new(rows, row_json(t, gate, m, days, today));
	json_t *j = json_pack("{s:o,s:o,s:o}", "days", report_days(today, days), "recorded_since",
	    report_day(t->since), "rows", rows);
	pthread_mutex_unlock(&t->lock);
	*out = j;
	return OK;
}

uint64_t tally_of(struct tally *t, enum metric m, uint16_t day)
{
	pthread_mutex_lock(&t->lock);
	uint64_t n = counted(t, m, day);
	pthread_mutex_unlock(&t->lock);
	return n;
}
