/* Newton's method for a logistic regression over rows of features; learn_fit.h has the problem.
 *
 *   fit_all(): until the gradient is small enough,
 *     1. derive(): of each row, the loss's first and second derivative by its margin;
 *     2. newton_step(): where the quadratic that touches the loss here is least, by conjugate
 *        gradients; each of them needs one pass over the rows (bend_along());
 *     3. damp(): go there, or half as far, until the loss falls as it should.
 *
 * Passes over the rows are nearly all of the time: a row's features are added up four at a time,
 * and rows of which many take no part are copied to stand side by side first (make_dense()). */
#include "learn_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEWTON_MOST 30	  /* steps */
#define GRADIENTS_MOST 60 /* conjugate gradients of a step */
#define HALVINGS_MOST 20  /* of a step that goes too far */
#define FALLS 0.01	  /* of what the slope promises, so much the loss has to fall (Armijo) */
#define TURNS 4		  /* of the subspace */

/* --- rows times weights, and back */

struct work {
	const struct fit *f;
	struct fit_cost cost;
	const uint8_t *roles;
	double loss; /* at the margins */
	/* by row: its margin, what the step adds to it, the loss's derivatives by it */
	double *margin, *step, *pull, *bend;
	/* by feature, and the bias behind: stretched weights, gradient, penalty, step; and of the
	 * conjugate gradients what is left, that preconditioned, the way, and what the way gives */
	double *u, *g, *penal, *s, *rest, *z, *way, *along, *penal_way, *diag;
	double block[];
};

static inline bool absent(const struct work *w, size_t row)
{
	return w->roles[row] == FIT_ABSENT;
}

/* The sum of u over a row's features. Four at a time, for one addition need not wait for the one
 * before. */
static inline double row_sum(const uint32_t *item, const uint32_t *end, const double *u)
{
	double a = 0, b = 0, c = 0, d = 0;
	for (; end - item >= 4; item += 4) {
		a += u[item[0]];
		b += u[item[1]];
		c += u[item[2]];
		d += u[item[3]];
	}
	for (; item < end; item++)
		a += u[*item];
	return (a + b) + (c + d);
}

/* The margin of each row: bias + x'w. */
static void forth(const struct work *k, const double *w, double *out)
{
	const struct fit *f = k->f;
	unsigned n = f->features;
	for (unsigned j = 0; j < n; j++)
		k->u[j] = f->stretch[j] * w[j];
	for (size_t i = 0; i < f->rows; i++)
		if (!absent(k, i))
			out[i] = w[n] + f->scale[i] * row_sum(f->items + f->from[i],
							  f->items + f->from[i + 1], k->u);
}

/* The other way: of each feature, the sum over the rows that have it. */
static void back(const struct work *k, const double *of_rows, double *out)
{
	const struct fit *f = k->f;
	unsigned n = f->features;
	double bias = 0;
	memset(out, 0, n * sizeof *out);
	for (size_t i = 0; i < f->rows; i++) {
		if (absent(k, i))
			continue;
		double v = of_rows[i] * f->scale[i];
		bias += of_rows[i];
		for (uint32_t at = f->from[i]; at < f->from[i + 1]; at++)
			out[f->items[at]] += v;
	}
	for (unsigned j = 0; j < n; j++)
		out[j] *= f->stretch[j];
	out[n] = bias;
}

/* Forth, times the loss's second derivative, and back, row by row while it is at hand. */
static void bend_along(const struct work *k, const double *w, double *out)
{
	const struct fit *f = k->f;
	unsigned n = f->features;
	double bias = 0;
	for (unsigned j = 0; j < n; j++)
		k->u[j] = f->stretch[j] * w[j];
	memset(out, 0, n * sizeof *out);
	for (size_t i = 0; i < f->rows; i++) {
		if (absent(k, i))
			continue;
		const uint32_t *item = f->items + f->from[i], *end = f->items + f->from[i + 1];
		double r = k->bend[i] * (w[n] + f->scale[i] * row_sum(item, end, k->u)),
		       v = r * f->scale[i];
		bias += r;
		for (; item < end; item++)
			out[*item] += v;
	}
	for (unsigned j = 0; j < n; j++)
		out[j] *= f->stretch[j];
	out[n] = bias;
}

