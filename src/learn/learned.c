/* A model that was learned: its figures as they are told, and the file that it is kept in
 * (rules/like.h says what is in it). The file has no ids of visitors, and its shares are coarse. */
#include "crumb/learn/learn.h"

#include "crumb/base/json.h"
#include "crumb/base/clock.h"

#include <jansson.h>
#include <math.h>

static double coarse(double x, double steps)
{
	return round(x * steps) / steps;
}

void learned_coarsen(struct learned *l)
{
	/* seeds for each other, of the numbers that are told */
	double base = 0;
	if (l->population > l->seed)
		base = (double)l->seed / (double)(l->population - l->seed);
	l->auc = coarse(l->auc, 1000);
	l->activity_auc = coarse(l->activity_auc, 1000);
	for (unsigned i = 0; i < CURVE_POINTS; i++) {
		struct curve_point *p = &l->curve[i];
		p->recall = coarse(p->recall, 100);
		p->low = fmin(coarse(p->low, 100), p->recall);
		p->high = fmax(coarse(p->high, 100), p->recall);
		p->activity_recall = coarse(p->activity_recall, 100);
		p->lift = p->recall / p->reach;
		p->precision = fmin(p->lift * base, 1);
	}
	l->lift_at_10 = coarse(l->lift_at_10, 100);
}

static json_t *share_json(double s)
{
	return s < 0 ? json_null() : json_real(s);
}

/* Numbers of the model are whole; only its figures have six digits behind the point. */
char *learned_file(const struct rules *r, uint16_t segment, const struct learned *l, uint16_t today)
{
	char day[DAY_TEXT], name[200];
	json_t *features = json_array(), *curve = json_array(), *chances = json_array(),
	       *warnings = json_array();
	day_text(today, day);
	for (unsigned i = 0; i < l->features_n; i++) {
		feature_name(r, &l->features[i].f, name);
		json_t *f = json_pack("{s:s,s:I,s:o,s:o}", "f", name, "w",
		    (json_int_t)l->features[i].w, "seed", share_json(l->features[i].in_seed),
		    "others", share_json(l->features[i].in_others));
		if (l->unit)
			json_object_set_new(
			    f, "square", json_integer((json_int_t)l->features[i].square));
		json_array_append_new(features, f);
	}
	for (unsigned i = 0; i < l->knots_n; i++)
		json_array_append_new(
		    chances, json_pack("[I,f]", (json_int_t)l->knots[i].score, l->knots[i].chance));
	for (unsigned i = 0; i < CURVE_POINTS; i++) {
		const struct curve_point *p = &l->curve[i];
		json_array_append_new(curve,
		    json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "reach", p->reach, "precision",
			p->precision, "recall", p->recall, "low", p->low, "high", p->high, "lift",
			p->lift, "activity_recall", p->activity_recall));
	}
	for (unsigned i = 0; i < l->warnings_n; i++)
		json_array_append_new(warnings, json_string(l->warnings[i]));
	json_t *j =
	    json_pack("{s:i,s:s,s:s,s:s,s:b,s:I,s:I,s:o,s:I,s:I,s:f,s:f,s:f,s:f,s:o,s:o,s:o}",
		"crumb_model", 2, "id", r->segments[segment].id, "seed",
		r->segments[segment].like->seed, "trained", day, "unit", l->unit, "bias",
		(json_int_t)l->bias, "threshold", (json_int_t)l->threshold, "chances", chances,
		"seed_members", (json_int_t)l->seed, "population", (json_int_t)l->population, "auc",
		l->auc, "activity_auc", l->activity_auc, "lift_at_10", l->lift_at_10, "c", l->c,
		"warnings", warnings, "curve", curve, "features", features);
	char *text = json_whole(j, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	json_decref(j);
	CHECK(text);
	return text;
}
