/* Models: their features, their scores, their files.
 *
 * Weights of categories are sorted by category, and `first` says where those of each begin. So a
 * score goes once over the rows of the profile: for each category that the visitor has, the few
 * weights of it are looked at, whatever the size of the model. Facts and activity follow. */
#include "crumb/rules/like.h"

#include "crumb/base/clock.h"
#include "crumb/rules/fact.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- features */

/* KIND[N]:WHAT, as like.h lists them. */
bool feature_parse(const struct rules *r, struct str name, struct feature *out)
{
	size_t colon = str_find(name, ':');
	struct str kind = str_make(name.p, colon), what = str_skip(name, colon + 1);
	uint64_t n;
	*out = (struct feature){.kind = FEATURE_FACT};
	if (colon >= name.n || !what.n)
		return false;
	if (kind.n > 1 && kind.p[0] == 'a' && str_u64(str_skip(kind, 1), &n)) {
		out->kind = FEATURE_ACTIVE;
		out->n = (uint32_t)n;
		return n > 0 && n < 65536 && str_eq(what, STR(LIKE_ACTIVE));
	}
	if (kind.n > 1 && (kind.p[0] == 'c' || kind.p[0] == 'n') &&
	    str_u64(str_skip(kind, 1), &n)) {
		int cat = rules_category(r, what);
		if (cat <= 0 || n == 0 || n > 1000000)
			return false;
		out->kind = kind.p[0] == 'c' ? FEATURE_DAYS : FEATURE_COUNT;
		out->cat = (uint16_t)cat;
		out->n = (uint32_t)n;
		out->window = out->kind == FEATURE_COUNT || n >= RETENTION_MAX ? 0 : (uint8_t)n;
		return true;
	}
	for (int f = 0; f < FACT_MAX; f++)
		if (str_eq(kind, str_c(fact_name((enum fact)f)))) {
			out->fact = (enum fact)f;
			out->word = what;
			return true;
		}
	return false;
}

void feature_name(const struct rules *r, const struct feature *f, char out[FEATURE_NAME])
{
	if (f->kind == FEATURE_FACT)
		snprintf(out, FEATURE_NAME, "%s:" STR_FMT, fact_name(f->fact), STR_ARG(f->word));
	else if (f->kind == FEATURE_ACTIVE)
		snprintf(out, FEATURE_NAME, "a%u:" LIKE_ACTIVE, f->n);
	else if (f->kind == FEATURE_DAYS)
		snprintf(out, FEATURE_NAME, "c%u:%s", f->window ? f->window : RETENTION_MAX,
		    r->categories[f->cat].id);
	else
		snprintf(out, FEATURE_NAME, "n%u:%s", f->n, r->categories[f->cat].id);
}

void feature_words(const struct rules *r, const struct feature *f, char out[FEATURE_WORDS])
{
	const struct category *c = &r->categories[f->cat];
	if (f->kind == FEATURE_FACT)
		snprintf(
		    out, FEATURE_WORDS, "%s is " STR_FMT, fact_name(f->fact), STR_ARG(f->word));
	else if (f->kind == FEATURE_ACTIVE)
		snprintf(out, FEATURE_WORDS, "something of at least %u different categories", f->n);
	else if (f->kind == FEATURE_DAYS && f->window)
		snprintf(out, FEATURE_WORDS, "%.300s in the last %u days", c->name, f->window);
	else if (f->kind == FEATURE_DAYS)
		snprintf(out, FEATURE_WORDS, "%.300s in the last %d days", c->name, RETENTION_MAX);
	else
		snprintf(out, FEATURE_WORDS, "%.300s, at least %u times", c->name, f->n);
}

/* Does a feature of a category hold, by the days of that category? */
static bool rows_hold(const struct feature *f, const struct cat_day *rows, size_t n, uint16_t today)
{
	uint64_t count = 0;
	if (f->kind == FEATURE_DAYS)
		return n > 0 && rows[n - 1].day >= rules_window_start(f->window, today);
	for (size_t i = 0; i < n; i++)
		count += rows[i].count;
	return count >= f->n;
}

/* How many different categories of the profile the model knows. */
static unsigned active(const struct like_model *m, const struct profile *p)
{
	unsigned n = 0;
	for (size_t i = 0; i < p->rows_n; i++)
		if (i == 0 || p->rows[i].cat != p->rows[i - 1].cat)
			n += m->first[p->rows[i].cat] < m->first[p->rows[i].cat + 1];
	return n;
}

