/* base/near: what a slip of the pen may have meant. */
#include "unit.h"

#include "crumb/base/near.h"

static const char *const names[] = {"path", "host", "campaign", "referrer", "device", "attr", "os"};

static struct str name_at(const void *arg, size_t i)
{
	return str_c(((const char *const *)arg)[i]);
}

/* What is meant by a word, or "". */
static const char *meant(const char *word)
{
	static char hint[100];
	struct near n = near_begin(str_c(word));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		near_try(&n, str_c(names[i]));
	return near_hint(&n, hint, sizeof hint);
}

TEST(one_slip_of_each_kind_is_understood)
{
	assert_string_equal(meant("pth"), "did you mean 'path'?");   /* left out */
	assert_string_equal(meant("patth"), "did you mean 'path'?"); /* too much */
	assert_string_equal(meant("pats"), "did you mean 'path'?");  /* another */
	assert_string_equal(meant("paht"), "did you mean 'path'?");  /* two that changed places */
	assert_string_equal(meant("PATH"), "did you mean 'path'?");  /* in capitals */
	assert_string_equal(
	    meant("refferer"), "did you mean 'referrer'?"); /* two slips in a longer word */
}

TEST(what_is_far_from_everything_means_nothing)
{
	assert_string_equal(meant("price"), "");
	assert_string_equal(meant(""), "");
	assert_string_equal(meant("hxt"), ""); /* two slips are too many for a short word */
	assert_string_equal(meant("xy"), "");  /* as many slips as letters are no slip */
	assert_string_equal(meant("campaigncampaigncampaigncampaigncampaigncampaign"), "");
}

TEST(the_nearest_is_taken_and_of_two_the_first)
{
	struct near n = near_begin(STR("coats"));
	char hint[100];
	near_try(&n, STR("boots"));
	near_try(&n, STR("coast"));
	assert_true(str_eq(n.best, STR("coast")) && n.distance == 1);
	near_try(&n, STR("goats"));
	assert_true(str_eq(n.best, STR("coast")));
	near_try(&n, STR("coats"));
	assert_string_equal(near_hint(&n, hint, sizeof hint), "did you mean 'coats'?");
}

TEST(what_is_missing_is_told_with_what_was_meant)
{
	size_t n = sizeof names / sizeof *names;
	assert_int_equal(near_missing("field", STR("hots"), name_at, names, n), ERR_NOT_FOUND);
	assert_string_equal(err_text(), "there is no field 'hots': did you mean 'host'?");
	assert_int_equal(near_missing("field", STR("quantity"), name_at, names, n), ERR_NOT_FOUND);
	assert_string_equal(err_text(), "there is no field 'quantity'");
	assert_int_equal(near_missing("field", STR("host"), name_at, names, 0), ERR_NOT_FOUND);
}

UNIT_TESTS(cmocka_unit_test(one_slip_of_each_kind_is_understood),
    cmocka_unit_test(what_is_far_from_everything_means_nothing),
    cmocka_unit_test(the_nearest_is_taken_and_of_two_the_first),
    cmocka_unit_test(what_is_missing_is_told_with_what_was_meant))
