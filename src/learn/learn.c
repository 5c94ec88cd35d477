/* A training from its beginning to its end, and what is made of a model: the features with their
 * weights, the cut, and what must be said of it. learn/learn.h has the steps.
 *
 * The cut. Everybody of the population is scored and sorted; the border is the score at the size
 * that was asked for. Who scores the same is in together, so the size may miss what was asked for:
 * the nearer of "with all of them" and "without them" is taken.
 *
 * Warnings. A model that is too good has learned who is in the seed: a category is named that says
 * it alone (leaks()). One that is useless is refused (noise()). */
#include "crumb/learn/learn.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/spread.h"
#include "crumb/privacy/kgate.h"
#include "learn_judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the model */

static int heaviest_first(const void *a, const void *b)
{
	const struct learned_feature *x = a, *y = b;
	int64_t wx = llabs(x->w), wy = llabs(y->w);
	if (wx != wy)
		return wx > wy ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* A share as it may be told, in hundredths; -1: it may not. Of numbers that are told: a share of
 * exact numbers would tell them. */
static double share(const struct learning *x, uint64_t n, uint64_t of)
{
	struct kgate gate = kgate_of(x->c);
	struct shown part = kgate_show(&gate, n), whole = kgate_show(&gate, of);
	if (!part.told || !whole.told)
		return -1;
	return round(100.0 * fmin((double)part.n / (double)whole.n, 1)) / 100;
}

/* A weight and a bias as they are kept. */
static int64_t millionths(double w)
{
	double most = (double)LIKE_WEIGHT_MOST, n = w * 1e6;
	if (n > most)
		return LIKE_WEIGHT_MOST;
	if (n < -most)
		return -LIKE_WEIGHT_MOST;
	return llround(n);
}

/* All that are used, those of no weight too: they count in the length of a row. The words of facts
 * outlive the learning. */
static enum err keep_features(const struct learning *x, bool unit, const double *w,
    const double *stretch, struct learned *out)
{
	if (!(out->features = calloc(x->used + 1, sizeof *out->features)))
		return learning_no_memory();
	out->unit = unit;
	out->bias = millionths(w[x->used]);
	for (unsigned i = 0; i < x->used; i++) {
		uint32_t raw = x->raw[i];
		struct learned_feature *f = &out->features[out->features_n];
		*f = (struct learned_feature){.f = learning_feature(x, raw),
		    .w = millionths(w[i]),
		    .square = unit ? (uint64_t)llround(stretch[i] * stretch[i] * 1e12) : 0,
		    .in_seed = share(x, x->seed_have[raw], x->seeds),
		    .in_others = share(x, x->have[raw] - x->seed_have[raw], x->others),
		    .number = i};
		if (!unit && f->w == 0 && f->f.kind >= FEATURE_ACTIVE)
			continue;
		if (f->f.kind == FEATURE_FACT) {
			char *word = str_dup(f->f.word);
			if (!word)
				return learning_no_memory();
			f->f.word = str_c(word);
		}
		out->features_n++;
	}
	if (out->features_n)
		qsort(out->features, out->features_n, sizeof *out->features, heaviest_first);
	return OK;
}

static void model_done(struct like_model *m)
{
	free(m->weights);
	free(m->first);
}

/* The model as views apply it: the very code that will score decides who is in. */
static enum err model_of(const struct learned *l, struct like_model *out)
{
	struct like_model m = {.bias = l->bias, .unit = l->unit};
	m.weights = calloc(l->features_n + 1, sizeof *m.weights);
	m.first = calloc(LIKE_FIRST, sizeof *m.first);
	if (!m.weights || !m.first) {
		model_done(&m);
		return learning_no_memory();
	}
	for (unsigned i = 0; i < l->features_n; i++)
		m.weights[m.n++] =
		    (struct like_weight){l->features[i].f, l->features[i].w, l->features[i].square};
	like_index(&m);
	*out = m;
	return OK;
}

/* --- the cut */

/* The scores of a shard's population. */
struct scored {
	struct learning *x;
	const struct like_model *m;
	int64_t *scores;
	size_t n, cap;
};

static enum err keep_score(struct learning *x, void *arg, const struct vkey *k,
    const struct profile *p, bool seed, bool admitted)
{
	struct scored *s = arg;
	(void)k, (void)seed;
	if (!admitted)
		return OK;
	if (!array_room(s->scores, s->cap, s->n + 1))
		return learning_no_memory();
	s->scores[s->n++] = like_score(s->m, p, x->today);
	return OK;
}

static enum err score_shard(void *arg, unsigned shard)
{
	struct scored *s = (struct scored *)arg + shard;
	return learning_walk(s->x, shard, keep_score, s);
}

static int highest_first(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x < *y) - (*x > *y);
}

