#include "unit.h"

#include "crumb/rules/rules.h"

#include <stdio.h>

static struct rules *load(const char *text)
{
	struct buf bundle = {0};
	struct rules *r = NULL;
	msgpack_packer pk;
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("test.yaml"));
	mp_put_str(&pk, str_c(text));
	if (rules_load(buf_view(&bundle), &r) != OK)
		fail_msg("%s", err_text());
	buf_done(&bundle);
	return r;
}

TEST(path_globs)
{
	static const struct {
		const char *pattern, *path;
		bool want;
	} rows[] = {
	    {"/coats/*", "/coats/a", true},
	    {"/coats/*", "/coats/a/", true},
	    {"/coats/*", "/coats", false},
	    {"/coats/*", "/coats/a/b", false},
	    {"/coats/**", "/coats", true},
	    {"/coats/**", "/coats/a/b", true},
	    {"/coats/**", "/coatss/a", false},
	    {"/**/end", "/a/b/end", true},
	    {"/**/end", "/end", true},
	    {"/**/end", "/a/end/x", false},
	    {"/a/**/c/**/e", "/a/b/c/d/e", true},
	    {"/a/**/c/**/e", "/a/c/e", true},
	    {"/a/**/c/**/e", "/a/c/d", false},
	    {"/p*-*.html", "/page-1.html", true},
	    {"/p*-*.html", "/page1.html", false},
	    {"/", "/", true},
	    {"/", "/a", false},
	    {"/**", "/", true},
	    {"/**", "/a/b", true},
	    {"*", "/a", true},
	    {"/Case", "/case", false},
	    {"/a/*/c/", "/a/b/c", true},
	    {"/a//b", "/a//b", true},
	    {"/**/**/x", "/x", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rules_path_glob(str_c(rows[i].pattern), str_c(rows[i].path)) != rows[i].want)
			fail_msg("%s on %s", rows[i].pattern, rows[i].path);
}

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
	    {"\xc5\x81\xc3\xb3\xd0\x9c\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0", " lo\xd0\xbc\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0 "},
	    {"\xce\x91\xce\xb2", " \xce\xb1\xce\xb2 "},
	    {"a\xff\xfe"
	     "b",
		" a b "},
	    {"", " "},
	    {"\xe2\x80\x9cquoted\xe2\x80\x9d", " quoted "},
	    {"\xc3\x86on", " aeon "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[100];
		size_t n = rules_fold_words(str_c(rows[i].text), out, sizeof out - 1);
		out[n] = 0;
		assert_string_equal(out, rows[i].want);
	}
	for (size_t cap = 0; cap < 12; cap++) {
		char small[12];
		assert_true(rules_fold_words(STR("a long text with words"), small, cap) <= cap);
	}
}

TEST(a_parent_counts_an_event_of_its_children_once)
{
	struct rules *r = load("version: 1\ncategories:\n  - {id: a.b, any: [{path: /x}]}\n  - {id: a.c.d, any: [{path: /x}]}\n");
	struct event e = {.host = STR("h"), .path = STR("/x"), .name = STR("view")};
	uint16_t out[16];
	assert_int_equal(r->categories_n, 5); /* every event, a, a.b, a.c, a.c.d */
	assert_int_equal(rules_categorise(r, &e, out), 4);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(out[i], i + 1);
	e.path = STR("/y");
	assert_int_equal(rules_categorise(r, &e, out), 0);
	rules_unref(r);
}

TEST(numbers_depend_on_the_text_alone)
{
	struct rules *a = load("version: 1\ncategories: [{id: b, any: [{path: /b}]}, {id: a, any: [{path: /a}]}]\n");
	struct rules *b = load("version: 1\ncategories: [{id: b, any: [{path: /b}]}, {id: a, any: [{path: /a}]}]\n");
	assert_string_equal(a->hash_text, b->hash_text);
	assert_string_equal(a->categories[1].id, "a");
	assert_int_equal(rules_category(a, STR("b")), 2);
	assert_int_equal(rules_category(a, STR("c")), -1);
	rules_unref(a);
	rules_unref(b);
}

/* What the due index rests on: between a day and the next due day nothing changes. */
TEST(nothing_changes_before_the_due_day)
{
	struct rules *r = load("version: 1\ncategories: [{id: a, any: [{path: /a}]}, {id: b, any: [{path: /b}]}]\nsegments:\n"
			       "  - {id: s1, when: a >= 2 in 7d}\n  - {id: s2, when: not b in 30d}\n  - {id: s3, when: a then b within 3d}\n"
			       "  - {id: s4, when: days(a) = 2 in 14d or visits < 2 in 5d}\n  - {id: s5, when: segment(s1) and a < 9 in 60d}\n");
	uint32_t x = 1;
	for (int round = 0; round < 3000; round++) {
		struct profile p = {0};
		uint16_t out[8], again[8], today = 20000;
		for (int i = 0; i < 6; i++) {
			x = x * 1664525 + 1013904223;
			uint16_t day = (uint16_t)(today - x / 65536 % 90), cat = (uint16_t)(1 + x / 7 % 2);
			profile_add(&p, cat, day, 1 + x % 3);
			profile_add(&p, CATEGORY_ALL, day, 1);
		}
		uint16_t due = rules_next_due(r, &p, today, 90);
		unsigned n = rules_eval_all(r, &p, today, out);
		assert_true(due > today && due <= today + 90);
		for (uint16_t day = (uint16_t)(today + 1); day < due; day++) {
			assert_int_equal(rules_eval_all(r, &p, day, again), n);
			assert_memory_equal(out, again, n * sizeof *out);
		}
		profile_done(&p);
	}
	rules_unref(r);
}

TEST(leaves_match_on_what_is_not_kept)
{
	struct rules *r = load("version: 1\ncategories:\n  - {id: a, any: [{title: winter coat}]}\n  - {id: b, any: [{p.color: \"re*\"}]}\n  - {id: "
			       "c, any: [{url: \"*q=x*\"}]}\n");
	uint64_t out[EVENT_LEAVES_MAX];
	struct attr params[] = {{STR("color"), STR("RED")}};
	struct leaf_input in = {STR("The COAT for Winter"), STR("https://a.example/?q=x1"), params, 1};
	assert_int_equal(rules_leaves(r, &in, out), 3);
	in.title = STR("winter coats");
	in.url = STR("");
	params[0].value = STR("blue");
	assert_int_equal(rules_leaves(r, &in, out), 0);
	rules_unref(r);
}

RUN(cmocka_unit_test(path_globs), cmocka_unit_test(words_are_folded), cmocka_unit_test(a_parent_counts_an_event_of_its_children_once),
    cmocka_unit_test(numbers_depend_on_the_text_alone), cmocka_unit_test(nothing_changes_before_the_due_day),
    cmocka_unit_test(leaves_match_on_what_is_not_kept))
