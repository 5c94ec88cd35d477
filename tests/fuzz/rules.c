/* YAML files, conditions and examples as people might write them; and bundles as damaged disks might hold them. What loads is checked,
 * matched, evaluated and explained. */
#include "crumb/base/mp.h"
#include "crumb/check/check.h"
#include "crumb/core/config.h"
#include "crumb/condition/parse.h"
#include "crumb/condition/eval.h"
#include "crumb/check/example.h"
#include "crumb/condition/explain.h"
#include "crumb/condition/sentence.h"
#include "crumb/base/code.h"
#include "crumb/match/match.h"

#include <stdlib.h>

static void nothing(void *arg, const struct example_result *result)
{
	(void)arg, (void)result;
}

static bool scrubs(struct str segment, const char **by)
{
	*by = "[token]";
	return segment.n > 20;
}

/* Columns point into the lines of the files. */
static void check_places(const struct report *report, struct str text)
{
	struct buf out = {0};
	for (size_t i = 0; i < report->n; i++) {
		CHECK(report->list[i].line > 0 && report->list[i].column > 0 && *report->list[i].message);
		report_print(&report->list[i], text, &out);
	}
	buf_done(&out);
}

/* Words are readable text whatever names are, and the last clause is the whole condition. */
static void tell(const struct rules *r, int root)
{
	struct buf words = {0};
	struct clause_parts parts;
	condition_words(r, root, &words);
	CHECK(words.n && utf8_valid(buf_view(&words)) == words.n);
	clause_parts_of(r, root, &parts);
	CHECK(parts.n >= 1 && parts.n <= CLAUSE_PARTS_MAX && parts.list[parts.n - 1].upto == root);
	clause_parts_done(&parts);
	buf_done(&words);
}

static void use(struct rules *r, const uint8_t *data, size_t n)
{
	struct profile p = {0};
	struct event e = {.host = STR("h"), .path = str_make((const char *)data, n), .name = STR("view")};
	uint16_t *out = calloc(r->categories_n + r->segments_n + 1, sizeof *out);
	uint64_t leaves[EVENT_LEAVES_MAX];
	struct leaf_input in = {str_make((const char *)data, n), e.path, NULL, 0};
	struct match *m;
	if (rules_match_begin(r, &m) == OK) {
		rules_leaves(m, &in, leaves);
		unsigned cats = rules_categorise(m, &e, out);
		for (unsigned i = 0; i < cats; i++)
			profile_add(&p, out[i], (uint16_t)(20000 + data[i % n] % 90), 1);
		rules_match_end(m);
	}
	profile_add(&p, CATEGORY_ALL, 20089, 1);
	rules_eval_all(r, &p, 20089, out);
	CHECK(rules_next_due(r, &p, 20089, 90) > 20089);
	for (size_t i = 0; i < r->segments_n && i < 8; i++) {
		uint16_t until = rules_member_until(r, (uint16_t)i, &p, 20089, 90);
		CHECK((until > 20089) == rules_eval(r, (uint16_t)i, &p, 20089));
		if (!rules_eval(r, (uint16_t)i, &p, 20089))
			(void)rules_change(r, (uint16_t)i, &p, 20089, 90);
		tell(r, r->segments[i].root);
	}
	profile_done(&p);
	free(out);
}

/* The configuration's file: whatever is in it is taken or refused with places, and what is refused leaves a configuration that can be given back. */
static void configure(struct str text)
{
	struct config c;
	struct report report = {0};
	CHECK(config_init(&c) == OK);
	enum err e = config_parse(&c, "c.yaml", text, &report);
	CHECK((e != OK) == (report.errors > 0) && c.k >= K_FLOOR);
	check_places(&report, text);
	report_done(&report);
	config_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char yaml[] =
	    "version: 1\nattributes: [{id: size, values: [s, m]}]\ncategories: [{id: a.b, any: [{path: /a/*}]}, {id: c, any: [{title: x}]}]\n"
	    "segments:\n  - id: s\n    when: ";
	static const struct rules_policy policy = {.retention_days = 30, .k = 50, .today = 20089, .scrubs = scrubs, .regions = REGIONS_NONE};
	if (n == 0)
		return 0;
	struct buf text = {0}, bundle = {0};
	struct report report = {0};
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
	if (rules_load_checked(data[0] == 255 ? buf_view(&text) : buf_view(&bundle), &policy, &report, &r) == OK) {
		use(r, data, n);
		struct report more = {0};
		(void)!examples_run(r, STR("f.yaml"), buf_view(&text), 20089, 90, &more, nothing, NULL);
		check_places(&more, buf_view(&text));
		report_done(&more);
		int root;
		(void)!rules_condition(r, str_make((const char *)data + 1, n - 1), &more, &root);
		report_done(&more);
		rules_unref(r);
	} else {
		CHECK(*err_text());
	}
	check_places(&report, buf_view(&text));
	report_done(&report);
	configure(str_make((const char *)data + 1, n - 1));
	buf_done(&text);
	buf_done(&bundle);
	return 0;
}
