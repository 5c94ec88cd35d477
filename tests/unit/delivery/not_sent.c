/* Who did not go, by reason: what is told of the numbers that a delivery has counted. */
#include "unit.h"

#include "src/delivery/not_sent.h"

#include <stdlib.h>

#define K 20

/* What is told of these numbers, as JSON; "none": nothing. The room is the next call's. */
static const char *told(const char *line)
{
	static char text[200];
	struct kgate gate = {.k = K};
	json_error_t error;
	json_t *row = json_loads(line, 0, &error);
	not_sent_gate(row, &gate);
	char *s = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
	snprintf(text, sizeof text, "%s", s);
	free(s);
	json_decref(row);
	return text;
}

TEST(numbers_are_told_from_k_on_and_below_it_none_is_known_from_another)
{
	assert_string_equal(told("{\"not_sent\":{\"go\":100,\"no_id\":31,\"no_consent\":20,"
				 "\"other_source\":0,\"held_out\":64}}"),
	    "{\"not_sent\":{\"held_out\":60,\"no_consent\":20,\"no_id\":30,\"other_source\":null}"
	    "}");
	assert_string_equal(told("{\"not_sent\":{\"go\":5,\"no_id\":19,\"no_consent\":1,"
				 "\"other_source\":0,\"held_out\":0}}"),
	    "{\"not_sent\":{\"held_out\":null,\"no_consent\":null,\"no_id\":null,"
	    "\"other_source\":null}}");
}

TEST(no_small_number_follows_from_the_others)
{
	/* all but the seven who are held out could be taken from all members */
	assert_string_equal(told("{\"not_sent\":{\"go\":60,\"no_id\":25,\"no_consent\":30,"
				 "\"other_source\":40,\"held_out\":7}}"),
	    "{\"not_sent\":{\"held_out\":null,\"no_consent\":null,\"no_id\":30,"
	    "\"other_source\":40}}");
	/* two groups are withheld, and have k members together: nobody can tell them apart */
	assert_string_equal(told("{\"not_sent\":{\"go\":60,\"no_id\":0,\"no_consent\":30,"
				 "\"other_source\":11,\"held_out\":9}}"),
	    "{\"not_sent\":{\"held_out\":null,\"no_consent\":30,\"no_id\":null,"
	    "\"other_source\":null}}");
	/* who goes is told elsewhere, and counts among those that are withheld where they are few
	 */
	assert_string_equal(told("{\"not_sent\":{\"go\":19,\"no_id\":0,\"no_consent\":0,"
				 "\"other_source\":50,\"held_out\":0}}"),
	    "{\"not_sent\":{\"held_out\":null,\"no_consent\":null,\"no_id\":null,"
	    "\"other_source\":null}}");
}

TEST(what_was_not_counted_or_is_damaged_is_not_told)
{
	static const char *const lines[] = {"{}", "{\"not_sent\":7}", "{\"not_sent\":{}}",
	    "{\"not_sent\":{\"go\":60,\"no_id\":25,\"no_consent\":30,\"other_source\":40}}",
	    "{\"not_sent\":{\"go\":60,\"no_id\":25,\"no_consent\":30,\"other_source\":40,"
	    "\"held_out\":-70}}",
	    "{\"not_sent\":{\"go\":60,\"no_id\":25,\"no_consent\":30,\"other_source\":40,"
	    "\"held_out\":\"many\"}}"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_string_equal(told(lines[i]), "{}");
}

TEST(the_exact_numbers_are_those_of_the_plan)
{
	struct plan_result r = {.stays = {[STAYS_NOT] = 5,
				    [STAYS_NO_ID] = 1,
				    [STAYS_NO_CONSENT] = 2,
				    [STAYS_OTHER_SOURCE] = 3,
				    [STAYS_HELD_OUT] = 4}};
	json_t *all = not_sent_exact(&r);
	char *s = json_dumps(all, JSON_COMPACT);
	assert_string_equal(s, "{\"go\":5,\"no_id\":1,\"no_consent\":2,\"other_source\":3,"
			       "\"held_out\":4}");
	free(s);
	json_decref(all);
}

UNIT_TESTS(cmocka_unit_test(numbers_are_told_from_k_on_and_below_it_none_is_known_from_another),
    cmocka_unit_test(no_small_number_follows_from_the_others),
    cmocka_unit_test(what_was_not_counted_or_is_damaged_is_not_told),
    cmocka_unit_test(the_exact_numbers_are_those_of_the_plan))
