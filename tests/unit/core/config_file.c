/* The configuration's file: what is set, and where each mistake is told. */
#include "unit.h"

#include "crumb/core/config.h"
#include "crumb/yaml/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char file[] = "/tmp/crumb-unit-config.XXXXXX";

static enum err read_text(struct config *c, const char *text, struct report *report)
{
	assert_int_equal(config_init(c), OK);
	return config_parse(c, "c.yaml", str_c(text), report);
}

/* Every mistake, as "LINE:COLUMN CODE MESSAGE | HINT", a line each. */
static void look(const char *text, const char *const *expected, size_t n)
{
	struct config c;
	struct report report = {0};
	struct buf said = {0};
	assert_int_equal(read_text(&c, text, &report), n ? ERR_SYNTAX : OK);
	for (size_t i = 0; i < report.n; i++) {
		const struct finding *f = &report.list[i];
		buf_addf(&said, "%zu:%zu %s %s | %s\n", f->line, f->column, f->code, f->message,
		    f->hint);
	}
	buf_add(&said, "", 1);
	assert_int_equal(report.n, report.errors);
	if (report.n != n)
		fail_msg("%s\n%zu findings:\n%s", text, report.n, said.p);
	for (size_t i = 0; i < n; i++)
		if (!strstr(said.p, expected[i]))
			fail_msg("%s\nnothing of '%s' but\n%s", text, expected[i], said.p);
	buf_done(&said);
	report_done(&report);
	config_done(&c);
}
#define LOOK(text, ...)                                                                            \
	look(text, (const char *const[]){__VA_ARGS__},                                             \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

TEST(each_mistake_is_told_where_it_stands)
{
	LOOK("cookie:\n  smaesite: lax\n", "2:3 unknown-key there is no option 'cookie.smaesite' | "
					   "did you mean 'cookie.samesite'?");
	LOOK("xyzzyxyzzy: 1\n",
	    "1:1 unknown-key there is no option 'xyzzyxyzzy' | crumbd --help lists them");
	LOOK("cokie:\n  secure: no\n  samesite: lax\n",
	    "1:1 unknown-key there is no section 'cokie' | did you mean 'cookie'?");
	LOOK("nothing_like_it: {}\n", "1:1 unknown-key there is no option 'nothing_like_it'");
	LOOK("store: {shards: 300}\n",
	    "1:17 option store.shards: expected a number from 1 to 256, not '300'");
	LOOK("collect:\n  body_bytes: 64k\n",
	    "2:15 option collect.body_bytes: expected a number from 1024 to 67108864, not '64k'; "
	    "did you mean '65536'?");
	LOOK("cookie.samesite: laxx\n", "1:18 option cookie.samesite: expected one of "
					"none|lax|strict, not 'laxx'; did you mean 'lax'?");
	LOOK("retention:\n  days: 30\n", "2:3 type retention is a number, not a map");
	LOOK("sites:\n  - a.example\n  - {b: c}\n",
	    "3:5 type sites: a list of plain words is expected");
	LOOK("sites:\n  - a.example\n  - https://b.example/x\n  - https://c.example/y\n",
	    "3:5 option sites: ", "4:5 option sites: ");
	LOOK("segment:\n  consent:\n    advertising: [a]\n",
	    "3:18 type segment.consent: a map of plain words is expected");
	LOOK("- a\n", "1:1 type expected keys and values");
	LOOK("retention: 30\nretention: 40\n", "2:1 repeated-key 'retention' is there twice");
	LOOK("cookie: {secure: no}\ncookie.secure: yes\n",
	    "2:1 repeated-key 'cookie.secure' is there twice");
	LOOK("cookie: {secure: no}\ncookie: {dnt: yes}\n",
	    "2:1 repeated-key 'cookie' is there twice");
	LOOK("admin:\n\ttoken: x\n", "2:1 yaml a tab indents this line | indent with blanks");
	LOOK("sites: [a.example\nretention: 30\n", "yaml ");
	LOOK("operator:\n  name: !shop\n",
	    "2:9 yaml-trap '!' at the beginning means something in YAML");
	LOOK("retention: 30\n---\nretention: 40\n", "second-document ");
	LOOK("\"\": 1\n", "1:1 empty a key is empty");
}

TEST(a_place_is_counted_in_bytes_however_far_it_is)
{
	struct buf text = {0};
	char expected[100];
	for (size_t before = 0; before < 700; before += before < 10 ? 1 : 59) {
		text.n = 0;
		buf_c(&text, "\xef\xbb\xbf# \xc3\xa4\r\n\r\n{operator.name: \"");
		size_t from = text.n;
		for (size_t i = 0; i < before; i++)
			buf_c(&text, i % 3 ? "\xe2\x82\xac" : i % 2 ? "a" : "\xf0\x9f\x8d\xaa");
		size_t column = text.n - from + sizeof "{operator.name: \"\", retention: ";
		buf_c(&text, "\", retention: 300}\r\n");
		buf_add(&text, "", 1);
		snprintf(expected, sizeof expected, "3:%zu option retention: ", column);
		LOOK(text.p, expected);
	}
	buf_done(&text);
}

TEST(a_file_of_one_line_is_read_as_fast_as_one_of_many)
{
	struct buf text = {0};
	struct config c;
	struct report report = {0};
	clock_t begin = clock();
	buf_c(&text, "sites: [");
	for (int i = 0; i < 200000; i++)
		buf_c(&text, "{},");
	buf_add(&text, "]\n", 3);
	assert_int_equal(read_text(&c, text.p, &report), ERR_SYNTAX);
	assert_int_equal(report.errors, 200000);
	assert_int_equal(report.list[report.n - 1].column, sizeof "sites: [" + (report.n - 1) * 3);
	assert_true((clock() - begin) / CLOCKS_PER_SEC <
		    20); /* looking from the beginning of the line for each place takes minutes */
	config_done(&c);
	report_done(&report);
	buf_done(&text);
}

TEST(all_mistakes_are_told_at_once_and_what_is_right_is_set)
{
	static const char text[] =
	    "store:\n  shards: 0\nretention: 30\nnope: 1\ncookie:\n  secure: perhaps\n";
	struct config c;
	struct report report = {0};
	assert_int_equal(read_text(&c, text, &report), ERR_SYNTAX);
	assert_int_equal(report.errors, 3);
	assert_non_null(strstr(err_text(), "c.yaml:2:11: store.shards"));
	assert_non_null(strstr(err_text(), "(and 2 more; 'crumbd --check' lists them)"));
	assert_int_equal(c.retention_days, 30);
	assert_int_equal(c.shards, 4);
	report_done(&report);
	config_done(&c);
}

TEST(what_can_be_written_is_taken)
{
	static const char text[] =
	    "\xef\xbb\xbf# options\nstore: {path: /s, shards: 2}\nconsent.tcf: {vendor: "
	    "33}\nconsent:\n  require: [DE, NO]\n  dnt: yes\nsites:\nprivacy: {}\n"
	    "privacy.keep_query: [q, utm_source]\nadmin.token: \"a: #b\"\noperator: &o {name: "
	    "Shop}\n";
	struct config c;
	struct report report = {0};
	if (read_text(&c, text, &report) != OK)
		fail_msg("%s", err_text());
	assert_string_equal(c.store_path, "/s");
	assert_int_equal(c.shards, 2);
	assert_int_equal(c.tcf_vendor, 33);
	assert_string_equal(c.consent_require, "DE,NO");
	assert_int_equal(c.dnt, 1);
	assert_string_equal(c.sites, "");
	assert_string_equal(c.keep_query, "q,utm_source");
	assert_string_equal(c.admin_token, "a: #b");
	config_done(&c);
	for (size_t i = 0; i < 3; i++) {
		static const char *const nothing[] = {"", "---\n", "# none\n"};
		assert_int_equal(read_text(&c, nothing[i], &report), OK);
		config_done(&c);
	}
	report_done(&report);
}

TEST(aliases_that_make_no_end_are_told_alone)
{
	struct buf text = {0};
	struct config c;
	struct report report = {0};
	buf_c(&text, "a0: &a0 {}\n");
	for (int i = 1; i < 14; i++)
		buf_addf(&text, "a%d: &a%d {x: *a%d, y: *a%d}\n", i, i, i - 1, i - 1);
	buf_add(&text, "", 1);
	assert_int_equal(read_text(&c, text.p, &report), ERR_SYNTAX);
	assert_int_equal(report.n, 1);
	assert_non_null(strstr(err_text(), "aliases make more than 10000 values"));
	config_done(&c);
	report_done(&report);
	text.n = 0; /* a list of aliases of one long text */
	buf_c(&text, "x: &x ");
	for (int i = 0; i < 100000; i++)
		buf_c(&text, "x");
	buf_c(&text, "\nsites: [");
	for (int i = 0; i < 100000; i++)
		buf_c(&text, "*x,");
	buf_add(&text, "]\n", 3);
	assert_int_equal(read_text(&c, text.p, &report), ERR_SYNTAX);
	assert_true(report.n >= 1 && report.n <= 1000);
	config_done(&c);
	report_done(&report);
	buf_done(&text);
}

static void shown(const char *text, struct buf *out)
{
	struct config c;
	FILE *f = fopen(file, "w");
	assert_true(f && fputs(text, f) >= 0 && fclose(f) == 0);
	assert_int_equal(config_init(&c), OK);
	out->n = 0;
	assert_int_equal(config_file(&c, file, NULL, out), ERR_SYNTAX);
	buf_add(out, "", 1);
	config_done(&c);
}

TEST(lines_are_shown_with_a_caret_but_no_secret)
{
	struct buf out = {0};
	char place[100];
	shown("store:\n  shards: 300\ncookie:\n  samesite: maybe\n", &out);
	snprintf(place, sizeof place, "%s:2:11: store.shards: ", file);
	assert_non_null(strstr(out.p, place));
	assert_non_null(strstr(out.p, "    2 |   shards: 300\n      |           ^~~\n"));
	assert_non_null(strstr(out.p, "    4 |   samesite: maybe\n      |             ^~~~~\n"));
	shown("admin:\n  token: 'abc123' def\n", &out);
	assert_null(strstr(out.p, "abc123"));
	static const char *const secrets[] = {"segment:\n  write_keys: [k1secret, {a: b}]\n",
	    "segment:\n  write_keys:\n    - !k1secret\n",
	    "segment:\n  write_keys:\n    # of: me\n    - first  # of: me\n    - \"k1secret\" x\n",
	    "segment:\n  write_keys: [a,\n    k1secret, {a: b}]\n",
	    "segment:\n  write_key:\n    - k1secret\n", "segment:\n  write_key: [k1secret]\n",
	    "segment: k1secret\n", "admin: [k1secret, {a: b}]\n", "admin: {tokn: k1secret}\n",
	    "admin:\n  xyzzy: k1secret\n"};
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		shown(secrets[i], &out);
		if (strstr(out.p, "k1secret"))
			fail_msg("%s\nis shown by\n%s", secrets[i], out.p);
	}
	shown("segment:\n  write_keys:\n    - k1secret\nsites:\n  - {a: b}\nxyzzy: 1\n", &out);
	assert_non_null(strstr(out.p, "    5 |   - {a: b}\n"));
	assert_non_null(strstr(out.p, "    6 | xyzzy\n      | ^~~~~\n"));
	struct config c;
	assert_int_equal(config_init(&c), OK);
	out.n = 0;
	assert_int_equal(config_file(&c, "/nowhere/c.yaml", NULL, &out), ERR_NOT_FOUND);
	assert_int_equal(out.n, 0);
	config_done(&c);
	buf_done(&out);
}

static int begin(void **state)
{
	(void)state;
	int fd = mkstemp(file);
	return fd < 0 || close(fd) != 0;
}

static int end(void **state)
{
	(void)state;
	return unlink(file);
}

UNIT_TESTS(cmocka_unit_test(each_mistake_is_told_where_it_stands),
    cmocka_unit_test(a_place_is_counted_in_bytes_however_far_it_is),
    cmocka_unit_test(a_file_of_one_line_is_read_as_fast_as_one_of_many),
    cmocka_unit_test(all_mistakes_are_told_at_once_and_what_is_right_is_set),
    cmocka_unit_test(what_can_be_written_is_taken),
    cmocka_unit_test(aliases_that_make_no_end_are_told_alone),
    cmocka_unit_test_setup_teardown(lines_are_shown_with_a_caret_but_no_secret, begin, end))
