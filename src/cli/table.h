/* A table for people: a line of headers, columns as wide as their widest cell, numbers to the
 * right. A column in which no row has anything is left out.
 *
 *     table_begin(&t, (const char *const[]){"> size", "segment", "owner", NULL});
 *     table_number(&t, …); table_text(&t, "coats"); table_text(&t, NULL);      a row, cell by cell
 *     table_print(&t);                   size  segment
 *     table_end(&t);                      130  coats
 *
 * One thread. */
#ifndef CRUMB_SRC_CLI_TABLE_H
#define CRUMB_SRC_CLI_TABLE_H

#include "crumb/base/buf.h"

#include <stdint.h>

struct json_t;

#define TABLE_COLUMNS 12

struct table {
	unsigned columns, cells;
	bool headless;		     /* the headers are not printed */
	bool right[TABLE_COLUMNS];   /* a column of numbers */
	bool used[TABLE_COLUMNS];    /* a row has something in it */
	size_t width[TABLE_COLUMNS]; /* in places of a terminal */
	struct buf text; /* headers, then the cells of each row, each with a zero byte behind it */
};

/* `heads` ends with NULL; "> size" is a column of numbers. */
void table_begin(struct table *t, const char *const *heads);
/* Each adds the next cell, from left to right. */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_text(struct table *t, const char *text); /* NULL: an empty cell */
/* A number about a group: null, which is a withheld number, is "< k". */
void table_number(struct table *t, const struct json_t *n, uint32_t k);
/* A share of 1 as a percentage; null or NULL: an empty cell. */
void table_share(struct table *t, const struct json_t *share);
/* The words of a list, with commas between them. */
void table_words(struct table *t, const struct json_t *list);
void table_print(struct table *t); /* to stdout */
void table_end(struct table *t);

#endif
