/* What a collect thread does with a hit that carries the code of its tab (collect/live.h): the tag
 * assistant is told what became of it.
 *
 * What is told depends on who sends the hit, and each row tells less than the one below:
 *
 *	the code is not paired                     nothing
 *	from a page that is not of our sites       foreign_page
 *	refused by the consent gate                refused, and the reason
 *	another visitor than the first with it     other_browser
 *	set aside                                  the reason, and the event behind the wall
 *	recorded                                   the event, and then what it changed
 *
 * A foreign page could make anybody's browser send a hit with a code of its own; by Origin, which
 *no page can write, such hits are told from those of our pages. A pixel has no Origin, so it takes
 *no code: only POST /e does.
 *
 * What a hit changed is the difference between the memberships before it was handed to the journal
 * and after the views have read it. So that nothing else is in that difference, the events are
 * counted: there must be as many more as this tab has sent. If the browser sent others meanwhile,
 *if rules changed or a day ended, the difference is not told ("unclear"). Hits that wait together
 *are told together: the last has the difference.
 *
 * The look-ups here are bounded by what may wait (LIVE_WAITING), and by the 20 pairings. */
#include "crumb/collect/collecting.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "live_pairing.h"

#include <stdlib.h>

#define TOGETHER_US 500000 /* how long hits wait for each other */
#define LATE_US 10000000   /* then the views are behind, and what the hit changed is not told */

/* --- records */

static json_t *text_json(struct str s)
{
	return json_stringn(s.p ? s.p : "", utf8_valid(s));
}

/* A record that tells a verdict and nothing else; `says` is why, in a sentence. */
static json_t *verdict(uint32_t t, const char *what, const char *reason, const char *says)
{
	return json_pack(
	    "{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:n,s:[],s:[],s:[],s:s,s:{s:[],s:[]}}", "t",
	    (json_int_t)t, "verdict", what, "reason", reason, "says", says, "event", "", "site", "",
	    "path", "", "campaign", "", "referrer", "", "value", "attributes", "dropped",
	    "categories", "counted", "no", "segments", "entered", "left");
}

/* The verdict whose reason is that of a counter. */
static json_t *verdict_of(uint32_t t, const char *what, enum metric why)
{
	const char *reason = metric_counters[why].value;
	return verdict(t, what, reason ? reason : "", metric_counters[why].help);
}

static json_t *foreign_page(uint32_t t)
{
	return verdict(t, "foreign_page", "",
	    "The page that sent it is not in sites. Whoever runs crumb can add its host.");
}

static json_t *other_browser(uint32_t t)
{
	return verdict(t, "other_browser", "",
	    "It is another visitor than the first with this code: another browser, or the cookie "
	    "did not come back.");
}

/* What is dropped is counted by kind in any case: the counters before and behind the wall tell. */
static const struct {
	enum metric counter;
	const char *kind;
} counted[] = {{M_URL_DROPPED, "url"}, {M_SCRUBBED, "path_segment"}, {M_EVENT_OTHER, "event_name"},
    {M_ATTR_DROPPED, "attribute"}, {M_VALUE_DROPPED, "attribute_value"}};
#define COUNTED (sizeof counted / sizeof *counted)

static void read_counters(uint64_t out[COUNTED])
{
	for (size_t i = 0; i < COUNTED; i++)
		out[i] = metric_mine(counted[i].counter);
}

static void add_dropped(json_t *list, const char *kind, uint64_t n)
{
	if (n)
		json_array_append_new(
		    list, json_pack("{s:s,s:I}", "kind", kind, "n", (json_int_t)n));
}

/* By kind and number, without values: of what never stays, too. */
static json_t *dropped_json(const struct hit *h, unsigned unread, const uint64_t before[COUNTED])
{
	json_t *list = json_array();
	for (size_t i = 0; i < COUNTED; i++) {
		bool attributes = counted[i].counter == M_ATTR_DROPPED;
		uint64_t n = metric_mine(counted[i].counter) - before[i];
		add_dropped(list, counted[i].kind, n + (attributes ? unread : 0));
	}
	add_dropped(list, "title", h->title.n > 0);
	add_dropped(list, "referrer", h->referrer.n > 0);
	add_dropped(list, "query", str_find(h->url, '?') < h->url.n);
	add_dropped(list, "parameter", h->params_n);
	return list;
}

