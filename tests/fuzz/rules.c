/* YAML files and conditions as people might write them; and bundles as damaged disks might hold them. */
#include "crumb/rules/rules.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char yaml[] =
	    "version: 1\ncategories: [{id: a.b, any: [{path: /a/*}]}, {id: c, any: [{title: x}]}]\nsegments:\n  - id: s\n    when: ";
	if (n == 0)
		return 0;
	struct buf text = {0}, bundle = {0};
	if (data[0] % 2) { /* only the condition */
		buf_add(&text, yaml, sizeof yaml - 1);
		buf_c(&text, "|-\n      ");
	}
	buf_add(&text, data + 1, n - 1);
	msgpack_packer pk;
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("f.yaml"));
	mp_put_str(&pk, buf_view(&text));
	struct rules *r;
	if (rules_load(data[0] == 255 ? buf_view(&text) : buf_view(&bundle), &r) == OK) {
		struct profile p = {0};
		struct event e = {.host = STR("h"), .path = str_make((const char *)data, n), .name = STR("view")};
		uint16_t *out = calloc(r->categories_n + r->segments_n + 1, sizeof *out);
		uint64_t leaves[EVENT_LEAVES_MAX];
		struct leaf_input in = {str_make((const char *)data, n), e.path, NULL, 0};
		rules_leaves(r, &in, leaves);
		unsigned cats = rules_categorise(r, &e, out);
		for (unsigned i = 0; i < cats; i++)
			profile_add(&p, out[i], (uint16_t)(20000 + data[i % n] % 90), 1);
		profile_add(&p, CATEGORY_ALL, 20089, 1);
		rules_eval_all(r, &p, 20089, out);
		CHECK(rules_next_due(r, &p, 20089, 90) > 20089);
		profile_done(&p);
		free(out);
		rules_unref(r);
	} else {
		CHECK(*err_text());
	}
	buf_done(&text);
	buf_done(&bundle);
	return 0;
}
