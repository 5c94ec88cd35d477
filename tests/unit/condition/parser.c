/* condition/parser: the token at hand, and what is said of one that does not fit. */
#include "unit.h"

#include "src/condition/parser.h"

static struct yaml_place locate(const void *arg, size_t offset, size_t length)
{
	return (struct yaml_place){arg, 7, offset + 1, length};
}

static const struct condition_place place = {locate, "shop.yaml"};

static struct parser over(const char *text, struct report *report)
{
	struct parser p = {.text = str_c(text), .place = &place, .report = report};
	parse_next(&p);
	return p;
}

TEST(a_token_is_taken_and_it_is_known_where_it_ended)
{
	struct report report = {0};
	struct parser p = over("coats  AND boots", &report);
	assert_int_equal(p.before, 0);
	assert_true(str_eq(p.now.text, STR("coats")));
	parse_next(&p);
	assert_int_equal(p.before, 5);
	assert_true(parse_is(&p, "and")); /* in any case */
	parse_expect(&p, TOK_WORD, "a word");
	assert_int_equal(p.before, 10);
	assert_true(str_eq(p.now.text, STR("boots")) && !p.wrong && report.n == 0);
	parse_next(&p);
	parse_next(&p);
	assert_int_equal(p.now.kind, TOK_END); /* however often */
}

static void says(const char *text, const char *message, const char *hint)
{
	struct report report = {0};
	struct parser p = over(text, &report);
	parse_expect(&p, TOK_OPEN, "'('");
	assert_true(p.failed && p.wrong);
	assert_int_equal(report.n, 1);
	assert_string_equal(report.list[0].message, message);
	assert_string_equal(report.list[0].hint, hint);
	assert_string_equal(report.list[0].code, "syntax");
	report_done(&report);
}

TEST(what_was_found_is_told_with_what_is_usually_meant)
{
	says("is", "expected '(', found 'is'", "write '='");
	says("14d", "expected '(', found '14d'", "write 'in 14d'");
	says("&&", "expected '(', found '&&'", "write 'and'");
	says("Without", "expected '(', found 'Without'", "write 'and not'");
	says("coats", "expected '(', found 'coats'", "");
	says("", "the condition ends where '(' is expected", "");
}

TEST(the_first_mistake_that_stops_reading_is_the_last_that_is_told)
{
	struct report report = {0};
	struct parser p = over("a b", &report);
	parse_report(&p, p.now.text, "unknown-category", NULL, "there is no category 'a'");
	assert_true(p.wrong && !p.failed); /* reading goes on */
	parse_next(&p);
	parse_expected(&p, "'and'", "a hint");
	parse_expected(&p, "'or'", NULL);
	assert_int_equal(report.n, 2);
	assert_string_equal(report.list[0].file, "shop.yaml");
	assert_int_equal(report.list[0].line, 7);
	assert_int_equal(report.list[0].column, 1);
	assert_int_equal(report.list[1].column, 3);
	assert_string_equal(report.list[1].hint, "a hint");
	parse_expect(&p, TOK_NUMBER, "a number"); /* nor does it take or say anything more */
	assert_true(str_eq(p.now.text, STR("b")) && report.n == 2);
	report_done(&report);
}

TEST(the_end_of_a_condition_has_a_place)
{
	struct report report = {0};
	struct parser p = over("abc", &report);
	parse_next(&p);
	parse_expected(&p, "'='", NULL);
	assert_int_equal(report.list[0].column, 4);
	assert_int_equal(report.list[0].length, 1);
	report_done(&report);
}

TEST(a_long_word_is_told_by_its_beginning)
{
	char text[501];
	struct report report = {0};
	memset(text, 'x', 500);
	text[500] = 0;
	struct parser p = over(text, &report);
	parse_expected(&p, "'('", NULL);
	assert_int_equal(strlen(report.list[0].message), strlen("expected '(', found ''") + 100);
	report_done(&report);
}

TEST(a_number_written_in_another_way_has_a_hint)
{
	struct report report = {0};
	char hint[160];
	struct parser p = over("attr.price = 100-200", &report);
	assert_null(parse_number_hint(&p, hint));
	parse_next(&p);
	parse_next(&p);
	assert_string_equal(parse_number_hint(&p, hint), "write between 100 and 200");
}

UNIT_TESTS(cmocka_unit_test(a_token_is_taken_and_it_is_known_where_it_ended),
    cmocka_unit_test(what_was_found_is_told_with_what_is_usually_meant),
    cmocka_unit_test(the_first_mistake_that_stops_reading_is_the_last_that_is_told),
    cmocka_unit_test(the_end_of_a_condition_has_a_place),
    cmocka_unit_test(a_long_word_is_told_by_its_beginning),
    cmocka_unit_test(a_number_written_in_another_way_has_a_hint))