/* The sum of products over all directions, four at a time. */
static inline double over_directions(const float *v, const double *z)
{
	double a = 0, b = 0, c = 0, d = 0;
	for (unsigned k = 0; k < FIT_DIRECTIONS; k += 4) {
		a += (double)v[k] * z[k];
		b += (double)v[k + 1] * z[k + 1];
		c += (double)v[k + 2] * z[k + 2];
		d += (double)v[k + 3] * z[k + 3];
	}
	return (a + b) + (c + d);
}

/* (I − loose V V') w */
static void penalise(const struct fit *f, const double *w, double *out)
{
	double z[FIT_DIRECTIONS] = {0};
	memcpy(out, w, f->features * sizeof *out);
	out[f->features] = 0;
	if (!f->directions || f->loose <= 0)
		return;
	for (size_t j = 0; j < f->features; j++)
		for (unsigned k = 0; k < FIT_DIRECTIONS; k++)
			z[k] += (double)f->directions[j * FIT_DIRECTIONS + k] * w[j];
	for (size_t j = 0; j < f->features; j++)
		out[j] -= f->loose * over_directions(f->directions + j * FIT_DIRECTIONS, z);
}

static double dot(const double *a, const double *b, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* --- the loss */

static double row_cost(const struct work *k, size_t i)
{
	return k->cost.c * ((k->roles[i] == FIT_SEED) ? k->cost.seed : k->cost.other);
}

/* The loss a part t along the step. log(1 + exp(x)) is written in the form that does not run over
 * for large x. */
static double loss_at(const struct work *k, double t)
{
	const struct fit *f = k->f;
	double sum = 0;
	for (size_t i = 0; i < f->rows; i++) {
		if (absent(k, i))
			continue;
		double x = k->margin[i] + t * k->step[i];
		x = (k->roles[i] == FIT_SEED) ? -x : x;
		sum += row_cost(k, i) * (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)));
	}
	return sum;
}

/* The loss's first and second derivatives by each row's margin. */
static void derive(const struct work *k)
{
	const struct fit *f = k->f;
	for (size_t i = 0; i < f->rows; i++) {
		if (absent(k, i))
			continue;
		double p = 1 / (1 + exp(-k->margin[i])), c = row_cost(k, i);
		k->pull[i] = c * (p - (k->roles[i] == FIT_SEED));
		k->bend[i] = c * p * (1 - p);
	}
}

/* The length of the gradient where only the bias is fitted; *bias is that. Every fit's precision is
 * a part of it. */
static double length_at_rest(const struct work *k, double *bias)
{
	const struct fit *f = k->f;
	double seed = 0, other = 0;
	for (size_t i = 0; i < f->rows; i++)
		if (!absent(k, i))
			*((k->roles[i] == FIT_SEED) ? &seed : &other) += row_cost(k, i);
	*bias = seed > 0 && other > 0 ? log(seed / other) : 0;
	for (size_t i = 0; i < f->rows; i++)
		k->pull[i] = row_cost(k, i) * (seed / (seed + other) - (k->roles[i] == FIT_SEED));
	back(k, k->pull, k->g);
	return seed > 0 && other > 0 ? sqrt(dot(k->g, k->g, f->features + 1)) : 0;
}

/* --- Newton's method */

