/* Rules that are refused, and what is said of them. */
#ifndef CRUMB_TESTS_REFUSED_H
#define CRUMB_TESTS_REFUSED_H

#include "unit.h"

#include "crumb/base/mp.h"
#include "crumb/load/load.h"

#include <stdio.h>

/* The findings of a text of rules that was never taken, as "LINE:COLUMN CODE: MESSAGE (HINT)", a
 * line each; "" when there is none. Lives until the next call. */
static inline const char *findings(const char *text)
{
	static char out[8000];
	struct buf bundle = {0};
	struct report report = {0};
	struct rules *r = NULL;
	msgpack_packer pk;
	size_t n = 0;
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("test.yaml"));
	mp_put_str(&pk, str_c(text));
	enum err e = rules_load_new(buf_view(&bundle), NULL, NULL, &report, &r);
	assert_int_equal(e, report.errors ? ERR_SYNTAX : OK);
	if (!e)
		rules_unref(r);
	out[0] = 0;
	for (size_t i = 0; i < report.n; i++) {
		const struct finding *f = &report.list[i];
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%zu:%zu %s: %s (%s)",
		    n ? "\n" : "", f->line, f->column, f->code, f->message, f->hint);
	}
	report_done(&report);
	buf_done(&bundle);
	return out;
}

#endif
