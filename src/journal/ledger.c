/* The journal's ledger: which days there must be, and how many events are in each. It is the file
 * `days` beside journal/.
 *
 *     crumb days 1
 *     2026-01-31 120000 119688 4711
 *     2026-02-01 94210 94210 5102 about
 *     check 16 hexadecimal digits
 *
 *     day │ events ever stored │ of them readable, when the day was looked at │ highest sequence
 *     then │ "about": the numbers count other records, too, as of days of an older crumb
 *
 * In the example 312 events of the first day are lost. More readable events than events: the day is
 * being exchanged for a cleaned one (ledger_drop()), or a crash fell into that.
 *
 * A day is in the file before the first commit that has events of it is answered. Its numbers are
 * brought up to date after SAVE_EVERY events, and when the journal is closed; after a crash they
 * are counted from the blocks that came since (count.c). So a day that is gone or cannot be read is
 * known, and how many events are lost with it. */
#include "local.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/disk/checked.h"

#include <stdio.h>
#include <unistd.h>

#define MAGIC "crumb days 1\n"
#define BYTES_MAX (64u << 10) /* of the file: 256 days of at most 80 bytes */
#define SAVE_EVERY 1000000    /* events */

static void ledger_path(const struct local *j, char out[FILE_PATH_MAX])
{
	snprintf(out, FILE_PATH_MAX, "%.*s/days", journal_store_part(j), j->folder);
}

struct ledger_day *ledger_find(struct local *j, uint16_t day)
{
	for (unsigned i = 0; i < j->ledger.n; i++)
		if (j->ledger.days[i].day == day)
			return &j->ledger.days[i];
	return NULL;
}

struct ledger_day *ledger_have(struct local *j, uint16_t day)
{
	struct ledger_day *d = ledger_find(j, day);
	if (!d && j->ledger.n < LEDGER_MAX) {
		d = &j->ledger.days[j->ledger.n++];
		*d = (struct ledger_day){.day = day};
	}
	return d;
}

/* --- the file */

/* A line that makes no sense is passed over: the sum says that it was written so, by a newer crumb.
 */
static bool ledger_parse(struct local *j, struct str text)
{
	struct str rest, line;
	if (!checked_text(text, &rest) || !str_starts(rest, STR(MAGIC)))
		return false;
	while (str_cut(&rest, '\n', &line)) {
		char one[128];
		uint16_t day;
		unsigned long long events, readable, last;
		snprintf(one, sizeof one, STR_FMT, STR_ARG(line));
		if (line.n < DAY_TEXT || !day_parse(one, DAY_TEXT - 1, &day) ||
		    sscanf(one + DAY_TEXT, "%llu %llu %llu", &events, &readable, &last) != 3)
			continue;
		struct ledger_day *d = ledger_have(j, day);
		if (d)
			*d = (struct ledger_day){
			    day, !strstr(one, " about"), false, events, readable, last};
	}
	return true;
}

void ledger_load(struct local *j)
{
	char path[FILE_PATH_MAX];
	struct buf b = {0};
	ledger_path(j, path);
	j->ledger.missing = access(path, F_OK) != 0;
	j->ledger.damaged = !j->ledger.missing &&
			    !(checked_read(path, BYTES_MAX, &b) && ledger_parse(j, buf_view(&b)));
	buf_done(&b);
}

static enum err ledger_write(struct local *j)
{
	struct buf b = {0};
	char path[FILE_PATH_MAX];
	buf_c(&b, MAGIC);
	for (unsigned i = 0; i < j->ledger.n; i++) {
		const struct ledger_day *d = &j->ledger.days[i];
		char day[DAY_TEXT];
		day_text(d->day, day);
		buf_addf(&b, "%s %llu %llu %llu%s\n", day, (unsigned long long)d->events,
		    (unsigned long long)d->readable, (unsigned long long)d->last,
		    d->known ? "" : " about");
	}
	ledger_path(j, path);
	enum err e = checked_write(path, &b);
	if (!e)
		j->ledger.unsaved = 0;
	buf_done(&b);
	return e;
}

