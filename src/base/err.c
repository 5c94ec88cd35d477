/* The words of a thread's latest failure stand in a buffer of the thread, so nobody frees them and
 * a failure for want of memory has words, too. Words are formatted beside that buffer and then
 * copied: an argument may be err_text() itself. */
#include "crumb/base/err.h"

#include "crumb/base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char words[512];

enum err err_set(enum err code, const char *fmt, ...)
{
	char text[sizeof words];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	memcpy(words, text, sizeof text);
	if (code == ERR_NOMEM)
		memory_none();
	return code;
}

/* The one place where the system's numbers become ours. */
static enum err code_of(int system, bool may_be_missing)
{
	if (system == ENOSPC || system == EDQUOT || system == EFBIG)
		return ERR_FULL;
	if (system == ENOMEM)
		return ERR_NOMEM;
	return system == ENOENT && may_be_missing ? ERR_NOT_FOUND : ERR_IO;
}

enum err err_sys(const char *fmt, ...)
{
	int system = errno;
	char about[sizeof words];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(about, sizeof about, fmt, ap);
	va_end(ap);
	enum err e = err_set(code_of(system, false), "%.400s: %s", about, strerror(system));
	errno = system;
	return e;
}

enum err err_sys_path(const char *path)
{
	int system = errno;
	enum err e = err_set(code_of(system, true), "%.400s: %s", path, strerror(system));
	errno = system;
	return e;
}

/* What does not fit is cut at the end: what stands in front says where it happened. */
enum err err_wrap(enum err code, const char *fmt, ...)
{
	char text[sizeof words];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	size_t at = n > 0 && (size_t)n < sizeof text ? (size_t)n : 0;
	const char *why = words[0] ? words : err_name(code);
	if (at && at + 3 < sizeof text) {
		memcpy(text + at, ": ", 2);
		size_t room = sizeof text - at - 3, len = strlen(why);
		memcpy(text + at + 2, why, len < room ? len : room);
		text[at + 2 + (len < room ? len : room)] = 0;
	}
	memcpy(words, text, sizeof text);
	return code;
}

const char *err_text(void)
{
	return words;
}

const char *err_name(enum err code)
{
	static const char *const names[ERR_MAX] = {"fine", "out of memory", "input/output error",
	    "full", "corrupt", "not found", "misuse", "syntax error", "in use"};
	return code < ERR_MAX ? names[code] : "unknown error";
}

_Noreturn void check_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "fatal check failed=\"%s\" at=%s:%d\n", cond, file, line);
	abort();
}
