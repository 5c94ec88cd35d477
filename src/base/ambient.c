/* Each thread has a pointer to its ambient, so that whoever asks for the time or counts a hit need
 * not be handed it, and takes no lock. */
#include "crumb/base/ambient.h"

#include "crumb/base/clock.h"

#include <stdlib.h>

static struct ambient first = {.clock.floor = CLOCK_LEAST}; /* of the program */

_Thread_local struct ambient *ambient_mine = &first;
_Thread_local struct metric_block *ambient_counts;

void ambient_init(struct ambient *a)
{
	*a = (struct ambient){.clock.floor = CLOCK_LEAST};
}

void ambient_done(struct ambient *a)
{
	struct metric_block *next;
	for (struct metric_block *b = atomic_load(&a->counts); b; b = next) {
		/* only core/metric.c knows the rest of a block: it begins with the next one */
		next = *(struct metric_block **)b;
		free(b);
	}
	atomic_store(&a->counts, NULL);
}

struct ambient *ambient_enter(struct ambient *a)
{
	struct ambient *before = ambient_mine;
	ambient_mine = a;
	ambient_counts = NULL;
	return before;
}
