/* base/memory: who found no memory is heard at the end of the job, and by nobody else. */
#include "unit.h"

#include "starve.h"

#include "crumb/base/memory.h"

#include <pthread.h>
#include <stdlib.h>

TEST(what_was_missing_is_heard_at_the_end_of_the_job)
{
	memory_begin();
	assert_false(memory_short());
	assert_int_equal(memory_check(), OK);
	memory_none();
	assert_true(memory_short() && memory_short());
	assert_int_equal(memory_check(), ERR_NOMEM);
	assert_string_equal(err_text(), "no memory for this now");
	memory_begin();
	assert_false(memory_short());
}

static void *other_job(void *arg)
{
	memory_begin();
	*(bool *)arg = memory_short();
	memory_none();
	return NULL;
}

TEST(another_threads_job_hears_nothing_of_it)
{
	pthread_t thread;
	bool heard = true;
	memory_begin();
	memory_none();
	assert_int_equal(pthread_create(&thread, NULL, other_job, &heard), 0);
	pthread_join(thread, NULL);
	assert_false(heard);
	memory_begin();
	assert_int_equal(pthread_create(&thread, NULL, other_job, &heard), 0);
	pthread_join(thread, NULL);
	assert_false(memory_short());
}

TEST(json_without_memory_is_told)
{
	memory_begin();
	void *p = memory_for_json(64);
	assert_non_null(p);
	assert_false(memory_short());
	starve_after(0);
	assert_null(memory_for_json(64));
	starve_end();
	assert_true(memory_short());
	void *again = memory_for_json(64); /* that there is some again does not undo it */
	assert_true(again && memory_short());
	free(p);
	free(again);
	memory_begin();
}

UNIT_TESTS(cmocka_unit_test(what_was_missing_is_heard_at_the_end_of_the_job),
    cmocka_unit_test(another_threads_job_hears_nothing_of_it),
    cmocka_unit_test(json_without_memory_is_told))
