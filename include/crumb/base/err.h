/* Errors: one type, returned; the words are kept per thread.
 *
 * A function that can fail returns enum err and leaves its out-parameters untouched when it does.
 * err_set() keeps a sentence for people; err_text() gives the one of this thread's latest failure.
 * Foreign codes (errno, LMDB, zstd …) are mapped once, where the library is called. */
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

/* Keeps the words and returns the code: `return err_set(ERR_IO, "%s: %s", path, strerror(errno));` */
enum err err_set(enum err code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prefixes the words of the failure at hand, and passes its code on. */
enum err err_wrap(enum err code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *err_text(void);
const char *err_name(enum err code);

/* Asserts that stay on: what they guard is a bug, not bad input. */
#define CHECK(cond)                                                                                                                                  \
	do {                                                                                                                                         \
		if (__builtin_expect(!(cond), 0))                                                                                                    \
			check_failed(#cond, __FILE__, __LINE__);                                                                                     \
	} while (0)
_Noreturn void check_failed(const char *cond, const char *file, int line);

#endif
