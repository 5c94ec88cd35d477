/* collect/words: every sentence is there in every language, with the same places in it. */
#include "unit.h"

#include "crumb/collect/words.h"

#include <stdio.h>

/* "@1@2<time></time>" of a sentence. */
static const char *places(const char *text)
{
	static char out[4][200];
	static unsigned at;
	char *p = out[at++ % 4];
	size_t n = 0;
	for (const char *c = text; *c; c++) {
		if (*c == '@')
			n += (size_t)snprintf(p + n, 200 - n, "@%c", c[1]);
		else if (*c == '<')
			n += (size_t)snprintf(p + n, 200 - n, "%.*s", (int)strcspn(c, ">") + 1, c);
	}
	p[n] = 0;
	return p;
}

TEST(every_sentence_is_there_with_the_same_places_in_each_language)
{
	for (unsigned l = 0; l < WORDS_LANGUAGES; l++)
		for (unsigned w = 0; w < W_MAX; w++) {
			if (!words[l][w] || !*words[l][w])
				fail_msg("sentence %u is missing in %s", w, words_tags[l]);
			assert_string_equal(places(words[l][w]), places(words[0][w]));
		}
}

TEST(devices_have_names_and_unknown_ones_their_own)
{
	assert_string_equal(words_device(0, "mobile"), "mobile");
	assert_string_equal(words_device(1, "mobile"), "Telefon");
	assert_string_equal(words_device(1, "toaster"), "toaster");
}

UNIT_TESTS(cmocka_unit_test(every_sentence_is_there_with_the_same_places_in_each_language),
    cmocka_unit_test(devices_have_names_and_unknown_ones_their_own))
