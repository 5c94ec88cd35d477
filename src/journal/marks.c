/* Marks: two sorted arrays in memory, and the table `log` (marks.h draws it). */
#include "marks.h"

#include "crumb/base/array.h"
#include "crumb/base/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { AT_KEY = 1 + 4, LIFE_KEY = 1 + 4 + 8, AT_VALUE = 8 };

void log_mark_done(struct log_mark *m)
{
	free(m->at);
	free(m->lives);
	*m = (struct log_mark){.at = NULL};
}

/* --- in memory */

/* The place of a partition, or the one where it would stand. */
static size_t at_place(const struct log_mark *m, uint32_t partition)
{
	size_t lo = 0, hi = m->at_n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (m->at[mid].partition < partition)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_before(const struct log_life *l, uint32_t partition, uint64_t life)
{
	return l->partition < partition || (l->partition == partition && l->life < life);
}

static size_t life_place(const struct log_mark *m, uint32_t partition, uint64_t life)
{
	size_t lo = 0, hi = m->lives_n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (is_before(&m->lives[mid], partition, life))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint64_t log_mark_next(const struct log_mark *m, uint32_t partition)
{
	size_t i = at_place(m, partition);
	return i < m->at_n && m->at[i].partition == partition ? m->at[i].next : 0;
}

struct log_life *log_mark_find(const struct log_mark *m, uint32_t partition, uint64_t life)
{
	size_t i = life_place(m, partition, life);
	bool there =
	    i < m->lives_n && m->lives[i].partition == partition && m->lives[i].life == life;
	return there ? &m->lives[i] : NULL;
}

/* There is room. */
static void join_at(struct log_mark *m, struct log_at a)
{
	size_t i = at_place(m, a.partition);
	if (i < m->at_n && m->at[i].partition == a.partition) {
		if (m->at[i].next < a.next)
			m->at[i].next = a.next;
		return;
	}
	memmove(m->at + i + 1, m->at + i, (m->at_n - i) * sizeof *m->at);
	m->at[i] = a;
	m->at_n++;
}

static void join_life(struct log_mark *m, const struct log_life *l, uint16_t day)
{
	struct log_life *has = log_mark_find(m, l->partition, l->life);
	if (!has) {
		size_t i = life_place(m, l->partition, l->life);
		has = &m->lives[i];
		memmove(has + 1, has, (m->lives_n - i) * sizeof *has);
		m->lives_n++;
		*has = *l;
		has->day = day;
		return;
	}
	window_join(&has->w, &l->w);
	if (has->day < day)
		has->day = day;
}

static enum err have_room(struct log_mark *m, size_t at, size_t lives)
{
	if (array_room(m->at, m->at_cap, m->at_n + at) &&
	    array_room(m->lives, m->lives_cap, m->lives_n + lives))
		return OK;
	return err_set(ERR_NOMEM, "no memory");
}

enum err log_mark_at(struct log_mark *m, uint32_t partition, uint64_t next)
{
	enum err e = have_room(m, 1, 0);
	if (!e)
		join_at(m, (struct log_at){partition, next});
	return e;
}

enum err log_mark_life(struct log_mark *m, const struct log_life *life)
{
	enum err e = have_room(m, 0, 1);
	if (!e)
		join_life(m, life, life->day);
	return e;
}

enum err log_mark_room(struct log_mark *m, const struct log_mark *with)
{
	return have_room(m, with->at_n, with->lives_n);
}

void log_mark_join(struct log_mark *m, const struct log_mark *with, uint16_t day)
{
	for (size_t i = 0; i < with->at_n; i++)
		join_at(m, with->at[i]);
	for (size_t i = 0; i < with->lives_n; i++)
		join_life(m, &with->lives[i], day ? day : with->lives[i].day);
}

enum err log_mark_copy(const struct log_mark *m, struct log_mark *out)
{
	struct log_mark copy = {.at = NULL};
	enum err e = log_mark_room(&copy, m);
	if (e) {
		log_mark_done(&copy);
		return e;
	}
	log_mark_join(&copy, m, 0);
	*out = copy;
	return OK;
}

void log_mark_expire(struct log_mark *m, uint16_t oldest)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->lives_n; i++)
		if (m->lives[i].day >= oldest)
			m->lives[kept++] = m->lives[i];
	m->lives_n = kept;
}

