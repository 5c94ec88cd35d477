/* Inside the editor of YAML: a file that is open for an edit, and its lines.
 *
 *     edit.c      finds the entry, removes and adds entries; checks what was made
 *     edit_key.c  sets and removes keys of an entry
 *     open.c      opens the file; lines, and where nodes begin and end
 *
 * Lines count from 0 here. An edit replaces one range of bytes: splice(). One thread has a struct
 * editing, from edit_open() to edit_close(); it borrows the text. */
#ifndef CRUMB_SRC_YAML_EDITING_H
#define CRUMB_SRC_YAML_EDITING_H

#include "crumb/yaml/edit.h"
#include "crumb/yaml/yaml.h"

struct editing {
	struct str text;
	const char *name, *section, *id;
	const char *end; /* how lines end: "\n" or "\r\n" */
	struct arena arena;
	struct report report;
	struct yaml y;
	const yaml_node_t *root; /* a map; NULL: the file is empty */
	const yaml_node_t *key;	 /* of the section; NULL: it is missing */
	const yaml_node_t *list; /* its value: a list, or an empty text */
	size_t n;		 /* entries */
	size_t at;		 /* which of them it is; n: none is */
};

/* --- open.c */
/* In any case edit_close() follows. */
enum err edit_open(struct editing *e, const struct yaml_entry *of, struct str text) MUST_CHECK;
void edit_close(struct editing *e);
const yaml_node_t *edit_entry(const struct editing *e, size_t i);
/* The value of a map's key; NULL: it has none. *pair is its number. */
const yaml_node_t *edit_value(
    const struct editing *e, const yaml_node_t *map, const char *key, size_t *pair);
bool edit_is_flow(const yaml_node_t *n); /* it stands in brackets */

size_t line_of(const struct editing *e, size_t byte);
size_t line_begin(const struct editing *e, size_t line); /* its first byte */
size_t line_end(const struct editing *e, size_t line);	 /* behind its text */
size_t line_next(const struct editing *e, size_t line);	 /* behind its end */
struct str line_text(const struct editing *e, size_t line);
bool line_is_blank(const struct editing *e, size_t line);
bool line_is_comment(const struct editing *e, size_t line);
size_t line_indent(const struct editing *e, size_t line);
size_t node_begin(const struct editing *e, const yaml_node_t *n);  /* its first byte */
size_t node_column(const struct editing *e, const yaml_node_t *n); /* from 0 */
/* The last line on which something of the node stands. `parent` is the column of the map or list
 * that it lies in. */
size_t node_last(const struct editing *e, const yaml_node_t *n, size_t parent);

/* Appends the text with the bytes [from, to) replaced. */
void splice(const struct editing *e, size_t from, size_t to, struct str with, struct buf *out);
/* Appends the text without whole lines. Where these are the end of a file whose last line has no
 * end, the line before has none then. */
void splice_out(const struct editing *e, size_t from, size_t to, struct buf *out);
/* Appends the text with lines put in behind a line; `lines` has no end behind its last. */
void splice_behind(const struct editing *e, size_t line, struct str lines, struct buf *out);

/* --- edit_key.c */
/* Appends the text with one key of the entry set, or removed where `value` is null. */
enum err edit_key(const struct editing *e, const char *key, const struct json_t *value,
    struct buf *out) MUST_CHECK;
/* Appends the lines of a key and its value, the first of them without its indent. */
void edit_write_key(
    const char *key, const struct json_t *value, size_t column, const char *end, struct buf *lines);
/* Does the node say what the JSON says? */
bool edit_says(const struct editing *e, const yaml_node_t *n, const struct json_t *value);

#endif
