/* The text of a report, and what is told of it. */
#include "loaded.h"

#include "crumb/disk/checked.h"
#include "crumb/report/daily.h"

#include <jansson.h>

#define SHOP                                                                                       \
	"version: 1\ncategories: [{id: a, any: [{path: /a}]}]\nsegments: [{id: keen, when: a}]\n"
#define HEAD "report 1\nh {\"made\":1788480000,\"day\":\"2026-09-04\",\"rules\":\"00\",\"k\":20}\n"

/* NULL: the text is refused. */
static struct daily *taken(const char *text)
{
	struct buf b = {0};
	struct daily *d = NULL;
	buf_c(&b, text);
	checked_end(&b);
	if (daily_take(&b, &d) != OK)
		assert_null(d);
	buf_done(&b);
	return d;
}

TEST(a_text_that_is_no_report_is_refused)
{
	static const char *const wrong[] = {"", "report 2\n", "report 1\n",
	    "report 1\nh {\"made\":1,\"day\":\"never\",\"rules\":\"00\",\"k\":20}\n",
	    "report 1\nh {\"made\":-1,\"day\":\"2026-09-04\",\"rules\":\"00\",\"k\":20}\n",
	    HEAD "s keen\n", HEAD "s keen {}\ns keen {}\n", HEAD "nonsense\n"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_null(taken(wrong[i]));
	struct daily *d = taken(HEAD "s keen {\"id\":\"keen\"}\n");
	assert_non_null(d);
	assert_int_equal(daily_made(d), 1788480000);
	daily_unref(d);
}

TEST(a_changed_byte_is_damage)
{
	struct buf b = {0};
	struct daily *d = NULL;
	buf_c(&b, HEAD);
	checked_end(&b);
	b.p[20]++;
	assert_int_equal(daily_take(&b, &d), ERR_NOT_FOUND);
	assert_null(d);
	buf_done(&b);
}

/* A new segment of the rules, and one that is nowhere. */
TEST(a_segment_that_the_report_lacks_has_empty_lists)
{
	struct rules *r = load(SHOP);
	struct daily *d = taken(HEAD "s old {\"id\":\"old\",\"size\":50}\n");
	json_t *out = NULL;
	assert_int_equal(daily_segment_json(d, r, STR("keen"), &out), OK);
	assert_true(json_is_null(json_object_get(out, "made")));
	assert_int_equal(json_array_size(json_object_get(out, "funnel")), 0);
	json_decref(out);
	assert_int_equal(daily_segment_json(d, r, STR("old"), &out), OK);
	assert_int_equal(json_integer_value(json_object_get(out, "size")), 50);
	assert_int_equal(json_integer_value(json_object_get(out, "made")), 1788480000);
	json_decref(out);
	assert_int_equal(daily_segment_json(d, r, STR("nobody"), &out), ERR_NOT_FOUND);
	daily_unref(d);
	rules_unref(r);
}

TEST(the_last_days_are_told)
{
	struct rules *r = load(SHOP);
	struct daily *d = taken(
	    HEAD "c a {\"id\":\"a\",\"name\":\"a\",\"events\":[1,2,3],\"visitors\":[null,1,2]}\n");
	json_t *out = NULL;
	assert_int_equal(daily_categories_json(d, r, STR(""), 2, &out), OK);
	json_t *row = json_array_get(json_object_get(out, "categories"), 0);
	json_t *days = json_object_get(out, "days");
	assert_string_equal(json_string_value(json_array_get(days, 0)), "2026-09-02");
	assert_string_equal(json_string_value(json_array_get(days, 1)), "2026-09-03");
	assert_int_equal(json_array_size(json_object_get(row, "events")), 2);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(row, "events"), 0)), 2);
	json_decref(out);
	daily_unref(d);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(a_text_that_is_no_report_is_refused),
    cmocka_unit_test(a_changed_byte_is_damage),
    cmocka_unit_test(a_segment_that_the_report_lacks_has_empty_lists),
    cmocka_unit_test(the_last_days_are_told))
