/* Lookalikes: segments whose members a model finds. A model is a linear score over a profile.
 *
 * A model is a file of its own, JSON, portable, without ids of visitors:
 *
 *     {"crumb_model": 2, "id": …, "seed": …, "trained": "YYYY-MM-DD",
 *      "unit": true, "bias": N, "threshold": N,
 *      "chances": [[SCORE, CHANCE], …],
 *      "features": [{"f": "c90:apparel.coats", "w": N, "square": N, …}, …], …}
 *
 * Weights are whole millionths. Features:
 *
 *     c90:CATEGORY  c30:  c7:   something of the category in what is retained, in the last 30, in
 *                               the last 7 days: presence and recency
 *     n2:CATEGORY  n5:  n15:    at least so many events of it: frequency
 *     a5:interests              something of at least five different categories of the model
 *     country:US  device:mobile  os:ios  browser:chrome        facts
 *
 * A score is the bias and the sum of the weights whose features hold. In a model with "unit" that
 * sum is divided by the length of the visitor's row, so that much and little activity compare: the
 * root of the sum of the squares (in 10^-12) of the features that hold. For example, with the bias
 * -0.2 and two features that hold, of weights 0.9 and 0.3 and squares 0.64 and 0.36, the length is
 * 1 and the score -0.2 + 1.2 / 1 = 1.0, which stands here as 1,000,000. All of it is done in whole
 * numbers, the root rounded down, the quotient towards zero: the same on every machine and in every
 * order. Files of version 1 have neither squares nor `a`, and a sigmoid (slope, shift) for chances.
 *
 * The models in force stand in the bundle beside the files of rules, as "model:ID". So a new model
 * is a new rule set: its views are made from the serving ones like those of any change of
 * conditions, and the journal's record of activated rules is the record of the model. A model ends
 * with the data that it was made from: after 90 days nobody is in its lookalike, unless it was
 * trained anew.
 *
 * A model is of the rule set that it was read for, and constant like that: any thread. */
#ifndef CRUMB_RULES_LIKE_H
#define CRUMB_RULES_LIKE_H

#include "crumb/rules/rules.h"

#define LIKE_PREFIX "model:" /* of its name in the bundle */
#define LIKE_ACTIVE "interests"
#define LIKE_FIRST 65538 /* 65,536 categories, the end of the last, one to spare */
#define LIKE_CHANCE_MOST 0.999
#define LIKE_KNOTS_MOST 40
#define LIKE_WEIGHT_MOST 10000000000	  /* millionths; so that no sum runs over */
#define LIKE_SCORE_MOST 10000000000000000 /* millionths */
#define LIKE_SQUARE_LEAST 1000000000	  /* 10^-12 */
#define LIKE_SQUARE_MOST 1000000000000000 /* 10^-12 */
#define LIKE_LENGTH_LEAST 31622		  /* millionths: the root of the least square */

enum feature_kind { FEATURE_DAYS, FEATURE_COUNT, FEATURE_ACTIVE, FEATURE_FACT };
struct feature {
	enum feature_kind kind;
	uint16_t cat;	 /* DAYS, COUNT */
	uint8_t window;	 /* DAYS: 7, 30; 0: all that is retained */
	uint32_t n;	 /* COUNT, ACTIVE: at least */
	enum fact fact;	 /* FACT */
	struct str word; /* FACT */
};
struct like_weight {
	struct feature f;
	int64_t w;	 /* millionths */
	uint64_t square; /* 10^-12: what it adds to the square of a row's length */
};
/* What a score means; between two of them a straight line, beyond the ends a level one. */
struct like_knot {
	int64_t score;
	double chance;
};
struct like_model {
	struct like_weight *weights; /* those of categories first, sorted by category */
	unsigned n, facts_at;	     /* from there on facts and activity */
	/* LIKE_FIRST of them, by category: where its weights begin; [cat + 1] is where they end */
	uint32_t *first;
	bool unit;
	int64_t bias, threshold;
	struct like_knot *knots; /* ascending */
	unsigned knots_n;
	/* of files without knots: the chance is 1 / (1 + exp(−slope × score − shift)), the score in
	 * whole ones */
	double slope, shift;
	uint16_t trained;   /* day */
	struct hash16 hash; /* of the file */
};
/* What the rules say of a lookalike. */
struct lookalike {
	char *seed, *population, *exclude; /* population and exclude NULL: everybody, nobody */
	struct str *ignore;		   /* categories not to learn from */
	unsigned ignore_n;
	double reach, min_lift; /* 0: not asked for */
	long size;
	unsigned refresh_days;	  /* 0: by hand */
	bool sensitive;		  /* may learn from sensitive categories */
	struct like_model *model; /* NULL: not trained yet, nobody is in it */
};

/* False: it is no feature, or of a category that is not there. */
bool feature_parse(const struct rules *r, struct str name, struct feature *out);
#define FEATURE_NAME 200
void feature_name(const struct rules *r, const struct feature *f, char out[FEATURE_NAME]);
#define FEATURE_WORDS 400
/* The same for people: "Coats in the last 7 days". */
void feature_words(const struct rules *r, const struct feature *f, char out[FEATURE_WORDS]);
/* Sorts the weights and makes what looks them up; `first` has room. */
void like_index(struct like_model *m);
/* In millionths. */
int64_t like_score(const struct like_model *m, const struct profile *p, uint16_t today);
/* The parts of a score: does weight `i` hold, and what the sum of those that do is divided by, in
 * millionths. */
bool like_holds(const struct like_model *m, unsigned i, const struct profile *p, uint16_t today);
uint64_t like_length(const struct like_model *m, const struct profile *p, uint16_t today);
double like_chance(const struct like_model *m, int64_t score);
/* Reads a model file into the rules' arena; features that the rules do not have any more count
 * nothing. *until is the last day on which it is in force. ERR_SYNTAX: it is none. */
enum err like_read(
    struct rules *r, struct str text, struct like_model **out, uint16_t *until) MUST_CHECK;

#endif
