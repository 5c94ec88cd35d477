/* Rules from one text, as they are loaded from what is stored, for tests of what rules do. */
#ifndef CRUMB_TESTS_LOADED_H
#define CRUMB_TESTS_LOADED_H

#include "unit.h"

#include "crumb/base/mp.h"
#include "crumb/load/load.h"

/* Text that cannot be loaded fails the test. To be given back with rules_unref(). */
static inline struct rules *load(const char *text)
{
	struct buf bundle = {0};
	struct rules *r = NULL;
	msgpack_packer pk;
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("test.yaml"));
	mp_put_str(&pk, str_c(text));
	if (rules_load(buf_view(&bundle), NULL, &r) != OK)
		fail_msg("%s", err_text());
	buf_done(&bundle);
	return r;
}

#endif
