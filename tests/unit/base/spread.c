/* Jobs over threads. */
#include "unit.h"

#include "crumb/base/spread.h"

struct jobs {
	_Atomic unsigned done[50];
	unsigned fails;
};

static enum err one_job(void *arg, unsigned number)
{
	struct jobs *j = arg;
	j->done[number]++;
	return number == j->fails ? err_set(ERR_FULL, "job %u", number) : OK;
}

TEST(each_job_is_done_once_and_a_failure_has_its_words)
{
	struct jobs j = {.fails = 99};
	assert_int_equal(spread(50, one_job, &j), OK);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(j.done[i], 1);
	j = (struct jobs){.fails = 7};
	assert_int_equal(spread(50, one_job, &j), ERR_FULL);
	assert_string_equal(err_text(), "job 7");
	assert_int_equal(spread(0, one_job, &j), OK);
}

UNIT_TESTS(cmocka_unit_test(each_job_is_done_once_and_a_failure_has_its_words))
