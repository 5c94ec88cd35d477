/* Which model, and how good it is.
 *
 * What a lookalike looks for are visitors of the seed's kind outside the seed, and training takes
 * them for others. So that is what is rehearsed: each fold's seeds in turn are put among the
 * others, in training too, and are looked for there. What is told of the model (area, curve,
 * chances) is how those seeds came out among the others, ranked against the others alone. By chance
 * they rank as anybody does, whatever is tried. */
#ifndef CRUMB_SRC_LEARN_LEARN_JUDGE_H
#define CRUMB_SRC_LEARN_LEARN_JUDGE_H

#include "learning.h"

/* A way to fit. */
struct choice {
	bool unit;    /* rows of length one */
	bool rare;    /* a rare feature says more: tf-idf */
	double loose; /* what appears together shares its weight */
	double c;     /* the penalty's inverse, for a seed member that counts one */
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

struct judged {
	struct ranking model, activity;
	size_t seeds;
	struct chance chances[LIKE_KNOTS_MOST]; /* what ranks mean, the worst first */
	unsigned chances_n;
};

#define TRIES_MOST 32

/* What was tried in choosing, and whom it found: of each seed a bit for each try, whether it is at
 * the top. */
struct tries {
	struct choice way[TRIES_MOST];
	double auc[TRIES_MOST];
	unsigned n, best; /* best: of the largest area */
	double top;	  /* the share of the others */
	uint32_t *found;
};

/* Among those whose area is next to the best one's, the one that finds more at the top: so many
 * more that it is no chance, by the seeds that only one of the two has found (McNemar 1947). */
unsigned judge_best_at_top(const struct tries *all, size_t seeds);

/* Chooses among forms and penalties by folds: the largest area, and of what comes next to that the
 * best top (x->reach). */
enum err judge_choose(struct learning *x, struct choice *out) MUST_CHECK;
/* How good the choice is, from finer folds. */
enum err judge_well(struct learning *x, const struct choice *way, struct judged *out) MUST_CHECK;
/* The weights of the choice from the whole sample, in what stands in a row before it is divided by
 * its length; the bias behind. stretch: what a feature adds to that length. free() both. */
enum err judge_fit(
    struct learning *x, const struct choice *way, double **w, double **stretch) MUST_CHECK;

/* The share of seeds that is found by reaching for a share of the others, up to CURVE_REACH. */
double ranking_recall(const struct ranking *r, double reach);
/* The largest share whose members are at least so many times likelier than anybody to be of the
 * seed's kind; 0: none. */
double ranking_reach(const struct ranking *r, size_t seeds, double lift);
/* Where the recall among as many others of the seed's kind lies, 19 times of 20. */
void judge_band(double recall, double seeds, double *low, double *high);

struct scored_row {
	double score;
	bool seed;
};
/* Pooled until chances never fall as scores rise (Ayer and others 1955), from groups of seeds that
 * are large enough to count. Sorts the rows; `out`, for LIKE_KNOTS_MOST, gets the worst first. */
unsigned judge_calibrate(
    struct scored_row *rows, size_t n, double seed_stands, double other_stands, struct chance *out);

/* What scores mean. A rehearsal says what ranks mean: scores of the model, which has seen all of
 * the seed, may be wider or narrower than its. `scores` are the population's, highest first; their
 * chances sum up to the number of seeds. `out` has room for LIKE_KNOTS_MOST. */
unsigned judge_knots(
    const struct judged *j, const int64_t *scores, size_t n, double seeds, struct like_knot *out);

#endif
