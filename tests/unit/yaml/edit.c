/* Edits of entries: only their lines change, and what is read back is what was asked for. */
#include "../loaded.h"
#include "unit.h"

#include "crumb/yaml/edit.h"
#include "crumb/yaml/write.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOP                                                                                       \
	"# rules of a shop\n"                                                                      \
	"version: 1\n"                                                                             \
	"\n"                                                                                       \
	"segments:\n"                                                                              \
	"  # whom spring is for\n"                                                                 \
	"  - id: coats\n"                                                                          \
	"    name: \"Coats\"   # on pages\n"                                                       \
	"    when: visits\n"                                                                       \
	"    destinations:\n"                                                                      \
	"      - page\n"                                                                           \
	"      # the agency\n"                                                                     \
	"      - aam   # daily\n"                                                                  \
	"    # - google\n"                                                                         \
	"\n"                                                                                       \
	"  # in summer\n"                                                                          \
	"  - id: shoes\n"                                                                          \
	"    when: >-\n"                                                                           \
	"      visits and\n"                                                                       \
	"      not visits\n"                                                                       \
	"    # the last word\n"                                                                    \
	"\n"                                                                                       \
	"# the end\n"

static struct buf made;

/* `set` NULL: the entry is removed. The text, or the words of the failure. */
static const char *edit(const char *text, const char *section, const char *id, const char *set)
{
	json_error_t error;
	struct yaml_entry e = {str_c(text), "shop.yaml", section, id};
	size_t entries;
	bool has = false;
	json_t *j = set ? json_loads(set, 0, &error) : NULL;
	enum err failed;
	assert_true(!set || j);
	buf_done(&made);
	if (yaml_edit_look(&e, &entries, &has) != OK)
		has = true;
	if (!set)
		failed = yaml_edit_remove(&e, &made);
	else if (has)
		failed = yaml_edit_set(&e, j, &made);
	else
		failed = yaml_edit_add(&e, j, &made);
	json_decref(j);
	buf_add(&made, "", 1);
	return failed ? err_text() : made.p;
}

/* The text with the first `from` as `to`. */
static const char *with(const char *text, const char *from, const char *to)
{
	static char out[1 << 16];
	const char *at = strstr(text, from);
	assert_non_null(at);
	snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return out;
}

/* --- reading */

TEST(an_entry_is_read_as_it_stands)
{
	struct yaml_entry e = {STR("version: 1\ncategories:\n"
				   "  - id: coats\n    any:   # looks\n      - path: /coats/parka\n"
				   "      - {event: [view, \"l: ook\"], attr.size: 38}\n"),
	    "shop.yaml", "categories", "coats"};
	json_t *read = NULL, *wish = json_loads("{\"id\":\"coats\",\"any\":["
						"{\"path\":\"/coats/parka\"},"
						"{\"event\":[\"view\",\"l: ook\"],"
						"\"attr.size\":\"38\"}]}",
				 0, NULL);
	assert_int_equal(yaml_edit_read(&e, &read), OK);
	assert_true(wish && json_equal(read, wish));
	json_decref(read);
	json_decref(wish);
	e.id = "shoes";
	assert_int_equal(yaml_edit_read(&e, &read), ERR_NOT_FOUND);
	e.text = STR("categories:\n  - &a {id: shoes}\n");
	assert_int_equal(yaml_edit_read(&e, &read), ERR_USAGE);
}

/* --- keys */

TEST(only_the_value_changes_and_keeps_its_quotes_and_its_comment)
{
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"name\":\"Jackets\"}"),
	    with(SHOP, "\"Coats\"", "\"Jackets\""));
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"when\":\"visits >= 3\"}"),
	    with(SHOP, "when: visits", "when: visits >= 3"));
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"when\":\"a: b\"}"),
	    with(SHOP, "when: visits", "when: 'a: b'"));
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"when\":\"visits\"}"), SHOP);
}

TEST(a_text_of_lines_becomes_a_block_and_one_line_again)
{
	const char *block = "when: |-\n      visits and\n        visits >= 2";
	assert_string_equal(
	    edit(SHOP, "segments", "coats", "{\"when\":\"visits and\\n  visits >= 2\"}"),
	    with(SHOP, "when: visits", block));
	char text[2000];
	snprintf(text, sizeof text, "%s", made.p);
	assert_string_equal(edit(text, "segments", "coats", "{\"when\":\"visits\"}"), SHOP);
	assert_string_equal(edit(SHOP, "segments", "shoes", "{\"when\":\"visits\"}"),
	    with(SHOP, ">-\n      visits and\n      not visits", "visits"));
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"name\":\"a\\nb\"}"),
	    with(SHOP, "\"Coats\"   # on pages", "|-   # on pages\n      a\n      b"));
}

