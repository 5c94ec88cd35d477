#include "crumb/audience/learn.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/kgate.h"
#include "crumb/rules/eval.h"

#include <linear.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NEGATIVES_MOST 150000
#define POSITIVES_MOST 100000
#define FOLD_ROWS_MOST 40000 /* for choosing the penalty, and for saying how good it is */
#define FOLDS 4
#define PER_CATEGORY 6 /* c90 c30 c7 n2 n5 n15 */
#define FACTS_MOST 1024
#define ROW_MOST 8192

static const struct feature kinds[PER_CATEGORY] = {{.kind = FEATURE_DAYS, .window = 0}, {.kind = FEATURE_DAYS, .window = 30},
    {.kind = FEATURE_DAYS, .window = 7}, {.kind = FEATURE_COUNT, .n = 2}, {.kind = FEATURE_COUNT, .n = 5}, {.kind = FEATURE_COUNT, .n = 15}};

struct fact_word {
	enum fact fact;
	char word[16];
};

struct row {
	uint32_t from, n; /* in `items` */
	double score;	  /* by a model that has not seen it */
	uint32_t activity;
	uint8_t fold;
	bool seed;
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
	/* raw features: categories × kinds, then facts */
	struct fact_word facts[FACTS_MOST];
	unsigned facts_n;
	uint64_t *have, *seed_have; /* visitors who have each raw feature */
	uint32_t *number;	    /* raw -> used + 1; 0: not used */
	uint32_t *raw;		    /* used -> raw */
	unsigned used;
	uint64_t seeds, others, population;
	uint64_t positives_rate, negatives_rate; /* of 2^32 */
	uint32_t *items;
	size_t items_n, items_cap;
	struct row *rows;
	size_t rows_n, rows_cap;
	/* scores of the population */
	const struct like_model *scoring;
	int64_t *scores;
	size_t scores_n, scores_cap;
	enum err (*each)(void *arg, const struct learn_row *row);
	void *arg;
};

static void *room(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? 2 * *cap : 4096;
	array = realloc(array, *cap * size);
	CHECK(array);
	return array;
}

/* --- what may be learned from */

static void forbid(struct learning *x, uint16_t cat)
{
	struct str id = str_c(x->r->categories[cat].id);
	for (int up = cat; up > 0; up = x->r->categories[up].parent)
		x->allowed[up] = false;
	for (size_t i = 1; i < x->r->categories_n; i++) {
		struct str other = str_c(x->r->categories[i].id);
		if (other.n > id.n && str_starts(other, id) && other.p[id.n] == '.')
			x->allowed[i] = false;
	}
}

static void choose_categories(struct learning *x)
{
	const struct rules *r = x->r;
	const struct lookalike *like = r->segments[x->segment].like;
	uint64_t *defines = calloc(1024, sizeof *defines);
	CHECK(defines);
	for (size_t i = 1; i < r->categories_n; i++)
		x->allowed[i] = true;
	if (r->segments[x->seed].root >= 0)
		rules_asks(r, r->segments[x->seed].root, defines);
	if (x->condition >= 0)
		rules_asks(r, x->condition, defines); /* who is left out by it never has it, and the seed may */
	for (size_t i = 1; i < r->categories_n; i++)
		if (defines[i / 64] >> i % 64 & 1)
			forbid(x, (uint16_t)i);
	for (unsigned i = 0; like && i < like->ignore_n; i++) {
		int cat = rules_category(r, like->ignore[i]);
		uint32_t part;
		if (cat <= 0 && map_get(&r->last_parts, like->ignore[i], &part) && part != RULES_AMBIGUOUS)
			cat = (int)part;
		if (cat > 0)
			forbid(x, (uint16_t)cat);
	}
	for (size_t i = 1; i < r->categories_n; i++)
		if (r->categories[i].sensitive && !(like && like->sensitive))
			forbid(x, (uint16_t)i);
	free(defines);
}

/* --- features of a profile */

