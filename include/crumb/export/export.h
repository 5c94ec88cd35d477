/* A segment to a file: rows `id,segment,expires`, where id is the visitor's pseudonym for the partner and expires the UTC day
 * (as a date) on which the membership ends if nothing more is observed. A manifest beside it says what was written. */
#ifndef CRUMB_EXPORT_EXPORT_H
#define CRUMB_EXPORT_EXPORT_H

#include "crumb/audience/view.h"

enum export_format { EXPORT_CSV, EXPORT_NDJSON };

/* Whom to write: those who are handed out, or those who are held out by the segment's split. */
enum export_group { EXPORT_TARGET, EXPORT_HOLDOUT };

struct export_result {
	bool told; /* false: below k, nobody was added and no rows were written */
	uint64_t rows;
	char file[4096];
};

/* Writes FOLDER/SEGMENT.csv or .ndjson and SEGMENT.manifest.json; FOLDER is made. Either all of it is there afterwards or what
 * was there before. `progress`, if any, is called now and then with the rows so far. */
enum err export_segment(struct generation *g, const struct config *c, uint16_t segment, enum export_format format, enum export_group group,
    const char *partner, const char *folder, uint32_t now, void (*progress)(uint64_t rows), struct export_result *out) MUST_CHECK;

#endif
