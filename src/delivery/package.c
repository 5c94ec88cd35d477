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

#define PIECE 65536

struct package {
	struct encoder encoder;
	const struct destination *d;
	uint32_t stamp;
	char folder[4096];
	FILE *file;
	struct package_file *files;
	unsigned n;
	size_t cap;
	struct buf scratch, piece; /* an item; bytes on their way through the compressor */
	crypto_hash_sha256_state sha;
	EVP_MD_CTX *md5; /* Adobe wants it */
	z_stream gz;
	ZSTD_CCtx *zstd;
	char delivery[128];
};

/* --- names */

static void name_file(const struct package *p, unsigned n, char out[300])
{
	const struct encoder *e = &p->encoder;
	const struct destination *d = p->d;
	char when[32];
	struct tm tm;
	time_t t = p->stamp;
	gmtime_r(&t, &tm);
	const char *packed = d->compress == COMPRESS_GZ ? ".gz" : d->compress == COMPRESS_ZSTD ? ".zst" : "";
	struct str a, b, c;
	if (d->format == FORMAT_AAM) {
		a = setting_get(d->settings, d->settings_n, "dpid");
		b = setting_get(d->settings, d->settings_n, "target");
		c = setting_get(d->settings, d->settings_n, "data_owner");
		snprintf(out, 300, "ftp_dpm_" STR_FMT "%s" STR_FMT "%s" STR_FMT "_%010u.%s.%u%s", STR_ARG(a), b.n ? "_" : "", STR_ARG(b),
		    c.n ? "_" : "", STR_ARG(c), p->stamp, e->full ? "overwrite" : "sync", n + 1, packed);
	} else if (d->format == FORMAT_LIVERAMP) {
		a = setting_get(d->settings, d->settings_n, "device");
		b = setting_get(d->settings, d->settings_n, "distribution_id");
		strftime(when, sizeof when, "%Y%m%d_%H%M%S", &tm);
		snprintf(
		    out, 300, "lr_" STR_FMT "_segments_%s_" STR_FMT "_part%03u%s", STR_ARG(a.n ? a : STR("cookie")), when, STR_ARG(b), n + 1, packed);
	} else {
		strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
		snprintf(out, 300, "%s_%s_%s_part%03u.%s%s", d->id, e->full ? "full" : "delta", when, n + 1, e->format->ending, packed);
	}
}

/* --- bytes */

static enum err write_out(struct package *p, const void *bytes, size_t n)
{
	struct package_file *f = &p->files[p->n - 1];
	crypto_hash_sha256_update(&p->sha, bytes, n);
	if (p->md5)
		EVP_DigestUpdate(p->md5, bytes, n);
	f->bytes += n;
	return fwrite(bytes, 1, n, p->file) == n ? OK : err_sys("%s", p->folder);
}

