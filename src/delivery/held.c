/* The ledger of a destination, read and written; delivery/held.h draws the file.
 *
 * A reader goes through the file twice: first for the sum at its end, then for its items. So a file
 * that was cut off or changed is refused as a whole, and nobody acts on half of a ledger.
 *
 * A writer writes PATH.new, sums what it writes, and renames at the end. Errors of writing are
 * sticky: held_put() returns nothing, and held_finish() says what failed. */
#include "crumb/delivery/held.h"

#include "crumb/base/array.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/base/memory.h"
#include "crumb/base/code.h"
#include "crumb/store/store.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

static const char magic[] = "crumb held 1\n";
#define MAGIC_N (sizeof magic - 1)
#define SUM_N 16
#define ROW_N 11	    /* bytes of a row on disk */
#define SEGMENTS_MOST 65536 /* a row has 16 bits for its segment */

void held_item_clear(struct held_item *i)
{
	i->id_n = 0;
	i->rows_n = 0;
}

/* Callers write into the row that they get, so there is always one: the last of the list without
 * memory for more, and `spare` without memory for any. `spare` is a part of the item, so it must
 * not be given to array_room() as a list to be moved. */
struct held_row *held_item_add(struct held_item *i)
{
	if (i->rows_n >= i->rows_cap) {
		struct held_row *rows = i->rows_cap ? i->rows : NULL;
		if (array_room(rows, i->rows_cap, i->rows_n + 1)) {
			i->rows = rows;
		} else {
			i->rows = i->rows ? i->rows : &i->spare;
			i->rows_n -= i->rows_n > 0;
		}
	}
	i->rows[i->rows_n] = (struct held_row){0};
	return &i->rows[i->rows_n++];
}

void held_item_done(struct held_item *i)
{
	if (i->rows != &i->spare)
		free(i->rows);
	*i = (struct held_item){.id_n = 0};
}

int held_compare(const struct held_item *a, const struct held_item *b)
{
	int c = memcmp(a->id, b->id, a->id_n < b->id_n ? a->id_n : b->id_n);
	if (c)
		return c;
	return (a->id_n > b->id_n) - (a->id_n < b->id_n);
}

int held_order(const struct held_item *a, const struct held_item *b)
{
	if (!a)
		return 1;
	return b ? held_compare(a, b) : -1;
}

/* --- reading */

struct held_reader {
	FILE *file;
	struct held_segment *segments;
	unsigned segments_n;
};

static bool held_get(FILE *f, void *p, size_t n)
{
	return fread(p, 1, n, f) == n;
}

static bool held_get_text(FILE *f, char *out, size_t cap)
{
	uint8_t n;
	if (!held_get(f, &n, 1) || n >= cap || !held_get(f, out, n))
		return false;
	out[n] = 0;
	return true;
}

/* Is the sum at the end that of what stands before it? Leaves the file at its beginning. */
static bool sound(FILE *f)
{
	static _Thread_local uint8_t part[65536];
	uint8_t sum[SUM_N], last[SUM_N];
	crypto_generichash_state s;
	crypto_generichash_init(&s, NULL, 0, SUM_N);
	if (fseek(f, 0, SEEK_END) != 0)
		return false;
	long size = ftell(f);
	if (size < (long)(MAGIC_N + 4 + 1 + SUM_N))
		return false;
	rewind(f);
	for (long left = size - SUM_N; left > 0;) {
		size_t n = left < (long)sizeof part ? (size_t)left : sizeof part;
		if (!held_get(f, part, n))
			return false;
		crypto_generichash_update(&s, part, n);
		left -= (long)n;
	}
	crypto_generichash_final(&s, sum, SUM_N);
	bool same = held_get(f, last, SUM_N) && memcmp(sum, last, SUM_N) == 0;
	rewind(f);
	return same;
}

/* False: this is no ledger, or there is no memory (memory_short()). */
static bool read_head(struct held_reader *r)
{
	char head[MAGIC_N];
	uint8_t n[4];
	if (!held_get(r->file, head, MAGIC_N) || memcmp(head, magic, MAGIC_N) != 0 ||
	    !held_get(r->file, n, 4) || get_u32(n) > SEGMENTS_MOST)
		return false;
	r->segments_n = get_u32(n);
	r->segments = calloc(r->segments_n + 1, sizeof *r->segments);
	if (!r->segments) {
		memory_none();
		return false;
	}
	for (unsigned i = 0; i < r->segments_n; i++)
		if (!held_get_text(r->file, r->segments[i].id, sizeof r->segments[i].id) ||
		    !held_get_text(r->file, r->segments[i].theirs, sizeof r->segments[i].theirs))
			return false;
	return true;
}

enum err held_open(const char *path, struct held_reader **out)
{
	struct held_reader *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(ERR_NOMEM, "no memory for this now");
	r->file = fopen(path, "rb");
	if (!r->file && errno != ENOENT) {
		enum err e = err_sys("%s", path);
		held_close(r);
		return e;
	}
	if (r->file && (!sound(r->file) || !read_head(r))) {
		held_close(r);
		if (memory_short())
			return memory_check();
		return err_set(
		    ERR_CORRUPT, "%s is damaged: its bytes are not those that were written", path);
	}
	*out = r;
	return OK;
}

