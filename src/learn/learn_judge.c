/* Which model, and how good it is; learn_judge.h says what is rehearsed.
 *
 * Choosing (judge_choose()): four forms of the rows are tried one after the other, from plain rows
 * to rows with directions. Of each form the penalty is climbed: a first try, then stronger ones for
 * as long as they are better, else weaker ones. A form that is hopelessly behind is left after its
 * first try. Of what comes next to the best area, the one that finds more at the top is taken
 * (judge_best_at_top()). Fits begin at the weights of the best fit so far, which is near.
 *
 * Telling (judge_well()): the choice again with eight folds, more visitors and a finer fit.
 *
 * Costs are set so that the sample stands for everybody: what a seed costs is multiplied by the
 * number of visitors that it stands for, and the others together weigh between their number and
 * that of the seeds (EVEN). */
#include "learn_judge.h"

#include "crumb/base/spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FOLDS 4		      /* for choosing */
#define FOLDS_FINE 8	      /* for telling: a multiple, start_of() */
#define FIT_SEEDS 20000	      /* that a fold is fitted to, at most */
#define RANKED 8000	      /* others among whom seeds are ranked, choosing */
#define RANKED_FINE 60000     /* and telling */
#define PRECISE 0.003	      /* of fits: struct fit_cost */
#define PRECISE_CHOOSING 0.02 /* a choice needs less */
#define LOOSE 0.9
#define LOOK_AROUND 15000 /* rows, of which directions are found */
#define BETTER 0.0005	  /* area: less is no reason to go on */
#define HOPELESS 0.015	  /* so far behind the best form, no other penalty makes up for it */
/* Of the others: by so many is judged what ranks nearly as well as the best, or by fewer where
 * fewer are asked for. */
#define TOP 0.01
#define AS_GOOD 0.002	/* area that a better top may cost */
#define AT_TOP_SURE 1.5 /* deviations by which it is better */
/* Others together weigh this power of the way from their own number to that of seeds: between the
 * best top (0) and the best ranking (1). */
#define EVEN 0.5

/* --- a form of the rows */

/* The rows in a form: stretches, scales and directions. Directions are found once, for the only
 * form that has some. The caller frees *stretch and ends *f even if this fails. */
