/* A segment to a file: rows `id,segment,expires`, where id is the visitor's pseudonym for the
 * partner and expires the UTC day (as a date) on which the membership ends if nothing more is
 * observed. A manifest beside it says what was written. */
#ifndef CRUMB_DELIVERY_EXPORT_H
#define CRUMB_DELIVERY_EXPORT_H

#include "crumb/views/view.h"
#include "crumb/partners/destinations.h"

/* How a row is written: one row of a table in export.c each. */
#define EXPORT_LINE 512
struct export_form {
	const char *name; /* of the form, and the ending of its files */
	const char *head; /* first line, or "" */
	int (*line)(const char *id, const char *segment, const char *expires,
	    char out[EXPORT_LINE]); /* its length */
};
extern const struct export_form
    export_forms[]; /* `name` NULL behind the last; the first is the usual one */
const struct export_form *export_form_find(struct str name); /* NULL: there is none */

/* Whom to write: those who are handed out, or those who are held out by the segment's split. */
enum export_group { EXPORT_TARGET, EXPORT_HOLDOUT };

struct export_result {
	bool told; /* false: below k, nobody was added and no rows were written */
	uint64_t rows;
	char file[4096];
};

/* Writes FOLDER/SEGMENT.csv, or what the form is called, and SEGMENT.manifest.json; FOLDER is made.
 * Either all of it is there afterwards or what was there before. `progress`, if any, is called now
 * and then with the rows so far. */
enum err export_segment(struct generation *g, const struct config *c, uint16_t segment,
    const struct export_form *form, enum export_group group, const char *partner,
    const char *folder, uint32_t now, void (*progress)(uint64_t rows),
    struct export_result *out) MUST_CHECK;
/* May the segment go to the partner: by its state, sensitive categories, labels? ERR_USAGE says why
 * not. *out is the destination of that name, of `all` and as long as it; NULL: there is none. Who
 * of the segment may is another question: plan_may_go(). */
enum err export_may_go(const struct rules *r, const struct config *c, uint16_t segment,
    struct str partner, uint32_t now, const struct destinations *all,
    const struct destination **out) MUST_CHECK;

#endif
