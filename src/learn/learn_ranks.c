/* Ranks of held-out seeds among the others become an area, a curve and chances (learn_ranks.h).
 * Pure arithmetic: nothing here knows of visitors or models. */
#include "learn_ranks.h"

#include <math.h>
#include <stdlib.h>

#define GROUP_SEEDS 20 /* a group of fewer seeds says nothing */
#define FOUND_LEAST 10 /* seeds: with fewer, a lift is hearsay */
#define VARIANCES 2.4  /* how many times the variance of a plain share */

/* --- the curve */

/* `recall` has differences until ranking_end() adds them up: one seed changes two or three places
 * and not all behind it. */
void ranking_add(struct ranking *r, const struct spot *p, double weight)
{
	r->auc += weight * (1 - (p->before + p->with) / 2);
	size_t from = (size_t)(p->before / CURVE_REACH * CURVE_STEPS);
	for (size_t i = from; i <= CURVE_STEPS; i++) {
		double reach = CURVE_REACH * (double)i / CURVE_STEPS;
		if (reach < p->before)
			continue;
		if (reach >= p->with) { /* and everywhere behind: added up at the end */
			r->recall[i] += weight;
			return;
		}
		double part = weight * (reach - p->before) / (p->with - p->before);
		r->recall[i] += part;
		if (i < CURVE_STEPS)
			r->recall[i + 1] -= part;
	}
}

void ranking_end(struct ranking *r)
{
	for (size_t i = 1; i <= CURVE_STEPS; i++)
		r->recall[i] += r->recall[i - 1];
}

double ranking_recall(const struct ranking *r, double reach)
{
	double at = reach / CURVE_REACH * CURVE_STEPS;
	size_t below = at < CURVE_STEPS ? (size_t)at : CURVE_STEPS - 1;
	return r->recall[below] + (r->recall[below + 1] - r->recall[below]) * (at - (double)below);
}

double ranking_reach(const struct ranking *r, size_t seeds, double lift)
{
	for (size_t i = CURVE_STEPS; i > 0; i--) {
		double reach = CURVE_REACH * (double)i / CURVE_STEPS;
		if (r->recall[i] >= lift * reach)
			return r->recall[i] * (double)seeds >= FOUND_LEAST ? reach : 0;
	}
	return 0;
}

/* Wilson's interval (1927) for a share. The held-out seeds are a sample, and so are those who are
 * looked for: twice the variance; and folds are not the model, which is a little more. */
void ranking_band(double recall, double seeds, double *low, double *high)
{
	const double z = 1.96; /* deviations: 19 times of 20 */
	double n = seeds / VARIANCES;
	double mid = (recall + z * z / (2 * n)) / (1 + z * z / n);
	double half = z * sqrt(recall * (1 - recall) / n + z * z / (4 * n * n)) / (1 + z * z / n);
	*low = mid - half > 0 ? mid - half : 0;
	*high = mid + half < 1 ? mid + half : 1;
}

/* --- chances */

static int lowest_score_first(const void *a, const void *b)
{
	const struct scored_row *x = a, *y = b;
	return (x->score > y->score) - (x->score < y->score);
}

/* Rows that stand next to each other. */
struct group {
	double seeds, others; /* visitors for whom the rows stand */
	double sum, n;	      /* of scores; rows */
	double before;	      /* others below the group */
};

static double chance_of(const struct group *g)
{
	/* half a one more, so that nobody is impossible */
	return (g->seeds + 0.5) / (g->others + 1);
}

/* Groups of seeds in the order of their scores, and the others between them. A group whose chance
 * is not above that of the group before it is pooled with it, again and again (pool adjacent
 * violators). Who scores the same stays together, and the last group is no smaller than the others.
 */
unsigned chances_calibrate(
    struct scored_row *rows, size_t n, double seed_stands, double other_stands, struct chance *out)
{
	struct group groups[LIKE_KNOTS_MOST + 1];
	double seeds = 0, others = 0;
	unsigned used = 0;
	if (n)
		qsort(rows, n, sizeof *rows, lowest_score_first);
	for (size_t i = 0; i < n; i++)
		seeds += rows[i].seed;
	double each = seeds / LIKE_KNOTS_MOST > GROUP_SEEDS ? seeds / LIKE_KNOTS_MOST : GROUP_SEEDS,
	       left = seeds;
	for (size_t i = 0, z = 0; i < n; i = z) {
		struct group g = {.before = others};
		double here = 0;
		while (z < n && (here < each || left - here < each ||
				    (z && rows[z].score == rows[z - 1].score))) {
			here += rows[z].seed;
			if (rows[z].seed)
				g.seeds += seed_stands;
			else
				g.others += other_stands;
			g.sum += rows[z].score;
			g.n++;
			z++;
		}
		left -= here;
		others += g.others;
		for (groups[used++] = g;
		     used > 1 && chance_of(&groups[used - 2]) >= chance_of(&groups[used - 1]);
		     used--) {
			struct group *a = &groups[used - 2], *b = &groups[used - 1];
			*a = (struct group){a->seeds + b->seeds, a->others + b->others,
			    a->sum + b->sum, a->n + b->n, a->before};
		}
	}
	for (unsigned i = 0; i < used; i++) {
		const struct group *g = &groups[i];
		double chance = chance_of(g);
		out[i] = (struct chance){g->sum / g->n,
		    others > 0 ? 1 - (g->before + g->others / 2) / others : 0,
		    chance < LIKE_CHANCE_MOST ? chance : LIKE_CHANCE_MOST};
	}
	return used;
}

/* Each rank is looked up among the scores; two ranks that meet one score become one knot. Then all
 * chances are multiplied, so that their sum is the number of seeds: by two or a half at most. */
unsigned chances_knots(const struct chance *chances, unsigned chances_n, const int64_t *scores,
    size_t n, double seeds, struct like_knot *out)
{
	struct like_model m = {.knots = out};
	double sum = 0;
	for (unsigned i = 0; i < chances_n && n; i++) {
		size_t at = (size_t)(chances[i].reach * (double)(n - 1) + 0.5);
		struct like_knot *before = m.knots_n ? &out[m.knots_n - 1] : NULL;
		if (before && before->score >= scores[at])
			before->chance = (before->chance + chances[i].chance) / 2;
		else
			out[m.knots_n++] = (struct like_knot){scores[at], chances[i].chance};
	}
	for (size_t i = 0; i < n && m.knots_n; i++)
		sum += like_chance(&m, scores[i]);
	double by = sum > 0 ? seeds / sum : 1;
	by = fmin(fmax(by, 0.5), 2);
	for (unsigned i = 0; i < m.knots_n; i++)
		out[i].chance = fmin(out[i].chance * by, LIKE_CHANCE_MOST);
	return m.knots_n;
}
