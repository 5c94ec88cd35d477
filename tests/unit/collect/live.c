/* collect/live: who has paired which code, for how long, and which records are told. */
#include "unit.h"

#include "../../../src/collect/live_pairing.h"

#include <stdio.h>

#define NOW INT64_C(1800000000)
#define CODE "K7Q3MHW2X"

static json_t *told(struct live *l, const char *who, uint64_t after, int64_t now, int64_t *until)
{
	uint64_t next;
	json_t *list = live_after(l, CODE, who, after, now, &next, until);
	assert_non_null(list);
	return list;
}

static size_t told_n(struct live *l, const char *who, uint64_t after, int64_t now)
{
	int64_t until;
	json_t *list = told(l, who, after, now, &until);
	size_t n = json_array_size(list);
	json_decref(list);
	return n;
}

static void pair(struct live *l, const char *who, int64_t now)
{
	int64_t until;
	assert_int_equal(live_pair(l, CODE, who, now, &until), OK);
}

static void keep(struct live *l, unsigned n)
{
	while (n--)
		live_keep(&l->pairing[0], json_object());
}

TEST(a_code_is_read_as_people_type_it)
{
	static const struct {
		const char *typed, *code;
	} all[] = {{"K7Q3MHW2X", CODE}, {"k7q-3mh-w2x", CODE}, {" K7Q 3MH W2X ", CODE},
	    {"o0O-iIl-L11", "000111111"}, {"K7Q-3MH-W2", NULL}, {"K7Q-3MH-W2XX", NULL},
	    {"K7Q-3MH-W2U", NULL}, {"", NULL}, {"K7Q_3MH_W2X", NULL}, {"K7Q3MHW2\xc3", NULL}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char code[LIVE_CODE + 1], shown[LIVE_SHOWN + 1];
		bool is = live_code_read(str_c(all[i].typed), code);
		if (is != (all[i].code != NULL) || (is && strcmp(code, all[i].code) != 0))
			fail_msg("%s is read as %s", all[i].typed, is ? code : "no code");
		if (!is)
			continue;
		live_code_write(code, shown);
		assert_true(live_code_read(str_c(shown), code));
		assert_string_equal(code, all[i].code);
	}
	char code[LIVE_CODE + 1];
	assert_false(live_code_read(str_make("K7Q3MHW2\0", 9), code));
}

TEST(a_pairing_ends_by_itself_and_everything_with_it)
{
	struct live *l = live_new();
	int64_t until, again;
	assert_int_equal(live_paired(l), 0);
	assert_int_equal(live_pair(l, CODE, "anna", NOW, &until), OK);
	assert_int_equal(until, NOW + LIVE_S);
	assert_int_equal(live_pair(l, CODE, "anna", NOW + 60, &again), OK);
	assert_int_equal(again, until); /* it is not made longer */
	assert_int_equal(live_paired(l), 1);
	keep(l, 3);
	assert_int_equal(told_n(l, "anna", 0, NOW + LIVE_S - 1), 3);
	live_expire(l, NOW + LIVE_S - 1);
	assert_int_equal(live_paired(l), 1);
	live_expire(l, NOW + LIVE_S);
	assert_int_equal(live_paired(l), 0);
	json_decref(told(l, "anna", 0, NOW + LIVE_S, &until));
	assert_int_equal(until, 0);
	pair(l, "anna", NOW + LIVE_S);
	assert_int_equal(told_n(l, "anna", 0, NOW + LIVE_S), 0); /* nothing from before */
	live_free(l);
	live_free(NULL);
}

TEST(who_typed_the_code_alone_sees_its_records)
{
	struct live *l = live_new();
	int64_t until;
	pair(l, "anna", NOW);
	keep(l, 2);
	json_decref(told(l, "bert", 0, NOW, &until));
	assert_int_equal(until, 0);
	pair(l, "bert", NOW);
	assert_int_equal(told_n(l, "bert", 0, NOW), 0);
	assert_int_equal(told_n(l, "anna", 0, NOW), 2);
	live_end(l, CODE, "bert");
	live_end(l, "000000000", "anna");
	assert_int_equal(told_n(l, "anna", 0, NOW), 2);
	live_end(l, CODE, "anna");
	json_decref(told(l, "anna", 0, NOW, &until));
	assert_int_equal(until, 0);
	live_free(l);
}

TEST(the_latest_records_are_told_once_and_in_order)
{
	struct live *l = live_new();
	int64_t until;
	pair(l, "", NOW);
	for (uint64_t after = 0, i = 0; i < 5; i++, after += 30) {
		keep(l, 30);
		json_t *list = told(l, "", after, NOW, &until);
		assert_int_equal(json_array_size(list), 30);
		assert_int_equal(
		    json_integer_value(json_object_get(json_array_get(list, 0), "n")), after + 1);
		json_decref(list);
	}
	assert_int_equal(told_n(l, "", 0, NOW), LIVE_KEPT);
	assert_int_equal(told_n(l, "", 149, NOW), 1);
	assert_int_equal(told_n(l, "", 150, NOW), 0);
	assert_int_equal(told_n(l, "", UINT64_MAX, NOW), LIVE_KEPT); /* of a pairing before */
	live_keep(&l->pairing[0], NULL);
	assert_int_equal(told_n(l, "", 150, NOW), 0);
	live_free(l);
}

TEST(pairings_are_few_and_codes_cannot_be_tried)
{
	struct live *l = live_new();
	int64_t until;
	char who[LIVE_WHO];
	for (unsigned i = 0; i < LIVE_PAIRED; i++) {
		snprintf(who, sizeof who, "%u", i);
		pair(l, who, NOW);
	}
	assert_int_equal(live_pair(l, CODE, "x", NOW, &until), ERR_BUSY);
	pair(l, "0", NOW); /* one that is there goes on */
	for (unsigned i = LIVE_PAIRED; i < LIVE_AN_HOUR; i++) {
		live_end(l, CODE, "0");
		pair(l, "0", NOW);
	}
	live_end(l, CODE, "0");
	assert_int_equal(live_pair(l, CODE, "0", NOW, &until), ERR_BUSY);
	assert_int_equal(live_pair(l, CODE, "0", NOW + 3600, &until), OK);
	live_free(l);
}

UNIT_TESTS(cmocka_unit_test(a_code_is_read_as_people_type_it),
    cmocka_unit_test(a_pairing_ends_by_itself_and_everything_with_it),
    cmocka_unit_test(who_typed_the_code_alone_sees_its_records),
    cmocka_unit_test(the_latest_records_are_told_once_and_in_order),
    cmocka_unit_test(pairings_are_few_and_codes_cannot_be_tried))
