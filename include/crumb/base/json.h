/* JSON as text, whole or not at all. Jansson 2.14 writes on when it finds no memory for the key of
 * an object, so json_dumps() may leave a key out: {"id":1,"to":2} became {"id":1,:2}. */
#ifndef CRUMB_BASE_JSON_H
#define CRUMB_BASE_JSON_H

#include <jansson.h>

/* A number of ours read as decimal has at most 15 digits that say something; with 17, which is what
 * Jansson writes unasked, 0.1 + 0.2 would be told as 0.30000000000000004. */
#define JSON_NUMBERS JSON_REAL_PRECISION(15)

/* The text of `root` with the flags of json_dumps(), and JSON_NUMBERS where they name no precision;
 * free() it. NULL: no memory, and memory_none()
 * was called; or `root` is NULL. */
char *json_whole(const json_t *root, size_t flags);
/* part / whole, at most 1, with six digits that count: a small share keeps its digits, too. null:
 * the whole is nothing. */
json_t *json_share(double part, double whole);

#endif