void ledger_save(struct local *j)
{
	if (ledger_write(j) != OK)
		log_warn("journal", "the list of days could not be written why=\"%s\"", err_text());
}

void local_expect(struct journal *base, const uint16_t *days, unsigned n)
{
	struct local *j = (struct local *)base;
	unsigned kept = 0;
	for (unsigned i = 0; i < j->ledger.n; i++)
		for (unsigned k = 0; k < n; k++)
			if (j->ledger.days[i].day == days[k])
				j->ledger.days[kept++] = j->ledger.days[i];
	j->ledger.n = kept;
}

/* --- while it is written */

void ledger_begin(struct local *j, uint16_t day)
{
	struct ledger_day *d = ledger_find(j, day) ? NULL : ledger_have(j, day);
	if (!d)
		return;
	d->known = true;
	ledger_save(j);
}

void ledger_add(struct local *j, uint16_t day, uint64_t events, uint64_t seq)
{
	struct ledger_day *d = ledger_have(j, day);
	if (!d)
		return;
	d->events += events;
	d->readable += events;
	d->last = seq > d->last ? seq : d->last;
	j->ledger.unsaved += events;
}

void ledger_tick(struct local *j)
{
	if (j->ledger.unsaved >= SAVE_EVERY)
		ledger_save(j);
}

/* a - b, or 0. */
static uint64_t less(uint64_t a, uint64_t b)
{
	return b < a ? a - b : 0;
}

enum err ledger_drop(struct local *j, uint16_t day, uint64_t events)
{
	struct ledger_day *d = ledger_find(j, day);
	if (!d)
		return OK;
	uint64_t before = d->events;
	d->events = less(before, events);
	enum err e = ledger_write(j);
	if (e)
		d->events = before;
	return e;
}

void ledger_dropped(struct local *j, uint16_t day, uint64_t events, bool done)
{
	struct ledger_day *d = ledger_find(j, day);
	if (!d)
		return;
	if (done)
		d->readable = less(d->readable, events);
	else
		d->events += events;
	ledger_save(j);
}

void ledger_expire(struct local *j, uint16_t oldest)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < j->ledger.n; i++)
		if (j->ledger.days[i].day >= oldest)
			j->ledger.days[kept++] = j->ledger.days[i];
	bool any = kept != j->ledger.n;
	j->ledger.n = kept;
	if (any)
		ledger_save(j);
}

/* --- what is lost */

void ledger_where(uint16_t day, char out[32])
{
	char text[DAY_TEXT];
	day_text(day, text);
	snprintf(out, 32, "journal/%s", text);
}

void ledger_note(struct local *j, uint16_t day, struct ledger_day *d, const char *what)
{
	char where[32];
	ledger_where(day, where);
	if (d)
		d->noted = true;
	damage_note(
	    j->damage, where, d && d->known ? d->events - d->readable : EVENTS_UNKNOWN, "%s", what);
}

/* The name is DAY.damaged, or DAY.damaged-2 and so on. A reader only notes what it would do. */
enum err ledger_set_aside(struct local *j, uint16_t day, const char *why)
{
	char from[4096], to[4200], text[400];
	struct ledger_day *d = ledger_find(j, day);
	journal_day_folder(j, day, from, sizeof from);
	if (d)
		d->readable = 0;
	if (j->readonly) {
		ledger_note(j, day, d, why);
		return OK;
	}
	snprintf(to, sizeof to, "%s.damaged", from);
	for (int i = 2; i < 100 && access(to, F_OK) == 0; i++)
		snprintf(to, sizeof to, "%s.damaged-%d", from, i);
	if (rename(from, to) != 0)
		return err_sys("%s", to);
	snprintf(text, sizeof text, "set aside as %s, because %s", strrchr(to, '/') + 1, why);
	ledger_note(j, day, d, text);
	ledger_save(j);
	return folder_sync(j->folder);
}
