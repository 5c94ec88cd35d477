/* Days and numbers by day, as all reports write them. */
#include "crumb/report/days.h"

#include "crumb/base/clock.h"

#include <jansson.h>

json_t *report_day(uint16_t day)
{
	char text[DAY_TEXT];
	if (!day)
		return json_null();
	day_text(day, text);
	return json_string(text);
}

json_t *report_days(uint16_t last, unsigned n)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, report_day((uint16_t)(last - n + 1 + i)));
	return list;
}

json_t *report_shown(struct shown number)
{
	return number.told ? json_integer((json_int_t)number.n) : json_null();
}
