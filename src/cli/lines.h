/* The lines of a file that is imported: what they become, which number they have in the file, and
 * which were refused and why.
 *
 * The importer counts lines of the NDJSON that it gets. People count lines of their file. So each
 * line of NDJSON remembers the line that it was made from:
 *
 *     file    7  #Fields: …            out         numbers
 *             8  GET /a 200            {"u":…}     8        line 1 of out
 *             9  GET /x.css 200        (skipped)
 *            10  GET /b 200            {"u":…}     10       line 2 of out: refused? say line 10
 *
 * A file of NDJSON is passed on as it is, and numbers are only moved by the lines before the piece.
 * One thread. */
#ifndef CRUMB_SRC_CLI_LINES_H
#define CRUMB_SRC_CLI_LINES_H

#include "convert.h"
#include "crumb/ingest/access.h"

struct json_t;

#define LINES_SHOWN 10 /* refused lines that are named */

struct lines {
	struct convert convert; /* its line NULL: no CSV */
	struct access access;	/* of a log */
	bool log;		/* lines of a web server's log */
	uint64_t before;	/* lines of the file that lie before the piece at hand */
	uint64_t read, malformed, kinds[ACCESS_KINDS];
	struct buf out;	    /* NDJSON */
	struct buf numbers; /* uint64_t: for each line of `out` the line of the file */
	/* refused lines, the first by their numbers */
	struct {
		uint64_t line;
		char reason[16];
		const char *why; /* more than the reason says; may be NULL */
	} shown[LINES_SHOWN];
	unsigned shown_n;
};

void lines_done(struct lines *l);
static inline bool lines_change(const struct lines *l)
{
	return l->log || l->convert.line;
}
/* The piece as NDJSON: the piece itself, or a text that is valid until the next call. False: memory
 * was short. */
bool lines_convert(struct lines *l, struct str piece, struct str *out);
/* The piece was imported before. A header in it is read all the same, for the lines that follow. */
void lines_pass(struct lines *l, struct str piece);
/* A line was refused: line `number` of what lines_convert() gave, from 1. 0: the next line of the
 * file, which was never converted. */
void lines_refused(struct lines *l, uint64_t number, const char *reason, const char *why);
struct json_t *lines_json(const struct lines *l);
/* What a reason of a refusal means, in words; NULL: it is not known. */
const char *lines_reason(const char *reason);
void lines_print(const struct lines *l);

#endif
