/* Comparisons with a memory: their groups are questions. */
#include "viewed.h"

#include "crumb/ask/ask.h"

/* 44 fans, three visitors who looked at shoes weeks ago, and some who did so longer ago. */
static struct views shop(void)
{
	struct views v = open_views();
	for (uint8_t k = 1; k <= 44; k++)
		put_visitor(&v, k, TODAY);
	for (uint8_t k = 45; k <= 150; k++)
		put_visitor(&v, k, k > 47 ? TODAY - 60 : TODAY - 20);
	return v;
}

static const struct move *move_of(const struct move *moves, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(moves[i].id, id) == 0)
			return &moves[i];
	fail_msg("no %s", id);
	return NULL;
}

static enum err compare(
    struct views *v, const char *added, struct ask_memory *memory, struct move **moves, size_t *n)
{
	char text[400];
	snprintf(text, sizeof text, "%s%s", RULES, added);
	struct rules *r = load(text);
	struct kgate gate = {0};
	struct ask_side before = {v->g, v->g->rules}, after = {v->g, r};
	enum err e = ask_diff(&before, &after, &gate, memory, NOW, moves, n);
	rules_unref(r);
	return e;
}

#define ALL "  - id: all\n    when: shoes in 40d\n"

TEST(a_group_near_a_segment_is_told_with_its_number)
{
	struct views v = shop();
	struct ask_memory *m = ask_memory_new();
	struct move *moves;
	size_t n;
	assert_int_equal(compare(&v, ALL, NULL, &moves, &n), OK);
	assert_int_equal(moves[0].after.n, 50); /* 47, to whom may read the store */
	free(moves);
	assert_int_equal(compare(&v, ALL, m, &moves, &n), OK);
	assert_int_equal(moves[0].after.n, 40); /* as the 44 fans are told */
	assert_int_equal(moves[0].enter.n, 40);
	assert_false(moves[0].leave.told || moves[0].before.told || moves[0].stay.told);
	assert_true(moves[1].same);
	assert_int_equal(moves[1].before.n, 40);
	assert_int_equal(moves[1].stay.n, 40);
	free(moves);
	ask_memory_free(m);
	close_views(&v);
}

TEST(of_many_changed_segments_some_are_not_counted)
{
	struct views v = shop();
	struct ask_memory *m = ask_memory_new();
	struct move *moves;
	char added[2000] = "";
	size_t n, uncounted = 0;
	for (int i = 0; i < ASK_DIFF_MOST + 3; i++) {
		size_t at = strlen(added);
		snprintf(added + at, sizeof added - at, "  - {id: s%02d, when: shoes in 40d}\n", i);
	}
	char text[2400];
	snprintf(text, sizeof text, "%s%s", RULES, added);
	struct rules *r = load(text);
	struct kgate gate = {0};
	struct ask_side before = {v.g, v.g->rules}, after = {v.g, r};
	assert_int_equal(ask_diff(&before, &after, &gate, m, NOW, &moves, &n), OK);
	for (size_t i = 0; i < n; i++) {
		uncounted += moves[i].uncounted;
		assert_false(moves[i].uncounted && moves[i].after.told);
	}
	assert_int_equal(uncounted, 3);
	assert_int_equal(move_of(moves, n, "s00")->after.n, 40);
	free(moves);
	rules_unref(r);
	ask_memory_free(m);
	close_views(&v);
}

UNIT_TESTS(IN_FOLDER(a_group_near_a_segment_is_told_with_its_number),
    IN_FOLDER(of_many_changed_segments_some_are_not_counted))
