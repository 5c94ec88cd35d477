/* delivery/lists: what is told of groups went through the gate, and says what it does not tell. */
#include "folded.h"

#include "crumb/delivery/lists.h"

#include <jansson.h>

static const struct kgate gate = {20, NULL};

#define RULES                                                                                      \
	"version: 1\ncategories:\n  - {id: coats, any: [{path: /coats}]}\n"                        \
	"  - {id: boots, any: [{path: /boots}]}\n"                                                 \
	"segments:\n  - {id: keen, destinations: [lake], alert: size < 40, when: coats >= 1 in "   \
	"7d}\n  - {id: shod, when: boots >= 1}\n"

/* 30 saw coats, 10 of them boots. */
static struct folded *seen(void)
{
	struct folded *w = open_folded(RULES);
	for (uint8_t i = 1; i <= 30; i++) {
		look(w, i, NOON - 10, "/coats");
		look(w, i, NOON - 5, i <= 10 ? "/boots" : "/other");
	}
	fold(w, NOON);
	return w;
}

/* Some keys of one row, as compact JSON; lives until the next call. */
static const char *row(const json_t *list, const char *id, const char *key)
{
	static char text[300];
	size_t i;
	json_t *r;
	json_array_foreach(list, i, r)
	{
		if (strcmp(json_string_value(json_object_get(r, "id")), id) != 0)
			continue;
		if (!json_object_get(r, key))
			return "nothing";
		size_t n = json_dumpb(json_object_get(r, key), text, sizeof text - 1,
		    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
		text[n < sizeof text ? n : 0] = 0;
		return text;
	}
	return "no row";
}
#define ROW(list, id, key, wanted) assert_string_equal(row(list, id, key), wanted)

TEST(a_segment_below_k_has_no_size_and_no_share)
{
	struct folded *w = seen();
	json_t *l;
	assert_int_equal(list_segments(w->g, &gate, NOON, NULL, &l), OK);
	assert_int_equal(json_array_size(l), 2);
	ROW(l, "keen", "size", "30");
	ROW(l, "keen", "below", "nothing");
	ROW(l, "keen", "share", "1.0");
	ROW(l, "keen", "state", "\"active\"");
	ROW(l, "keen", "destinations", "[\"lake\"]");
	ROW(l, "shod", "size", "null");
	ROW(l, "shod", "below", "20");
	ROW(l, "shod", "share", "null");
	json_decref(l);
	close_folded(w);
}

TEST(an_alert_fires_by_the_number_that_is_told)
{
	struct folded *w = seen();
	json_t *l;
	assert_int_equal(list_segments(w->g, &gate, NOON, NULL, &l), OK);
	ROW(l, "keen", "alert", "{\"below\":40,\"firing\":true}");
	ROW(l, "shod", "alert", "nothing");
	json_decref(l);
	for (uint8_t i = 31; i <= 40; i++) {
		look(w, i, NOON, "/coats");
		look(w, i, NOON, "/coats");
	}
	fold(w, NOON);
	assert_int_equal(list_segments(w->g, &gate, NOON, NULL, &l), OK);
	ROW(l, "keen", "alert", "{\"below\":40,\"firing\":false}");
	json_decref(l);
	close_folded(w);
}

TEST(what_coming_rules_change_or_add_is_not_complete)
{
	struct folded *w = seen();
	struct rules *coming =
	    load("version: 1\ncategories:\n  - {id: coats, any: [{path: /coats}, {path: /c}]}\n"
		 "  - {id: boots, any: [{path: /boots}]}\n  - {id: hats, any: [{path: /hats}]}\n"
		 "segments:\n  - {id: keen, when: coats >= 1 in 7d}\n"
		 "  - {id: shod, when: boots >= 1}\n  - {id: new, when: hats}\n");
	json_t *l;
	assert_int_equal(list_segments(w->g, &gate, NOON, coming, &l), OK);
	ROW(l, "keen", "complete", "false"); /* by its category */
	ROW(l, "keen", "alert", "nothing");
	ROW(l, "shod", "complete", "true");
	ROW(l, "new", "complete", "false");
	ROW(l, "new", "size", "null");
	json_decref(l);
	assert_int_equal(list_categories(w->g, &gate, NOON, coming, &l), OK);
	ROW(l, "coats", "complete", "false");
	ROW(l, "boots", "complete", "true");
	ROW(l, "hats", "visitors", "null");
	json_decref(l);
	rules_unref(coming);
	close_folded(w);
}

TEST(categories_are_told_as_groups)
{
	struct folded *w = seen();
	json_t *l;
	assert_int_equal(list_categories(w->g, &gate, NOON, NULL, &l), OK);
	ROW(l, "coats", "visitors", "30");
	ROW(l, "boots", "visitors", "null");
	ROW(l, "boots", "below", "20");
	json_decref(l);
	close_folded(w);
}

TEST(one_segment_has_its_condition_and_its_days)
{
	struct folded *w = seen();
	json_t *s;
	assert_int_equal(list_segment(w->g, &gate, NOON, NULL, "keen", 3, &s), OK);
	assert_string_equal(json_string_value(json_object_get(s, "when")), "coats >= 1 in 7d");
	const json_t *days = json_object_get(s, "days"), *today = json_array_get(days, 2);
	assert_int_equal(json_array_size(days), 3);
	assert_string_equal(json_string_value(json_object_get(today, "day")), "2026-09-04");
	assert_int_equal(json_integer_value(json_object_get(today, "size")), 30);
	assert_int_equal(json_integer_value(json_object_get(today, "entered")), 30);
	assert_true(json_is_true(json_object_get(today, "recorded")));
	json_decref(s);
	assert_int_equal(list_segment(w->g, &gate, NOON, NULL, "kean", 3, &s), ERR_NOT_FOUND);
	assert_non_null(strstr(err_text(), "keen"));
	close_folded(w);
}

UNIT_TESTS(FOLDED(a_segment_below_k_has_no_size_and_no_share),
    FOLDED(an_alert_fires_by_the_number_that_is_told),
    FOLDED(what_coming_rules_change_or_add_is_not_complete), FOLDED(categories_are_told_as_groups),
    FOLDED(one_segment_has_its_condition_and_its_days))
