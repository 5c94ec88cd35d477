/* condition/sentence: conditions as sentences, and their clauses. */
#include "loaded.h"

#include "crumb/condition/forms.h"
#include "crumb/condition/parse.h"
#include "crumb/condition/sentence.h"

#define SHOP                                                                                       \
	"version: 1\nattributes:\n"                                                                \
	"  - {id: size, name: Size of clothes, values: [s, m, l]}\n"                               \
	"  - {id: price, range: 0..}\n"                                                            \
	"categories:\n"                                                                            \
	"  - {id: outerwear, name: Coats and jackets, any: [{path: /coats}]}\n"                    \
	"  - {id: purchase, name: Bought, any: [{event: purchase}]}\n"                             \
	"  - {id: cart, any: [{event: cart}]}\n  - {id: news, any: [{path: /news}]}\n"             \
	"  - {id: coats, any: [{path: /c}]}\n  - {id: shoes, any: [{path: /s}]}\n"                 \
	"segments:\n  - {id: customers, name: Bought lately, when: purchase}\n"

static struct yaml_place nowhere(const void *arg, size_t offset, size_t length)
{
	return (struct yaml_place){"condition", 1, offset + 1, length};
}

/* What is made of one condition, be it one that no segment may have; lives until the next call. */
static struct str of(struct rules *r, const char *condition, int *root)
{
	static struct buf text;
	struct report report = {0};
	buf_clear(&text);
	struct condition_place place = {nowhere, NULL};
	if (!condition_parse(r, str_c(condition), &place, &report, root))
		fail_msg("%s: %s", condition, report.list[0].message);
	condition_words(r, *root, &text);
	report_done(&report);
	return buf_view(&text);
}

static void reads(struct rules *r, const char *condition, const char *words)
{
	int root;
	char all[2000], is[2000];
	struct str s = of(r, condition, &root);
	snprintf(all, sizeof all, "%s: Visitors who %s.", condition, words);
	snprintf(is, sizeof is, "%s: " STR_FMT, condition, STR_ARG(s));
	assert_string_equal(is, all);
}

/* What the row shows between its first back quotes. */
static const char *example(const struct condition_form *f)
{
	static char text[200];
	struct str rest = str_c(f->example), word;
	assert_true(str_cut(&rest, '`', &word) && str_cut(&rest, '`', &word));
	snprintf(text, sizeof text, STR_FMT, STR_ARG(word));
	return text;
}

/* A new form wants its words here. */
TEST(every_form_has_words)
{
	static const char *const words[] = {
	    "had an event of “Coats and jackets” in the days that are kept",
	    "had at least 3 events of “Coats and jackets” in the days that are kept",
	    "had from 2 to 5 events of “Coats and jackets” in the last 14 days",
	    "had an event of “Bought” in the last 30 days",
	    "are in the segment “Bought lately”",
	    "had an event of “news” on at least 5 of the last 7 days",
	    "had an event of “cart” in the last 2 days",
	    "had their first event of “Bought” in the last 7 days",
	    "had events of “Bought” in the last 30 days worth at least 99.5 in all",
	    "had an event of “Bought” on the same day as one of “cart” or up to 2 days after it",
	    "visited on at least 4 of the last 14 days",
	    "have “US” or “CA” as the latest country",
	    "have from 50 to 100 as the latest value of “price”",
	    "had no event of “Bought” in the last 30 days, and (had an event of “coats” in the "
	    "days "
	    "that are kept, or had an event of “shoes” in the days that are kept)",
	};
	struct rules *r = load(SHOP);
	assert_int_equal(condition_forms_n, sizeof words / sizeof *words);
	for (size_t i = 0; i < condition_forms_n; i++)
		reads(r, example(&condition_forms[i]), words[i]);
	rules_unref(r);
}

