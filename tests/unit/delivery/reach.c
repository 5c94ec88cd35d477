/* delivery/reach: counts that are kept by day, and what is told of them. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/delivery/reach.h"

#define DAY 20000u

static void make_outbox(void)
{
	char path[200];
	snprintf(path, sizeof path, "%s/exports", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/exports/lake", folder);
	mkdir(path, 0700);
}

TEST(a_day_has_its_latest_count_and_old_days_end)
{
	struct reach all[RETENTION_MAX], r;
	make_outbox();
	reach_note(folder, "lake", &(struct reach){DAY, 10, 4});
	reach_note(folder, "lake", &(struct reach){DAY, 12, 5});
	reach_note(folder, "lake", &(struct reach){DAY + 3, 20, 6});
	assert_int_equal(reach_days(folder, "lake", all), 2);
	assert_true(all[0].day == DAY && all[0].members == 12 && all[0].with_id == 5);
	assert_true(reach_kept(folder, "lake", DAY + 2, &r) && r.day == DAY);
	assert_true(reach_kept(folder, "lake", DAY + 9, &r) && r.members == 20);
	assert_false(reach_kept(folder, "lake", DAY - 1, &r));
	assert_false(reach_kept(folder, "nobody", DAY, &r));
	reach_note(folder, "lake", &(struct reach){DAY + 92, 30, 7});
	assert_int_equal(reach_days(folder, "lake", all), 2);
	assert_true(all[0].day == DAY + 3);
}

TEST(what_makes_no_sense_is_passed_over)
{
	struct reach all[RETENTION_MAX];
	char path[200];
	make_outbox();
	snprintf(path, sizeof path, "%s/exports/lake/reach", folder);
	assert_int_equal(
	    file_replace(path, STR("nonsense\n2024-10-04 5 9\n2024-10-04 9 5\n2024-1")), OK);
	assert_int_equal(reach_days(folder, "lake", all), 1);
	assert_int_equal(all[0].members, 9);
}

TEST(who_has_no_id_is_a_group_too)
{
	struct kgate gate = {20, NULL};
	struct destination ids = {.id = (char[]){"ids"}, .partner = 0},
			   ours = {.id = (char[]){"ours"}, .partner = -1};
	struct reach_shown s = reach_show(&gate, &ids, &(struct reach){DAY, 100, 60});
	assert_true(s.members.n == 100 && s.with_id.n == 60 && s.rated && s.rate == 0.6);
	assert_false(reach_show(&gate, &ids, &(struct reach){DAY, 100, 81}).rated);
	assert_false(reach_show(&gate, &ids, &(struct reach){DAY, 100, 19}).rated);
	assert_false(reach_show(&gate, &ids, &(struct reach){DAY, 19, 19}).members.told);
	assert_false(
	    reach_show(&gate, &ids, &(struct reach){.day = 0, .members = 99}).members.told);
	s = reach_show(&gate, &ids, &(struct reach){DAY, 100, 100});
	assert_true(s.rated && s.rate == 1);
	/* none is told as few are: beside a 0, what is withheld would say that there is somebody */
	s = reach_show(&gate, &ids, &(struct reach){DAY, 100, 0});
	assert_true(s.members.told && !s.rated && !s.with_id.told);
	s = reach_show(&gate, &ours, &(struct reach){DAY, 100, 0});
	assert_true(s.members.told && !s.rated && !s.with_id.told);
}

UNIT_TESTS(IN_FOLDER(a_day_has_its_latest_count_and_old_days_end),
    IN_FOLDER(what_makes_no_sense_is_passed_over), cmocka_unit_test(who_has_no_id_is_a_group_too))
