/* Cleaning: a day is written anew without the records of some visitors, then takes the place of the
 * old day. And copies of days, for backups.
 *
 *     1  each_block(count_gone)   any thread   how many records would go? None: that was all
 *     2  write_anew()             any thread   DAY.new, an environment: blocks with records of
 *                                              these visitors are opened, sifted and sealed
 *                                              again, the others are copied as they are
 *     3  exchange_day()           the writer   DAY becomes DAY.old, DAY.new becomes DAY; the
 *                                              table gets the new environment; DAY.old goes
 *
 * Step 3 only happens when the day has not grown since step 1 began. It goes by its highest
 * sequences, lane by lane, and by how often its mark was written (marks.h), which goes with it.
 * Readers of the old environment go on: its file has no name any more, and its bytes go with the
 * last reader. A block that does not open stays as it is: it may open again, when a disk gets well,
 * and its key ends with the day.
 *
 * What a crash leaves in journal/, and what the next opening makes of it (days.c):
 *
 *     DAY, DAY.new        the new day was not whole, or not put in place: DAY.new goes
 *     DAY.old, DAY.new    between the renames: DAY.old gets its name back, DAY.new goes
 *     DAY, DAY.old        the new day is in place: DAY.old goes
 *
 * Cost: the day is read twice and written once, on disk twice as much for that time. */
#include "local.h"

#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define CLEAN_BLOCKS 500 /* of one transaction */

struct journal_cleaned {
	uint16_t day;
	uint64_t events;	  /* that went, as the ledger counts them */
	uint64_t last[LANES_MAX]; /* of the old day, when cleaning began */
	uint64_t marks;		  /* the same */
};

struct cleaning {
	struct local *j;
	struct journal_day *d; /* the old one */
	bool (*drop)(void *arg, const struct vkey *visitor);
	void *arg;
	const _Atomic bool *stop;
	struct sealer sealer;
	struct opener opener;
	struct buf records, kept; /* of the block at hand */
	uint64_t dropped, events; /* records of the visitors; those of them that are events */
	/* the new one; db.env is NULL while nothing is written */
	struct db db;
	db_table table;
};

/* DAY with a suffix. */
static void cleaned_folder(const struct local *j, uint16_t day, const char *suffix, char out[4000])
{
	char folder[3900];
	journal_day_folder(j, day, folder, sizeof folder);
	snprintf(out, 4000, "%s%s", folder, suffix);
}

/* Opens a block, and puts the records that stay into c->kept. */
static enum err sift(struct cleaning *c, struct str key, struct str value, struct sifted *out)
{
	uint32_t count;
	buf_clear(&c->records);
	buf_clear(&c->kept);
	*out = (struct sifted){0};
	enum err e = journal_unseal(&c->opener, c->d, key, value, &c->records, &count);
	if (e)
		return e;
	return journal_sift(buf_view(&c->records), c->drop, c->arg, &c->kept, out);
}

/* Calls `each` for every block of the day, as of one moment. When the new day is open, `each`
 * writes into it: transactions of CLEAN_BLOCKS blocks, so that none grows with the day. */
static enum err each_block(struct cleaning *c,
    enum err (*each)(struct cleaning *, struct str key, struct str value, struct db_txn *to))
{
	struct db_txn t, to = {.txn = NULL};
	struct db_cursor cursor;
	struct str key, value;
	unsigned n = 0;
	enum err e = db_begin(&c->d->db, DB_READ, &t);
	if (e)
		return e;
	db_walk(&t, c->d->table, &cursor);
	while (!e && db_next(&cursor, &key, &value)) {
		if (c->db.env && !to.txn)
			e = db_begin(&c->db, DB_WRITE, &to);
		if (!e && key.n == PLACE_LEN)
			e = each(c, key, value, &to);
		if (!e && to.txn && ++n % CLEAN_BLOCKS == 0) {
			e = db_end(&to);
			to.txn = NULL;
		}
		if (!e && atomic_load(c->stop))
			e = err_set(ERR_BUSY, "stopping");
	}
	db_walk_end(&cursor);
	if (!e)
		e = t.err;
	db_abort(&t);
	if (to.txn && !e)
		e = db_end(&to);
	else if (to.txn)
		db_abort(&to);
	return e;
}

static enum err count_gone(struct cleaning *c, struct str key, struct str value, struct db_txn *to)
{
	struct sifted n;
	(void)to;
	enum err e = sift(c, key, value, &n);
	c->dropped += n.gone;
	c->events += n.events;
	return e == ERR_CORRUPT ? OK : e; /* stays as it is */
}

/* Copies a block into the new day, sealed anew for the same place where some of its records go. A
 * block of which nothing is left stays as an empty one, so that the highest sequence is what it
 * was. */
