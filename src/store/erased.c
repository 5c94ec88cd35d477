/* The list of the erased: a file, a hash table, and views of it for the collect threads.
 *
 * Three locks, taken in this order. `file` is held while the file is written, so that appending and
 * writing anew do not meet. `lock` is held by whoever changes the table. `swapping` is held for the
 * pointer to the table alone, so that a view that fetches a newer table waits for nobody's disk,
 * and for nobody who fills a table.
 *
 * Writing a slot: key first, then the word (release). Reading: word first (acquire), then the key.
 * A reader who sees a word sees its key. A word is never taken back to 0, and a table is changed by
 * one writer at a time, so that a slot that was free when the writer looked is free. */
#include "crumb/store/erased.h"

#include "crumb/base/buf.h"
#include "crumb/base/code.h"
#include "crumb/base/lock.h"
#include "crumb/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY_LEN = 24, AT_CHECK = 18, LEAST_SLOTS = 64 };
/* The bits of a word. DAY: the latest on which the visitor was listed; 0: the file has no entry. */
enum { DAY = 0xffff, PENDING = 1 << 16, GONE = 1 << 17, USED = 1 << 18 };

struct slot {
	uint64_t a, b; /* the key */
	_Atomic uint32_t word;
};

struct erased_table {
	_Atomic unsigned refs;
	size_t mask; /* slots - 1; their number is a power of two */
	size_t used; /* under the list's lock */
	struct slot slots[];
};

struct erased {
	char path[3800];
	pthread_mutex_t file;
	pthread_mutex_t lock;
	pthread_mutex_t swapping;
	struct erased_table *table; /* read under lock or swapping, set under both; NULL: empty */
	_Atomic uint64_t version;   /* grows with each new table */
	size_t unreadable;	    /* constant: entries of the file that were passed over */
};

/* --- the table */

/* With room for so many entries at three quarters full. */
static struct erased_table *table_new(size_t entries)
{
	size_t n = LEAST_SLOTS;
	while (3 * n < 4 * entries)
		n *= 2;
	struct erased_table *t = calloc(1, sizeof *t + n * sizeof *t->slots);
	CHECK(t);
	atomic_init(&t->refs, 1);
	t->mask = n - 1;
	return t;
}

static void table_unref(struct erased_table *t)
{
	if (t && atomic_fetch_sub(&t->refs, 1) == 1)
		free(t);
}

/* The key's slot, or the free one where it would be; *word is what the slot's word was. There
 * always is a free slot. */
static struct slot *find_slot(struct erased_table *t, const struct vkey *k, uint32_t *word)
{
	uint64_t a = get_u64(k->b), b = get_u64(k->b + 8);
	for (size_t i = (size_t)b & t->mask;; i = (i + 1) & t->mask) {
		struct slot *s = &t->slots[i];
		*word = atomic_load_explicit(&s->word, memory_order_acquire);
		if (!*word || (s->a == a && s->b == b))
			return s;
	}
}

static void slot_key(const struct slot *s, struct vkey *out)
{
	put_u64(out->b, s->a);
	put_u64(out->b + 8, s->b);
}

/* Sets and clears bits of a key's word, and keeps the later day. There is room for the key. */
static void put_in(
    struct erased_table *t, const struct vkey *k, uint16_t day, uint32_t set, uint32_t clear)
{
	uint32_t old;
	struct slot *s = find_slot(t, k, &old);
	if (!old) {
		s->a = get_u64(k->b);
		s->b = get_u64(k->b + 8);
		t->used++;
	}
	uint16_t latest = (old & DAY) > day ? (uint16_t)(old & DAY) : day;
	atomic_store_explicit(
	    &s->word, (old & ~(uint32_t)(DAY | clear)) | latest | set | USED, memory_order_release);
}

/* Puts a new table in the place of the old one, with room for half as many keys again and `more`.
 * The new table does without keys that were erased before `oldest` (0: of any day), or whose
 * erasure failed before it was listed. Pending keys always stay. */
static void make_anew(struct erased *e, size_t more, uint16_t oldest)
{
	CHECK_HELD(&e->lock);
	struct erased_table *old = e->table,
			    *t = table_new((old ? old->used + old->used / 2 : 0) + more);
	struct vkey k;
	for (size_t i = 0; old && i <= old->mask; i++) {
		uint32_t w = atomic_load_explicit(&old->slots[i].word, memory_order_relaxed);
		if (!(w & PENDING) && (oldest ? (w & DAY) < oldest : !(w & (DAY | GONE))))
			continue;
		slot_key(&old->slots[i], &k);
		put_in(t, &k, (uint16_t)(w & DAY), w & (PENDING | GONE), 0);
	}
	pthread_mutex_lock(&e->swapping);
	e->table = t;
	atomic_fetch_add_explicit(&e->version, 1, memory_order_release);
	pthread_mutex_unlock(&e->swapping);
	table_unref(old);
}

