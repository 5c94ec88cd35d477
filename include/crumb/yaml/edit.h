/* Changes one entry of a list in a YAML file that people wrote, and nothing else: every other line
 * stays byte for byte, comments, order, quotes and blanks included.
 *
 *     version: 1
 *     segments:
 *       # whom spring is for            ┐
 *       - id: coats                     │ an entry: its lines, and the comment lines directly
 *         name: "Coats"   # on pages    │ above it
 *         when: outerwear >= 3 in 14d   ┘
 *       - {id: shoes, when: shoes}
 *
 * A value that is replaced keeps its quotes, and the comment behind it. Of a list of lines, those
 * of the items that stay are kept. A text of several lines becomes a block (`|-`). A new key goes
 * behind the last one, a new entry behind the last entry, in its style. What a folded text was
 * folded at is not known afterwards: it becomes one line.
 *
 * Whatever was made is read again before it is handed out: each value that was not to change is as
 * before, and what was to change is what was asked for. Else, and where anchors, aliases, tags or
 * unusual line ends make lines mean what they do not say, the edit is refused with ERR_USAGE and
 * words. ERR_SYNTAX: the file is no YAML; the words have the place.
 *
 * Pure; any thread. Time grows with the size of the file for each key that is set. */
#ifndef CRUMB_YAML_EDIT_H
#define CRUMB_YAML_EDIT_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

struct json_t;

struct yaml_entry {
	struct str text;     /* of the file; UTF-8, with or without a byte order mark */
	const char *name;    /* of the file, for words */
	const char *section; /* the key of the root whose list has the entry */
	const char *id;	     /* the value of the entry's key `id` */
};

/* How many entries the list has; *has: one of them is this. The list may be missing. */
enum err yaml_edit_look(const struct yaml_entry *e, size_t *entries, bool *has) MUST_CHECK;
/* The entry as it stands: an object whose values are texts, lists and objects; a number is the text
 * that somebody wrote. *out is the caller's. ERR_NOT_FOUND: there is no such entry. */
enum err yaml_edit_read(const struct yaml_entry *e, struct json_t **out) MUST_CHECK;
/* Appends the text with the keys of the object `set` set in the entry; null removes a key.
 * ERR_NOT_FOUND: there is no such entry. */
enum err yaml_edit_set(
    const struct yaml_entry *e, const struct json_t *set, struct buf *out) MUST_CHECK;
/* Appends the text with a new entry: its id, and the keys of `set`. An empty text becomes a file
 * with version: 1. */
enum err yaml_edit_add(
    const struct yaml_entry *e, const struct json_t *set, struct buf *out) MUST_CHECK;
/* Appends the text without the entry. ERR_NOT_FOUND: there is no such entry. */
enum err yaml_edit_remove(const struct yaml_entry *e, struct buf *out) MUST_CHECK;

#endif