static unsigned fact_number(struct learning *x, enum fact f, struct str word, bool make)
{
	for (unsigned i = 0; i < x->facts_n; i++)
		if (x->facts[i].fact == f && str_ieq(word, str_c(x->facts[i].word)))
			return i;
	if (!make || x->facts_n == FACTS_MOST || word.n == 0 || word.n >= sizeof x->facts[0].word)
		return FACTS_MOST;
	x->facts[x->facts_n].fact = f;
	snprintf(x->facts[x->facts_n].word, sizeof x->facts[0].word, STR_FMT, STR_ARG(word));
	return x->facts_n++;
}

/* Numbers of raw features that hold; *activity is the number of different categories, whether learned from or not. */
static unsigned raw_features(struct learning *x, const struct profile *p, uint32_t *out, uint32_t *activity, bool make)
{
	unsigned n = 0;
	*activity = 0;
	for (size_t i = 0, z; i < p->rows_n; i = z) {
		uint16_t cat = p->rows[i].cat;
		uint64_t count = 0;
		for (z = i; z < p->rows_n && p->rows[z].cat == cat; z++)
			count += p->rows[z].count;
		if (cat == CATEGORY_ALL || cat >= x->r->categories_n || !x->allowed[cat])
			continue;
		*activity += x->r->categories[cat].named;
		uint16_t last = p->rows[z - 1].day;
		for (unsigned k = 0; k < PER_CATEGORY && n < ROW_MOST; k++)
			if (kinds[k].kind == FEATURE_COUNT ? count >= kinds[k].n : last >= rules_window_start(kinds[k].window, x->today))
				out[n++] = cat * PER_CATEGORY + k;
	}
	for (int f = 0; f < FACT_MAX; f++) {
		struct str word = f == FACT_REGION ? STR("") : rules_fact(p, (enum fact)f);
		unsigned at = word.n ? fact_number(x, (enum fact)f, word, make) : FACTS_MOST;
		if (at < FACTS_MOST && n < ROW_MOST)
			out[n++] = (uint32_t)x->r->categories_n * PER_CATEGORY + at;
	}
	return n;
}

/* --- reading everybody */

typedef enum err (*look)(struct learning *x, const struct vkey *k, const struct profile *p, bool seed, bool admitted);

static enum err each_visitor(struct learning *x, look each)
{
	struct profile p = {0};
	enum err e = OK;
	for (unsigned s = 0; s < x->g->shards && !e; s++) {
		struct fold *f = &x->g->fold[s];
		struct db_txn t;
		struct db_cursor c;
		struct str key, value;
		if ((e = db_begin(&f->shard.db, false, &t)))
			break;
		db_walk(&t, f->shard.visitors, &c);
		for (unsigned n = 0; !e && db_next(&c, &key, &value); n++) {
			struct vkey k;
			if (n % 4096 == 0 && x->stop && atomic_load(x->stop))
				e = err_set(ERR_BUSY, "stopped");
			if (e || key.n != sizeof k.b)
				break;
			if (!profile_load(&p, value)) {
				metric_inc(M_PROFILES_BAD);
				continue;
			}
			memcpy(k.b, key.p, sizeof k.b);
			view_freshen(x->g, f, &p, x->now);
			if (p.rows_n == 0)
				continue;
			bool seed = profile_in_segment(&p, x->seed),
			     admitted = x->condition < 0 ? !seed : rules_holds(x->r, x->condition, &p, x->today);
			if (seed || admitted)
				e = each(x, &k, &p, seed, admitted);
		}
		db_walk_end(&c);
		db_abort(&t);
	}
	profile_done(&p);
	return e;
}

static enum err count_one(struct learning *x, const struct vkey *k, const struct profile *p, bool seed, bool admitted)
{
	static _Thread_local uint32_t raw[ROW_MOST + 8];
	uint32_t activity;
	(void)k;
	x->seeds += seed;
	x->others += admitted && !seed;
	x->population += admitted;
	unsigned n = raw_features(x, p, raw, &activity, true);
	for (unsigned i = 0; i < n; i++) {
		x->have[raw[i]]++;
		x->seed_have[raw[i]] += seed;
	}
	return OK;
}

