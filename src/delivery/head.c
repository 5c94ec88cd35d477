/* How a delivered file begins (delivery/head.h says what of it is told).
 *
 *     our log ─► the latest delivery that arrived: the name of its first file, and the sum of what
 *     the file begins with ─► the file in the destination's folder, up to FORMAT_BEGINS bytes ─►
 *     are they what was written? ─► unpacked, up to as many bytes ─► the format's masked() ─►
 *     lines ─► k
 *
 * The folder is the partner's as much as ours, and anybody may have written what is in it. So only
 * bytes that we wrote are looked at: a stranger's file could hold the ids of those whom he wants to
 * see told. Links are not followed, and pipes are not waited for. */
#include "crumb/delivery/head.h"

#include "crumb/base/array.h"
#include "crumb/base/code.h"
#include "crumb/base/map.h"
#include "crumb/base/memory.h"
#include "crumb/delivery/deliver.h"
#include "crumb/partners/format.h"
#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define READ_MOST FORMAT_BEGINS /* bytes of a file, and of what it unpacks to */
#define PIECE 65536
#define GZIP_WINDOW (15 + 16) /* the largest, with a head and a tail of gzip: zlib.h */

/* --- reading */

/* *whole: the end of it was seen. */
static enum err read_from(int fd, size_t most, struct buf *out, bool *whole)
{
	ssize_t n = 1;
	while (n != 0 && out->n < most) {
		size_t want = most - out->n < PIECE ? most - out->n : PIECE;
		if (!buf_reserve(out, want))
			return err_set(ERR_NOMEM, "no memory for this now");
		n = read(fd, out->p + out->n, want);
		if (n < 0 && errno != EINTR)
			return err_sys("a delivered file cannot be read");
		out->n += n > 0 ? (size_t)n : 0;
	}
	*whole = n == 0;
	return OK;
}

/* At most `most` bytes of a file in the folder. ERR_NOT_FOUND: there is none, or it is no file.
 * *whole: its end was seen. */
static enum err read_in(
    const char *folder, const char *name, size_t most, struct buf *out, bool *whole)
{
	char path[OUTBOX_PATH];
	struct stat st;
	enum err e = OK;
	int len = snprintf(path, sizeof path, "%s/%s", folder, name);
	if (len < 0 || (size_t)len >= sizeof path || !*name || *name == '.' || strchr(name, '/'))
		return err_set(ERR_NOT_FOUND, "there is no such file");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return err_set(ERR_NOT_FOUND, "%s is no file", path);
	if (fd < 0)
		return err_sys_path(path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = err_set(ERR_NOT_FOUND, "%s is no file", path);
	if (!e)
		e = read_from(fd, most, out, whole);
	close(fd);
	return e;
}

/* As much as there is, READ_MOST at most; what is cut off or damaged ends it. */
static void inflate_to(struct str packed, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return;
	for (int rc = Z_OK; rc == Z_OK && out->n < READ_MOST && buf_reserve(out, PIECE);) {
		z.next_out = (Bytef *)out->p + out->n;
		z.avail_out = PIECE;
		rc = inflate(&z, Z_NO_FLUSH);
		out->n += PIECE - z.avail_out;
	}
	inflateEnd(&z);
}

static void unzstd_to(struct str packed, struct buf *out)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = {packed.p, packed.n, 0};
	for (size_t left = 1; z && left && out->n < READ_MOST && buf_reserve(out, PIECE);) {
		ZSTD_outBuffer to = {out->p + out->n, PIECE, 0};
		left = ZSTD_decompressStream(z, &to, &in);
		out->n += to.pos;
		if (ZSTD_isError(left) || (!to.pos && in.pos == in.size))
			break;
	}
	ZSTD_freeDCtx(z);
}

/* By the ending of its name: `compress` of the destination may have been changed since. */
static enum compression packing_of(const char *name)
{
	size_t n = strlen(name), m;
	for (int i = COMPRESS_NONE + 1; i < COMPRESSIONS; i++)
		if ((m = strlen(compressions[i].ending)) < n &&
		    strcmp(name + n - m, compressions[i].ending) == 0)
			return (enum compression)i;
	return COMPRESS_NONE;
}

/* Are these bytes what the file began with when it was written? */
static bool is_ours(struct str raw, const struct delivered_file *f)
{
	uint8_t sum[32];
	char hex[65];
	crypto_hash_sha256(sum, (const uint8_t *)(raw.n ? raw.p : ""), raw.n);
	hex_encode(sum, 32, hex);
	hex[64] = 0;
	return strcmp(hex, f->begins) == 0;
}

/* One file's: package.c ends the stream once. */
static void unpack(enum compression packing, struct str raw, struct buf *text)
{
	if (packing == COMPRESS_GZ)
		inflate_to(raw, text);
	else if (packing == COMPRESS_ZSTD)
		unzstd_to(raw, text);
	else
		buf_str(text, raw);
}

