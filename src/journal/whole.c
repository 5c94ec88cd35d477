/* A commit over several days is whole or not at all.
 *
 * Each day is an environment of its own, so their commits can fail one by one, and the machine can
 * go down between them. So the file `undo`, of 512 bytes, says what is about to come:
 *
 *     magic 8 │ first u64 │ last u64 │ days u16 │ day u16 … │ zeros │ sum 16        big-endian
 *
 *     1  undo names the sequences and the days          nothing is stored yet
 *     2  each day commits its blocks
 *     3  undo is zeros again                            now the commit is durable, and is answered
 *
 * What the file names at any other time goes away again: at once when a day fails, at the next
 * opening after a crash. A file that does not add up was torn while it was written: then either no
 * day had begun (1), or all were done (3). It is written in place and keeps its size, so that a
 * full disk is no obstacle to taking a commit back. */
#include "local.h"

#include "crumb/base/code.h"
#include "crumb/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BYTES 512 /* a sector */
#define SUM_LEN 16
enum { AT_FIRST = 8, AT_LAST = 16, AT_N = 24, AT_DAYS = 26 };
static const uint8_t magic[8] = "crumb u1";
_Static_assert(AT_DAYS + 2 * JOURNAL_DAYS_MAX <= BYTES - SUM_LEN, "all days fit");

static void undo_path(const struct local *j, char out[FILE_PATH_MAX])
{
	snprintf(out, FILE_PATH_MAX, "%.*s/undo", journal_store_part(j), j->folder);
}

static void undo_sum(const uint8_t *b, uint8_t out[SUM_LEN])
{
	crypto_generichash(out, SUM_LEN, b, BYTES - SUM_LEN, NULL, 0);
}

/* On disk when this returns OK; its name, too. */
static enum err write_file(struct local *j, const uint8_t b[BYTES])
{
	char path[FILE_PATH_MAX];
	undo_path(j, path);
	bool fresh = access(path, F_OK) != 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_DSYNC | O_CLOEXEC, 0600);
	enum err e = fd >= 0 && pwrite(fd, b, BYTES, 0) == BYTES ? OK : err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	if (!e && fresh) {
		*strrchr(path, '/') = 0;
		e = folder_sync(path);
	}
	return e;
}

enum err whole_end(struct local *j)
{
	static const uint8_t none[BYTES];
	enum err e = write_file(j, none);
	if (!e)
		j->undo.n = 0;
	return e;
}

enum err whole_load(struct local *j)
{
	char path[FILE_PATH_MAX];
	uint8_t b[BYTES], sum[SUM_LEN];
	undo_path(j, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		if (!j->readonly && whole_end(j) != OK)
			log_warn("journal",
			    "the file for commits of several days could not be made yet why=\"%s\"",
			    err_text());
		return OK;
	}
	ssize_t n = fd < 0 ? -1 : pread(fd, b, BYTES, 0);
	enum err e = n < 0 ? err_sys("%s", path) : OK;
	if (fd >= 0)
		close(fd);
	if (e || n != BYTES)
		return e;
	undo_sum(b, sum);
	uint16_t days = get_u16(b + AT_N);
	if (memcmp(b, magic, sizeof magic) != 0 || memcmp(sum, b + BYTES - SUM_LEN, SUM_LEN) != 0 ||
	    days > JOURNAL_DAYS_MAX)
		return OK;
	j->undo.first = get_u64(b + AT_FIRST);
	j->undo.last = get_u64(b + AT_LAST);
	for (j->undo.n = 0; j->undo.n < days; j->undo.n++)
		j->undo.days[j->undo.n] = get_u16(b + AT_DAYS + 2 * j->undo.n);
	return OK;
}

enum err whole_begin(
    struct local *j, uint64_t first, uint64_t last, struct journal_day *const *days, unsigned n)
{
	uint8_t b[BYTES] = {0};
	struct undo u = {.first = first, .last = last, .n = n};
	memcpy(b, magic, sizeof magic);
	put_u64(b + AT_FIRST, first);
	put_u64(b + AT_LAST, last);
	put_u16(b + AT_N, (uint16_t)n);
	for (unsigned i = 0; i < n; i++) {
		u.days[i] = days[i]->day;
		put_u16(b + AT_DAYS + 2 * i, u.days[i]);
	}
	undo_sum(b, b + BYTES - SUM_LEN);
	/* When this fails nothing has begun. The file may name the sequences all the same; they are
	 * never used again. */
	enum err e = write_file(j, b);
	if (!e)
		j->undo = u;
	return e;
}

/* The first block of a lane from k's sequence `first` up to `last`; its key is put into `k`. */
static bool next_of(struct db_txn *t, db_table table, unsigned lane, uint64_t first, uint64_t last,
    uint8_t k[PLACE_LEN])
{
	struct db_cursor c;
	struct str key, value;
	sealed_place(lane, first, k);
	db_walk(t, table, &c);
	bool found = db_seek(&c, sealed_bytes(k, PLACE_LEN), &key, &value) && key.n == PLACE_LEN &&
		     get_u16((const uint8_t *)key.p) == lane &&
		     get_u64((const uint8_t *)key.p + 2) <= last;
	if (found)
		memcpy(k, key.p, PLACE_LEN);
	db_walk_end(&c);
	return found;
}

bool whole_remove(struct db_txn *t, db_table table, unsigned lanes, uint64_t first, uint64_t last)
{
	uint8_t k[PLACE_LEN];
	bool any = false;
	for (unsigned lane = 0; lane < lanes; lane++)
		while (next_of(t, table, lane, first, last, k))
			any |= db_del(t, table, sealed_bytes(k, PLACE_LEN));
	return any;
}

static enum err undo_day(struct local *j, struct journal_day *d)
{
	struct db_txn t;
	d->written = true;
	enum err e = db_begin(&d->db, DB_WRITE, &t);
	if (e)
		return e;
	if (whole_remove(&t, d->table, j->base.lanes, j->undo.first, j->undo.last) || t.err)
		return db_end(&t);
	db_abort(&t);
	return OK;
}

enum err whole_undo(struct local *j)
{
	enum err e = OK;
	for (unsigned i = 0; i < j->undo.n && !e; i++) {
		struct journal_day *d = journal_writers_day(j, j->undo.days[i]);
		if (d) /* else it has expired */
			e = undo_day(j, d);
	}
	return e ? e : whole_end(j);
}

/* --- what was taken from a log outside, and may be there or not (take.c) */

static enum err remove_doubt(struct local *j, struct journal_day *d)
{
	struct db_txn t;
	db_table table;
	enum err e = db_begin(&d->db, DB_WRITE, &t);
	if (e)
		return e;
	d->written = true;
	(void)whole_remove(&t, d->table, j->base.lanes, j->doubt.first, j->doubt.last);
	e = db_find_table(&t, LOG_TABLE, &table);
	if (!e) {
		db_clear(&t, table);
		marks_write(&t, table, &j->mark);
	}
	if (!e || e == ERR_NOT_FOUND)
		return db_end(&t);
	db_abort(&t);
	return e;
}

enum err whole_doubt(struct local *j)
{
	struct journal_day *d = journal_writers_day(j, j->doubt.day);
	enum err e = d ? remove_doubt(j, d) : OK; /* else it has expired */
	if (!e)
		j->doubt.day = 0;
	return e;
}