/* A feature is used if at least k visitors have it, if k have it not, and if it says something else than a simpler one. */
static void choose_features(struct learning *x)
{
	struct kgate gate = {(uint32_t)x->c->k, NULL};
	uint32_t k = kgate_k(&gate);
	size_t raws = x->r->categories_n * PER_CATEGORY + x->facts_n;
	uint64_t all = x->seeds + x->others;
	for (size_t i = 0; i < raws; i++) {
		bool fact = i >= x->r->categories_n * PER_CATEGORY;
		unsigned kind = fact ? 0 : (unsigned)(i % PER_CATEGORY);
		bool used = x->have[i] >= k && all - x->have[i] >= k;
		/* each is contained in the ones before it of its sort: as many means the same visitors */
		static const int wider[PER_CATEGORY] = {-1, 0, 1, 0, 3, 4};
		for (int w = wider[kind]; !fact && used && w >= 0; w = wider[w])
			used = x->have[i] != x->have[i - kind + (unsigned)w];
		if (used) {
			x->raw[x->used++] = (uint32_t)i;
			x->number[i] = x->used;
		}
	}
}

static bool sampled(const struct vkey *k, uint64_t rate)
{
	static const struct key16 key = {"crumb/learning/1"};
	return rate >= 1ull << 32 || (hash_keyed64(&key, k->b, sizeof k->b) & UINT32_MAX) < rate;
}

static enum err take_one(struct learning *x, const struct vkey *k, const struct profile *p, bool seed, bool admitted)
{
	static _Thread_local uint32_t raw[ROW_MOST + 8];
	struct row row = {.from = (uint32_t)x->items_n, .seed = seed};
	if ((!seed && !admitted) || !sampled(k, seed ? x->positives_rate : x->negatives_rate))
		return OK;
	unsigned n = raw_features(x, p, raw, &row.activity, false);
	for (unsigned i = 0; i < n; i++) {
		if (!x->number[raw[i]])
			continue;
		x->items = room(x->items, x->items_n, &x->items_cap, sizeof *x->items);
		x->items[x->items_n++] = x->number[raw[i]] - 1;
		row.n++;
	}
	row.fold = (uint8_t)(k->b[15] % FOLDS);
	if (x->each) {
		double own = (double)(seed ? x->seeds : x->others), all = (double)(x->seeds + x->others);
		struct learn_row out = {
		    .visitor = *k, .profile = p, .weight = all / (2 * own), .seed = seed, .features = x->items + row.from, .n = row.n};
		x->items_n = row.from;
		return x->each(x->arg, &out);
	}
	x->rows = room(x->rows, x->rows_n, &x->rows_cap, sizeof *x->rows);
	x->rows[x->rows_n++] = row;
	return OK;
}

/* --- LIBLINEAR */

static void quiet(const char *s)
{
	(void)s;
}

struct matrix {
	struct problem p;
	struct feature_node *nodes;
};

/* The rows that `fold` does not have (FOLDS: all of them), every `step`-th. */
static void make_matrix(const struct learning *x, unsigned fold, size_t step, struct matrix *m)
{
	size_t nodes = 0, n = 0;
	for (size_t i = 0; i < x->rows_n; i += step)
		if (x->rows[i].fold != fold) {
			nodes += x->rows[i].n + 2;
			n++;
		}
	m->nodes = malloc((nodes + 1) * sizeof *m->nodes);
	m->p = (struct problem){
	    .l = (int)n, .n = (int)x->used + 1, .y = malloc((n + 1) * sizeof(double)), .x = malloc((n + 1) * sizeof *m->p.x), .bias = 1};
	CHECK(m->nodes && m->p.y && m->p.x);
	struct feature_node *at = m->nodes;
	n = 0;
	for (size_t i = 0; i < x->rows_n; i += step) {
		const struct row *r = &x->rows[i];
		if (r->fold == fold)
			continue;
		m->p.y[n] = r->seed ? 1 : -1;
		m->p.x[n++] = at;
		for (uint32_t k = 0; k < r->n; k++)
			*at++ = (struct feature_node){(int)x->items[r->from + k] + 1, 1};
		*at++ = (struct feature_node){(int)x->used + 1, 1};
		*at++ = (struct feature_node){-1, 0};
	}
}

