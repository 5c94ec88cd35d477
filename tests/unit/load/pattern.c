/* load/pattern: what is said of fields that are not there. */
#include "unit.h"

#include "crumb/base/mp.h"
#include "crumb/load/load.h"

/* The hint of the only mistake in rules that ask for this field. */
static void hint_of(const char *field, char out[300])
{
	struct buf bundle = {0}, text = {0};
	struct report report = {0};
	struct rules *r = NULL;
	msgpack_packer pk;
	buf_addf(&text, "version: 1\ncategories: [{id: a, any: [{%s: x}]}]\n", field);
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("test.yaml"));
	mp_put_str(&pk, buf_view(&text));
	assert_int_equal(rules_load(buf_view(&bundle), &report, &r), ERR_SYNTAX);
	assert_string_equal(report.list[0].code, "unknown-field");
	snprintf(out, 300, "%s", report.list[0].hint);
	report_done(&report);
	buf_done(&text);
	buf_done(&bundle);
}

TEST(slips_in_the_names_of_fields_find_the_field)
{
	static const char *const rows[][2] = {{"page", "did you mean 'path'?"},
	    {"Domain", "did you mean 'host'?"}, {"action", "did you mean 'event'?"},
	    {"referer", "did you mean 'referrer'?"}, {"attr", "did you mean 'attr.NAME'?"},
	    {"query", "did you mean 'p.NAME'?"}, {"a.size", "did you mean 'attr.size'?"},
	    {"p_x", "did you mean 'p.x'?"}, {"tilte", "did you mean 'title'?"}};
	char hint[300];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		hint_of(rows[i][0], hint);
		if (strcmp(hint, rows[i][1]) != 0)
			fail_msg("%s: %s", rows[i][0], hint);
	}
}

TEST(where_nothing_is_near_all_fields_are_named)
{
	static const char end[] = " are known";
	char hint[300], text[FIELD_TEXT];
	hint_of("xyzzyxyzzyxyzzy", hint);
	for (int f = 0; f < FIELD_MAX; f++)
		if (!strstr(hint, field_text((enum rule_field)f, text)))
			fail_msg("%s is not in: %s", text, hint);
	assert_memory_equal(hint, "path, host, site, ", 18);
	assert_string_equal(hint + strlen(hint) - (sizeof end - 1), end);
}

UNIT_TESTS(cmocka_unit_test(slips_in_the_names_of_fields_find_the_field),
    cmocka_unit_test(where_nothing_is_near_all_fields_are_named))
