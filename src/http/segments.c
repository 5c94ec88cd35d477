/* GET /segments: which segments this browser is in, for the page it is on. A look-up about one visitor, not a group outlet. */
#include "collect.h"

#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/split.h"

#include <jansson.h>
#include <stdlib.h>

/* May the page see it? It is active, goes to pages, and the visitor is not held out of it. */
static bool shown(const struct collect *c, const struct generation *g, const struct segment *s, const struct vkey *visitor)
{
	if (strcmp(segment_state(s, day_of(clock_now())), "active") != 0 || (!s->page && (g->rules->any_destination || s->sensitive)))
		return false;
	return !split_held_out(&c->ingest.keys, str_c(s->id), s->target, visitor);
}

static json_t *segment_list(const struct collect *c, struct generation *g, const struct profile *p, const struct vkey *visitor, bool ortb2)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->segments_n; i++) {
		if (p->segments[i] >= g->rules->segments_n)
			continue;
		const struct segment *s = &g->rules->segments[p->segments[i]];
		if (!shown(c, g, s, visitor))
			continue;
		char iab[24];
		snprintf(iab, sizeof iab, "%ld", s->iab);
		if (ortb2)
			json_array_append_new(list, json_pack("{s:s}", "id", s->iab ? iab : s->id));
		else
			json_array_append_new(list, json_string(s->id));
	}
	return list;
}

static void answer(struct collect *c, struct http_ticket t, const struct vkey *visitor, bool ortb2, struct str headers)
{
	struct generation *g = engine_serving(c->shared->engine);
	struct profile p = {0};
	enum err e = visitor ? view_visitor(g, visitor, clock_now(), &p) : ERR_NOT_FOUND;
	metric_inc(M_LOOKUPS);
	if (e && e != ERR_NOT_FOUND) {
		http_reply(t, 500, "text/plain", headers, STR("the look-up failed\n"));
	} else {
		if (e)
			profile_clear(&p);
		json_t *list = segment_list(c, g, &p, visitor, ortb2);
		json_t *root = ortb2 ? json_pack("{s:{s:[{s:s,s:{s:i},s:o}]}}", "user", "data", "name", c->config->ortb2_name, "ext", "segtax", 4,
					   "segment", list)
				     : json_pack("{s:o}", "segments", list);
		char *text = json_dumps(root, JSON_COMPACT);
		http_reply(t, 200, "application/json", headers, str_c(text));
		free(text);
		json_decref(root);
	}
	profile_done(&p);
	generation_unref(g);
}

static void fresh_plain(struct collect *c, struct lookup *l)
{
	answer(c, l->ticket, &l->visitor, false, buf_view(&l->headers));
}

static void fresh_ortb2(struct collect *c, struct lookup *l)
{
	answer(c, l->ticket, &l->visitor, true, buf_view(&l->headers));
}

void collect_segments(struct collect *c, struct http_request *r)
{
	struct buf headers = {0};
	struct http_query q = {r->query, c->scratch, 0};
	struct str key, value;
	bool fresh = false, ortb2 = false;
	if (!cors_headers(c, r, &headers)) {
		metric_inc(M_BAD_ORIGIN);
		http_reply(r->ticket, 403, "text/plain", STR("Vary: Origin\r\n"), STR("this origin is not listed under sites\n"));
		buf_done(&headers);
		return;
	}
	while (http_query_next(&q, &key, &value)) {
		fresh |= str_eq(key, STR("fresh")) && str_eq(value, STR("1"));
		ortb2 |= str_eq(key, STR("format")) && str_eq(value, STR("ortb2"));
	}
	buf_c(&headers, "Cache-Control: no-store\r\n");
	struct vkey visitor;
	collect_hit_headers(c, r, &c->hit);
	bool refused = c->hit.gpc || c->hit.optout_cookie;
	bool known = !refused && ingest_known(&c->ingest, c->hit.cookie, collect_now(c), &visitor);
	if (!known || !fresh) {
		answer(c, r->ticket, known ? &visitor : NULL, ortb2, buf_view(&headers));
		buf_done(&headers);
		return;
	}
	collect_lookup(c, r->ticket, &visitor, ortb2 ? fresh_ortb2 : fresh_plain, headers, false);
}
