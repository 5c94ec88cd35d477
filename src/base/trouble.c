/* The pauses: 1, 2, 4, … seconds, up to what the caller allows. The log hears of the first failure
 * and of each other reason, but of no more than one reason a second. */
#include "crumb/base/trouble.h"

#include "crumb/base/err.h"
#include "crumb/base/log.h"

#include <stdio.h>
#include <string.h>

#define SECOND_US 1000000u

void trouble_note(struct trouble *t, unsigned most_s, const char *module, const char *what)
{
	uint64_t now = clock_mono_us();
	uint64_t pause_s = t->times < 16 ? 1u << t->times : most_s;
	bool other = strncmp(t->why, err_text(), sizeof t->why - 1) != 0;
	if (t->times++ == 0)
		t->since_us = now;
	t->again_us = now + SECOND_US * (pause_s < most_s ? pause_s : most_s);
	/* reasons that take turns are no news each time */
	if (t->times > 1 && (!other || now - t->told_us < SECOND_US))
		return;
	snprintf(t->why, sizeof t->why, "%s", err_text());
	t->told_us = now;
	log_error(module, "%s: not possible now, will be tried again failed=%llu why=\"%s\"", what,
	    (unsigned long long)t->times, t->why);
}

void trouble_over(struct trouble *t, const char *module, const char *what)
{
	if (!t->times)
		return;
	log_info(module, "%s: possible again failed=%llu seconds=%llu", what,
	    (unsigned long long)t->times,
	    (unsigned long long)((clock_mono_us() - t->since_us) / SECOND_US));
	*t = (struct trouble){.times = 0};
}
