/* One flag a thread. */
#include "crumb/base/memory.h"

#include <stdlib.h>

static _Thread_local bool missing;

void memory_begin(void)
{
	missing = false;
}

void memory_none(void)
{
	missing = true;
}

bool memory_short(void)
{
	return missing;
}

void *memory_for_json(size_t n)
{
	void *p = malloc(n);
	missing |= !p;
	return p;
}