static void free_matrix(struct matrix *m)
{
	free(m->nodes);
	free(m->p.y);
	free(m->p.x);
}

/* Weights of the features, and of the bias behind them. */
static double *fit(const struct learning *x, unsigned fold, size_t step, double c)
{
	struct matrix m;
	double *w = calloc(x->used + 1, sizeof *w);
	CHECK(w);
	make_matrix(x, fold, step, &m);
	double positives = 0, all = m.p.l;
	for (int i = 0; i < m.p.l; i++)
		positives += m.p.y[i] > 0;
	if (positives > 0 && positives < all) {
		int labels[2] = {1, -1};
		double weights[2] = {all / (2 * positives), all / (2 * (all - positives))};
		struct parameter parameter = {.solver_type = L2R_LR, .eps = 0.001, .C = c, .nr_weight = 2, .weight_label = labels, .weight = weights};
		set_print_string_function(quiet);
		struct model *model = train(&m.p, &parameter);
		for (unsigned i = 0; i <= x->used; i++)
			w[i] = get_decfun_coef(model, (int)i + 1, model->label[0] == 1 ? 0 : 1);
		free_and_destroy_model(&model);
	}
	free_matrix(&m);
	return w;
}

/* --- how good it is */

struct ranked {
	double score;
	bool seed;
};

static int best_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	return x->score != y->score ? (x->score > y->score ? -1 : 1) : 0;
}

/* Area under the curve, ties counted half; and recall at shares of the unlabelled: whoever ties at the border counts by its part. */
static double judge(struct ranked *list, size_t n, const double *reach, double *recall, unsigned points)
{
	double seeds = 0, others = 0, area = 0, s = 0, o = 0;
	unsigned at = 0;
	qsort(list, n, sizeof *list, best_first);
	for (size_t i = 0; i < n; i++)
		list[i].seed ? seeds++ : others++;
	for (size_t i = 0, z; i < n; i = z) {
		double s_here = 0, o_here = 0;
		for (z = i; z < n && list[z].score == list[i].score; z++)
			list[z].seed ? s_here++ : o_here++;
		area += o_here * (s + s_here / 2);
		/* of everybody, seeds too: that is what a share of the population means to who is looked for */
		while (at < points && (s + s_here + o + o_here) >= reach[at] * (double)n) {
			double part = (reach[at] * (double)n - s - o) / (s_here + o_here);
			recall[at++] = seeds > 0 ? (s + s_here * part) / seeds : 0;
		}
		s += s_here;
		o += o_here;
	}
	while (at < points)
		recall[at++] = 1;
	return seeds > 0 && others > 0 ? area / (seeds * others) : 0.5;
}

static const double reaches[CURVE_POINTS] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5};
#define AT_10 4

static void wilson(double p, double n, double *low, double *high)
{
	const double z = 1.96;
	double mid = (p + z * z / (2 * n)) / (1 + z * z / n), half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
	*low = mid - half > 0 ? mid - half : 0;
	*high = mid + half < 1 ? mid + half : 1;
}

/* Scores each row by a model of the other folds; the area under the curve. */
static double out_of_fold(struct learning *x, size_t step, double c, double *recall)
{
	struct ranked *list = malloc((x->rows_n / step + 1) * sizeof *list);
	size_t n = 0;
	CHECK(list);
	for (unsigned fold = 0; fold < FOLDS; fold++) {
		double *w = fit(x, fold, step, c);
		for (size_t i = 0; i < x->rows_n; i += step) {
			struct row *r = &x->rows[i];
			if (r->fold != fold)
				continue;
			r->score = w[x->used];
			for (uint32_t k = 0; k < r->n; k++)
				r->score += w[x->items[r->from + k]];
			list[n++] = (struct ranked){r->score, r->seed};
		}
		free(w);
	}
	double auc = judge(list, n, reaches, recall, CURVE_POINTS);
	free(list);
	return auc;
}

