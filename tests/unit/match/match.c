/* The matcher: every field, every kind of pattern, and parents. */
#include "loaded.h"

#include "crumb/match/match.h"

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

TEST(values_globs_and_expressions_are_compared_folded)
{
	struct rules *r = load(
	    "version: 1\nattributes:\n  - {id: size, values: [gro\u00df, klein]}\ncategories:\n"
	    "  - {id: exact, any: [{attr.color: gr\u00fcn}]}\n  - {id: glob, any: [{campaign: "
	    "fr\u00fchling*}]}\n"
	    "  - {id: inside, any: [{campaign: \"*\u017dENA*\"}]}\n  - {id: regex, any: "
	    "[{attr.color: '/^m\u00e4n(tel|n)[\u00c4\u00d6]?$/'}]}\n"
	    "  - {id: small, any: [{campaign: '/\\Sgru\u0308n/'}]}\n  - {id: door, any: [{title: "
	    "'/m\u00e4ntel/'}]}\n"
	    "  - {id: words, any: [{title: \u03c0\u03b1\u03bb\u03c4\u03ac}]}\n"
	    "segments:\n  - {id: s, when: attr.size = gross}\n");
	static const struct {
		const char *color, *campaign, *title;
		unsigned found;
	} rows[] = {{"GR\u00dcN", "", "", 1}, {"gru\u0308n", "", "", 1}, {"grun", "", "", 0},
	    {"", "FR\u00dcHLING-26", "", 1}, {"", "x \u017eena y", "", 1},
	    {"M\u00c4NTEL", "", "", 1}, {"m\u00e4nn\u00f6", "", "", 1}, {"m\u00e4ntelx", "", "", 0},
	    {"", "XGR\u00dcN", "", 1}, {"", " GR\u00dcN", "", 0}, {"", "", "DIE M\u00c4NTEL", 1},
	    {"", "", "die ma\u0308ntel", 1}, {"", "", "\u03a0\u0391\u039b\u03a4\u0391 x", 1},
	    {"\xc3", "\xff", "\xf0\x9f", 0}};
	struct match *m;
	uint16_t out[16];
	struct str big = STR("GROSS");
	(void)state;
	assert_int_equal(rules_match_begin(r, &m), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct leaf_input in = {.title = str_c(rows[i].title)};
		struct event e = {.host = STR("shop.example"),
		    .path = STR("/"),
		    .name = STR("view"),
		    .campaign = str_c(rows[i].campaign)};
		if (*rows[i].color)
			e.attrs[e.attrs_n++] = (struct attr){STR("color"), str_c(rows[i].color)};
		e.leaves_n = rules_leaves(m, &in, e.leaves);
		if (rules_categorise(m, &e, out) != rows[i].found)
			fail_msg("row %zu", i);
	}
	assert_true(rules_attr(r, STR("size"), &big));
	assert_true(str_eq(big, STR("gro\u00df")));
	rules_match_end(m);
	rules_unref(r);
}

TEST(a_parent_counts_an_event_of_its_children_once)
{
	struct rules *r = load("version: 1\ncategories:\n  - {id: a.b, any: [{path: /x}]}\n  - "
			       "{id: a.c.d, any: [{path: /x}]}\n");
	struct event e = {.host = STR("h"), .path = STR("/x"), .name = STR("view")};
	uint16_t out[16];
	struct match *m;
	assert_int_equal(rules_match_begin(r, &m), OK);
	assert_int_equal(r->categories_n, 5); /* every event, a, a.b, a.c, a.c.d */
	assert_int_equal(rules_categorise(m, &e, out), 4);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(out[i], i + 1);
	e.path = STR("/y");
	assert_int_equal(rules_categorise(m, &e, out), 0);
	rules_match_end(m);
	rules_unref(r);
}

TEST(leaves_match_on_what_is_not_kept)
{
	struct rules *r = load("version: 1\ncategories:\n  - {id: a, any: [{title: winter "
			       "coat}]}\n  - {id: b, any: [{p.color: \"re*\"}]}\n  - {id: "
			       "c, any: [{url: \"*q=x*\"}]}\n");
	uint64_t out[EVENT_LEAVES_MAX];
	struct attr params[] = {{STR("color"), STR("RED")}};
	struct match *m;
	assert_int_equal(rules_match_begin(r, &m), OK);
	struct leaf_input in = {
	    STR("The COAT for Winter"), STR("https://a.example/?q=x1"), params, 1};
	assert_int_equal(rules_leaves(m, &in, out), 3);
	in.title = STR("winter coats");
	in.url = STR("");
	params[0].value = STR("blue");
	assert_int_equal(rules_leaves(m, &in, out), 0);
	rules_match_end(m);
	rules_unref(r);
}

/* Which categories an event has, as "a b c". */
static const char *categories_of(struct rules *r, struct event *e, const struct leaf_input *in)
{
	static char text[400];
	struct match *m;
	uint16_t out[64];
	struct leaf_input none = {{NULL, 0}, {NULL, 0}, NULL, 0};
	assert_int_equal(rules_match_begin(r, &m), OK);
	e->leaves_n = rules_leaves(m, in ? in : &none, e->leaves);
	rules_close(r, e);
	unsigned n = rules_categorise(m, e, out);
	text[0] = 0;
	for (unsigned i = 0; i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, r->categories[out[i]].id);
	}
	rules_match_end(m);
	return text;
}

