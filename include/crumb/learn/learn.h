/* Training of a lookalike: who of the population behaves like the members of its seed.
 *
 * Everybody's profile is read three times, shards side by side: to count features, to take a
 * sample, to score. Positives are the seed's members; negatives a sample, by keyed hash, of
 * everybody else whom the condition admits, and some of them are what is looked for: positive and
 * unlabelled data (Elkan, Noto 2008), for which a ranking needs nothing but that seeds are taken at
 * random. The model is a logistic regression with an L2 penalty; whether rows have length one,
 * whether rare features weigh more, whether what appears together shares its weight, and the
 * penalty are chosen by folds; how good it is is told from seeds that were put among the others and
 * looked for there (src/learn/learn_judge.h). Deterministic: the same views give the same model,
 * however many threads there are.
 *
 * Not learned from: categories that the seed's condition names, those above and below them (they
 * would say who is in the seed, and nothing else), what the rules exclude, sensitive categories
 * unless the rules allow them, and features of fewer than k visitors: of a category tree its leaves
 * may have fewer, and what is above them stands for them. */
#ifndef CRUMB_LEARN_LEARN_H
#define CRUMB_LEARN_LEARN_H

#include "crumb/views/view.h"
#include "crumb/rules/like.h"

#define LEARN_SEED_FLOOR 100
#define LEARN_SEED_FEW 1000
#define LEARN_NOISE                                                                                \
	4 /* deviations from the area that chance gives: of seeds by lot fewer than one in a       \
	     hundred get so far (tests/unit/learn/learn_judge.c) */
#define LEARN_WARNINGS 4
#define LEARN_WARNING_MOST 300
#define CURVE_POINTS 8

struct curve_point {
	double reach;		  /* share of the population */
	double recall, low, high; /* of held-out seeds; 19 times of 20 the share of as many others
				     of their kind is in between */
	double precision; /* of those who are reached: share who are of the seed's kind, if there
			     are as many outside the seed as in it */
	double lift, activity_recall; /* activity: by the number of different categories alone */
};
struct learned_feature {
	struct feature f;
	int64_t w;
	uint64_t square;
	double in_seed, in_others; /* shares who have it; below 0: too few to tell */
	unsigned number;
};
struct learned {
	uint64_t seed, population; /* rounded like all that is told */
	double auc, activity_auc, lift_at_10, c /* the penalty's inverse */;
	struct curve_point curve[CURVE_POINTS];
	struct learned_feature *features; /* largest weight first */
	unsigned features_n;
	bool unit; /* rows have length one */
	int64_t bias, threshold;
	struct like_knot knots[LIKE_KNOTS_MOST]; /* what scores mean */
	unsigned knots_n;
	uint64_t size; /* who would be in it now; exact */
	char warnings[LEARN_WARNINGS][LEARN_WARNING_MOST];
	unsigned warnings_n;
};

/* ERR_USAGE: it cannot be learned, and err_text() says why in words for people. */
enum err learn(struct generation *g, const struct config *c, uint16_t segment, uint32_t now,
    const _Atomic bool *stop, struct learned *out) MUST_CHECK;
/* Figures as they are told. Six digits of a share give away the two numbers that it is a share of.
 */
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
	double probability; /* to be of the seed's kind, if there are as many outside the seed as in
			       it */
	double weight; /* in a matrix: what makes the seed and the others count the same in sum */
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
