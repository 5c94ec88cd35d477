/* Files of rules, replaced in the folder that a server reads: what `crumb rules deploy`, publishing
 * and undo have in common.
 *
 *     now   a.yaml  b.yaml             read before
 *     wish  a.yaml  b.yaml' c.yaml     rule_files_with(), or read from another folder
 *
 *     rule_files_lock ─► rule_files_take:  put b, c ─► reload ─► fine
 *                                                        │
 *                                                        └─ refused: b as it was, c gone again
 *
 * Each file is replaced as a whole, by rename, and is on disk then; it keeps its mode, and its
 * owner and group as far as this process may give them. A link stays a link: the file to which it
 * leads is replaced. Example: 200 files of 5 KB of which one changes cost one write and two
 * flushes.
 *
 * A struct rule_files belongs to whoever read it; texts are views of its bundle. Any thread, one at
 * a time for each set. */
#ifndef CRUMB_LOAD_PUT_H
#define CRUMB_LOAD_PUT_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

#define RULE_FILE_NAME 200 /* bytes of a name, at most */

struct rule_file {
	char name[256];
	struct str text; /* p is never NULL */
};

struct rule_files {
	bool folder; /* the path is a folder of files; false: it is the file itself */
	struct buf bundle;
	struct rule_file *list; /* in order of their names */
	unsigned n;
};

/* Reads a folder or a file. rule_files_done() in any case. */
enum err rule_files_read(const char *path, struct rule_files *out) MUST_CHECK;
void rule_files_done(struct rule_files *f);
const struct rule_file *rule_files_find(const struct rule_files *f, struct str name);
/* The same files with one replaced or added; text.p NULL: without it. */
enum err rule_files_with(const struct rule_files *f, struct str name, struct str text,
    struct rule_files *out) MUST_CHECK;
/* What they say, names and all, as one hash; models of lookalikes do not count. */
#define RULE_FILES_HASH 33
void rule_files_hash(const struct rule_files *f, char out[RULE_FILES_HASH]);
void rule_file_hash(struct str text, char out[RULE_FILES_HASH]);
/* As rules_load() takes them, with the models of a folder (rules_read()). */
enum err rule_files_bundle(
    const struct rule_files *f, const char *models, struct buf *bundle) MUST_CHECK;

/* May a file of rules have this name? It lies in the folder itself and is read: no '/', no dot at
 * the beginning, .yaml or .yml at the end. ERR_USAGE says what is wrong with it. */
enum err rule_file_name(struct str name) MUST_CHECK;
/* Can files be put there by this process? Tried, not guessed: ERR_IO says why not. */
enum err rule_files_writable(const char *path) MUST_CHECK;
/* Writes one file as described above. */
enum err rule_file_write(const char *path, struct str text) MUST_CHECK;

/* One at a time, in whatever process; waits so long. ERR_BUSY: somebody else still puts files
 * there. *lock is for rule_files_unlock(). */
#define RULE_FILES_WAIT_S 10
enum err rule_files_lock(const char *path, unsigned wait_s, int *lock) MUST_CHECK;
void rule_files_unlock(int lock);

/* RULE_FILES_BEFORE: what is replaced or removed is kept as NAME.before. */
enum rule_files_keep { RULE_FILES_NOTHING, RULE_FILES_BEFORE };
/* Puts `wish` in the place of `now`, and calls `reload`. When that fails, or a file cannot be
 * written, all is put back, and *changed is false; true: this failed as well, and some of the files
 * are changed. The words are those of the first failure. With the lock. */
enum err rule_files_take(const char *path, const struct rule_files *now,
    const struct rule_files *wish, enum rule_files_keep keep, enum err (*reload)(void *arg),
    void *arg, bool *changed) MUST_CHECK;

#endif
