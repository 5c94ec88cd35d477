/* GET /segments: which segments this browser is in, for the page that asks. It is a look-up about
 * one visitor; no group is told, so there is no k gate.
 *
 * The visitor's profile gives the segments; shown() takes those that a page may see; the function
 * of the form makes JSON of them. A new form is a row of `forms` and a function. */
#include "crumb/collect/collecting.h"

#include "crumb/base/json.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "crumb/partners/format.h"
#include "crumb/privacy/split.h"

#include <jansson.h>

#define SHOWN_MAX 1000	      /* segments of an answer */
#define SEGTAX_IAB_AUDIENCE 4 /* IAB's Audience Taxonomy 1.1, in OpenRTB's list of taxonomies */

/* May the page see the segment? It is active, goes to pages (which is an explicit choice when there
 * are other destinations, and for sensitive ones), its labels allow pages, and the visitor is not
 * held out of it. */
static bool shown(const struct collect *c, const struct generation *g, const struct segment *s,
    const struct vkey *visitor)
{
	struct str pages = str_c(format_page.name), label;
	if (strcmp(segment_state(s, day_of(clock_now())), "active") != 0 ||
	    (!segment_goes_to(s, pages) && (g->rules->any_destination || s->sensitive)))
		return false;
	if (c->destinations && c->destinations->found &&
	    !segment_labels_allowed(
		g->rules, s, c->destinations, destinations_find(c->destinations, pages), &label))
		return false;
	return !split_held_out(&c->ingest.keys, str_c(s->id), s->target, visitor);
}

/* --- forms */

/* What goes into an answer: the segments of the visitor that the page may see. */
struct shown_segments {
	const struct segment *list[SHOWN_MAX];
	unsigned n;
	const struct config *config;
	unsigned segtax;
};

static json_t *ids_of(const struct shown_segments *s)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < s->n; i++)
		json_array_append_new(list, json_string(s->list[i]->id));
	return list;
}

/* Rows of IAB's Audience Taxonomy 1.1, each once, as texts or as objects {"id": …}. */
static json_t *rows_of(const struct shown_segments *s, bool objects)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < s->n; i++) {
		char row[24];
		bool again = s->list[i]->iab == 0;
		for (unsigned k = 0; k < i; k++)
			again |= s->list[k]->iab == s->list[i]->iab;
		snprintf(row, sizeof row, "%ld", s->list[i]->iab);
		if (!again)
			json_array_append_new(
			    list, objects ? json_pack("{s:s}", "id", row) : json_string(row));
	}
	return list;
}

static json_t *form_json(const struct shown_segments *s)
{
	return json_pack("{s:o}", "segments", ids_of(s));
}

/* OpenRTB user.data: segments with a row of the taxonomy, and behind them a second entry, without
 * segtax, with the ids of those that have none. */
static json_t *form_ortb2(const struct shown_segments *s)
{
	json_t *own = json_array(), *data = json_array();
	for (unsigned i = 0; i < s->n; i++)
		if (!s->list[i]->iab)
			json_array_append_new(own, json_pack("{s:s}", "id", s->list[i]->id));
	json_array_append_new(
	    data, json_pack("{s:s,s:{s:i},s:o}", "name", s->config->ortb2_name, "ext", "segtax",
		      SEGTAX_IAB_AUDIENCE, "segment", rows_of(s, true)));
	if (json_array_size(own))
		json_array_append_new(
		    data, json_pack("{s:s,s:O}", "name", s->config->ortb2_name, "segment", own));
	json_decref(own);
	return json_pack("{s:{s:o}}", "user", "data", data);
}

/* Key-values of an ad server: googletag.pubads().setTargeting(key, values) for each. */
static json_t *form_kv(const struct shown_segments *s)
{
	return json_pack("{s:o}", s->config->kv_key, ids_of(s));
}

/* Google's publisher provided signals: the argument of googletag.setConfig({pps: …}). */
static json_t *form_pps(const struct shown_segments *s)
{
	return json_pack(
	    "{s:{s:{s:o}}}", "taxonomies", "IAB_AUDIENCE_1_1", "values", rows_of(s, false));
}

/* What real-time data modules of Prebid.js merge into first-party data. The module asks for a
 * segtax: of 4 the rows go, of any other our own ids and names. */
static json_t *form_rtd(const struct shown_segments *s)
{
	bool rows = s->segtax == SEGTAX_IAB_AUDIENCE;
	json_t *list = rows ? rows_of(s, true) : json_array();
	for (unsigned i = 0; !rows && i < s->n; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:s}", "id", s->list[i]->id, "name", s->list[i]->name));
	return json_pack("{s:{s:[{s:s,s:{s:i},s:o}]},s:{s:{s:[]}}}", "user", "data", "name",
	    s->config->ortb2_name, "ext", "segtax", (int)s->segtax, "segment", list, "site",
	    "content", "data");
}

