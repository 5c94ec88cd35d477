/* Inside report: where the report lies, and how its text begins.
 *
 *     daily.c      reads it, and tells a line of it as JSON
 *     dailies.c    holds the kept one; makes another when it is not current (making.h) */
#ifndef CRUMB_SRC_REPORT_REPORTING_H
#define CRUMB_SRC_REPORT_REPORTING_H

#include "crumb/report/dailies.h"

#define DAILY_FOLDER "reports" /* of the store */
#define DAILY_FILE DAILY_FOLDER "/daily"
#define DAILY_TOLD DAILY_FOLDER "/told"
#define DAILY_MOST (512u << 20) /* bytes; longer than any that is written */
#define DAILY_FIRST_LINE "report 1"
/* What a line is of. */
enum daily_kind { DAILY_SEGMENT = 's', DAILY_CATEGORY = 'c', DAILY_JOURNEY = 'j' };

#endif
