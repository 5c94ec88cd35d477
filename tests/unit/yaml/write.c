/* Values as YAML: what is written is read back as the same text. */
#include "unit.h"

#include "crumb/yaml/write.h"
#include "crumb/yaml/yaml.h"

#include <jansson.h>

static const char *const texts[] = {"coats", "outerwear >= 3 in 14d", "a: b", "a:b", "a #b", "a#b",
    "don't", "'quoted'", "\"quoted\"", " lead", "trail ", "-", "- a", "-a", "? a", ":a", "a:", "#a",
    "*a", "/coats/*", "&a", "!a", "|", ">", "%a", "@a", "`a", "[a]", "{a}", "a, b", "a]b", "a?b",
    "no", "No", "yes", "null", "~", "true", "012", "12:30", "1e3", "12", "2026-12-24", "5%", "=",
    "<<", "...", "---", "--- a", "a\nb", "a\tb", "a\\b", "\x01", "\x7f", "\xc2\x85", "\xe2\x80\xa8",
    "\xef\xbb\xbf", "\xc3\xa9t\xc3\xa9", "\xe5\xa4\x96\xe5\xa5\x97",
    "\xd9\x85\xd8\xb9\xd8\xb7\xd9\x81", "\xf0\x9f\xa7\xa5", "", "\n", "\n\n", "a\n", "a\n\n", "\na",
    "  a\nb", "a\n  b", "a\n\nb\n", "a\r\nb", "a \n b", "#\n#"};

/* The value of `key: VALUE`, or of `[VALUE, x]`, as it is read. */
static bool reads_as(struct str yaml, struct str want, bool flow)
{
	struct arena arena = {0};
	struct report report = {0};
	struct yaml y = {.arena = &arena, .report = &report, .file = "x", .text = yaml};
	const yaml_node_t *root = yaml_open(&y), *v = NULL;
	if (root && root->type == YAML_MAPPING_NODE)
		v = yaml_node(&y, root->data.mapping.pairs.start[0].value);
	if (v && flow && v->type == YAML_SEQUENCE_NODE)
		v = yaml_node(&y, v->data.sequence.items.start[0]);
	bool same = v && v->type == YAML_SCALAR_NODE && v->data.scalar.length == want.n &&
		    memcmp(v->data.scalar.value, want.p, want.n) == 0;
	same = same && !(v->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && yaml_taken_for(want));
	yaml_close(&y);
	report_done(&report);
	arena_done(&arena);
	return same;
}

TEST(every_text_reads_back_in_every_style_and_place)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		for (int quotes = YAML_UNQUOTED; quotes <= YAML_DOUBLE; quotes++)
			for (int flow = 0; flow < 2; flow++) {
				struct buf b = {0};
				buf_c(&b, flow ? "key: [" : "key: ");
				yaml_write_text(str_c(texts[i]),
				    flow ? YAML_IN_FLOW : YAML_IN_BLOCK, (enum yaml_quotes)quotes,
				    &b);
				buf_c(&b, flow ? ", x]\n" : "\n");
				if (!reads_as(buf_view(&b), str_c(texts[i]), flow))
					fail_msg("text %zu as " STR_FMT, i, STR_ARG(buf_view(&b)));
				buf_done(&b);
			}
}

TEST(a_text_of_lines_reads_back_as_a_block)
{
	unsigned blocks = 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buf header = {0}, lines = {0}, all = {0};
		if (!yaml_write_is_block(str_c(texts[i])))
			continue;
		blocks++;
		yaml_write_block(str_c(texts[i]), 2, "\r\n", &header, &lines);
		buf_c(&all, "key: ");
		buf_str(&all, buf_view(&header));
		buf_c(&all, "\r\n");
		buf_str(&all, buf_view(&lines));
		buf_c(&all, "\r\nnext: x\r\n");
		if (!reads_as(buf_view(&all), str_c(texts[i]), false))
			fail_msg("text %zu as " STR_FMT, i, STR_ARG(buf_view(&all)));
		buf_done(&header), buf_done(&lines), buf_done(&all);
	}
	assert_true(blocks > 5);
}

TEST(what_means_nothing_is_written_as_it_is)
{
	static const char *const plain[] = {"outerwear >= 3 in 14d and not purchase in 30d",
	    "/coats/*", "size < 500", "2099-01-31"};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		assert_true(yaml_write_is_plain(str_c(plain[i]), YAML_IN_BLOCK));
}

TEST(values_are_numbers_lists_and_maps)
{
	json_t *v = json_pack("{s:[s,s],s:i,s:b,s:f,s:{s:s}}", "path", "/a", "b, c", "n", 12, "t",
	    1, "f", 2.5, "in", "a", "x: y");
	struct buf b = {0};
	yaml_write_value(v, YAML_IN_BLOCK, YAML_UNQUOTED, &b);
	assert_true(str_eq(
	    buf_view(&b), STR("{path: [/a, 'b, c'], n: 12, t: true, f: 2.5, in: {a: 'x: y'}}")));
	buf_done(&b);
	json_decref(v);
}

UNIT_TESTS(cmocka_unit_test(every_text_reads_back_in_every_style_and_place),
    cmocka_unit_test(a_text_of_lines_reads_back_as_a_block),
    cmocka_unit_test(what_means_nothing_is_written_as_it_is),
    cmocka_unit_test(values_are_numbers_lists_and_maps))
