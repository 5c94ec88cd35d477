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
	if (field_named(str_c(field_text(f, text)), &name) != f || str_eq(name, STR("NAME")) != (row->named != NULL))
		fail_msg("%s is not found by its name", text);
	if ((row->from == FROM_ATTRS || row->from == FROM_PARAMS) != (row->named != NULL))
		fail_msg("%s: attributes and parameters have names, others none", text);
	if ((row->from == FROM_FUNCTION) != (row->of_event || row->of_hit))
		fail_msg("%s: a function goes with FROM_FUNCTION", text);
	if ((row->of_event && !row->kept) || (row->of_hit && row->kept))
		fail_msg("%s: the function is of the event where that keeps the field, else of the hit", text);
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

UNIT_TESTS(cmocka_unit_test(rows_of_fields_are_whole),
    cmocka_unit_test(facts_are_kept_circumstances),
    cmocka_unit_test(a_name_stands_behind_those_that_take_one))
