#include "admin.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "crumb/export/lists.h"
#include "crumb/export/stream.h"

#include <malloc.h>
#include <stdlib.h>

#define IMPORT_BYTES (32u << 20)
#define WAIT_US 110000000
#define STREAM_WAIT_S 25 /* shorter than what is between us and a client lets a request wait */

static void reply_json(struct http_ticket t, int status, json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);
	http_reply(t, status, "application/json", STR("Cache-Control: no-store\r\n"), str_c(text ? text : "{}"));
	free(text);
	json_decref(root);
}

static void reply_text(struct http_ticket t, int status, const char *text)
{
	http_reply(t, status, "text/plain", STR("Cache-Control: no-store\r\n"), str_c(text));
}

static bool authorized(const struct admin *a, struct str header)
{
	struct str bearer = STR("Bearer ");
	if (header.n < bearer.n || !str_ieq(str_make(header.p, bearer.n), bearer))
		return false;
	struct str given = str_skip(header, bearer.n);
	return given.n == strlen(a->token) && sodium_memcmp(given.p, a->token, given.n) == 0;
}

/* --- routes */

static void alerts(struct admin *a, struct buf *out);

static void metrics(struct admin *a, struct http_request *r)
{
	struct buf out = {0};
	struct mallinfo2 m = mallinfo2();
	metric_print(&out);
	metric_gauge(&out, "fold_lag_seconds", "Age of the newest hit that is not in the views", engine_lag_s(a->node->engine));
	metric_gauge(&out, "sweep_hours_behind", "Hours whose expiry has not been swept", engine_hours_behind(a->node->engine));
	metric_gauge(&out, "rules_building", "1 while changed rules are applied to the history", engine_building(a->node->engine));
	metric_gauge(&out, "clock_jumped", "1 while deletion is suspended because the clock jumped", clock_jumped());
	metric_gauge(&out, "disk_low", "1 while new visitors are refused because the disk is nearly full", atomic_load(&a->shared->disk_low));
	alerts(a, &out);
	metric_gauge(&out, "heap_bytes", "Heap in use", (double)m.uordblks);
	http_reply(r->ticket, 200, "text/plain; version=0.0.4", STR(""), buf_view(&out));
	buf_done(&out);
}

static void health(struct admin *a, struct http_request *r)
{
	(void)a;
	reply_text(r->ticket, 200, "ok\n");
}

static void readiness(struct admin *a, struct http_request *r)
{
	reply_text(r->ticket, a->ready ? 200 : 503, a->ready ? "ready\n" : "not ready\n");
}

static void lists(struct admin *a, struct http_request *r, bool segments)
{
	struct generation *g = engine_serving(a->node->engine);
	struct engine_build build = {.rules = NULL};
	json_t *list;
	engine_progress(a->node->engine, &build);
	enum err e = (segments ? list_segments : list_categories)(g, &a->gate, clock_now(), build.rules, &list);
	generation_unref(g);
	rules_unref(build.rules);
	if (e)
		reply_text(r->ticket, 500, err_text());
	else
		reply_json(r->ticket, 200, list);
}

static void segments(struct admin *a, struct http_request *r)
{
	lists(a, r, true);
}

static void categories(struct admin *a, struct http_request *r)
{
	lists(a, r, false);
}

/* ?id= one segment, with its last days. */
static void segment(struct admin *a, struct http_request *r)
{
	char scratch[256], id[128] = "";
	struct http_query q = {r->query, scratch, 0};
	struct str key, value;
	while (r->query.n < sizeof scratch && http_query_next(&q, &key, &value))
		if (str_eq(key, STR("id")) && value.n < sizeof id)
			snprintf(id, sizeof id, STR_FMT, STR_ARG(value));
	struct generation *g = engine_serving(a->node->engine);
	struct engine_build build = {.rules = NULL};
	json_t *j;
	engine_progress(a->node->engine, &build);
	enum err e = list_segment(g, &a->gate, clock_now(), build.rules, id, LIST_DAYS, &j);
	generation_unref(g);
	rules_unref(build.rules);
	if (e)
		reply_text(r->ticket, e == ERR_NOT_FOUND ? 404 : 500, err_text());
	else
		reply_json(r->ticket, 200, j);
}

