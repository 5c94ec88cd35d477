/* Commits of the kind that keeps days of files, and what they leave when the machine goes down. The
 * way of a commit is drawn in local.h. In this file:
 *
 *     into days        local_store_day(), store_blocks(), and store_several() for several days
 *     into the log     log_blocks(): the frame first, then the records in memory (pend())
 *     from log to day  publish_pending(): one block of each lane of all that waits
 *     shown            local_show(), under the lock: a reader begins with all of a commit or none
 *
 * Every sequence is used once, also when its commit failed: so what a failed write may have left is
 * never taken for something else.
 *
 * After a crash the log has frames that are not in their days (recover_log()). They are put into
 * memory and published as if they had just come. Frames that are in their day already, because the
 * machine went down between publishing and rewinding, have sequences up to the day's last, and are
 * passed over. After an orderly stop nothing in the log is needed, and nothing of it is read. */
#include "local.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>

/* In the transaction of the blocks. A table that is missing is made. */
static enum err put_mark(
    struct db_txn *t, const struct journal_day *d, const struct log_mark *mark, db_table *table)
{
	enum err e = OK;
	*table = d->log;
	if (!d->has_log)
		e = db_open_table(t, LOG_TABLE, table);
	if (!e)
		marks_write(t, *table, mark);
	return e;
}

/* The table `log` is the day's when it is on disk, and not before. */
static void note_mark(struct local *j, struct journal_day *d, db_table table)
{
	pthread_mutex_lock(&j->lock);
	d->has_log = true;
	d->log = table;
	d->marks++;
	pthread_mutex_unlock(&j->lock);
}

enum err local_store_day(struct local *j, struct journal_day *d, struct journal_block *blocks,
    size_t n, const uint8_t rules_hash[16], const struct log_mark *mark)
{
	struct db_txn t;
	db_table table = 0;
	enum err e = db_begin(&d->db, DB_WRITE, &t);
	if (e)
		return e;
	/* somebody else has changed the file while it was in use: the next start looks at it */
	if (!d->written && d->stood && d->stood != journal_day_time(j, d->day))
		db_found_damage(&d->db);
	d->written = true;
	for (size_t i = 0; i < n && !e; i++) {
		if (blocks[i].day != d->day)
			continue;
		uint8_t key[PLACE_LEN];
		if (!blocks[i].seq)
			blocks[i].seq = j->next_seq++;
		sealed_place(blocks[i].shard, blocks[i].seq, key);
		if (!(e = sealed_make(&j->sealer, &blocks[i], d->key, sealed_bytes(key, PLACE_LEN),
			  rules_hash)))
			db_put(&t, d->table, sealed_bytes(key, PLACE_LEN),
			    buf_view(&j->sealer.sealed));
	}
	if (mark && !e)
		e = put_mark(&t, d, mark, &table);
	if (e) {
		db_abort(&t);
		return e;
	}
	e = db_end(&t);
	if (mark && !e)
		note_mark(j, d, table);
	return e;
}

void local_show(struct local *j, const struct journal_block *blocks, size_t n,
    const struct log_mark *mark, uint16_t day)
{
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < n; i++) {
		struct journal_day *d = journal_find_day(j, blocks[i].day);
		unsigned s = blocks[i].shard;
		if (blocks[i].seq > atomic_load(&d->last[s]))
			atomic_store(&d->last[s], blocks[i].seq);
		if (blocks[i].seq > atomic_load(&j->base.last[s]))
			atomic_store(&j->base.last[s], blocks[i].seq);
		if (blocks[i].seq > atomic_load(&j->base.committed[s]))
			atomic_store(&j->base.committed[s], blocks[i].seq);
	}
	if (mark)
		log_mark_join(&j->mark, mark, day);
	pthread_mutex_unlock(&j->lock);
	for (size_t i = 0; i < n; i++)
		ledger_add(j, blocks[i].day, blocks[i].events, blocks[i].seq);
	ledger_tick(j);
}

