/* Where the journal and its days lie. */
#include "local.h"

#include "crumb/base/clock.h"

#include <stdio.h>

void journal_day_folder(const struct local *j, uint16_t day, char *out, size_t cap)
{
	char text[DAY_TEXT];
	day_text(day, text);
	snprintf(out, cap, "%s/%s", j->folder, text);
}

int journal_store_part(const struct local *j)
{
	return (int)(strlen(j->folder) - strlen("/journal"));
}
