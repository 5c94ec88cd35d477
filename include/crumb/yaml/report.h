/* Findings: what is wrong with text that people wrote, where, and what they may have meant.
 *
 * A report gathers every mistake, so that nobody has to mend one to see the next. It belongs to
 * whoever made it; one thread. */
#ifndef CRUMB_YAML_REPORT_H
#define CRUMB_YAML_REPORT_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/base/near.h"

/* Where text came from. Lines and columns count from 1; columns are bytes. */
struct yaml_place {
	const char *file; /* lives as long as whatever it names */
	size_t line, column;
	size_t length; /* how much of the line is meant; 0: unknown */
};

struct finding {
	char *file;
	size_t line, column, length;
	bool warning;	  /* false: an error, for which the text is refused */
	const char *code; /* a stable word for programs; the table is in docs/RULES.md */
	char *message;
	char *hint; /* what to do; "" when there is nothing to say */
};

struct report {
	struct finding *list;
	size_t n, cap;
	size_t errors;	    /* found, also those that are not kept any more */
	const char *lister; /* the command that lists all of them; NULL: there is none */
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };
/* `hint` may be NULL. Findings about the same place with the same words are kept once. */
void report_add(struct report *r, const struct yaml_place *at, enum severity severity,
    const char *code, const char *hint, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void report_sort(struct report *r); /* by file, line and column */
void report_done(struct report *r);
/* The first error as "file:line:column: message", with how many more there are, through err_set();
 * OK when there is none. */
enum err report_error(const struct report *r) MUST_CHECK;
/* The line of `text` that the finding is about; empty: there is none. */
struct str report_line(const struct finding *f, struct str text);
/* As a compiler prints it: the place, the line of `text`, a caret below, the hint.
 *
 *     shop.yaml:3:8: there is no field 'pth'
 *         3 |     - {pth: /coats}
 *           |        ^~~
 *       hint: did you mean 'path'? */
void report_print(const struct finding *f, struct str text, struct buf *out);

#endif
