/* What the program says on standard error, for tests of that. Between said_begin() and said_end()
 * it goes to a file. */
#ifndef CRUMB_TESTS_SAID_H
#define CRUMB_TESTS_SAID_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int said_before = -1; /* the standard error that there was */
static FILE *said_file;

static inline int said_begin(void)
{
	fflush(stderr);
	said_file = tmpfile();
	said_before = dup(STDERR_FILENO);
	return !said_file || said_before < 0 || dup2(fileno(said_file), STDERR_FILENO) < 0;
}

/* What was said since the last call. Lives until the next. */
static inline const char *said(void)
{
	static char text[16384];
	fflush(stderr);
	rewind(said_file);
	text[fread(text, 1, sizeof text - 1, said_file)] = 0;
	rewind(said_file);
	if (ftruncate(fileno(said_file), 0) != 0)
		abort();
	lseek(STDERR_FILENO, 0, SEEK_SET);
	return text;
}

static inline int said_end(void)
{
	fflush(stderr);
	int rc = dup2(said_before, STDERR_FILENO) < 0;
	close(said_before);
	fclose(said_file);
	return rc;
}

#endif
