/* partners/format_aam: Adobe's overwrite and sync files, their names, and the list beside them. */
#include "encoded.h"

static const struct destination lake = {.id = (char *)(uintptr_t) "aam",
    .format = &format_aam,
    .partner = 0,
    SETTINGS({S("dpid"), S("12")}, {S("target"), S("34")})};

TEST(a_sync_says_changes_and_an_overwrite_all_that_holds)
{
	IS(ENCODED(&lake, FORMAT_DELTA, ITEM("a1", ADD(coats, 1), KEEP(boots, 1)),
	       ITEM("a2", REMOVE(coats), ADD(boots, 1))),
	    "a1\td_sid=101\na2\td_unsid=101,d_sid=102\n");
	IS(ENCODED(&lake, FORMAT_FULL, ITEM("a1", ADD(coats, 1), KEEP(boots, 1)),
	       ITEM("a2", REMOVE(coats))),
	    "a1\td_sid=101,d_sid=102\n");
}

TEST(an_id_with_a_colon_cannot_be_written)
{
	const struct out_item items[] = {ITEM("a:1", ADD(coats, 1)), ITEM("a2", ADD(coats, 1))};
	unsigned refused;
	IS(encoded(&lake, FORMAT_DELTA, items, 2, &refused), "a2\td_sid=101\n");
	assert_int_equal(refused, 1);
}

TEST(a_line_that_is_too_long_goes_on_in_another_with_its_id)
{
	enum { ROWS = 25000 }; /* of ten bytes: more than two lines */
	static struct out_row rows[ROWS];
	struct out_item item = {.id = STR("a1"), .rows = rows, .n = ROWS};
	for (size_t i = 0; i < ROWS; i++)
		rows[i] = (struct out_row)ADD(coats, 1);
	struct str all = encoded(&lake, FORMAT_FULL, &item, 1, NULL), line;
	unsigned lines = 0;
	size_t said = 0;
	while (str_cut(&all, '\n', &line) && line.n) {
		lines++;
		assert_true(line.n <= 102400 && str_starts(line, STR("a1\td_sid=101")));
		for (size_t i = 0; i < line.n; i++)
			said += line.p[i] == '=';
	}
	assert_int_equal(lines, 3);
	assert_int_equal(said, ROWS);
}

TEST(files_are_named_and_listed_as_adobe_has_them)
{
	struct encoder e;
	char name[FORMAT_NAME_MOST];
	struct buf out = {0};
	assert_int_equal(encoder_init(&e, &lake, FORMAT_FULL, STR("x"), NOW), OK);
	format_aam.file_name(&e, NOW, 0, ".gz", name);
	assert_string_equal(name, "ftp_dpm_12_34_1795435200.overwrite.1.gz");
	struct format_file files[2] = {{.sha256 = "", .md5 = "aa", .lines = 3, .bytes = 100},
	    {.md5 = "bb", .lines = 1, .bytes = 20}};
	snprintf(files[0].name, sizeof files[0].name, "%s", name);
	snprintf(files[1].name, sizeof files[1].name, "ftp_dpm_12_34_1795435200.overwrite.2.gz");
	format_aam.beside(&e, files, 2, name, &out);
	assert_string_equal(name, "ftp_dpm_12_34_1795435200.info");
	IS(buf_view(&out), "{\"Files\":[{\"FileByteSize\":100,\"FileLineCount\":3,\"FileName\":"
			   "\"ftp_dpm_12_34_1795435200.overwrite.1.gz\","
			   "\"FileSequenceNumber\":1,\"md5\":\"aa\"},{\"FileByteSize\":20,"
			   "\"FileLineCount\":1,\"FileName\":"
			   "\"ftp_dpm_12_34_1795435200.overwrite.2.gz\",\"FileSequenceNumber\":2,"
			   "\"md5\":\"bb\"}],\"Totals\":{\"FileName\":"
			   "\"ftp_dpm_12_34_1795435200\",\"TotalByteSize\":120,"
			   "\"TotalNumberFiles\":2,\"TotalNumberLines\":4}}\n");
	buf_done(&out);
	encoder_done(&e);
	assert_int_equal(encoder_init(&e, &lake, FORMAT_DELTA, STR("x"), NOW), OK);
	format_aam.file_name(&e, NOW, 4, "", name);
	assert_string_equal(name, "ftp_dpm_12_34_1795435200.sync.5");
	encoder_done(&e);
}

UNIT_TESTS(cmocka_unit_test(a_sync_says_changes_and_an_overwrite_all_that_holds),
    cmocka_unit_test(an_id_with_a_colon_cannot_be_written),
    cmocka_unit_test(a_line_that_is_too_long_goes_on_in_another_with_its_id),
    cmocka_unit_test(files_are_named_and_listed_as_adobe_has_them))
