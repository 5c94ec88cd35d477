/* Text is gathered in a buffer whose failure stays. */
#include "crumb/base/json.h"

#include "crumb/base/buf.h"
#include "crumb/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static int add_part(const char *part, size_t n, void *text)
{
	struct buf *b = text;
	buf_add(b, part, n);
	return b->failed ? -1 : 0;
}

char *json_whole(const json_t *root, size_t flags)
{
	struct buf text = {0};
	if (!root)
		return NULL;
	if (!(flags & JSON_REAL_PRECISION(31)))
		flags |= JSON_NUMBERS;
	int rc = json_dump_callback(root, add_part, &text, flags);
	buf_add(&text, "", 1);
	if (rc == 0 && !text.failed)
		return text.p;
	buf_done(&text);
	memory_none();
	return NULL;
}

json_t *json_share(double part, double whole)
{
	char text[40];
	if (!(whole > 0))
		return json_null();
	snprintf(text, sizeof text, "%.6g", part < whole ? part / whole : 1);
	return json_real(strtod(text, NULL));
}