bool like_holds(const struct like_model *m, unsigned i, const struct profile *p, uint16_t today)
{
	const struct feature *f = &m->weights[i].f;
	size_t n;
	if (f->kind == FEATURE_FACT)
		return str_ieq(rules_fact(p, f->fact), f->word);
	if (f->kind == FEATURE_ACTIVE)
		return active(m, p) >= f->n;
	const struct cat_day *rows = profile_span(p, f->cat, &n);
	return rows_hold(f, rows, n, today);
}

/* Of the features that hold. LIKE_WEIGHT_MOST and LIKE_SQUARE_MOST see to it that neither runs
 * over. */
struct sums {
	int64_t w;	 /* millionths */
	uint64_t square; /* 10^-12 */
};

static void sum_up(
    const struct like_model *m, const struct profile *p, uint16_t today, struct sums *out)
{
	struct sums s = {0, 0};
	unsigned different = 0;
	for (size_t i = 0, z; i < p->rows_n; i = z) {
		uint16_t cat = p->rows[i].cat;
		for (z = i + 1; z < p->rows_n && p->rows[z].cat == cat; z++)
			;
		different += m->first[cat] < m->first[cat + 1];
		for (uint32_t k = m->first[cat]; k < m->first[cat + 1]; k++)
			if (rows_hold(&m->weights[k].f, p->rows + i, z - i, today)) {
				s.w += m->weights[k].w;
				s.square += m->weights[k].square;
			}
	}
	for (unsigned i = m->facts_at; i < m->n; i++) {
		const struct feature *f = &m->weights[i].f;
		if (f->kind == FEATURE_ACTIVE ? different >= f->n
					      : str_ieq(rules_fact(p, f->fact), f->word)) {
			s.w += m->weights[i].w;
			s.square += m->weights[i].square;
		}
	}
	*out = s;
}

/* The whole root: floating point is near, and is corrected. */
static uint64_t root(uint64_t n)
{
	uint64_t r = (uint64_t)sqrt((double)n);
	while (r > UINT32_MAX || r * r > n)
		r--;
	while (r < UINT32_MAX && (r + 1) * (r + 1) <= n)
		r++;
	return r;
}

/* What a sum is divided by, in millionths: 1 in a model without "unit". */
static uint64_t length_of(const struct like_model *m, const struct sums *s)
{
	uint64_t n = m->unit && s->square ? root(s->square) : 1000000;
	return n > LIKE_LENGTH_LEAST ? n : LIKE_LENGTH_LEAST;
}

uint64_t like_length(const struct like_model *m, const struct profile *p, uint16_t today)
{
	struct sums s;
	sum_up(m, p, today, &s);
	return length_of(m, &s);
}

int64_t like_score(const struct like_model *m, const struct profile *p, uint16_t today)
{
	struct sums s;
	sum_up(m, p, today, &s);
	int64_t by = (int64_t)length_of(m, &s);
	/* in two steps: the sum times a million would run over */
	return m->bias + s.w / by * 1000000 + s.w % by * 1000000 / by;
}

/* Between two knots on the straight line, beyond the ends level. */
double like_chance(const struct like_model *m, int64_t score)
{
	unsigned i = 0;
	if (m->knots_n == 0)
		return 1 / (1 + exp(-m->slope * (double)score / 1e6 - m->shift));
	while (i < m->knots_n && m->knots[i].score <= score)
		i++;
	if (i == 0 || i == m->knots_n)
		return m->knots[i ? i - 1 : 0].chance;
	const struct like_knot *a = &m->knots[i - 1], *b = &m->knots[i];
	return a->chance +
	       (b->chance - a->chance) * (double)(score - a->score) / (double)(b->score - a->score);
}

/* --- files */

static int by_category(const void *a, const void *b)
{
	const struct like_weight *x = a, *y = b;
	bool xf = x->f.kind >= FEATURE_ACTIVE, yf = y->f.kind >= FEATURE_ACTIVE;
	if (xf != yf)
		return xf ? 1 : -1;
	if (x->f.cat != y->f.cat)
		return x->f.cat < y->f.cat ? -1 : 1;
	if (x->f.kind != y->f.kind)
		return x->f.kind < y->f.kind ? -1 : 1;
	if (x->f.n != y->f.n)
		return x->f.n < y->f.n ? -1 : 1;
	return 0;
}

