/* yaml/yaml: values with their places, and the traps of YAML in plain words. */
#include "unit.h"

#include "crumb/yaml/yaml.h"

#include <stdio.h>

static struct arena arena;
static struct report report;
static struct yaml y;

static int begin(void **state)
{
	arena = (struct arena){0};
	report = (struct report){0};
	return 0;
}

static int end(void **state)
{
	report_done(&report);
	arena_done(&arena);
	return 0;
}
#define READING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const yaml_node_t *open_text(const char *text)
{
	y = (struct yaml){
	    .arena = &arena, .report = &report, .file = "f.yaml", .text = str_c(text)};
	return yaml_open(&y);
}

/* The value of a map's one key. */
static const yaml_node_t *value_of(const yaml_node_t *map)
{
	assert_int_equal(map->type, YAML_MAPPING_NODE);
	return yaml_node(&y, map->data.mapping.pairs.start->value);
}

/* The only mistake so far, which is forgotten. */
static void told(const char *want)
{
	char said[700];
	assert_int_equal(report.n, 1);
	const struct finding *f = &report.list[0];
	snprintf(said, sizeof said, "%zu:%zu %s: %s (%s)", f->line, f->column, f->code, f->message,
	    f->hint);
	assert_string_equal(said, want);
	report_done(&report);
}

TEST(nothing_is_nothing_and_no_mistake)
{
	static const char *const empty[] = {"", "\n", "# a comment\n", "---\n", "\xef\xbb\xbf"};
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		assert_null(open_text(empty[i]));
		yaml_close(&y);
	}
	assert_int_equal(report.n, 0);
}

TEST(what_is_no_yaml_is_told_where_and_how_to_mend_it)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
	    {"a: 1\n\tb: 2\n", "2:1 yaml: a tab indents this line (indent with blanks)"},
	    {"a: *x\n", "1:4 yaml: '*' at the beginning names an alias in YAML (put quotes around "
			"a pattern that begins with '*')"},
	    {"a: [b\n", "1:4 yaml: this list is never closed, or a comma is missing (a pattern "
			"that begins with '[' wants quotes)"},
	    {"a: \"b\n", "1:4 yaml: a quote or bracket is never closed (close it)"},
	    {"a: b: c\n", "1:5 yaml: a ': ' is not allowed here (put quotes around a text that "
			  "contains ': ', and see that keys stand below each other)"},
	    {"a: @b\n",
		"1:4 yaml: a text may not begin with '@' in YAML (put quotes around the text)"},
	    {"a: \xff\n", "1:4 yaml: the file is not UTF-8 (save it as UTF-8)"},
	    {"a: 1\n---\nb: 2\n", "3:1 second-document: a second document behind '---' is not read "
				  "(put it into a file of its own)"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		(void)open_text(rows[i].text);
		yaml_close(&y);
		told(rows[i].said);
	}
}

TEST(a_place_is_counted_in_bytes)
{
	const yaml_node_t *root = open_text("\xc3\xa4\xc3\xb6: {b: xyz}\n"),
			  *inner = value_of(root), *word = value_of(inner);
	struct yaml_place at = yaml_at(&y, word);
	assert_string_equal(at.file, "f.yaml");
	assert_true(at.line == 1 && at.column == 11 && at.length == 3);
	at = yaml_at_offset(&y, word, 2, 1);
	assert_true(at.line == 1 && at.column == 13);
	yaml_close(&y);
}

TEST(a_place_within_a_folded_or_quoted_text_is_where_it_stands_in_the_file)
{
	const yaml_node_t *word = value_of(open_text("a: >\n  one\n  two three\n"));
	struct yaml_place at = yaml_at_offset(&y, word, 8, 5); /* "one two three" */
	assert_true(at.line == 3 && at.column == 7);
	yaml_close(&y);
	word = value_of(open_text("a: 'it''s so'\n"));
	at = yaml_at_offset(&y, word, 5, 2);
	assert_true(at.line == 1 && at.column == 11);
	yaml_close(&y);
	word = value_of(open_text("a: \"x\\\"y z\"\n"));
	at = yaml_at_offset(&y, word, 4, 1); /* x"y z */
	assert_true(at.line == 1 && at.column == 10);
	yaml_close(&y);
}

TEST(words_that_other_readers_take_for_something_else_want_quotes)
{
	static const struct {
		const char *text, *said;
	} rows[] = {{"a: NO\n", "1:4 yaml-trap: 'NO' without quotes is false in YAML (write \"NO\" "
				"(Norway, as a country))"},
	    {"a: on\n", "1:4 yaml-trap: 'on' without quotes is true in YAML (write \"on\")"},
	    {"a: null\n",
		"1:4 yaml-trap: 'null' without quotes is nothing in YAML (write \"null\")"},
	    {"a: 012\n",
		"1:4 yaml-trap: '012' without quotes is an octal number in YAML (write \"012\")"},
	    {"a: 1:30\n", "1:4 yaml-trap: '1:30' without quotes is a number to the base of sixty "
			  "in YAML (write \"1:30\")"},
	    {"a: !b c\n", "1:4 yaml-trap: '!' at the beginning means something in YAML (put quotes "
			  "around the text)"}};
	struct str s;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_false(yaml_value(&y, value_of(open_text(rows[i].text)), "a", &s));
		yaml_close(&y);
		told(rows[i].said);
	}
	assert_true(
	    yaml_value(&y, value_of(open_text("a: \"NO\"\n")), "a", &s) && str_eq(s, STR("NO")));
	yaml_close(&y);
	assert_true(
	    yaml_value(&y, value_of(open_text("a: 90\n")), "a", &s) && str_eq(s, STR("90")));
	yaml_close(&y);
	assert_int_equal(report.n, 0);
}

