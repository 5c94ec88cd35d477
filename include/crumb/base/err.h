/* Errors: one type, returned; the words are kept per thread.
 *
 * A function that can fail returns enum err and leaves its out-parameters untouched when it does.
 * err_set() keeps a sentence for people; err_text() gives that of this thread's latest failure.
 * Foreign codes are mapped once: the system's here, those of LMDB, zstd and others where the
 * library is called. */
#ifndef CRUMB_BASE_ERR_H
#define CRUMB_BASE_ERR_H

enum err {
	OK = 0,
	ERR_NOMEM,     /* an allocation failed */
	ERR_IO,	       /* the system or a library said no */
	ERR_FULL,      /* disk, map or a bounded table is full */
	ERR_CORRUPT,   /* bytes from disk are not what was written */
	ERR_NOT_FOUND, /* nothing by that name */
	ERR_USAGE,     /* the caller, or whoever typed it, made a mistake */
	ERR_SYNTAX,    /* text written by people does not parse; words carry file:line:column */
	ERR_BUSY,      /* somebody else holds it */
	ERR_MAX
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Keeps the words and returns the code: `return err_set(ERR_USAGE, "%s is no folder", path);` */
enum err err_set(enum err code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A call of the system failed, and errno says why. The words name what it was about; the system's
 * own words follow them: `return err_sys("%s/lock", folder);` is "store/lock: Permission denied".
 * No room (ENOSPC, EDQUOT), and a file larger than the process may write (EFBIG), are ERR_FULL,
 * ENOMEM is ERR_NOMEM, all else ERR_IO. To be called before anything that sets errno anew; errno
 * stays as it is. */
enum err err_sys(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same for a file or folder that may be missing: ENOENT is ERR_NOT_FOUND. */
enum err err_sys_path(const char *path);
/* Puts words before those of this thread's latest failure, and returns `code`. */
enum err err_wrap(enum err code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *err_text(void);
const char *err_name(enum err code);

/* Asserts that stay on: what they guard is a bug, not bad input. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0))                                                  \
			check_failed(#cond, __FILE__, __LINE__);                                   \
	} while (0)
_Noreturn void check_failed(const char *cond, const char *file, int line);

#endif
