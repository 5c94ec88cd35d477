/* Days as reports tell them: texts 2026-11-27, oldest first, and beside them lists of numbers, in
 * which null is what is withheld or was not recorded. Any thread; pure but for memory, whose lack
 * leaves a hole (base/memory.h). */
#ifndef CRUMB_REPORT_DAYS_H
#define CRUMB_REPORT_DAYS_H

#include "crumb/privacy/kgate.h"

struct json_t;

/* The `n` days up to `last`. */
struct json_t *report_days(uint16_t last, unsigned n);
struct json_t *report_day(uint16_t day);	  /* 0: null */
struct json_t *report_shown(struct shown number); /* withheld: null */

#endif
