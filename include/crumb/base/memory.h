/* Memory that was not there. Deep inside a job whoever finds none says so, and goes on with less;
 * whoever is responsible for the result begins before the job and asks at its end, and then has no
 * result. So a job is shed, and the server goes on. Kept per thread. */
#ifndef CRUMB_BASE_MEMORY_H
#define CRUMB_BASE_MEMORY_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stddef.h>

void memory_begin(void); /* a job begins: what was missing before is forgotten */
void memory_none(void);	 /* there was none; err_set(ERR_NOMEM, …) says so, too */
bool memory_short(void); /* there was none, since memory_begin() */
/* ERR_NOMEM: the same. */
MUST_CHECK static inline enum err memory_check(void)
{
	return memory_short() ? err_set(ERR_NOMEM, "no memory for this now") : OK;
}
void *memory_for_json(size_t n); /* malloc() that says when there is none: an array without a row,
				    an object without a key is no answer */

#endif