/* The diagonal of the second derivatives: what conjugate gradients are preconditioned by. */
static void diagonal(const struct work *k)
{
	const struct fit *f = k->f;
	unsigned n = f->features;
	memset(k->diag, 0, (n + 1) * sizeof *k->diag);
	for (size_t i = 0; i < f->rows; i++) {
		if (absent(k, i))
			continue;
		double v = k->bend[i] * f->scale[i] * f->scale[i];
		k->diag[n] += k->bend[i];
		for (uint32_t at = f->from[i]; at < f->from[i + 1]; at++)
			k->diag[f->items[at]] += v;
	}
	for (unsigned j = 0; j < n; j++)
		k->diag[j] = 1 + k->diag[j] * f->stretch[j] * f->stretch[j];
	k->diag[n] += 1e-12;
}

/* s: where the quadratic that touches the loss here is least, nearly. */
static void newton_step(const struct work *k)
{
	const struct fit *f = k->f;
	size_t n = f->features + 1;
	memset(k->s, 0, n * sizeof *k->s);
	for (size_t j = 0; j < n; j++) {
		k->rest[j] = -k->g[j];
		k->way[j] = k->z[j] = k->rest[j] / k->diag[j];
	}
	double now = dot(k->rest, k->z, n), enough = 0.01 * now;
	for (unsigned round = 0; round < GRADIENTS_MOST && now > enough && now > 0; round++) {
		bend_along(k, k->way, k->along);
		penalise(f, k->way, k->penal_way);
		for (size_t j = 0; j < n; j++)
			k->along[j] += k->penal_way[j];
		double curved = dot(k->way, k->along, n);
		if (!(curved > 0))
			break;
		double a = now / curved;
		for (size_t j = 0; j < n; j++) {
			k->s[j] += a * k->way[j];
			k->rest[j] -= a * k->along[j];
			k->z[j] = k->rest[j] / k->diag[j];
		}
		double next = dot(k->rest, k->z, n), keep = next / now;
		now = next;
		for (size_t j = 0; j < n; j++)
			k->way[j] = k->z[j] + keep * k->way[j];
	}
}

/* How far along s the loss falls as it should: Armijo's rule, halving. 0: nowhere, for what is left
 * to gain is lost in rounding. */
static double damp(struct work *k, const double *w)
{
	const struct fit *f = k->f;
	size_t n = f->features;
	double slope = dot(k->g, k->s, n + 1), t = 1;
	forth(k, k->s, k->step);
	penalise(f, k->s, k->penal_way);
	double straight = dot(k->penal_way, w, n), bent = dot(k->penal_way, k->s, n) / 2;
	for (unsigned half = 0; half < HALVINGS_MOST; half++, t /= 2) {
		double next = loss_at(k, t);
		if (next + t * straight + t * t * bent > k->loss + FALLS * t * slope)
			continue;
		k->loss = next;
		return t;
	}
	return 0;
}

/* One block for all lists: 4 of rows, 10 of features. */
static struct work *work_new(const struct fit *f)
{
	size_t rows = f->rows, n = f->features + 1;
	struct work *k = calloc(1, sizeof *k + (4 * rows + 10 * n) * sizeof(double));
	if (!k)
		return NULL;
	double *at = k->block, **of_rows[] = {&k->margin, &k->step, &k->pull, &k->bend};
	double **of_features[] = {&k->u, &k->g, &k->penal, &k->s, &k->rest, &k->z, &k->way,
	    &k->along, &k->penal_way, &k->diag};
	for (unsigned i = 0; i < 4; i++, at += rows)
		*of_rows[i] = at;
	for (unsigned i = 0; i < 10; i++, at += n)
		*of_features[i] = at;
	k->f = f;
	return k;
}

