/* A profile: rows, facts, segments, and their bytes. */
#include "unit.h"

#include "crumb/base/clock.h"
#include "crumb/model/profile.h"

TEST(a_profile_comes_back_as_it_was)
{
	struct profile p = {0}, q = {0};
	struct buf bytes = {0};
	p.ordinal = 7;
	p.due_hour = 20780 * 24;
	p.evaluated_day = 20779;
	p.place = (struct place){"GB", "ENG"};
	p.place_day = 20000;
	p.agent = (struct agent){DEVICE_MOBILE, OS_IOS, BROWSER_SAFARI};
	p.agent_day = 20001;
	struct event e = {.t = 20002u * DAY_S, .attrs_n = 1, .attrs = {{STR("size"), STR("xl")}}};
	profile_observe(&p, day_of(e.t), &e.place, &e.agent, e.attrs, e.attrs_n);
	for (uint16_t i = 0; i < 500; i++)
		profile_add(&p, (uint16_t)(i * 7919 % 97), (uint16_t)(20000 + i * 31 % 90), i + 1u);
	profile_save(&p, &bytes);
	assert_true(profile_load(&q, buf_view(&bytes)));
	assert_int_equal(q.rows_n, p.rows_n);
	assert_memory_equal(q.rows, p.rows, p.rows_n * sizeof *p.rows);
	assert_int_equal(q.ordinal, 7);
	assert_memory_equal(&q.place, &p.place, sizeof p.place);
	assert_true(str_eq(profile_attr(&q, STR("size"))->value, STR("xl")));
	for (size_t cut = 0; cut < bytes.n; cut++)
		(void)!profile_load(&q, str_make(bytes.p, cut)); /* anything but a crash */
	profile_expire(&p, 20040);
	for (size_t i = 0; i < p.rows_n; i++)
		assert_true(p.rows[i].day >= 20040);
	assert_int_equal(p.attrs_n, 0);
	assert_int_equal(p.place_day, 0);
	profile_done(&p);
	profile_done(&q);
	buf_done(&bytes);
}

TEST(a_count_saturates)
{
	struct profile p = {0};
	profile_add(&p, 1, 1, UINT32_MAX - 1);
	profile_add(&p, 1, 1, 5);
	assert_int_equal(p.rows[0].count, UINT32_MAX);
	profile_done(&p);
}

TEST(a_profile_of_every_segment_comes_back)
{
	struct profile p = {.ordinal = 7, .due_hour = 24}, q = {0};
	struct buf bytes = {0};
	static uint16_t all[65000];
	for (unsigned i = 0; i < 65000; i++)
		all[i] = (uint16_t)i;
	p.segments = all;
	p.segments_n = 65000;
	profile_add(&p, 1, 20000, 3);
	profile_save(&p, &bytes);
	assert_true(profile_load(&q, buf_view(&bytes)));
	assert_int_equal(q.segments_n, 65000);
	assert_memory_equal(q.segments, all, sizeof all);
	assert_int_equal(q.rows_n, 1);
	p.segments = NULL;
	profile_done(&p);
	profile_done(&q);
	buf_done(&bytes);
}

UNIT_TESTS(cmocka_unit_test(a_profile_comes_back_as_it_was), cmocka_unit_test(a_count_saturates),
    cmocka_unit_test(a_profile_of_every_segment_comes_back))