/* Sorts, then notes for each category where its weights begin. */
void like_index(struct like_model *m)
{
	if (m->n)
		qsort(m->weights, m->n, sizeof *m->weights, by_category);
	/* any number may stand in a profile: bytes from disk are not trusted to be below */
	uint32_t at = 0;
	for (uint32_t cat = 0; cat < LIKE_FIRST; cat++) {
		while (at < m->n && m->weights[at].f.kind < FEATURE_ACTIVE &&
		       m->weights[at].f.cat < cat)
			at++;
		m->first[cat] = at;
	}
	m->facts_at = at;
}

/* A whole number of no more than `most`, above or below nothing. */
static bool read_whole(const json_t *j, int64_t most, int64_t *out)
{
	*out = json_integer_value(j);
	return json_is_integer(j) && *out >= -most && *out <= most;
}

/* What a row of the file adds to the square of the length; false: no number that can be. */
static bool read_square(const json_t *square, bool unit, uint64_t *out)
{
	int64_t n = json_integer_value(square);
	if (!unit)
		return true;
	*out = (uint64_t)n;
	return json_is_integer(square) && n >= LIKE_SQUARE_LEAST && n <= LIKE_SQUARE_MOST;
}

/* Features of categories that the rules do not have any more are left out; what is no number makes
 * the file none. */
static bool read_weights(struct rules *r, const json_t *list, struct like_model *m)
{
	size_t i;
	json_t *row;
	m->weights = arena_alloc(&r->arena, (json_array_size(list) + 1) * sizeof *m->weights);
	json_array_foreach(list, i, row)
	{
		const json_t *name = json_object_get(row, "f");
		struct like_weight *to = &m->weights[m->n];
		if (!json_is_string(name) ||
		    !read_whole(json_object_get(row, "w"), LIKE_WEIGHT_MOST, &to->w) ||
		    !read_square(json_object_get(row, "square"), m->unit, &to->square))
			return false;
		if (!feature_parse(
			r, str_make(json_string_value(name), json_string_length(name)), &to->f))
			continue;
		to->f.word =
		    to->f.kind == FEATURE_FACT ? arena_keep(&r->arena, to->f.word) : STR("");
		m->n++;
	}
	m->first = arena_alloc(&r->arena, LIKE_FIRST * sizeof *m->first);
	like_index(m);
	return true;
}

/* Ascending, chances between 0 and 1; none is fine. */
static bool read_knots(struct rules *r, const json_t *list, struct like_model *m)
{
	size_t i;
	json_t *row;
	m->knots = arena_alloc(&r->arena, (LIKE_KNOTS_MOST + 1) * sizeof *m->knots);
	json_array_foreach(list, i, row)
	{
		const json_t *chance = json_array_get(row, 1);
		struct like_knot *to = &m->knots[i];
		to->chance = json_number_value(chance);
		if (i == LIKE_KNOTS_MOST ||
		    !read_whole(json_array_get(row, 0), LIKE_SCORE_MOST, &to->score) ||
		    (i && to->score <= to[-1].score) || !json_is_number(chance) ||
		    !(to->chance >= 0 && to->chance <= 1))
			return false;
		m->knots_n++;
	}
	return true;
}

/* Every number is bounded here, so that scoring needs no check. */
enum err like_read(struct rules *r, struct str text, struct like_model **out, uint16_t *until)
{
	json_error_t error;
	json_t *file = json_loadb(text.n ? text.p : "", text.n, 0, &error);
	const json_t *trained = json_object_get(file, "trained"),
		     *threshold = json_object_get(file, "threshold");
	uint16_t day;
	struct like_model *m = arena_alloc(&r->arena, sizeof *m);
	json_int_t version = json_integer_value(json_object_get(file, "crumb_model"));
	m->unit = version == 2 && json_is_true(json_object_get(file, "unit"));
	bool fine = (version == 1 || version == 2) && json_is_string(trained) &&
		    day_parse(json_string_value(trained), json_string_length(trained), &day) &&
		    json_is_integer(threshold) &&
		    read_whole(json_object_get(file, "bias"), LIKE_SCORE_MOST, &m->bias) &&
		    read_knots(r, json_object_get(file, "chances"), m) &&
		    read_weights(r, json_object_get(file, "features"), m);
	if (fine) {
		m->threshold = json_integer_value(threshold);
		m->hash = hash_content(text);
		m->trained = day;
		m->slope = json_number_value(json_object_get(file, "slope"));
		m->shift = json_number_value(json_object_get(file, "shift"));
		*until = (uint16_t)(day + RETENTION_MAX - 1);
		*out = m;
	}
	json_decref(file);
	return fine ? OK : err_set(ERR_SYNTAX, "this is no model");
}