/* How many are to be in it, as the rule says: a share, a number, or all who are likely enough. */
static enum err wanted_size(
    const struct learning *x, const struct judged *j, size_t population, uint64_t *want)
{
	const struct lookalike *like = x->r->segments[x->segment].like;
	double reach = like->reach;
	if (like->min_lift > 0 &&
	    !((reach = ranking_reach(&j->model, j->seeds, like->min_lift)) > 0)) {
		double best = ranking_recall(&j->model, 0.01) / 0.01;
		return err_set(ERR_USAGE,
		    "nobody would be in it: no group is known to be %g times likelier than anybody "
		    "(the best 1 %% are %.1f times): lower min_lift",
		    like->min_lift, best);
	}
	*want = like->size ? (uint64_t)like->size : (uint64_t)(reach * (double)population + 0.5);
	if (*want > population)
		*want = population;
	return *want ? OK
		     : err_set(ERR_USAGE,
			   "nobody would be in it: %.3g %% of a population of so few is nobody, "
			   "raise reach",
			   100 * reach);
}

/* The cut-off nearest to the size that was asked for: who scores the same is in together. */
static void cut(const int64_t *scores, size_t n, uint64_t want, struct learned *out)
{
	int64_t border = scores[want - 1];
	uint64_t above, with;
	for (above = want - 1; above > 0 && scores[above - 1] == border; above--)
		;
	for (with = want; with < n && scores[with] == border; with++)
		;
	bool together = above == 0 || with - want <= want - above;
	out->threshold = together ? border : border + 1;
	out->size = together ? with : above;
}

/* Scores everybody, and finds the border and what scores mean. */
static enum err cut_off(struct learning *x, const struct judged *j, struct learned *out)
{
	struct like_model m = {.n = 0};
	struct scored *shards = calloc(x->g->shards, sizeof *shards);
	int64_t *all = NULL;
	size_t n = 0;
	uint64_t want;
	enum err e = shards ? model_of(out, &m) : learning_no_memory();
	for (unsigned i = 0; i < x->g->shards && !e; i++)
		shards[i] = (struct scored){.x = x, .m = &m};
	if (!e)
		e = spread(x->g->shards, score_shard, shards);
	for (unsigned i = 0; i < x->g->shards && !e; i++)
		n += shards[i].n;
	if (!e && !(all = malloc((n + 1) * sizeof *all)))
		e = learning_no_memory();
	n = 0;
	for (unsigned i = 0; i < x->g->shards && shards; i++) {
		if (!e && shards[i].n)
			memcpy(all + n, shards[i].scores, shards[i].n * sizeof *all);
		n += shards[i].n;
		free(shards[i].scores);
	}
	if (!e)
		e = wanted_size(x, j, n, &want);
	if (!e) {
		qsort(all, n, sizeof *all, highest_first);
		out->knots_n =
		    chances_knots(j->chances, j->chances_n, all, n, (double)x->seeds, out->knots);
		cut(all, n, want, out);
	}
	free(all);
	free(shards);
	model_done(&m);
	return e;
}

/* --- what must be said of it */

static void warn(struct learned *l, const char *words)
{
	if (l->warnings_n < LEARN_WARNINGS)
		snprintf(l->warnings[l->warnings_n++], sizeof l->warnings[0], "%s", words);
}

#define LEAK_APART 0.9	  /* nine in ten more of the one side have it than of the other; */
#define LEAK_OF_SEED 0.1  /* or a tenth of the seed has it, */
#define LEAK_HOLDERS 0.85 /* and so many of those who have it are of the seed */
#define TOO_GOOD 0.99	  /* area that nothing honest reaches */

/* Does the feature say by itself who is in the seed? */
static bool leaks(const struct learning *x, uint32_t raw)
{
	double seed = (double)x->seed_have[raw], others = (double)x->have[raw] - seed;
	double apart = seed / (double)x->seeds - others / (double)x->others;
	return fabs(apart) >= LEAK_APART ||
	       (seed >= LEAK_OF_SEED * (double)x->seeds && seed / (seed + others) >= LEAK_HOLDERS &&
		   apart >= LEAK_OF_SEED / 2 && x->others >= x->seeds);
}

