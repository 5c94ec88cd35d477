/* A table for people: a line of headers, columns as wide as what is in them, numbers to the right.
 * A column in which no row has anything is left out. */
#ifndef CRUMB_SRC_CLI_TABLE_H
#define CRUMB_SRC_CLI_TABLE_H

#include "crumb/base/buf.h"

#include <stdint.h>

struct json_t;

#define TABLE_COLUMNS 12

struct table {
	unsigned columns, cells;
	bool headless; /* the headers are not printed */
	bool right[TABLE_COLUMNS], used[TABLE_COLUMNS];
	size_t width[TABLE_COLUMNS]; /* in places of a terminal */
	struct buf text; /* headers, then the cells of each row, each with a zero byte behind it */
};

/* `heads` ends with NULL; "> size" is a column of numbers. */
void table_begin(struct table *t, const char *const *heads);
void table_cell(struct table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));	    /* the next one, from left to right */
void table_text(struct table *t, const char *text); /* NULL: nothing */
void table_number(
    struct table *t, const struct json_t *n, uint32_t k); /* about a group: null is "< k" */
void table_share(struct table *t,
    const struct json_t *share); /* of 1, as a percentage; null or not there: nothing */
/* Words of a list, with commas between them. */
void table_words(struct table *t, const struct json_t *list);
void table_print(struct table *t); /* to stdout */
void table_end(struct table *t);

#endif
