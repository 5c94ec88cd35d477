/* condition/token: words and signs of a condition, and what people write in their place. */
#include "unit.h"

#include "src/condition/token.h"

/* The kinds and texts of all tokens, as "kind:text kind:text". */
static const char *tokens(const char *text)
{
	static const char *const kinds[] = {[TOK_WORD] = "word",
	    [TOK_NUMBER] = "number",
	    [TOK_DAYS] = "days",
	    [TOK_OP] = "op",
	    [TOK_OPEN] = "open",
	    [TOK_CLOSE] = "close",
	    [TOK_COMMA] = "comma",
	    [TOK_TEXT] = "text",
	    [TOK_BAD] = "bad"};
	static struct buf out;
	size_t at = 0;
	buf_clear(&out);
	for (struct token t; (t = token_next(str_c(text), &at)).kind != TOK_END;)
		buf_addf(&out, "%s%s:" STR_FMT, out.n ? " " : "", kinds[t.kind], STR_ARG(t.text));
	buf_add(&out, "", 1);
	assert_int_equal(at, strlen(text)); /* nothing is left over */
	return out.p;
}

TEST(a_condition_is_cut_into_words_and_signs)
{
	assert_string_equal(tokens("coats.winter >= 3 in 14d"),
	    "word:coats.winter op:>= number:3 word:in days:14d");
	assert_string_equal(tokens("not(a<2)and\n\tb"),
	    "word:not open:( word:a op:< number:2 close:) word:and word:b");
	assert_string_equal(tokens("country in (US, DE)"),
	    "word:country word:in open:( word:US comma:, word:DE close:)");
	assert_string_equal(tokens("attr.x != \"a b\" or y = 'c'"),
	    "word:attr.x op:!= text:\"a b\" word:or word:y op:= text:'c'");
	assert_string_equal(tokens("\xc2\xa0gr\xc3\xbcn\xc2\xa0= 1"),
	    "word:gr\xc3\xbcn op:= number:1"); /* blanks that do not break */
	assert_string_equal(tokens(""), "");
	assert_string_equal(tokens(" \r\n"), "");
}

TEST(what_begins_with_a_digit_may_be_a_word)
{
	assert_string_equal(
	    tokens("3xl 12.5 14days 14d 14"), "word:3xl word:12.5 word:14days days:14d number:14");
	assert_string_equal(
	    tokens("99999999999999999999"), "bad:99999999999999999999"); /* no number holds it */
}

TEST(each_sign_is_its_comparison)
{
	static const struct {
		const char *sign;
		enum node_op op;
	} rows[] = {{">", OP_GT}, {">=", OP_GE}, {"<", OP_LT}, {"<=", OP_LE}, {"=", OP_EQ},
	    {"==", OP_EQ}, {"!=", OP_NE}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t at = 0;
		struct token t = token_next(str_c(rows[i].sign), &at);
		assert_int_equal(t.kind, TOK_OP);
		assert_int_equal(t.op, rows[i].op);
		assert_int_equal(at, strlen(rows[i].sign));
	}
}

TEST(foreign_signs_are_told_with_what_is_meant)
{
	static const struct {
		const char *sign, *slip;
	} rows[] = {{"\xe2\x89\xa5", "write >="}, {"=<", "write <="}, {"<>", "write !="},
	    {"===", "write ="}, {"&&", "write 'and'"}, {"&", "write 'and'"}, {"||", "write 'or'"},
	    {"!", "write 'not'"}, {"\xe2\x80\x9c", "use plain quotes"},
	    {"\xe2\x80\x93", "write a plain '-'"}, {"\"open", "close the quote"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t at = 0;
		struct token t = token_next(str_c(rows[i].sign), &at);
		assert_int_equal(t.kind, TOK_BAD);
		assert_string_equal(t.slip, rows[i].slip);
	}
	assert_string_equal(tokens("a\xe2\x89\xa5"
				   "3"),
	    "word:a bad:\xe2\x89\xa5 number:3"); /* also without a blank before it */
}

TEST(any_bytes_come_to_an_end)
{
	char text[4];
	for (unsigned a = 0; a < 256; a += 3)
		for (unsigned b = 0; b < 256; b += 5)
			for (size_t n = 1; n < 4; n++) {
				size_t at = 0, before;
				text[0] = (char)a, text[1] = (char)b, text[2] = (char)(a ^ b),
				text[3] = 0;
				do {
					before = at;
					if (token_next(str_make(text, n), &at).kind == TOK_END)
						break;
					assert_true(at > before && at <= n);
				} while (at < n);
			}
}

UNIT_TESTS(cmocka_unit_test(a_condition_is_cut_into_words_and_signs),
    cmocka_unit_test(what_begins_with_a_digit_may_be_a_word),
    cmocka_unit_test(each_sign_is_its_comparison),
    cmocka_unit_test(foreign_signs_are_told_with_what_is_meant),
    cmocka_unit_test(any_bytes_come_to_an_end))
