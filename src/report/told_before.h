/* Which groups earlier reports told: what the memory of the k gate is for segments and categories
 * (privacy/kgate.h), for the groups of reports, of which there are up to 70 for each segment.
 *
 * A group that was told and then fell below k must not come back at k: who sees it vanish and come
 * back knows that one visitor left and came back. So a group of k to k + 9 visitors is told if it
 * is new, or if the latest report told it; and not if an earlier one did and the latest did not:
 *
 *     report        1    2    3    4    5    6
 *     members      60   52   49   55   61   55         k = 50
 *     told         60   50    -    -   60   60
 *     remembered    1    2    2    2    5    6         the last report that told it
 *
 * A name is a hash of what the group is: kind, ids, and of a clause its text. 18 bytes for each
 * group in memory; names that no report told for 90 days are forgotten. While there is no room for
 * more names, or what was remembered is damaged, a name that is not there counts as one that fell.
 *
 *     STORE/reports/told        (disk/checked.h)
 *
 *     told 1 6                  of report 6
 *     9ae16a3b2f90404f 5 20794  name, report, day
 *
 * Belongs to whoever makes a report. */
#ifndef CRUMB_SRC_REPORT_TOLD_BEFORE_H
#define CRUMB_SRC_REPORT_TOLD_BEFORE_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

struct told_name {
	uint64_t name;
	uint32_t report;
	uint16_t day;
};
struct told_before {
	struct told_name *names; /* sorted by name, each once */
	size_t names_n;
	struct told_name *now; /* what this report tells, in any order */
	size_t now_n, now_cap;
	uint32_t report; /* the latest before this one; 0: none */
	bool strict;	 /* what is not there counts as fallen */
};

/* What a file has; NULL or an empty text: nothing was told yet. */
void told_before_read(struct told_before *b, const char *path);
/* Was it told, and not by the latest report? */
bool told_before_fell(const struct told_before *b, uint64_t name);
/* This report, of that day, tells it. No memory: memory_check() says so. */
void told_before_note(struct told_before *b, uint64_t name, uint16_t day);
/* Writes what is remembered from now on. */
enum err told_before_write(struct told_before *b, const char *path, uint16_t today) MUST_CHECK;
void told_before_done(struct told_before *b);

#endif
