/* A report is made once for a day and its rules, kept, and read again. */
#include "viewed.h"

#include "crumb/report/dailies.h"

#include <jansson.h>

static struct daily *made(struct dailies *d, struct views *v, uint32_t now)
{
	struct kgate gate = {0};
	assert_int_equal(dailies_make(d, v->g, &gate, now, NULL), OK);
	return dailies_kept(d);
}

static long long number_of(const struct daily *d, struct views *v, const char *field)
{
	json_t *segment;
	assert_int_equal(daily_segment_json(d, v->g->rules, STR("fans"), &segment), OK);
	json_t *n = json_object_get(segment, field);
	long long out = json_is_integer(n) ? json_integer_value(n) : -1;
	json_decref(segment);
	return out;
}

static void put_crowd(struct views *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_visitor(v, (uint8_t)(i + 1), TODAY);
}

TEST(a_report_is_made_once_for_a_day_and_its_rules)
{
	struct views v = open_views();
	struct dailies *d = dailies_new(v.s->path, 20);
	put_crowd(&v, 30);
	assert_null(dailies_kept(d));
	assert_false(dailies_lost(d)); /* there was none */
	struct daily *first = made(d, &v, NOW);
	assert_int_equal(number_of(first, &v, "size"), 30);
	put_crowd(&v, 60);
	struct daily *again = made(d, &v, NOW + 60);
	assert_ptr_equal(again, first);
	daily_unref(again);
	struct daily *next = made(d, &v, NOW + DAY_S);
	assert_int_equal(number_of(next, &v, "size"), 60);
	assert_int_equal(number_of(first, &v, "size"), 30); /* whoever has it still reads it */
	daily_unref(first);
	daily_unref(next);
	dailies_free(d);
	close_views(&v);
}

TEST(a_report_about_fewer_than_k_is_not_kept)
{
	struct views v = open_views();
	struct dailies *d = dailies_new(v.s->path, 20);
	put_crowd(&v, 19);
	assert_null(made(d, &v, NOW));
	put_crowd(&v, 20);
	struct daily *kept = made(d, &v, NOW);
	assert_int_equal(number_of(kept, &v, "visitors"), 20);
	daily_unref(kept);
	dailies_free(d);
	close_views(&v);
}

TEST(a_kept_report_is_read_again_and_a_damaged_one_is_made_anew)
{
	struct views v = open_views();
	struct dailies *d = dailies_new(v.s->path, 20);
	put_crowd(&v, 30);
	daily_unref(made(d, &v, NOW));
	dailies_free(d);
	put_crowd(&v, 60);
	d = dailies_new(v.s->path, 20);
	struct daily *kept = made(d, &v, NOW);
	assert_int_equal(number_of(kept, &v, "size"), 30);
	daily_unref(kept);
	dailies_free(d);
	FILE *f = open_file("reports/daily", "r+b");
	assert_true(fseek(f, 20, SEEK_SET) == 0 && fputc('#', f) == '#' && fclose(f) == 0);
	d = dailies_new(v.s->path, 20);
	assert_null(dailies_kept(d));
	assert_true(dailies_lost(d));
	kept = made(d, &v, NOW);
	assert_int_equal(number_of(kept, &v, "size"), 60);
	assert_false(dailies_lost(d));
	daily_unref(kept);
	dailies_free(d);
	close_views(&v);
}

TEST(a_report_for_a_smaller_k_is_made_anew)
{
	struct views v = open_views();
	struct dailies *d = dailies_new(v.s->path, 20);
	put_crowd(&v, 30);
	daily_unref(made(d, &v, NOW));
	dailies_free(d);
	d = dailies_new(v.s->path, 50);
	assert_null(dailies_kept(d));
	dailies_free(d);
	d = dailies_new(v.s->path, 20);
	struct daily *kept = dailies_kept(d);
	assert_non_null(kept);
	assert_int_equal(daily_k(kept), 20);
	daily_unref(kept);
	dailies_free(d);
	close_views(&v);
}

TEST(a_making_that_is_to_stop_leaves_nothing)
{
	struct views v = open_views();
	struct dailies *d = dailies_new(v.s->path, 20);
	struct kgate gate = {0};
	_Atomic bool stop = true;
	put_crowd(&v, 200);
	assert_int_equal(dailies_make(d, v.g, &gate, NOW, &stop), ERR_BUSY);
	assert_null(dailies_kept(d));
	assert_false(dailies_running(d));
	dailies_free(d);
	close_views(&v);
}

UNIT_TESTS(IN_FOLDER(a_report_is_made_once_for_a_day_and_its_rules),
    IN_FOLDER(a_report_about_fewer_than_k_is_not_kept),
    IN_FOLDER(a_kept_report_is_read_again_and_a_damaged_one_is_made_anew),
    IN_FOLDER(a_report_for_a_smaller_k_is_made_anew),
    IN_FOLDER(a_making_that_is_to_stop_leaves_nothing))
