/* What the parts of a training share: reading (learn_read.c), fitting (learn_fit.c), judging
 * (learn_judge.c, learn_ranks.c), and what is made of it (learn.c).
 *
 * Features have two numbers. The raw number is a place in a fixed list of all that there could be;
 * the used number counts those that the model has.
 *
 *     raw   │ category 0: c90 c30 c7 n2 n5 n15 │ category 1 │ … │ a2 a3 … a80 │ fact, fact, … │
 *           0                                                    active_at     facts_at        raws
 *
 * With 100 categories active_at is 600, facts_at 608, raws 1632, and raw number 7 is c30 of
 * category
 * 1. number[7] is 0 while nobody uses the feature, and 3 if it is the used number 2; raw[2] is 7.
 *
 * Threads. One thread owns a training. For each reading and each round of folds it starts others
 * (spread()), and waits for them. What they share is marked below; all else is set by the owner
 * between two rounds, and read by all. */
#ifndef CRUMB_SRC_LEARN_LEARNING_H
#define CRUMB_SRC_LEARN_LEARNING_H

#include "crumb/learn/learn.h"
#include "learn_fit.h"

#include <pthread.h>

#define PER_CATEGORY 6	/* c90 c30 c7 n2 n5 n15 */
#define ACTIVE_KINDS 8	/* a2 a3 a5 a8 a12 a20 a40 a80 */
#define FACTS_MOST 1024 /* words of facts: countries, kinds of devices, browsers … */
#define LOTS 65536	/* a lot is from 0 to below this */

struct fact_word {
	enum fact fact;
	char word[16];
};

/* The visitors that a model is fitted to, in order of shard and key. */
struct sample {
	size_t n, seeds;
	uint32_t *from, *items; /* used features, as in struct fit (learn_fit.h) */
	bool *seed;
	uint32_t *activity; /* different categories, whether learned from or not */
	uint16_t *lot;	    /* drawn for each visitor by its key */
	uint8_t *fold;
	double seed_stands, other_stands; /* for how many visitors each stands */
};

struct learning {
	struct generation *g;
	const struct rules *r;
	const struct config *c;
	uint16_t segment, seed, today;
	int condition; /* the lookalike's, without its model; -1: everybody */
	uint32_t now;
	const _Atomic bool *stop;
	bool *allowed; /* categories to learn from */
	/* raw features: categories × kinds, then thresholds of activity, then facts */
	size_t active_at, facts_at, raws;
	struct fact_word facts[FACTS_MOST]; /* shared while counting, under lock */
	unsigned facts_n;		    /* shared, under lock */
	/* By raw feature, visitors and seeds who have it. Shared while counting, under lock. */
	uint64_t *have, *seed_have;
	uint32_t *number; /* raw -> used + 1; 0: not used */
	uint32_t *raw;	  /* used -> raw */
	unsigned used;
	bool *known;			    /* categories of which some feature is used */
	uint64_t seeds, others, population; /* visitors; shared while counting, under lock */
	double reach; /* the part of the population that is asked for; 0: whatever has the lift */
	uint64_t seeds_rate, others_rate; /* of 2^32: taken for the sample */
	struct sample sample;
	double *start; /* weights of each fold in the best fit so far: there the next ones begin */
	float *directions;    /* of the form that has some, once they were found; NULL: not yet */
	pthread_mutex_t lock; /* guards what threads add to while they count */
};

enum err learning_new(struct generation *g, const struct config *c, uint16_t segment, uint32_t now,
    struct learning **out) MUST_CHECK;
void learning_free(struct learning *x);
/* Errors of all parts. */
enum err learning_no_memory(void);
enum err learning_stopped(const struct learning *x) MUST_CHECK;
uint32_t learning_k(const struct learning *x);
struct feature learning_feature(const struct learning *x, uint32_t raw);

/* Everybody of a shard who is of the seed or admitted, as of now, in the order of keys. The profile
 * lives until the next call. */
typedef enum err (*learning_look)(struct learning *x, void *arg, const struct vkey *k,
    const struct profile *p, bool seed, bool admitted);
enum err learning_walk(
    struct learning *x, unsigned shard, learning_look each, void *arg) MUST_CHECK;
/* Counts who has what, and chooses the features; then counts who is how active, and takes the
 * sample (rows false: none). ERR_USAGE: too few of something. */
enum err learning_count(struct learning *x) MUST_CHECK;
enum err learning_take(struct learning *x, bool rows) MUST_CHECK;
/* Numbers of the used features that hold; `out` has room for LEARNING_ROW_MOST. */
#define LEARNING_ROW_MOST 8192
unsigned learning_row(const struct learning *x, const struct profile *p, uint32_t *out);

#endif
