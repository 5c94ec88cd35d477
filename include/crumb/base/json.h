/* JSON as text, whole or not at all. Jansson 2.14 writes on when it finds no memory for the key of
 * an object, so json_dumps() may leave a key out: {"id":1,"to":2} became {"id":1,:2}. */
#ifndef CRUMB_BASE_JSON_H
#define CRUMB_BASE_JSON_H

#include <jansson.h>

/* The text of `root` with the flags of json_dumps(); free() it. NULL: no memory, and memory_none()
 * was called; or `root` is NULL. */
char *json_whole(const json_t *root, size_t flags);

#endif