static void rules_status(struct admin *a, struct http_request *r)
{
	struct generation *g = engine_serving(a->node->engine);
	struct engine_build build = {.rules = NULL};
	json_t *partial = NULL;
	bool building = engine_progress(a->node->engine, &build);
	if (list_partial(g, clock_now(), &partial) != OK)
		partial = json_array();
	json_t *j = json_pack("{s:s,s:I,s:b,s:i,s:s,s:o}", "hash", g->rules->hash_text, "serving_since", (json_int_t)g->since, "complete",
	    !building && memcmp(g->rules->hash, a->node->rules->hash, 16) == 0, "generation", (int)g->number, "newest", a->node->rules->hash_text,
	    "partial", partial);
	json_object_set_new(j, "backfill",
	    building ? json_pack(
			   "{s:s,s:f,s:s}", "hash", build.rules->hash_text, "done", build.share, "from", build.from_profiles ? "profiles" : "journal")
		     : json_null());
	reply_json(r->ticket, 200, j);
	rules_unref(build.rules);
	generation_unref(g);
}

/* Numbers about segments that asked to be watched. */
static void alerts(struct admin *a, struct buf *out)
{
	struct generation *g = engine_serving(a->node->engine);
	struct group_sizes sizes;
	bool any = false;
	for (size_t i = 0; i < g->rules->segments_n; i++)
		any |= g->rules->segments[i].alert != 0;
	if (any && view_sizes(g, &a->gate, clock_now(), &sizes) == OK) {
		buf_c(out, "# HELP crumb_segment_alert 1 while a segment is smaller than its alert says\n# TYPE crumb_segment_alert gauge\n");
		for (size_t i = 0; i < g->rules->segments_n; i++) {
			const struct segment *s = &g->rules->segments[i];
			if (s->alert)
				buf_addf(out, "crumb_segment_alert{segment=\"%s\"} %d\n", s->id,
				    !sizes.segments[i].told || sizes.segments[i].n < (uint64_t)s->alert);
		}
		view_sizes_done(&sizes);
	}
	generation_unref(g);
}

static struct waiting *wait_for(struct admin *a, struct http_request *r)
{
	struct waiting *w = calloc(1, sizeof *w);
	CHECK(w);
	w->ticket = r->ticket;
	w->deadline_us = clock_mono_us() + WAIT_US;
	w->next = a->waiting;
	a->waiting = w;
	http_hold(r->ticket);
	return w;
}

static void settle(struct admin *a, struct http_request *r)
{
	wait_for(a, r)->what = SETTLE;
	node_hurry(a->node);
}

/* "91d" or "5h" as seconds. */
static bool duration(struct str s, int64_t *out)
{
	uint64_t n;
	if (s.n < 2 || !str_u64(str_make(s.p, s.n - 1), &n) || n > 36500)
		return false;
	char unit = s.p[s.n - 1];
	*out = (int64_t)n * (unit == 'd' ? DAY_S : 3600);
	return unit == 'd' || unit == 'h';
}

static void advance_clock(struct admin *a, struct http_request *r)
{
	char scratch[256];
	struct http_query q = {r->query, scratch, 0};
	struct str key, value;
	int64_t by = -1;
	if (!a->test_clock) {
		reply_text(r->ticket, 404, "the clock can be moved only with --test-clock\n");
		return;
	}
	while (r->query.n < sizeof scratch && http_query_next(&q, &key, &value))
		if (str_eq(key, STR("advance")) && !duration(value, &by))
			by = -1;
	if (by < 0) {
		reply_text(r->ticket, 400, "say ?advance=91d or ?advance=5h\n");
		return;
	}
	if (by) {
		clock_set_offset(clock_offset() + by);
		if (store_save_clock(a->node->store, clock_offset()) != OK)
			log_warn("clock", "the moved clock is not kept why=\"%s\"", err_text());
		node_tick(a->node);
	}
	struct waiting *w = wait_for(a, r);
	w->what = SETTLE;
	w->clock = true;
	node_hurry(a->node);
}

static void confirm_clock(struct admin *a, struct http_request *r)
{
	clock_confirm();
	node_tick(a->node);
	reply_text(r->ticket, 200, "the clock is confirmed; deletion goes on\n");
}

/* The lock is held. False: there is enough to do. */
static bool enqueue(struct admin *a, struct waiting *w)
{
	if (a->queue_n == QUEUE_MOST)
		return false;
	a->queue[a->queue_n++] = w;
	pthread_cond_signal(&a->wake);
	return true;
}

