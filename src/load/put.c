/* Sets of files of rules, and how one takes the place of another. What is new or different is
 * written first, then what is to go is removed: at no time is a rule missing that both sets have.
 */
#include "crumb/load/put.h"

#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/base/mp.h"
#include "crumb/core/hash.h"
#include "crumb/load/load.h"
#include "crumb/rules/like.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MOST 10000

/* --- sets */

/* Finds the files in the bundle. */
static enum err list_files(struct rule_files *f, const char *path)
{
	struct mp m = mp_over(buf_view(&f->bundle));
	uint32_t texts = mp_array(&m);
	if (texts / 2 > FILES_MOST)
		return err_set(ERR_USAGE, "%s: more than %d files", path, FILES_MOST);
	f->list = calloc(texts / 2 + 1, sizeof *f->list);
	if (!f->list)
		return err_set(ERR_NOMEM, "no memory for the files of rules");
	for (f->n = 0; f->n < texts / 2 && !m.bad; f->n++) {
		struct rule_file *one = &f->list[f->n];
		struct str name = mp_str(&m);
		snprintf(one->name, sizeof one->name, STR_FMT, STR_ARG(name));
		one->text = mp_str(&m);
		if (!one->text.p)
			one->text = STR("");
	}
	return OK;
}

enum err rule_files_read(const char *path, struct rule_files *out)
{
	struct stat st;
	*out = (struct rule_files){.folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode)};
	enum err e = rules_read(path, NULL, &out->bundle);
	return e ? e : list_files(out, path);
}

void rule_files_done(struct rule_files *f)
{
	buf_done(&f->bundle);
	free(f->list);
	f->list = NULL;
	f->n = 0;
}

const struct rule_file *rule_files_find(const struct rule_files *f, struct str name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (str_eq(str_c(f->list[i].name), name))
			return &f->list[i];
	return NULL;
}