/* Every comparison, as it is and the other way round. */
TEST(every_comparison_has_words_and_so_has_its_opposite)
{
	static const struct {
		const char *is, *yes, *no;
	} rows[] = {
	    {"cart >= 3", "at least 3 events", "fewer than 3 events"},
	    {"cart > 3", "more than 3 events", "at most 3 events"},
	    {"cart <= 3", "at most 3 events", "more than 3 events"},
	    {"cart < 3", "fewer than 3 events", "at least 3 events"},
	    {"cart = 3", "exactly 3 events", "fewer or more than 3 events"},
	    {"cart != 3", "fewer or more than 3 events", "exactly 3 events"},
	    {"cart between 2 and 4", "from 2 to 4 events", "fewer than 2 or more than 4 events"},
	    {"cart", "an event", "no event"},
	    {"cart > 0", "an event", "no event"},
	    {"cart != 0", "an event", "no event"},
	    {"cart = 0", "no event", "an event"},
	    {"cart < 1", "no event", "an event"},
	    {"cart <= 0", "no event", "an event"},
	    {"cart <= 1", "at most 1 event", "more than 1 event"},
	};
	struct rules *r = load(SHOP);
	char condition[100], words[200];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(condition, sizeof condition, "%s in 7d", rows[i].is);
		snprintf(words, sizeof words, "had %s of “cart” in the last 7 days", rows[i].yes);
		reads(r, condition, words);
		snprintf(condition, sizeof condition, "not %s in 7d", rows[i].is);
		snprintf(words, sizeof words, "had %s of “cart” in the last 7 days", rows[i].no);
		reads(r, condition, words);
	}
	rules_unref(r);
}

TEST(what_is_not_so_is_said_of_every_form)
{
	struct rules *r = load(SHOP);
	reads(r, "not segment(customers)", "are not in the segment “Bought lately”");
	reads(r, "not visits", "did not visit in the days that are kept");
	reads(r, "not visits >= 4 in 14d", "visited on fewer than 4 of the last 14 days");
	reads(r, "visits in 1d", "visited today");
	reads(r, "not days(news) >= 2 in 1d",
	    "had an event of “news” on fewer than 2 of the last 1 day");
	reads(r, "days(news) = 0 in 3d", "had no event of “news” in the last 3 days");
	reads(r, "not first(cart) within 7d",
	    "did not have their first event of “cart” in the last 7 days");
	reads(r, "not cart then purchase within 1d",
	    "had no event of “Bought” on the same day as one of “cart”");
	reads(r, "cart then purchase within 2d",
	    "had an event of “Bought” on the same day as one of “cart” or up to 1 day after it");
	reads(r, "not sum(v of purchase) >= 0.5",
	    "had events of “Bought” in the days that are kept worth less than 0.5 in all "
	    "(or "
	    "none)");
	reads(r, "sum(v of purchase) between 1 and 2.25 in 3d",
	    "had events of “Bought” in the last 3 days worth from 1 to 2.25 in all");
	reads(r, "not sum(v of purchase) between 1 and 2 in 3d",
	    "had events of “Bought” in the last 3 days worth less than 1 or more than 2 "
	    "in all "
	    "(or none)");
	reads(r, "device != mobile", "do not have “mobile” as the latest device");
	reads(r, "country not in (US, CA, MX)",
	    "do not have “US”, “CA” or “MX” as the latest country");
	reads(r, "attr.size in (m, l)", "have “m” or “l” as the latest value of “Size of clothes”");
	reads(r, "attr.size != m", "do not have “m” as the latest value of “Size of clothes”");
	reads(r, "attr.price > 50", "have more than 50 as the latest value of “price”");
	reads(r, "attr.price <= 9.99", "have at most 9.99 as the latest value of “price”");
	reads(r, "not attr.price >= 50", "do not have at least 50 as the latest value of “price”");
	reads(r, "attr.price < 50", "have less than 50 as the latest value of “price”");
	reads(
	    r, "attr.color = 'red, or blue'", "have “red, or blue” as the latest value of “color”");
	rules_unref(r);
}