TEST(items_of_a_list_that_stay_keep_their_lines)
{
	assert_string_equal(
	    edit(SHOP, "segments", "coats", "{\"destinations\":[\"page\",\"aam\",\"new\"]}"),
	    with(SHOP, "- aam   # daily\n", "- aam   # daily\n      - new\n"));
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"destinations\":[\"aam\"]}"),
	    with(SHOP, "      - page\n", ""));
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"destinations\":[\"page\"]}"),
	    with(SHOP, "      # the agency\n      - aam   # daily\n", ""));
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"destinations\":[]}"),
	    with(SHOP, "\n      - page\n      # the agency\n      - aam   # daily", " []"));
}

TEST(a_new_key_comes_behind_the_last_and_goes_again)
{
	assert_string_equal(
	    edit(SHOP, "segments", "coats", "{\"owner\":\"anna\",\"destinations\":null}"),
	    with(SHOP,
		"    destinations:\n      - page\n      # the agency\n      - aam   # daily\n",
		"    owner: anna\n"));
	assert_string_equal(edit(SHOP, "segments", "shoes", "{\"iab\":12}"),
	    with(SHOP, "      not visits\n", "      not visits\n    iab: 12\n"));
	char text[2000];
	snprintf(text, sizeof text, "%s", made.p);
	assert_string_equal(edit(text, "segments", "shoes", "{\"iab\":null}"), SHOP);
	assert_string_equal(edit(SHOP, "segments", "shoes", "{\"iab\":null}"), SHOP);
}

TEST(an_entry_is_renamed)
{
	assert_string_equal(edit(SHOP, "segments", "coats", "{\"id\":\"jackets\"}"),
	    with(SHOP, "id: coats", "id: jackets"));
	assert_non_null(strstr(edit(SHOP, "segments", "coats", "{\"id\":null}"), "needs one"));
}

TEST(the_first_key_gives_its_place_to_the_next)
{
	assert_string_equal(
	    edit("segments:\n- name: x\n  id: a\n  when: y\n", "segments", "a", "{\"name\":null}"),
	    "segments:\n- id: a\n  when: y\n");
}

/* --- in brackets */

TEST(an_entry_in_brackets_stays_in_its_line)
{
	const char *text =
	    "segments:\n  - {id: a, name: \"A\", when: x} # why\n  - {id: b, when: y}\n";
	assert_string_equal(edit(text, "segments", "a", "{\"when\":\"x, or y\"}"),
	    with(text, "when: x", "when: 'x, or y'"));
	assert_string_equal(edit(text, "segments", "a", "{\"name\":\"B\",\"owner\":\"anna\"}"),
	    "segments:\n  - {id: a, name: \"B\", when: x, owner: anna} # why\n  - {id: b, when: "
	    "y}\n");
	assert_string_equal(
	    edit(text, "segments", "a", "{\"name\":null}"), with(text, " name: \"A\",", ""));
	assert_string_equal(edit(text, "segments", "a", "{\"when\":\"x\\ny\"}"),
	    with(text, "when: x", "when: \"x\\ny\""));
	assert_string_equal(edit(text, "segments", "c", "{\"when\":\"z\",\"labels\":[\"l\"]}"),
	    "segments:\n  - {id: a, name: \"A\", when: x} # why\n  - {id: b, when: y}\n  - {id: c, "
	    "when: z, labels: [l]}\n");
	assert_string_equal(
	    edit(text, "segments", "b", NULL), with(text, "  - {id: b, when: y}\n", ""));
}

TEST(a_file_of_brackets_is_changed_but_gets_no_entry)
{
	const char *text = "{\"segments\": [{\"id\": \"a\",\n \"when\": \"x\"}]}";
	assert_string_equal(edit(text, "segments", "a", "{\"when\":\"y\"}"), with(text, "x", "y"));
	assert_non_null(strstr(edit(text, "segments", "b", "{\"when\":\"y\"}"), "by hand"));
	assert_non_null(strstr(edit(text, "segments", "a", NULL), "by hand"));
	assert_non_null(strstr(edit(text, "segments", "a", "{\"owner\":\"y\"}"), "by hand"));
}