/* To the job thread; NULL: it has enough to do, and the request is answered. The caller holds the lock. */
static void queue(struct admin *a, struct http_request *r, enum what what, const struct vkey *visitor)
{
	pthread_mutex_lock(&a->lock);
	bool room = a->queue_n < QUEUE_MOST;
	if (room) {
		struct waiting *w = wait_for(a, r);
		w->what = what;
		buf_str(&w->body, r->body);
		if (str_starts(r->query, STR("partner="))) /* an id: nothing to decode */
			buf_str(&w->to, str_skip(r->query, 8));
		if (visitor)
			w->visitor = *visitor;
		(void)enqueue(a, w);
	}
	pthread_mutex_unlock(&a->lock);
	if (!room)
		http_reply(r->ticket, 503, "text/plain", STR("Retry-After: 1\r\n"), STR("too many requests of this kind at once\n"));
}

static void erase(struct admin *a, struct http_request *r)
{
	struct vkey visitor;
	if (str_starts(r->query, STR("key=")) && hex_decode(str_skip(r->query, 4), visitor.b, sizeof visitor.b))
		queue(a, r, ERASE, &visitor);
	else
		reply_text(r->ticket, 400, "say ?key= and the 32 hex digits of a visitor's key\n");
}

/* ?to=DESTINATION[&after=POSITION][&wait=SECONDS]; Last-Event-ID is a position, too. Answers as soon as there is something. */
static void stream(struct admin *a, struct http_request *r)
{
	char scratch[8192];
	struct http_query q = {r->query, scratch, 0};
	struct str key, value, after = r->header[H_LAST_EVENT_ID], to = STR("");
	uint64_t wait_s = STREAM_WAIT_S;
	while (r->query.n < sizeof scratch && http_query_next(&q, &key, &value)) {
		if (str_eq(key, STR("to")))
			to = value;
		else if (str_eq(key, STR("after")) && value.n)
			after = value;
		else if (str_eq(key, STR("wait")) && (!str_u64(value, &wait_s) || wait_s > STREAM_WAIT_S))
			wait_s = STREAM_WAIT_S;
	}
	struct waiting *w = wait_for(a, r);
	w->what = STREAM;
	w->deadline_us = clock_mono_us() + wait_s * 1000000;
	buf_str(&w->to, to);
	buf_str(&w->body, after);
}

static void compact(struct admin *a, struct http_request *r)
{
	struct waiting *w = wait_for(a, r);
	w->what = COMPACT;
	w->round = keeper_now(a->keeper);
}

static const struct {
	struct str path;
	void (*get)(struct admin *, struct http_request *);
	void (*post)(struct admin *, struct http_request *);
	enum what job; /* a POST without a function of its own: for the job thread */
} routes[] = {
    {{"/metrics", 8}, .get = metrics},
    {{"/healthz", 8}, .get = health},
    {{"/readyz", 7}, .get = readiness},
    {{"/v1/segments", 12}, .get = segments},
    {{"/v1/segment", 11}, .get = segment},
    {{"/v1/categories", 14}, .get = categories},
    {{"/v1/rules/status", 16}, .get = rules_status},
    {{"/v1/stream", 10}, .get = stream},
    {{"/v1/settle", 10}, .post = settle},
    {{"/v1/clock", 9}, .post = advance_clock},
    {{"/v1/clock/confirm", 17}, .post = confirm_clock},
    {{"/v1/import", 10}, .job = IMPORT},
    {{"/v1/compact", 11}, .post = compact},
    {{"/v1/backup", 10}, .job = BACKUP},
    {{"/v1/quarantine", 14}, .job = QUARANTINE},
    {{"/v1/quarantine/release", 22}, .job = RELEASE},
    {{"/v1/visitors/erase", 18}, .post = erase},
    {{"/v1/ask/preview", 15}, .job = PREVIEW},
    {{"/v1/ask/overlap", 15}, .job = OVERLAP},
    {{"/v1/lookalikes/train", 20}, .job = TRAIN},
};

