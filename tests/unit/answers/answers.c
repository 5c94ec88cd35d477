/* answers/answers: what is told of groups went through the gate. */
#include "unit.h"

#include "crumb/answers/answers.h"
#include "crumb/ingest/asides.h"

#include <jansson.h>

static const struct kgate gate = {30, NULL};

static void row_is(const json_t *list, size_t at, const char *pattern, json_int_t events)
{
	const json_t *row = json_array_get(list, at);
	assert_string_equal(json_string_value(json_object_get(row, "pattern")), pattern);
	assert_int_equal(json_integer_value(json_object_get(row, "events")), events);
}

TEST(hosts_that_fewer_than_k_have_named_are_told_together)
{
	static const struct aside_row rows[] = {
	    {.why = ASIDE_SITE, .pattern = "known.example", .events = 30, .first = 3, .last = 4},
	    {.why = ASIDE_SITE, .pattern = "secret.example", .events = 29, .first = 2, .last = 3},
	    {.why = ASIDE_SITE, .pattern = "other.example", .events = 1, .first = 5, .last = 5},
	    {.why = ASIDE_CRAWLER, .pattern = "bot", .events = 1, .first = 1, .last = 1}};
	json_t *list = aside_json(rows, 4, &gate);
	assert_int_equal(json_array_size(list), 3);
	row_is(list, 0, "known.example", 30);
	row_is(list, 1, "bot", 1); /* a name of the operator's own list */
	row_is(list, 2, QUARANTINE_OTHERS, 30);
	json_decref(list);
}

UNIT_TESTS(cmocka_unit_test(hosts_that_fewer_than_k_have_named_are_told_together))
