/* Which model, and how good it is.
 *
 * What a lookalike looks for are visitors of the seed's kind outside the seed, and training takes
 * them for others. So that is what is rehearsed: each fold's seeds in turn are put among the
 * others, in training too, and are looked for there. What is told of the model (area, curve,
 * chances) is how those seeds came out among the others, ranked against the others alone. By chance
 * they rank as anybody does, whatever is tried.
 *
 *     fold 0   seeds │ held out, among the others │ fitted to │ fitted to │ fitted to │
 *     fold 1   seeds │ fitted to │ held out, among the others │ fitted to │ fitted to │
 *     …
 *
 * A visitor's fold is drawn by the visitor's key, so that it is the same in each try. Folds run on
 * several threads; each writes its own weights and the scores of its own rows. */
#ifndef CRUMB_SRC_LEARN_LEARN_JUDGE_H
#define CRUMB_SRC_LEARN_LEARN_JUDGE_H

#include "learn_ranks.h"
#include "learning.h"

/* A way to fit. */
struct choice {
	bool unit;    /* rows of length one */
	bool rare;    /* a rare feature says more: tf-idf */
	double loose; /* what appears together shares its weight */
	double c;     /* the penalty's inverse, for a seed member that counts one */
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

#endif