static double activity_alone(const struct learning *x, size_t step, double *recall)
{
	struct ranked *list = malloc((x->rows_n / step + 1) * sizeof *list);
	size_t n = 0;
	CHECK(list);
	for (size_t i = 0; i < x->rows_n; i += step)
		list[n++] = (struct ranked){x->rows[i].activity, x->rows[i].seed};
	double auc = judge(list, n, reaches, recall, CURVE_POINTS);
	free(list);
	return auc;
}

/* Fits the chance to be of the seed to scores of rows that their model has not seen, by Newton's method. A row counts as often as it was sampled. */
static void calibrate(const struct learning *x, size_t step, struct learned *out)
{
	double a = 1, b = 0, often[2] = {4294967296.0 / (double)x->negatives_rate, 4294967296.0 / (double)x->positives_rate};
	for (int round = 0; round < 50; round++) {
		double ga = 0, gb = 0, haa = 1e-9, hab = 0, hbb = 1e-9;
		for (size_t i = 0; i < x->rows_n; i += step) {
			const struct row *r = &x->rows[i];
			double p = 1 / (1 + exp(-a * r->score - b)), w = often[r->seed], d = w * (p - r->seed), h = w * p * (1 - p);
			ga += d * r->score;
			gb += d;
			haa += h * r->score * r->score;
			hab += h * r->score;
			hbb += h;
		}
		double det = haa * hbb - hab * hab, da, db;
		if (!(det > 1e-12))
			break;
		da = (hbb * ga - hab * gb) / det;
		db = (haa * gb - hab * ga) / det;
		a -= da;
		b -= db;
		if (fabs(da) + fabs(db) < 1e-9)
			break;
	}
	out->slope = isfinite(a) ? a : 1;
	out->shift = isfinite(b) ? b : 0;
}

static void choose_penalty(struct learning *x, struct learned *out)
{
	static const double cs[] = {0.003, 0.01, 0.03, 0.1, 0.3, 1};
	double recall[CURVE_POINTS], activity[CURVE_POINTS], best = 0;
	size_t step = x->rows_n / FOLD_ROWS_MOST + 1, positives = 0;
	for (size_t i = 0; i < x->rows_n; i += step)
		positives += x->rows[i].seed;
	for (size_t i = 0; i < sizeof cs / sizeof *cs; i++) { /* the strongest penalty that is as good as any */
		double auc = out_of_fold(x, step, cs[i], recall);
		if (auc <= best + 0.0005)
			continue;
		best = auc;
		out->c = cs[i];
		out->auc = auc;
		for (unsigned k = 0; k < CURVE_POINTS; k++)
			out->curve[k].recall = recall[k];
	}
	out->activity_auc = activity_alone(x, step, activity);
	(void)out_of_fold(x, step, out->c > 0 ? out->c : 0.1, recall); /* the scores of the penalty that was chosen */
	calibrate(x, step, out);
	double base = (double)x->seeds / (double)(x->seeds + x->others);
	for (unsigned k = 0; k < CURVE_POINTS; k++) {
		struct curve_point *p = &out->curve[k];
		p->reach = reaches[k];
		p->lift = p->recall / p->reach;
		p->precision = p->lift * base;
		p->activity_recall = activity[k];
		wilson(p->recall, positives ? (double)positives : 1, &p->low, &p->high);
	}
	out->lift_at_10 = out->curve[AT_10].lift;
}

/* --- the result */

static int heaviest_first(const void *a, const void *b)
{
	const struct learned_feature *x = a, *y = b;
	int64_t wx = llabs(x->w), wy = llabs(y->w);
	return wx != wy ? (wx > wy ? -1 : 1) : 0;
}

