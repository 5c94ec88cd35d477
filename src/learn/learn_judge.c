#include "learn_judge.h"

#include "crumb/base/spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FOLDS 4	     /* for choosing */
#define FOLDS_FINE 8 /* for telling */
#define FIT_SEEDS 20000
#define RANKED 8000
#define RANKED_FINE 60000
#define PRECISE 0.003
#define PRECISE_CHOOSING 0.02
#define LOOSE 0.9
#define LOOK_AROUND 15000 /* rows */
#define BETTER 0.0005
#define HOPELESS 0.015 /* so far behind the best form, no other penalty makes up for it */
#define TOP                                                                                        \
	0.01 /* of the others: by so many is judged what ranks nearly as well as the best, or by   \
		fewer where fewer are asked for */
#define AS_GOOD 0.002	/* area that a better top may cost */
#define AT_TOP_SURE 1.5 /* deviations by which it is better */
#define EVEN                                                                                       \
	0.5 /* others together weigh this power of the way from their own number to that of seeds: \
	       between the best top (0) and the best ranking (1) */

static enum err no_memory(void)
{
	return err_set(ERR_NOMEM, "no memory to learn: fewer features or a smaller store would do");
}

static enum err stopped(const struct learning *x)
{
	return x->stop && atomic_load(x->stop) ? err_set(ERR_BUSY, "stopped") : OK;
}

/* --- a form of the rows */

static enum err form_begin(
    struct learning *x, const struct choice *way, struct fit *f, double **stretch)
{
	const struct sample *s = &x->sample;
	double all = (double)(x->seeds + x->others);
	*f = (struct fit){.rows = 0};
	if (!(*stretch = malloc((x->used + 1) * sizeof **stretch)))
		return no_memory();
	for (unsigned i = 0; i < x->used; i++)
		(*stretch)[i] =
		    way->rare ? log((1 + all) / (1 + (double)x->have[x->raw[i]])) + 1 : 1;
	*f = (struct fit){.rows = s->n,
	    .from = s->from,
	    .items = s->items,
	    .features = x->used,
	    .unit = way->unit,
	    .stretch = *stretch};
	enum err e = fit_begin(f);
	if (!e && way->loose > 0 && !x->directions)
		e = fit_look_around(f, LOOK_AROUND, &x->directions);
	f->directions = x->directions;
	f->loose = way->loose;
	return e;
}

/* What a seed costs, and an other, if so large a part of each takes part. */
static struct fit_cost cost_of(
    const struct learning *x, double c, double seeds, double others, double precise)
{
	double even = pow((double)x->seeds / (double)x->others, EVEN);
	return (struct fit_cost){
	    c, x->sample.seed_stands / seeds, x->sample.other_stands / others * even, precise};
}

/* --- folds */

/* The shares of others who rank before a seed, and with those who rank the same. */
struct spot {
	double before, with;
};

struct rehearsal {
	struct learning *x;
	const struct fit *f;
	unsigned folds;
	double c, precise;
	double seeds, others; /* the parts that are fitted */
	size_t step;	      /* every so many-th other is ranked */
	double **w;	      /* of each fold: where it begins, and ends */
	bool *fresh;	      /* the fold's weights have not been fitted yet */
	double *score;	      /* of each row, by the fold that it is of */
	struct spot *place;   /* of each seed */
	double *auc;
};

static bool part(const struct sample *s, size_t i, double share)
{
	return s->lot[i] < share * LOTS;
}

/* The share of the seeds that is left in the fit. */
static double cast(const struct rehearsal *r, unsigned fold, uint8_t *roles)
{
	const struct sample *s = &r->x->sample;
	size_t left = s->seeds;
	for (size_t i = 0; i < s->n; i++) {
		bool held = s->seed[i] && s->fold[i] % r->folds == fold;
		left -= held;
		if (s->seed[i] && !held)
			roles[i] = part(s, i, r->seeds) ? FIT_SEED : FIT_ABSENT;
		else
			roles[i] = part(s, i, r->others) ? FIT_OTHER : FIT_ABSENT;
	}
	return left ? (double)left / (double)s->seeds : 1;
}

/* A held-out seed, and how many others have this score, or come between the seed before and this.
 */
struct held_seed {
	double score;
	size_t row, same, to_here;
};

