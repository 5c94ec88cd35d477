/* Groups that were told, fell, and come back. */
#include "folder.h"

#include "crumb/base/memory.h"
#include "src/report/told_before.h"

#define DAY 20700

static const char *file_path(void)
{
	static char path[200];
	snprintf(path, sizeof path, "%s/told", folder);
	return path;
}

/* A report that tells these names, up to a 0. */
static void report(uint16_t day, const uint64_t *names)
{
	struct told_before b;
	told_before_read(&b, file_path());
	for (; *names; names++)
		told_before_note(&b, *names, day);
	assert_int_equal(told_before_write(&b, file_path(), day), OK);
	told_before_done(&b);
}

static bool fell(uint64_t name)
{
	struct told_before b;
	told_before_read(&b, file_path());
	bool is = told_before_fell(&b, name);
	told_before_done(&b);
	return is;
}

TEST(a_group_fell_when_it_was_told_and_not_by_the_latest)
{
	assert_false(fell(7));
	report(DAY, (uint64_t[]){7, 9, 7, 0});
	assert_false(fell(7));
	assert_false(fell(8));
	report(DAY + 1, (uint64_t[]){9, 0});
	assert_true(fell(7));
	assert_false(fell(9));
	assert_false(fell(8));
	report(DAY + 2, (uint64_t[]){7, 0});
	assert_false(fell(7));
	assert_true(fell(9));
}

TEST(what_no_report_told_for_90_days_is_forgotten)
{
	report(DAY, (uint64_t[]){7, 0});
	report(DAY + 90, (uint64_t[]){8, 0});
	assert_true(fell(7));
	report(DAY + 91, (uint64_t[]){8, 0});
	assert_false(fell(7));
}

TEST(a_damaged_file_makes_everything_fall)
{
	report(DAY, (uint64_t[]){7, 0});
	FILE *f = fopen(file_path(), "r+");
	assert_true(f && fputc('x', f) == 'x' && fclose(f) == 0);
	assert_true(fell(7));
	assert_true(fell(8));
	report(DAY + 1, (uint64_t[]){8, 0});
	assert_false(fell(8));
	assert_false(fell(7));
}

UNIT_TESTS(IN_FOLDER(a_group_fell_when_it_was_told_and_not_by_the_latest),
    IN_FOLDER(what_no_report_told_for_90_days_is_forgotten),
    IN_FOLDER(a_damaged_file_makes_everything_fall))
