/* Files of rules as a bundle: one msgpack array [name, text, name, text …]. Files come in the order
 * of their names, whatever order the folder lists them in, so that equal folders are equal bundles
 * and have the same hash. Models follow as "model:ID". */
#include "crumb/load/load.h"
#include "crumb/load/put.h"

#include "crumb/base/file.h"
#include "crumb/base/mp.h"
#include "crumb/rules/like.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FOLDERS_DEEP 8 /* how far below a folder left-out rules are looked for */

/* For scandir(): is this file one of rules? Editors leave copies whose names begin with a dot:
 * they are none. */
static int yaml_name(const struct dirent *d)
{
	struct str n = str_c(d->d_name);
	bool yaml = n.n > 5 && str_ieq(str_skip(n, n.n - 5), STR(".yaml"));
	return d->d_name[0] != '.' &&
	       (yaml || (n.n > 4 && str_ieq(str_skip(n, n.n - 4), STR(".yml"))));
}

#define RULES_FILE_MOST ((size_t)256 << 20) /* bytes of one file of rules, or of one model */

/* For scandir(): is this file a model? Models are written by crumb, so the ending is exact. */
static int model_name(const struct dirent *d)
{
	struct str n = str_c(d->d_name);
	return d->d_name[0] != '.' && n.n > 5 && str_eq(str_skip(n, n.n - 5), STR(".json"));
}

/* Adds a name and the text of its file. */
static enum err put_file(msgpack_packer *pk, const char *path, struct str name)
{
	struct buf text = {0};
	enum err e = file_read(path, RULES_FILE_MOST, &text);
	if (!e) {
		mp_put_str(pk, name);
		mp_put_str(pk, text.n ? buf_view(&text) : STR(""));
	}
	buf_done(&text);
	return e;
}

/* The files of a folder by their names; those of models under theirs. Frees the list. */
static enum err put_files(
    msgpack_packer *pk, const char *folder, struct dirent **files, int n, bool models)
{
	enum err e = OK;
	for (int i = 0; i < n; i++) {
		char file[FILE_PATH_MAX], name[300];
		struct str id = str_c(files[i]->d_name);
		snprintf(file, sizeof file, "%s/%s", folder, files[i]->d_name);
		if (models)
			id.n -= 5;
		snprintf(name, sizeof name, "%s" STR_FMT, models ? LIKE_PREFIX : "", STR_ARG(id));
		if (!e)
			e = put_file(pk, file, str_c(name));
		free(files[i]);
	}
	free(files);
	return e;
}

/* A folder of models may be missing: then no lookalike is trained. */
static int find_models(const char *models, struct dirent ***out)
{
	int n = models ? scandir(models, out, model_name, alphasort) : 0;
	return n < 0 ? 0 : n;
}

enum err rule_files_bundle(const struct rule_files *f, const char *models, struct buf *bundle)
{
	struct dirent **trained = NULL;
	msgpack_packer pk;
	int n = find_models(models, &trained);
	mp_packer(&pk, bundle);
	msgpack_pack_array(&pk, 2 * ((size_t)f->n + (size_t)n));
	for (unsigned i = 0; i < f->n; i++) {
		mp_put_str(&pk, str_c(f->list[i].name));
		mp_put_str(&pk, f->list[i].text);
	}
	enum err e = put_files(&pk, models, trained, n, true);
	if (!e && bundle->failed)
		e = err_set(ERR_NOMEM, "no memory");
	return e;
}

/* The folder of rules has to be there. */
enum err rules_read(const char *path, const char *models, struct buf *bundle)
{
	struct dirent **files = NULL, **trained = NULL;
	struct stat st;
	msgpack_packer pk;
	enum err e = OK;
	mp_packer(&pk, bundle);
	bool one = stat(path, &st) == 0 && S_ISREG(st.st_mode);
	int n = one ? 1 : scandir(path, &files, yaml_name, alphasort);
	if (n < 0)
		return err_sys("rules folder %s", path);
	int models_n = find_models(models, &trained);
	msgpack_pack_array(&pk, 2 * (size_t)(n + models_n));
	const char *slash = strrchr(path, '/');
	if (one)
		e = put_file(&pk, path, str_c(slash ? slash + 1 : path));
	else
		e = put_files(&pk, path, files, n, false);
	enum err other = put_files(&pk, models, trained, models_n, true);
	if (!e)
		e = other;
	if (!e && bundle->failed)
		e = err_set(ERR_NOMEM, "no memory");
	return e;
}

/* Something that holds rules, to all appearance: a folder with such files, somewhere below. */
static bool holds_yaml(const char *folder, unsigned depth)
{
	DIR *d = opendir(folder);
	bool found = false;
	for (struct dirent *f; d && !found && depth && (f = readdir(d));) {
		char below[FILE_PATH_MAX];
		struct stat st;
		if (f->d_name[0] == '.' ||
		    (size_t)snprintf(below, sizeof below, "%s/%s", folder, f->d_name) >=
			sizeof below ||
		    stat(below, &st))
			continue;
		found = S_ISDIR(st.st_mode) ? holds_yaml(below, depth - 1) : yaml_name(f) != 0;
	}
	if (d)
		closedir(d);
	return found;
}

/* Nobody misses rules that are not read until an audience stays empty: hence the warnings. */
void rules_left_out(const char *path, struct report *report)
{
	static const char hint[] =
	    "rules are files that end in .yaml or .yml and lie in the folder itself";
	const struct yaml_place at = {path, 1, 1, 0};
	struct dirent **files = NULL;
	struct stat st;
	unsigned rules = 0;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return;
	int n = scandir(path, &files, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char below[FILE_PATH_MAX];
		const char *name = files[i]->d_name;
		bool fits =
		    name[0] != '.' &&
		    (size_t)snprintf(below, sizeof below, "%s/%s", path, name) < sizeof below &&
		    stat(below, &st) == 0;
		if (fits && S_ISDIR(st.st_mode) && holds_yaml(below, FOLDERS_DEEP))
			report_add(report, &at, SEVERITY_WARNING, "not-read",
			    "move them into the folder itself, or name that folder",
			    "rules in the sub-folder '%s' are not read", name);
		rules += fits && !S_ISDIR(st.st_mode) && yaml_name(files[i]);
		free(files[i]);
	}
	free(files);
	if (n >= 0 && !rules)
		report_add(
		    report, &at, SEVERITY_WARNING, "no-rules", hint, "there are no rules here");
}

/* Goes over the names; a view of the bundle. */
struct str rules_file(struct str bundle, struct str name)
{
	struct mp m = mp_over(bundle);
	uint32_t n = mp_array(&m);
	for (uint32_t i = 0; i + 1 < n && !m.bad; i += 2) {
		struct str file = mp_str(&m), text = mp_str(&m);
		if (str_eq(file, name))
			return text;
	}
	return STR("");
}