/* Categories that rules name, by the rules that are newest. */
static json_t *categories_json(struct collect *c, const struct event *e)
{
	const struct rules *r = c->ingest.rules;
	json_t *list = json_array();
	uint16_t *found = r && c->ingest.match ? calloc(r->categories_n + 1, sizeof *found) : NULL;
	unsigned n = found ? rules_categorise(c->ingest.match, e, found) : 0;
	for (unsigned i = 0; i < n; i++)
		if (r->categories[found[i]].named)
			json_array_append_new(list, json_string(r->categories[found[i]].id));
	free(found);
	return list;
}

/* What the wall let through. A host that is not ours is told by the quarantine, from k on. */
static void add_event(struct collect *c, json_t *told)
{
	const struct event *e = &c->ingest.event;
	json_object_set_new(told, "event", text_json(e->name));
	if (c->ingest.aside == ASIDE_SITE)
		return;
	json_object_set_new(told, "site", text_json(e->host));
	json_object_set_new(told, "path", text_json(e->path));
	json_object_set_new(told, "campaign", text_json(e->campaign));
	json_object_set_new(told, "referrer", json_string(referrer_names[e->referrer]));
	if (e->has_v)
		json_object_set_new(told, "value", json_real(e->v));
	json_t *attributes = json_object_get(told, "attributes");
	for (unsigned i = 0; i < e->attrs_n; i++)
		json_array_append_new(
		    attributes, json_pack("{s:o,s:o}", "name", text_json(e->attrs[i].name), "value",
				    text_json(e->attrs[i].value)));
	json_object_set_new(told, "categories", categories_json(c, e));
}

/* --- states */

/* False: it could not be read, and no change may be told from it. */
static bool read_state(
    struct generation *g, const struct vkey *visitor, uint32_t now, struct live_state *out)
{
	struct profile p = {0};
	uint32_t hour;
	enum err e = view_visitor(g, visitor, now, &p);
	*out = (struct live_state){.known = !e, .day = day_of(now)};
	memcpy(out->rules, g->rules->hash, sizeof out->rules);
	if (e == ERR_NOT_FOUND)
		out->provisional = view_provisional(g, visitor, now, &hour);
	size_t rows_n = 0;
	const struct cat_day *rows = e ? NULL : profile_span(&p, CATEGORY_ALL, &rows_n);
	for (size_t i = 0; i < rows_n; i++)
		out->events += rows[i].count;
	if (!e && p.segments_n && (out->segments = calloc(p.segments_n, sizeof *p.segments))) {
		memcpy(out->segments, p.segments, p.segments_n * sizeof *p.segments);
		out->segments_n = p.segments_n;
	}
	bool whole = e ? e == ERR_NOT_FOUND : out->segments_n == p.segments_n;
	profile_done(&p);
	return whole;
}

static bool copy_state(const struct live_state *from, struct live_state *to)
{
	uint16_t *segments = from ? calloc(from->segments_n + 1, sizeof *segments) : NULL;
	if (!segments)
		return false;
	for (size_t i = 0; i < from->segments_n; i++)
		segments[i] = from->segments[i];
	*to = *from;
	to->segments = segments;
	return true;
}

static bool is_member(const struct live_state *s, uint16_t segment)
{
	for (size_t i = 0; i < s->segments_n; i++)
		if (s->segments[i] == segment)
			return true;
	return false;
}

/* Segments of `in` that are not of `out`. What is sensitive is told to the visitor alone. */
static json_t *only_in(
    const struct rules *r, const struct live_state *in, const struct live_state *out)
{
	json_t *list = json_array();
	for (size_t i = 0; i < in->segments_n; i++) {
		uint16_t s = in->segments[i];
		if (s < r->segments_n && !r->segments[s].sensitive && !is_member(out, s))
			json_array_append_new(list, json_string(r->segments[s].id));
	}
	return list;
}

/* --- hits come in */

/* Calls `tell` for each pairing of the code, under the lock. */
struct telling {
	struct collect *c;
	const struct ingest_who *who; /* of a hit that was written; NULL: nobody's */
	json_t *told;
	bool counts;			 /* it waits for the views */
	const struct live_state *before; /* NULL: it could not be read */
};

