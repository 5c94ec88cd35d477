/* Groups below k are told nowhere. */
#include "unit.h"

#include "crumb/base/low.h"
#include "crumb/base/thread.h"
#include "crumb/privacy/kgate.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic unsigned lifted; /* how often a thread was made an ordinary one */

/* In the place of the system's: whether this process has the right to come back does not matter. */
int sched_setscheduler(pid_t thread, int policy, const struct sched_param *param)
{
	(void)thread;
	(void)param;
	lifted += policy == SCHED_OTHER;
	return 0;
}

static void *ask_low(void *arg)
{
	low_begin();
	unsigned before = lifted;
	bool told = kgate_show_group(arg, 's', "a", 25).told;
	return told && lifted == before + 1 ? arg : NULL;
}

TEST(a_low_thread_is_an_ordinary_one_while_it_has_the_lock)
{
	struct kgate g = {20, kgate_memory_new()};
	pthread_t thread;
	void *well;
	assert_int_equal(thread_start(&thread, "low", ask_low, &g), OK);
	pthread_join(thread, &well);
	assert_non_null(well);
	kgate_memory_free(g.memory);
}

TEST(the_gate_withholds_below_k_and_rounds_above)
{
	struct kgate g = {50, NULL};
	for (uint64_t n = 0; n < 500; n++) {
		struct shown s = kgate_show(&g, n);
		assert_int_equal(s.told, n >= 50);
		if (s.told)
			assert_true(s.n % 10 == 0 && llabs((long long)s.n - (long long)n) <= 5);
	}
	g.k = 3;
	assert_false(kgate_show(&g, 19).told);
	assert_true(kgate_show(&g, 20).told);
}

TEST(nothing_is_told_as_nothing)
{
	struct kgate g = {50, NULL};
	assert_true(kgate_show_count(&g, 0).told && kgate_show_count(&g, 0).n == 0);
	assert_false(kgate_show_count(&g, 1).told || kgate_show_count(&g, 49).told);
	assert_int_equal(kgate_show_count(&g, 123).n, 120);
}

TEST(a_group_that_fell_below_k_stays_withheld_for_a_while)
{
	struct kgate g = {50, kgate_memory_new()}, bare = {50, NULL};
	assert_false(kgate_show_group(&g, 's', "a", 49).told);
	assert_true(kgate_show_group(&g, 's', "a", 50).told); /* it never was told before */
	assert_false(kgate_show_group(&g, 's', "a", 49).told);
	for (int i = 0; i < 10; i++) { /* one visitor comes and goes */
		assert_false(kgate_show_group(&g, 's', "a", (uint64_t)(50 + i % 2)).told);
		assert_false(kgate_show_group(&g, 's', "a", 49).told);
	}
	assert_true(kgate_show_group(&bare, 's', "a", 50).told &&
		    kgate_show_group(&g, 'c', "a", 50).told &&
		    kgate_show_group(&g, 's', "b", 50).told);
	assert_false(kgate_show_group(&g, 's', "a", 59).told);
	assert_true(
	    kgate_show_group(&g, 's', "a", 60).told && kgate_show_group(&g, 's', "a", 50).told);
	kgate_memory_free(g.memory);
}

TEST(days_of_a_group_that_fell_are_withheld_like_the_present)
{
	struct kgate g = {50, kgate_memory_new()};
	struct shown out[6];
	uint64_t at_the_border[] = {50, 49, 50, 59, 60, 50}, fallen[] = {70, 55, 50, 49},
		 small[] = {10, 20, 50, 51};
	kgate_show_days(&g, 's', "a", at_the_border, 6, out);
	assert_true(out[0].told && !out[1].told && !out[2].told && !out[3].told && out[4].told &&
		    out[5].told);
	kgate_show_group(&g, 's', "b", 50);
	kgate_show_days(
	    &g, 's', "b", fallen, 4, out); /* small now: so are the days on which it was */
	assert_true(out[0].told && !out[1].told && !out[2].told && !out[3].told);
	kgate_show_days(&g, 's', "c", small, 4, out);
	assert_true(!out[0].told && !out[1].told && out[2].told && out[3].told);
	kgate_memory_free(g.memory);
}

TEST(processes_know_what_each_other_told)
{
	char path[] = "/tmp/crumb-unit-told-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	struct kgate server = {20, kgate_memory_open(path, KGATE_ANEW)},
		     command = {20, kgate_memory_open(path, KGATE_READ)}, later = {20, NULL};
	assert_true(kgate_show_group(&command, 's', "a", 25).told);
	assert_false(kgate_show_group(&server, 's', "a", 19).told);
	assert_false(kgate_show_group(&server, 's', "a", 25).told ||
		     kgate_show_group(&command, 's', "a", 25).told);
	later.memory = kgate_memory_open(path,
	    KGATE_ANEW); /* the file is another one now, and whoever has the old one finds it */
	assert_true(kgate_show_group(&server, 's', "a", 30).told &&
		    kgate_show_group(&server, 's', "b", 25).told);
	assert_false(kgate_show_group(&command, 's', "b", 19).told);
	assert_true(kgate_show_group(&later, 's', "a", 25).told);
	assert_false(kgate_show_group(&later, 's', "b", 29).told);
	kgate_memory_free(server.memory);
	kgate_memory_free(command.memory);
	kgate_memory_free(later.memory);
	close(fd);
	unlink(path);
}

TEST(a_line_that_a_full_disk_cut_off_does_not_swallow_the_next)
{
	char path[] = "/tmp/crumb-unit-told-XXXXXX";
	int fd = mkstemp(path);
	struct kgate g = {20, kgate_memory_open(path, KGATE_READ)};
	assert_true(kgate_show_group(&g, 's', "a", 25).told);
	assert_int_equal(pwrite(fd, "- s", 3, lseek(fd, 0, SEEK_END)), 3);
	assert_false(kgate_show_group(&g, 's', "a", 19).told);
	kgate_memory_free(g.memory);
	g.memory = kgate_memory_open(path, KGATE_READ);
	assert_false(kgate_show_group(&g, 's', "a", 29).told);
	kgate_memory_free(g.memory);
	close(fd);
	unlink(path);
}

UNIT_TESTS(cmocka_unit_test(a_low_thread_is_an_ordinary_one_while_it_has_the_lock),
    cmocka_unit_test(the_gate_withholds_below_k_and_rounds_above),
    cmocka_unit_test(nothing_is_told_as_nothing),
    cmocka_unit_test(a_group_that_fell_below_k_stays_withheld_for_a_while),
    cmocka_unit_test(days_of_a_group_that_fell_are_withheld_like_the_present),
    cmocka_unit_test(processes_know_what_each_other_told),
    cmocka_unit_test(a_line_that_a_full_disk_cut_off_does_not_swallow_the_next))