static void handle(void *ctx, struct http_request *r)
{
	struct admin *a = ctx;
	if (!authorized(a, r->header[H_AUTHORIZATION])) {
		metric_inc(M_UNAUTHORIZED);
		http_reply(r->ticket, 401, "text/plain", STR("WWW-Authenticate: Bearer\r\n"), STR("this listener wants its bearer token\n"));
		return;
	}
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (!str_eq(routes[i].path, r->path))
			continue;
		void (*go)(struct admin *, struct http_request *) = r->method == HTTP_M_GET    ? routes[i].get
								    : r->method == HTTP_M_POST ? routes[i].post
											       : NULL;
		if (go)
			go(a, r);
		else if (r->method == HTTP_M_POST && routes[i].job)
			queue(a, r, routes[i].job, NULL);
		else
			reply_text(r->ticket, 405, "method not allowed\n");
		return;
	}
	reply_text(r->ticket, 404, "not found\n");
}

/* --- waiting requests */

static void free_waiting(struct waiting *w)
{
	buf_done(&w->body);
	buf_done(&w->to);
	buf_done(&w->out);
	json_decref(w->answer);
	free(w);
}

static void answer_declared(struct waiting *w)
{
	const struct declare_totals *t = &w->declared;
	reply_json(w->ticket, 200,
	    json_pack("{s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I}}", "read", (json_int_t)t->read, "accepted", (json_int_t)t->accepted, "refused", "json",
		(json_int_t)t->refused_json, "id", (json_int_t)t->refused_id, "undeclared", (json_int_t)t->refused_undeclared, "value",
		(json_int_t)t->refused_value, "old", (json_int_t)t->refused_old));
}

static void answer_import(struct waiting *w)
{
	const struct import_totals *t = &w->totals;
	if (w->result == ERR_USAGE) {
		reply_text(w->ticket, 400, w->why);
		return;
	}
	if (w->result) {
		reply_text(w->ticket, 503, "the store cannot write; nothing of this slice was imported\n");
		return;
	}
	if (w->to.n) {
		answer_declared(w);
		return;
	}
	reply_json(w->ticket, 200,
	    json_pack("{s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I,s:I}}", "read", (json_int_t)t->read, "accepted", (json_int_t)t->accepted, "set_aside",
		(json_int_t)t->aside, "refused", "json", (json_int_t)t->refused_json, "id", (json_int_t)t->refused_id, "old",
		(json_int_t)t->refused_old, "future", (json_int_t)t->refused_future, "site", (json_int_t)t->refused_site, "consent",
		(json_int_t)t->refused_consent));
}

static void answer_question(struct waiting *w)
{
	if (w->answer)
		reply_json(w->ticket, w->result ? 400 : 200, w->answer);
	else
		reply_text(w->ticket, w->result == ERR_BUSY ? 429 : w->result == ERR_NOT_FOUND ? 404 : w->result == ERR_USAGE ? 400 : 500, w->why);
	w->answer = NULL;
}

static bool try_erased(struct admin *a, struct waiting *w)
{
	struct store *s = a->node->store;
	unsigned shard = vkey_shard(&w->visitor, s->shards);
	if (w->result) {
		reply_text(w->ticket, 503, "the store cannot write; nothing was erased\n");
		return true;
	}
	if (!engine_folded(a->node->engine, shard, journal_committed(s->journal, shard)) && clock_mono_us() < w->deadline_us) {
		node_hurry(a->node);
		return false;
	}
	reply_text(w->ticket, 200, "erased\n");
	return true;
}

static bool try_compacted(struct admin *a, struct waiting *w)
{
	bool done = keeper_rounds(a->keeper) >= w->round, late = clock_mono_us() >= w->deadline_us;
	if (done)
		reply_text(w->ticket, 200, "compacted\n");
	else if (late)
		reply_text(w->ticket, 503, "not finished yet; it goes on\n");
	return done || late;
}

static bool try_stream(struct admin *a, struct waiting *w)
{
	uint64_t version = stream_version(a->node->engine);
	if (w->queued && !atomic_load(&w->done))
		return false;
	bool late = clock_mono_us() >= w->deadline_us;
	if (w->queued && w->result) {
		reply_text(w->ticket, w->result == ERR_NOT_FOUND ? 404 : w->result == ERR_USAGE ? 400 : 500, w->why);
		return true;
	}
	if (w->queued && (w->out.n || late)) {
		if (!w->out.n)
			buf_c(&w->out, ": nothing new\n\n");
		http_reply(w->ticket, 200, "text/event-stream", STR("Cache-Control: no-store\r\n"), buf_view(&w->out));
		return true;
	}
	if (w->queued && version == w->version)
		return false;
	pthread_mutex_lock(&a->lock);
	w->version = version;
	atomic_store(&w->done, false);
	w->queued = enqueue(a, w);
	pthread_mutex_unlock(&a->lock);
	return false;
}