static void tell_one(struct live *l, struct live_pairing *p, struct telling *t)
{
	json_t *told = json_deep_copy(t->told);
	bool stranger =
	    t->who && p->bound && memcmp(&p->visitor, &t->who->visitor, sizeof p->visitor);
	if (stranger) {
		json_decref(told);
		told = other_browser(t->c->now);
	}
	if (t->who && !p->bound) {
		p->bound = true;
		p->visitor = t->who->visitor;
	}
	if (stranger || !t->counts || !told) {
		live_keep(p, told);
		return;
	}
	bool room = p->waiting_n < LIVE_WAITING;
	if (!room || (!p->waiting_n && !copy_state(t->before, &p->before))) {
		json_object_set_new(told, "counted", json_string("unclear"));
		live_keep(p, told);
		return;
	}
	p->waiting[p->waiting_n++] = (struct live_waiting){
	    .told = told, .by = t->c, .gate = t->c->gate, .since_us = clock_mono_us()};
	l->waiting++;
}

static bool code_is(const struct live_pairing *p, struct str code)
{
	return *p->code && str_eq(str_c(p->code), code);
}

static void tell(struct str code, struct telling *t)
{
	struct live *l = t->c->shared->live;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < LIVE_PAIRED; i++)
		if (code_is(&l->pairing[i], code))
			tell_one(l, &l->pairing[i], t);
	pthread_mutex_unlock(&l->lock);
	json_decref(t->told);
}

/* Has anybody paired this code? */
static bool is_paired(struct collect *c, struct str code)
{
	struct live *l = c->shared->live;
	bool found = false;
	if (!live_paired(l))
		return false;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < LIVE_PAIRED; i++)
		found |= code_is(&l->pairing[i], code);
	pthread_mutex_unlock(&l->lock);
	return found;
}

static const enum metric aside_counters[ASIDE_MAX] = {
    M_ASIDE_FULL, M_ASIDE_CRAWLER, M_ASIDE_NETWORK, M_ASIDE_RATE, M_ASIDE_SITE};

/* Reads what the visitor is before this hit. NULL: nothing may be told from it. */
static const struct live_state *state_before(
    struct collect *c, const struct ingest_who *who, struct live_state *out)
{
	*out = (struct live_state){0};
	if (who->flags & EVENT_NEW)
		return out;
	struct generation *g = engine_serving(c->shared->engine);
	bool whole = read_state(g, &who->visitor, c->now, out);
	generation_unref(g);
	return whole ? out : NULL;
}

bool collect_live_event(struct collect *c, const struct http_request *r,
    const struct ingest_who *who, const struct json_reader *in)
{
	const struct hit *h = in->hit;
	uint64_t counters[COUNTED];
	struct live_state state;
	struct telling t = {.c = c, .who = who};
	if (!is_paired(c, h->live))
		return ingest_event(&c->ingest, who, h, c->now, collect_batch(c));
	if (!cors_of_ours(c, r)) {
		t.who = NULL;
		t.told = foreign_page(c->now);
		tell(h->live, &t);
		return ingest_event(&c->ingest, who, h, c->now, collect_batch(c));
	}
	t.before = state_before(c, who, &state);
	read_counters(counters);
	bool written = ingest_event(&c->ingest, who, h, c->now, collect_batch(c));
	t.counts = written && !c->ingest.aside;
	if (t.counts)
		t.told = verdict(c->now, "recorded", "", "");
	else
		t.told = verdict_of(c->now, written ? "set_aside" : "not_recorded",
		    aside_counters[c->ingest.aside]);
	if (t.told) {
		add_event(c, t.told);
		json_object_set_new(t.told, "dropped", dropped_json(h, in->dropped, counters));
	}
	tell(h->live, &t);
	live_state_done(&state);
	return written;
}

void collect_live_unwritten(
    struct collect *c, const struct http_request *r, const struct ingest_who *who)
{
	struct telling t = {.c = c};
	if (!is_paired(c, c->hit.live))
		return;
	if (!cors_of_ours(c, r))
		t.told = foreign_page(c->now);
	else if (who->refused)
		t.told = verdict_of(c->now, "refused", who->why);
	else
		t.told = verdict_of(c->now, "not_recorded", M_REFUSED_DISK);
	tell(c->hit.live, &t);
}

/* --- hits are in the views */

