/* Inside the command line: how each report is shown, for people as tables and for spreadsheets as
 * CSV. report.c gets the JSON, report_print.c and report_csv.c show it. One thread. */
#ifndef CRUMB_SRC_CLI_REPORTS_H
#define CRUMB_SRC_CLI_REPORTS_H

#include "crumb/cli/cli.h"

/* Which report; there is a row for each in report.c. */
enum report_kind {
	REPORT_SUMMARY,
	REPORT_SEGMENT,
	REPORT_CATEGORIES,
	REPORT_JOURNEYS,
	REPORT_HITS,
	REPORT_SEGMENTS,
	REPORT_DELIVERIES,
	REPORT_KINDS
};

/* What the API tells, as tables on stdout. */
void reports_print(struct cli *c, enum report_kind kind, const struct json_t *j);
/* The same as CSV (RFC 4180) behind what is in `out`: a line of headers, then a row for each number
 * or group. A number that is null is an empty cell. A cell that a spreadsheet would take for a
 * formula begins with an apostrophe (base/csv.h). */
void reports_csv(enum report_kind kind, const struct json_t *j, struct buf *out);

#endif
