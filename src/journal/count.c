/* Counting days: what the ledger should say of them, after a crash, and when a store is verified.
 *
 * The ledger has, for each day, how many events were ever stored, how many of them could be read,
 * and the sequence up to which that is so. When the journal is opened, a day is one of these:
 *
 *     changed by somebody else, or   every block is opened. What is there is `readable`; what
 *     was being exchanged            the ledger had more is lost
 *     after a crash, all of its      the same, and what came behind the ledger's sequence is
 *     pages were looked at           added to `events`; COUNTED_MOST bytes of all days at most
 *     has blocks behind the          only these are counted, and added to both numbers
 *     ledger's sequence
 *     none of these                  the ledger is right
 *
 *     the ledger says          120,000 events, 120,000 readable, up to sequence 4711
 *     all blocks open to       119,900, of which 200 came behind 4711
 *     so it says now           120,200 events, 119,900 readable: 300 are lost */
#include "local.h"

#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/disk/pages.h"
#include "crumb/model/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

uint64_t ledger_events(struct str records)
{
	struct mp m = mp_over(records);
	uint64_t n = 0;
	while (m.p < m.end && !m.bad)
		n += record_skip_counted(&m);
	return n;
}

/* Counts the events of the blocks of a day behind a sequence, but not of a commit that is to be
 * taken back. `open`: each block is opened. Else its header is believed, which counts all records.
 */
enum err ledger_count(
    struct local *j, struct journal_day *d, uint64_t after, bool open, struct day_count *out)
{
	struct opener x;
	struct buf records = {0};
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	uint64_t end = j->undo.n ? j->undo.first : UINT64_MAX; /* nothing was committed behind it */
	*out = (struct day_count){0};
	enum err e =
	    opener_init(&x) ? db_begin(&d->db, DB_READ, &t) : err_set(ERR_NOMEM, "no memory");
	if (e) {
		opener_done(&x);
		return e;
	}
	db_walk(&t, d->table, &c);
	for (unsigned lane = 0; lane < j->base.lanes; lane++) {
		uint8_t from[PLACE_LEN];
		sealed_place(lane, after + 1, from);
		for (bool more = db_seek(&c, sealed_bytes(from, PLACE_LEN), &key, &value); more;
		     more = db_next(&c, &key, &value)) {
			uint32_t count;
			if (key.n != PLACE_LEN || get_u16((const uint8_t *)key.p) != lane ||
			    get_u64((const uint8_t *)key.p + 2) >= end)
				break;
			out->blocks++;
			buf_clear(&records);
			if (open && journal_unseal(&x, d, key, value, &records, &count) != OK)
				out->bad_blocks++;
			else if (open)
				out->events += ledger_events(buf_view(&records));
			else
				out->events += sealed_count(value);
		}
	}
	db_walk_end(&c);
	e = t.err;
	db_abort(&t);
	opener_done(&x);
	buf_done(&records);
	return e;
}

/* Is it known byte for byte how the day's file stood? Else another time of the file says nothing.
 */
static bool summed(const struct local *j, uint16_t day)
{
	char where[32], name[48];
	ledger_where(day, where);
	snprintf(name, sizeof name, "%s/data.mdb", where);
	return files_summed(j->files, name);
}

#define COUNTED_MOST ((uint64_t)4 << 30) /* bytes that are read at a start after a crash */

/* After a crash, or where something could not be read: is what the ledger knows of still there?
 * What came since it was saved is added. False: the day is none of these, or too much to read. */
static bool count_after_crash(struct local *j, struct journal_day *d, struct ledger_day *l,
    struct day_count *all, enum err *e)
{
	struct day_count since = {0};
	char file[4200], where[32];
	struct stat st;
	ledger_where(d->day, where);
	snprintf(file, sizeof file, "%.*s/%s/data.mdb", journal_store_part(j), j->folder, where);
	if (!d->looked || d->changed || !l->known || stat(file, &st) != 0 ||
	    j->ledger.counted + (uint64_t)st.st_size > COUNTED_MOST)
		return false;
	j->ledger.counted += (uint64_t)st.st_size;
	*e = ledger_count(j, d, 0, true, all);
	if (!*e)
		*e = ledger_count(j, d, l->last, true, &since);
	l->events += since.events;
	l->readable = all->events;
	if (l->readable >
	    l->events) /* an older crumb did not count what it had read from the log */
		l->events = l->readable;
	return true;
}

/* Says that a day has lost something. */
static void note_lost(
    struct local *j, struct ledger_day *l, const struct day_count *n, const char *how)
{
	char text[200];
	snprintf(text, sizeof text, "%s%llu of its %llu blocks cannot be read", how,
	    (unsigned long long)n->bad_blocks, (unsigned long long)n->blocks);
	ledger_note(j, l->day, l, text);
}