const struct held_segment *held_segments(const struct held_reader *r, unsigned *n)
{
	*n = r ? r->segments_n : 0;
	return r ? r->segments : NULL;
}

bool held_exists(const struct held_reader *r)
{
	return r->file != NULL;
}

bool held_next(struct held_reader *r, struct held_item *out)
{
	uint8_t n, count[2], b[ROW_N];
	held_item_clear(out);
	if (!r || !r->file || !held_get(r->file, &n, 1) || n == 0 ||
	    !held_get(r->file, out->id, n) || !held_get(r->file, count, 2))
		return false;
	out->id_n = n;
	for (unsigned i = get_u16(count); i-- > 0;) {
		if (!held_get(r->file, b, ROW_N))
			return false;
		struct held_row *row = held_item_add(out);
		*row = (struct held_row){.segment = get_u16(b),
		    .until = get_u16(b + 2),
		    .owed = get_u16(b + 4),
		    .file = get_u32(b + 6),
		    .state = b[10]};
		if (row->segment >= r->segments_n)
			out->rows_n--; /* a name that is not there means nothing */
	}
	return true;
}

void held_close(struct held_reader *r)
{
	if (!r)
		return;
	if (r->file)
		fclose(r->file);
	free(r->segments);
	free(r);
}

/* --- writing */

struct held_writer {
	FILE *file;
	char path[FILE_PATH_MAX], fresh[FILE_PATH_MAX + 8]; /* where it goes, where it is written */
	crypto_generichash_state sum;
	bool failed; /* sticky */
};

static void held_put_bytes(struct held_writer *w, const void *p, size_t n)
{
	crypto_generichash_update(&w->sum, p, n);
	w->failed |= fwrite(p, 1, n, w->file) != n;
}

static void held_put_text(struct held_writer *w, const char *s)
{
	uint8_t n = (uint8_t)strlen(s);
	held_put_bytes(w, &n, 1);
	held_put_bytes(w, s, n);
}

enum err held_create(
    const char *path, const struct held_segment *segments, unsigned n, struct held_writer **out)
{
	uint8_t b[4];
	struct held_writer *w = calloc(1, sizeof *w);
	if (!w)
		return err_set(ERR_NOMEM, "no memory for this now");
	snprintf(w->path, sizeof w->path, "%s", path);
	snprintf(w->fresh, sizeof w->fresh, "%s.new", path);
	w->file = fopen(w->fresh, "wb");
	if (!w->file) {
		enum err e = err_sys("%s", w->fresh);
		free(w);
		return e;
	}
	crypto_generichash_init(&w->sum, NULL, 0, SUM_N);
	held_put_bytes(w, magic, MAGIC_N);
	put_u32(b, n);
	held_put_bytes(w, b, 4);
	for (unsigned i = 0; i < n; i++) {
		held_put_text(w, segments[i].id);
		held_put_text(w, segments[i].theirs);
	}
	*out = w;
	return OK;
}

void held_put(struct held_writer *w, const struct held_item *item)
{
	uint8_t n = (uint8_t)item->id_n, b[ROW_N];
	if (item->rows_n == 0 || item->id_n == 0)
		return;
	held_put_bytes(w, &n, 1);
	held_put_bytes(w, item->id, item->id_n);
	put_u16(b, (uint16_t)item->rows_n);
	held_put_bytes(w, b, 2);
	for (unsigned i = 0; i < item->rows_n; i++) {
		const struct held_row *r = &item->rows[i];
		put_u16(b, r->segment);
		put_u16(b + 2, r->until);
		put_u16(b + 4, r->owed);
		put_u32(b + 6, r->file);
		b[10] = r->state;
		held_put_bytes(w, b, ROW_N);
	}
}

enum err held_finish(struct held_writer *w)
{
	if (memory_short()) { /* rows may be missing: who is not in the file is never taken back */
		held_drop(w);
		return memory_check();
	}
	uint8_t end = 0, sum[SUM_N];
	char folder[FILE_PATH_MAX];
	held_put_bytes(w, &end, 1);
	crypto_generichash_final(&w->sum, sum, SUM_N);
	w->failed |= fwrite(sum, 1, SUM_N, w->file) != SUM_N;
	w->failed |= fflush(w->file) != 0 || fsync(fileno(w->file)) != 0;
	enum err e = w->failed ? err_sys("%s", w->fresh) : OK;
	fclose(w->file);
	if (!e && rename(w->fresh, w->path) != 0)
		e = err_sys("%s", w->path);
	if (e)
		unlink(w->fresh);
	snprintf(folder, sizeof folder, "%s", w->path);
	*strrchr(folder, '/') = 0;
	free(w);
	return e ? e : folder_sync(folder);
}

void held_drop(struct held_writer *w)
{
	fclose(w->file);
	unlink(w->fresh);
	free(w);
}

void held_keep(const char *held)
{
	char before[FILE_PATH_MAX];
	snprintf(before, sizeof before, "%s.before", held);
	unlink(before);
	if (link(held, before) != 0 && errno != ENOENT)
		log_warn("deliver", "the ledger has no second copy path=%s why=\"%s\"", held,
		    strerror(errno));
}