/* The days that the blocks belong to, each once; made when missing. */
static enum err days_of_blocks(struct local *j, const struct journal_block *blocks, size_t n,
    struct journal_day *days[JOURNAL_DAYS_MAX], unsigned *days_n)
{
	*days_n = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned k = 0;
		while (k < *days_n && days[k]->day != blocks[i].day)
			k++;
		if (k < *days_n)
			continue;
		enum err e = journal_have_day(j, blocks[i].day, true, &days[k]);
		if (e)
			return e;
		++*days_n;
	}
	return OK;
}

/* Into several days, all or none (whole.c): when a day fails, what the others have goes again,
 * before anything else is stored. */
static enum err store_several(struct local *j, struct journal_block *blocks, size_t n,
    struct journal_day *const *days, unsigned days_n, const uint8_t rules_hash[16])
{
	char why[512];
	uint64_t first = j->next_seq;
	for (size_t i = 0; i < n; i++)
		blocks[i].seq = j->next_seq++;
	enum err e = whole_begin(j, first, j->next_seq - 1, days, days_n);
	if (!e) {
		for (unsigned i = 0; i < days_n && !e; i++)
			e = local_store_day(j, days[i], blocks, n, rules_hash, NULL);
		if (!e)
			e = whole_end(j);
		if (e) {
			snprintf(why, sizeof why, "%s", err_text());
			if (whole_undo(j) != OK)
				log_error("journal",
				    "a commit that failed could not be taken back yet, will be "
				    "tried "
				    "again why=\"%s\"",
				    err_text());
			err_set(e, "%s", why);
		}
	}
	for (size_t i = 0; e && i < n; i++)
		blocks[i].seq = 0;
	return e;
}

/* Into the days' environments, where readers find them. */
static enum err store_blocks(
    struct local *j, struct journal_block *blocks, size_t n, const uint8_t rules_hash[16])
{
	struct journal_day *days[JOURNAL_DAYS_MAX];
	unsigned days_n;
	enum err e = days_of_blocks(j, blocks, n, days, &days_n);
	if (!e && days_n > 1)
		e = store_several(j, blocks, n, days, days_n, rules_hash);
	else if (!e && days_n == 1)
		e = local_store_day(j, days[0], blocks, n, rules_hash, NULL);
	if (!e)
		local_show(j, blocks, n, NULL, 0);
	return e;
}

/* Notes a part of a frame that is in the log. Without memory for it what was answered could not be
 * published, so the process ends: the next start reads the log. */
static void pend(struct local *j, const struct journal_block *b, uint64_t seq)
{
	struct pending *p = &j->pending[b->shard];
	buf_str(&p->records, b->records);
	CHECK(!p->records.failed);
	p->count += b->count;
	p->events += b->events;
	p->seq = seq;
	j->pending_bytes += b->records.n;
}

static size_t local_unpublished(const struct journal *base)
{
	const struct local *j = (const struct local *)base;
	/* what is to be taken back has to be done, too */
	return j->pending_bytes + (j->undo.n > 0) + (j->doubt.day > 0);
}

/* Stores what is pending in its day. What is to be taken back goes first. On failure the log still
 * has all of it. */
static enum err publish_pending(struct local *j)
{
	struct journal_block blocks[LANES_MAX];
	size_t n = 0;
	enum err e = j->undo.n ? whole_undo(j) : OK;
	if (!e && j->doubt.day)
		e = whole_doubt(j);
	if (e || !j->pending_bytes)
		return e;
	for (unsigned i = 0; i < j->base.lanes; i++)
		if (j->pending[i].count)
			blocks[n++] = (struct journal_block){j->pending_day, (uint16_t)i,
			    j->pending[i].count, buf_view(&j->pending[i].records),
			    j->pending[i].seq, j->pending[i].events};
	if ((e = store_blocks(j, blocks, n, j->pending_rules)))
		return e;
	for (unsigned i = 0; i < j->base.lanes; i++) {
		buf_clear(&j->pending[i].records);
		j->pending[i].count = j->pending[i].events = 0;
	}
	j->pending_bytes = 0;
	return OK;
}

enum err local_publish_all(struct local *j)
{
	enum err e = publish_pending(j);
	if (!e)
		wal_rewind(j->wal);
	return e;
}

