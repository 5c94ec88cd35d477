/* The trie of paths against each glob by itself. */
#include "loaded.h"

#include "crumb/match/match.h"

#include <stdio.h>

static uint32_t random_state = 7;
static uint32_t rnd(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

/* A path of up to five segments of few letters, so that globs and paths meet. */
static void random_path(char *out, bool glob)
{
	static const char *const parts[] = {"a", "b", "ab", "ba", "*", "**", "a*", "*b"};
	unsigned n = rnd(5);
	*out = 0;
	for (unsigned i = 0; i < n; i++) {
		strcat(out, "/");
		strcat(out, parts[rnd(glob ? 8 : 4)]);
	}
	if (n == 0 || rnd(5) == 0)
		strcat(out, "/");
}

TEST(the_trie_finds_what_each_glob_finds)
{
	for (int round = 0; round < 40; round++) {
		char text[8192] = "version: 1\ncategories:\n", path[64];
		for (int i = 0; i < 60; i++) {
			char row[160], glob[64];
			random_path(glob, true);
			snprintf(
			    row, sizeof row, "  - {id: c%d, any: [{path: \"%s\"}]}\n", i, glob);
			strcat(text, row);
		}
		struct rules *r = load(text);
		struct match *m;
		uint16_t out[64];
		assert_int_equal(rules_match_begin(r, &m), OK);
		for (int k = 0; k < 300; k++) {
			random_path(path, false);
			struct event e = {.path = str_c(path), .name = STR("view")};
			unsigned n = rules_categorise(m, &e, out);
			for (size_t c = 1; c < r->categories_n; c++) {
				bool found = false;
				for (unsigned i = 0; i < n; i++)
					found |= out[i] == c;
				const struct pattern *p =
				    &r->patterns[r->categories[c].any.list[0].tests[0].any[0]];
				if (found != rules_path_glob(p->text, e.path))
					fail_msg("%s on %s: trie says %d", p->text.p, path, found);
			}
		}
		rules_match_end(m);
		rules_unref(r);
	}
}

UNIT_TESTS(cmocka_unit_test(the_trie_finds_what_each_glob_finds))