/* --- entries */

TEST(an_entry_goes_with_its_comments_and_the_blank_that_set_it_apart)
{
	assert_string_equal(
	    edit(SHOP, "segments", "shoes", NULL), with(SHOP,
						       "\n  # in summer\n  - id: shoes\n    when: "
						       ">-\n      visits and\n      not visits\n "
						       "   # the last word\n",
						       ""));
	assert_string_equal(edit(SHOP, "segments", "coats", NULL),
	    "# rules of a shop\nversion: 1\n\nsegments:\n  # in summer\n  - id: shoes\n    when: "
	    ">-\n      visits and\n      not visits\n    # the last word\n\n# the end\n");
}

TEST(a_new_entry_stands_as_the_others_do_and_goes_without_a_trace)
{
	assert_string_equal(
	    edit(SHOP, "segments", "hats", "{\"name\":\"Hats\",\"when\":\"a\\nb\"}"),
	    with(SHOP, "    # the last word\n",
		"    # the last word\n\n  - id: hats\n    name: Hats\n    when: |-\n      a\n      "
		"b\n"));
	char text[2000];
	snprintf(text, sizeof text, "%s", made.p);
	assert_string_equal(edit(text, "segments", "hats", NULL), SHOP);
}

TEST(a_section_that_is_empty_or_missing_is_begun)
{
	assert_string_equal(edit("version: 1\nsegments: [] # none\nlookalikes:\n", "segments", "a",
				"{\"when\":\"x\"}"),
	    "version: 1\nsegments: # none\n  - id: a\n    when: x\nlookalikes:\n");
	assert_string_equal(edit("version: 1\nsegments:", "segments", "a", "{\"when\":\"x\"}"),
	    "version: 1\nsegments:\n  - id: a\n    when: x");
	assert_string_equal(edit("version: 1\n", "categories", "a",
				"{\"any\":[{\"path\":\"/a/*\"},{\"title\":\"a, b\"}]}"),
	    "version: 1\n\ncategories:\n  - id: a\n    any:\n      - {path: /a/*}\n      - {title: "
	    "'a, b'}\n");
	assert_string_equal(edit("", "segments", "a", "{\"when\":\"x\"}"),
	    "version: 1\n\nsegments:\n  - id: a\n    when: x\n");
}

/* --- files of all kinds */

TEST(line_ends_and_the_mark_of_the_file_are_kept)
{
	const char *text =
	    "\xef\xbb\xbfversion: 1\r\nsegments:\r\n- id: a\r\n  when: x\r\n- id: b\r\n"
	    "  when: \xc3\xa4\r\n";
	assert_string_equal(edit(text, "segments", "b", "{\"when\":\"\xe5\xa4\x96\"}"),
	    with(text, "\xc3\xa4", "\xe5\xa4\x96"));
	assert_string_equal(edit(text, "segments", "a", "{\"when\":\"x\\ny\",\"owner\":\"o\"}"),
	    with(text, "when: x", "when: |-\r\n    x\r\n    y\r\n  owner: o"));
	assert_string_equal(
	    edit(text, "segments", "a", NULL), with(text, "- id: a\r\n  when: x\r\n", ""));
	assert_string_equal(
	    edit(text, "segments", "b", NULL), with(text, "- id: b\r\n  when: \xc3\xa4\r\n", ""));
}

TEST(a_file_whose_last_line_has_no_end_stays_so)
{
	const char *text = "segments:\n- id: a\n  when: x";
	assert_string_equal(edit(text, "segments", "b", "{\"when\":\"y\"}"),
	    "segments:\n- id: a\n  when: x\n- id: b\n  when: y");
	char two[200];
	snprintf(two, sizeof two, "%s", made.p);
	assert_string_equal(edit(two, "segments", "b", NULL), text);
	assert_string_equal(edit(text, "segments", "a", "{\"owner\":\"o\"}"),
	    "segments:\n- id: a\n  when: x\n  owner: o");
}