static int lowest_seed_first(const void *a, const void *b)
{
	const struct held_seed *x = a, *y = b;
	return x->score != y->score ? (x->score < y->score ? -1 : 1) : 0;
}

static void count_other(struct held_seed *seeds, size_t n, double score)
{
	size_t at = 0, to = n;
	while (at < to) {
		size_t mid = (at + to) / 2;
		seeds[mid].score < score ? (at = mid + 1) : (to = mid);
	}
	if (at < n) {
		seeds[at].to_here++;
		seeds[at].same += seeds[at].score == score;
	}
}

/* Places of the fold's seeds among the others; ties count half. */
static enum err rank(const struct rehearsal *r, unsigned fold)
{
	const struct sample *s = &r->x->sample;
	struct held_seed *seeds = malloc((s->seeds + 1) * sizeof *seeds);
	size_t others = 0, held = 0, at = 0, to_here = 0, same = 0;
	double sum = 0;
	if (!seeds)
		return no_memory();
	for (size_t i = 0; i < s->n; i++)
		if (s->seed[i] && s->fold[i] % r->folds == fold)
			seeds[held++] = (struct held_seed){fit_score(r->f, r->w[fold], i), i, 0, 0};
	if (held)
		qsort(seeds, held, sizeof *seeds, lowest_seed_first);
	for (size_t i = 0; i < s->n; i++) {
		if (s->seed[i] || at++ % r->step)
			continue;
		double score = fit_score(r->f, r->w[fold], i);
		count_other(seeds, held, score);
		if (s->fold[i] % r->folds == fold && r->score)
			r->score[i] = score;
		others++;
	}
	for (size_t i = 0; i < held; i++) {
		const struct held_seed *h = &seeds[i];
		to_here += h->to_here;
		if (!i || h->score != seeds[i - 1].score)
			same = h->same;
		struct spot *place = &r->place[h->row];
		*place = others ? (struct spot){1 - (double)to_here / (double)others,
				      1 - (double)(to_here - same) / (double)others}
				: (struct spot){0, 1};
		sum += (place->before + place->with) / 2;
		if (r->score)
			r->score[h->row] = h->score;
	}
	r->auc[fold] = held ? 1 - sum / (double)held : 0.5;
	free(seeds);
	return OK;
}

static enum err rehearse_fold(void *arg, unsigned fold)
{
	struct rehearsal *r = arg;
	uint8_t *roles = malloc(r->x->sample.n + 1);
	enum err e = roles ? stopped(r->x) : no_memory();
	if (!e) {
		/* those who are left stand for those who are held out, too: a score must mean what
		 * it will */
		double left = cast(r, fold, roles);
		struct fit_cost cost = cost_of(r->x, r->c, r->seeds * left, r->others, r->precise);
		e = fit_weights(r->f, &cost, roles, r->w[fold]);
	}
	free(roles);
	return e ? e : rank(r, fold);
}

/* How many others are fitted to: beside so many for each seed, more add next to nothing. */
static double enough_others(double seeds, bool fine)
{
	double enough = seeds * (fine ? 20 : 8), most = fine ? 30000 : 15000;
	return enough > most ? most : enough < 4000 ? 4000 : enough;
}

static enum err rehearsal_begin(
    struct rehearsal *r, struct learning *x, unsigned folds, double ranked, bool scores)
{
	const struct sample *s = &x->sample;
	double others = (double)(s->n - s->seeds), seeds = (double)s->seeds,
	       fit_others = enough_others(seeds, scores);
	*r = (struct rehearsal){.x = x,
	    .folds = folds,
	    .precise = scores ? PRECISE : PRECISE_CHOOSING,
	    .seeds = seeds > FIT_SEEDS ? FIT_SEEDS / seeds : 1,
	    .others = others > fit_others ? fit_others / others : 1,
	    .step = (size_t)(others / ranked) + 1,
	    .w = calloc(folds, sizeof *r->w),
	    .place = calloc(s->n + 1, sizeof *r->place),
	    .auc = calloc(folds, sizeof *r->auc)};
	if (scores && !(r->score = calloc(s->n + 1, sizeof *r->score)))
		return no_memory();
	for (unsigned i = 0; i < folds && r->w; i++)
		if (!(r->w[i] = calloc(x->used + 1, sizeof **r->w)))
			return no_memory();
	return r->w && r->place && r->auc ? OK : no_memory();
}