static struct feature feature_of(const struct learning *x, uint32_t raw)
{
	size_t facts = x->r->categories_n * PER_CATEGORY;
	if (raw >= facts)
		return (struct feature){.kind = FEATURE_FACT, .fact = x->facts[raw - facts].fact, .word = str_c(x->facts[raw - facts].word)};
	struct feature f = kinds[raw % PER_CATEGORY];
	f.cat = (uint16_t)(raw / PER_CATEGORY);
	return f;
}

static double share(const struct learning *x, uint64_t n, uint64_t of)
{
	struct kgate gate = {(uint32_t)x->c->k, NULL};
	return n >= kgate_k(&gate) && of ? round(100.0 * (double)n / (double)of) / 100 : -1;
}

static void keep_features(const struct learning *x, const double *w, struct learned *out)
{
	out->features = calloc(x->used + 1, sizeof *out->features);
	CHECK(out->features);
	out->bias = llround(w[x->used] * 1e6);
	for (unsigned i = 0; i < x->used; i++) {
		int64_t millionths = llround(w[i] * 1e6);
		uint32_t raw = x->raw[i];
		if (millionths == 0)
			continue;
		out->features[out->features_n++] = (struct learned_feature){
		    feature_of(x, raw), millionths, share(x, x->seed_have[raw], x->seeds), share(x, x->have[raw] - x->seed_have[raw], x->others)};
	}
	if (out->features_n)
		qsort(out->features, out->features_n, sizeof *out->features, heaviest_first);
}

/* The words outlive the learning: they move into one block behind the features. */
static void own_words(struct learned *out)
{
	for (unsigned i = 0; i < out->features_n; i++)
		if (out->features[i].f.kind == FEATURE_FACT)
			out->features[i].f.word = str_c(str_dup(out->features[i].f.word));
}

static int by_weight_category(const void *a, const void *b)
{
	const struct like_weight *x = a, *y = b;
	bool xf = x->f.kind == FEATURE_FACT, yf = y->f.kind == FEATURE_FACT;
	return xf != yf ? (xf ? 1 : -1) : x->f.cat < y->f.cat ? -1 : x->f.cat > y->f.cat;
}

static enum err score_one(struct learning *x, const struct vkey *k, const struct profile *p, bool seed, bool admitted)
{
	if (!admitted)
		return OK;
	int64_t score = like_score(x->scoring, p, x->today);
	if (x->each) {
		double p_seed = 1 / (1 + exp(-x->scoring->slope * (double)score / 1e6 - x->scoring->shift));
		struct learn_row row = {.visitor = *k, .profile = p, .score = score, .probability = p_seed, .seed = seed};
		return x->each(x->arg, &row);
	}
	x->scores = room(x->scores, x->scores_n, &x->scores_cap, sizeof *x->scores);
	x->scores[x->scores_n++] = score;
	return OK;
}

static int highest_first(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return *x != *y ? (*x > *y ? -1 : 1) : 0;
}

static uint64_t wanted_size(const struct learning *x, const struct learned *l)
{
	const struct lookalike *like = x->r->segments[x->segment].like;
	if (like->size)
		return (uint64_t)like->size;
	double reach = like->reach;
	for (unsigned i = 0; like->min_lift > 0 && i < CURVE_POINTS; i++)
		if (l->curve[i].lift >= like->min_lift)
			reach = l->curve[i].reach;
	return (uint64_t)(reach * (double)x->scores_n + 0.5);
}

