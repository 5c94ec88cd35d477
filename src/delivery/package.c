/* Items become files; delivery/package.h draws the way.
 *
 * When is a file full? The encoder writes an item into `scratch` first. If that does not fit, the
 * file is closed, the next one opened, and the item encoded again, for what is written may depend
 * on whether it is the first of its file (a comma before it, say). Formats that write blocks (Avro)
 * keep items back, so the size of an item is not known when it comes: there a file is closed when
 * less than one block's room is left. */
#include "crumb/delivery/package.h"

#include "crumb/base/array.h"
#include "crumb/base/memory.h"
#include "crumb/base/code.h"
#include "crumb/store/store.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE 65536	/* bytes at a time through the compressor */
#define BLOCK_ROOM 4096 /* bytes that an item of a format with blocks may add */
#define FILE_TAIL 64	/* bytes that the end of a file may add */
#define GZIP_LEVEL 6
#define GZIP_WINDOW (15 + 16) /* the largest, with a head and a tail of gzip: zlib.h */
#define GZIP_MEMORY 8

struct package {
	struct encoder encoder;
	const struct destination *d;
	uint32_t stamp;
	char folder[4096];
	FILE *file;
	struct format_file *files;
	unsigned n;
	size_t cap;
	struct buf scratch, piece; /* an item; bytes on their way through the compressor */
	crypto_hash_sha256_state sha;
	EVP_MD_CTX *md5; /* some want it */
	z_stream gz;
	ZSTD_CCtx *zstd;
	char delivery[DELIVERY_ID]; /* `encoder` points to it */
};

/* --- names */

/* As the format says; else DESTINATION_full_TIME_part001.ENDING, or delta. */
static void name_file(const struct package *p, unsigned n, char out[FORMAT_NAME_MOST])
{
	const struct encoder *e = &p->encoder;
	const char *packed = compressions[p->d->compress].ending;
	char when[32];
	struct tm tm;
	time_t t = p->stamp;
	if (e->format->file_name) {
		e->format->file_name(e, p->stamp, n, packed, out);
		return;
	}
	gmtime_r(&t, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out, FORMAT_NAME_MOST, "%s_%s_%s_part%03u.%s%s", p->d->id,
	    format_extents[e->extent], when, n + 1, e->format->ending, packed);
}

/* --- bytes */

static void end_sum(crypto_hash_sha256_state *sha, char out[65])
{
	uint8_t sum[32];
	crypto_hash_sha256_final(sha, sum);
	hex_encode(sum, 32, out);
	out[64] = 0;
}

/* Counts bytes into the sum. Where the beginning of the file ends, the sum so far is its sum. */
static void sum_bytes(struct package *p, const uint8_t *bytes, size_t n)
{
	struct format_file *f = &p->files[p->n - 1];
	uint64_t left = f->bytes < FORMAT_BEGINS ? FORMAT_BEGINS - f->bytes : 0;
	if (left && n >= left) {
		crypto_hash_sha256_update(&p->sha, bytes, left);
		crypto_hash_sha256_state so_far = p->sha;
		end_sum(&so_far, f->begins);
		bytes += left;
		n -= left;
	}
	crypto_hash_sha256_update(&p->sha, bytes, n);
}

static enum err write_out(struct package *p, const void *bytes, size_t n)
{
	struct format_file *f = &p->files[p->n - 1];
	sum_bytes(p, bytes, n);
	if (p->md5)
		EVP_DigestUpdate(p->md5, bytes, n);
	f->bytes += n;
	return fwrite(bytes, 1, n, p->file) == n ? OK : err_sys("%s", p->folder);
}

static enum err squeeze_gzip(struct package *p, struct str s, bool end)
{
	static _Thread_local uint8_t out[PIECE];
	int rc;
	p->gz.next_in = (Bytef *)(uintptr_t)s.p;
	p->gz.avail_in = (uInt)s.n;
	do {
		p->gz.next_out = out;
		p->gz.avail_out = sizeof out;
		rc = deflate(&p->gz, end ? Z_FINISH : Z_NO_FLUSH);
		enum err e = write_out(p, out, sizeof out - p->gz.avail_out);
		if (e)
			return e;
		if (rc == Z_STREAM_ERROR)
			return err_set(ERR_IO, "gzip fails");
	} while (end ? rc != Z_STREAM_END : p->gz.avail_in > 0);
	return OK;
}