static enum err local_publish(struct journal *base)
{
	return local_publish_all((struct local *)base);
}

/* The log takes small commits of one day. */
static bool suits_wal(const struct journal_block *blocks, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++) {
		bytes += blocks[i].records.n;
		if (blocks[i].day != blocks[0].day)
			return false;
	}
	return bytes <= WAL_FRAME_MOST;
}

/* Into the log, then into memory. A log that is full is published and rewound first. The sequence
 * is the frame's, and so that of all its parts. */
static enum err log_blocks(
    struct local *j, struct journal_block *blocks, size_t n, const uint8_t rules_hash[16])
{
	struct wal_head h = {.seq = j->next_seq++, .day = blocks[0].day};
	struct journal_day *d;
	memcpy(h.rules_hash, rules_hash, sizeof h.rules_hash);
	enum err e = journal_have_day(j, h.day, true, &d);
	if (!e)
		e = wal_append(j->wal, &h, d->key, blocks, n);
	if (e == ERR_FULL && j->pending_bytes && !(e = local_publish_all(j)))
		e = wal_append(j->wal, &h, d->key, blocks, n);
	if (e)
		return e;
	j->pending_day = h.day;
	memcpy(j->pending_rules, rules_hash, sizeof j->pending_rules);
	for (size_t i = 0; i < n; i++) {
		pend(j, &blocks[i], h.seq);
		blocks[i].seq = h.seq;
		atomic_store(&j->base.committed[blocks[i].shard], h.seq);
	}
	return OK;
}

/* What is pending is published first, unless the commit goes into the log behind it. */
static enum err local_commit(
    struct journal *base, struct journal_block *blocks, size_t n, const uint8_t rules_hash[16])
{
	struct local *j = (struct local *)base;
	bool wal = n && suits_wal(blocks, n);
	enum err e = OK;
	if (!wal || blocks[0].day != j->pending_day ||
	    memcmp(rules_hash, j->pending_rules, sizeof j->pending_rules) != 0)
		e = local_publish_all(j);
	if (!e)
		e = wal ? log_blocks(j, blocks, n, rules_hash)
			: store_blocks(j, blocks, n, rules_hash);
	return e;
}

/* A frame without parts: recover_log() takes nothing from it. */
static enum err local_try(struct journal *base, uint16_t day)
{
	struct local *j = (struct local *)base;
	struct wal_head h = {.seq = j->next_seq++, .day = day};
	struct journal_day *d;
	enum err e = journal_have_day(j, day, true, &d);
	if (!e)
		e = wal_append(j->wal, &h, d->key, NULL, 0);
	return e == ERR_FULL && j->pending_bytes ? local_publish_all(j) : e;
}

/* Is the log there as it was? Where it is not, that is damage after a crash, and nothing after an
 * orderly stop. */
