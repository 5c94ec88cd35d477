/* Secrets that are made for a while: found until they are over, spent once, and a hundred. */
#include "unit.h"

#include "src/admin/sessions.h"

static const uint8_t token[TOKEN_HASH] = {1}, other[TOKEN_HASH] = {2};

static struct str text(const char secret[TOKEN_TEXT])
{
	return str_make(secret, TOKEN_TEXT - 1);
}

TEST(a_session_is_found_by_its_secret_until_it_is_over)
{
	static struct sessions s;
	char a[TOKEN_TEXT], b[TOKEN_TEXT];
	sessions_begin(&s, token, 1000, a);
	sessions_begin(&s, other, 2000, b);
	assert_string_not_equal(a, b);
	assert_memory_equal(sessions_find(&s, text(a), 999)->token, token, TOKEN_HASH);
	assert_memory_equal(sessions_find(&s, text(b), 999)->token, other, TOKEN_HASH);
	assert_null(sessions_find(&s, text(a), 1000));
	assert_non_null(sessions_find(&s, text(b), 1000));
	assert_null(sessions_find(&s, str_make(a, TOKEN_TEXT - 2), 0));
	assert_null(sessions_find(&s, STR(""), 0));
}

TEST(a_secret_is_not_in_memory_once_its_owner_has_it)
{
	static struct sessions s;
	char a[TOKEN_TEXT];
	sessions_begin(&s, token, 1000, a);
	assert_false(str_has(str_make((const char *)&s, sizeof s), text(a)));
}

TEST(a_spent_session_is_over)
{
	static struct sessions s;
	struct session spent;
	char a[TOKEN_TEXT], b[TOKEN_TEXT];
	sessions_begin(&s, token, 1000, a);
	sessions_begin(&s, other, 1000, b);
	assert_false(sessions_spend(&s, text(a), 1000, &spent));
	assert_true(sessions_spend(&s, text(a), 1, &spent));
	assert_memory_equal(spent.token, token, TOKEN_HASH);
	assert_false(sessions_spend(&s, text(a), 1, &spent));
	assert_non_null(sessions_find(&s, text(b), 1));
}

TEST(the_oldest_of_a_hundred_goes_for_one_more)
{
	static struct sessions s;
	struct session spent;
	char secret[SESSIONS_MOST + 2][TOKEN_TEXT];
	for (int i = 0; i < SESSIONS_MOST; i++)
		sessions_begin(&s, token, 1000, secret[i]);
	assert_true(sessions_spend(&s, text(secret[7]), 1, &spent));
	sessions_begin(&s, token, 1000, secret[SESSIONS_MOST]); /* in the place that is free */
	assert_non_null(sessions_find(&s, text(secret[0]), 1));
	sessions_begin(&s, token, 1000, secret[SESSIONS_MOST + 1]);
	assert_null(sessions_find(&s, text(secret[0]), 1));
	for (int i = 1; i < SESSIONS_MOST + 2; i++)
		assert_int_equal(sessions_find(&s, text(secret[i]), 1) != NULL, i != 7);
}

UNIT_TESTS(cmocka_unit_test(a_session_is_found_by_its_secret_until_it_is_over),
    cmocka_unit_test(a_secret_is_not_in_memory_once_its_owner_has_it),
    cmocka_unit_test(a_spent_session_is_over),
    cmocka_unit_test(the_oldest_of_a_hundred_goes_for_one_more))