TEST(numbers_and_truths_have_their_bounds)
{
	long n = 7;
	bool is = true;
	struct str s;
	assert_true(yaml_count(&y, value_of(open_text("a: 1\n")), "a", 1, 12, &n) && n == 1);
	yaml_close(&y);
	assert_true(yaml_count(&y, value_of(open_text("a: 12\n")), "a", 1, 12, &n) && n == 12);
	yaml_close(&y);
	assert_false(yaml_count(&y, value_of(open_text("a: 13\n")), "reach", 1, 12, &n));
	yaml_close(&y);
	told("1:4 number: reach is a whole number from 1 to 12 ()");
	assert_int_equal(n, 12);
	assert_true(yaml_truth(&y, value_of(open_text("a: No\n")), "a", &is) && !is);
	yaml_close(&y);
	assert_false(yaml_truth(&y, value_of(open_text("a: maybe\n")), "page", &is));
	yaml_close(&y);
	told("1:4 type: page is true or false, not 'maybe' ()");
	assert_false(yaml_text(&y, value_of(open_text("a: {b: c}\n")), "name", &s));
	yaml_close(&y);
	told("1:4 type: name is one text, not a map (put quotes around it if a colon and a blank "
	     "belong to the text)");
	assert_false(yaml_text(&y, value_of(open_text("a: # x\n")), "name", &s));
	yaml_close(&y);
	told("1:3 empty: name is empty (a '#' behind a blank begins a comment; '&' begins an "
	     "anchor: put quotes around them)");
	assert_true(yaml_plain(&y, value_of(open_text("a: ''\n")), "name", &s) && s.n == 0);
	yaml_close(&y);
}

TEST(one_word_is_a_list_too_and_all_that_are_wrong_are_told)
{
	struct str *list;
	unsigned n;
	assert_true(yaml_words(&y, value_of(open_text("a: b\n")), "a", &list, &n) && n == 1);
	yaml_close(&y);
	assert_true(str_eq(list[0], STR("b"))); /* it outlives the text */
	assert_true(yaml_words(&y, value_of(open_text("a: [b, c, d]\n")), "a", &list, &n) &&
		    n == 3 && str_eq(list[2], STR("d")));
	yaml_close(&y);
	assert_false(yaml_words(&y, value_of(open_text("a: [yes, b, null]\n")), "a", &list, &n));
	yaml_close(&y);
	assert_true(n == 1 && report.n == 2);
}

struct read {
	struct str name;
	unsigned items;
};

static void read_name(struct yaml *of, const yaml_node_t *n, void *into)
{
	struct str s;
	if (yaml_text(of, n, "a name", &s))
		((struct read *)into)->name = arena_keep(of->arena, s);
}

static void read_item(struct yaml *of, const yaml_node_t *n, void *into)
{
	((struct read *)into)->items++;
}

static void read_list(struct yaml *of, const yaml_node_t *n, void *into)
{
	yaml_list(of, n, "the list", read_item, into);
}

static const struct yaml_key keys[] = {
    {.name = "name", .load = read_name, .aliases = "heading|title"},
    {.name = "list", .load = read_list}};

TEST(a_map_is_read_by_its_table_of_keys)
{
	struct read r = {{NULL, 0}, 0};
	assert_true(yaml_map(&y, open_text("name: x\nlist: [1, 2, 3]\n"), "it", keys, 2, &r));
	yaml_close(&y);
	assert_true(str_eq(r.name, STR("x")) && r.items == 3 && report.n == 0);
	assert_true(yaml_map(&y, open_text("list:\n"), "it", keys, 2, &r)); /* nothing below */
	yaml_close(&y);
	assert_int_equal(report.n, 0);
}

TEST(keys_that_are_unknown_or_there_twice_are_told)
{
	static const struct {
		const char *text, *said;
	} rows[] = {{"nane: x\n", "1:1 unknown-key: it has no 'nane' (did you mean 'name'?)"},
	    {"title: x\n", "1:1 unknown-key: it has no 'title' (did you mean 'name'?)"},
	    {"price: 3\n", "1:1 unknown-key: it has no 'price' (name, list are known)"},
	    {"name: x\nname: z\n", "2:1 repeated-key: 'name' is there twice (YAML keeps only one "
				   "of them: join the two)"},
	    {"list: x\n", "1:7 type: the list is a list (begin each entry with '- ')"},
	    {"- x\n", "1:1 type: it has keys and values (write it as 'name: \xe2\x80\xa6' and the "
		      "other keys below)"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct read r = {{NULL, 0}, 0};
		(void)yaml_map(&y, open_text(rows[i].text), "it", keys, 2, &r);
		yaml_close(&y);
		told(rows[i].said);
	}
}

UNIT_TESTS(READING(nothing_is_nothing_and_no_mistake),
    READING(what_is_no_yaml_is_told_where_and_how_to_mend_it), READING(a_place_is_counted_in_bytes),
    READING(a_place_within_a_folded_or_quoted_text_is_where_it_stands_in_the_file),
    READING(words_that_other_readers_take_for_something_else_want_quotes),
    READING(numbers_and_truths_have_their_bounds),
    READING(one_word_is_a_list_too_and_all_that_are_wrong_are_told),
    READING(a_map_is_read_by_its_table_of_keys),
    READING(keys_that_are_unknown_or_there_twice_are_told))
