/* GET /segments: which segments this browser is in, for the page it is on. A look-up about one visitor, not a group outlet. */
#include "collect.h"

#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/split.h"

#include <jansson.h>
#include <stdlib.h>

#define FRESH_WAIT_US 10000000

struct lookup {
	struct lookup *next;
	struct http_ticket ticket;
	struct vkey visitor;
	bool ortb2;
	uint64_t gate;	 /* our own hits are on disk when this is open */
	uint64_t target; /* then: what must be folded; 0: not known yet */
	uint64_t deadline_us;
	struct buf headers;
};

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
	struct lookup *l = calloc(1, sizeof *l);
	CHECK(l);
	*l = (struct lookup){.next = c->lookups, .ticket = r->ticket, .visitor = visitor, .ortb2 = ortb2, .headers = headers};
	/* hits of this connection may be in the batch being gathered, or in the one that is on its way */
	l->gate = collect_batch(c)->count ? c->gate : c->gate - 1;
	l->deadline_us = clock_mono_us() + FRESH_WAIT_US;
	c->lookups = l;
	http_hold(r->ticket);
	collect_lookups_go_on(c);
}

static void finish(struct lookup *l)
{
	http_release(l->ticket);
	buf_done(&l->headers);
	free(l);
}

void collect_lookups_go_on(struct collect *c)
{
	struct engine *e = c->shared->engine;
	struct lookup **at = &c->lookups, *done = NULL;
	while (*at) {
		struct lookup *l = *at;
		unsigned shard = vkey_shard(&l->visitor, c->shared->store->shards);
		bool on_disk = l->gate < c->gate - c->in_flight;
		if (!l->target && on_disk) {
			l->target = journal_committed(c->shared->store->journal, shard);
			if (!engine_folded(e, shard, l->target)) {
				writer_publish(c->shared->writer);
				engine_hurry(e);
			}
		}
		bool folded = on_disk && engine_folded(e, shard, l->target);
		bool late = clock_mono_us() > l->deadline_us;
		if (!folded && !late) {
			at = &l->next;
			continue;
		}
		if (folded)
			answer(c, l->ticket, &l->visitor, l->ortb2, buf_view(&l->headers));
		else
			http_reply(l->ticket, 503, "text/plain", STR("Retry-After: 5\r\n"), STR("the views are behind\n"));
		*at = l->next;
		l->next = done;
		done = l;
	}
	/* released only now: an answer that goes may let a new request in, which changes the list */
	while (done) {
		struct lookup *next = done->next;
		finish(done);
		done = next;
	}
}

void collect_lookups_drop(struct collect *c)
{
	while (c->lookups) {
		struct lookup *l = c->lookups;
		c->lookups = l->next;
		http_reply(l->ticket, 503, "text/plain", STR(""), STR("shutting down\n"));
		finish(l);
	}
}
