/* Growing arrays. The caller's pointer is of any type, so it is read and written as its bytes
 * (memcpy): through a void ** that would be undefined. */
#include "crumb/base/array.h"

#include "crumb/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* An array that grows for the first time has room for as many items as these bytes hold. */
#define FIRST_BYTES 256

bool array_grow(void *array, size_t *cap, size_t want, size_t size)
{
	size_t least = size < FIRST_BYTES ? FIRST_BYTES / size : 1,
	       more = 2 * *cap > least ? 2 * *cap : least;
	void *old, *grown = NULL;
	if (more < want)
		more = want;
	memcpy(&old, array, sizeof old);
	/* half of what a size_t counts: no array may be larger than what a difference of pointers
	 * holds */
	if (more <= SIZE_MAX / 2 / size)
		grown = realloc(old, more * size);
	if (!grown) {
		memory_none();
		return false;
	}
	memcpy(array, &grown, sizeof grown);
	*cap = more;
	return true;
}

bool array_grow_zeroed(void *array, size_t *cap, size_t want, size_t size)
{
	size_t before = *cap;
	char *grown;
	if (!array_grow(array, cap, want, size))
		return false;
	memcpy(&grown, array, sizeof grown);
	memset(grown + before * size, 0, (*cap - before) * size);
	return true;
}
