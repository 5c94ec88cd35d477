/* Memory that was not there. A function deep inside a job that finds no memory says so with
 * memory_none() and goes on with less. Whoever is responsible for the result calls memory_begin()
 * before the job and memory_check() at its end, and has no result when memory was missing. So a job
 * is shed, and the server goes on. The note is kept per thread. */
#ifndef CRUMB_BASE_MEMORY_H
#define CRUMB_BASE_MEMORY_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stddef.h>

void memory_begin(void); /* a job begins: what was missing before is forgotten */
void memory_none(void);	 /* memory is missing; err_set(ERR_NOMEM, …) says so, too */
bool memory_short(void); /* memory was missing since memory_begin() */
/* ERR_NOMEM when memory was missing since memory_begin(). */
MUST_CHECK static inline enum err memory_check(void)
{
	return memory_short() ? err_set(ERR_NOMEM, "no memory for this now") : OK;
}
/* malloc() that calls memory_none(), for the JSON library: without memory the library leaves out a
 * row of an array or a key of an object, and the rest would be a wrong answer. */
void *memory_for_json(size_t n);

#endif