static void rehearsal_done(struct rehearsal *r)
{
	for (unsigned i = 0; i < r->folds && r->w; i++)
		free(r->w[i]);
	free(r->w);
	free(r->score);
	free(r->place);
	free(r->auc);
}

static double mean(const double *list, unsigned n)
{
	double sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += list[i];
	return sum / n;
}

/* --- choosing */

static const double plain_c[] = {0.003, 0.01, 0.03, 0.1, 0.3, 1},
		    unit_c[] = {0.1, 0.3, 1, 3, 10, 30}, rare_c[] = {0.03, 0.1, 0.3, 1, 3, 10};
#define CS 6
#define FROM 1 /* the first that is tried */
static const struct trial {
	struct choice way;
	const double *c;
} trials[] = {
    {{.unit = false}, plain_c},
    {{.unit = true}, unit_c},
    {{.unit = true, .rare = true}, rare_c},
    {{.unit = true, .rare = true, .loose = LOOSE}, rare_c},
};

_Static_assert(sizeof trials / sizeof *trials * CS <= TRIES_MOST, "a bit for each try");

/* A finer fold's seeds are all held out in the coarser fold of that number, too. */
static double *start_of(const struct learning *x, unsigned fold)
{
	return x->start + (size_t)(fold % FOLDS) * (x->used + 1);
}

static enum err try(
    struct rehearsal *r, struct tries *all, const struct trial *t, unsigned at, double *auc)
{
	const struct sample *s = &r->x->sample;
	unsigned me = all->n++;
	r->c = t->c[at];
	enum err e = spread(FOLDS, rehearse_fold, r);
	if (e)
		return e;
	all->way[me] = t->way;
	all->way[me].c = r->c;
	all->auc[me] = *auc = mean(r->auc, FOLDS);
	for (size_t i = 0, seed = 0; i < s->n; i++)
		if (s->seed[i])
			all->found[seed++] |=
			    (uint32_t)(r->place[i].before + r->place[i].with < 2 * all->top) << me;
	if (me && *auc <= all->auc[all->best] + BETTER)
		return OK;
	all->best = me;
	for (unsigned fold = 0; fold < FOLDS; fold++)
		memcpy(start_of(r->x, fold), r->w[fold], (r->x->used + 1) * sizeof **r->w);
	return OK;
}

/* Tries the form at the penalty *at; then stronger ones, which are fitted faster, for as long as
 * they are better; where the first was not, weaker ones. *at becomes the best of them, at which the
 * next form begins; *form its area. */
static enum err climb(
    struct learning *x, struct tries *all, const struct trial *t, unsigned *at, double *form)
{
	struct rehearsal r;
	struct fit f;
	double *stretch, here = 0, next = 0, before = all->n ? all->auc[all->best] : 0;
	unsigned from = *at;
	enum err e = form_begin(x, &t->way, &f, &stretch);
	enum err begun = rehearsal_begin(&r, x, FOLDS, RANKED, false);
	r.f = &f;
	e = e ? e : begun ? begun : try(&r, all, t, from, &here);
	for (int step = -1; step <= 1 && !e && here >= before - HOPELESS && *at == from; step += 2)
		for (unsigned k = from + (unsigned)step; k < CS;
		     k += (unsigned)step) { /* below the first it has run over */
			if ((e = try(&r, all, t, k, &next)) || next < here + BETTER)
				break;
			here = next;
			*at = k;
		}
	*form = here;
	rehearsal_done(&r);
	fit_done(&f);
	free(stretch);
	return e;
}

unsigned judge_best_at_top(const struct tries *all, size_t seeds)
{
	unsigned best = all->best;
	double ahead = 0;
	for (unsigned i = 0; i < all->n; i++) {
		double more = 0, apart = 0;
		for (size_t k = 0; k < seeds; k++) {
			int by =
			    (int)(all->found[k] >> i & 1) - (int)(all->found[k] >> all->best & 1);
			more += by;
			apart += by != 0;
		}
		if (all->auc[i] >= all->auc[all->best] - AS_GOOD && more > ahead &&
		    more > AT_TOP_SURE * sqrt(apart)) {
			best = i;
			ahead = more;
		}
	}
	return best;
}

