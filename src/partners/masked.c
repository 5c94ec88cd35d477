/* What formats that are lines, or JSON, have in common where their files are shown without ids. */
#include "formats.h"

#include "crumb/base/json.h"
#include <stdlib.h>

void masked_done(struct masked *m)
{
	buf_done(&m->head);
	buf_done(&m->lines);
}

void masked_cells(struct str bytes, char separator, struct masked *out)
{
	const char *end;
	while (bytes.n && (end = memchr(bytes.p, '\n', bytes.n))) {
		size_t n = (size_t)(end - bytes.p) + 1;
		const char *cell = memchr(bytes.p, separator, n);
		if (cell) {
			buf_c(&out->lines, MASK);
			buf_add(&out->lines, cell, n - (size_t)(cell - bytes.p));
		}
		bytes = str_make(end + 1, bytes.n - n);
	}
}

void masked_json(json_t *line, struct masked *out)
{
	char *text = json_whole(line, JSON_COMPACT);
	if (text) {
		buf_c(&out->lines, text);
		buf_c(&out->lines, "\n");
	}
	free(text);
	json_decref(line);
}

bool masked_only(const json_t *object, const char *keys)
{
	for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)object, at))
		if (!str_listed(str_c(json_object_iter_key(at)), keys))
			return false;
	return json_is_object(object);
}

bool masked_text(json_t *object, const char *name)
{
	if (!json_is_string(json_object_get(object, name)))
		return false;
	return json_object_set_new(object, name, json_string(MASK)) == 0;
}

void masked_objects(struct str bytes, bool (*mask)(json_t *line), struct masked *out)
{
	const char *end;
	json_error_t error;
	while (bytes.n && (end = memchr(bytes.p, '\n', bytes.n))) {
		size_t n = (size_t)(end - bytes.p) + 1;
		json_t *line = json_loadb(bytes.p, n, 0, &error);
		if (line && mask(line))
			masked_json(line, out);
		else
			json_decref(line);
		bytes = str_make(end + 1, bytes.n - n);
	}
}
