/* delivery/export: a segment to a file, whole or not at all. */
#include "folded.h"

#include "crumb/base/file.h"
#include "crumb/delivery/export.h"

static struct folded *world;
static char into[100];

static int begin(void **state)
{
	char option[200];
	if (make_medium(state) != 0)
		return -1;
	world = open_folded(SHOP);
	snprintf(into, sizeof into, "%s/into", folder);
	snprintf(option, sizeof option, "destinations.path=%s/none.yaml", folder);
	return config_set(&world->c, "privacy.k=20") != OK || config_set(&world->c, option) != OK;
}

static int end(void **state)
{
	close_folded(world);
	return drop_medium(state);
}
#define EXPORTING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void keen(unsigned n)
{
	for (uint8_t i = 1; i <= n; i++) {
		look(world, i, NOON, "/coats");
		look(world, i, NOON, "/coats");
	}
	fold(world, NOON);
}

static struct export_result exported(const char *form, enum export_group group, const char *whom)
{
	struct export_result r;
	uint16_t keen_number = (uint16_t)rules_segment(world->g->rules, STR("keen"));
	if (export_segment(world->g, &world->c, keen_number, export_form_find(str_c(form)), group,
		whom, into, NOON, NULL, &r) != OK)
		fail_msg("%s", err_text());
	return r;
}

static struct buf text_of(const char *name)
{
	char path[200];
	struct buf b = {0};
	snprintf(path, sizeof path, "%s/%s", into, name);
	assert_int_equal(file_read(path, 1 << 20, &b), OK);
	return b;
}

static unsigned lines(const struct buf *b)
{
	unsigned n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

TEST(each_member_is_a_row_that_says_when_it_ends)
{
	keen(25);
	struct export_result r = exported("csv", EXPORT_TARGET, "lake");
	assert_true(r.told && r.rows == 25);
	struct buf b = text_of("keen.csv"), m = text_of("keen.manifest.json");
	assert_int_equal(lines(&b), 26);
	assert_true(str_starts(buf_view(&b), STR("id,segment,expires\n")));
	assert_true(str_has(buf_view(&b), STR(",keen,2026-09-11\n")));
	assert_true(str_has(buf_view(&m), STR("\"rows\": 25")));
	buf_done(&b);
	buf_done(&m);
}

TEST(below_k_the_file_has_no_row)
{
	keen(19);
	struct export_result r = exported("csv", EXPORT_TARGET, "lake");
	assert_true(!r.told && r.rows == 0);
	struct buf b = text_of("keen.csv");
	assert_int_equal(lines(&b), 1);
	buf_done(&b);
}

TEST(two_partners_know_a_visitor_by_different_names)
{
	keen(25);
	exported("csv", EXPORT_TARGET, "lake");
	struct buf one = text_of("keen.csv");
	exported("csv", EXPORT_TARGET, "other");
	struct buf two = text_of("keen.csv");
	exported("csv", EXPORT_TARGET, "lake");
	struct buf again = text_of("keen.csv");
	assert_false(str_eq(buf_view(&one), buf_view(&two)));
	assert_true(str_eq(buf_view(&one), buf_view(&again)));
	assert_false(str_has(buf_view(&one), STR("0000010000000000")));
	buf_done(&one);
	buf_done(&two);
	buf_done(&again);
}

TEST(nobody_is_held_out_of_a_segment_without_a_split)
{
	keen(25);
	assert_int_equal(exported("csv", EXPORT_HOLDOUT, "lake").rows, 0);
}

TEST(forms_are_found_by_name)
{
	assert_ptr_equal(export_form_find(STR("csv")), &export_forms[0]);
	assert_null(export_form_find(STR("xls")));
	for (const struct export_form *f = export_forms; f->name; f++) {
		char line[EXPORT_LINE];
		assert_true(f->line("id-1", "keen", "2026-09-11", line) > 0);
		assert_non_null(strstr(line, "id-1"));
		assert_non_null(strstr(line, "2026-09-11"));
	}
}

TEST(a_segment_that_is_paused_over_or_sensitive_goes_to_nobody)
{
	static const struct {
		const char *id;
		enum err e;
		const char *why;
	} rows[] = {{"still", ERR_USAGE, "is paused"}, {"past", ERR_USAGE, "is ended"},
	    {"ill", ERR_USAGE, "uses a sensitive category"}, {"going", OK, ""}};
	struct destinations none = {.found = false};
	const struct destination *d;
	struct rules *r = load("version: 1\ncategories: [{id: c, any: [{path: /c}]}, {id: s, "
			       "sensitive: true, any: [{path: /s}]}]\nsegments:\n"
			       "  - {id: still, state: paused, when: c}\n"
			       "  - {id: past, until: 2026-09-03, when: c}\n"
			       "  - {id: ill, when: s}\n  - {id: going, when: c}\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint16_t n = (uint16_t)rules_segment(r, str_c(rows[i].id));
		enum err e = export_may_go(r, &world->c, n, STR("lake"), NOON, &none, &d);
		if (e != rows[i].e || (e && !strstr(err_text(), rows[i].why)))
			fail_msg("%s: %d %s", rows[i].id, e, err_text());
		assert_null(d);
	}
	rules_unref(r);
}

UNIT_TESTS(EXPORTING(each_member_is_a_row_that_says_when_it_ends),
    EXPORTING(below_k_the_file_has_no_row),
    EXPORTING(two_partners_know_a_visitor_by_different_names),
    EXPORTING(nobody_is_held_out_of_a_segment_without_a_split), EXPORTING(forms_are_found_by_name),
    EXPORTING(a_segment_that_is_paused_over_or_sensitive_goes_to_nobody))
