/* The first-party cookie and the visitor behind it. */
#include "unit.h"

#include "crumb/privacy/cookie.h"

static struct identity_keys keys(void)
{
	struct identity_keys k = {.cookie = {"cookie key 16 b"},
	    .imported = {"import key 16 b"},
	    .exported = {"export key 16 b"}};
	k.generations[0].first_day = generation_of(20780);
	k.generations[1].first_day = (uint16_t)(generation_of(20780) - GENERATION_DAYS);
	return k;
}

TEST(a_cookie_is_read_back_and_any_changed_byte_is_forged)
{
	struct identity_keys k = keys();
	struct cookie c, d;
	char text[COOKIE_LEN];
	cookie_make(20780, &c);
	cookie_write(&k, &c, text);
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780, &d), COOKIE_VALID);
	assert_memory_equal(c.id, d.id, sizeof c.id);
	assert_int_equal(d.day, 20780);
	for (size_t i = 0; i < COOKIE_LEN; i++) {
		char was = text[i];
		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(
		    cookie_read(&k, str_make(text, COOKIE_LEN), 20780, &d), COOKIE_FORGED);
		text[i] = was;
	}
	k.cookie.b[0] ^= 1;
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780, &d), COOKIE_FORGED);
}

TEST(a_cookie_lives_ninety_days)
{
	struct identity_keys k = keys();
	struct cookie c;
	char text[COOKIE_LEN];
	cookie_make(20780, &c);
	cookie_write(&k, &c, text);
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780 + 89, &c), COOKIE_VALID);
	assert_int_equal(
	    cookie_read(&k, str_make(text, COOKIE_LEN), 20780 + 90, &c), COOKIE_OVERDUE);
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20770, &c),
	    COOKIE_OVERDUE); /* issued in the future */
}

TEST(a_visitor_is_hashed_under_the_generation_of_the_issue_day)
{
	struct identity_keys k = keys();
	struct cookie c;
	struct vkey a, b;
	cookie_make(20780, &c);
	k.generations[0].key.b[0] = 1;
	assert_true(cookie_visitor(&k, &c, &a));
	c.day = (uint16_t)(c.day - GENERATION_DAYS);
	assert_true(cookie_visitor(&k, &c, &b));
	assert_memory_not_equal(&a, &b, sizeof a);
	c.day = (uint16_t)(c.day - GENERATION_DAYS);
	assert_false(cookie_visitor(&k, &c, &b)); /* that key is gone */
}

TEST(partners_see_permutations_that_differ)
{
	struct identity_keys k = keys();
	struct vkey v, a, b, seen[2000];
	for (size_t i = 0; i < 2000; i++) {
		memset(&v, 0, sizeof v);
		memcpy(v.b, &i, sizeof i);
		a = visitor_for_partner(&k, STR("a"), &v);
		b = visitor_for_partner(&k, STR("b"), &v);
		assert_memory_not_equal(&a, &b, sizeof a);
		assert_memory_not_equal(&a, &v, sizeof a);
		seen[i] = a;
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&seen[j], &a, sizeof a);
	}
}

UNIT_TESTS(cmocka_unit_test(a_cookie_is_read_back_and_any_changed_byte_is_forged),
    cmocka_unit_test(a_cookie_lives_ninety_days),
    cmocka_unit_test(a_visitor_is_hashed_under_the_generation_of_the_issue_day),
    cmocka_unit_test(partners_see_permutations_that_differ))