static enum err squeeze(struct package *p, struct str s, bool end)
{
	static _Thread_local uint8_t out[PIECE];
	enum err e = OK;
	if (p->d->compress == COMPRESS_NONE)
		return s.n ? write_out(p, s.p, s.n) : OK;
	if (p->d->compress == COMPRESS_GZ) {
		p->gz.next_in = (Bytef *)(uintptr_t)s.p;
		p->gz.avail_in = (uInt)s.n;
		int rc = Z_OK;
		do {
			p->gz.next_out = out;
			p->gz.avail_out = sizeof out;
			rc = deflate(&p->gz, end ? Z_FINISH : Z_NO_FLUSH);
			e = write_out(p, out, sizeof out - p->gz.avail_out);
		} while (!e && rc != Z_STREAM_ERROR && (end ? rc != Z_STREAM_END : p->gz.avail_in > 0));
		return e ? e : rc == Z_STREAM_ERROR ? err_set(ERR_IO, "gzip fails") : OK;
	}
	ZSTD_inBuffer in = {s.p, s.n, 0};
	for (size_t left = 1; !e && (end ? left != 0 : in.pos < in.size);) {
		ZSTD_outBuffer to = {out, sizeof out, 0};
		left = ZSTD_compressStream2(p->zstd, &to, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_set(ERR_IO, "zstd: %s", ZSTD_getErrorName(left));
		e = write_out(p, out, to.pos);
	}
	return e;
}

/* Through the compressor in pieces of some size. */
static enum err put(struct package *p, struct str s)
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

static enum err no_stream(struct package *p)
{
	free_streams(p);
	return err_set(ERR_NOMEM, "no memory for this now");
}

static enum err open_file(struct package *p)
{
	char path[4500];
	if (!array_room(p->files, p->cap, p->n + 1))
		return err_set(ERR_NOMEM, "no memory for this now");
	struct package_file *f = &p->files[p->n];
	*f = (struct package_file){.rows = 0};
	name_file(p, p->n, f->name);
	snprintf(path, sizeof path, "%s/%s", p->folder, f->name);
	p->file = fopen(path, "wb");
	if (!p->file)
		return err_sys("%s", p->folder);
	p->n++;
	crypto_hash_sha256_init(&p->sha);
	if (p->d->format == FORMAT_AAM) {
		p->md5 = EVP_MD_CTX_new();
		if (!p->md5 || !EVP_DigestInit_ex(p->md5, EVP_md5(), NULL))
			return no_stream(p);
	}
	p->gz = (z_stream){.next_in = NULL};
	if (p->d->compress == COMPRESS_GZ && deflateInit2(&p->gz, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return no_stream(p);
	if (p->d->compress == COMPRESS_ZSTD && !(p->zstd = ZSTD_createCCtx()))
		return no_stream(p);
	p->encoder.items = 0;
	buf_clear(&p->scratch);
	p->encoder.format->begin(&p->encoder, &p->scratch);
	return p->scratch.n ? put(p, buf_view(&p->scratch)) : OK;
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

static enum err close_file(struct package *p)
{
	struct package_file *f = &p->files[p->n - 1];
	uint8_t sum[32], md5[EVP_MAX_MD_SIZE];
	unsigned md5_n = 0;
	buf_clear(&p->scratch);
	p->encoder.format->end(&p->encoder, &p->scratch);
	enum err e = p->scratch.n ? put(p, buf_view(&p->scratch)) : p->scratch.failed ? err_set(ERR_NOMEM, "no memory for this now") : memory_check();
	if (!e)
		e = squeeze(p, p->piece.n ? buf_view(&p->piece) : STR(""), true);
	buf_clear(&p->piece);
	crypto_hash_sha256_final(&p->sha, sum);
	hex_encode(sum, 32, f->sha256);
	if (p->md5 && EVP_DigestFinal_ex(p->md5, md5, &md5_n))
		hex_encode(md5, 16, f->md5);
	if (!e && (fflush(p->file) != 0 || fsync(fileno(p->file)) != 0))
		e = err_sys("%s", p->folder);
	free_streams(p);
	return e;
}

/* --- items */

enum err package_begin(
    const struct destination *d, const char *folder, bool full, struct str delivery, uint32_t stamp, uint32_t now, struct package **out)
{
	struct package *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(ERR_NOMEM, "no memory for this now");
	p->d = d;
	p->stamp = stamp;
	snprintf(p->folder, sizeof p->folder, "%s", folder);
	snprintf(p->delivery, sizeof p->delivery, STR_FMT, STR_ARG(delivery));
	enum err e = encoder_init(&p->encoder, d, full, str_c(p->delivery), now);
	if (e)
		package_free(p);
	else
		*out = p;
	return e;
}

/* What the file's end may add. */
#define TAIL 64

static bool fits(const struct package *p, size_t more, unsigned changes)
{
	const struct package_file *f = &p->files[p->n - 1];
	if (f->rows == 0)
		return true;
	return (!p->d->rows || f->rows + changes <= p->d->rows) && (!p->d->bytes || f->raw + p->encoder.block.n + more + TAIL <= p->d->bytes);
}

enum err package_item(struct package *p, const struct out_item *item, unsigned changes, uint32_t *chunk, bool *written)
{
	struct encoder *e = &p->encoder;
	bool blocks = p->d->format == FORMAT_XANDR_AVRO; /* keeps items back: when it is full is judged before */
	enum err err = OK;
	if (!p->file && (err = open_file(p)))
		return err;
	for (int tries = 0; tries < 2; tries++) {
		if (blocks && !fits(p, 4096, changes) && ((err = close_file(p)) || (err = open_file(p))))
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
	*chunk = p->n - 1;
	e->items++;
	p->files[p->n - 1].rows += changes;
	return p->scratch.n || p->scratch.failed || e->block.failed ? put(p, p->scratch.n ? buf_view(&p->scratch) : STR("")) : OK;
}

/* --- the end */

/* Adobe's list of the files of a transfer, as its own outbound transfers come with (transfer-control-files.md). */
static enum err aam_info(struct package *p)
{
	struct buf b = {0};
	struct package_file *f;
	uint64_t bytes = 0, lines = 0;
	char path[4500], sum_name[260];
	buf_c(&b, "{\"Files\":[");
	for (unsigned i = 0; i < p->n; i++) {
		f = &p->files[i];
		buf_addf(&b, "%s{\"FileByteSize\":%llu,\"FileLineCount\":%llu,\"FileName\":\"%s\",\"FileSequenceNumber\":%u,\"md5\":\"%s\"}",
		    i ? "," : "", (unsigned long long)f->bytes, (unsigned long long)f->lines, f->name, i + 1, f->md5);
		bytes += f->bytes;
		lines += f->lines;
	}
	snprintf(sum_name, sizeof sum_name, "%.240s", p->files[0].name);
	char *dot = strstr(sum_name, p->encoder.full ? ".overwrite" : ".sync");
	if (dot)
		*dot = 0;
	buf_addf(&b, "],\"Totals\":{\"FileName\":\"%s\",\"TotalByteSize\":%llu,\"TotalNumberFiles\":%u,\"TotalNumberLines\":%llu}}\n", sum_name,
	    (unsigned long long)bytes, p->n, (unsigned long long)lines);
	snprintf(path, sizeof path, "%s/%s.info", p->folder, sum_name);
	enum err e = b.failed ? err_set(ERR_NOMEM, "no memory for this now") : file_replace(path, buf_view(&b));
	if (!e) {
		uint8_t sum[32];
		if (!array_room(p->files, p->cap, p->n + 1)) {
			buf_done(&b);
			return err_set(ERR_NOMEM, "no memory for this now");
		}
		f = &p->files[p->n++];
		*f = (struct package_file){.bytes = b.n, .raw = b.n};
		snprintf(f->name, sizeof f->name, "%s.info", sum_name);
		crypto_hash_sha256(sum, (uint8_t *)b.p, b.n);
		hex_encode(sum, 32, f->sha256);
	}
	buf_done(&b);
	return e;
}

enum err package_end(struct package *p)
{
	enum err e = p->file ? close_file(p) : OK;
	if (!e && p->n && p->d->format == FORMAT_AAM)
		e = aam_info(p);
	return e ? e : folder_sync(p->folder);
}

const struct package_file *package_files(const struct package *p, unsigned *n)
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
