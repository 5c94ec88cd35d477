/* base/ambient: each thread is in one, and what is counted or moved in one is no matter of another.
 */
#include "unit.h"

#include "crumb/base/ambient.h"
#include "crumb/base/clock.h"
#include "crumb/base/thread.h"
#include "crumb/core/metric.h"

TEST(a_moved_clock_is_moved_in_its_ambient_alone)
{
	struct ambient a;
	ambient_init(&a);
	struct ambient *before = ambient_enter(&a);
	assert_int_equal(clock_offset(), 0);
	assert_int_equal(clock_floor(), CLOCK_LEAST);
	clock_set_offset(5 * DAY_S);
	assert_ptr_equal(ambient_enter(before), &a);
	assert_int_equal(clock_offset(), 0);
	ambient_enter(&a);
	assert_int_equal(clock_offset(), 5 * DAY_S);
	ambient_enter(before);
	ambient_done(&a);
}

TEST(counts_stay_when_their_thread_has_left)
{
	struct ambient a, b;
	ambient_init(&a);
	ambient_init(&b);
	struct ambient *before = ambient_enter(&a);
	for (int i = 0; i < 3; i++) { /* a block for each stay */
		metric_add(M_HITS, 2);
		ambient_enter(&b);
		metric_add(M_HITS, 1);
		ambient_enter(&a);
	}
	assert_int_equal(metric_get(M_HITS), 6);
	ambient_enter(&b);
	assert_int_equal(metric_get(M_HITS), 3);
	ambient_enter(before);
	ambient_done(&a);
	ambient_done(&b);
	assert_null(atomic_load(&a.counts));
}

static void *count_one(void *arg)
{
	metric_add(M_HITS, 1);
	return ambient_mine;
}

TEST(a_thread_begins_in_the_ambient_of_whoever_starts_it)
{
	struct ambient a;
	ambient_init(&a);
	struct ambient *before = ambient_enter(&a);
	pthread_t thread;
	void *was;
	assert_int_equal(thread_start(&thread, "counts", count_one, NULL), OK);
	pthread_join(thread, &was);
	assert_ptr_equal(was, &a);
	assert_int_equal(metric_get(M_HITS), 1);
	ambient_enter(before);
	ambient_done(&a);
}

UNIT_TESTS(cmocka_unit_test(a_moved_clock_is_moved_in_its_ambient_alone),
    cmocka_unit_test(counts_stay_when_their_thread_has_left),
    cmocka_unit_test(a_thread_begins_in_the_ambient_of_whoever_starts_it))