enum err judge_choose(struct learning *x, struct choice *out)
{
	struct tries all = {.top = x->reach > 0 && x->reach < TOP ? x->reach : TOP};
	double form = 0;
	unsigned at = FROM;
	x->start = calloc(FOLDS, (x->used + 1) * sizeof *x->start);
	all.found = calloc(x->sample.seeds + 1, sizeof *all.found);
	enum err e = x->start && all.found ? OK : no_memory();
	for (size_t i = 0; i < sizeof trials / sizeof *trials && !e; i++)
		if (trials[i].way.loose <= 0 ||
		    form >=
			all.auc[all.best] - HOPELESS) /* it is the form before, and a little more */
			e = climb(x, &all, &trials[i], &at, &form);
	if (!e)
		*out = all.way[judge_best_at_top(&all, x->sample.seeds)];
	free(all.found);
	return e;
}

enum err judge_fit(struct learning *x, const struct choice *way, double **w, double **stretch)
{
	const struct sample *s = &x->sample;
	struct fit f;
	uint8_t *roles = malloc(s->n + 1);
	enum err e = form_begin(x, way, &f, stretch);
	*w = calloc(x->used + 1, sizeof **w);
	if (!e && (!roles || !*w))
		e = no_memory();
	if (!e && x->start)
		memcpy(*w, start_of(x, 0), (x->used + 1) * sizeof **w);
	if (!e) {
		struct fit_cost cost = cost_of(x, way->c, 1, 1, PRECISE);
		for (size_t i = 0; i < s->n; i++)
			roles[i] = s->seed[i] ? FIT_SEED : FIT_OTHER;
		e = fit_weights(&f, &cost, roles, *w);
	}
	for (unsigned i = 0; i < x->used && !e; i++)
		(*w)[i] *= (*stretch)[i];
	fit_done(&f);
	free(roles);
	if (e) {
		free(*w);
		free(*stretch);
		*w = *stretch = NULL;
	}
	return e;
}

/* --- telling */

static int lowest_score_first(const void *a, const void *b)
{
	const struct scored_row *x = a, *y = b;
	return x->score != y->score ? (x->score < y->score ? -1 : 1) : 0;
}

/* Rows next to each other. */
struct group {
	double seeds, others, sum, n, before; /* sum of scores; others below */
};

static double chance_of(const struct group *g)
{
	/* half a one more, so that nobody is impossible */
	return (g->seeds + 0.5) / (g->others + 1);
}

#define GROUP_SEEDS 20

