/* report/tally: counters by day, kept over restarts. */
#include "folder.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/disk/checked.h"
#include "crumb/disk/damage.h"
#include "crumb/report/tally.h"

#include <jansson.h>

#define DAY 20000u
#define AT(day, second) ((uint32_t)((day)*DAY_S + (second)))

static struct tally *opened(uint32_t now)
{
	struct tally *t;
	assert_int_equal(tally_open(folder, NULL, now, TALLY_ALONE, &t), OK);
	return t;
}

TEST(what_came_before_midnight_is_yesterdays)
{
	struct tally *t = opened(AT(DAY, 100));
	metric_add(M_HITS, 3);
	metric_add(M_CONNECTIONS, 5); /* its row says nothing of days */
	tally_tick(t, AT(DAY, 86399), 90);
	metric_add(M_HITS, 2);
	tally_tick(t, AT(DAY + 1, 0), 90);
	metric_add(M_HITS, 1);
	tally_tick(t, AT(DAY + 1, 1), 90);
	assert_int_equal(tally_of(t, M_HITS, DAY), 5);
	assert_int_equal(tally_of(t, M_HITS, DAY + 1), 1);
	assert_int_equal(tally_of(t, M_CONNECTIONS, DAY), 0);
	tally_close(t);
}

TEST(a_restart_goes_on_and_counts_nothing_twice)
{
	struct tally *t = opened(AT(DAY, 0));
	metric_add(M_HITS, 3);
	metric_add(M_REFUSED_GPC, 1);
	tally_tick(t, AT(DAY, 1), 90);
	metric_add(M_HITS, 1); /* nobody looked any more: the end does */
	tally_close(t);
	t = opened(AT(DAY, 2)); /* counters of this program go on, as if others had counted */
	tally_tick(t, AT(DAY, 3), 90);
	assert_int_equal(tally_of(t, M_HITS, DAY), 4);
	assert_int_equal(tally_of(t, M_REFUSED_GPC, DAY), 1);
	metric_add(M_HITS, 1);
	tally_tick(t, AT(DAY, 4), 90);
	assert_int_equal(tally_of(t, M_HITS, DAY), 5);
	tally_close(t);
}

TEST(days_end_with_retention_and_not_while_the_clock_is_in_doubt)
{
	struct tally *t = opened(AT(DAY, 0));
	metric_add(M_HITS, 3);
	tally_tick(t, AT(DAY, 1), 90);
	tally_tick(t, AT(DAY + 89, 0), 90);
	assert_int_equal(tally_of(t, M_HITS, DAY), 3);
	tally_tick(t, AT(DAY + 90, 0), 0);
	assert_int_equal(tally_of(t, M_HITS, DAY), 3);
	tally_tick(t, AT(DAY + 90, 1), 90);
	assert_int_equal(tally_of(t, M_HITS, DAY), 0);
	tally_close(t);
}

TEST(days_to_come_are_added_to_today)
{
	struct tally *t = opened(AT(DAY + 40, 0));
	metric_add(M_HITS, 3);
	tally_tick(t, AT(DAY + 40, 1), 0);
	tally_tick(t, AT(DAY, 1), 90); /* the clock was set right */
	metric_add(M_HITS, 1);
	tally_tick(t, AT(DAY, 2), 90);
	assert_int_equal(tally_of(t, M_HITS, DAY), 4);
	assert_int_equal(tally_of(t, M_HITS, DAY + 40), 0);
	tally_close(t);
}

static json_t *by_day(json_t *report, const char *what, const char *reason)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(report, "rows"), i,
	    row) if (strcmp(json_string_value(json_object_get(row, "what")), what) == 0 &&
		     strcmp(json_string_value(json_object_get(row, "reason")), reason) ==
			 0) return json_object_get(row, "by_day");
	fail_msg("no row %s %s", what, reason);
	return NULL;
}

static void assert_told(json_t *list, const char *text)
{
	char *is = json_dumps(list, JSON_COMPACT);
	assert_string_equal(is, text);
	free(is);
}

