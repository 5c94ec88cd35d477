/* A file in pieces that have names, so that a file that is imported twice counts once.
 *
 * A piece is whole lines, PIECE_BYTES at most. Where it ends depends on where it begins and on the
 * bytes alone, so the same file is cut at the same places. Its name is two hashes (BLAKE2b, 16
 * bytes), its length and its lines:
 *
 *     H0 = hash(what the file is)     H1 = hash(… piece 1)     H2 = hash(… piece 1, piece 2)
 *     piece 1 is H0..H1, piece 2 is H1..H2
 *
 * Names are kept with the events they came with (ingest/applied.h). To resume, pieces_pass_over()
 * asks for the pieces that begin with the hash at hand, reads as many bytes as each has, and
 * compares the hash behind them; the longest that fits is passed over, and so on from its end. A
 * file that has grown fits up to its old end, whatever its name is and however it is compressed.
 *
 * What the file is (events, a log, a partner's segments) is a part of H0: the same bytes under
 * another meaning are another file. */
#include "importer.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"

#define HASH_BYTES 16
#define PIECES_MOST 64		      /* that begin with one hash */
#define PIECE_BYTES_MOST (256u << 20) /* of a piece that others have cut, by POST /v1/import */

bool pieces_fill(struct importer *im, size_t want)
{
	if (im->slice.n < want && !buf_reserve(&im->slice, want - im->slice.n))
		return err_set(ERR_NOMEM, "no memory for a piece of %zu bytes", want) == OK;
	while (im->slice.n < want && !im->end) {
		size_t n;
		if (input_read(im->input, im->slice.p + im->slice.n, want - im->slice.n, &n) != OK)
			return false;
		im->end = n == 0;
		im->slice.n += n;
	}
	return true;
}

/* May a last line without its end be taken? A log may still be written to, and the beginning of a
 * line looks like a line. An object in JSON is whole or is none. CSV may leave out the end of its
 * last row (RFC 4180). */
static bool is_whole(const struct importer *im, struct str line)
{
	json_error_t error;
	if (lines_change(&im->lines))
		return !im->lines.log;
	json_t *j = json_loadb(line.p, line.n, 0, &error);
	json_decref(j);
	return j != NULL;
}

void import_refused(struct importer *im, const char *why, uint64_t n)
{
	if (n)
		json_object_set_new(im->refused, why,
		    json_integer(
			json_integer_value(json_object_get(im->refused, why)) + (json_int_t)n));
}

/* Bytes that were taken make room at the front. */
static void drop(struct importer *im, size_t n)
{
	memmove(im->slice.p, im->slice.p + n, im->slice.n - n);
	im->slice.n -= n;
}

/* Passes over a line that does not fit into a piece. Nothing of it is kept: a small file can unpack
 * to an endless line. */
static bool skip_line(struct importer *im)
{
	im->too_long++;
	lines_refused(&im->lines, 0, "too_long", "longer than a line can be");
	im->lines.before++;
	for (bool found = false; !found && (im->slice.n || !im->end);) {
		if (!pieces_fill(im, PIECE_BYTES))
			return false;
		size_t n = str_find(buf_view(&im->slice), '\n');
		found = n < im->slice.n;
		n += found;
		crypto_generichash_update(&im->sum, (const uint8_t *)im->slice.p, n);
		drop(im, n);
	}
	return true;
}

/* A line that is longer than a piece is skipped and the next piece is tried. */
bool pieces_next(struct importer *im, struct str *lines, bool *failed)
{
	for (;;) {
		*failed = !pieces_fill(im, PIECE_BYTES);
		size_t all = im->slice.n < PIECE_BYTES ? im->slice.n : PIECE_BYTES, end = all;
		while (!*failed && end > 0 && im->slice.p[end - 1] != '\n')
			end--;
		if (im->end && all == im->slice.n && end < all) {
			struct str tail = str_trim(str_make(im->slice.p + end, all - end));
			if (!tail.n || is_whole(im, tail))
				end = all;
			else if (end == 0)
				im->unfinished = 1;
		}
		if (*failed || end > 0 || im->end) {
			*lines = str_make(im->slice.p, end);
			return !*failed && end > 0;
		}
		if (!skip_line(im)) {
			*failed = true;
			return false;
		}
	}
}