/* Reads the rules with the new model, and waits until the views are made by them. */
static bool try_trained(struct admin *a, struct waiting *w)
{
	if (!w->queued) {
		w->queued = true;
		a->models_changed(a->models_arg);
		return false;
	}
	struct generation *g = engine_serving(a->node->engine);
	bool serves = memcmp(g->rules->hash, a->node->rules->hash, sizeof g->rules->hash) == 0;
	generation_unref(g);
	return serves || clock_mono_us() >= w->deadline_us;
}

static bool try_answer(struct admin *a, struct waiting *w)
{
	if (w->what == STREAM)
		return try_stream(a, w);
	if (w->what == COMPACT)
		return try_compacted(a, w);
	if (w->what != SETTLE && !atomic_load(&w->done))
		return false;
	if (w->what == ERASE)
		return try_erased(a, w);
	if (w->what == TRAIN && !w->result && !try_trained(a, w))
		return false;
	if (w->what == IMPORT)
		answer_import(w);
	else if (w->what != SETTLE)
		answer_question(w);
	if (w->what != SETTLE)
		return true;
	if (node_settled(a->node)) {
		if (w->clock)
			reply_json(w->ticket, 200, json_pack("{s:I}", "now", (json_int_t)clock_now()));
		else
			reply_text(w->ticket, 200, "settled\n");
		return true;
	}
	if (clock_mono_us() < w->deadline_us)
		return false;
	reply_text(w->ticket, 503, "the views are still behind\n");
	return true;
}

bool admin_waits(const struct admin *a)
{
	return a->waiting != NULL;
}

void admin_tick(struct admin *a)
{
	struct waiting **at = &a->waiting, *done = NULL;
	while (*at) {
		struct waiting *w = *at;
		if (!try_answer(a, w)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = done;
		done = w;
	}
	while (done) {
		struct waiting *next = done->next;
		http_release(done->ticket);
		free_waiting(done);
		done = next;
	}
}

void admin_on_models(struct admin *a, void (*changed)(void *), void *arg)
{
	a->models_changed = changed;
	a->models_arg = arg;
}

void admin_ready(struct admin *a, bool ready)
{
	a->ready = ready;
}

void admin_address(const struct admin *a, char *out, size_t cap)
{
	http_server_address(a->server, out, cap);
}

enum err admin_new(struct event_base *base, struct node *node, struct keeper *keeper, struct collect_shared *shared, const char *token,
    bool test_clock, struct admin **out)
{
	struct admin *a = calloc(1, sizeof *a);
	if (!a)
		return err_set(ERR_NOMEM, "no memory");
	a->node = node;
	a->keeper = keeper;
	a->shared = shared;
	a->config = shared->config;
	a->test_clock = test_clock;
	snprintf(a->token, sizeof a->token, "%s", token);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
	sem_init(&a->committed, 0, 0);
	batch_init(&a->batch, node->store->shards, admin_committed, a);
	a->gate = (struct kgate){(uint32_t)a->config->k, kgate_memory_new()};
	a->asked = ask_memory_new();
	enum err e = ingest_init(&a->ingest, a->config, node->store, NULL);
	if (!e)
		e = http_server_new(base, a->config, a->config->admin_listen, false, handle, a, &a->server);
	if (!e && pthread_create(&a->job, NULL, admin_jobs_run, a) != 0)
		e = err_set(ERR_IO, "no thread for jobs");
	if (e) {
		admin_free(a);
		return e;
	}
	a->job_started = true;
	http_server_body_limit(a->server, IMPORT_BYTES);
	*out = a;
	return OK;
}

void admin_free(struct admin *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	if (a->job_started)
		pthread_join(a->job, NULL);
	while (a->waiting) {
		struct waiting *w = a->waiting;
		a->waiting = w->next;
		reply_text(w->ticket, 503, "shutting down\n");
		http_release(w->ticket);
		free_waiting(w);
	}
	http_server_free(a->server);
	ingest_done(&a->ingest);
	batch_done(&a->batch);
	kgate_memory_free(a->gate.memory);
	ask_memory_free(a->asked);
	sem_destroy(&a->committed);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->wake);
	free(a);
}