/* Names each category that gives the seed away once, up to three. */
static void warn_of_leaks(const struct learning *x, struct learned *l)
{
	char words[LEARN_WARNING_MOST], names[160] = "", name[200];
	unsigned n = 0;
	for (unsigned i = 0; i < x->used; i++) {
		struct feature f = learning_feature(x, x->raw[i]);
		if (f.kind >= FEATURE_ACTIVE || !leaks(x, x->raw[i]))
			continue;
		while (i + 1 < x->used && x->raw[i + 1] < x->active_at &&
		       x->raw[i + 1] / PER_CATEGORY == x->raw[i] / PER_CATEGORY)
			i++;
		if (n++ >= 3)
			continue;
		snprintf(name, sizeof name, "%s", x->r->categories[f.cat].id);
		size_t at = strlen(names);
		snprintf(names + at, sizeof names - at, "%s'%.40s'", n > 1 ? ", " : "", name);
	}
	if (!n && l->auc > TOO_GOOD && l->features_n) {
		/* a category can be excluded by its id; else the feature is named */
		const struct feature *f = &l->features[0].f;
		if (f->kind < FEATURE_ACTIVE)
			snprintf(name, sizeof name, "%s", x->r->categories[f->cat].id);
		else
			feature_name(x->r, f, name);
		snprintf(names, sizeof names, "'%.80s'", name);
		n = 1;
	}
	if (!n)
		return;
	const char *say = " says", *selves = "itself", *them = "it";
	if (n > 1) {
		say = n > 3 ? " and others say" : " say";
		selves = "themselves";
		them = "them";
	}
	snprintf(words, sizeof words,
	    "too good to be true (area %.3f): %s%s by %s who is in the seed; name %s under "
	    "exclude:",
	    l->auc, names, say, selves, them);
	warn(l, words);
}

/* Categories that somebody has, but too few, and that nothing above stands for. */
static void warn_of_thin(const struct learning *x, struct learned *l)
{
	unsigned some = 0, thin = 0;
	char words[LEARN_WARNING_MOST];
	for (size_t i = 1; i < x->r->categories_n; i++) {
		if (!x->allowed[i] || !x->r->categories[i].named || !x->have[i * PER_CATEGORY])
			continue;
		bool known = x->known[i];
		for (int up = x->r->categories[i].parent; up > 0 && !known;
		     up = x->r->categories[up].parent)
			known = x->known[up];
		some++;
		thin += !known;
	}
	if (!thin || thin * 3 < some)
		return;
	snprintf(words, sizeof words,
	    "%u of %u categories have fewer than %u visitors and are not learned from: put them "
	    "below common ones (a.b, a.c: all of a)",
	    thin, some, learning_k(x));
	warn(l, words);
}

/* What is useless is refused. Seeds that were drawn by lot rank as anybody does: the area is 0.5,
 * and its deviation that of Mann and Whitney's statistic; the best of so many forms and penalties
 * comes out half a deviation higher, and a third wider. */
static enum err noise(const struct learning *x, const struct learned *l)
{
	double n = (double)x->sample.seeds, m = (double)(x->sample.n - x->sample.seeds),
	       deviation = sqrt((n + m + 1) / (12 * n * m));
	if (l->auc >= 0.5 + LEARN_NOISE * deviation && l->auc >= 0.52)
		return OK;
	return err_set(ERR_USAGE,
	    "nothing was learned: the seed's members do not behave differently from others (area "
	    "under the curve %.2f, by chance 0.50)",
	    l->auc);
}

/* Warnings, the weightiest first. */
static void plain_words(const struct learning *x, struct learned *l)
{
	char words[LEARN_WARNING_MOST];
	if (x->seeds < LEARN_SEED_FEW) {
		snprintf(words, sizeof words,
		    "the seed has fewer than %d members: expect a rough ranking", LEARN_SEED_FEW);
		warn(l, words);
	}
	warn_of_leaks(x, l);
	warn_of_thin(x, l);
	if (l->auc < l->activity_auc + 0.01)
		warn(l, "the model ranks hardly better than activity alone: it finds the busiest "
			"visitors");
}

static const double reaches[CURVE_POINTS] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5};
#define AT_10 4 /* the place of 0.1 */

/* The figures of the rehearsal. */
static void tell_figures(
    const struct learning *x, const struct choice *way, const struct judged *j, struct learned *out)
{
	out->c = way->c;
	out->auc = j->model.auc;
	out->activity_auc = j->activity.auc;
	for (unsigned i = 0; i < CURVE_POINTS; i++) {
		struct curve_point *p = &out->curve[i];
		p->reach = reaches[i];
		p->recall = ranking_recall(&j->model, p->reach);
		p->lift = p->recall / p->reach;
		p->precision = p->lift * (double)x->seeds / (double)x->others;
		p->precision = p->precision < 1 ? p->precision : 1;
		p->activity_recall = ranking_recall(&j->activity, p->reach);
		ranking_band(p->recall, (double)j->seeds, &p->low, &p->high);
	}
	out->lift_at_10 = out->curve[AT_10].lift;
}

