/* Judging a training: chances, the band, the curve, and seeds by lot. */
#include "trained.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A training, and the scores of everybody outside the seed by its model, in millionths, highest
 * first. */
struct trained {
	struct learning *x;
	struct choice way;
	struct judged judged;
	struct outside {
		int64_t score;
		bool kind;
	} * outside;
	size_t n;
	double kinds;
};

static int highest_first(const void *a, const void *b)
{
	const struct outside *x = a, *y = b;
	return x->score != y->score ? (x->score > y->score ? -1 : 1) : x->kind - y->kind;
}

static struct trained *trained(size_t n, unsigned features, double share)
{
	struct trained *t = calloc(1, sizeof *t);
	bool *kind = calloc(n, sizeof *kind);
	double *w, *stretch;
	struct learning *x = t->x = made(n, features, 4, 0.35, share, kind);
	const struct sample *s = &x->sample;
	assert_int_equal(judge_choose(x, &t->way), OK);
	assert_int_equal(judge_well(x, &t->way, &t->judged), OK);
	assert_int_equal(judge_fit(x, &t->way, &w, &stretch), OK);
	t->outside = calloc(n, sizeof *t->outside);
	for (size_t i = 0; i < n; i++) {
		double sum = 0, square = 0;
		if (s->seed[i])
			continue;
		for (uint32_t at = s->from[i]; at < s->from[i + 1]; at++) {
			sum += w[s->items[at]];
			square += stretch[s->items[at]] * stretch[s->items[at]];
		}
		sum = w[features] + (t->way.unit && square > 0 ? sum / sqrt(square) : sum);
		t->kinds += kind[i];
		t->outside[t->n++] =
		    (struct outside){llround(sum * 1e6) * 100 + (int64_t)(lot() * 100),
			kind[i]}; /* ties are broken by lot */
	}
	qsort(t->outside, t->n, sizeof *t->outside, highest_first);
	free(kind);
	free(w);
	free(stretch);
	return t;
}

static void trained_free(struct trained *t)
{
	learning_free(t->x);
	free(t->outside);
	free(t);
}

TEST(chances_are_chances_by_bins_on_sets_of_any_size)
{
	static const size_t sizes[] = {3000, 40000, 200000};
	for (unsigned size = 0; size < 3; size++) {
		struct trained *t = trained(sizes[size], 12, 0.1);
		struct like_knot knots[LIKE_KNOTS_MOST];
		struct like_model m = {.knots = knots};
		int64_t *scores = calloc(t->n, sizeof *scores);
		double expected[5] = {0}, found[5] = {0}, all = 0, kinds = 0;
		for (size_t i = 0; i < t->n; i++)
			scores[i] = t->outside[i].score;
		m.knots_n = chances_knots(t->judged.chances, t->judged.chances_n, scores, t->n, (double)t->x->seeds, knots);
		assert_true(m.knots_n > 1);
		for (size_t i = 0; i < t->n; i++) {
			double p = like_chance(&m, scores[i]), reach = (double)i / (double)t->n;
			unsigned bin = reach < 0.01   ? 0
				       : reach < 0.05 ? 1
				       : reach < 0.1  ? 2
				       : reach < 0.3  ? 3
						      : 4;
			assert_true(p > 0 && p < 1);
			expected[bin] += p;
			found[bin] += t->outside[i].kind;
			all += p;
			kinds += t->outside[i].kind;
		}
		/* the seeds are half of the kind by lot: what is told is as sure as that */
		assert_true(fabs(all - kinds) < 0.03 * kinds + 4 * sqrt(kinds));
		for (unsigned bin = 0; bin < 5; bin++)
			if (fabs(expected[bin] - found[bin]) >
			    0.12 * found[bin] + 4 * sqrt(2 * found[bin] + 1))
				fail_msg("%zu visitors, bin %u: expected %.0f, are %.0f",
				    sizes[size], bin, expected[bin], found[bin]);
		free(scores);
		trained_free(t);
	}
}

TEST(calibration_stays_between_nothing_and_all)
{
	struct scored_row rows[600];
	struct chance out[LIKE_KNOTS_MOST];
	for (unsigned apart = 0; apart < 3;
	     apart++) { /* nothing tells them apart; something; everything */
		for (unsigned i = 0; i < 600; i++)
			rows[i] = (struct scored_row){(apart == 2 && i < 100 ? 1e5
							  : apart && i < 100 ? 0.5
									     : 0) +
							  lot(),
			    i < 100};
		unsigned n = chances_calibrate(rows, 600, 1, 10, out);
		assert_true(n >= 1 && n <= LIKE_KNOTS_MOST);
		for (unsigned i = 0; i < n; i++) {
			assert_true(out[i].chance > 0 && out[i].chance < 1);
			assert_true(out[i].reach >= 0 && out[i].reach <= 1);
			assert_true(i == 0 || (out[i].chance > out[i - 1].chance &&
						  out[i].score > out[i - 1].score &&
						  out[i].reach < out[i - 1].reach));
		}
	}
	for (unsigned i = 0; i < 600; i++) /* all the same */
		rows[i] = (struct scored_row){1, i < 100};
	assert_int_equal(chances_calibrate(rows, 600, 1, 1, out), 1);
	assert_true(fabs(out[0].chance - 0.2) < 0.01 && fabs(out[0].reach - 0.5) < 1e-9);
	assert_int_equal(chances_calibrate(rows, 0, 1, 1, out), 0);
}

