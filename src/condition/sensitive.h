/* What audiences may not be made of by themselves: etc/sensitive.txt, compiled in. Read once for
 * each set of rules that is linked; one thread. */
#ifndef CRUMB_SRC_CONDITION_SENSITIVE_H
#define CRUMB_SRC_CONDITION_SENSITIVE_H

#include "crumb/base/map.h"

struct sensitive {
	struct map words;
	struct {
		long first, last;
	} rows[64]; /* of the IAB Audience Taxonomy */
	unsigned rows_n;
};

void sensitive_init(struct sensitive *s);
void sensitive_done(struct sensitive *s);
/* Is a part of the id one of the words, or the row one of the rows? 0: no row. */
bool sensitive_has(const struct sensitive *s, const char *id, long iab);

#endif
