#include "crumb/rules/like.h"

#include "crumb/base/clock.h"
#include "crumb/rules/eval.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* --- features */

bool feature_parse(const struct rules *r, struct str name, struct feature *out)
{
	size_t colon = str_find(name, ':');
	struct str kind = str_make(name.p, colon), what = str_skip(name, colon + 1);
	uint64_t n;
	*out = (struct feature){.kind = FEATURE_FACT};
	if (colon >= name.n || !what.n)
		return false;
	if (kind.n > 1 && (kind.p[0] == 'c' || kind.p[0] == 'n') && str_u64(str_skip(kind, 1), &n)) {
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
		if (str_eq(kind, str_c(fact_names[f]))) {
			out->fact = (enum fact)f;
			out->word = what;
			return true;
		}
	return false;
}

void feature_name(const struct rules *r, const struct feature *f, char out[200])
{
	if (f->kind == FEATURE_FACT)
		snprintf(out, 200, "%s:" STR_FMT, fact_names[f->fact], STR_ARG(f->word));
	else if (f->kind == FEATURE_DAYS)
		snprintf(out, 200, "c%u:%s", f->window ? f->window : RETENTION_MAX, r->categories[f->cat].id);
	else
		snprintf(out, 200, "n%u:%s", f->n, r->categories[f->cat].id);
}

static bool rows_hold(const struct feature *f, const struct cat_day *rows, size_t n, uint16_t today)
{
	uint64_t count = 0;
	if (f->kind == FEATURE_DAYS)
		return n > 0 && rows[n - 1].day >= rules_window_start(f->window, today);
	for (size_t i = 0; i < n; i++)
		count += rows[i].count;
	return count >= f->n;
}

bool feature_holds(const struct feature *f, const struct profile *p, uint16_t today)
{
	size_t n;
	if (f->kind == FEATURE_FACT)
		return str_ieq(rules_fact(p, f->fact), f->word);
	const struct cat_day *rows = profile_span(p, f->cat, &n);
	return rows_hold(f, rows, n, today);
}

int64_t like_score(const struct like_model *m, const struct profile *p, uint16_t today)
{
	int64_t sum = m->bias;
	for (size_t i = 0, z; i < p->rows_n; i = z) {
		uint16_t cat = p->rows[i].cat;
		for (z = i + 1; z < p->rows_n && p->rows[z].cat == cat; z++)
			;
		for (uint32_t k = m->first[cat]; k < m->first[cat + 1]; k++)
			if (rows_hold(&m->weights[k].f, p->rows + i, z - i, today))
				sum += m->weights[k].w;
	}
	for (unsigned i = m->facts_at; i < m->n; i++)
		if (str_ieq(rules_fact(p, m->weights[i].f.fact), m->weights[i].f.word))
			sum += m->weights[i].w;
	return sum;
}

/* --- files */

static int by_category(const void *a, const void *b)
{
	const struct like_weight *x = a, *y = b;
	bool xf = x->f.kind == FEATURE_FACT, yf = y->f.kind == FEATURE_FACT;
	if (xf != yf)
		return xf ? 1 : -1;
	if (x->f.cat != y->f.cat)
		return x->f.cat < y->f.cat ? -1 : 1;
	if (x->f.kind != y->f.kind)
		return x->f.kind < y->f.kind ? -1 : 1;
	return x->f.n < y->f.n ? -1 : x->f.n > y->f.n;
}

static bool read_weights(struct rules *r, const json_t *list, struct like_model *m)
{
	size_t i;
	json_t *row;
	m->weights = rules_alloc(r, (json_array_size(list) + 1) * sizeof *m->weights);
	json_array_foreach(list, i, row)
	{
		const json_t *name = json_object_get(row, "f"), *w = json_object_get(row, "w");
		struct like_weight *to = &m->weights[m->n];
		if (!json_is_string(name) || !json_is_integer(w) || llabs(json_integer_value(w)) > 1000000000000)
			return false;
		if (!feature_parse(r, str_make(json_string_value(name), json_string_length(name)), &to->f))
			continue;
		to->f.word = to->f.kind == FEATURE_FACT ? rules_keep(r, to->f.word) : STR("");
		to->w = json_integer_value(w);
		m->n++;
	}
	if (m->n)
		qsort(m->weights, m->n, sizeof *m->weights, by_category);
	/* any number may stand in a profile: bytes from disk are not trusted to be below */
	m->first = rules_alloc(r, 65538 * sizeof *m->first);
	uint32_t at = 0;
	for (uint32_t cat = 0; cat < 65537; cat++) {
		while (at < m->n && m->weights[at].f.kind != FEATURE_FACT && m->weights[at].f.cat < cat)
			at++;
		m->first[cat] = at;
	}
	while (at < m->n && m->weights[at].f.kind != FEATURE_FACT)
		at++;
	m->facts_at = at;
	return true;
}

enum err like_read(struct rules *r, struct str text, struct like_model **out, uint16_t *until)
{
	json_error_t error;
	json_t *root = json_loadb(text.n ? text.p : "", text.n, 0, &error);
	const json_t *trained = json_object_get(root, "trained"), *bias = json_object_get(root, "bias"),
		     *threshold = json_object_get(root, "threshold");
	uint16_t day;
	struct like_model *m = rules_alloc(r, sizeof *m);
	bool fine = json_integer_value(json_object_get(root, "crumb_model")) == 1 && json_is_string(trained) &&
		    day_parse(json_string_value(trained), json_string_length(trained), &day) && json_is_integer(bias) && json_is_integer(threshold) &&
		    read_weights(r, json_object_get(root, "features"), m);
	if (fine) {
		m->bias = json_integer_value(bias);
		m->threshold = json_integer_value(threshold);
		m->hash = hash_content(text);
		m->trained = day;
		m->slope = json_number_value(json_object_get(root, "slope"));
		m->shift = json_number_value(json_object_get(root, "shift"));
		*until = (uint16_t)(day + RETENTION_MAX - 1);
		*out = m;
	}
	json_decref(root);
	return fine ? OK : err_set(ERR_SYNTAX, "this is no model");
}