/* With "in 1d" each test is short: "had an event of “cart” today". */
TEST(what_belongs_together_stands_in_parentheses)
{
#define A "had an event of “cart” today"
#define B "had an event of “news” today"
#define C "had an event of “coats” today"
#define NOT_A "had no event of “cart” today"
#define NOT_B "had no event of “news” today"
#define NOT_C "had no event of “coats” today"
	struct rules *r = load(SHOP);
	reads(r, "cart in 1d and news in 1d and coats in 1d", A ", and " B ", and " C);
	reads(r, "cart in 1d and (news in 1d and coats in 1d)", A ", and " B ", and " C);
	reads(r, "cart in 1d or news in 1d or coats in 1d", A ", or " B ", or " C);
	reads(r, "cart in 1d and news in 1d or coats in 1d", "(" A ", and " B "), or " C);
	reads(r, "cart in 1d or news in 1d and coats in 1d", A ", or (" B ", and " C ")");
	reads(r, "(cart in 1d or news in 1d) and coats in 1d", "(" A ", or " B "), and " C);
	reads(r, "cart in 1d and (news in 1d or coats in 1d)", A ", and (" B ", or " C ")");
	reads(r, "not (cart in 1d or news in 1d)", NOT_A ", and " NOT_B);
	reads(r, "not (cart in 1d and news in 1d)", NOT_A ", or " NOT_B);
	reads(r, "not (cart in 1d and not (news in 1d and coats in 1d))",
	    NOT_A ", or (" B ", and " C ")");
	reads(r, "not (cart in 1d or news in 1d and coats in 1d)",
	    NOT_A ", and (" NOT_B ", or " NOT_C ")");
	reads(r, "not not cart in 1d", A);
	reads(
	    r, "not (not (cart in 1d or news in 1d)) and coats in 1d", "(" A ", or " B "), and " C);
	rules_unref(r);
}

static uint32_t random_state = 11;
static uint32_t rnd(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

/* A random condition of three tests, and for which of their eight cases it holds. */
static unsigned random_condition(struct buf *text, int depth)
{
	static const char *const tests[] = {"cart in 1d", "news in 1d", "coats in 1d"};
	static const unsigned cases[] = {0xaa, 0xcc, 0xf0};
	unsigned kind = depth ? rnd(4) : 3, holds;
	if (kind == 3) {
		unsigned test = rnd(3);
		buf_c(text, tests[test]);
		return cases[test];
	}
	buf_c(text, kind == 2 ? "not (" : "(");
	holds = random_condition(text, depth - 1);
	if (kind < 2) {
		buf_c(text, kind ? " and " : " or ");
		unsigned other = random_condition(text, depth - 1);
		holds = kind ? holds & other : holds | other;
	}
	buf_c(text, ")");
	return kind == 2 ? ~holds & 0xff : holds;
}

TEST(no_two_conditions_that_differ_read_alike)
{
	struct rules *r = load(SHOP);
	struct map seen = {0};
	struct arena kept = {0};
	unsigned alike = 0;
	for (int i = 0; i < 3000; i++) {
		struct buf text = {0};
		int root;
		uint32_t before, holds = random_condition(&text, 4);
		buf_add(&text, "", 1);
		struct str words = of(r, text.p, &root);
		if (map_get(&seen, words, &before)) {
			alike++;
			if (before != holds)
				fail_msg("%s: " STR_FMT, text.p, STR_ARG(words));
		} else {
			map_put(&seen, arena_keep(&kept, words), holds);
		}
		buf_done(&text);
	}
	assert_true(alike > 300);
	arena_done(&kept);
	map_done(&seen);
	rules_unref(r);
}

TEST(odd_names_end_where_they_seem_to_end)
{
	struct rules *r =
	    load("version: 1\ncategories:\n"
		 "  - {id: a, name: \"“Sale” (and “more”)\", any: [{path: /a}]}\n"
		 "  - {id: b, name: \"two\\nlines\\tand\\x7F\\x85\", any: [{path: /b}]}\n"
		 "  - {id: c, name: \"back\\u202Ewards\\u200B\", any: [{path: /c}]}\n"
		 "  - {id: x.shoes, name: Shoes, any: [{path: /d}]}\n"
		 "  - {id: y.shoes, name: Shoes, any: [{path: /e}]}\n"
		 "  - {id: f, name: \"Mäntel, 大衣, %s\", any: [{path: /f}]}\n");
	reads(r, "a in 1d", "had an event of “‘Sale’ (and ‘more’)” today");
	reads(r, "b in 1d", "had an event of “two lines and  ” today");
	reads(r, "c in 1d", "had an event of “backwards” today");
	reads(r, "x.shoes in 1d", "had an event of “Shoes” (x.shoes) today");
	reads(r, "y.shoes in 1d", "had an event of “Shoes” (y.shoes) today");
	reads(r, "f in 1d", "had an event of “Mäntel, 大衣, %s” today");
	rules_unref(r);
}

TEST(a_lookalike_names_its_seed)
{
	struct rules *r = load(SHOP "  - {id: other, name: Bought lately, when: cart}\n"
				    "lookalikes: [{id: like, seed: customers, reach: 5%}]\n");
	struct clause_parts parts;
	struct buf b = {0};
	const struct segment *s = &r->segments[rules_segment(r, STR("like"))];
	condition_words(r, s->root, &b);
	buf_add(&b, "", 1);
	assert_string_equal(b.p,
	    "Visitors who visited in the days that are kept, and are not in the segment “Bought "
	    "lately” (customers), and behave like the segment “Bought lately” (customers) as the "
	    "model has learned it.");
	clause_parts_of(r, s->root, &parts);
	assert_int_equal(parts.n, 3);
	assert_true(str_eq(parts.list[2].text, STR("model")));
	clause_parts_done(&parts);
	buf_done(&b);
	rules_unref(r);
}

TEST(clauses_are_the_parts_of_the_uppermost_and)
{
	struct rules *r = load(SHOP);
	struct clause_parts p;
	int root;
	of(r, "cart in 1d and (news or coats) and not (shoes and purchase)", &root);
	clause_parts_of(r, root, &p);
	assert_int_equal(p.n, 3);
	assert_true(str_eq(p.list[0].text, STR("cart in 1d")));
	assert_true(str_eq(p.list[0].words, STR(A)));
	assert_true(str_eq(p.list[1].text, STR("news or coats")));
	assert_true(str_eq(p.list[1].words, STR("had an event of “news” in the days that are kept, "
						"or had an event of “coats” in the "
						"days that are kept")));
	assert_true(str_eq(p.list[2].text, STR("not (shoes and purchase)")));
	assert_int_equal(r->nodes[p.list[0].upto].kind, NODE_COUNT);
	assert_true(str_eq(r->nodes[p.list[1].upto].text, STR("cart in 1d and (news or coats)")));
	assert_int_equal(p.list[2].upto, root);
	clause_parts_done(&p);
	of(r, "cart or news", &root);
	clause_parts_of(r, root, &p);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.list[0].upto, root);
	clause_parts_done(&p);
	rules_unref(r);
}

