/* What stands in the place of malloc(), calloc() and realloc() in unit tests. */
#include "starve.h"

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t n), *__real_calloc(size_t n, size_t size),
    *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n), *__wrap_calloc(size_t n, size_t size),
    *__wrap_realloc(void *p, size_t n);

static _Thread_local long left = -1; /* requests that are still granted; -1: all */

void starve_after(long granted)
{
	left = granted;
}

void starve_end(void)
{
	left = -1;
}

static bool grants(void)
{
	if (left > 0)
		left--;
	else if (left == 0)
		return false;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return grants() ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return grants() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
	return grants() ? __real_realloc(p, n) : NULL;
}