static enum err copy_block(struct cleaning *c, struct str key, struct str value, struct db_txn *to)
{
	struct sifted n;
	enum err e = sift(c, key, value, &n);
	if (!e && n.gone) {
		struct journal_block b = {c->d->day, get_u16((const uint8_t *)key.p), n.left,
		    buf_view(&c->kept), get_u64((const uint8_t *)key.p + 2), 0};
		if (!b.records.p)
			b.records = STR("");
		if ((e = sealed_make(&c->sealer, &b, c->d->key, key, sealed_rules(value))))
			return e;
		value = buf_view(&c->sealer.sealed);
	}
	if (e && e != ERR_CORRUPT)
		return e;
	db_append(to, c->table, key, value);
	return to->err;
}

/* The day's mark of a log outside, as it is. */
static enum err copy_mark(struct cleaning *c)
{
	struct db_txn t, to;
	struct db_cursor cursor;
	struct str key, value;
	db_table table;
	pthread_mutex_lock(&c->j->lock);
	bool has = c->d->has_log;
	db_table log = c->d->log;
	pthread_mutex_unlock(&c->j->lock);
	enum err e = has ? db_begin(&c->d->db, DB_READ, &t) : OK;
	if (e || !has)
		return e;
	if ((e = db_begin(&c->db, DB_WRITE, &to))) {
		db_abort(&t);
		return e;
	}
	e = db_open_table(&to, LOG_TABLE, &table);
	db_walk(&t, log, &cursor);
	while (!e && db_next(&cursor, &key, &value))
		db_append(&to, table, key, value);
	db_walk_end(&cursor);
	if (!e)
		e = t.err;
	db_abort(&t);
	if (!e)
		return db_end(&to);
	db_abort(&to);
	return e;
}

/* The new day is whole and on disk when this returns OK. */
static enum err write_anew(struct cleaning *c, const char *folder)
{
	struct db_txn t;
	if (mkdir(folder, 0700) != 0)
		return err_sys("%s", folder);
	enum err e = db_open(&c->db, folder, c->j->map_bytes, 2, DB_DURABLE);
	if (!e)
		e = db_begin(&c->db, DB_WRITE, &t);
	if (!e && (e = db_open_table(&t, "blocks", &c->table)))
		db_abort(&t);
	else if (!e)
		e = db_end(&t);
	if (!e)
		e = each_block(c, copy_block);
	if (!e)
		e = copy_mark(c);
	db_close(&c->db);
	return e ? e : folder_sync(folder);
}

/* The day as it is when cleaning begins. What is written meanwhile is counted behind its commit: so
 * when the count is the same at the exchange, the new day has all of it. */
static struct journal_day *hold(struct local *j, uint16_t day, struct journal_cleaned *out)
{
	struct journal_day *d = journal_day_hold(j, day, out->last);
	pthread_mutex_lock(&j->lock);
	out->marks = d ? d->marks : 0;
	pthread_mutex_unlock(&j->lock);
	return d;
}

enum err local_clean(struct journal *base, uint16_t day, bool (*drop)(void *, const struct vkey *),
    void *arg, const _Atomic bool *stop, struct journal_cleaned **out, uint64_t *dropped)
{
	struct local *j = (struct local *)base;
	char folder[4000];
	struct journal_cleaned *done = calloc(1, sizeof *done);
	struct cleaning c = {.j = j, .drop = drop, .arg = arg, .stop = stop};
	enum err e = OK;
	if (!done || !opener_init(&c.opener) || !sealer_init(&c.sealer))
		e = err_set(ERR_NOMEM, "no memory");
	*out = NULL;
	*dropped = 0;
	if (!e)
		c.d = hold(j, day, done);
	if (!e && c.d && !(e = each_block(&c, count_gone)) && c.dropped) {
		cleaned_folder(j, day, ".new", folder);
		journal_remove_folder(folder);
		if ((e = write_anew(&c, folder)))
			journal_remove_folder(folder);
	}
	if (!e && c.dropped) {
		done->day = day;
		done->events = c.events;
		*dropped = c.dropped;
		*out = done;
		done = NULL;
	}
	if (c.d)
		journal_day_let_go(j, c.d);
	free(done);
	sealer_done(&c.sealer);
	opener_done(&c.opener);
	buf_done(&c.records);
	buf_done(&c.kept);
	return e;
}

/* Undoes the renames: DAY becomes `fresh` again where that is not NULL, then DAY.old becomes DAY.
 */
static void put_back(const char *old, const char *folder, const char *fresh)
{
	if ((fresh && rename(folder, fresh) != 0) || rename(old, folder) != 0)
		log_error("journal", "a day could not be given its name back folder=%s", old);
}

/* The folders, then the table. The day stays where it is in the table until then: only this thread
 * ends days. */
