/* Everything that is known of one visitor: the answer to "what do you know of me". It is complete,
 * for the visitor has a right to all of it, and it is not gated, for it speaks of nobody else.
 *
 * "ends" says when each membership is over if nothing more is observed. A category ends when its
 * latest day is older than what is kept; a segment when its condition does not hold any more. */
#include "crumb/answers/visitor.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/eval.h"

#include <jansson.h>
#include <stdlib.h>

#define PURPOSES 16	/* of TCF that a profile has bits for */
#define MATCHES_STEP 16 /* partners, for which room is made at once */

static json_t *day_json(uint16_t day)
{
	char text[DAY_TEXT];
	day_text(day, text);
	return json_string(text);
}

/* Categories by name, with how often and on how many days. Those that only rules use have no name.
 */
static json_t *categories_json(
    const struct rules *r, const struct profile *p, unsigned retention, json_t *ends)
{
	json_t *list = json_array();
	for (size_t i = 1; i < r->categories_n; i++) {
		size_t n;
		const struct cat_day *rows = profile_span(p, (uint16_t)i, &n);
		uint64_t count = 0;
		for (size_t k = 0; k < n; k++)
			count += rows[k].count;
		if (!n || !r->categories[i].named)
			continue;
		json_array_append_new(list, json_pack("{s:s,s:I,s:I}", "id", r->categories[i].id,
						"count", (json_int_t)count, "days", (json_int_t)n));
		json_object_set_new(
		    ends, r->categories[i].id, day_json((uint16_t)(rows[n - 1].day + retention)));
	}
	return list;
}

static json_t *segments_json(const struct rules *r, const struct profile *p, uint16_t today,
    unsigned retention, json_t *ends)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->segments_n; i++) {
		if (p->segments[i] >= r->segments_n)
			continue;
		const char *id = r->segments[p->segments[i]].id;
		json_array_append_new(list, json_string(id));
		json_object_set_new(
		    ends, id, day_json(rules_member_until(r, p->segments[i], p, today, retention)));
	}
	return list;
}

/* Consent, place and device, each if it was ever observed in what is kept. */
static void put_facts(json_t *v, const struct profile *p)
{
	json_t *purposes = json_array();
	for (int i = 0; i < PURPOSES; i++)
		if (p->purposes >> i & 1)
			json_array_append_new(purposes, json_integer(i + 1));
	if (p->consent_day)
		json_object_set_new(v, "consent",
		    json_pack("{s:o,s:o}", "day", day_json(p->consent_day), "purposes", purposes));
	else
		json_decref(purposes);
	if (p->place_day) {
		struct str region = place_region(&p->place), country = place_country(&p->place);
		json_object_set_new(v, "country", json_stringn(country.p, country.n));
		if (region.n)
			json_object_set_new(v, "region", json_stringn(region.p, region.n));
	}
	if (p->agent_day) {
		json_object_set_new(v, "device", json_string(device_names[p->agent.device]));
		json_object_set_new(v, "os", json_string(os_names[p->agent.os]));
		json_object_set_new(v, "browser", json_string(browser_names[p->agent.browser]));
	}
}

static json_t *profile_json(
    const struct rules *r, const struct profile *p, uint16_t today, unsigned retention)
{
	uint16_t first = today, last = today;
	json_t *attributes = json_object(), *category_ends = json_object(),
	       *segment_ends = json_object();
	profile_days(p, &first, &last);
	json_t *categories = categories_json(r, p, retention, category_ends),
	       *segments = segments_json(r, p, today, retention, segment_ends);
	for (unsigned i = 0; i < p->attrs_n; i++) {
		char name[64];
		snprintf(name, sizeof name, STR_FMT, STR_ARG(p->attrs[i].name));
		json_object_set_new(
		    attributes, name, json_stringn(p->attrs[i].value.p, p->attrs[i].value.n));
	}
	json_t *v = json_pack("{s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:o,s:o}}", "provisional", false,
	    "first_day", day_json(first), "last_day", day_json(last), "expires",
	    day_json((uint16_t)(last + retention)), "categories", categories, "attributes",
	    attributes, "segments", segments, "ends", "categories", category_ends, "segments",
	    segment_ends);
	put_facts(v, p);
	return v;
}

/* Who else has an id for this browser, and which: all of them, so the list of rows grows until
 * there is room for one more. */
static enum err partners_json(struct generation *g, const struct vkey *k, uint32_t now, json_t *v)
{
	struct match_row *rows = NULL;
	size_t cap = 0;
	unsigned n;
	do {
		if (!array_room(rows, cap, cap + MATCHES_STEP)) {
			free(rows);
			return memory_check();
		}
		n = view_matches(g, k, now, rows, (unsigned)cap);
	} while (n == cap);
	json_t *list = json_array();
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list,
		    json_pack("{s:s#,s:s#,s:o}", "partner", rows[i].partner, (int)rows[i].partner_n,
			"id", rows[i].id, (int)rows[i].id_n, "since", day_json(day_of(rows[i].t))));
	json_object_set_new(v, "partners", list);
	free(rows);
	return OK;
}

/* A provisional visitor has an hour and nothing else, in the same form. */
enum err visitor_json(
    struct generation *g, unsigned retention, const struct vkey *k, uint32_t now, json_t **out)
{
	struct profile p = {0};
	uint32_t hour;
	enum err e = view_visitor(g, k, now, &p);
	*out = NULL;
	if (!e) {
		*out = profile_json(g->rules, &p, day_of(now), retention);
		if ((e = partners_json(g, k, now, *out))) {
			json_decref(*out);
			*out = NULL;
		}
	} else if (e == ERR_NOT_FOUND) {
		e = OK;
		if (view_provisional(g, k, now, &hour))
			*out = json_pack("{s:b,s:o,s:o,s:o,s:[],s:{},s:[],s:[],s:{s:{},s:{}}}",
			    "provisional", true, "first_day", day_json((uint16_t)(hour / 24)),
			    "last_day", day_json((uint16_t)(hour / 24)), "expires",
			    day_json((uint16_t)(hour / 24 + 1)), "categories", "attributes",
			    "segments", "partners", "ends", "categories", "segments");
	}
	profile_done(&p);
	return e;
}