unsigned judge_calibrate(
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
		/* who scores the same stays together, and the last group is no smaller than the
		 * others */
		while (z < n && (here < each || left - here < each ||
				    (z && rows[z].score == rows[z - 1].score))) {
			here += rows[z].seed;
			*(rows[z].seed ? &g.seeds : &g.others) +=
			    rows[z].seed ? seed_stands : other_stands;
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

static enum err tell_chances(
    const struct learning *x, const struct rehearsal *r, struct judged *out)
{
	const struct sample *s = &x->sample;
	struct scored_row *rows = malloc((s->n + 1) * sizeof *rows);
	double others = 0;
	size_t n = 0, at = 0;
	if (!rows)
		return no_memory();
	for (size_t i = 0; i < s->n; i++) {
		if (!s->seed[i] && at++ % r->step)
			continue;
		others += !s->seed[i];
		rows[n++] = (struct scored_row){r->score[i], s->seed[i]};
	}
	out->chances_n = judge_calibrate(
	    rows, n, s->seed_stands, (double)x->others / (others > 0 ? others : 1), out->chances);
	free(rows);
	return OK;
}

unsigned judge_knots(
    const struct judged *j, const int64_t *scores, size_t n, double seeds, struct like_knot *out)
{
	struct like_model m = {.knots = out};
	double sum = 0;
	for (unsigned i = 0; i < j->chances_n && n; i++) {
		size_t at = (size_t)(j->chances[i].reach * (double)(n - 1) + 0.5);
		struct like_knot *before = m.knots_n ? &out[m.knots_n - 1] : NULL;
		if (before && before->score >= scores[at])
			before->chance = (before->chance + j->chances[i].chance) / 2;
		else
			out[m.knots_n++] = (struct like_knot){scores[at], j->chances[i].chance};
	}
	for (size_t i = 0; i < n && m.knots_n; i++)
		sum += like_chance(&m, scores[i]);
	double by = sum > 0 ? seeds / sum : 1;
	by = by > 2 ? 2 : by < 0.5 ? 0.5 : by;
	for (unsigned i = 0; i < m.knots_n; i++)
		out[i].chance =
		    out[i].chance * by < LIKE_CHANCE_MOST ? out[i].chance * by : LIKE_CHANCE_MOST;
	return m.knots_n;
}

/* Who ties is found by as large a part as is reached for. */
static void add_place(struct ranking *r, const struct spot *p, double weight)
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

static void add_up(struct ranking *r)
{
	for (size_t i = 1; i <= CURVE_STEPS; i++)
		r->recall[i] += r->recall[i - 1];
}

/* What ranking by the number of different categories would do. */
static enum err rank_by_activity(const struct learning *x, struct ranking *out)
{
	const struct sample *s = &x->sample;
	double *more = calloc(LOTS + 1, sizeof *more), others = (double)(s->n - s->seeds);
	if (!more)
		return no_memory();
	for (size_t i = 0; i < s->n; i++)
		if (!s->seed[i])
			more[s->activity[i] < LOTS ? s->activity[i] : LOTS - 1] += 1 / others;
	for (size_t i = LOTS; i-- > 0;)
		more[i] += more[i + 1];
	for (size_t i = 0; i < s->n; i++)
		if (s->seed[i]) {
			uint32_t a = s->activity[i] < LOTS ? s->activity[i] : LOTS - 1;
			add_place(out, &(struct spot){more[a + 1], more[a]}, 1 / (double)s->seeds);
		}
	add_up(out);
	free(more);
	return OK;
}

enum err judge_well(struct learning *x, const struct choice *way, struct judged *out)
{
	const struct sample *s = &x->sample;
	struct rehearsal r;
	struct fit f;
	double *stretch;
	enum err e = form_begin(x, way, &f, &stretch);
	enum err begun = rehearsal_begin(&r, x, FOLDS_FINE, RANKED_FINE, true);
	*out = (struct judged){.seeds = s->seeds};
	r.f = &f;
	r.c = way->c;
	e = e ? e : begun;
	for (unsigned i = 0; i < FOLDS_FINE && !e && x->start; i++)
		memcpy(r.w[i], start_of(x, i), (x->used + 1) * sizeof **r.w);
	e = e ? e : spread(FOLDS_FINE, rehearse_fold, &r);
	for (size_t i = 0; i < s->n && !e; i++)
		if (s->seed[i])
			add_place(&out->model, &r.place[i], 1 / (double)s->seeds);
	add_up(&out->model);
	e = e ? e : tell_chances(x, &r, out);
	e = e ? e : rank_by_activity(x, &out->activity);
	rehearsal_done(&r);
	fit_done(&f);
	free(stretch);
	return e;
}

/* --- the curve */

double ranking_recall(const struct ranking *r, double reach)
{
	double at = reach / CURVE_REACH * CURVE_STEPS;
	size_t below = at < CURVE_STEPS ? (size_t)at : CURVE_STEPS - 1;
	return r->recall[below] + (r->recall[below + 1] - r->recall[below]) * (at - (double)below);
}

#define FOUND_LEAST 10 /* seeds: with fewer, a lift is hearsay */

double ranking_reach(const struct ranking *r, size_t seeds, double lift)
{
	for (size_t i = CURVE_STEPS; i > 0; i--) {
		double reach = CURVE_REACH * (double)i / CURVE_STEPS;
		if (r->recall[i] >= lift * reach)
			return r->recall[i] * (double)seeds >= FOUND_LEAST ? reach : 0;
	}
	return 0;
}

void judge_band(double recall, double seeds, double *low, double *high)
{
	const double z = 1.96;
	double n = seeds / 2.4; /* the held-out seeds are a sample, and so are those who are looked
				   for: twice the variance; and folds are not the model */
	double mid = (recall + z * z / (2 * n)) / (1 + z * z / n);
	double half = z * sqrt(recall * (1 - recall) / n + z * z / (4 * n * n)) / (1 + z * z / n);
	*low = mid - half > 0 ? mid - half : 0;
	*high = mid + half < 1 ? mid + half : 1;
}
