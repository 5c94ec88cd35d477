/* Fitting: no step makes it better. */
#include "trained.h"

#include <math.h>
#include <stdlib.h>

static double loss(
    const struct fit *f, const struct fit_cost *cost, const uint8_t *roles, const double *w)
{
	double sum = 0;
	for (unsigned j = 0; j < f->features; j++)
		sum += w[j] * w[j] / 2;
	for (unsigned k = 0; k < FIT_DIRECTIONS && f->directions; k++) {
		double along = 0;
		for (unsigned j = 0; j < f->features; j++)
			along += (double)f->directions[j * FIT_DIRECTIONS + k] * w[j];
		sum -= f->loose * along * along / 2;
	}
	for (size_t i = 0; i < f->rows; i++) {
		double m = fit_score(f, w, i);
		if (roles[i] != FIT_ABSENT)
			sum += cost->c * (roles[i] == FIT_SEED ? cost->seed * log1p(exp(-m))
							       : cost->other * log1p(exp(m)));
	}
	return sum;
}

TEST(no_step_from_the_fitted_weights_makes_it_better)
{
	struct learning *x = made(1500, 16, 4, 0.4, 0.2, NULL);
	uint8_t *roles = calloc(x->sample.n, 1);
	double stretch[16], w[17], near[17];
	float *directions = NULL;
	for (unsigned j = 0; j < 16; j++)
		stretch[j] = 1 + j / 8.0;
	for (size_t i = 0; i < x->sample.n; i++)
		roles[i] = i % 7 == 0 ? FIT_ABSENT : x->sample.seed[i] ? FIT_SEED : FIT_OTHER;
	for (unsigned form = 0; form < 4; form++) {
		struct fit f = {.rows = x->sample.n,
		    .from = x->sample.from,
		    .items = x->sample.items,
		    .features = 16,
		    .unit = form % 2,
		    .stretch = stretch};
		struct fit_cost cost = {1, 1, 0.3, 0.001};
		memset(w, 0, sizeof w);
		assert_int_equal(fit_begin(&f), OK);
		if (form >= 2) {
			assert_int_equal(fit_look_around(&f, 1000, &directions), OK);
			f.directions = directions;
			f.loose = 0.9;
			for (unsigned a = 0; a < 4; a++)
				for (unsigned b = 0; b <= a; b++) { /* 16 features have four */
					double product = 0;
					for (unsigned j = 0; j < 16; j++)
						product +=
						    (double)directions[j * FIT_DIRECTIONS + a] *
						    (double)directions[j * FIT_DIRECTIONS + b];
					assert_true(fabs(product - (a == b)) < 1e-5);
				}
		}
		assert_int_equal(fit_weights(&f, &cost, roles, w), OK);
		double here = loss(&f, &cost, roles, w);
		for (unsigned j = 0; j <= 16; j++)
			for (int way = -1; way <= 1; way += 2) {
				memcpy(near, w, sizeof w);
				near[j] += way * 0.05;
				assert_true(loss(&f, &cost, roles, near) > here - 1e-3);
			}
		fit_done(&f);
		free(directions);
		directions = NULL;
	}
	free(roles);
	learning_free(x);
}

TEST(the_bias_is_free)
{
	/* nothing but the bias can say that seeds are few, however strong the penalty */
	struct learning *x = made(2000, 4, 0, 0, 0.1, NULL);
	struct choice way = {.unit = true, .c = 1e-4};
	double *w, *stretch;
	assert_int_equal(judge_fit(x, &way, &w, &stretch), OK);
	double even = pow((double)x->seeds / (double)x->others, 0.5);
	assert_true(fabs(w[4] - log((double)x->seeds / ((double)x->others * even))) < 0.02);
	free(w);
	free(stretch);
	learning_free(x);
}

UNIT_TESTS(cmocka_unit_test(no_step_from_the_fitted_weights_makes_it_better),
    cmocka_unit_test(the_bias_is_free))