/* --- the table */

static void life_key(const struct log_life *l, uint8_t out[LIFE_KEY])
{
	out[0] = 'w';
	put_u32(out + 1, l->partition);
	put_u64(out + 5, l->life);
}

static struct str bytes(const uint8_t *p, size_t n)
{
	return str_make((const char *)p, n);
}

void marks_write(struct db_txn *t, db_table table, const struct log_mark *m)
{
	uint8_t key[LIFE_KEY], value[WINDOW_SAVED_MOST];
	for (size_t i = 0; i < m->at_n; i++) {
		key[0] = 'p';
		put_u32(key + 1, m->at[i].partition);
		put_u64(value, m->at[i].next);
		db_put(t, table, bytes(key, AT_KEY), bytes(value, AT_VALUE));
	}
	for (size_t i = 0; i < m->lives_n; i++) {
		life_key(&m->lives[i], key);
		size_t n = window_save(&m->lives[i].w, value);
		db_put(t, table, bytes(key, LIFE_KEY), bytes(value, n));
	}
}

static enum err read_row(struct str key, struct str value, uint16_t day, struct log_mark *into)
{
	const uint8_t *k = (const uint8_t *)key.p;
	struct log_life l = {.day = day};
	if (key.n == AT_KEY && k[0] == 'p' && value.n == AT_VALUE)
		return log_mark_at(into, get_u32(k + 1), get_u64((const uint8_t *)value.p));
	if (key.n != LIFE_KEY || k[0] != 'w' || !window_load(&l.w, value))
		return err_set(ERR_CORRUPT, "journal: a mark of the log makes no sense");
	l.partition = get_u32(k + 1);
	l.life = get_u64(k + 5);
	return log_mark_life(into, &l);
}

enum err marks_read(struct db_txn *t, db_table table, uint16_t day, struct log_mark *into)
{
	struct db_cursor c;
	struct str key, value;
	enum err e = OK;
	db_walk(t, table, &c);
	while (!e && db_next(&c, &key, &value))
		e = read_row(key, value, day, into);
	db_walk_end(&c);
	return e ? e : t->err;
}

/* Does `m` say more than `then` of a partition? */
static bool is_further(const struct log_mark *m, const struct log_mark *then)
{
	for (size_t i = 0; i < m->at_n; i++)
		if (m->at[i].next > log_mark_next(then, m->at[i].partition))
			return true;
	return false;
}

static enum err cut_table(struct db_txn *t, const struct log_mark *then)
{
	struct log_mark has = {.at = NULL};
	db_table table;
	enum err e = db_find_table(t, LOG_TABLE, &table);
	if (e)
		return e == ERR_NOT_FOUND ? OK : e;
	e = marks_read(t, table, 0, &has);
	if (!e && is_further(&has, then)) {
		db_clear(t, table);
		marks_write(t, table, then);
	}
	log_mark_done(&has);
	return e;
}

enum err marks_cut(const char *folder, size_t map_bytes, const struct log_mark *then)
{
	char lock[FILE_PATH_MAX];
	struct db db = {.env = NULL};
	struct db_txn t;
	enum err e = db_open(&db, folder, map_bytes, 2, DB_DURABLE);
	if (!e)
		e = db_begin(&db, DB_WRITE, &t);
	if (!e && (e = cut_table(&t, then)))
		db_abort(&t);
	else if (!e)
		e = db_end(&t);
	db_close(&db);
	snprintf(lock, sizeof lock, "%s/lock.mdb", folder);
	unlink(lock);
	return e;
}
