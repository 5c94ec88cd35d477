/* A file to read, plain or compressed.
 *
 * The file is read in pieces; a decompressor takes from the piece and writes straight to the
 * caller. Compressed files are often several parts that were glued together: behind the end of a
 * part the next one begins, and zeros at the end are padding, as on tapes. A file that ends inside
 * of a part is corrupt. */
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE 65536
#define WINDOW_LOG 24 /* of zstd: 16 MB, which its levels up to 19 stay below */

struct input {
	FILE *file;
	uint64_t size, read;
	enum { PLAIN, GZIP, ZSTANDARD } kind;
	uint8_t piece[PIECE]; /* bytes of the file */
	size_t at, n;	      /* of the piece: the next byte, and its end */
	bool end;	      /* of the file */
	bool inside;	      /* of a compressed part that has not ended yet */
	bool whole;	      /* a part has ended, and only zeros have followed */
	z_stream gz;
	ZSTD_DCtx *zstd;
	char path[512];
};

/* Reads the next piece when this one is used up. False: the file is over. */
static bool fill_piece(struct input *in)
{
	if (in->at < in->n || in->end)
		return in->at < in->n;
	in->n = fread(in->piece, 1, sizeof in->piece, in->file);
	in->at = 0;
	in->read += in->n;
	in->end = in->n == 0;
	return in->n > 0;
}

enum err input_open(const char *path, struct input **out)
{
	struct stat st;
	struct input *in = calloc(1, sizeof *in);
	CHECK(in);
	snprintf(in->path, sizeof in->path, "%s", path);
	in->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (!in->file) {
		enum err e = err_sys("%s", path);
		free(in);
		return e;
	}
	in->size =
	    fstat(fileno(in->file), &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	fill_piece(in);
	if (in->n >= 2 &&
	    (memcmp(in->piece, "\xff\xfe", 2) == 0 || memcmp(in->piece, "\xfe\xff", 2) == 0)) {
		enum err e = err_set(ERR_SYNTAX,
		    "%s is UTF-16, as Excel's 'Unicode Text' and PowerShell write it: save it as "
		    "UTF-8",
		    path);
		input_close(in);
		return e;
	}
	if (in->n >= 2 && in->piece[0] == 0x1f && in->piece[1] == 0x8b)
		in->kind = GZIP;
	else if (in->n >= 4 && memcmp(in->piece, "\x28\xb5\x2f\xfd", 4) == 0)
		in->kind = ZSTANDARD;
	if (in->kind == GZIP)
		CHECK(inflateInit2(&in->gz, 15 + 16) == Z_OK);
	if (in->kind == ZSTANDARD) {
		CHECK(in->zstd = ZSTD_createDCtx());
		ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
	}
	*out = in;
	return OK;
}

static enum err broken(const struct input *in, const char *why)
{
	return err_set(ERR_CORRUPT, "%s: cannot be unpacked: %s", in->path, why);
}

static enum err read_gzip(struct input *in, char *to, size_t n, size_t *got)
{
	in->gz.next_out = (Bytef *)to;
	in->gz.avail_out = (uInt)n;
	while (in->gz.avail_out == n && fill_piece(in)) {
		if (in->whole && in->piece[in->at] == 0) {
			in->at++;
			continue;
		}
		in->whole = false;
		in->gz.next_in = in->piece + in->at;
		in->gz.avail_in = (uInt)(in->n - in->at);
		in->inside = true;
		int rc = inflate(&in->gz, Z_NO_FLUSH);
		in->at = in->n - in->gz.avail_in;
		if (rc == Z_STREAM_END) {
			in->inside = false;
			in->whole = true;
			inflateReset(&in->gz);
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			return broken(in, in->gz.msg ? in->gz.msg : "this is no gzip");
		}
	}
	*got = n - in->gz.avail_out;
	return *got == 0 && in->inside ? broken(in, "it ends in the middle") : OK;
}

/* ZSTD_decompressStream() returns 0 at the end of a part. Without progress at the end of the file
 * there is no more to come. */
static enum err read_zstd(struct input *in, char *to, size_t n, size_t *got)
{
	ZSTD_outBuffer out = {to, n, 0};
	while (out.pos == 0 && (fill_piece(in) || in->inside)) {
		ZSTD_inBuffer from = {in->piece, in->n, in->at};
		size_t rc = ZSTD_decompressStream(in->zstd, &out, &from);
		if (ZSTD_isError(rc))
			return broken(in, ZSTD_getErrorName(rc));
		bool stuck = from.pos == in->at && out.pos == 0;
		in->at = from.pos;
		in->inside = rc != 0;
		if (stuck && in->end)
			break;
	}
	*got = out.pos;
	return *got == 0 && in->inside ? broken(in, "it ends in the middle") : OK;
}

enum err input_read(struct input *in, char *to, size_t n, size_t *got)
{
	if (in->kind == GZIP)
		return read_gzip(in, to, n, got);
	if (in->kind == ZSTANDARD)
		return read_zstd(in, to, n, got);
	*got = 0;
	if (fill_piece(in)) {
		*got = in->n - in->at < n ? in->n - in->at : n;
		memcpy(to, in->piece + in->at, *got);
		in->at += *got;
	}
	return ferror(in->file) ? err_sys("%s", in->path) : OK;
}

void input_progress(const struct input *in, uint64_t *read, uint64_t *size)
{
	*read = in->read;
	*size = in->size;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	if (in->kind == GZIP)
		inflateEnd(&in->gz);
	ZSTD_freeDCtx(in->zstd);
	if (in->file != stdin)
		fclose(in->file);
	free(in);
}
