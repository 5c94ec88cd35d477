/* Fitting the weights of a lookalike: a logistic regression over indicators, its penalty quadratic,
 * its bias free.
 *
 * A row is the list of the features that hold. In a feature j that holds stands stretch[j] (1, or
 * more for a rare one: tf-idf), and in `unit` forms each row is divided by its length, so that it
 * has length 1. Minimised over weights w and bias b is
 *
 *     ½ (|w|² − loose |V'w|²) + c Σ cost[seed] log(1 + exp(∓ (b + x'w)))
 *
 * V, features × directions, orthonormal, is where the rows vary most (the leading right singular
 * vectors of their matrix, by subspace iteration; Halko, Martinsson, Tropp 2011). Penalising them
 * less is what adding the rows' coordinates in that space as further features does, folded back:
 * what appears together shares its weight, and there is still one weight a feature.
 *
 * For example, three rows of which the first has the features 0 and 2, the second the feature 1,
 * the third none:
 *
 *     from   0 2 3 3          a row's features are items[from[i]] to items[from[i + 1] - 1]
 *     items  0 2 1
 *
 * With stretch all 1 and `unit` the first row is (0.71, 0, 0.71), so `scale` of it is 0.71.
 *
 * By Newton's method with conjugate gradients (Lin, Weng, Keerthi 2008) and their diagonal as the
 * preconditioner. Nothing is random; sums run in order of rows, so that the same rows give the same
 * bits.
 *
 * Memory of a fit: 32 bytes a row and 80 bytes a feature, beside the rows themselves; directions
 * are 256 bytes a feature. Fits run on several threads side by side, each with its own weights:
 * what a struct fit points to is read only. */
#ifndef CRUMB_SRC_LEARN_LEARN_FIT_H
#define CRUMB_SRC_LEARN_LEARN_FIT_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIT_DIRECTIONS 64 /* a multiple of 4: they are summed four at a time */

enum fit_role { FIT_ABSENT, FIT_OTHER, FIT_SEED };

struct fit {
	size_t rows;
	const uint32_t *from, *items; /* rows + 1: where a row's features begin in `items` */
	unsigned features;
	bool unit;
	const double *stretch;
	float *scale;		 /* of each row; by fit_begin */
	const float *directions; /* FIT_DIRECTIONS of each feature; NULL: none */
	double loose;		 /* from 0 to below 1 */
};

/* What it points to stays the caller's; all but `scale` is set. */
enum err fit_begin(struct fit *f) MUST_CHECK;
/* Finds the directions, from about `most` rows: free() them. Of few features there are fewer; those
 * that are missing are nothing. */
enum err fit_look_around(const struct fit *f, size_t most, float **directions) MUST_CHECK;
void fit_done(struct fit *f);

struct fit_cost {
	double c, seed, other; /* c times what a seed, and another, that is fitted badly costs */
	/* The fit is done when the gradient is this part of what it is where only the bias is
	 * fitted. */
	double precise;
};
/* Weights of features, and of the bias behind them: begins with what they are. `roles`, of each
 * row, say whose side it is on (enum fit_role). */
enum err fit_weights(
    const struct fit *f, const struct fit_cost *cost, const uint8_t *roles, double *w) MUST_CHECK;
double fit_score(const struct fit *f, const double *w, size_t row);

#endif
