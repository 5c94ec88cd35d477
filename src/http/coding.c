/* Decodes compressed bodies with zlib, and chooses the coding of answers.
 *
 * A few bytes of gzip may stand for gigabytes. The length is therefore bounded twice, and zlib is
 * given room for 16 KB at a time and for one byte more than the bound, never for the whole. */
#include "crumb/http/coding.h"

#include "crumb/http/accept.h"

#include <stdlib.h>
#include <zlib.h>

#define GROWTH 16  /* a body longer than CODING_FREE may grow to so many times its size */
#define STEP 16384 /* bytes that are decoded at a time */
#define HEAD 16	   /* bytes before each piece of zlib's memory: its length */

/* --- reading */

enum coding coding_of(struct str list)
{
	enum coding found = CODING_IDENTITY;
	struct str one;
	while (list.n && str_cut(&list, ',', &one)) {
		one = str_trim(one);
		if (one.n == 0 || str_ieq(one, STR("identity")))
			continue;
		if (found != CODING_IDENTITY)
			return CODING_UNKNOWN;
		if (str_ieq(one, STR("gzip")) || str_ieq(one, STR("x-gzip")))
			found = CODING_GZIP;
		else if (str_ieq(one, STR("deflate")))
			found = CODING_DEFLATE;
		else
			found = CODING_UNKNOWN;
	}
	return found;
}

/* zlib's window holds the last 32 KB of what was decoded. So zlib's memory knows its own length,
 * and is wiped when it is freed. */
static void *zlib_take(void *opaque, unsigned items, unsigned size)
{
	size_t n = (size_t)items * size;
	char *p = malloc(n + HEAD);
	(void)opaque;
	if (!p)
		return NULL;
	memcpy(p, &n, sizeof n);
	return p + HEAD;
}

static void zlib_give(void *opaque, void *piece)
{
	char *p = (char *)piece - HEAD;
	size_t n;
	(void)opaque;
	memcpy(&n, p, sizeof n);
	explicit_bzero(p, n + HEAD);
	free(p);
}

static bool only_zeros(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* What zlib wants to know of the frame: 16 more for gzip's, negative for none. zlib's own frame has
 * two bytes that are a multiple of 31, with the method in the low half of the first (RFC 1950
 * 2.2). */
static int window_bits(enum coding coding, struct str in)
{
	const uint8_t *b = (const uint8_t *)in.p;
	if (coding == CODING_GZIP)
		return MAX_WBITS + 16;
	bool framed = in.n >= 2 && (b[0] & 15) == Z_DEFLATED && (b[0] << 8 | b[1]) % 31 == 0;
	return framed ? MAX_WBITS : -MAX_WBITS;
}

/* Decodes all members of a body. */
static enum err inflate_all(z_stream *z, enum coding coding, size_t most, struct buf *out)
{
	for (;;) {
		size_t room = most + 1 - out->n; /* one byte too many is enough to know */
		if (room > STEP)
			room = STEP;
		if (!buf_reserve(out, room))
			return ERR_NOMEM;
		z->next_out = (Bytef *)out->p + out->n;
		z->avail_out = (uInt)room;
		int rc = inflate(z, Z_NO_FLUSH);
		out->n += room - z->avail_out;
		if (out->n > most)
			return ERR_FULL;
		if (rc == Z_MEM_ERROR)
			return ERR_NOMEM;
		if (rc == Z_STREAM_END) {
			if (only_zeros(z->next_in, z->avail_in))
				return OK;
			if (coding != CODING_GZIP || inflateReset(z) != Z_OK)
				return ERR_SYNTAX;
		} else if (rc != Z_OK) {
			return ERR_SYNTAX;
		}
	}
}

enum err coding_read(enum coding coding, struct str in, size_t most, struct buf *out)
{
	z_stream z = {.zalloc = zlib_take,
	    .zfree = zlib_give,
	    .next_in = (Bytef *)(uintptr_t)in.p,
	    .avail_in = (uInt)in.n};
	size_t grown = in.n > SIZE_MAX / GROWTH ? SIZE_MAX : in.n * GROWTH;
	if (grown < CODING_FREE)
		grown = CODING_FREE;
	if (coding == CODING_IDENTITY || coding == CODING_UNKNOWN || in.n > UINT32_MAX)
		return ERR_SYNTAX;
	if (inflateInit2(&z, window_bits(coding, in)) != Z_OK)
		return ERR_NOMEM;
	CHECK(out->n == 0);
	enum err e = inflate_all(&z, coding, most < grown ? most : grown, out);
	inflateEnd(&z);
	if (e)
		buf_clear(out);
	return e;
}

/* --- wanted */

/* A coding that the field does not name has the weight of "*". Without "*", gzip is not wanted and
 * plain bytes are acceptable, but less than any coding that was asked for. */
enum coding coding_wanted(struct str list)
{
	enum { UNSAID = 2000 }; /* no weight is as great */
	unsigned gzip = UNSAID, plain = UNSAID, rest = UNSAID;
	struct str one;
	while (list.n && str_cut(&list, ',', &one)) {
		size_t at = str_find(one, ';');
		struct str name = str_trim(str_make(one.p, at));
		unsigned q = accept_weight(str_skip(one, at + 1));
		if (str_ieq(name, STR("gzip")) || str_ieq(name, STR("x-gzip")))
			gzip = q;
		else if (str_ieq(name, STR("identity")))
			plain = q;
		else if (str_eq(name, STR("*")))
			rest = q;
	}
	if (gzip == UNSAID)
		gzip = rest == UNSAID ? 0 : rest;
	if (plain == UNSAID)
		plain = rest == UNSAID ? 1 : rest;
	if (gzip == 0 && plain == 0)
		return CODING_UNKNOWN;
	return gzip >= plain ? CODING_GZIP : CODING_IDENTITY;
}