TEST(every_field_matches_in_every_way)
{
	struct rules *r = load(
	    "version: 1\n"
	    "attributes:\n  - {id: band, values: [18-24, 25-34]}\n  - {id: age, range: 0..120}\n"
	    "categories:\n"
	    "  - {id: c01, any: [{host: \"*.blog.example\"}]}\n"
	    "  - {id: c02, any: [{site: shop.example}]}\n"
	    "  - {id: c03, any: [{event: \"/^(add|put)_/\"}]}\n"
	    "  - {id: c04, any: [{campaign: \"spring*\"}]}\n"
	    "  - {id: c05, any: [{referrer: [search, social]}]}\n"
	    "  - {id: c06, any: [{country: de, device: mobile}]}\n"
	    "  - {id: c07, any: [{region: GB-ENG}]}\n"
	    "  - {id: c08, any: [{attr.price: 10..20}]}\n"
	    "  - {id: c09, any: [{attr.price: \"> 20\"}]}\n"
	    "  - {id: c10, any: [{path: \"/^\\\\/p\\\\/[0-9]+$/\"}]}\n"
	    "  - {id: c11, any: [{title: \"/coat(s)?\\\\b/\"}]}\n"
	    "  - {id: c12, any: [{url: \"*utm_x=1*\"}]}\n"
	    "  - {id: c13, any: [{p.color: \"r*d\"}]}\n"
	    "  - {id: c14, all: [{site: shop.example}, {event: view}], none: [{path: "
	    "/secret/**}]}\n"
	    "  - {id: c15, any: [{attr.band: 18-24}]}\n"
	    "  - {id: c16, any: [{os: ios, browser: safari}]}\n"
	    "  - {id: c17, any: [{host: \"*\"}]}\n"
	    "  - {id: c18, any: [{title: [winter coat, summer hat]}]}\n"
	    "  - {id: c19, any: [{attr.note: \"/^[a-z]{3}$/\"}]}\n"
	    "  - {id: c20, any: [{p.size: 1..5}]}\n");
	struct event e = {.host = STR("my.blog.example"), .path = STR("/"), .name = STR("x")};
	assert_string_equal(categories_of(r, &e, NULL), "c01 c17");
	e = (struct event){
	    .host = STR("www.shop.example"), .path = STR("/p/123"), .name = STR("view")};
	assert_string_equal(categories_of(r, &e, NULL), "c02 c10 c14 c17");
	e = (struct event){.host = STR("xshop.example"),
	    .path = STR("/p/12a"),
	    .name = STR("ADD_to"),
	    .campaign = STR("Spring sale"),
	    .referrer = REFERRER_SOCIAL};
	assert_string_equal(categories_of(r, &e, NULL), "c03 c04 c05 c17");
	e = (struct event){.host = STR("shop.example"),
	    .path = STR("/secret/x"),
	    .name = STR("view"),
	    .agent = {DEVICE_MOBILE, OS_IOS, BROWSER_SAFARI}};
	memcpy(e.place.country, "DE", 2);
	assert_string_equal(categories_of(r, &e, NULL), "c02 c06 c16 c17");
	memcpy(e.place.country, "GB", 2);
	memcpy(e.place.region, "ENG", 3);
	assert_string_equal(categories_of(r, &e, NULL), "c02 c07 c16 c17");
	e = (struct event){.name = STR("x"),
	    .path = STR("/"),
	    .attrs = {{STR("price"), STR("20")}, {STR("band"), STR("25-34")},
		{STR("note"), STR("abc")}},
	    .attrs_n = 3};
	assert_string_equal(categories_of(r, &e, NULL), "c08 c19");
	e = (struct event){.name = STR("x"),
	    .path = STR("/"),
	    .attrs = {{STR("price"), STR("20.5")}, {STR("band"), STR("18-24")},
		{STR("age"), STR("130")}},
	    .attrs_n = 3};
	assert_string_equal(categories_of(r, &e, NULL), "c09 c15");
	assert_int_equal(e.attrs_n, 2); /* no age is 130 */
	struct attr params[] = {
	    {STR("color"), STR("RED")}, {STR("size"), STR("4.5")}, {STR("colors"), STR("red")}};
	struct leaf_input in = {
	    STR("The Winter COAT, reduced"), STR("https://a.example/?utm_x=1&y"), params, 3};
	e = (struct event){.name = STR("x"), .path = STR("/")};
	assert_string_equal(categories_of(r, &e, &in), "c11 c12 c13 c18 c20");
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(path_globs),
    cmocka_unit_test(values_globs_and_expressions_are_compared_folded),
    cmocka_unit_test(a_parent_counts_an_event_of_its_children_once),
    cmocka_unit_test(leaves_match_on_what_is_not_kept),
    cmocka_unit_test(every_field_matches_in_every_way))
