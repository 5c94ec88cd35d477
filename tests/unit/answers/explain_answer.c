/* answers/explain_answer: why a visitor is in a segment or not, as JSON. */
#include "folded.h"

#include "crumb/answers/explain_answer.h"

#include <jansson.h>

static enum err asked(struct folded *w, uint8_t who, const char *segment, uint32_t now, json_t **j)
{
	struct vkey k = visitor(who);
	return answer_explain(w->g, 90, &k, str_c(segment), now, j);
}

TEST(who_is_in_is_told_until_when_and_who_is_not_what_is_missing)
{
	struct folded *w = open_folded(SHOP);
	json_t *j;
	look(w, 1, NOON, "/coats");
	look(w, 1, NOON + 1, "/coats");
	look(w, 2, NOON, "/coats");
	look(w, 2, NOON + 1, "/other");
	fold(w, NOON + 1);
	assert_int_equal(asked(w, 1, "keen", NOON + 1, &j), OK);
	assert_true(json_is_true(json_object_get(j, "in")));
	assert_true(json_is_string(json_object_get(j, "until")));
	assert_null(json_object_get(j, "change"));
	assert_string_equal(json_string_value(json_object_get(json_object_get(j, "tree"), "words")),
	    "had at least 2 events of “coats” in the last 7 days");
	json_decref(j);
	assert_int_equal(asked(w, 2, "keen", NOON + 1, &j), OK);
	assert_true(json_is_false(json_object_get(j, "in")));
	assert_true(json_is_true(json_object_get(json_object_get(j, "change"), "sure")));
	json_decref(j);
	close_folded(w);
}

TEST(who_or_what_is_not_there_is_said)
{
	struct folded *w = open_folded(SHOP);
	json_t *j;
	assert_int_equal(asked(w, 1, "keen", NOON, &j), ERR_NOT_FOUND);
	assert_string_equal(err_text(), "nothing is known of this visitor");
	assert_int_equal(asked(w, 1, "kee", NOON, &j), ERR_NOT_FOUND);
	assert_non_null(strstr(err_text(), "keen"));
	close_folded(w);
}

UNIT_TESTS(FOLDED(who_is_in_is_told_until_when_and_who_is_not_what_is_missing),
    FOLDED(who_or_what_is_not_there_is_said))
