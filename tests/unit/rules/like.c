/* Scores and chances of a model, and models that are none. */
#include "loaded.h"

#include "crumb/rules/like.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The scores of a model of two categories, whose squares are chosen so that roots are not whole. */
TEST(a_score_is_the_sum_divided_by_the_length_in_whole_numbers)
{
	struct like_weight weights[] = {{{.kind = FEATURE_DAYS, .cat = 1}, 1500001, 3000000000001},
	    {{.kind = FEATURE_DAYS, .cat = 2}, -700003, 1000000000000},
	    {{.kind = FEATURE_ACTIVE, .n = 2}, 90001, 2000000000003}};
	uint32_t *first = calloc(LIKE_FIRST, sizeof *first);
	struct like_model m = {
	    .weights = weights, .n = 3, .first = first, .bias = -2000005, .unit = true};
	struct profile p = {0};
	like_index(&m);
	assert_int_equal(like_score(&m, &p, 20000), -2000005);
	profile_add(&p, 0, 20000, 1);
	profile_add(&p, 1, 20000, 1);
	/* root of 3 × 10^12 + 1, rounded down, is 1732050 */
	assert_int_equal(like_length(&m, &p, 20000), 1732050);
	assert_int_equal(like_score(&m, &p, 20000), -2000005 + 1500001ll * 1000000 / 1732050);
	profile_add(&p, 2, 20000, 1);
	assert_true(like_holds(&m, 2, &p, 20000));
	assert_int_equal(like_length(&m, &p, 20000), 2449489);
	assert_int_equal(
	    like_score(&m, &p, 20000), -2000005 + (1500001ll - 700003 + 90001) * 1000000 / 2449489);
	weights[0].w = 0; /* towards zero, not down */
	assert_int_equal(
	    like_score(&m, &p, 20000), -2000005 - (700003ll - 90001) * 1000000 / 2449489);
	m.unit = false;
	assert_int_equal(like_score(&m, &p, 20000), -2000005 - 700003 + 90001);
	profile_done(&p);
	free(first);
}

TEST(chances_lie_on_the_lines_between_knots)
{
	struct like_knot knots[] = {{-1000000, 0.1}, {1000000, 0.3}, {3000000, 0.9}};
	struct like_model m = {.knots = knots, .knots_n = 3};
	assert_true(like_chance(&m, -5000000) == 0.1 && like_chance(&m, 9000000) == 0.9);
	assert_true(
	    fabs(like_chance(&m, 0) - 0.2) < 1e-12 && fabs(like_chance(&m, 2000000) - 0.6) < 1e-12);
	struct like_model old = {.slope = 2, .shift = -1};
	assert_true(fabs(like_chance(&old, 500000) - 0.5) < 1e-12);
}

static enum err model(struct rules *r, const char *bias, const char *w, const char *knot)
{
	char text[500];
	struct like_model *m;
	uint16_t until;
	snprintf(text, sizeof text,
	    "{\"crumb_model\":2,\"trained\":\"2026-11-01\",\"bias\":%s,\"threshold\":0,\"chances\":"
	    "[[%s,0.5]],\"features\":[{\"f\":\"device:mobile\",\"w\":%s}]}",
	    bias, knot, w);
	return like_read(r, str_c(text), &m, &until);
}

TEST(a_model_whose_sums_would_run_over_is_none)
{
	struct rules *r = load("version: 1\ncategories: [{id: coats, any: [{path: /coats/*}]}]\n");
	static const char *const wrong[] = {"-9223372036854775808", "9223372036854775807",
	    "-10000000000000001", "10000000000000001", "0.5", "\"1\"", "null"};
	assert_int_equal(model(r, "-10000000000000000", "-10000000000", "10000000000000000"), OK);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(model(r, wrong[i], "1", "1"), ERR_SYNTAX);
		assert_int_equal(model(r, "1", wrong[i], "1"), ERR_SYNTAX);
		assert_int_equal(model(r, "1", "1", wrong[i]), ERR_SYNTAX);
	}
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(a_score_is_the_sum_divided_by_the_length_in_whole_numbers),
    cmocka_unit_test(chances_lie_on_the_lines_between_knots),
    cmocka_unit_test(a_model_whose_sums_would_run_over_is_none))
