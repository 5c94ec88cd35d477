/* delivery/by_day: the log of a destination by day. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/delivery/by_day.h"

#define DAY 20000u

static void make_log(const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/exports", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/exports/lake", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/exports/lake/log", folder);
	assert_int_equal(file_replace(path, str_c(text)), OK);
}

TEST(what_was_taken_is_summed_up_and_what_was_given_up_is_counted)
{
	struct delivery_day d[3];
	make_log("{\"delivery\":\"a\",\"state\":\"delivered\",\"ended\":1727900000,\"added\":5}\n"
		 "{\"delivery\":\"b\",\"state\":\"delivered\",\"ended\":1728000100,\"added\":7,"
		 "\"removed\":2,\"refused\":1}\n"
		 "no line\n"
		 "{\"delivery\":\"c\",\"state\":\"failed\",\"ended\":1728000200,\"added\":9}\n"
		 "{\"delivery\":\"d\",\"state\":\"failed\",\"ended\":1728086500,\"added\":9}\n"
		 "{\"delivery\":\"d\",\"state\":\"delivered\",\"ended\":1728086500,\"added\":9}\n"
		 "{\"delivery\":\"e\",\"state\":\"delivered\",\"ended\":1728200000,\"added\":1}\n");
	deliveries_by_day(folder, "lake", DAY + 1, 2, d);
	assert_true(d[0].added == 7 && d[0].removed == 2 && d[0].refused == 1);
	assert_int_equal(d[0].failures, 1);
	assert_true(d[1].added == 9 && d[1].failures == 0); /* the later line of one delivery */
	deliveries_by_day(folder, "nobody", DAY, 2, d);
	assert_true(d[0].added == 0 && d[1].added == 0);
}

UNIT_TESTS(IN_FOLDER(what_was_taken_is_summed_up_and_what_was_given_up_is_counted))
