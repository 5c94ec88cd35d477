/* base/trouble: pauses double, the reason is said when it changes, and it is over when it works. */
#include "said.h"
#include "unit.h"

#include "calls.h"

#include "crumb/base/err.h"
#include "crumb/base/trouble.h"

static time_t now_s; /* the monotonic clock, which stands still between the steps of a test */

static int standing(clockid_t id, struct timespec *t)
{
	(void)id;
	*t = (struct timespec){.tv_sec = now_s};
	return 0;
}

static int begin(void **state)
{
	now_s = 1000;
	calls.clock_gettime = standing;
	return said_begin();
}

static int end(void **state)
{
	calls.clock_gettime = NULL;
	return said_end();
}
#define STANDING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void fails(struct trouble *t, const char *why)
{
	(void)!err_set(ERR_FULL, "%s", why);
	trouble_note(t, 60, "store", "a commit");
}

TEST(pauses_double_up_to_the_most)
{
	static const unsigned pauses[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct trouble t = {0};
	assert_true(trouble_due(&t));
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		fails(&t, "full");
		now_s += pauses[i] - 1;
		assert_false(trouble_due(&t));
		now_s += 1;
		assert_true(trouble_due(&t));
	}
	for (int i = 0; i < 100; i++) /* no number runs over */
		fails(&t, "full");
	now_s += 60;
	assert_true(trouble_due(&t) && t.times == 109);
}

TEST(a_reason_is_said_once_until_there_is_another)
{
	struct trouble t = {0};
	fails(&t, "full");
	assert_string_equal(said(),
	    "error store a commit: not possible now, will be tried again failed=1 why=\"full\"\n");
	now_s += 10;
	fails(&t, "full");
	assert_string_equal(said(), "");
	fails(&t, "broken");
	assert_string_equal(said(), "error store a commit: not possible now, will be tried again "
				    "failed=3 why=\"broken\"\n");
	fails(&t, "full"); /* they take turns within a second */
	assert_string_equal(said(), "");
}

TEST(when_it_works_again_it_is_said_how_long_it_did_not)
{
	struct trouble t = {0};
	trouble_over(&t, "store", "a commit");
	assert_string_equal(said(), ""); /* there was none */
	fails(&t, "full");
	now_s += 7;
	fails(&t, "full");
	(void)said();
	now_s += 3;
	trouble_over(&t, "store", "a commit");
	assert_string_equal(said(), "info store a commit: possible again failed=2 seconds=10\n");
	assert_true(trouble_due(&t) && t.times == 0);
	fails(&t, "full"); /* the same reason is news again, and the first pause is short */
	assert_non_null(strstr(said(), "failed=1"));
	now_s += 1;
	assert_true(trouble_due(&t));
}

UNIT_TESTS(STANDING(pauses_double_up_to_the_most),
    STANDING(a_reason_is_said_once_until_there_is_another),
    STANDING(when_it_works_again_it_is_said_how_long_it_did_not))
