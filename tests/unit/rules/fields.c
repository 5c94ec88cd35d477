/* rules/fields: the rows of fields and facts. */
#include "unit.h"

#include "crumb/rules/fields.h"

static void row_is_whole(enum rule_field f)
{
	const struct field *row = &rule_fields[f];
	struct str name;
	char text[FIELD_TEXT];
	if (!row->name || !row->says || !row->example)
		fail_msg("row %d lacks a name, a sentence or an example", (int)f);
	if (field_named(str_c(field_text(f, text)), &name) != f ||
	    str_eq(name, STR("NAME")) != (row->named != NULL))
		fail_msg("%s is not found by its name", text);
	if ((row->from == FROM_ATTRS || row->from == FROM_PARAMS) != (row->named != NULL))
		fail_msg("%s: attributes and parameters have names, others none", text);
	if ((row->from == FROM_FUNCTION) != (row->of_event || row->of_hit))
		fail_msg("%s: a function goes with FROM_FUNCTION", text);
	if ((row->of_event && !row->kept) || (row->of_hit && row->kept))
		fail_msg(
		    "%s: the function is of the event where that keeps the field, else of the hit",
		    text);
	if ((row->is == IS_CLOSED) != (row->words || row->known))
		fail_msg("%s: closed fields know their values", text);
	if (row->from == FROM_NUMBER && !row->words)
		fail_msg("%s: numbers count in words", text);
}

TEST(rows_of_fields_are_whole)
{
	unsigned of[IS_MAX] = {0};
	for (int f = 0; f < FIELD_MAX; f++) {
		row_is_whole((enum rule_field)f);
		of[rule_fields[f].is]++;
	}
	/* the matcher has one tree of paths, and one map of words */
	assert_int_equal(of[IS_PATH], 1);
	assert_int_equal(of[IS_WORDS], 1);
}

TEST(facts_are_kept_circumstances)
{
	for (int f = 0; f < FACT_MAX; f++)
		assert_int_equal(rule_fields[rule_facts[f].field].kept, KEPT_CIRCUMSTANCE);
}

TEST(a_name_stands_behind_those_that_take_one)
{
	struct str name;
	assert_int_equal(field_named(STR("attr.size"), &name), FIELD_ATTR);
	assert_true(str_eq(name, STR("size")));
	assert_int_equal(field_named(STR("attr."), &name), FIELD_MAX);
	assert_int_equal(field_named(STR("path.x"), &name), FIELD_MAX);
	assert_int_equal(field_named(STR("Path"), &name), FIELD_MAX);
}

static const struct yaml_place at = {"shop.yaml", 3, 7, 2};

static bool fine(enum rule_field f, const char *value)
{
	struct report r = {0};
	bool is = field_check(&r, &at, f, str_c(value));
	assert_int_equal(r.n, !is);
	report_done(&r);
	return is;
}

static void refused(enum rule_field f, const char *value, const char *message, const char *hint)
{
	struct report r = {0};
	assert_false(field_check(&r, &at, f, str_c(value)));
	assert_int_equal(r.n, 1);
	assert_string_equal(r.list[0].message, message);
	assert_string_equal(r.list[0].hint, hint);
	assert_string_equal(r.list[0].code, "unknown-value");
	assert_int_equal(r.list[0].line, 3);
	report_done(&r);
}

TEST(known_values_are_taken_in_any_case)
{
	assert_true(fine(FIELD_COUNTRY, "DE") && fine(FIELD_COUNTRY, "de") &&
		    fine(FIELD_COUNTRY, "ZW") && fine(FIELD_COUNTRY, "AD"));
	assert_true(fine(FIELD_DEVICE, "Mobile") && fine(FIELD_OS, "ios") &&
		    fine(FIELD_BROWSER, "IE") && fine(FIELD_REFERRER, "search"));
	assert_true(fine(FIELD_REGION, "ENG") && fine(FIELD_REGION, "17") &&
		    fine(FIELD_REGION, "GB-ENG") && fine(FIELD_REGION, "Bavaria"));
	assert_true(fine(FIELD_PATH, "anything") && fine(FIELD_ATTR, "at all")); /* have no list */
}

TEST(what_people_write_instead_is_understood)
{
	refused(FIELD_COUNTRY, "UK", "there is no country 'UK'", "did you mean 'GB'?");
	refused(FIELD_COUNTRY, "germany", "there is no country 'germany'", "did you mean 'DE'?");
	refused(FIELD_COUNTRY, "XX", "there is no country 'XX'",
	    "countries are two letters, as in ISO 3166: US, GB, DE");
	refused(FIELD_COUNTRY, "D1", "there is no country 'D1'",
	    "countries are two letters, as in ISO 3166: US, GB, DE");
	refused(FIELD_DEVICE, "phone", "there is no device 'phone'", "did you mean 'mobile'?");
	refused(FIELD_DEVICE, "mobil", "there is no device 'mobil'", "did you mean 'mobile'?");
	refused(FIELD_OS, "osx", "there is no os 'osx'", "did you mean 'macos'?");
	refused(
	    FIELD_REFERRER, "google", "there is no referrer 'google'", "did you mean 'search'?");
	refused(FIELD_REFERRER, "newsletters", "there is no referrer 'newsletters'",
	    "none, search, social, internal, other are known");
}

TEST(a_region_may_have_its_country_before_it_and_none_other)
{
	refused(FIELD_REGION, "QQ-ENG", "region 'QQ-ENG' begins with no country",
	    "a region is ENG, or GB-ENG with the country before it");
	refused(FIELD_REGION, "North Rhine-Westphalia",
	    "there is no region 'North Rhine-Westphalia'",
	    "a region is ENG, or GB-ENG with the country before it");
}

UNIT_TESTS(cmocka_unit_test(rows_of_fields_are_whole),
    cmocka_unit_test(facts_are_kept_circumstances),
    cmocka_unit_test(a_name_stands_behind_those_that_take_one),
    cmocka_unit_test(known_values_are_taken_in_any_case),
    cmocka_unit_test(what_people_write_instead_is_understood),
    cmocka_unit_test(a_region_may_have_its_country_before_it_and_none_other))
