/* Lookalikes: segments whose members a model finds. A linear score over a profile, by feature name.
 *
 * A model is a file of its own, JSON, portable, without ids of visitors:
 *
 *     {"crumb_model":1, "id":…, "seed":…, "trained":"YYYY-MM-DD", "bias":N, "threshold":N, "features":[{"f":"c90:apparel.coats","w":N, …}, …], …}
 *
 * Weights are whole millionths: a score is a sum of integers, the same on every machine and in every order. Features:
 *
 *     c90:CATEGORY c30: c7:   something of it in what is retained, in the last 30, 7 days    presence and recency
 *     n2:CATEGORY n5: n15:    at least so many events of it                                  frequency
 *     country:US device:mobile os:ios browser:chrome                                         facts
 *
 * The models in force stand in the bundle beside the files of rules, as "model:ID": a new model is a new rule set, whose views are made from the
 * serving ones like those of any change of conditions, and the journal's record of activated rules is the record of the model. A model ends with the
 * data that it was made from: after 90 days nobody is in its lookalike, unless it was trained anew. */
#ifndef CRUMB_RULES_LIKE_H
#define CRUMB_RULES_LIKE_H

#include "crumb/rules/rules.h"

#define LIKE_PREFIX "model:"

enum feature_kind { FEATURE_DAYS, FEATURE_COUNT, FEATURE_FACT };
struct feature {
	enum feature_kind kind;
	uint16_t cat;	 /* DAYS, COUNT */
	uint8_t window;	 /* DAYS: 7, 30; 0: all that is retained */
	uint32_t n;	 /* COUNT: at least */
	enum fact fact;	 /* FACT */
	struct str word; /* FACT */
};
struct like_weight {
	struct feature f;
	int64_t w; /* millionths */
};
struct like_model {
	struct like_weight *weights; /* those of categories first, sorted by category */
	unsigned n, facts_at;	     /* from there on facts */
	uint32_t *first;	     /* by category: where its weights begin; [cat + 1] is where they end */
	int64_t bias, threshold;
	double slope, shift; /* of its calibration */
	uint16_t trained;    /* day */
	struct hash16 hash;  /* of the file */
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

bool feature_parse(const struct rules *r, struct str name, struct feature *out); /* false: none, or of a category that is not there */
void feature_name(const struct rules *r, const struct feature *f, char out[200]);
bool feature_holds(const struct feature *f, const struct profile *p, uint16_t today);
int64_t like_score(const struct like_model *m, const struct profile *p, uint16_t today); /* millionths */
/* Reads a model file into the rules' arena; features that the rules do not have any more count nothing. *until is the last day on which it is in
 * force. ERR_SYNTAX: it is none. */
enum err like_read(struct rules *r, struct str text, struct like_model **out, uint16_t *until) MUST_CHECK;

#endif