TEST(what_cannot_be_changed_safely_is_refused_in_words)
{
	static const char *const refused[] = {
	    "segments:\n- &x {id: a, when: x}\n- *x\n",
	    "segments:\n- {id: a, when: !!str x}\n",
	    "segments:\n- id: a\n  when: x\n- id: a\n  when: y\n",
	    "segments:\n- id: a\n  when: x\n  when: y\n",
	    "segments:\n- id: a\r  when: x\n",
	    "segments: {id: a}\n",
	    "segments:\n-\n  id: a\nsegments:\n",
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_non_null(
		    strstr(edit(refused[i], "segments", "a", "{\"when\":\"z\"}"), "by hand"));
	assert_non_null(strstr(edit("segments: [\n", "segments", "a", "{\"when\":\"z\"}"),
	    "shop.yaml:2:1: a value is missing here"));
	assert_non_null(strstr(edit(SHOP, "segments", "coats", "{\"when\":[null]}"), "by hand"));
	assert_non_null(strstr(edit(SHOP, "segments", "coats", "{\"a: b, c\":\"x\"}"), "a: b, c"));
}

TEST(what_is_not_there_is_not_found)
{
	struct yaml_entry e = {STR(SHOP), "shop.yaml", "segments", "hats"};
	struct buf out = {0};
	assert_int_equal(yaml_edit_remove(&e, &out), ERR_NOT_FOUND);
	json_t *j = json_object();
	assert_int_equal(yaml_edit_set(&e, j, &out), ERR_NOT_FOUND);
	json_decref(j);
	assert_int_equal(out.n, 0);
}

/* --- any file */

static unsigned any(unsigned n)
{
	return (unsigned)random() % n;
}

static const char *const whens[] = {"visits", "visits >= 2 in 14d", "visits and visits in 3d",
    "(visits or visits) and visits", "visits\nand visits\n", "visits and\n  visits in 2d",
    "visits or segment(base)", "attr.tier = 'a: b'"};
static const char *const names[] = {"Coats", "a: b", "d'\xc3\xa9t\xc3\xa9",
    "\xe5\xa4\x96\xe5\xa5\x97", "\xd9\x85\xd8\xb9", "no", "12", "# hash", "tab\there", "two\nlines",
    " blanks ", "\"q\"", "a, b]", "x #y", "-", "|"};
#define ANY(list) list[any(sizeof list / sizeof *list)]

/* A value as somebody may have written it. */
static void put_any(struct buf *b, const char *s, size_t column, bool flow, const char *end)
{
	struct buf lines = {0};
	if (!flow && yaml_write_is_block(str_c(s))) {
		yaml_write_block(str_c(s), column + 2, end, b, &lines);
		buf_c(b, end);
		buf_str(b, buf_view(&lines));
		buf_done(&lines);
	} else {
		yaml_write_text(str_c(s), flow ? YAML_IN_FLOW : YAML_IN_BLOCK,
		    any(3) ? YAML_UNQUOTED : YAML_DOUBLE, b);
	}
}

static void put_between(struct buf *b, const char *end)
{
	for (unsigned i = any(4); i-- > 1;)
		buf_addf(b, "%s%s", any(2) ? "" : "  # a remark: [x", end);
}

/* A file with segments base, s1, s2 … */
static unsigned make_file(struct buf *b)
{
	const char *end = any(3) ? "\n" : "\r\n";
	unsigned n = 1 + any(6), dash = 2 * any(2), column = dash + 2 + 2 * any(2);
	buf_addf(b, "%sversion: 1%s", any(4) ? "" : "\xef\xbb\xbf", end);
	put_between(b, end);
	buf_addf(b, "attributes:%s  - {id: tier, values: ['a: b']}%ssegments:%s", end, end, end);
	buf_addf(b, "%*s- {id: base, when: visits}%s", (int)dash, "", end);
	for (unsigned i = 1; i <= n; i++) {
		bool flow = !any(3);
		put_between(b, end);
		buf_addf(b, "%*s-%*s%sid: s%u%s", (int)dash, "", (int)(column - dash - 1), "",
		    flow ? "{" : "", i, flow ? ", name: " : end);
		if (!flow)
			buf_addf(b, "%*sname: ", (int)column, "");
		put_any(b, ANY(names), column, flow, end);
		if (flow)
			buf_c(b, ", when: ");
		else
			buf_addf(b, "%s%*swhen: ", end, (int)column, "");
		const char *when = ANY(whens);
		put_any(b, when, column, flow, end);
		if (i < n || any(4) || strchr(when, '\n'))
			buf_addf(b, "%s%s", flow ? "}" : "", end);
		else
			buf_c(b, flow ? "}" : "");
	}
	if (b->p[b->n - 1] == '\n')
		put_between(b, end);
	return n;
}

/* The segment as the loader reads it. */
static void assert_loaded(struct str text, const char *id, const char *name, const char *when)
{
	char *copy = str_dup(text);
	struct rules *r = load(copy);
	int i = rules_segment(r, str_c(id));
	assert_true((i >= 0) == (when != NULL));
	if (when) {
		assert_string_equal(r->segments[i].when, when);
		assert_string_equal(r->segments[i].name, name);
	}
	rules_unref(r);
	free(copy);
}

/* What a segment of the file says now. */
static json_t *said(struct str text, const char *id)
{
	char *copy = str_dup(text);
	struct rules *r = load(copy);
	const struct segment *s = &r->segments[rules_segment(r, str_c(id))];
	json_t *j = json_pack("{s:s,s:s}", "name", s->name, "when", s->when);
	rules_unref(r);
	free(copy);
	return j;
}

/* Bytes that both have at the beginning, and at the end: all that is between belongs to the
 * entry. */
static void assert_only_between(struct str a, struct str b, const char *id)
{
	size_t head = 0, tail = 0, least = a.n < b.n ? a.n : b.n;
	char mark[24];
	while (head < least && a.p[head] == b.p[head])
		head++;
	while (tail < least - head && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
		tail++;
	snprintf(mark, sizeof mark, "id: %s", id);
	struct str changed = str_make(a.p + head, a.n - head - tail);
	assert_false(str_has(changed, STR("id: s")));
	assert_false(str_has(changed, STR("# a remark")));
	/* the entry's own id is the last before the change */
	size_t at = head;
	while (at && !str_starts(str_make(a.p + at, a.n - at), STR("id: ")))
		at--;
	assert_true(head == a.n || str_starts(str_make(a.p + at, a.n - at), str_c(mark)));
}

/* Were quotes that nobody needed lost on the way, or was the last line given an end? Then the way
 * back is not the way there. */
static bool keeps_taste(struct str text, const char *name, const char *when)
{
	if (text.p[text.n - 1] != '\n' && strchr(when, '\n'))
		return false;
	return !str_has(text, STR("\"")) || (!strpbrk(name, "\n\t") && !strpbrk(when, "\n\t"));
}

TEST(in_any_file_an_edit_changes_its_entry_alone_and_its_inverse_restores_the_bytes)
{
	unsigned restored = 0;
	srandom(21);
	for (int round = 0; round < 2000; round++) {
		struct buf file = {0}, there = {0}, back = {0};
		char id[16];
		snprintf(id, sizeof id, "s%u", 1 + any(make_file(&file)));
		struct yaml_entry e = {buf_view(&file), "x.yaml", "segments", id};
		const char *name = ANY(names), *when = ANY(whens);
		json_t *set = json_pack("{s:s,s:s}", "name", name, "when", when),
		       *before = said(e.text, id);
		if (yaml_edit_set(&e, set, &there) != OK)
			fail_msg("%s:\n" STR_FMT, err_text(), STR_ARG(e.text));
		assert_loaded(buf_view(&there), id, name, when);
		assert_only_between(e.text, buf_view(&there), id);
		struct yaml_entry then = {buf_view(&there), "x.yaml", "segments", id};
		assert_int_equal(yaml_edit_set(&then, before, &back), OK);
		if (keeps_taste(e.text, name, when)) {
			restored++;
			if (!str_eq(buf_view(&back), e.text))
				fail_msg("from\n" STR_FMT "\nto\n" STR_FMT "\nand back\n" STR_FMT,
				    STR_ARG(e.text), STR_ARG(then.text), STR_ARG(buf_view(&back)));
		}
		json_decref(before);
		json_decref(set);
		buf_done(&file), buf_done(&there), buf_done(&back);
	}
	assert_true(restored > 1000);
}

TEST(in_any_file_a_new_entry_is_read_and_goes_without_a_trace)
{
	srandom(22);
	for (int round = 0; round < 2000; round++) {
		struct buf file = {0}, there = {0}, back = {0};
		make_file(&file);
		struct yaml_entry e = {buf_view(&file), "x.yaml", "segments", "new"};
		const char *name = ANY(names), *when = ANY(whens);
		json_t *set = json_pack("{s:s,s:s}", "name", name, "when", when);
		if (yaml_edit_add(&e, set, &there) != OK)
			fail_msg("%s:\n" STR_FMT, err_text(), STR_ARG(e.text));
		assert_loaded(buf_view(&there), "new", name, when);
		struct yaml_entry then = {buf_view(&there), "x.yaml", "segments", "new"};
		assert_int_equal(yaml_edit_remove(&then, &back), OK);
		if (e.text.p[e.text.n - 1] == '\n' && !str_eq(buf_view(&back), e.text))
			fail_msg("from\n" STR_FMT "\nto\n" STR_FMT "\nand back\n" STR_FMT,
			    STR_ARG(e.text), STR_ARG(then.text), STR_ARG(buf_view(&back)));
		json_decref(set);
		buf_done(&file), buf_done(&there), buf_done(&back);
	}
}

TEST(in_any_file_an_entry_goes_and_all_others_stay)
{
	srandom(23);
	for (int round = 0; round < 1000; round++) {
		struct buf file = {0}, out = {0};
		char id[16];
		unsigned n = make_file(&file), gone = 1 + any(n);
		snprintf(id, sizeof id, "s%u", gone);
		struct yaml_entry e = {buf_view(&file), "x.yaml", "segments", id};
		if (yaml_edit_remove(&e, &out) != OK)
			fail_msg("%s:\n" STR_FMT, err_text(), STR_ARG(e.text));
		assert_loaded(buf_view(&out), id, NULL, NULL);
		for (unsigned i = 1; i <= n; i++) {
			snprintf(id, sizeof id, "s%u", i);
			if (i == gone)
				continue;
			json_t *a = said(e.text, id), *b = said(buf_view(&out), id);
			assert_true(json_equal(a, b));
			json_decref(a), json_decref(b);
		}
		buf_done(&file), buf_done(&out);
	}
}

/* Bytes that nobody has written: refused, or made as asked. */
TEST(a_file_of_any_bytes_is_refused_or_edited_and_never_harmed)
{
	srandom(24);
	for (int round = 0; round < 4000; round++) {
		struct buf file = {0}, out = {0};
		json_t *set = json_pack("{s:s}", "when", ANY(whens));
		make_file(&file);
		for (unsigned i = 1 + any(4); i--;)
			file.p[any((unsigned)file.n)] = "#-:{}[]'\"|> \n\t&*!a,?"[any(20)];
		struct yaml_entry e = {buf_view(&file), "x.yaml", "segments", "s1"};
		if (yaml_edit_set(&e, set, &out) == OK && yaml_edit_remove(&e, &out) == OK)
			assert_true(out.n > 0);
		json_decref(set);
		buf_done(&file), buf_done(&out);
	}
}

static int drop_made(void **state)
{
	(void)state;
	buf_done(&made);
	return 0;
}

UNIT_TESTS_BETWEEN(NULL, drop_made,
    cmocka_unit_test(only_the_value_changes_and_keeps_its_quotes_and_its_comment),
    cmocka_unit_test(a_text_of_lines_becomes_a_block_and_one_line_again),
    cmocka_unit_test(items_of_a_list_that_stay_keep_their_lines),
    cmocka_unit_test(a_new_key_comes_behind_the_last_and_goes_again),
    cmocka_unit_test(an_entry_is_renamed),
    cmocka_unit_test(the_first_key_gives_its_place_to_the_next),
    cmocka_unit_test(an_entry_in_brackets_stays_in_its_line),
    cmocka_unit_test(a_file_of_brackets_is_changed_but_gets_no_entry),
    cmocka_unit_test(an_entry_goes_with_its_comments_and_the_blank_that_set_it_apart),
    cmocka_unit_test(a_new_entry_stands_as_the_others_do_and_goes_without_a_trace),
    cmocka_unit_test(a_section_that_is_empty_or_missing_is_begun),
    cmocka_unit_test(line_ends_and_the_mark_of_the_file_are_kept),
    cmocka_unit_test(a_file_whose_last_line_has_no_end_stays_so),
    cmocka_unit_test(what_cannot_be_changed_safely_is_refused_in_words),
    cmocka_unit_test(what_is_not_there_is_not_found),
    cmocka_unit_test(
	in_any_file_an_edit_changes_its_entry_alone_and_its_inverse_restores_the_bytes),
    cmocka_unit_test(an_entry_is_read_as_it_stands),
    cmocka_unit_test(in_any_file_a_new_entry_is_read_and_goes_without_a_trace),
    cmocka_unit_test(in_any_file_an_entry_goes_and_all_others_stay),
    cmocka_unit_test(a_file_of_any_bytes_is_refused_or_edited_and_never_harmed))
