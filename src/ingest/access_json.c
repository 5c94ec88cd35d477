/* Logs whose lines are objects of JSON: fields are known by the names that servers give them. A
 * name within an object is put together with the object's: {"request":{"method":…}} is
 * requestmethod.
 *
 * Two trees of JSON may live while a line is read: of the object that wraps it (Docker, journald),
 * and of the line itself. Views point into both; the next line frees them. */
#include "crumb/base/code.h"

#include "access_row.h"

#include <jansson.h>
#include <stdio.h>

#define DEPTH_MOST 4 /* objects within each other */
#define NAME_MOST 96 /* bytes of names put together */

struct walk {
	struct access *a;
	struct access_row *r;
	unsigned rank[FIELDS]; /* of the name that a field was taken from */
	char name[NAME_MOST];  /* so far */
};

static struct str number_text(struct access *a, const json_t *j)
{
	char text[40];
	int n;
	if (json_is_integer(j))
		n = snprintf(text, sizeof text, "%lld", (long long)json_integer_value(j));
	else
		n = snprintf(text, sizeof text, "%.3f", json_real_value(j));
	char *to = n > 0 && (size_t)n < sizeof text ? access_room(a, (size_t)n) : NULL;
	if (!to)
		return STR("");
	memcpy(to, text, (size_t)n);
	return str_make(to, (size_t)n);
}

/* Values of a header that came in several lines are one list. */
static struct str joined(struct access *a, const json_t *array)
{
	size_t i, n = 0;
	json_t *item;
	json_array_foreach(array, i, item) n += json_string_length(item) + 1;
	if (json_array_size(array) == 1)
		return str_make(json_string_value(json_array_get(array, 0)),
		    json_string_length(json_array_get(array, 0)));
	char *to = access_room(a, n);
	n = 0;
	json_array_foreach(array, i, item)
	{
		size_t len = json_string_length(item);
		if (!to || !len)
			continue;
		if (n)
			to[n++] = ',';
		memcpy(to + n, json_string_value(item), len);
		n += len;
	}
	return str_make(to ? to : "", n);
}

/* Takes the value, if its name means a field and no better name was there. */
static void take_field(struct walk *w, const json_t *j)
{
	unsigned rank;
	enum access_field f = access_field_named(str_c(w->name), &rank);
	if (f == F_NONE || rank >= w->rank[f])
		return;
	struct str s = STR("");
	if (json_is_string(j))
		s = str_make(json_string_value(j), json_string_length(j));
	else if (json_is_number(j))
		s = number_text(w->a, j);
	else if (json_is_array(j))
		s = joined(w->a, j);
	if (!s.n || (str_eq(s, STR("-")) && f != F_REQUEST))
		return;
	w->rank[f] = rank;
	w->r->f[f] = s;
}

static void walk(struct walk *w, json_t *object, size_t at, unsigned depth)
{
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
	{
		size_t n = strlen(key);
		if (n >= NAME_MOST - at)
			continue;
		memcpy(w->name + at, key, n + 1);
		if (!json_is_object(value))
			take_field(w, value);
		else if (depth < DEPTH_MOST)
			walk(w, value, at + n, depth + 1);
	}
}

/* Mends what is nearly JSON: \xHH, which nginx writes where a log_format lacks escape=json, becomes
 * \\xHH, and a byte that is not UTF-8 becomes '?'. */
static struct str mended(struct access *a, struct str line, bool *escaped)
{
	char *to = access_room(a, 2 * line.n);
	size_t n = 0;
	for (size_t i = 0; to && i < line.n;) {
		size_t fine = utf8_valid(str_make(line.p + i, 1));
		if (line.p[i] == '\\' && i + 1 < line.n && line.p[i + 1] == 'x') {
			to[n++] = '\\';
			to[n++] = '\\';
			*escaped = true;
			i++;
		} else if (line.p[i] == '\\' && i + 1 < line.n) {
			to[n++] = line.p[i++];
			to[n++] = line.p[i++];
		} else if (fine) {
			to[n++] = line.p[i++];
		} else {
			fine = utf8_valid(str_make(line.p + i, line.n - i < 4 ? line.n - i : 4));
			if (!fine)
				to[n++] = '?', i++;
			for (; fine; fine--)
				to[n++] = line.p[i++];
		}
	}
	return str_make(to ? to : "", n);
}

void access_forget_tree(struct access *a)
{
	json_decref(a->tree);
	a->tree = NULL;
}

void access_forget_wrapper(struct access *a)
{
	json_decref(a->wrapper);
	a->wrapper = NULL;
}

/* The line as an object of JSON, or NULL. */
static json_t *object_of(struct str line)
{
	json_error_t error;
	json_t *root =
	    line.n && line.p[0] == '{' ? json_loadb(line.p, line.n, JSON_ALLOW_NUL, &error) : NULL;
	if (root && !json_is_object(root)) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/* A line that has none of the keys in quotes is not parsed here: Caddy's have a "logger", and are
 * not read twice. An object may also have a message beside the fields of a request; with the form
 * json, only another object takes its place. */
struct str access_unwrapped(struct access *a, struct str line)
{
	static const struct {
		const char *name, *quoted;
	} keys[] = {
	    {"log", "\"log\""},		/* Docker */
	    {"message", "\"message\""}, /* Fluent Bit, Filebeat */
	    {"MESSAGE", "\"MESSAGE\""}, /* journald */
	};
	bool may = false;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		may |= line.n && line.p[0] == '{' && str_has(line, str_c(keys[i].quoted));
	json_t *root = may ? object_of(line) : NULL;
	access_forget_wrapper(a);
	a->wrapper = root;
	for (size_t i = 0; root && i < sizeof keys / sizeof *keys; i++) {
		const json_t *j = json_object_get(root, keys[i].name);
		struct str in = str_trim(str_make(json_string_value(j), json_string_length(j)));
		while (in.n && (in.p[in.n - 1] == '\n' || in.p[in.n - 1] == '\r'))
			in.n--;
		if (in.n && (a->form != ACCESS_JSON || in.p[0] == '{'))
			return in;
	}
	return line;
}

bool access_read_json(struct access *a, struct str line, struct access_row *r)
{
	json_error_t error;
	struct walk w = {.a = a, .r = r};
	for (unsigned i = 0; i < FIELDS; i++)
		w.rank[i] = UINT32_MAX;
	access_forget_tree(a);
	line = str_skip(line, str_find(line, '{')); /* syslog puts a head before it */
	a->why = "no object of JSON";
	if (!line.n)
		return false;
	json_t *root = json_loadb(line.p, line.n, JSON_ALLOW_NUL, &error);
	if (!root) {
		struct str again = mended(a, line, &r->escaped);
		root = json_loadb(again.p, again.n, JSON_ALLOW_NUL, &error);
	}
	a->tree = root;
	if (!json_is_object(root))
		return false;
	walk(&w, root, 0, 1);
	return true;
}