enum err learn(struct generation *g, const struct config *c, uint16_t segment, uint32_t now,
    const _Atomic bool *stop, struct learned *out)
{
	struct learning *x;
	struct learned l = {.c = 0};
	struct kgate gate = kgate_of(c);
	struct choice way;
	struct judged *j = malloc(sizeof *j);
	double *w = NULL, *stretch = NULL;
	enum err e = j ? learning_new(g, c, segment, now, &x) : learning_no_memory();
	if (e) {
		free(j);
		return e;
	}
	x->stop = stop;
	if (!(e = learning_count(x)) && !(e = learning_take(x, true)) &&
	    !(e = judge_choose(x, &way)) && !(e = judge_well(x, &way, j))) {
		tell_figures(x, &way, j, &l);
		e = noise(x, &l);
	}
	if (!e && !(e = judge_fit(x, &way, &w, &stretch)) &&
	    !(e = keep_features(x, way.unit, w, stretch, &l))) {
		plain_words(x, &l);
		e = cut_off(x, j, &l);
	}
	l.seed = kgate_show(&gate, x->seeds).n;
	l.population = kgate_show(&gate, x->population).n;
	learned_coarsen(&l);
	if (e)
		learned_done(&l);
	else
		*out = l;
	free(w);
	free(stretch);
	free(j);
	learning_free(x);
	return e;
}

void learned_done(struct learned *l)
{
	for (unsigned i = 0; i < l->features_n; i++)
		if (l->features[i].f.kind == FEATURE_FACT)
			free((char *)(uintptr_t)l->features[i].f.word.p);
	free(l->features);
	*l = (struct learned){.c = 0};
}

/* --- for others */

/* A walk for somebody else, and the row that is given next. */
struct giving {
	const struct like_model *model;
	enum err (*each)(void *, const struct learn_row *);
	void *arg;
	uint32_t row[LEARNING_ROW_MOST];
};

static enum err give_score(struct learning *x, void *arg, const struct vkey *k,
    const struct profile *p, bool seed, bool admitted)
{
	struct giving *g = arg;
	if (!admitted)
		return OK;
	struct learn_row row = {
	    .visitor = *k, .profile = p, .score = like_score(g->model, p, x->today), .seed = seed};
	row.probability = like_chance(g->model, row.score);
	return g->each(g->arg, &row);
}

static enum err give_row(struct learning *x, void *arg, const struct vkey *k,
    const struct profile *p, bool seed, bool admitted)
{
	struct giving *g = arg;
	double own = (double)(seed ? x->seeds : x->others), all = (double)(x->seeds + x->others);
	(void)admitted;
	struct learn_row row = {.visitor = *k,
	    .profile = p,
	    .weight = all / (2 * own),
	    .seed = seed,
	    .features = g->row};
	row.n = learning_row(x, p, g->row);
	return g->each(g->arg, &row);
}

/* In order of shard and key, for what is written down must be the same each time. */
static enum err give_all(struct learning *x, learning_look look, const struct like_model *model,
    enum err (*each)(void *arg, const struct learn_row *row), void *arg)
{
	struct giving *g = calloc(1, sizeof *g);
	enum err e = OK;
	if (!g)
		return learning_no_memory();
	g->model = model;
	g->each = each;
	g->arg = arg;
	for (unsigned i = 0; i < x->g->shards && !e; i++)
		e = learning_walk(x, i, look, g);
	free(g);
	return e;
}

enum err learn_scores(struct generation *g, uint16_t segment, uint32_t now,
    enum err (*each)(void *, const struct learn_row *), void *arg)
{
	const struct lookalike *like = g->rules->segments[segment].like;
	struct config none = {.k = K_FLOOR};
	struct learning *x;
	if (!like || !like->model)
		return err_set(ERR_USAGE, "'%s' is no lookalike that was trained",
		    g->rules->segments[segment].id);
	enum err e = learning_new(g, &none, segment, now, &x);
	if (e)
		return e;
	e = give_all(x, give_score, like->model, each, arg);
	learning_free(x);
	return e;
}

static enum err name_features(const struct learning *x, char ***names, unsigned *n)
{
	char name[200];
	*n = 0;
	if (!(*names = calloc(x->used + 1, sizeof **names)))
		return learning_no_memory();
	for (; *n < x->used; ++*n) {
		struct feature f = learning_feature(x, x->raw[*n]);
		feature_name(x->r, &f, name);
		if (!((*names)[*n] = str_dup(str_c(name))))
			return learning_no_memory();
	}
	return OK;
}

enum err learn_matrix(struct generation *g, const struct config *c, uint16_t segment, uint32_t now,
    char ***names, unsigned *names_n, enum err (*each)(void *arg, const struct learn_row *row),
    void *arg)
{
	struct learning *x;
	enum err e = learning_new(g, c, segment, now, &x);
	if (e)
		return e;
	if (!(e = learning_count(x)) && !(e = learning_take(x, false)) &&
	    !(e = name_features(x, names, names_n)) && each)
		e = give_all(x, give_row, NULL, each, arg);
	learning_free(x);
	return e;
}
