/* The files of the history of rules. They are few and small, so a list reads the folder anew. */
#include "crumb/node/published.h"

#include "crumb/base/json.h"
#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/load/put.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_DAYS 90
#define KEPT_MOST 2000
#define KEPT_BYTES ((uint64_t)256 << 20)
#define OBJECT_MOST ((size_t)16 << 20) /* bytes of one .json */
#define TEXT_MOST ((size_t)512 << 20)  /* of one .before or .patch */
#define NUMBER_DIGITS 8

static const char *const endings[] = {"json", "before", "patch"};

static void path_of(const char *store, unsigned n, const char *ending, char out[FILE_PATH_MAX])
{
	snprintf(
	    out, FILE_PATH_MAX, "%.4000s/rules-history/%0*u.%s", store, NUMBER_DIGITS, n, ending);
}

/* --- the folder */

/* The number in a name such as 00000007.json; 0: it is no such name. */
static unsigned number_of(const char *name, const char *ending)
{
	unsigned n = 0;
	for (int i = 0; i < NUMBER_DIGITS; i++) {
		if (!chr_digit(name[i]))
			return 0;
		n = 10 * n + (unsigned)(name[i] - '0');
	}
	return name[NUMBER_DIGITS] == '.' && strcmp(name + NUMBER_DIGITS + 1, ending) == 0 ? n : 0;
}

/* For scandir(). */
static int is_publication(const struct dirent *d)
{
	return number_of(d->d_name, "json") != 0;
}

/* Numbers of all publications, newest first; free() them. */
static unsigned *all_numbers(const char *store, size_t *n)
{
	char folder[FILE_PATH_MAX];
	struct dirent **files = NULL;
	snprintf(folder, sizeof folder, "%.4000s/rules-history", store);
	int found = scandir(folder, &files, is_publication, alphasort);
	*n = found > 0 ? (size_t)found : 0;
	unsigned *list = calloc(*n + 1, sizeof *list);
	for (size_t i = 0; i < *n; i++) {
		if (list)
			list[*n - 1 - i] = number_of(files[i]->d_name, "json");
		free(files[i]);
	}
	free(files);
	if (!list)
		*n = 0;
	return list;
}

unsigned published_newest(const char *store)
{
	size_t n;
	unsigned *list = all_numbers(store, &n), newest = n ? list[0] : 0;
	free(list);
	return newest;
}

/* --- reading */

/* Is it what published_begin() has written? Whoever reads one relies on these. */
static bool publication_is_whole(const json_t *j)
{
	const char *file = json_string_value(json_object_get(j, "file"));
	const json_t *segments = json_object_get(j, "segments"), *row;
	size_t i;
	bool whole = file && rule_file_name(str_c(file)) == OK && json_is_array(segments) &&
		     json_is_string(json_object_get(j, "file_before"));
	json_array_foreach(segments, i, row)
	{
		whole &= json_is_string(json_object_get(row, "id"));
	}
	return whole;
}

enum err published_read(const char *store, unsigned n, struct json_t **out)
{
	char path[FILE_PATH_MAX];
	struct buf b = {0};
	path_of(store, n, "json", path);
	enum err e = file_read(path, OBJECT_MOST, &b);
	if (e == ERR_NOT_FOUND)
		e = err_set(ERR_NOT_FOUND, "there is no publication %u", n);
	struct str text = b.n ? buf_view(&b) : STR("");
	json_t *j = e ? NULL : json_loadb(text.p, text.n, 0, NULL);
	if (!e && !publication_is_whole(j)) {
		json_decref(j);
		e = err_set(ERR_CORRUPT, "%s is damaged", path);
	}
	if (!e)
		*out = j;
	buf_done(&b);
	return e;
}

enum err published_before(const char *store, unsigned n, struct buf *out, bool *there)
{
	char path[FILE_PATH_MAX];
	json_t *j = NULL;
	enum err e = published_read(store, n, &j);
	if (e)
		return e;
	*there = *json_string_value(json_object_get(j, "file_before")) != 0;
	json_decref(j);
	path_of(store, n, "before", path);
	return *there ? file_read(path, TEXT_MOST, out) : OK;
}

enum err published_patch(const char *store, unsigned n, struct buf *out)
{
	char path[FILE_PATH_MAX];
	path_of(store, n, "patch", path);
	enum err e = file_read(path, TEXT_MOST, out);
	return e == ERR_NOT_FOUND ? err_set(e, "there is no publication %u", n) : e;
}

json_t *published_list(const char *store, unsigned before)
{
	static const char *const told[] = {
	    "n", "t", "who", "role", "why", "hash", "file", "segments", "undoes"};
	size_t n;
	unsigned *numbers = all_numbers(store, &n);
	json_t *list = json_array();
	for (size_t i = 0; i < n && json_array_size(list) < PUBLISHED_TOLD; i++) {
		if (before && numbers[i] >= before)
			continue;
		json_t *j = NULL, *row = json_object();
		if (published_read(store, numbers[i], &j) != OK) {
			log_warn("rules", "the history lacks a publication why=\"%s\"", err_text());
			json_decref(row);
			continue;
		}
		for (size_t k = 0; k < sizeof told / sizeof *told; k++)
			json_object_set(row, told[k], json_object_get(j, told[k]));
		json_array_append_new(list, row);
		json_decref(j);
	}
	free(numbers);
	return list;
}