/* The cut-off nearest to the size that was asked for: who scores the same is in together. */
static enum err cut_off(struct learning *x, struct learned *out)
{
	struct like_model m = {.bias = out->bias};
	m.weights = calloc(out->features_n + 1, sizeof *m.weights);
	m.first = calloc(65538, sizeof *m.first);
	CHECK(m.weights && m.first);
	for (unsigned i = 0; i < out->features_n; i++)
		m.weights[m.n++] = (struct like_weight){out->features[i].f, out->features[i].w};
	if (m.n)
		qsort(m.weights, m.n, sizeof *m.weights, by_weight_category);
	uint32_t at = 0;
	for (uint32_t cat = 0; cat < 65537; cat++) {
		while (at < m.n && m.weights[at].f.kind != FEATURE_FACT && m.weights[at].f.cat < cat)
			at++;
		m.first[cat] = at;
	}
	while (at < m.n && m.weights[at].f.kind != FEATURE_FACT)
		at++;
	m.facts_at = at;
	x->scoring = &m;
	enum err e = each_visitor(x, score_one);
	out->threshold = INT64_MAX / 2;
	if (!e && x->scores_n) {
		qsort(x->scores, x->scores_n, sizeof *x->scores, highest_first);
		uint64_t want = wanted_size(x, out), above, with;
		if (want > x->scores_n)
			want = x->scores_n;
		if (want > 0) {
			int64_t border = x->scores[want - 1];
			for (above = want - 1; above > 0 && x->scores[above - 1] == border; above--)
				;
			for (with = want; with < x->scores_n && x->scores[with] == border; with++)
				;
			bool together = above == 0 || with - want <= want - above;
			out->threshold = together ? border : border + 1;
			out->size = together ? with : above;
		}
	}
	free(m.weights);
	free(m.first);
	return e;
}

static void warn(struct learned *l, const char *words)
{
	if (l->warnings_n < 4)
		snprintf(l->warnings[l->warnings_n++], sizeof l->warnings[0], "%s", words);
}

/* What must be said of it, and what makes it useless. */
static enum err plain_words(const struct learning *x, struct learned *l)
{
	char words[200], name[200];
	double noise = 1 / sqrt(12.0 * (double)(x->seeds ? x->seeds : 1)); /* of the area, if there is nothing to learn */
	if (l->auc < 0.5 + 3 * noise || l->auc < 0.52)
		return err_set(ERR_USAGE,
		    "nothing was learned: the seed's members do not behave differently from others (area under the curve %.2f, by chance 0.50)",
		    l->auc);
	if (x->seeds < LEARN_SEED_FEW) {
		snprintf(words, sizeof words, "the seed has fewer than %d members: expect a rough ranking", LEARN_SEED_FEW);
		warn(l, words);
	}
	if (l->auc > 0.99 && l->features_n) {
		feature_name(x->r, &l->features[0].f, name);
		snprintf(words, sizeof words,
		    "too good to be true (area %.3f): '%.80s' says by itself who is in the seed; name it under exclude:", l->auc, name);
		warn(l, words);
	}
	if (l->auc < l->activity_auc + 0.01)
		warn(l, "it ranks hardly better than activity alone: these are simply the busiest visitors");
	return OK;
}

static void free_learning(struct learning *x)
{
	free(x->allowed);
	free(x->have);
	free(x->seed_have);
	free(x->number);
	free(x->raw);
	free(x->items);
	free(x->rows);
	free(x->scores);
	free(x);
}

static struct learning *begin(struct generation *g, const struct config *c, uint16_t segment, uint32_t now)
{
	struct learning *x = calloc(1, sizeof *x);
	CHECK(x);
	*x = (struct learning){.g = g, .r = g->rules, .c = c, .segment = segment, .seed = segment, .condition = -1, .now = now, .today = day_of(now)};
	const struct lookalike *like = g->rules->segments[segment].like;
	if (like) {
		x->seed = (uint16_t)rules_segment(g->rules, str_c(like->seed));
		x->condition = g->rules->nodes[g->rules->segments[segment].root].left;
	}
	size_t raws = g->rules->categories_n * PER_CATEGORY + FACTS_MOST;
	x->allowed = calloc(g->rules->categories_n + 1, sizeof *x->allowed);
	x->have = calloc(raws, sizeof *x->have);
	x->seed_have = calloc(raws, sizeof *x->seed_have);
	x->number = calloc(raws, sizeof *x->number);
	x->raw = calloc(raws, sizeof *x->raw);
	CHECK(x->allowed && x->have && x->seed_have && x->number && x->raw);
	choose_categories(x);
	return x;
}

