/* partners/format_segment: Audience Entered and Exited, the same event with the same id however
 * often it is sent. */
#include "encoded.h"

static const struct destination lake = {.id = (char *)(uintptr_t) "lake",
    .format = &format_segment,
    .partner = -1,
    SETTINGS({S("space_id"), S("spa_1")})};

#define EVENT(id, what, is)                                                                        \
	"\"anonymousId\":\"" id "\",\"event\":\"Audience " what                                    \
	"\",\"timestamp\":\"2026-11-23T12:00:00Z\",\"properties\":{\"audience_key\":\"101\","      \
	"\"101\":" is                                                                              \
	"},\"context\":{\"personas\":{\"computation_class\":\"audience\",\"computation_id\":"      \
	"\"coats\",\"computation_key\":\"101\",\"namespace\":\"crumb\","                           \
	"\"space_id\":\"spa_1\"}}}"

TEST(an_event_for_each_change_in_one_batch)
{
	struct str got = ENCODED(
	    &lake, FORMAT_DELTA, ITEM("v1", ADD(coats, 1), KEEP(boots, 1)), ITEM("v2", REMOVE(coats)));
	char text[2000];
	snprintf(text, sizeof text, STR_FMT, STR_ARG(got));
	assert_memory_equal(text, "{\"batch\":[{\"type\":\"track\",\"messageId\":\"crumb-", 44);
	assert_non_null(strstr(text, EVENT("v1", "Entered", "true") ",{\"type\":\"track\""));
	assert_non_null(
	    strstr(text, EVENT("v2", "Exited", "false") "],\"sentAt\":\"2026-11-23T12:00:00Z\"}"));
}

static void message_id(const struct out_item *item, char out[30])
{
	struct str got = encoded(&lake, FORMAT_DELTA, item, 1, NULL);
	memcpy(out, got.p + 38, 29);
	out[29] = 0;
}

TEST(the_same_change_has_the_same_id_and_another_another)
{
	const struct out_item one = ITEM("v1", ADD(coats, 1)), again = ITEM("v1", ADD(coats, 30)),
			      other = ITEM("v2", ADD(coats, 1)), left = ITEM("v1", REMOVE(coats)),
			      elsewhere = ITEM("v1", ADD(boots, 1));
	char ids[5][30];
	message_id(&one, ids[0]);
	message_id(&again, ids[1]);
	message_id(&other, ids[2]);
	message_id(&left, ids[3]);
	message_id(&elsewhere, ids[4]);
	assert_string_equal(ids[0], ids[1]);
	for (int i = 2; i < 5; i++)
		assert_string_not_equal(ids[0], ids[i]);
}

UNIT_TESTS(cmocka_unit_test(an_event_for_each_change_in_one_batch),
    cmocka_unit_test(the_same_change_has_the_same_id_and_another_another))
