/* partners/formats: the list of formats, and that each row is whole. */
#include "unit.h"

#include "crumb/partners/format.h"

TEST(a_format_is_found_by_its_name_alone)
{
	assert_ptr_equal(format_find(STR("csv")), &format_csv);
	assert_ptr_equal(format_find(STR("ttd-thirdparty")), &format_ttd_thirdparty);
	assert_null(format_find(STR("CSV")));
	assert_null(format_find(STR("")));
	assert_ptr_equal(format_built_in(STR("page")), &format_page);
	assert_null(format_built_in(STR("csv"))); /* has to be in the file */
}

TEST(each_row_is_whole)
{
	for (const struct format *const *f = formats; *f; f++) {
		for (const struct format *const *other = formats; other < f; other++)
			assert_string_not_equal((*f)->name, (*other)->name);
		assert_true((*f)->says && *(*f)->says);
		assert_non_null((*f)->ways[0]);
		assert_int_equal(
		    (*f)->ending != NULL, (*f)->item != NULL); /* files are written, or none */
		/* what can lie in a folder can be shown (delivery/head.h) */
		assert_int_equal((*f)->masked != NULL, (*f)->item != NULL);
		assert_true(!format_goes(*f, &way_directory) || (*f)->masked);
		/* a document is read as a whole, or not at all */
		if ((*f)->ending && strcmp((*f)->ending, "json") == 0)
			assert_true((*f)->bytes && (*f)->bytes < FORMAT_BEGINS);
		assert_true((*f)->compressions & 1);
		assert_false((*f)->beside &&
			     !(*f)->file_name); /* what lies beside files is named as they are */
		if ((*f)->content_type)
			assert_true(format_goes(*f, &way_https));
		for (const struct format_setting *s = (*f)->settings; s->name; s++)
			assert_true(s->says && s->min <= s->max && !(s->words && s->max));
	}
}

UNIT_TESTS(
    cmocka_unit_test(a_format_is_found_by_its_name_alone), cmocka_unit_test(each_row_is_whole))
