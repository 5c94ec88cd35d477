/* Rows of parameters and consent signals: each is found by its names, and its value gets where it
 * belongs. */
#include "unit.h"

#include "crumb/privacy/consent.h"
#include "crumb/privacy/hit_read.h"

static struct str with_name(const struct hit_row *row, const char *name, char out[64])
{
	return str_make(
	    out, (size_t)snprintf(out, 64, "%s%s", name, row->kind == HIT_IS_LIST ? "x" : ""));
}

TEST(each_row_is_found_by_its_names_and_by_no_part_of_them)
{
	char text[64];
	(void)state;
	assert_null(hit_row_named(STR("")));
	assert_null(hit_row_imported(STR("")));
	for (size_t i = 0; i < hit_rows_n; i++) {
		const struct hit_row *row = &hit_rows[i];
		struct str name = with_name(row, row->name, text);
		if (*row->name && hit_row_named(name) != row)
			fail_msg("%s is not found", row->name);
		assert_true(name.n < 2 || hit_row_named(str_make(name.p, name.n - 1)) != row);
		name = with_name(row, row->imported, text);
		if (*row->imported && hit_row_imported(name) != row)
			fail_msg("%s is not found in import files", row->imported);
		assert_true(!*row->object || hit_row_of_object(str_c(row->object)) == row);
		assert_true(*row->says && hit_kind_names[row->kind]);
		assert_true(!*row->macro || hit_row_is_signal(row));
	}
	assert_null(hit_row_named(STR("id")));
	assert_null(hit_row_named(STR("a.")));
	assert_null(hit_row_of_object(STR("p")));
	assert_ptr_not_equal(hit_row_named(STR("t")), hit_row_imported(STR("t")));
	assert_ptr_equal(hit_row_named(STR("t")), hit_row_imported(STR("title")));
}

TEST(a_macro_may_have_a_vendors_number_where_the_row_says_so)
{
	static const struct {
		const char *macro, *name;
	} all[] = {{"GDPR", "gdpr"}, {"GDPR_CONSENT", "gdpr_consent"},
	    {"GDPR_CONSENT_123", "gdpr_consent"}, {"GPP_STRING", "gpp"}, {"GPP_STRING_7", "gpp"},
	    {"GPP_SID", "gpp_sid"}, {"US_PRIVACY", "us_privacy"}, {"GDPR_1", NULL},
	    {"GPP_SID_123", NULL}, {"GDPR_CONSENT_", NULL}, {"GDPR_CONSENT_1x", NULL},
	    {"GDPR_CONSENT123", NULL}, {"gdpr", NULL}, {"", NULL}, {"UID", NULL}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const struct hit_row *row = hit_row_of_macro(str_c(all[i].macro));
		if (!row != !all[i].name || (row && strcmp(row->name, all[i].name) != 0))
			fail_msg("%s is %s", all[i].macro, row ? row->name : "nothing");
	}
}

static void param(struct hit *h, const char *name, const char *value)
{
	hit_param(h, str_c(name), str_c(value));
}

TEST(a_parameter_gets_where_its_row_says)
{
	static struct hit h;
	(void)state;
	hit_clear(&h);
	assert_false(hit_has_signal(&h));
	param(&h, "e", "purchase"), param(&h, "u", "https://a.example/"), param(&h, "r", "x"),
	    param(&h, "t", "T"), param(&h, "v", "1e3");
	param(&h, "a.color", "red"), param(&h, "a.size", "xl"), param(&h, "p_q", "coat"),
	    param(&h, "nonsense", "1"), param(&h, "id", "1");
	assert_true(str_eq(h.name, STR("purchase")) && str_eq(h.url, STR("https://a.example/")) &&
		    str_eq(h.referrer, STR("x")) && str_eq(h.title, STR("T")));
	assert_true(h.has_v && h.v == 1000 && h.attrs_n == 2 && h.params_n == 1);
	assert_true(str_eq(h.attrs[1].name, STR("size")) && str_eq(h.attrs[1].value, STR("xl")) &&
		    str_eq(h.params[0].name, STR("q")));
	param(&h, "v", "10,00");
	assert_false(h.has_v || hit_has_signal(&h));
	param(&h, "gdpr", "0");
	assert_true(h.gdpr_no && !h.gdpr && !hit_has_signal(&h));
	param(&h, "gdpr", "1"), param(&h, "anon", "1"), param(&h, "us_privacy", "1YNN"),
	    param(&h, "us_privacy", "1YYN");
	assert_true(h.gdpr && h.anon && str_eq(h.us_privacy, STR("?")) && hit_has_signal(&h));
}

TEST(where_signals_are_meant_nothing_else_is_taken)
{
	static struct hit h;
	char text[64];
	(void)state;
	hit_clear(&h);
	for (size_t i = 0; i < hit_rows_n; i++)
		if (*hit_rows[i].name)
			hit_param_signal(
			    &h, with_name(&hit_rows[i], hit_rows[i].name, text), STR("1"));
	assert_true(h.gdpr && h.anon && str_eq(h.gpp, STR("1")) &&
		    str_eq(h.gdpr_consent, STR("1")) && str_eq(h.us_privacy, STR("1")) &&
		    str_eq(h.gpp_sid, STR("1")));
	assert_true(!h.name.n && !h.url.n && !h.has_v && !h.attrs_n && !h.params_n);
}

TEST(what_came_with_the_request_outlives_what_was_said)
{
	static struct hit h, signals;
	(void)state;
	memset(&h, 0xff, sizeof h);
	hit_clear(&h);
	h.agent = h.name = h.gpp = STR("x");
	h.here = h.gpc = h.gdpr = true;
	h.attrs_n = 3;
	hit_clear(&signals);
	signals.gpp = STR("y");
	signals.anon = true;
	hit_begin_event(&h, &signals);
	assert_true(h.agent.n && h.here && h.gpc && !h.name.n && str_eq(h.gpp, STR("y")) &&
		    h.anon && !h.gdpr && !h.attrs_n && !h.has_v && !h.categories);
}

UNIT_TESTS(cmocka_unit_test(each_row_is_found_by_its_names_and_by_no_part_of_them),
    cmocka_unit_test(a_macro_may_have_a_vendors_number_where_the_row_says_so),
    cmocka_unit_test(a_parameter_gets_where_its_row_says),
    cmocka_unit_test(where_signals_are_meant_nothing_else_is_taken),
    cmocka_unit_test(what_came_with_the_request_outlives_what_was_said))
