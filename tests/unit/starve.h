/* Memory that runs out when a test says so. A test that includes this is linked with malloc(), calloc() and realloc() wrapped (Makefile: STARVED), so
 * that what the program under test asks for comes by here; what libraries ask for does not. */
#ifndef CRUMB_TEST_STARVE_H
#define CRUMB_TEST_STARVE_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t n), *__real_calloc(size_t n, size_t size), *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n), *__wrap_calloc(size_t n, size_t size), *__wrap_realloc(void *p, size_t n);

static long starve_left = -1; /* requests that are still granted; -1: all */

/* From now on `granted` requests are granted and all others fail, until starve_end(). */
static inline void starve_after(long granted)
{
	starve_left = granted;
}

static inline void starve_end(void)
{
	starve_left = -1;
}

static bool starve_grants(void)
{
	if (starve_left > 0)
		starve_left--;
	else if (starve_left == 0)
		return false;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return starve_grants() ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return starve_grants() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
	return starve_grants() ? __real_realloc(p, n) : NULL;
}

#endif
