/* Values as YAML that reads back as the same text: for yaml/edit.h, which puts them into files that
 * people wrote.
 *
 *     outerwear >= 3        outerwear >= 3            as it is, where nothing in it means something
 *     a: b                  'a: b'
 *     don't: do             'don''t: do'
 *     12:30                 '12:30'                   other readers take it for a number
 *     tab and newline       "a\tb\nc"                 or a block of lines
 *     ["a", "b, c"]         [a, 'b, c']
 *     {"title": "Coats"}     {title: Coats}
 *
 * Pure; any thread. A shortage of memory shows in out->failed. */
#ifndef CRUMB_YAML_WRITE_H
#define CRUMB_YAML_WRITE_H

#include "crumb/base/buf.h"

struct json_t;

/* Between brackets more characters mean something than outside of them. */
enum yaml_around { YAML_IN_BLOCK, YAML_IN_FLOW };
/* What is preferred; a text that cannot stand so gets the quotes that it needs. */
enum yaml_quotes { YAML_UNQUOTED, YAML_SINGLE, YAML_DOUBLE };

/* Can the text stand without quotes? */
bool yaml_write_is_plain(struct str s, enum yaml_around around);
/* Does it need double quotes, for what only an escape can write? */
bool yaml_write_is_escaped(struct str s);
void yaml_write_text(
    struct str s, enum yaml_around around, enum yaml_quotes quotes, struct buf *out);
/* Text, numbers, truth, lists and maps, in one line. Quotes are preferred for texts that are the
 * value itself, and not a part of it. */
void yaml_write_value(
    const struct json_t *v, enum yaml_around around, enum yaml_quotes quotes, struct buf *out);

/* Can the text be a block of lines? It has several, and nothing that wants an escape. */
bool yaml_write_is_block(struct str s);
/* As such a block. `header` gets what stands behind the key, "|-"; `lines` the lines, each with
 * `indent` blanks before it and `end` behind it, but the last without an end. The key's own column
 * is indent - 2. */
void yaml_write_block(
    struct str s, size_t indent, const char *end, struct buf *header, struct buf *lines);

#endif