/* The same in the list's table, which grows when it is three quarters full. */
static void set_word(
    struct erased *e, const struct vkey *k, uint16_t day, uint32_t set, uint32_t clear)
{
	CHECK_HELD(&e->lock);
	if (!e->table || 4 * (e->table->used + 1) > 3 * (e->table->mask + 1))
		make_anew(e, 1, 0);
	put_in(e->table, k, day, set, clear);
}

/* 0: the key is not in the table. */
static uint32_t word_of(const struct erased *e, const struct vkey *k)
{
	uint32_t word = 0;
	if (e->table)
		find_slot(e->table, k, &word);
	return word;
}

/* --- the file */

static uint32_t check_of(const uint8_t entry[ENTRY_LEN])
{
	uint8_t sum[16];
	crypto_generichash(sum, sizeof sum, entry, AT_CHECK, NULL, 0);
	uint32_t c = get_u32(sum);
	return c ? c : 1;
}

static void encode(const struct vkey *k, uint16_t day, uint8_t out[ENTRY_LEN])
{
	memset(out, 0, ENTRY_LEN);
	memcpy(out, k->b, sizeof k->b);
	put_u16(out + sizeof k->b, day);
	put_u32(out + AT_CHECK, check_of(out));
}

/* Zeros are an older crumb's: it wrote no check. */
static bool readable(const uint8_t entry[ENTRY_LEN])
{
	static const uint8_t none[16];
	uint32_t check = get_u32(entry + AT_CHECK);
	return (check == 0 || check == check_of(entry)) && memcmp(entry, none, sizeof none) != 0 &&
	       get_u16(entry + AT_CHECK + 4) == 0;
}

/* Reads the whole entries of the file; *size is where they end. */
static void read_entries(struct erased *e, FILE *f, off_t *size)
{
	uint8_t b[ENTRY_LEN];
	struct stat st;
	pthread_mutex_lock(&e->lock);
	if (fstat(fileno(f), &st) == 0 && st.st_size >= ENTRY_LEN)
		make_anew(e, (size_t)st.st_size / ENTRY_LEN, 0);
	while (fread(b, 1, sizeof b, f) == ENTRY_LEN) {
		struct vkey k;
		*size += ENTRY_LEN;
		if (!readable(b)) {
			e->unreadable++;
			continue;
		}
		memcpy(k.b, b, sizeof k.b);
		set_word(e, &k, get_u16(b + sizeof k.b), GONE, 0);
	}
	pthread_mutex_unlock(&e->lock);
}

enum err erased_open(const char *path, enum erased_access access, struct erased **out)
{
	const bool create = access == ERASED_WRITE;
	struct erased *e = calloc(1, sizeof *e);
	if (!e)
		return err_set(ERR_NOMEM, "no memory");
	snprintf(e->path, sizeof e->path, "%s", path);
	pthread_mutex_init(&e->file, NULL);
	pthread_mutex_init(&e->lock, NULL);
	pthread_mutex_init(&e->swapping, NULL);
	struct stat st;
	if (lstat(path, &st) == 0 && (stat(path, &st) != 0 || !S_ISREG(st.st_mode))) {
		erased_close(e);
		return err_set(ERR_CORRUPT,
		    "%s is %s: put back the newest copy of it, or remove it, and what the journal "
		    "knows of erasures is put together again",
		    path, S_ISLNK(st.st_mode) ? "a link to a file that is not there" : "no file");
	}
	int fd = open(path, (create ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
	enum err why = OK;
	off_t size = 0;
	if (f)
		read_entries(e, f, &size);
	/* bytes behind the last whole entry are of an entry whose erasure was never answered */
	if (f && (ferror(f) || (create && ftruncate(fd, size) != 0)))
		why = err_sys("%s", e->path);
	if (!f && (fd >= 0 || create || errno != ENOENT))
		why = err_sys("%s", e->path);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	if (why)
		erased_close(e);
	else
		*out = e;
	return why;
}

void erased_close(struct erased *e)
{
	if (!e)
		return;
	pthread_mutex_destroy(&e->file);
	pthread_mutex_destroy(&e->lock);
	pthread_mutex_destroy(&e->swapping);
	table_unref(e->table);
	free(e);
}

void erased_note(struct erased *e, const struct vkey *k)
{
	pthread_mutex_lock(&e->lock);
	set_word(e, k, 0, PENDING, 0);
	pthread_mutex_unlock(&e->lock);
}

void erased_settle(struct erased *e, const struct vkey *keys, size_t n, enum erased_end end)
{
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < n; i++)
		set_word(e, &keys[i], 0, end == ERASED_DONE ? GONE : 0, PENDING);
	pthread_mutex_unlock(&e->lock);
}

/* One write for all keys, behind what is there. In memory the day follows when it is on disk. */
enum err erased_add(struct erased *e, const struct vkey *keys, size_t n, uint16_t day)
{
	struct buf b = {0};
	enum err why = OK;
	pthread_mutex_lock(&e->file);
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < n; i++) {
		uint8_t entry[ENTRY_LEN];
		if ((word_of(e, &keys[i]) & DAY) >= day)
			continue; /* asking again and again makes nothing grow */
		encode(&keys[i], day, entry);
		buf_add(&b, entry, sizeof entry);
	}
	pthread_mutex_unlock(&e->lock);
	if (b.n) {
		int fd = b.failed ? -1
				  : open(e->path,
					O_WRONLY | O_APPEND | O_CREAT | O_DSYNC | O_CLOEXEC, 0600);
		off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
		if (size < 0 || write(fd, b.p, b.n) != (ssize_t)b.n)
			why = err_sys("%s", e->path);
		/* a part of an entry would put all behind it out of place */
		if (why && size >= 0 && ftruncate(fd, size) != 0)
			why = err_sys("%s", e->path);
		if (fd >= 0)
			close(fd);
	}
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < n && !why; i++)
		set_word(e, &keys[i], day, 0, 0);
	pthread_mutex_unlock(&e->lock);
	pthread_mutex_unlock(&e->file);
	buf_done(&b);
	return why;
}

