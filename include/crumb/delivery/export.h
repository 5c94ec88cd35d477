/* A segment to a file: rows `id,segment,expires`. `id` is the visitor's pseudonym for the partner;
 * `expires` is the UTC day, as a date, on which the membership ends if nothing more is observed.
 * For example "3f…9a,coats-7d,2026-08-01". A manifest beside the file says what was written.
 *
 * Any thread; the generation is the caller's for as long as the call. */
#ifndef CRUMB_DELIVERY_EXPORT_H
#define CRUMB_DELIVERY_EXPORT_H

#include "crumb/views/view.h"
#include "crumb/partners/destinations.h"

#define EXPORT_LINE 512 /* bytes of a line, with the zero */

/* How a row is written: each form is a row of the table in export.c. */
struct export_form {
	const char *name; /* of the form, and the ending of its files */
	const char *head; /* the first line, or "" */
	/* Writes a line; returns its length. */
	int (*line)(
	    const char *id, const char *segment, const char *expires, char out[EXPORT_LINE]);
};
/* `name` is NULL behind the last; the first is the usual one. */
extern const struct export_form export_forms[];
const struct export_form *export_form_find(struct str name); /* NULL: there is none */

/* Whom to write: those who are handed out, or those who are held out by the segment's split. */
enum export_group { EXPORT_TARGET, EXPORT_HOLDOUT };

struct export_result {
	bool told; /* false: below k, and no rows were written */
	uint64_t rows;
	char file[4096];
};

/* Writes FOLDER/SEGMENT.csv, or what the form is called, and SEGMENT.manifest.json; makes FOLDER.
 * On failure what was there before stays, file by file. `progress`, if any, is called now and then
 * with the rows so far. */
enum err export_segment(struct generation *g, const struct config *c, uint16_t segment,
    const struct export_form *form, enum export_group group, const char *partner,
    const char *folder, uint32_t now, void (*progress)(uint64_t rows),
    struct export_result *out) MUST_CHECK;
/* May the segment go to the partner: by its state, sensitive categories, labels? ERR_USAGE says why
 * not. *out is the destination of that name, which lives as long as `all`; NULL: there is none. Who
 * of the segment may go is another question: plan_may_go(). */
enum err export_may_go(const struct rules *r, const struct config *c, uint16_t segment,
    struct str partner, uint32_t now, const struct destinations *all,
    const struct destination **out) MUST_CHECK;

#endif
