/* How often wrong tokens came from an address. */
#include "unit.h"

#include "src/admin/wrong.h"

static enum wrong_how note(struct wrong *w, uint8_t last, uint32_t now)
{
	const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [15] = last};
	return wrong_note(w, v4, now);
}

TEST(the_first_are_answered_at_once_more_later_and_too_many_not)
{
	static struct wrong w;
	for (int i = 0; i < WRONG_FREE; i++)
		assert_int_equal(note(&w, 1, 100), WRONG_AT_ONCE);
	for (int i = WRONG_FREE; i < WRONG_MOST; i++)
		assert_int_equal(note(&w, 1, 130), WRONG_LATER);
	assert_int_equal(note(&w, 1, 159), WRONG_TOO_OFTEN);
	assert_int_equal(note(&w, 2, 159), WRONG_AT_ONCE);
	assert_int_equal(note(&w, 1, 160), WRONG_AT_ONCE);
}

TEST(an_address_of_ipv6_is_its_network)
{
	static struct wrong w;
	uint8_t a[16] = {0x20, 1, 0xd, 0xb8};
	for (int i = 0; i < WRONG_FREE; i++) {
		a[15] = (uint8_t)i;
		assert_int_equal(wrong_note(&w, a, 1), WRONG_AT_ONCE);
	}
	a[8] = 7;
	assert_int_equal(wrong_note(&w, a, 1), WRONG_LATER);
	a[7] = 7;
	assert_int_equal(wrong_note(&w, a, 1), WRONG_AT_ONCE);
}

TEST(who_was_quiet_for_longest_is_forgotten_for_one_more)
{
	static struct wrong w;
	for (int k = 0; k < WRONG_FREE; k++)
		(void)note(&w, 0, 1);
	for (int i = 1; i < WRONG_PLACES; i++)
		(void)note(&w, (uint8_t)i, 2);
	assert_int_equal(note(&w, 0, 2), WRONG_LATER);
	const uint8_t one_more[16] = {0x20, 1};
	assert_int_equal(wrong_note(&w, one_more, 3), WRONG_AT_ONCE);
	assert_int_equal(note(&w, 0, 3), WRONG_AT_ONCE);
}

UNIT_TESTS(cmocka_unit_test(the_first_are_answered_at_once_more_later_and_too_many_not),
    cmocka_unit_test(an_address_of_ipv6_is_its_network),
    cmocka_unit_test(who_was_quiet_for_longest_is_forgotten_for_one_more))