static enum err fit_all(
    const struct fit *f, const struct fit_cost *cost, const uint8_t *roles, double *w)
{
	struct work *k = work_new(f);
	size_t n = f->features + 1;
	double bias;
	if (!k)
		return err_set(ERR_NOMEM, "no memory to learn from %zu visitors", f->rows);
	k->cost = *cost;
	k->roles = roles;
	double rest = length_at_rest(k, &bias);
	if (w[f->features] == 0)
		w[f->features] = bias;
	forth(k, w, k->margin);
	k->loss = loss_at(k, 0); /* no step yet: nothing is added */
	for (unsigned round = 0; round < NEWTON_MOST && rest > 0; round++) {
		derive(k);
		back(k, k->pull, k->g);
		penalise(f, w, k->penal);
		for (size_t j = 0; j < n; j++)
			k->g[j] += k->penal[j];
		if (sqrt(dot(k->g, k->g, n)) <= cost->precise * rest)
			break;
		diagonal(k);
		newton_step(k);
		double t = damp(k, w);
		if (!(t > 0))
			break;
		for (size_t j = 0; j < n; j++)
			w[j] += t * k->s[j];
		for (size_t i = 0; i < f->rows; i++)
			k->margin[i] += t * k->step[i];
	}
	free(k);
	return OK;
}

/* Rows that take part, side by side: a pass over a few that are strewn among many would wait for
 * memory. */
struct dense {
	struct fit f;
	uint32_t *from, *items;
	uint8_t *roles;
};

static bool make_dense(const struct fit *f, const uint8_t *roles, size_t rows, struct dense *d)
{
	size_t items = 0, n = 0, at = 0;
	for (size_t i = 0; i < f->rows; i++)
		items += roles[i] != FIT_ABSENT ? f->from[i + 1] - f->from[i] : 0;
	*d = (struct dense){*f, malloc((rows + 1) * sizeof *d->from),
	    malloc((items + 1) * sizeof *d->items), malloc(rows + 1)};
	d->f.scale = malloc((rows + 1) * sizeof *d->f.scale);
	if (!d->from || !d->items || !d->roles || !d->f.scale)
		return false;
	for (size_t i = 0; i < f->rows; i++) {
		if (roles[i] == FIT_ABSENT)
			continue;
		size_t here = f->from[i + 1] - f->from[i];
		d->from[n] = (uint32_t)at;
		d->roles[n] = roles[i];
		d->f.scale[n++] = f->scale[i];
		if (here)
			memcpy(d->items + at, f->items + f->from[i], here * sizeof *d->items);
		at += here;
	}
	d->from[n] = (uint32_t)at;
	d->f.rows = n;
	d->f.from = d->from;
	d->f.items = d->items;
	return true;
}

enum err fit_weights(
    const struct fit *f, const struct fit_cost *cost, const uint8_t *roles, double *w)
{
	struct dense d;
	size_t rows = 0;
	for (size_t i = 0; i < f->rows; i++)
		rows += roles[i] != FIT_ABSENT;
	if (rows > f->rows / 2)
		return fit_all(f, cost, roles, w);
	enum err e = make_dense(f, roles, rows, &d)
			 ? fit_all(&d.f, cost, d.roles, w)
			 : err_set(ERR_NOMEM, "no memory to learn from %zu visitors", rows);
	free(d.from);
	free(d.items);
	free(d.roles);
	free(d.f.scale);
	return e;
}

double fit_score(const struct fit *f, const double *w, size_t row)
{
	double sum = 0;
	for (uint32_t at = f->from[row]; at < f->from[row + 1]; at++)
		sum += f->stretch[f->items[at]] * w[f->items[at]];
	return w[f->features] + f->scale[row] * sum;
}

/* --- directions */

/* Gram and Schmidt, twice for the rounding, column by column; what is left of a column that is in
 * the span of the others is nothing. Rows are passed through whole: columns behind, which are not
 * done yet, get the weight nothing. */