static int order(struct str a, struct str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static void pack_file(msgpack_packer *pk, struct str name, struct str text)
{
	mp_put_str(pk, name);
	mp_put_str(pk, text);
}

/* Files come in the order of their names, as rules_read() has them: equal sets are equal bytes. */
enum err rule_files_with(
    const struct rule_files *f, struct str name, struct str text, struct rule_files *out)
{
	msgpack_packer pk;
	bool there = rule_files_find(f, name) != NULL, put = !text.p;
	*out = (struct rule_files){.folder = f->folder};
	mp_packer(&pk, &out->bundle);
	msgpack_pack_array(&pk, 2 * ((size_t)f->n - there + (text.p != NULL)));
	for (unsigned i = 0; i < f->n; i++) {
		struct str other = str_c(f->list[i].name);
		int c = order(name, other);
		if (!put && c <= 0) {
			pack_file(&pk, name, text);
			put = true;
		}
		if (c)
			pack_file(&pk, other, f->list[i].text);
	}
	if (!put)
		pack_file(&pk, name, text);
	if (out->bundle.failed)
		return err_set(ERR_NOMEM, "no memory for the files of rules");
	return list_files(out, "rules");
}

void rule_file_hash(struct str text, char out[RULE_FILES_HASH])
{
	struct hash16 h = hash_content(text);
	hex_encode(h.b, sizeof h.b, out);
	out[RULE_FILES_HASH - 1] = 0;
}

void rule_files_hash(const struct rule_files *f, char out[RULE_FILES_HASH])
{
	rule_file_hash(buf_view(&f->bundle), out);
}

/* --- names and places */

enum err rule_file_name(struct str name)
{
	const char *wrong = NULL;
	bool yaml = name.n > 5 && str_ieq(str_skip(name, name.n - 5), STR(".yaml"));
	if (!name.n || name.n > RULE_FILE_NAME)
		wrong = "a name has 1 to 200 bytes";
	else if (memchr(name.p, '/', name.n))
		wrong = "rules lie in the folder itself: a name has no '/'";
	else if (name.p[0] == '.')
		wrong = "a name that begins with a dot is not read";
	else if (!yaml && !(name.n > 4 && str_ieq(str_skip(name, name.n - 4), STR(".yml"))))
		wrong = "only files that end in .yaml or .yml are read as rules";
	else if (utf8_valid(name) != name.n || str_starts(name, STR(LIKE_PREFIX)))
		wrong = "this is no name that can be read";
	for (size_t i = 0; !wrong && i < name.n; i++)
		if ((uint8_t)name.p[i] < 0x20 || name.p[i] == 0x7f)
			wrong = "a name has no control characters";
	if (wrong)
		return err_set(ERR_USAGE, "this cannot be a file of rules: %s", wrong);
	return OK;
}

/* Where a file lies, with a tail such as ".before". */
static void place(const char *path, const struct rule_files *f, const char *name, const char *tail,
    char out[FILE_PATH_MAX])
{
	char in[FILE_PATH_MAX];
	if (f->folder)
		snprintf(in, sizeof in, "%.3800s/%s", path, name);
	else
		snprintf(in, sizeof in, "%.4000s", path);
	char *real = realpath(in, NULL);
	snprintf(out, FILE_PATH_MAX, "%.4060s%s", real ? real : in, tail);
	free(real);
}

/* The folder of a path, which may be the path itself. */
static void folder_of(const char *path, char out[FILE_PATH_MAX])
{
	struct stat st;
	char *real = realpath(path, NULL);
	snprintf(out, FILE_PATH_MAX, "%.4000s", real ? real : path);
	free(real);
	if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
		return;
	char *slash = strrchr(out, '/');
	if (slash && slash != out)
		*slash = 0;
	else
		snprintf(out, FILE_PATH_MAX, "%s", slash ? "/" : ".");
}

/* A file without a name is what a new file begins as (base/file.h). Where there are none, rights
 * are asked for. */
enum err rule_files_writable(const char *path)
{
	char folder[FILE_PATH_MAX];
	folder_of(path, folder);
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	bool fine = fd >= 0;
	if (!fine && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fine = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
	enum err e = fine ? OK : err_sys("%s cannot be written to", folder);
	if (fd >= 0)
		close(fd);
	return e;
}

/* --- one file */

enum err rule_file_write(const char *path, struct str text)
{
	struct file_new f;
	struct stat st;
	bool there = stat(path, &st) == 0;
	enum err e = file_begin(&f, path, 0600);
	if (e)
		return e;
	int fd = fileno(f.file);
	if (there && fchown(fd, st.st_uid, st.st_gid) != 0 && fchown(fd, (uid_t)-1, st.st_gid) != 0)
		errno = 0; /* an owner that is not us, a group that we are not in */
	if (fchmod(fd, there ? st.st_mode & 0777 : 0644) != 0 ||
	    (text.n && fwrite(text.p, 1, text.n, f.file) != text.n)) {
		e = err_sys("%s", path);
		file_drop(&f);
		return e;
	}
	return file_finish(&f);
}

/* --- one at a time */

/* The lock is the folder's own: nothing is written to it, and it goes with the process. Publishing
 * holds it while rules are read, which takes a second for ten thousand of them. */
enum err rule_files_lock(const char *path, unsigned wait_s, int *lock)
{
	char folder[FILE_PATH_MAX];
	folder_of(path, folder);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys("%s", folder);
	for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (errno != EWOULDBLOCK || i == 20 * wait_s) {
			close(fd);
			return err_set(
			    ERR_BUSY, "somebody else is putting files into %s: try again", folder);
		}
		nanosleep(&(struct timespec){0, 50000000}, NULL);
	}
	*lock = fd;
	return OK;
}

void rule_files_unlock(int lock)
{
	close(lock);
}

/* --- one set in the place of another */

static bool differs(const struct rule_file *a, const struct rule_file *b)
{
	return !a || !b || !str_eq(a->text, b->text);
}

/* Copies first, then what is new or different, then what goes. A failure leaves some files changed;
 * the caller knows how to go back. */
static enum err swap_files(const char *path, const struct rule_files *now,
    const struct rule_files *wish, enum rule_files_keep keep)
{
	enum err e = OK;
	char at[FILE_PATH_MAX];
	for (unsigned i = 0; i < now->n && keep == RULE_FILES_BEFORE && !e; i++) {
		const struct rule_file *f = &now->list[i];
		place(path, now, f->name, ".before", at);
		if (differs(f, rule_files_find(wish, str_c(f->name))))
			e = rule_file_write(at, f->text);
	}
	for (unsigned i = 0; i < wish->n && !e; i++) {
		const struct rule_file *f = &wish->list[i];
		place(path, now, f->name, "", at);
		if (differs(f, rule_files_find(now, str_c(f->name))))
			e = rule_file_write(at, f->text);
	}
	for (unsigned i = 0; i < now->n && !e; i++) {
		place(path, now, now->list[i].name, "", at);
		if (!rule_files_find(wish, str_c(now->list[i].name)) && unlink(at) != 0 &&
		    errno != ENOENT)
			e = err_sys("%s", at);
	}
	if (!e && now->folder)
		e = folder_sync(path);
	return e;
}

/* The words of the failure are kept while files are put back, which may fail, too. */
enum err rule_files_take(const char *path, const struct rule_files *now,
    const struct rule_files *wish, enum rule_files_keep keep, enum err (*reload)(void *), void *arg,
    bool *changed)
{
	*changed = false;
	enum err e = swap_files(path, now, wish, keep);
	if (!e)
		e = reload(arg);
	if (!e)
		return OK;
	char why[400];
	snprintf(why, sizeof why, "%s", err_text());
	*changed = swap_files(path, wish, now, RULE_FILES_NOTHING) != OK;
	return err_set(e, "%s", why);
}
