/* Training of a lookalike: who of the population behaves like the members of its seed.
 *
 *     1  count      everybody's profile is read: who has which feature      src/learn/learn_read.c
 *     2  sample     read again: at most 100,000 seeds and 150,000 others    src/learn/learn_read.c
 *     3  choose     four forms of the rows, and penalties, by 4 folds       src/learn/learn_judge.c
 *     4  rehearse   how good the choice is, by 8 finer folds                src/learn/learn_judge.c
 *     5  fit        one weight a feature, from the whole sample             src/learn/learn_fit.c
 *     6  cut        read a third time: everybody's score, and the border    src/learn/learn.c
 *
 * Seeds are the members of the seed segment. Others are everybody else whom the condition admits,
 * and some of them are what is looked for: positive and unlabelled data (Elkan, Noto 2008). For a
 * ranking that needs nothing but that seeds are taken at random. The model is a logistic regression
 * with an L2 penalty. How good a model is is told from seeds that were put among the others and
 * looked for there (src/learn/learn_judge.h).
 *
 * Not learned from: categories that the seed's condition names, and those above and below them, for
 * they would say who is in the seed and nothing else; what the rules exclude; sensitive categories
 * unless the rules allow them; features of fewer than k visitors. In a tree of categories the
 * leaves may have fewer, and what is above them stands for them.
 *
 * Deterministic: the same views give the same model, however many threads there are. Whom the
 * sample takes is drawn by a keyed hash of the visitor, sums run in the order of rows, and what
 * threads found is joined in an order of its own.
 *
 * Memory: 250,000 visitors with 40 features each are 250,000 × (40 × 4 + 12) bytes, 43 MB; visitors
 * with so many features that they would take more than 400 MB are fewer. The cut needs 8 bytes for
 * everybody of the population.
 *
 * Any thread; a training runs on as many threads as there are cores, and a generation is the
 * caller's for as long as the call. What is in a `struct learned` is the caller's until
 * learned_done(). */
#ifndef CRUMB_LEARN_LEARN_H
#define CRUMB_LEARN_LEARN_H

#include "crumb/views/view.h"
#include "crumb/rules/like.h"

#define LEARN_SEED_FLOOR 100 /* members of a seed, at least */
#define LEARN_SEED_FEW 1000  /* with fewer there is a warning */
/* Deviations from the area that chance gives: of seeds by lot fewer than one in a hundred get so
 * far (tests/unit/learn/learn_judge.c). */
#define LEARN_NOISE 4
#define LEARN_WARNINGS 4
#define LEARN_WARNING_MOST 300
#define CURVE_POINTS 8

/* All are shares from 0 to 1, but for `lift`. For example: reaching for a tenth of the population
 * (reach 0.1) finds four in ten of the held-out seeds (recall 0.4), which is a lift of 4. */
struct curve_point {
	double reach;  /* of the population */
	double recall; /* of held-out seeds */
	/* 19 times of 20 the recall among as many others of the seed's kind is between these. */
	double low, high;
	/* Of those who are reached: how many are of the seed's kind, if there are as many outside
	 * the seed as in it. */
	double precision;
	double lift;		/* recall / reach */
	double activity_recall; /* by the number of different categories alone */
};
struct learned_feature {
	struct feature f;	   /* the word of a fact is its own memory */
	int64_t w;		   /* millionths */
	uint64_t square;	   /* 10^-12; what it adds to the square of a row's length */
	double in_seed, in_others; /* shares who have it; below 0: too few to tell */
	unsigned number;
};
struct learned {
	uint64_t seed, population; /* rounded like all that is told */
	double auc, activity_auc, lift_at_10;
	double c; /* the penalty's inverse */
	struct curve_point curve[CURVE_POINTS];
	struct learned_feature *features; /* largest weight first */
	unsigned features_n;
	bool unit;		 /* rows have length one */
	int64_t bias, threshold; /* millionths; who scores at least the threshold is in */
	struct like_knot knots[LIKE_KNOTS_MOST]; /* what scores mean */
	unsigned knots_n;
	uint64_t size; /* who would be in it now; exact */
	char warnings[LEARN_WARNINGS][LEARN_WARNING_MOST];
	unsigned warnings_n;
};

/* ERR_USAGE: nothing can be learned, and err_text() says why in words for people. ERR_BUSY: `stop`
 * became true; NULL: it never does. */
enum err learn(struct generation *g, const struct config *c, uint16_t segment, uint32_t now,
    const _Atomic bool *stop, struct learned *out) MUST_CHECK;
/* Figures as they are told: shares in hundredths, for six digits of a share give away the two
 * numbers that it is a share of. */
void learned_coarsen(struct learned *l);
void learned_done(struct learned *l);
/* The model as a file (rules/like.h); free() it. */
char *learned_file(
    const struct rules *r, uint16_t segment, const struct learned *l, uint16_t today);

/* Scores of everybody in the population, or the training matrix of a segment: calls `each` in order
 * of shard and key. */
struct learn_row {
	struct vkey visitor;
	const struct profile *profile;
	int64_t score;
	/* To be of the seed's kind, if there are as many outside the seed as in it. */
	double probability;
	/* In a matrix: what makes the seed and the others count the same in sum. */
	double weight;
	bool seed;
	const uint32_t *features; /* numbers of features that hold, for a matrix */
	unsigned n;
};
enum err learn_scores(struct generation *g, uint16_t segment, uint32_t now,
    enum err (*each)(void *arg, const struct learn_row *row), void *arg) MUST_CHECK;
/* The matrix that training would use for any segment as the seed; *names get the features' names,
 * free() each and the list. */
enum err learn_matrix(struct generation *g, const struct config *c, uint16_t segment, uint32_t now,
    char ***names, unsigned *names_n, enum err (*each)(void *arg, const struct learn_row *row),
    void *arg) MUST_CHECK;

#endif