static const struct {
	const char *name;
	json_t *(*make)(const struct shown_segments *);
} forms[] = {{"json", form_json}, {"ortb2", form_ortb2}, {"kv", form_kv}, {"pps", form_pps},
    {"rtd", form_rtd}};
#define FORMS (sizeof forms / sizeof *forms)

/* --- answers */

/* `visitor` NULL: nobody who is known, an empty list. */
static void answer(struct collect *c, struct http_ticket t, const struct vkey *visitor,
    const struct lookup_form *form, const struct buf *headers)
{
	struct generation *g = engine_serving(c->shared->engine);
	struct profile p = {0};
	struct shown_segments s = {.config = c->config, .segtax = form->segtax};
	memory_begin();
	enum err e = visitor ? view_visitor(g, visitor, clock_now(), &p) : ERR_NOT_FOUND;
	metric_inc(M_LOOKUPS);
	if (e && e != ERR_NOT_FOUND) {
		http_reply_whole(t, e == ERR_NOMEM ? 503 : 500, "text/plain", headers,
		    &BUF_OF(STR("the look-up failed\n")));
	} else {
		for (size_t i = 0; !e && i < p.segments_n && s.n < SHOWN_MAX; i++)
			if (p.segments[i] < g->rules->segments_n &&
			    shown(c, g, &g->rules->segments[p.segments[i]], visitor))
				s.list[s.n++] = &g->rules->segments[p.segments[i]];
		json_t *root = forms[form->number].make(&s);
		char *text = json_whole(root, JSON_COMPACT);
		if (text && !memory_short())
			http_reply_whole(t, 200, "application/json", headers, &BUF_OF(str_c(text)));
		else
			http_reply_whole(t, 503, "text/plain", headers,
			    &BUF_OF(STR("no memory for an answer\n")));
		collect_text_free(text);
		json_decref(root);
	}
	profile_done(&p);
	generation_unref(g);
}

static void fresh(struct collect *c, struct lookup *l)
{
	answer(c, l->ticket, &l->visitor, &l->form, &l->headers);
}

/* Reads the query: the form, and with *wait whether the answer has to be fresh. False: there is no
 * such form. */
static bool read_form(
    struct collect *c, const struct http_request *r, struct lookup_form *form, bool *wait)
{
	struct http_query q = {r->query, c->scratch, 0};
	struct str key, value;
	uint64_t n;
	*form = (struct lookup_form){.segtax = SEGTAX_IAB_AUDIENCE};
	*wait = false;
	while (http_query_next(&q, &key, &value)) {
		*wait |= str_eq(key, STR("fresh")) && str_eq(value, STR("1"));
		if (str_eq(key, STR("wait")) && str_u64(value, &n) && n <= LOOKUP_WAIT_MS)
			form->budget_ms = (unsigned)n + 1;
		if (str_eq(key, STR("segtax")) && str_u64(value, &n) && n > 0 && n < 1000000)
			form->segtax = (unsigned)n;
		if (!str_eq(key, STR("format")))
			continue;
		for (form->number = 0;
		     form->number < FORMS && !str_eq(value, str_c(forms[form->number].name));)
			form->number++;
		if (form->number == FORMS)
			return false;
	}
	return true;
}

void collect_segments(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET;
	struct lookup_form form;
	bool wait;
	if (!cors_headers(c, r, &headers)) {
		cors_refuse(r);
		buf_done(&headers);
		return;
	}
	if (!read_form(c, r, &form, &wait)) {
		http_reply_whole(r->ticket, 400, "text/plain", &headers,
		    &BUF_OF(STR("format is json, ortb2, kv, pps or rtd\n")));
		buf_done(&headers);
		return;
	}
	buf_c(&headers, "Cache-Control: no-store\r\n");
	struct vkey visitor;
	collect_hit_headers(c, r, &c->hit);
	bool refused = c->hit.gpc || c->hit.optout_cookie;
	bool known = !refused && ingest_known(&c->ingest, c->hit.cookie, collect_now(c), &visitor);
	if (!known || !wait) {
		answer(c, r->ticket, known ? &visitor : NULL, &form, &headers);
		buf_done(&headers);
		return;
	}
	collect_lookup(c, r->ticket, &visitor, fresh, &form, headers, LOOKUP_READS);
}
