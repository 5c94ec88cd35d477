/* answers/visitor: all that is known of one visitor, and when it ends. */
#include "folded.h"

#include "crumb/answers/visitor.h"

#include <jansson.h>

static json_t *known(struct folded *w, uint8_t who, uint32_t now)
{
	struct vkey k = visitor(who);
	json_t *v;
	assert_int_equal(visitor_json(w->g, 90, &k, now, &v), OK);
	return v;
}

/* A part of it as compact JSON, with keys in order; lives until the next call. */
static const char *part(const json_t *v, const char *key)
{
	static char text[1000];
	size_t n = json_dumpb(json_object_get(v, key), text, sizeof text - 1,
	    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	text[n < sizeof text ? n : 0] = 0;
	return text;
}
#define IS(v, key, wanted) assert_string_equal(part(v, key), wanted)

TEST(of_somebody_who_never_came_nothing_is_known)
{
	struct folded *w = open_folded(SHOP);
	assert_null(known(w, 1, NOON));
	close_folded(w);
}

TEST(who_came_once_is_known_for_a_day)
{
	struct folded *w = open_folded(SHOP);
	struct event e = {.visitor = visitor(1),
	    .t = NOON,
	    .flags = EVENT_NEW,
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/coats")};
	commit_event(w, &e);
	fold(w, NOON);
	json_t *v = known(w, 1, NOON);
	IS(v, "provisional", "true");
	IS(v, "first_day", "\"2026-09-04\"");
	IS(v, "expires", "\"2026-09-05\"");
	IS(v, "categories", "[]");
	json_decref(v);
	close_folded(w);
}

TEST(a_visitor_has_days_categories_segments_and_their_ends)
{
	struct folded *w = open_folded(SHOP);
	look(w, 1, NOON - 2 * DAY_S, "/coats");
	look(w, 1, NOON - 2 * DAY_S + 1, "/coats");
	look(w, 1, NOON, "/boots");
	fold(w, NOON);
	json_t *v = known(w, 1, NOON);
	IS(v, "provisional", "false");
	IS(v, "first_day", "\"2026-09-02\"");
	IS(v, "last_day", "\"2026-09-04\"");
	IS(v, "expires", "\"2026-12-03\"");
	IS(v, "segments", "[\"keen\"]");
	IS(v, "categories",
	    "[{\"count\":2,\"days\":1,\"id\":\"coats\"},"
	    "{\"count\":1,\"days\":1,\"id\":\"footwear.boots\"}]");
	IS(v, "ends",
	    "{\"categories\":{\"coats\":\"2026-12-01\",\"footwear.boots\":\"2026-12-03\"},"
	    "\"segments\":{\"keen\":\"2026-09-09\"}}");
	assert_null(json_object_get(v, "consent"));
	json_decref(v);
	v = known(w, 1, NOON + 5 * DAY_S); /* as of then, whatever is stored */
	IS(v, "segments", "[]");
	json_decref(v);
	close_folded(w);
}

TEST(partners_ids_and_consent_are_told)
{
	struct folded *w = open_folded(SHOP);
	struct vkey one = visitor(1);
	struct buf b = {0};
	for (uint32_t i = 0; i < 2; i++) {
		struct event e = {.visitor = one,
		    .t = NOON + i,
		    .name = STR("view"),
		    .host = STR("shop.example"),
		    .path = STR("/coats"),
		    .purposes = 1u << 0 | 1u << 3};
		commit_event(w, &e);
	}
	record_encode_match(&one, NOON, STR("ads"), STR("x1"), &b);
	commit(w, NOON, &b, 1);
	fold(w, NOON + 2);
	json_t *v = known(w, 1, NOON + 2);
	IS(v, "partners", "[{\"id\":\"x1\",\"partner\":\"ads\",\"since\":\"2026-09-04\"}]");
	IS(v, "consent", "{\"day\":\"2026-09-04\",\"purposes\":[1,4]}");
	json_decref(v);
	close_folded(w);
}

TEST(all_partners_are_told_however_many_there_are)
{
	struct folded *w = open_folded(SHOP);
	struct vkey one = visitor(1);
	struct buf b = {0};
	look(w, 1, NOON, "/coats");
	look(w, 1, NOON + 1, "/coats");
	for (int i = 0; i < 40; i++) {
		char partner[16];
		snprintf(partner, sizeof partner, "ads%d", i);
		record_encode_match(&one, NOON, str_c(partner), STR("x1"), &b);
	}
	commit(w, NOON, &b, 40);
	fold(w, NOON + 2);
	json_t *v = known(w, 1, NOON + 2);
	assert_int_equal(json_array_size(json_object_get(v, "partners")), 40);
	json_decref(v);
	close_folded(w);
}

UNIT_TESTS(FOLDED(of_somebody_who_never_came_nothing_is_known),
    FOLDED(who_came_once_is_known_for_a_day),
    FOLDED(a_visitor_has_days_categories_segments_and_their_ends),
    FOLDED(partners_ids_and_consent_are_told),
    FOLDED(all_partners_are_told_however_many_there_are))
