/* What cannot be done now and is tried again. The log hears of it when it begins, when its reason
 * changes, and when it is over, with how often it failed. The pauses between tries double. One
 * thread's; a zeroed struct says that all is well. */
#ifndef CRUMB_BASE_TROUBLE_H
#define CRUMB_BASE_TROUBLE_H

#include "crumb/base/clock.h"

struct trouble {
	uint64_t times;	   /* failed in a row; 0: all is well */
	uint64_t since_us; /* clock_mono_us() */
	uint64_t again_us; /* not to be tried before */
	uint64_t told_us;  /* the log heard of `why` then */
	char why[200];	   /* the reason that the log heard */
};

/* It failed, for the reason in err_text(). The next try is a second away, then two, up to most_s.
 */
void trouble_note(struct trouble *t, unsigned most_s, const char *module, const char *what);
/* It worked. */
void trouble_over(struct trouble *t, const char *module, const char *what);

static inline bool trouble_due(const struct trouble *t)
{
	return !t->times || clock_mono_us() >= t->again_us;
}

#endif
