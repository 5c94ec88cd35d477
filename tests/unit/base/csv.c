/* Cells of CSV. */
#include "unit.h"

#include "crumb/base/csv.h"

TEST(cells_of_csv_are_exact_for_programs_and_harmless_for_people)
{
	static const struct {
		const char *cell, *exact, *text;
	} cases[] = {
	    {"", "", ""},
	    {"coats", "coats", "coats"},
	    {"-12", "-12", "'-12"},
	    {"=1+1", "=1+1", "'=1+1"},
	    {"@x", "@x", "'@x"},
	    {"+1", "+1", "'+1"},
	    {"a,b", "\"a,b\"", "\"a,b\""},
	    {"=a,b", "\"=a,b\"", "\"'=a,b\""},
	    {"say \"x\"", "\"say \"\"x\"\"\"", "\"say \"\"x\"\"\""},
	    {"a\nb", "\"a\nb\"", "\"a b\""},
	    {"\t=1", "\t=1", "' =1"},
	    {"\r=1", "\"\r=1\"", "\"' =1\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf exact = {0}, text = {0};
		csv_exact(&exact, str_c(cases[i].cell));
		csv_text(&text, str_c(cases[i].cell));
		assert_true(str_eq(exact.n ? buf_view(&exact) : STR(""), str_c(cases[i].exact)));
		assert_true(str_eq(text.n ? buf_view(&text) : STR(""), str_c(cases[i].text)));
		buf_done(&exact);
		buf_done(&text);
	}
}

UNIT_TESTS(cmocka_unit_test(cells_of_csv_are_exact_for_programs_and_harmless_for_people))