static enum err form_begin(
    struct learning *x, const struct choice *way, struct fit *f, double **stretch)
{
	const struct sample *s = &x->sample;
	double all = (double)(x->seeds + x->others);
	*f = (struct fit){.rows = 0};
	if (!(*stretch = malloc((x->used + 1) * sizeof **stretch)))
		return learning_no_memory();
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

/* Does the visitor belong to so large a part? By lot, so that parts of one size are the same. */
static bool in_part(const struct sample *s, size_t i, double share)
{
	return s->lot[i] < share * LOTS;
}

/* Who is on whose side in the fit of a fold: held-out seeds are others. Returns the share of the
 * seeds that is left as seeds. */
static double cast_roles(const struct rehearsal *r, unsigned fold, uint8_t *roles)
{
	const struct sample *s = &r->x->sample;
	size_t left = s->seeds;
	for (size_t i = 0; i < s->n; i++) {
		bool held = s->seed[i] && s->fold[i] % r->folds == fold;
		left -= held;
		if (s->seed[i] && !held)
			roles[i] = in_part(s, i, r->seeds) ? FIT_SEED : FIT_ABSENT;
		else
			roles[i] = in_part(s, i, r->others) ? FIT_OTHER : FIT_ABSENT;
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
	return (x->score > y->score) - (x->score < y->score);
}

/* Another with this score: counted at the first seed that scores as high. */
static void count_other(struct held_seed *seeds, size_t n, double score)
{
	size_t at = 0, to = n;
	while (at < to) {
		size_t mid = (at + to) / 2;
		if (seeds[mid].score < score)
			at = mid + 1;
		else
			to = mid;
	}
	if (at < n) {
		seeds[at].to_here++;
		seeds[at].same += seeds[at].score == score;
	}
}

/* Places of the fold's seeds among the others; ties count half. The seeds are sorted once; each
 * other is looked up among them, and sums over the seeds give how many are below each. */
static enum err rank_fold(const struct rehearsal *r, unsigned fold)
{
	const struct sample *s = &r->x->sample;
	struct held_seed *seeds = malloc((s->seeds + 1) * sizeof *seeds);
	size_t others = 0, held = 0, at = 0, to_here = 0, same = 0;
	double sum = 0;
	if (!seeds)
		return learning_no_memory();
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
		*place = (struct spot){0, 1};
		if (others)
			*place = (struct spot){1 - (double)to_here / (double)others,
			    1 - (double)(to_here - same) / (double)others};
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
	enum err e = roles ? learning_stopped(r->x) : learning_no_memory();
	if (!e) {
		/* Those who are left stand for those who are held out, too: a score must mean what
		 * it will mean in the model. */
		double left = cast_roles(r, fold, roles);
		struct fit_cost cost = cost_of(r->x, r->c, r->seeds * left, r->others, r->precise);
		e = fit_weights(r->f, &cost, roles, r->w[fold]);
	}
	free(roles);
	return e ? e : rank_fold(r, fold);
}

/* How many others are fitted to: beside so many for each seed, more add next to nothing. */
static double enough_others(double seeds, bool fine)
{
	double enough = 8 * seeds, most = 15000;
	if (fine) {
		enough = 20 * seeds;
		most = 30000;
	}
	return fmin(fmax(enough, 4000), most);
}

/* Room for a rehearsal, and how many of the sample take part. The caller ends it even if this
 * fails. */
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
		return learning_no_memory();
	for (unsigned i = 0; i < folds && r->w; i++)
		if (!(r->w[i] = calloc(x->used + 1, sizeof **r->w)))
			return learning_no_memory();
	return r->w && r->place && r->auc ? OK : learning_no_memory();
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
#define CS 6   /* penalties of a form, the strongest first */
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

/* One choice by all folds. Its fits are kept as the next beginning if it is the best so far. */
static enum err try_choice(
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
	if (!e)
		e = begun;
	if (!e)
		e = try_choice(&r, all, t, from, &here);
	for (int step = -1; step <= 1 && !e && here >= before - HOPELESS && *at == from; step += 2)
		/* below the first penalty `k` has run over, and is large */
		for (unsigned k = from + (unsigned)step; k < CS; k += (unsigned)step) {
			if ((e = try_choice(&r, all, t, k, &next)) || next < here + BETTER)
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
	enum err e = x->start && all.found ? OK : learning_no_memory();
	for (size_t i = 0; i < sizeof trials / sizeof *trials && !e; i++)
		/* with directions it is the form before, and a little more */
		if (trials[i].way.loose <= 0 || form >= all.auc[all.best] - HOPELESS)
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
		e = learning_no_memory();
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

/* What ranks mean, from the scores of the rehearsal. */
static enum err tell_chances(
    const struct learning *x, const struct rehearsal *r, struct judged *out)
{
	const struct sample *s = &x->sample;
	struct scored_row *rows = malloc((s->n + 1) * sizeof *rows);
	double others = 0;
	size_t n = 0, at = 0;
	if (!rows)
		return learning_no_memory();
	for (size_t i = 0; i < s->n; i++) {
		if (!s->seed[i] && at++ % r->step)
			continue;
		others += !s->seed[i];
		rows[n++] = (struct scored_row){r->score[i], s->seed[i]};
	}
	out->chances_n = chances_calibrate(
	    rows, n, s->seed_stands, (double)x->others / (others > 0 ? others : 1), out->chances);
	free(rows);
	return OK;
}

/* What ranking by the number of different categories would do. */
static enum err rank_by_activity(const struct learning *x, struct ranking *out)
{
	const struct sample *s = &x->sample;
	double *more = calloc(LOTS + 1, sizeof *more), others = (double)(s->n - s->seeds);
	if (!more)
		return learning_no_memory();
	for (size_t i = 0; i < s->n; i++)
		if (!s->seed[i])
			more[s->activity[i] < LOTS ? s->activity[i] : LOTS - 1] += 1 / others;
	for (size_t i = LOTS; i-- > 0;)
		more[i] += more[i + 1];
	for (size_t i = 0; i < s->n; i++)
		if (s->seed[i]) {
			uint32_t a = s->activity[i] < LOTS ? s->activity[i] : LOTS - 1;
			ranking_add(
			    out, &(struct spot){more[a + 1], more[a]}, 1 / (double)s->seeds);
		}
	ranking_end(out);
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
			ranking_add(&out->model, &r.place[i], 1 / (double)s->seeds);
	ranking_end(&out->model);
	e = e ? e : tell_chances(x, &r, out);
	e = e ? e : rank_by_activity(x, &out->activity);
	rehearsal_done(&r);
	fit_done(&f);
	free(stretch);
	return e;
}