/* Twelve are told one by one; of more, the twelfth is all that are left, and means the same. */
TEST(clauses_that_are_too_many_are_joined)
{
	struct rules *r = load(SHOP);
	struct buf b = {0};
	struct clause_parts p;
	int root;
	for (int i = 1; i <= 12; i++)
		buf_addf(&b, "%s(cart = %d or news)", i > 1 ? " and " : "", i);
	buf_add(&b, "", 1);
	of(r, b.p, &root);
	clause_parts_of(r, root, &p);
	assert_int_equal(p.n, 12);
	assert_true(str_eq(p.list[11].text, STR("cart = 12 or news")));
	assert_int_equal(p.list[11].upto, root);
	clause_parts_done(&p);
	b.n--;
	buf_c(&b, " and not shoes in 1d");
	buf_add(&b, "", 1);
	of(r, b.p, &root);
	clause_parts_of(r, root, &p);
	assert_int_equal(p.n, 12);
	assert_true(str_eq(p.list[10].text, STR("cart = 11 or news")));
	assert_true(str_eq(p.list[11].text, STR("(cart = 12 or news) and not shoes in 1d")));
	assert_true(str_eq(p.list[11].words,
	    STR("(had exactly 12 events of “cart” in the days that are kept, or had an event of "
		"“news” "
		"in the days that are kept), and had no event of “shoes” today")));
	assert_int_equal(p.list[11].upto, root);
	clause_parts_done(&p);
	buf_done(&b);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(every_form_has_words),
    cmocka_unit_test(every_comparison_has_words_and_so_has_its_opposite),
    cmocka_unit_test(what_is_not_so_is_said_of_every_form),
    cmocka_unit_test(what_belongs_together_stands_in_parentheses),
    cmocka_unit_test(no_two_conditions_that_differ_read_alike),
    cmocka_unit_test(odd_names_end_where_they_seem_to_end),
    cmocka_unit_test(a_lookalike_names_its_seed),
    cmocka_unit_test(clauses_are_the_parts_of_the_uppermost_and),
    cmocka_unit_test(clauses_that_are_too_many_are_joined))