TEST(a_report_passes_the_gate_and_knows_what_was_not_recorded)
{
	struct kgate gate = {50, NULL};
	struct tally *t = opened(AT(DAY, 0));
	json_t *report;
	metric_add(M_HITS, 123);
	metric_add(M_REFUSED_GPC, 49);
	metric_add(M_ASIDE_RATE, 50);
	tally_tick(t, AT(DAY, 1), 90);
	tally_tick(t, AT(DAY + 1, 1), 90);
	metric_add(M_HITS, 51); /* the report looks by itself */
	assert_int_equal(tally_report(t, &gate, 3, AT(DAY + 1, 2), &report), OK);
	assert_told(
	    json_object_get(report, "days"), "[\"2024-10-03\",\"2024-10-04\",\"2024-10-05\"]");
	assert_string_equal(
	    json_string_value(json_object_get(report, "recorded_since")), "2024-10-04");
	assert_told(by_day(report, "hits", ""), "[null,120,50]");
	assert_told(by_day(report, "refused", "gpc"), "[null,null,0]");
	assert_told(by_day(report, "set_aside", "rate"), "[null,50,0]");
	assert_told(by_day(report, "lookups", ""), "[null,0,0]");
	json_decref(report);
	tally_close(t);
}

TEST(a_damaged_file_is_noted_and_counting_begins_anew)
{
	char path[100];
	struct damage *damage = damage_new();
	struct tally *t = opened(AT(DAY, 0));
	metric_add(M_HITS, 3);
	tally_close(t);
	snprintf(path, sizeof path, "%s/tallies", folder);
	assert_int_equal(file_replace(path, STR("crumb tallies 1\nsince 2024-10-04\n")), OK);
	assert_int_equal(tally_open(folder, damage, AT(DAY + 3, 0), TALLY_ALONE, &t), OK);
	assert_true(damage_noted(damage, "tallies"));
	assert_int_equal(tally_of(t, M_HITS, DAY), 0);
	metric_add(M_HITS, 1);
	tally_tick(t, AT(DAY + 3, 1), 90);
	assert_int_equal(tally_of(t, M_HITS, DAY + 3), 1);
	tally_close(t);
	damage_free(damage);
}

TEST(damage_is_over_though_nothing_is_counted_after_it)
{
	char path[100];
	struct damage *damage = damage_new();
	struct tally *t = opened(AT(DAY, 0));
	tally_close(t);
	snprintf(path, sizeof path, "%s/tallies", folder);
	assert_int_equal(file_replace(path, STR("crumb tallies 1\nsince 2024-10-04\n")), OK);
	tally_close(opened(AT(DAY + 3, 0)));
	assert_int_equal(tally_open(folder, damage, AT(DAY + 4, 0), TALLY_ALONE, &t), OK);
	assert_false(damage_noted(damage, "tallies"));
	tally_close(t);
	damage_free(damage);
}

TEST(what_another_version_counted_is_passed_over)
{
	struct buf text = {0};
	char path[100];
	struct tally *t;
	snprintf(path, sizeof path, "%s/tallies", folder);
	buf_c(&text, "crumb tallies 1\nsince 2024-10-04\n2024-10-04 nonsense_total 3\n"
		     "2024-10-04 hits_total 7\n");
	assert_int_equal(checked_write(path, &text), OK);
	assert_int_equal(tally_read(folder, AT(DAY, 5), &t), OK);
	assert_int_equal(tally_of(t, M_HITS, DAY), 7);
	metric_add(M_HITS, 1); /* it only reads */
	tally_close(t);
	assert_int_equal(tally_read(folder, AT(DAY, 5), &t), OK);
	assert_int_equal(tally_of(t, M_HITS, DAY), 7);
	tally_close(t);
	buf_done(&text);
}

TEST(a_thread_writes_the_file)
{
	struct tally *t;
	assert_int_equal(tally_open(folder, NULL, AT(DAY, 0), TALLY_THREAD, &t), OK);
	metric_add(M_HITS, 3);
	tally_tick(t, AT(DAY + 1, 0), 90); /* a day has ended */
	tally_close(t);
	t = opened(AT(DAY + 1, 1));
	assert_int_equal(tally_of(t, M_HITS, DAY), 3);
	tally_close(t);
}

UNIT_TESTS(IN_FOLDER(what_came_before_midnight_is_yesterdays),
    IN_FOLDER(a_restart_goes_on_and_counts_nothing_twice),
    IN_FOLDER(days_end_with_retention_and_not_while_the_clock_is_in_doubt),
    IN_FOLDER(days_to_come_are_added_to_today),
    IN_FOLDER(a_report_passes_the_gate_and_knows_what_was_not_recorded),
    IN_FOLDER(a_damaged_file_is_noted_and_counting_begins_anew),
    IN_FOLDER(damage_is_over_though_nothing_is_counted_after_it),
    IN_FOLDER(what_another_version_counted_is_passed_over), IN_FOLDER(a_thread_writes_the_file))