bool erased_since(struct erased *e, const struct vkey *k, uint16_t day)
{
	pthread_mutex_lock(&e->lock);
	uint32_t found = word_of(e, k) & DAY;
	pthread_mutex_unlock(&e->lock);
	return found && found >= day;
}

/* The next slot with a key that was listed on this day or later; NULL: there is none. */
static const struct slot *next_listed(const struct erased *e, size_t *i, uint16_t day)
{
	for (; e->table && *i <= e->table->mask; (*i)++) {
		uint32_t found =
		    atomic_load_explicit(&e->table->slots[*i].word, memory_order_relaxed) & DAY;
		if (found && found >= day)
			return &e->table->slots[(*i)++];
	}
	return NULL;
}

size_t erased_count_since(struct erased *e, uint16_t day)
{
	size_t n = 0, i = 0;
	pthread_mutex_lock(&e->lock);
	while (next_listed(e, &i, day))
		n++;
	pthread_mutex_unlock(&e->lock);
	return n;
}

size_t erased_all(struct erased *e, struct vkey **out)
{
	size_t n = 0, i = 0;
	const struct slot *s;
	pthread_mutex_lock(&e->lock);
	*out = calloc((e->table ? e->table->used : 0) + 1, sizeof **out);
	CHECK(*out);
	while ((s = next_listed(e, &i, 0)))
		slot_key(s, &(*out)[n++]);
	pthread_mutex_unlock(&e->lock);
	return n;
}

/* Writes the file anew without what was listed before `oldest`: first the file, then the table.
 * Keys that come meanwhile wait for the file's lock. */
static enum err rewrite(struct erased *e, uint16_t oldest, bool anyway)
{
	struct buf b = {0};
	size_t kept = 0, all = 0, i = 0;
	const struct slot *s;
	pthread_mutex_lock(&e->file);
	pthread_mutex_lock(&e->lock);
	while (next_listed(e, &i, 0))
		all++;
	for (i = 0; (s = next_listed(e, &i, oldest)); kept++) {
		uint8_t entry[ENTRY_LEN];
		struct vkey k;
		slot_key(s, &k);
		encode(&k, (uint16_t)(atomic_load_explicit(&s->word, memory_order_relaxed) & DAY),
		    entry);
		buf_add(&b, entry, sizeof entry);
	}
	pthread_mutex_unlock(&e->lock);
	enum err why = OK;
	if (b.failed)
		why = err_set(ERR_NOMEM, "no memory");
	else if (kept < all || anyway)
		why = file_replace(e->path, b.n ? buf_view(&b) : STR(""));
	pthread_mutex_lock(&e->lock);
	if (!why && kept < all)
		make_anew(e, 0, oldest);
	pthread_mutex_unlock(&e->lock);
	pthread_mutex_unlock(&e->file);
	buf_done(&b);
	return why;
}

enum err erased_expire(struct erased *e, uint16_t oldest)
{
	return rewrite(e, oldest, false);
}

enum err erased_save(struct erased *e)
{
	return rewrite(e, 0, true);
}

size_t erased_unreadable(const struct erased *e)
{
	return e->unreadable;
}

/* --- for every hit */

void erased_view_init(struct erased_view *v, struct erased *e)
{
	*v = (struct erased_view){.of = e, .version = UINT64_MAX};
}

void erased_view_done(struct erased_view *v)
{
	table_unref(v->table);
	v->table = NULL;
}

/* Takes a reference to the newest table, and lets go of the one of before. */
static void look_anew(struct erased_view *v)
{
	table_unref(v->table);
	pthread_mutex_lock(&v->of->swapping);
	v->version = atomic_load_explicit(&v->of->version, memory_order_relaxed);
	v->table = v->of->table;
	if (v->table)
		atomic_fetch_add(&v->table->refs, 1);
	pthread_mutex_unlock(&v->of->swapping);
}

bool erased_has(struct erased_view *v, const struct vkey *k)
{
	uint32_t word;
	if (atomic_load_explicit(&v->of->version, memory_order_acquire) != v->version)
		look_anew(v);
	if (!v->table)
		return false;
	find_slot(v->table, k, &word);
	return word & (GONE | PENDING);
}