static void make_orthonormal(float *v, size_t features, unsigned d)
{
	for (unsigned k = 0; k < d; k++) {
		for (unsigned again = 0; again < 2 && k; again++) {
			double shared[FIT_DIRECTIONS] = {0};
			for (float *row = v; row < v + features * FIT_DIRECTIONS;
			     row += FIT_DIRECTIONS)
				for (unsigned before = 0; before < FIT_DIRECTIONS; before++)
					shared[before] += (double)row[k] * (double)row[before];
			memset(shared + k, 0, (FIT_DIRECTIONS - k) * sizeof *shared);
			for (float *row = v; row < v + features * FIT_DIRECTIONS;
			     row += FIT_DIRECTIONS)
				row[k] -= (float)over_directions(row, shared);
		}
		double length = 0;
		for (size_t j = 0; j < features; j++)
			length +=
			    (double)v[j * FIT_DIRECTIONS + k] * (double)v[j * FIT_DIRECTIONS + k];
		float by = length > 1e-12 ? (float)(1 / sqrt(length)) : 0;
		for (size_t j = 0; j < features; j++)
			v[j * FIT_DIRECTIONS + k] *= by;
	}
}

/* out = X'X v over every step-th row. */
static void turn(const struct fit *f, size_t step, const float *v, float *out)
{
	memset(out, 0, (size_t)f->features * FIT_DIRECTIONS * sizeof *out);
	for (size_t i = 0; i < f->rows; i += step) {
		float y[FIT_DIRECTIONS] = {0};
		for (uint32_t at = f->from[i]; at < f->from[i + 1]; at++) {
			size_t j = f->items[at];
			float by = (float)f->stretch[j] * f->scale[i] * f->scale[i];
			for (unsigned k = 0; k < FIT_DIRECTIONS; k++)
				y[k] += by * v[j * FIT_DIRECTIONS + k];
		}
		for (uint32_t at = f->from[i]; at < f->from[i + 1]; at++) {
			size_t j = f->items[at];
			float by = (float)f->stretch[j];
			for (unsigned k = 0; k < FIT_DIRECTIONS; k++)
				out[j * FIT_DIRECTIONS + k] += by * y[k];
		}
	}
}

/* Any start that is the same everywhere will do; this is the one of Marsaglia's paper (2003). */
#define XORSHIFT_START 88172645463325252u

/* Subspace iteration: directions that are drawn by lot are multiplied by X'X and made orthonormal
 * again, four times. What varies most grows most. */
enum err fit_look_around(const struct fit *f, size_t most, float **out)
{
	unsigned d = f->features / 4 < FIT_DIRECTIONS ? f->features / 4 : FIT_DIRECTIONS;
	size_t cells = (size_t)f->features * FIT_DIRECTIONS, step = f->rows / (most ? most : 1) + 1;
	uint64_t dice = XORSHIFT_START;
	float *v = calloc(cells + 1, sizeof *v), *next = malloc((cells + 1) * sizeof *next);
	if (!v || !next) {
		free(v);
		free(next);
		return err_set(
		    ERR_NOMEM, "no memory for %u directions of %u features", d, f->features);
	}
	for (size_t j = 0; j < f->features; j++)
		for (unsigned k = 0; k < d; k++) {
			dice ^= dice << 13;
			dice ^= dice >> 7;
			dice ^= dice << 17;
			v[j * FIT_DIRECTIONS + k] = (float)(dice >> 40) / 16777216 - 0.5f;
		}
	for (unsigned i = 0; i < TURNS; i++) {
		float *swap = v;
		turn(f, step, v, next);
		make_orthonormal(next, f->features, d);
		v = next;
		next = swap;
	}
	free(next);
	*out = v;
	return OK;
}

/* --- beginning and end */

enum err fit_begin(struct fit *f)
{
	f->scale = malloc((f->rows + 1) * sizeof *f->scale);
	if (!f->scale)
		return err_set(ERR_NOMEM, "no memory to learn from %zu visitors", f->rows);
	for (size_t i = 0; i < f->rows; i++) {
		double square = 0;
		for (uint32_t at = f->from[i]; at < f->from[i + 1]; at++)
			square += f->stretch[f->items[at]] * f->stretch[f->items[at]];
		f->scale[i] = f->unit && square > 0 ? (float)(1 / sqrt(square)) : 1;
	}
	return OK;
}

void fit_done(struct fit *f)
{
	free(f->scale);
	f->scale = NULL;
}