/* The piece that was named last is behind us: its hash is that of all before the slice. */
void pieces_consumed(struct importer *im, size_t used, uint64_t lines)
{
	uint64_t read, size;
	im->lines.before += lines;
	drop(im, used);
	im->sum = im->after;
	input_progress(im->input, &read, &size);
	cli_progress("importing", read, size);
}

/* --- names */

/* The hash so far; the state goes on. */
static void hash_of(const crypto_generichash_state *sum, uint8_t out[HASH_BYTES])
{
	crypto_generichash_state copy = *sum;
	crypto_generichash_final(&copy, out, HASH_BYTES);
}

/* What a partner says is new each day, so the day is a part of the name: saying it again renews how
 * long it is kept. */
void pieces_begin(struct importer *im, const char *what, const char *format)
{
	unsigned today = im->partner ? day_of(clock_now()) : 0;
	char text[400];
	const char *whose = im->partner ? im->partner : "";
	if (!what)
		what = "events";
	if (!format)
		format = "";
	int n = snprintf(text, sizeof text, "crumb 1 %s %s %s %u", what, format, whose, today);
	crypto_generichash_init(&im->sum, NULL, 0, HASH_BYTES);
	crypto_generichash_update(&im->sum, (const uint8_t *)text, (size_t)n + 1);
}

struct slice_id pieces_name(struct importer *im, struct str lines)
{
	struct slice_id id = {.bytes = lines.n};
	im->after = im->sum;
	hash_of(&im->sum, id.from);
	crypto_generichash_update(&im->after, (const uint8_t *)lines.p, lines.n);
	hash_of(&im->after, id.to);
	for (const char *p = lines.p, *end = lines.p + lines.n, *nl; p < end;
	     p = nl ? nl + 1 : end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		id.lines++;
	}
	return id;
}

/* The pieces that begin here, shortest first: by a->applied, or by the server. */
static int known_pieces(struct importer *im, struct slice_id out[PIECES_MOST], unsigned *n)
{
	uint8_t from[HASH_BYTES];
	char path[100] = "/v1/import/applied?from=";
	struct reply r;
	size_t at = strlen(path), i;
	hash_of(&im->sum, from);
	if (im->applied) {
		*n = applied_after(im->applied, from,
		    oldest_day(day_of(clock_now()), (unsigned)im->cli->config.retention_days), out,
		    PIECES_MOST);
		return EXIT_FINE;
	}
	hex_encode(from, sizeof from, path + at);
	path[at + 32] = 0;
	json_t *list = client_json(im->cli, path, NULL, &r), *row;
	if (!list)
		return EXIT_WRONG;
	*n = 0;
	json_array_foreach(list, i, row)
	{
		const char *to = json_string_value(json_object_get(row, "to"));
		struct slice_id *id = &out[*n];
		id->bytes = (uint64_t)json_integer_value(json_object_get(row, "bytes"));
		id->lines = (uint64_t)json_integer_value(json_object_get(row, "lines"));
		if (to && hex_decode(str_c(to), id->to, sizeof id->to) && id->bytes)
			++*n;
		if (*n == PIECES_MOST)
			break;
	}
	json_decref(list);
	return EXIT_FINE;
}

/* Bytes that were hashed for a shorter piece are not hashed again for a longer one. */
int pieces_pass_over(struct importer *im)
{
	while (!im->again) {
		struct slice_id found[PIECES_MOST], *best = NULL;
		crypto_generichash_state sum = im->sum;
		unsigned n;
		size_t done = 0;
		int rc = known_pieces(im, found, &n);
		if (rc)
			return rc;
		for (unsigned i = 0; i < n && found[i].bytes <= PIECE_BYTES_MOST; i++) {
			uint8_t hash[HASH_BYTES];
			size_t bytes = (size_t)found[i].bytes;
			if (!pieces_fill(im, bytes))
				return cli_fail("%s", err_text());
			if (im->slice.n < bytes)
				break;
			crypto_generichash_update(
			    &sum, (const uint8_t *)im->slice.p + done, bytes - done);
			done = bytes;
			hash_of(&sum, hash);
			if (memcmp(hash, found[i].to, sizeof hash) == 0) {
				best = &found[i];
				im->after = sum;
			}
		}
		if (!best)
			break;
		lines_pass(&im->lines, str_make(im->slice.p, (size_t)best->bytes));
		im->already += best->lines;
		pieces_consumed(im, (size_t)best->bytes, best->lines);
	}
	return EXIT_FINE;
}
