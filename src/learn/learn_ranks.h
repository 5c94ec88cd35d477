/* What the ranks of held-out seeds say.
 *
 * A spot is where a seed stands among the others: {0.10, 0.12} says that a tenth of the others rank
 * before the seed, and two of a hundred rank the same. Reaching for 0.10 does not find the seed,
 * reaching for 0.12 does, and reaching for 0.11 finds half of it. From the spots of all seeds come
 * the area under the curve (the share of pairs of a seed and another that are in the right order,
 * ties counting half), and the curve itself: recall by reach. A ranking is 16 KB.
 *
 * Pure functions, any thread. */
#ifndef CRUMB_SRC_LEARN_LEARN_RANKS_H
#define CRUMB_SRC_LEARN_LEARN_RANKS_H

#include "crumb/rules/like.h"

/* The shares of others who rank before a seed, and with those who rank the same. */
struct spot {
	double before, with;
};

#define CURVE_STEPS 2000 /* of reach, up to CURVE_REACH */
#define CURVE_REACH 0.5

/* recall[i]: the share of seeds that is found by reaching for CURVE_REACH × i / CURVE_STEPS of the
 * others. */
struct ranking {
	double auc;
	double recall[CURVE_STEPS + 1];
};

/* How many seeds there are for each other who ranks so. */
struct chance {
	double score;
	double reach; /* the share of others who rank before */
	double chance;
};

/* Adds a seed that counts `weight`; the weights of all sum up to 1. Then, once, ranking_end(). */
void ranking_add(struct ranking *r, const struct spot *p, double weight);
void ranking_end(struct ranking *r);

/* The share of seeds that is found by reaching for a share of the others, up to CURVE_REACH. */
double ranking_recall(const struct ranking *r, double reach);
/* The largest share whose members are at least so many times likelier than anybody to be of the
 * seed's kind; 0: none. */
double ranking_reach(const struct ranking *r, size_t seeds, double lift);
/* Where the recall among as many others of the seed's kind lies, 19 times of 20. */
void ranking_band(double recall, double seeds, double *low, double *high);

struct scored_row {
	double score;
	bool seed;
};
/* Pooled until chances never fall as scores rise (Ayer and others 1955), from groups of seeds that
 * are large enough to count. Sorts the rows; `out`, for LIKE_KNOTS_MOST, gets the worst first. */
unsigned chances_calibrate(
    struct scored_row *rows, size_t n, double seed_stands, double other_stands, struct chance *out);

/* What scores mean. A rehearsal says what ranks mean; scores of the model, which has seen all of
 * the seed, may be wider or narrower than those of the rehearsal. `scores` are the population's,
 * highest first; their chances sum up to the number of seeds. `out` has room for LIKE_KNOTS_MOST.
 */
unsigned chances_knots(const struct chance *chances, unsigned chances_n, const int64_t *scores,
    size_t n, double seeds, struct like_knot *out);

#endif