static enum err gather(struct learning *x)
{
	enum err e = each_visitor(x, count_one);
	if (e)
		return e;
	if (x->seeds < LEARN_SEED_FLOOR)
		return err_set(
		    ERR_USAGE, "the seed '%s' has fewer than %d members: too few to learn from", x->r->segments[x->seed].id, LEARN_SEED_FLOOR);
	if (x->others < LEARN_SEED_FLOOR)
		return err_set(ERR_USAGE, "fewer than %d visitors are left to find anybody among", LEARN_SEED_FLOOR);
	choose_features(x);
	if (x->used == 0)
		return err_set(ERR_USAGE, "there is nothing to learn from: no category besides those that define the seed has enough visitors");
	x->positives_rate = x->seeds > POSITIVES_MOST ? (uint64_t)((double)POSITIVES_MOST / (double)x->seeds * 4294967296.0) : 1ull << 32;
	x->negatives_rate = x->others > NEGATIVES_MOST ? (uint64_t)((double)NEGATIVES_MOST / (double)x->others * 4294967296.0) : 1ull << 32;
	return each_visitor(x, take_one);
}

enum err learn(struct generation *g, const struct config *c, uint16_t segment, uint32_t now, const _Atomic bool *stop, struct learned *out)
{
	struct learning *x = begin(g, c, segment, now);
	struct learned l = {.c = 0};
	struct kgate gate = {(uint32_t)c->k, NULL};
	x->stop = stop;
	enum err e = gather(x);
	if (!e) {
		choose_penalty(x, &l);
		double *w = fit(x, FOLDS, 1, l.c > 0 ? l.c : 0.1);
		keep_features(x, w, &l);
		free(w);
		e = plain_words(x, &l);
	}
	if (!e)
		e = cut_off(x, &l);
	if (!e) {
		l.seed = kgate_show(&gate, x->seeds).n;
		l.population = kgate_show(&gate, x->population).n;
		own_words(&l);
		*out = l;
	} else {
		free(l.features);
	}
	free_learning(x);
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

enum err learn_scores(struct generation *g, uint16_t segment, uint32_t now, enum err (*each)(void *, const struct learn_row *), void *arg)
{
	const struct lookalike *like = g->rules->segments[segment].like;
	struct config none = {.k = K_FLOOR};
	if (!like || !like->model)
		return err_set(ERR_USAGE, "'%s' is no lookalike that was trained", g->rules->segments[segment].id);
	struct learning *x = begin(g, &none, segment, now);
	x->scoring = like->model;
	x->each = each;
	x->arg = arg;
	enum err e = each_visitor(x, score_one);
	free_learning(x);
	return e;
}

enum err learn_matrix(struct generation *g, const struct config *c, uint16_t segment, uint32_t now, char ***names, unsigned *names_n,
    enum err (*each)(void *, const struct learn_row *), void *arg)
{
	struct learning *x = begin(g, c, segment, now);
	char name[200];
	x->each = NULL;
	enum err e = each_visitor(x, count_one);
	if (!e && x->seeds < LEARN_SEED_FLOOR)
		e = err_set(ERR_USAGE, "'%s' has fewer than %d members: too few to learn from", g->rules->segments[x->seed].id, LEARN_SEED_FLOOR);
	if (!e) {
		choose_features(x);
		*names_n = x->used;
		*names = calloc(x->used + 1, sizeof **names);
		CHECK(*names);
		for (unsigned i = 0; i < x->used; i++) {
			struct feature f = feature_of(x, x->raw[i]);
			feature_name(x->r, &f, name);
			CHECK((*names)[i] = str_dup(str_c(name)));
		}
		x->positives_rate = x->negatives_rate = 1ull << 32;
		x->each = each;
		x->arg = arg;
		if (each)
			e = each_visitor(x, take_one);
	}
	free_learning(x);
	return e;
}