void collect_live_back(struct collect *c, uint64_t gate, enum err result)
{
	struct live *l = c->shared->live;
	if (!atomic_load_explicit(&l->waiting, memory_order_relaxed))
		return;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < LIVE_PAIRED; i++)
		for (unsigned k = 0; k < l->pairing[i].waiting_n; k++) {
			struct live_pairing *p = &l->pairing[i];
			struct live_waiting *w = &p->waiting[k];
			unsigned shard = vkey_shard(&p->visitor, c->shared->store->shards);
			if (w->by != c || w->gate != gate)
				continue;
			w->stage = result ? LIVE_LOST : LIVE_COMMITTED;
			w->target = journal_committed(c->shared->store->journal, shard);
		}
	pthread_mutex_unlock(&l->lock);
	writer_publish(c->shared->writer);
	engine_hurry(c->shared->engine);
}

static bool is_over(struct collect *c, const struct live_pairing *p, struct live_waiting *w)
{
	unsigned shard = vkey_shard(&p->visitor, c->shared->store->shards);
	return w->stage == LIVE_LOST ||
	       (w->stage == LIVE_COMMITTED && engine_folded(c->shared->engine, shard, &w->target));
}

/* What became of `hits` events that were recorded between the two states. */
static const char *counted_word(
    const struct live_state *before, const struct live_state *after, uint64_t hits)
{
	if (!after->known)
		return after->provisional ? "provisional" : "no";
	if (!before->known)
		return "yes";
	bool same = before->day == after->day &&
		    memcmp(before->rules, after->rules, sizeof after->rules) == 0;
	return same && after->events - before->events == hits ? "yes" : "unclear";
}

/* Tells the first `n` that wait. */
static void tell_waiting(struct collect *c, struct live *l, struct live_pairing *p, unsigned n)
{
	struct generation *g = engine_serving(c->shared->engine);
	struct live_state after;
	unsigned hits = 0;
	for (unsigned i = 0; i < n; i++)
		hits += p->waiting[i].stage == LIVE_COMMITTED;
	bool whole = read_state(g, &p->visitor, clock_now(), &after);
	const char *word = whole ? counted_word(&p->before, &after, hits) : "unclear";
	while (n--) {
		json_t *told = p->waiting[0].told;
		bool lost = p->waiting[0].stage == LIVE_LOST;
		json_object_set_new(told, "counted", json_string(lost ? "no" : word));
		if (lost) {
			json_object_set_new(told, "verdict", json_string("not_recorded"));
			json_object_set_new(told, "reason", json_string("store"));
			json_object_set_new(
			    told, "says", json_string("The journal could not be written."));
		} else if (--hits == 0 && strcmp(word, "yes") == 0) {
			json_object_set_new(told, "segments",
			    json_pack("{s:o,s:o}", "entered", only_in(g->rules, &after, &p->before),
				"left", only_in(g->rules, &p->before, &after)));
		}
		live_keep(p, told);
		live_waited(l, p);
	}
	live_state_done(&p->before);
	p->before = after;
	generation_unref(g);
}

/* The views are behind: what these hits changed will not be told. */
static void tell_late(struct live *l, struct live_pairing *p)
{
	while (p->waiting_n) {
		json_object_set_new(p->waiting[0].told, "counted", json_string("late"));
		live_keep(p, p->waiting[0].told);
		live_waited(l, p);
	}
}

static void tell_waited(struct collect *c, struct live *l, struct live_pairing *p)
{
	unsigned n = 0;
	uint64_t waited_us = clock_mono_us() - p->waiting[0].since_us;
	while (n < p->waiting_n && is_over(c, p, &p->waiting[n]))
		n++;
	if (n == p->waiting_n || (n && waited_us > TOGETHER_US))
		tell_waiting(c, l, p, n);
	else if (waited_us > LATE_US)
		tell_late(l, p);
	if (!p->waiting_n)
		live_state_done(&p->before);
}

void collect_live_go_on(struct collect *c)
{
	struct live *l = c->shared->live;
	if (!atomic_load_explicit(&l->waiting, memory_order_relaxed))
		return;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < LIVE_PAIRED; i++)
		if (l->pairing[i].waiting_n)
			tell_waited(c, l, &l->pairing[i]);
	pthread_mutex_unlock(&l->lock);
}