static enum err exchange_day(struct local *j, struct journal_day *d)
{
	char folder[4000], fresh[4000], old[4000];
	struct journal_day opened, gone, *placed;
	cleaned_folder(j, d->day, "", folder);
	cleaned_folder(j, d->day, ".new", fresh);
	cleaned_folder(j, d->day, ".old", old);
	if (rename(folder, old) != 0)
		return err_sys("%s", folder);
	if (rename(fresh, folder) != 0) {
		enum err e = err_sys("%s", fresh);
		put_back(old, folder, NULL);
		return e;
	}
	enum err e = folder_sync(j->folder);
	if (!e)
		e = journal_day_open(j, d->day, false, &opened);
	if (e) {
		put_back(old, folder, fresh);
		return e;
	}
	pthread_mutex_lock(&j->lock);
	d->dead = true;
	bool last = journal_day_take(j, d, &gone);
	if ((e = journal_day_place(j, &opened, &placed)))
		d->dead = false;
	pthread_mutex_unlock(&j->lock);
	if (e) {
		journal_day_close(&opened);
		put_back(old, folder, fresh);
		return e;
	}
	journal_remove_folder(old);
	if (last)
		journal_day_close(&gone);
	sodium_memzero(opened.key, sizeof opened.key);
	return OK;
}

void local_discard(struct journal *base, struct journal_cleaned *c)
{
	char folder[4000];
	cleaned_folder((struct local *)base, c->day, ".new", folder);
	journal_remove_folder(folder);
	free(c);
}

enum err local_swap(struct journal *base, struct journal_cleaned *c)
{
	struct local *j = (struct local *)base;
	struct journal_day *d = journal_writers_day(j, c->day);
	/* what is in doubt may have been copied */
	bool same = d && d->marks == c->marks && j->doubt.day != c->day;
	for (unsigned s = 0; same && s < j->base.lanes; s++)
		same = atomic_load(&d->last[s]) == c->last[s];
	enum err e = same ? ledger_drop(j, c->day, c->events)
			  : err_set(ERR_BUSY, "journal: a day has grown while it was written anew");
	if (!e) {
		e = exchange_day(j, d);
		ledger_dropped(j, c->day, c->events, !e);
	}
	if (e)
		local_discard(base, c);
	else
		free(c);
	return e;
}

/* --- copies */

/* The mark in the copy must not say more than the blocks that journal_cut() will leave. */
static enum err cut_mark(struct local *j, uint64_t moment, const char *folder)
{
	struct log_mark then = {.at = NULL};
	low_hold();
	pthread_mutex_lock(&j->lock);
	enum err e = j->moment == moment
			 ? log_mark_copy(&j->moment_mark, &then)
			 : err_set(ERR_BUSY, "journal: days are copied for another backup");
	pthread_mutex_unlock(&j->lock);
	low_release();
	if (!e)
		e = marks_cut(folder, j->map_bytes, &then);
	log_mark_done(&then);
	return e;
}

enum err local_copy(struct journal *base, uint16_t day, uint64_t moment, const char *folder)
{
	struct local *j = (struct local *)base;
	struct journal_day *d = journal_day_hold(j, day, NULL);
	if (!d)
		return err_set(ERR_NOT_FOUND, "journal: the day is gone");
	enum err e = db_copy(&d->db, folder);
	low_hold();
	pthread_mutex_lock(&j->lock);
	bool follows = j->follows;
	pthread_mutex_unlock(&j->lock);
	low_release();
	if (!e && follows)
		e = cut_mark(j, moment, folder);
	journal_day_let_go(j, d);
	return e;
}

/* Sequences rise in the order in which commits are shown, and all of a commit is shown at once. So
 * one number says which commits are whole. */
uint64_t local_moment(struct journal *base)
{
	struct local *j = (struct local *)base;
	uint64_t moment = 0;
	pthread_mutex_lock(&j->lock);
	for (unsigned i = 0; i < j->base.lanes; i++)
		if (atomic_load(&j->base.last[i]) > moment)
			moment = atomic_load(&j->base.last[i]);
	struct log_mark then = {.at = NULL};
	if (log_mark_copy(&j->mark, &then) == OK) { /* else no day with a mark can be copied */
		log_mark_done(&j->moment_mark);
		j->moment_mark = then;
		j->moment = moment;
	}
	pthread_mutex_unlock(&j->lock);
	return moment;
}

enum err local_cut(const struct journal *base, const char *folder, uint64_t moment)
{
	const struct local *j = (const struct local *)base;
	struct db db = {.env = NULL};
	struct db_txn t;
	db_table table;
	enum err e = db_open(&db, folder, j->map_bytes, 2, DB_DURABLE);
	if (!e)
		e = db_begin(&db, DB_WRITE, &t);
	if (!e && (e = db_open_table(&t, "blocks", &table))) {
		db_abort(&t);
	} else if (!e) {
		(void)whole_remove(&t, table, j->base.lanes, moment + 1, UINT64_MAX);
		e = db_end(&t);
	}
	db_close(&db);
	return e;
}