/* --- writing */

enum err published_save(const char *store, unsigned n, struct json_t *publication)
{
	char path[FILE_PATH_MAX];
	char *text = json_whole(publication, JSON_COMPACT);
	path_of(store, n, "json", path);
	enum err e = text ? file_replace(path, str_c(text)) : err_set(ERR_NOMEM, "no memory");
	free(text);
	return e;
}

/* The .json last: without it the others belong to nothing. */
enum err published_begin(
    const char *store, struct json_t *publication, struct str before, struct str patch, unsigned *n)
{
	char path[FILE_PATH_MAX];
	unsigned next = published_newest(store) + 1;
	enum err e = OK;
	snprintf(path, sizeof path, "%.4000s/rules-history", store);
	if (mkdir(path, 0700) == 0)
		e = folder_sync(store);
	path_of(store, next, "before", path);
	if (!e && before.p)
		e = file_replace(path, before);
	path_of(store, next, "patch", path);
	if (!e)
		e = file_replace(path, patch);
	json_object_set_new(publication, "n", json_integer(next));
	json_object_set_new(publication, "state", json_string("begun"));
	if (!e)
		e = published_save(store, next, publication);
	if (e)
		published_drop(store, next);
	else
		*n = next;
	return e;
}

enum err published_done(const char *store, unsigned n, struct json_t *publication)
{
	json_object_set_new(publication, "state", json_string("done"));
	return published_save(store, n, publication);
}

/* The .json first: what is left of a crash in between belongs to nothing. */
void published_drop(const char *store, unsigned n)
{
	char path[FILE_PATH_MAX];
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		path_of(store, n, endings[i], path);
		unlink(path);
	}
}

/* --- what is left over */

static void drop_orphans(const char *store)
{
	char path[FILE_PATH_MAX], json[FILE_PATH_MAX];
	snprintf(path, sizeof path, "%.4000s/rules-history", store);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		for (size_t i = 1; i < sizeof endings / sizeof *endings; i++) {
			unsigned n = number_of(f->d_name, endings[i]);
			path_of(store, n, "json", json);
			if (n && access(json, F_OK) != 0)
				published_drop(store, n);
		}
	if (d)
		closedir(d);
}

/* Is the file still what it was before? Then nothing was published. */
static bool never_happened(const json_t *j, const char *rules)
{
	struct rule_files files;
	char hash[RULE_FILES_HASH] = "";
	const char *name = json_string_value(json_object_get(j, "file")),
		   *before = json_string_value(json_object_get(j, "file_before"));
	bool same = false;
	if (rule_files_read(rules, &files) == OK && name && before) {
		const struct rule_file *f = rule_files_find(&files, str_c(name));
		if (f)
			rule_file_hash(f->text, hash);
		same = strcmp(hash, before) == 0;
	}
	rule_files_done(&files);
	return same;
}

void published_recover(const char *store, const char *path)
{
	unsigned n = published_newest(store);
	json_t *j = NULL;
	drop_orphans(store);
	if (!n || published_read(store, n, &j) != OK)
		return;
	const char *state = json_string_value(json_object_get(j, "state"));
	if (state && strcmp(state, "begun") == 0) {
		if (never_happened(j, path))
			published_drop(store, n);
		else if (published_done(store, n, j) != OK)
			log_warn("rules", "the history cannot be written why=\"%s\"", err_text());
	}
	json_decref(j);
}

static uint64_t bytes_of(const char *store, unsigned n)
{
	char path[FILE_PATH_MAX];
	struct stat st;
	uint64_t bytes = 0;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		path_of(store, n, endings[i], path);
		bytes += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
	}
	return bytes;
}

/* One that cannot be read is as old as its file: it must not keep those behind it. */
static bool is_old(const char *store, unsigned n, uint32_t now)
{
	char path[FILE_PATH_MAX];
	struct stat st;
	json_t *j = NULL;
	json_int_t t = now;
	path_of(store, n, "json", path);
	if (published_read(store, n, &j) == OK)
		t = json_integer_value(json_object_get(j, "t"));
	else if (stat(path, &st) == 0)
		t = st.st_mtime;
	json_decref(j);
	return t + (json_int_t)KEPT_DAYS * DAY_S < (json_int_t)now;
}

/* Times grow with numbers: the first that is too old ends the search from the oldest on. */
void published_prune(const char *store, uint32_t now)
{
	size_t n, kept = 0;
	unsigned *numbers = all_numbers(store, &n);
	uint64_t bytes = 0;
	while (kept < n && kept < KEPT_MOST &&
	       (kept == 0 || (bytes += bytes_of(store, numbers[kept])) <= KEPT_BYTES))
		kept++;
	while (kept > 1 && is_old(store, numbers[kept - 1], now))
		kept--;
	for (size_t i = kept; i < n; i++)
		published_drop(store, numbers[i]);
	free(numbers);
}