/* The text of a file. *whole: all of it. ERR_CORRUPT: somebody has written it anew. */
static enum err read_text(
    const char *folder, const struct delivered_file *f, struct buf *text, bool *whole)
{
	struct buf raw = {0};
	enum err e = read_in(folder, f->name, READ_MOST, &raw, whole);
	if (!e && !is_ours(buf_view(&raw), f))
		e = err_set(ERR_CORRUPT, "%s is not what was delivered", f->name);
	if (!e && raw.n)
		unpack(packing_of(f->name), buf_view(&raw), text);
	*whole = *whole && text->n < READ_MOST;
	buf_done(&raw);
	return e || !text->failed ? e : err_set(ERR_NOMEM, "no memory for this now");
}

/* --- lines */

/* Lines that differ, each with how many are like it. Files have many lines of few kinds. */
struct lines {
	struct counted {
		struct str text;
		uint64_t like;
	} * list;
	size_t n, cap;
	struct map places; /* of a text in the list */
};

static int by_text(const void *a, const void *b)
{
	const struct str x = ((const struct counted *)a)->text,
			 y = ((const struct counted *)b)->text;
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
	if (c)
		return c;
	return x.n < y.n ? -1 : x.n > y.n;
}

static enum err count_lines(struct str text, struct lines *out)
{
	struct str line;
	uint32_t at;
	while (text.n && str_cut(&text, '\n', &line)) {
		if (map_get(&out->places, line, &at)) {
			out->list[at].like++;
			continue;
		}
		if (!array_room(out->list, out->cap, out->n + 1) || !map_room(&out->places))
			return err_set(ERR_NOMEM, "no memory for this now");
		map_put(&out->places, line, (uint32_t)out->n);
		out->list[out->n++] = (struct counted){line, 1};
	}
	return OK;
}

/* A line that is no text, in UTF-8 and without zero bytes, is not told; formats write none. */
static void tell_line(json_t *told, struct str line)
{
	if (!memchr(line.p, 0, line.n))
		json_array_append_new(told, json_stringn(line.p, line.n));
}

/* Each line that so many are like as the gate wants, once; `most` of them. */
static enum err tell_lines(
    const struct masked *m, const struct kgate *gate, size_t most, json_t *told, bool *more)
{
	struct lines all = {.list = NULL};
	struct str head = m->head.n ? buf_view(&m->head) : STR(""), line;
	enum err e = m->lines.n ? count_lines(buf_view(&m->lines), &all) : OK;
	bool headed = false;
	if (!e && all.n)
		qsort(all.list, all.n, sizeof *all.list, by_text);
	*more = false;
	for (size_t i = 0; i < all.n && !e && !*more; i++) {
		if (!kgate_show(gate, all.list[i].like).told)
			continue;
		while (!headed && head.n && str_cut(&head, '\n', &line))
			tell_line(told, line);
		headed = true;
		if (json_array_size(told) < most)
			tell_line(told, all.list[i].text);
		else
			*more = true;
	}
	free(all.list);
	map_done(&all.places);
	return e;
}

/* --- telling */

static enum err tell_file(const struct plan_wish *w, const struct kgate *gate, unsigned lines,
    const struct delivered_file *f, json_t *told)
{
	char folder[FILE_PATH_MAX];
	struct buf text = {0};
	struct masked m = {.head = {0}};
	bool whole = true, more = false;
	json_t *list = json_array();
	snprintf(folder, sizeof folder, STR_FMT, STR_ARG(w->d->where));
	enum err e = read_text(folder, f, &text, &whole);
	if (!e && text.n)
		w->d->format->masked(w->d, buf_view(&text), &m);
	if (!e && (m.head.failed || m.lines.failed))
		e = err_set(ERR_NOMEM, "no memory for this now");
	if (!e)
		e = tell_lines(&m, gate, lines, list, &more);
	masked_done(&m);
	buf_done(&text);
	if (!e) {
		json_object_set_new(told, "delivery", json_string(f->delivery));
		json_object_set_new(told, "file", json_string(f->name));
		json_object_set(told, "lines", list);
		json_object_set_new(told, "more", json_boolean(more));
		json_object_set_new(told, "part", json_boolean(!whole || m.cut));
		json_object_set_new(told, "below", json_integer((json_int_t)kgate_k(gate)));
	}
	json_decref(list);
	return e;
}

/* What is told besides a file. */
static const char *state_of(const struct plan_wish *w, struct delivered_file *f)
{
	if (w->d->way->where == WHERE_NONE || !w->d->format->masked)
		return "asked";
	if (w->d->way->where == WHERE_URL)
		return "push";
	if (!delivery_arrived(w->g->store->path, w->d->id, f))
		return "none";
	return *f->name && *f->begins ? "file" : "older";
}

enum err head_told(
    const struct plan_wish *w, const struct kgate *gate, unsigned lines, json_t **out)
{
	struct delivered_file f;
	const char *state = state_of(w, &f);
	json_t *told =
	    json_pack("{s:s,s:s}", "destination", w->d->id, "format", w->d->format->name);
	enum err e = OK;
	if (strcmp(state, "file") == 0)
		e = tell_file(w, gate, lines, &f, told);
	if (e == ERR_NOT_FOUND || e == ERR_CORRUPT) {
		state = e == ERR_CORRUPT ? "changed" : "gone";
		e = OK;
	}
	json_object_set_new(told, "state", json_string(state));
	if (!e)
		e = memory_check();
	if (e)
		json_decref(told);
	else
		*out = told;
	return e;
}
