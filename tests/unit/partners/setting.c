/* partners/setting: values that stand there, in the environment, or in a file. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/partners/setting.h"

TEST(a_setting_is_found_by_its_name)
{
	const struct setting s[] = {
	    {STR("a"), STR("1")}, {STR("ab"), STR("2")}, {STR("a"), STR("3")}};
	assert_true(
	    str_eq(setting_get(s, 3, "a"), STR("1")) && str_eq(setting_get(s, 3, "ab"), STR("2")));
	assert_int_equal(setting_get(s, 3, "abc").n, 0);
	assert_int_equal(setting_get(NULL, 0, "a").n, 0);
}

TEST(a_value_is_itself_or_lies_elsewhere)
{
	char out[64], path[100], value[120];
	snprintf(path, sizeof path, "%s/secret", folder);
	snprintf(value, sizeof value, "file:%s", path);
	assert_int_equal(setting_resolve(STR("plain"), out, sizeof out), OK);
	assert_string_equal(out, "plain");
	assert_int_equal(setenv("CRUMB_UNIT_SECRET", "of the environment", 1), 0);
	assert_int_equal(setting_resolve(STR("env:CRUMB_UNIT_SECRET"), out, sizeof out), OK);
	assert_string_equal(out, "of the environment");
	unsetenv("CRUMB_UNIT_SECRET");
	assert_int_equal(setting_resolve(STR("env:CRUMB_UNIT_SECRET"), out, sizeof out), ERR_USAGE);
	assert_int_equal(setting_resolve(str_c(value), out, sizeof out), ERR_USAGE);
	assert_int_equal(file_replace(path, STR("of a file\r\nand a second line\n")), OK);
	assert_int_equal(setting_resolve(str_c(value), out, sizeof out), OK);
	assert_string_equal(out, "of a file"); /* its first line */
}

UNIT_TESTS(cmocka_unit_test(a_setting_is_found_by_its_name),
    IN_FOLDER(a_value_is_itself_or_lies_elsewhere))
