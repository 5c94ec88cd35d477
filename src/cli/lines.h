/* The lines of a file that is imported: what they become, which number they have in the file, and
 * which were refused and why. */
#ifndef CRUMB_SRC_CLI_LINES_H
#define CRUMB_SRC_CLI_LINES_H

#include "convert.h"
#include "crumb/ingest/access.h"

struct json_t;

#define LINES_SHOWN 10

struct lines {
	struct convert convert; /* line NULL: no CSV */
	struct access access;
	bool log;	 /* of a web server */
	uint64_t before; /* lines of the file that lie before the piece at hand */
	uint64_t read, malformed, kinds[ACCESS_KINDS];
	struct buf out, numbers; /* NDJSON, and for each of its lines the one that it was */
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
/* The piece as NDJSON: itself, or valid until the next one. False: there was no memory for all of
 * it. */
bool lines_convert(struct lines *l, struct str piece, struct str *out);
/* The piece was imported before; what it says of lines that follow is remembered. */
void lines_pass(struct lines *l, struct str piece);
/* A line was refused, which has that number in what lines_convert() gave; 0: in the file, the next
 * one. */
void lines_refused(struct lines *l, uint64_t number, const char *reason, const char *why);
struct json_t *lines_json(const struct lines *l);
/* What a reason of a refusal means, in words; NULL: it is not known. */
const char *lines_reason(const char *reason);
void lines_print(const struct lines *l);

#endif