static enum err look_at_wal(struct local *j, bool stopped)
{
	struct stat st;
	bool there = stat(j->wal_path, &st) == 0,
	     whole = there && S_ISREG(st.st_mode) && st.st_size == WAL_BYTES;
	bool link = lstat(j->wal_path, &st) == 0 && S_ISLNK(st.st_mode) && !there;
	if (link && !stopped)
		return err_set(ERR_NOT_FOUND,
		    "%s is a link to a file that is not there, and hits that were answered may be "
		    "in it: put it back, or remove the link",
		    j->wal_path);
	if (link && unlink(j->wal_path) != 0)
		return err_sys("%s", j->wal_path);
	if (there && !S_ISLNK(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(ERR_CORRUPT,
		    "%s is no file: put it back, or remove it; what was answered in the last "
		    "moment before a crash is only there",
		    j->wal_path);
	uint8_t id[STORE_ID_LEN];
	keys_id(j->keys, id);
	if (whole && !stopped && files_marked(j->files) && !wal_marked(j->wal_path, id))
		damage_note(j->damage, "wal", EVENTS_UNKNOWN,
		    "overwritten, or another store's, after a crash: commits of its last moment "
		    "may be lost");
	if (!whole && !stopped && files_known(j->files, "wal"))
		damage_note(j->damage, "wal", EVENTS_UNKNOWN,
		    "%s after a crash: commits of its last moment may be lost",
		    there ? "cut" : "missing");
	return OK;
}

/* Publishes what the last run had answered for and not brought into its day. */
static enum err recover_log(struct local *j)
{
	struct wal_head h;
	struct str parts;
	bool torn = false, stopped = files_stopped(j->files);
	enum err e = look_at_wal(j, stopped);
	if (!e)
		e = wal_open(j->wal_path, &j->wal);
	if (!e)
		wal_after(j->wal, j->next_seq - 1);
	while (!e && !stopped && wal_next(j->wal, j->keys, &h, &parts)) {
		struct journal_block b;
		struct journal_day *d;
		if (h.seq >= j->next_seq)
			j->next_seq = h.seq + 1;
		if (h.day != j->pending_day ||
		    memcmp(h.rules_hash, j->pending_rules, sizeof h.rules_hash) != 0)
			e = publish_pending(j);
		if (e || (e = journal_have_day(j, h.day, true, &d)))
			break;
		j->pending_day = h.day;
		memcpy(j->pending_rules, h.rules_hash, sizeof h.rules_hash);
		while (wal_part(&parts, &b)) {
			if (b.shard >= j->base.lanes || h.seq <= atomic_load(&d->last[b.shard]))
				continue;
			b.events = (uint32_t)ledger_events(b.records);
			pend(j, &b, h.seq);
			atomic_store(&j->base.committed[b.shard], h.seq);
		}
	}
	uint64_t lost = e ? 0 : wal_lost(j->wal, &torn);
	if (lost)
		damage_note(j->damage, "wal", EVENTS_UNKNOWN,
		    "%llu commits of the last moment before the crash cannot be read",
		    (unsigned long long)lost);
	else if (!e && torn)
		log_warn("journal", "the last commit in the write-ahead log is not whole: it was "
				    "answered only if the file was changed since");
	if (!e)
		e = local_publish_all(j);
	/* the log still has it, and takes more; whoever writes tries again */
	if (e == ERR_FULL && j->wal) {
		log_error("journal",
		    "the disk has no room for what is in the write-ahead log, will be tried "
		    "again why=\"%s\"",
		    err_text());
		e = OK;
	}
	uint8_t id[STORE_ID_LEN];
	keys_id(j->keys, id);
	if (!e && keys_sealed(j->keys) && !(e = wal_mark(j->wal, id)))
		files_mark(j->files);
	return e;
}

/* The ledger and the days' files are noted as they stand only when the journal was opened to the
 * end. */
static void local_close(struct journal *base)
{
	struct local *j = (struct local *)base;
	if (j->opened && !j->readonly)
		ledger_save(j);
	for (int i = 0; i < JOURNAL_DAYS_MAX; i++)
		if (j->days[i].day) {
			if (j->opened && !j->readonly)
				journal_day_leave(j, &j->days[i]);
			journal_day_close(&j->days[i]);
		}
	wal_close(j->wal);
	for (unsigned i = 0; j->pending && i < j->base.lanes; i++)
		buf_done(&j->pending[i].records);
	free(j->pending);
	log_mark_done(&j->mark);
	log_mark_done(&j->moment_mark);
	sealer_done(&j->sealer);
	journal_end(&j->base);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* Days leave the table under the lock, their folders and environments after it. */
static void local_expire(struct journal *base, uint16_t oldest)
{
	struct local *j = (struct local *)base;
	struct journal_day gone[JOURNAL_DAYS_MAX];
	uint16_t days[JOURNAL_DAYS_MAX];
	unsigned gone_n = 0, n = 0;
	pthread_mutex_lock(&j->lock);
	for (int i = 0; i < JOURNAL_DAYS_MAX; i++) {
		struct journal_day *d = &j->days[i];
		if (!d->day || d->day >= oldest || d->dead)
			continue;
		days[n++] = d->day;
		d->dead = true;
		gone_n += journal_day_take(j, d, &gone[gone_n]);
	}
	log_mark_expire(&j->mark, oldest);
	pthread_mutex_unlock(&j->lock);
	for (unsigned i = 0; i < n; i++)
		journal_unlink_day(j, days[i]);
	for (unsigned i = 0; i < gone_n; i++)
		journal_day_close(&gone[i]);
	ledger_expire(j, oldest);
	journal_expire_aside(j);
}

static void local_floor(struct journal *base, unsigned shard, struct journal_pos seen)
{
	struct local *j = (struct local *)base;
	(void)shard; /* sequences are global */
	if (seen.at >= j->next_seq)
		j->next_seq = seen.at + 1;
}

static unsigned local_days(struct journal *base, uint16_t *out, unsigned cap)
{
	struct local *j = (struct local *)base;
	unsigned n = 0;
	pthread_mutex_lock(&j->lock);
	for (int i = 0; i < JOURNAL_DAYS_MAX && n < cap; i++)
		if (j->days[i].day && !j->days[i].dead)
			out[n++] = j->days[i].day;
	pthread_mutex_unlock(&j->lock);
	return n;
}

static void local_wipe_log(struct journal *base)
{
	struct local *j = (struct local *)base;
	if (wal_wipe(j->wal) != OK)
		log_warn("journal", "the write-ahead log was not wiped why=\"%s\"", err_text());
}

static const struct journal_kind local_kind = {
    .close = local_close,
    .commit = local_commit,
    .publish = local_publish,
    .try = local_try,
    .unpublished = local_unpublished,
    .swap = local_swap,
    .wipe_log = local_wipe_log,
    .expire = local_expire,
    .floor = local_floor,
    .clean = local_clean,
    .discard = local_discard,
    .days = local_days,
    .count = local_count,
    .verify = local_verify,
    .read = local_read,
    .next = local_next,
    .read_end = local_read_end,
    .copy = local_copy,
    .moment = local_moment,
    .cut = local_cut,
    .expect = local_expect,
};

/* In this order: the ledger and the undo say what to expect, the days are opened, what was half
 * done is taken back, the days are counted, the log is read. */
enum err local_open(const struct journal_place *p, struct journal **out)
{
	struct local *j = calloc(1, sizeof *j);
	if (!j)
		return err_set(ERR_NOMEM, "no memory");
	enum err e = journal_begin(&j->base, &local_kind, p->shards);
	snprintf(j->folder, sizeof j->folder, "%s/journal", p->store);
	snprintf(j->wal_path, sizeof j->wal_path, "%s/wal", p->store);
	j->keys = p->keys;
	j->files = p->files;
	j->damage = p->damage;
	j->map_bytes = p->map_bytes;
	j->readonly = p->readonly;
	j->restoring = p->restoring;
	j->oldest = p->oldest;
	j->next_seq = 1;
	j->pending = calloc(j->base.lanes, sizeof *j->pending);
	bool sealer = sealer_init(&j->sealer);
	pthread_mutex_init(&j->lock, NULL);
	if (!e && !(j->pending && sealer))
		e = err_set(ERR_NOMEM, "no memory");
	ledger_load(j);
	if (!e)
		e = whole_load(j);
	if (!e)
		e = journal_open_days(j);
	if (!e && j->undo.n) {
		log_warn("journal",
		    "a commit of several days was interrupted, and is taken back days=%u",
		    j->undo.n);
		j->next_seq = j->undo.last >= j->next_seq ? j->undo.last + 1 : j->next_seq;
		if (!j->readonly && whole_undo(j) != OK) /* publish_pending() tries again */
			log_error("journal",
			    "the commit could not be taken back now, will be tried again "
			    "why=\"%s\"",
			    err_text());
	}
	for (unsigned i = 0; i < j->base.lanes && !e; i++)
		atomic_store(&j->base.committed[i], atomic_load(&j->base.last[i]));
	if (!e && !j->restoring)
		e = ledger_settle(j);
	if (!e && !j->readonly)
		e = recover_log(j);
	if (e) {
		local_close(&j->base);
		return e;
	}
	j->opened = true;
	*out = &j->base;
	return OK;
}
