/* Text as its reader takes it: folding, words. */
#include "unit.h"

#include "crumb/base/code.h"
#include "crumb/base/text.h"

#include <stdio.h>

TEST(words_are_folded)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"Winter  Coats!", " winter coats "},
	    {"Caf\xc3\xa9 M\xc3\x9cLLER Stra\xc3\x9f"
	     "e",
		" cafe muller strasse "},
	    {"Cafe\xcc\x81", " cafe "},
	    {"\xc5\x81\xc3\xb3\xd0\x9c\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0",
		" lo\xd0\xbc\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0 "},
	    {"\xce\x91\xce\xb2", " \xce\xb1\xce\xb2 "},
	    {"a\xff\xfe"
	     "b",
		" a b "},
	    {"", " "},
	    {"\xe2\x80\x9cquoted\xe2\x80\x9d", " quoted "},
	    {"\xc3\x86on", " aeon "},
	    /* every script that has case; letters of parts are as those in one piece */
	    {"\u0218OSETE \u015eOSETE \u0219osete", " sosete sosete sosete "},
	    {"ti\u1ebfng TI\u1ebeNG tie\u0302\u0301ng", " tieng tieng tieng "},
	    {"\u03a0\u0391\u039b\u03a4\u0391 \u03c0\u03b1\u03bb\u03c4\u03ac",
		" \u03c0\u03b1\u03bb\u03c4\u03b1 \u03c0\u03b1\u03bb\u03c4\u03b1 "},
	    {"\u039f\u0394\u039f\u03a3 \u03bf\u03b4\u03cc\u03c2",
		" \u03bf\u03b4\u03bf\u03c3 \u03bf\u03b4\u03bf\u03c3 "}, /* final sigma */
	    {"\u0130STANBUL istanbul \u0131\u015e\u0131K", " istanbul istanbul isik "},
	    {"\u0531\u0532 \u0561\u0562", " \u0561\u0562 \u0561\u0562 "}, /* Armenian */
	    {"\u1c90 \u10d0", " \u10d0 \u10d0 "},			  /* Georgian */
	    {"\U00010400 \U00010428", " \U00010428 \U00010428 "},	  /* Deseret */
	    {"\u13a0 \uab70", " \u13a0 \u13a0 "},			  /* Cherokee */
	    {"\u2c80 \u2c81", " \u2c81 \u2c81 "},			  /* Coptic */
	    {"\u0419\u041e\u0413 \u0438\u0306\u043e\u0433",
		" \u0439\u043e\u0433 \u0439\u043e\u0433 "}, /* a letter of its own */
	    {"\u0401\u041b\u041a\u0410 \u0437\u0430\u0301\u043c\u043e\u043a",
		" \u0435\u043b\u043a\u0430 \u0437\u0430\u043c\u043e\u043a "},
	    {"\ufb01n \uff33\uff21\uff2c\uff25 \u1e9e\u017f", " fin sale sss "},
	    {"Win\u00adter co\u200bat\u200d \ufeffhat\u2060s \u2764\ufe0f", " winter coat hats "},
	    {"\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd \u05e9\u05dc\u05d5\u05dd",
		" \u05e9\u05dc\u05d5\u05dd \u05e9\u05dc\u05d5\u05dd "},
	    {"\u304b\u3099 \u304c \u1112\u1161\u11ab \ud55c", " \u304c \u304c \ud55c \ud55c "},
	    {"coat\u2122 \u00abzara\u00bb \u20ac20 \U0001f525", " coat zara 20 \U0001f525 "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[200];
		size_t n = text_words(str_c(rows[i].text), out, sizeof out - 1);
		out[n] = 0;
		assert_string_equal(out, rows[i].want);
	}
	for (size_t cap = 0; cap < 12; cap++) {
		char small[12];
		assert_true(text_words(STR("a long text with words"), small, cap) <= cap);
	}
}

TEST(text_that_differs_in_case_only_is_the_same)
{
	static const char *const same[][2] = {{"gr\u00fcn", "GR\u00dcN"},
	    {"gru\u0308n", "GR\u00dcN"}, {"stra\u00dfe", "STRASSE"}, {"\u0130zmir", "izmir"},
	    {"k\u0131rm\u0131z\u0131", "KIRMIZI"},
	    {"\u03bf\u03b4\u03cc\u03c2", "\u039f\u0394\u038c\u03a3"}, {"bla\u00adu", "BLAU"},
	    {"ros\u00e9", "ROSE\u0301"},
	    {"\u043a\u0440\u0430\u0441\u043d\u044b\u0439",
		"\u041a\u0420\u0410\u0421\u041d\u042b\u0419"},
	    {"\u01c6", "\u01c4"}, {"plain", "PLAIN"}},
				 *const other[][2] = {{"gr\u00fcn", "grun"},
				     {"gr\u00fcn", "gr\u00fcne"}, {"plain", "plane"},
				     {"\xff", "\xff\xff"}};
	char once[300], twice[4000], longer[3000];
	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (!text_eq(str_c(same[i][0]), str_c(same[i][1])))
			fail_msg("%s is not %s", same[i][0], same[i][1]);
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		assert_false(text_eq(str_c(other[i][0]), str_c(other[i][1])));
	/* folded text stays as it is, cut anywhere it is whole characters, and parts of long texts
	 * are as the whole */
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		size_t n = text_fold(str_c(same[i][0]), once, sizeof once),
		       m = text_fold(str_make(once, n), twice, sizeof twice);
		assert_true(str_eq(str_make(once, n), str_make(twice, m)));
		for (size_t cap = 0; cap <= n; cap++) {
			size_t less = text_fold(str_c(same[i][0]), twice, cap);
			assert_true(less <= cap && utf8_valid(str_make(twice, less)) == less);
		}
	}
	for (size_t pad = 250; pad < 260; pad++) {
		memset(longer, 'x', sizeof longer);
		memcpy(longer + pad, "U\u0308", 3);
		size_t n = text_fold(str_make(longer, sizeof longer / 2), twice, sizeof twice);
		assert_true(str_has(str_make(twice, n), STR("\u00fc")));
	}
	for (size_t i = 0; i < 1000; i += 4)
		memcpy(longer + i, "\U0001d160", 4); /* three points of four bytes each */
	assert_int_equal(text_fold_regex(str_make(longer, 1000), twice, sizeof twice), 3000);
	memset(longer, 0xcc, sizeof longer);
	assert_true(text_fold(str_make(longer, sizeof longer), once, sizeof once) <= sizeof once);
	for (size_t i = 0; i + 2 < sizeof longer; i += 3)
		memcpy(longer + i, "\ufdfa", 3); /* one that becomes eighteen */
	assert_true(
	    text_words(str_make(longer, sizeof longer / 3 * 3), once, sizeof once) <= sizeof once);
}

UNIT_TESTS(cmocka_unit_test(words_are_folded),
    cmocka_unit_test(text_that_differs_in_case_only_is_the_same))