static enum err squeeze_zstd(struct package *p, struct str s, bool end)
{
	static _Thread_local uint8_t out[PIECE];
	ZSTD_inBuffer in = {s.p, s.n, 0};
	enum err e = OK;
	for (size_t left = 1; !e && (end ? left != 0 : in.pos < in.size);) {
		ZSTD_outBuffer to = {out, sizeof out, 0};
		left = ZSTD_compressStream2(p->zstd, &to, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_set(ERR_IO, "zstd: %s", ZSTD_getErrorName(left));
		e = write_out(p, out, to.pos);
	}
	return e;
}

/* Bytes go through the compressor to the file. `end`: all that the compressor keeps back comes out,
 * and its tail. */
static enum err squeeze(struct package *p, struct str s, bool end)
{
	switch (p->d->compress) {
	case COMPRESS_GZ:
		return squeeze_gzip(p, s, end);
	case COMPRESS_ZSTD:
		return squeeze_zstd(p, s, end);
	default:
		return s.n ? write_out(p, s.p, s.n) : OK;
	}
}

/* Counts what is written, and gathers it to pieces for the compressor. */
static enum err package_put(struct package *p, struct str s)
{
	if (p->scratch.failed || p->encoder.block.failed)
		return err_set(ERR_NOMEM, "no memory for this now");
	p->files[p->n - 1].raw += s.n;
	for (size_t i = 0; i < s.n; i++)
		p->files[p->n - 1].lines += s.p[i] == '\n';
	buf_str(&p->piece, s);
	if (p->piece.failed)
		return err_set(ERR_NOMEM, "no memory for this now");
	if (p->piece.n < PIECE)
		return OK;
	enum err e = squeeze(p, buf_view(&p->piece), false);
	buf_clear(&p->piece);
	return e;
}

static void free_streams(struct package *p);

/* A half opened file is given back. */
static enum err no_stream(struct package *p)
{
	free_streams(p);
	return err_set(ERR_NOMEM, "no memory for this now");
}

/* Begins the next file, with the head that the format gives it. */
static enum err open_file(struct package *p)
{
	char path[4500];
	if (!array_room(p->files, p->cap, p->n + 1))
		return err_set(ERR_NOMEM, "no memory for this now");
	struct format_file *f = &p->files[p->n];
	*f = (struct format_file){.rows = 0};
	name_file(p, p->n, f->name);
	snprintf(path, sizeof path, "%s/%s", p->folder, f->name);
	p->file = fopen(path, "wb");
	if (!p->file)
		return err_sys("%s", p->folder);
	p->n++;
	crypto_hash_sha256_init(&p->sha);
	if (p->d->format->md5) {
		p->md5 = EVP_MD_CTX_new();
		if (!p->md5 || !EVP_DigestInit_ex(p->md5, EVP_md5(), NULL))
			return no_stream(p);
	}
	p->gz = (z_stream){.next_in = NULL};
	if (p->d->compress == COMPRESS_GZ &&
	    deflateInit2(&p->gz, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return no_stream(p);
	if (p->d->compress == COMPRESS_ZSTD && !(p->zstd = ZSTD_createCCtx()))
		return no_stream(p);
	p->encoder.items = 0;
	buf_clear(&p->scratch);
	if (p->encoder.format->begin)
		p->encoder.format->begin(&p->encoder, &p->scratch);
	return p->scratch.n ? package_put(p, buf_view(&p->scratch)) : OK;
}

static void free_streams(struct package *p)
{
	if (p->d->compress == COMPRESS_GZ)
		deflateEnd(&p->gz);
	ZSTD_freeCCtx(p->zstd);
	p->zstd = NULL;
	if (p->file)
		fclose(p->file);
	p->file = NULL;
	EVP_MD_CTX_free(p->md5);
	p->md5 = NULL;
}

/* Ends the file: its tail, what the compressor keeps back, its sums. It is on disk afterwards. */
static enum err close_file(struct package *p)
{
	struct format_file *f = &p->files[p->n - 1];
	uint8_t md5[EVP_MAX_MD_SIZE];
	unsigned md5_n = 0;
	buf_clear(&p->scratch);
	if (p->encoder.format->end)
		p->encoder.format->end(&p->encoder, &p->scratch);
	enum err e;
	if (p->scratch.n || p->scratch.failed)
		e = package_put(p, p->scratch.n ? buf_view(&p->scratch) : STR(""));
	else
		e = memory_check();
	if (!e)
		e = squeeze(p, p->piece.n ? buf_view(&p->piece) : STR(""), true);
	buf_clear(&p->piece);
	end_sum(&p->sha, f->sha256);
	if (!*f->begins)
		memcpy(f->begins, f->sha256, sizeof f->begins);
	if (p->md5 && EVP_DigestFinal_ex(p->md5, md5, &md5_n))
		hex_encode(md5, 16, f->md5);
	if (!e && (fflush(p->file) != 0 || fsync(fileno(p->file)) != 0))
		e = err_sys("%s", p->folder);
	free_streams(p);
	return e;
}

/* --- items */

enum err package_begin(const struct destination *d, const char *folder, enum format_extent extent,
    struct str delivery, uint32_t stamp, uint32_t now, struct package **out)
{
	struct package *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(ERR_NOMEM, "no memory for this now");
	p->d = d;
	p->stamp = stamp;
	snprintf(p->folder, sizeof p->folder, "%s", folder);
	snprintf(p->delivery, sizeof p->delivery, STR_FMT, STR_ARG(delivery));
	enum err e = encoder_init(&p->encoder, d, extent, str_c(p->delivery), now);
	if (e)
		package_free(p);
	else
		*out = p;
	return e;
}

/* Is there room for so many more bytes and rows? Whatever comes first fits. */
static bool fits(const struct package *p, size_t more, unsigned changes)
{
	const struct format_file *f = &p->files[p->n - 1];
	if (f->rows == 0)
		return true;
	return (!p->d->rows || f->rows + changes <= p->d->rows) &&
	       (!p->d->bytes || f->raw + p->encoder.block.n + more + FILE_TAIL <= p->d->bytes);
}

enum err package_item(
    struct package *p, const struct out_item *item, unsigned changes, uint32_t *file, bool *written)
{
	struct encoder *e = &p->encoder;
	bool blocks = e->format->blocks;
	enum err err = OK;
	if (!p->file && (err = open_file(p)))
		return err;
	for (int tries = 0; tries < 2; tries++) {
		if (blocks && !fits(p, BLOCK_ROOM, changes) &&
		    ((err = close_file(p)) || (err = open_file(p))))
			return err;
		buf_clear(&p->scratch);
		*written = e->format->item(e, item, &p->scratch);
		if (!*written || blocks || fits(p, p->scratch.n, changes))
			break;
		if ((err = close_file(p)) || (err = open_file(p)))
			return err;
	}
	if (!*written)
		return OK;
	*file = p->n - 1;
	e->items++;
	p->files[p->n - 1].rows += changes;
	if (!p->scratch.n && !p->scratch.failed && !e->block.failed)
		return OK;
	return package_put(p, p->scratch.n ? buf_view(&p->scratch) : STR(""));
}

/* --- the end */

/* What the format wants beside the files is one of them. */
static enum err write_beside(struct package *p)
{
	struct buf text = {0};
	struct format_file f = {.rows = 0};
	char path[4500];
	uint8_t sum[32];
	p->encoder.format->beside(&p->encoder, p->files, p->n, f.name, &text);
	snprintf(path, sizeof path, "%s/%s", p->folder, f.name);
	enum err e = text.failed || !array_room(p->files, p->cap, p->n + 1)
			 ? err_set(ERR_NOMEM, "no memory for this now")
			 : OK;
	if (!e)
		e = file_replace(path, buf_view(&text));
	if (!e) {
		f.bytes = f.raw = text.n;
		crypto_hash_sha256(sum, (uint8_t *)text.p, text.n);
		hex_encode(sum, 32, f.sha256);
		p->files[p->n++] = f;
	}
	buf_done(&text);
	return e;
}

enum err package_end(struct package *p)
{
	enum err e = p->file ? close_file(p) : OK;
	if (!e && p->n && p->encoder.format->beside)
		e = write_beside(p);
	return e ? e : folder_sync(p->folder);
}

const struct format_file *package_files(const struct package *p, unsigned *n)
{
	*n = p->n;
	return p->files;
}

void package_free(struct package *p)
{
	if (!p)
		return;
	if (p->file)
		free_streams(p);
	encoder_done(&p->encoder);
	buf_done(&p->scratch);
	buf_done(&p->piece);
	free(p->files);
	free(p);
}
