/* partners/answer: rows that a partner refused, as lines that nothing in them can break. */
#include "unit.h"

#include "crumb/partners/format.h"

TEST(a_refused_row_is_a_line_of_four_cells)
{
	struct push_answer a = {.verdict = PUSH_TAKEN};
	push_refused(&a, STR("v1"), STR("coats"), STR("404"), STR("no such list"));
	push_refused(&a, STR("v2"), STR(""), STR(""), STR("")); /* all of the id's */
	assert_int_equal(a.refused_n, 2);
	assert_true(str_eq(buf_view(&a.refused), STR("v1\tcoats\t404\tno such list\nv2\t*\t\t\n")));
	push_answer_done(&a);
}

TEST(what_a_partner_writes_ends_no_cell_and_no_line_and_is_cut)
{
	struct push_answer a = {.verdict = PUSH_TAKEN};
	char long_one[600];
	memset(long_one, 'x', sizeof long_one);
	push_refused(
	    &a, STR("v\t1"), STR("a\nb"), STR("\x1b[31m"), str_make(long_one, sizeof long_one));
	assert_true(str_starts(buf_view(&a.refused), STR("v 1\ta b\t [31m\txxx")));
	assert_int_equal(a.refused.n, 4 + 4 + 6 + 200 + 1); /* three tabs among them, and the end */
	unsigned tabs = 0, lines = 0;
	for (size_t i = 0; i < a.refused.n; i++) {
		tabs += a.refused.p[i] == '\t';
		lines += a.refused.p[i] == '\n';
	}
	assert_true(tabs == 3 && lines == 1);
	push_answer_done(&a);
}

UNIT_TESTS(cmocka_unit_test(a_refused_row_is_a_line_of_four_cells),
    cmocka_unit_test(what_a_partner_writes_ends_no_cell_and_no_line_and_is_cut))