TEST(the_band_holds_what_as_many_others_show)
{
	unsigned inside = 0;
	for (unsigned i = 0; i < 400; i++) {
		const double recall = 0.15, n = 300;
		double here = 0, there = 0, low, high;
		for (unsigned k = 0; k < 300; k++) {
			here += lot() < recall;
			there += lot() < recall;
		}
		ranking_band(here / n, n, &low, &high);
		assert_true(low <= here / n && here / n <= high);
		inside += low <= there / n && there / n <= high;
	}
	assert_in_range(inside, 372, 398); /* 95 of 100 are 380 */
}

TEST(the_curve_holds_in_trainings_whose_truth_is_known)
{
	unsigned inside = 0;
	for (unsigned i = 0; i < 40; i++) {
		struct trained *t = trained(4000, 12, 0.12);
		for (unsigned at = 0; at < 3; at++) {
			static const double reaches[] = {0.01, 0.05, 0.1};
			double found = 0, low, high;
			for (size_t k = 0; k < (size_t)(reaches[at] * (double)t->n); k++)
				found += t->outside[k].kind;
			ranking_band(ranking_recall(&t->judged.model, reaches[at]),
			    (double)t->judged.seeds, &low, &high);
			inside += low <= found / t->kinds && found / t->kinds <= high;
		}
		trained_free(t);
	}
	assert_in_range(inside, 108, 120); /* 114 are 95 % */
}

TEST(the_largest_reach_that_keeps_a_lift)
{
	struct ranking *r = calloc(1, sizeof *r);
	for (unsigned i = 0; i <= CURVE_STEPS;
	     i++) { /* the first tenth finds half, the rest the rest */
		double reach = CURVE_REACH * i / CURVE_STEPS;
		r->recall[i] = reach < 0.1 ? 5 * reach : 0.5 + (reach - 0.1) / 0.9 * 0.5;
	}
	assert_true(fabs(ranking_reach(r, 1000, 5) - 0.1) < 0.001);
	assert_true(fabs(ranking_reach(r, 1000, 3) - 0.1818) < 0.002);
	assert_true(ranking_reach(r, 1000, 6) == 0);
	assert_true(ranking_reach(r, 15, 5) == 0); /* seven seeds are hearsay */
	assert_true(fabs(ranking_recall(r, 0.05) - 0.25) < 0.001 &&
		    fabs(ranking_recall(r, 0.5) - r->recall[CURVE_STEPS]) < 1e-12);
	free(r);
}

/* Of 1,000 seeds the first try finds 300; the second finds `gained` others, and loses `lost` of
 * them. */
static unsigned better_top(double area, unsigned gained, unsigned lost)
{
	uint32_t found[1000];
	struct tries all = {.auc = {0.9, area, 0.5}, .n = 3, .best = 0, .found = found};
	for (unsigned i = 0; i < 1000; i++)
		found[i] = (i < 300) | (uint32_t)(i >= lost && i < 300 + gained) << 1 |
			   4u; /* the third finds all, and ranks badly */
	return judge_best_at_top(&all, 1000);
}

TEST(of_what_ranks_as_well_the_better_top_is_chosen)
{
	assert_int_equal(better_top(0.899, 40, 10), 1); /* 30 more, and 50 apart: four deviations */
	assert_int_equal(better_top(0.899, 45, 40), 0); /* 5 more of 85 are chance */
	assert_int_equal(better_top(0.899, 10, 40), 0);
	assert_int_equal(better_top(0.89, 40, 10), 0); /* it costs too much area */
	assert_int_equal(better_top(0.9, 0, 0), 0);
}

/* Seeds by lot: fewer than one in a hundred may be taken for something (three deviations, and the
 * choice among forms). */
TEST(seeds_by_lot_are_refused)
{
	const char *more = getenv("CRUMB_NOISE");
	unsigned taken = 0, tries = more ? 200 : 40;
	for (unsigned i = 0; i < tries; i++) {
		struct learning *x = made(1200, 20, 0, 0, 0.2, NULL);
		struct choice way;
		struct judged *j = malloc(sizeof *j);
		assert_int_equal(judge_choose(x, &way), OK);
		assert_int_equal(judge_well(x, &way, j), OK);
		double n = (double)x->seeds, m = (double)x->others;
		taken += j->model.auc >= 0.5 + LEARN_NOISE * sqrt((n + m + 1) / (12 * n * m)) &&
			 j->model.auc >= 0.52;
		free(j);
		learning_free(x);
	}
	if (more)
		printf("%u of %u seeds by lot were taken\n", taken, tries);
	assert_true(taken * 100 <= tries + 60);
}

UNIT_TESTS(cmocka_unit_test(chances_are_chances_by_bins_on_sets_of_any_size),
    cmocka_unit_test(calibration_stays_between_nothing_and_all),
    cmocka_unit_test(the_band_holds_what_as_many_others_show),
    cmocka_unit_test(the_curve_holds_in_trainings_whose_truth_is_known),
    cmocka_unit_test(the_largest_reach_that_keeps_a_lift),
    cmocka_unit_test(of_what_ranks_as_well_the_better_top_is_chosen),
    cmocka_unit_test(seeds_by_lot_are_refused))