/* Brings the ledger's numbers of an open day up to date (the table at the head). */
static enum err settle_day(struct local *j, struct journal_day *d)
{
	struct ledger_day *l = ledger_have(j, d->day);
	struct day_count n = {0};
	uint64_t last = 0;
	enum err e = OK;
	if (!l)
		return OK;
	for (unsigned i = 0; i < j->base.lanes; i++)
		if (atomic_load(&d->last[i]) > last)
			last = atomic_load(&d->last[i]);
	/* more readable than stored: the day was being exchanged (ledger_drop()) */
	if (d->changed || (l->known && l->readable != l->events)) {
		if ((e = ledger_count(j, d, 0, true, &n)))
			return e;
		if (n.events > l->events || (!l->known && !n.bad_blocks))
			l->events = n.events;
		l->readable = n.events;
		l->known |= !n.bad_blocks;
		if (n.bad_blocks || l->readable < l->events) {
			note_lost(j, l, &n,
			    d->changed ? "changed by somebody else, " : "a part of it is lost; ");
		} else if (d->changed && summed(j, d->day)) {
			ledger_note(j, d->day, l,
			    "changed by somebody else since the store was closed; everything in it "
			    "opens");
		}
	} else if (count_after_crash(j, d, l, &n, &e)) {
		if (!e && (n.bad_blocks || l->readable < l->events))
			note_lost(j, l, &n, "a part of it is lost; ");
		if (e)
			return e;
	} else if (last > l->last) {
		if ((e = ledger_count(j, d, l->last, l->known, &n)))
			return e;
		l->events += n.events;
		l->readable += n.events;
	}
	if (l->last >= j->next_seq)
		j->next_seq = l->last + 1;
	l->last = last > l->last ? last : l->last;
	return OK;
}

/* Days in the table first, then those that are only in the ledger: they are lost, unless they are
 * over. Where the ledger itself was lost, a key without a folder is what is left to tell of a day.
 */
enum err ledger_settle(struct local *j)
{
	enum err e = OK;
	bool had_any = j->ledger.n > 0,
	     lost_list = (j->ledger.missing || j->ledger.damaged) && !j->oldest;
	uint16_t keys[JOURNAL_DAYS_MAX];
	for (int i = 0; i < JOURNAL_DAYS_MAX && !e; i++)
		if (j->days[i].day)
			e = settle_day(j, &j->days[i]);
	if (e)
		return e;
	for (unsigned i = 0; i < j->ledger.n; i++) {
		struct ledger_day *l = &j->ledger.days[i];
		if (journal_writers_day(j, l->day) || l->events == 0 ||
		    l->day < keys_destroyed_before(j->keys))
			continue;
		if (l->last >= j->next_seq)
			j->next_seq = l->last + 1;
		bool gone = l->readable > 0;
		l->readable = 0;
		if (gone)
			ledger_note(j, l->day, l, "its folder is gone");
		else if (!l->noted)
			ledger_note(j, l->day, l, "it was lost or set aside");
	}
	unsigned n = keys_days(j->keys, keys, JOURNAL_DAYS_MAX);
	if (lost_list && (n || had_any))
		damage_note(j->damage, "days", 0,
		    "%s; what was missing before is not known any more",
		    j->ledger.damaged ? "damaged" : "missing");
	for (unsigned i = 0; i < n && lost_list; i++)
		if (!ledger_find(j, keys[i]))
			ledger_note(j, keys[i], NULL, "it has a key and no folder");
	if (!j->readonly)
		ledger_save(j);
	return OK;
}

/* --- verifying */

static void tell_problem(void (*problem)(void *, const char *), void *arg, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void tell_problem(void (*problem)(void *, const char *), void *arg, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	problem(arg, text);
}

/* A day beside a server: its pages, then its blocks. A server that is running knows of more than
 * the ledger, so only fewer events are wrong. */
static enum err verify_day(
    struct local *j, struct journal_day *d, void (*problem)(void *, const char *), void *arg)
{
	char where[32], file[4200];
	struct day_count n;
	const struct ledger_day *l = ledger_find(j, d->day);
	ledger_where(d->day, where);
	snprintf(file, sizeof file, "%.*s/%s/data.mdb", journal_store_part(j), j->folder, where);
	enum err e = pages_check_open(&d->db, file);
	if (e == ERR_CORRUPT) {
		problem(arg, err_text());
		return OK;
	}
	if (e || (e = ledger_count(j, d, 0, true, &n)))
		return e;
	uint64_t want = 0;
	if (l && l->known)
		want = l->readable < l->events ? l->readable : l->events;
	if (n.bad_blocks)
		tell_problem(problem, arg, "%s: %llu of %llu blocks cannot be read", where,
		    (unsigned long long)n.bad_blocks, (unsigned long long)n.blocks);
	if (n.events < want)
		tell_problem(problem, arg, "%s: %llu events are there, %llu were stored", where,
		    (unsigned long long)n.events, (unsigned long long)want);
	return OK;
}

enum err local_verify(struct journal *base, void (*problem)(void *, const char *), void *arg)
{
	struct local *j = (struct local *)base;
	uint16_t days[JOURNAL_DAYS_MAX];
	unsigned n = base->kind->days(base, days, JOURNAL_DAYS_MAX);
	enum err e = OK;
	for (unsigned i = 0; i < n && !e; i++) {
		struct journal_day *d = journal_day_hold(j, days[i], NULL);
		if (!d)
			continue; /* it ended meanwhile */
		e = verify_day(j, d, problem, arg);
		journal_day_let_go(j, d);
	}
	return e;
}
