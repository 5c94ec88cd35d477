/* The admin listener: who may ask, what can be asked, with which parameters. */
#include "admin_jobs.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "crumb/http/coding.h"

#include <stdlib.h>

#define IMPORT_BYTES (32u << 20)
#define QUERY_MOST 8192
#define STREAM_WAIT_S 25 /* shorter than what is between us and a client lets a request wait */

static void reply_text(struct http_ticket t, int status, const char *text)
{
	http_reply(t, status, "text/plain", STR("Cache-Control: no-store\r\n"), str_c(text));
}

/* --- who may ask */

/* Hashes are compared, so that neither bytes nor length of the token can be found out by time. */
static bool authorized(void *ctx, struct str header)
{
	const struct admin *a = ctx;
	struct str bearer = STR("Bearer ");
	uint8_t given[sizeof a->token];
	if (header.n < bearer.n || !str_ieq(str_make(header.p, bearer.n), bearer))
		return false;
	struct str token = str_skip(header, bearer.n);
	crypto_generichash(given, sizeof given, (const uint8_t *)token.p, token.n, NULL, 0);
	return sodium_memcmp(given, a->token, sizeof given) == 0;
}

/* --- parameters */

enum arg { ARG_ID, ARG_KEY, ARG_PARTNER, ARG_TO, ARG_AFTER, ARG_WAIT, ARG_ADVANCE, ARG_FORMAT, ARG_FROM, ARG_BYTES, ARG_LINES, ARG_AGAIN, ARG_DRY, ARG_MAX };
#define BIT(arg) (1u << (arg))

static const char *const arg_names[ARG_MAX] = {
    [ARG_ID] = "id",
    [ARG_KEY] = "key",
    [ARG_PARTNER] = "partner",
    [ARG_TO] = "to",
    [ARG_AFTER] = "after",
    [ARG_WAIT] = "wait",
    [ARG_ADVANCE] = "advance",
    [ARG_FORMAT] = "format",
    [ARG_FROM] = "from",
    [ARG_BYTES] = "bytes",
    [ARG_LINES] = "lines",
    [ARG_AGAIN] = "again",
    [ARG_DRY] = "dry",
};

struct args {
	bool came[ARG_MAX];
	struct str v[ARG_MAX];
	char scratch[QUERY_MOST];
};

struct route {
	const char *path;
	enum http_method method;
	void (*go)(struct admin *, struct http_request *, const struct args *); /* NULL: a job with the body */
	enum what what;
	unsigned takes, needs; /* BIT()s of parameters */
};

/* "id, after"; "no parameters". */
static void list_args(unsigned set, char *out, size_t cap)
{
	size_t n = 0;
	for (int i = 0; i < ARG_MAX; i++)
		if (set & BIT(i))
			n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", arg_names[i]);
	if (!n)
		snprintf(out, cap, "no parameters");
}

/* False: something is wrong with the query, and `why` says what. */
static bool read_args(const struct route *route, struct str query, struct args *out, char *why, size_t cap)
{
	char takes[128];
	struct http_query q = {query, out->scratch, 0};
	struct str key, value;
	list_args(route->takes | route->needs, takes, sizeof takes);
	if (query.n >= sizeof out->scratch) {
		snprintf(why, cap, "the query is longer than %d bytes", QUERY_MOST - 1);
		return false;
	}
	while (http_query_next(&q, &key, &value)) {
		int i = 0;
		while (i < ARG_MAX && !((route->takes | route->needs) & BIT(i) && str_eq(key, str_c(arg_names[i]))))
			i++;
		if (i == ARG_MAX || out->came[i]) {
			snprintf(why, cap, "%s parameter '%.*s'; %s takes %s", i == ARG_MAX ? "there is no" : "there is more than one", (int)(key.n < 64 ? key.n : 64),
			    key.p, route->path, takes);
			return false;
		}
		out->came[i] = true;
		out->v[i] = value;
	}
	for (int i = 0; i < ARG_MAX; i++)
		if (route->needs & BIT(i) && !out->v[i].n) {
			snprintf(why, cap, "%s wants ?%s=", route->path, arg_names[i]);
			return false;
		}
	return true;
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

/* --- requests that wait */

/* NULL: there is no memory, and the request is answered. */
static struct waiting *make_waiting(struct http_request *r, enum what what)
{
	struct waiting *w = calloc(1, sizeof *w);
	if (!w) {
		admin_refuse(r->ticket, 503, "no memory for this request now");
		return NULL;
	}
	w->ticket = r->ticket;
	w->what = what;
	w->deadline_us = clock_mono_us() + ADMIN_WAIT_US;
	return w;
}

static void hold(struct admin *a, struct waiting *w)
{
	w->next = a->waiting;
	a->waiting = w;
	http_hold(w->ticket);
}

/* With the time of now, which must not be wrong. */
static bool records(enum what what)
{
	return what == IMPORT || what == ERASE || what == RELEASE;
}

/* To its thread; takes the request. */
static void start_job(struct admin *a, struct waiting *w)
{
	char why[400];
	if (!w)
		return;
	if (records(w->what) && watch_refuses(&a->node->watch) && watch_tell(&a->node->watch, why, sizeof why))
		admin_refuse(w->ticket, 503, why);
	else if (w->body.failed || w->to.failed)
		admin_refuse(w->ticket, 503, "no memory for this request now");
	else if (!admin_enqueue(a, w))
		admin_refuse(w->ticket, 503, "too many requests of this kind at once");
	else {
		hold(a, w);
		return;
	}
	admin_wait_free(w);
}

/* --- routes */

static void health(struct admin *a, struct http_request *r, const struct args *args)
{
	(void)a, (void)args;
	reply_text(r->ticket, 200, "ok\n");
}

static void readiness(struct admin *a, struct http_request *r, const struct args *args)
{
	struct buf b = {0};
	(void)args;
	char why[1200], clock[400];
	bool trouble = node_trouble(a->node, why, sizeof why), doubt = watch_tell(&a->node->watch, clock, sizeof clock);
	bool low = atomic_load(&a->shared->disk_low), well = a->ready && !trouble && !low && !watch_refuses(&a->node->watch);
	buf_c(&b, well ? "ready\n" : a->ready ? "not ready: " : "not ready\n");
	if (a->ready && trouble)
		buf_addf(&b, "%s\n", why);
	if (a->ready && low)
		buf_addf(&b, "less than %ld %% of the disk is free: new visitors are refused (store.reserve_percent)\n", a->config->disk_reserve_percent);
	if (a->ready && doubt)
		buf_addf(&b, "%s\n", clock);
	damage_print(a->node->store->damage, &b);
	buf_add(&b, "", 1);
	reply_text(r->ticket, well ? 200 : 503, b.failed ? "not ready\n" : b.p);
	buf_done(&b);
}

static void segment(struct admin *a, struct http_request *r, const struct args *args)
{
	struct waiting *w = make_waiting(r, SEGMENT);
	if (w)
		buf_str(&w->body, args->v[ARG_ID]);
	start_job(a, w);
}

static void settle(struct admin *a, struct http_request *r, const struct args *args)
{
	struct waiting *w = make_waiting(r, SETTLE);
	(void)args;
	if (!w)
		return;
	hold(a, w);
	node_hurry(a->node);
}

static void advance_clock(struct admin *a, struct http_request *r, const struct args *args)
{
	int64_t by;
	if (!a->test_clock) {
		admin_refuse(r->ticket, 404, "the clock can be moved only with --test-clock");
		return;
	}
	if (!duration(args->v[ARG_ADVANCE], &by)) {
		admin_refuse(r->ticket, 400, "how far? advance=91d or advance=5h are meant, and 36500 at most");
		return;
	}
	struct waiting *w = make_waiting(r, SETTLE);
	if (!w)
		return;
	if (by) {
		clock_set_offset(clock_offset() + by);
		if (store_save_clock(a->node->store, clock_offset()) != OK)
			log_warn("clock", "the moved clock is not kept why=\"%s\"", err_text());
		node_tick(a->node);
	}
	w->clock = true;
	hold(a, w);
	node_hurry(a->node);
}

static void confirm_clock(struct admin *a, struct http_request *r, const struct args *args)
{
	(void)args;
	if (watch_confirm(&a->node->watch) != OK) {
		admin_refuse(r->ticket, 409, err_text());
		return;
	}
	node_tick(a->node);
	reply_text(r->ticket, 200, "the clock is confirmed; deletion goes on\n");
}

static bool piece_of(const struct args *args, struct piece_wish *out)
{
	out->known = args->came[ARG_FROM] && args->came[ARG_TO] && args->came[ARG_BYTES] && args->came[ARG_LINES];
	if (!out->known)
		return !args->came[ARG_FROM] && !args->came[ARG_TO] && !args->came[ARG_BYTES] && !args->came[ARG_LINES];
	return hex_decode(args->v[ARG_FROM], out->id.from, sizeof out->id.from) && hex_decode(args->v[ARG_TO], out->id.to, sizeof out->id.to) &&
	       str_u64(args->v[ARG_BYTES], &out->id.bytes) && str_u64(args->v[ARG_LINES], &out->id.lines);
}

static void import(struct admin *a, struct http_request *r, const struct args *args)
{
	if (args->came[ARG_FORMAT] && !str_eq(args->v[ARG_FORMAT], STR("ndjson"))) {
		admin_refuse(r->ticket, 400, "format is ndjson; 'crumb import' reads others");
		return;
	}
	struct piece_wish piece = {.again = args->came[ARG_AGAIN], .dry = args->came[ARG_DRY]};
	if (!piece_of(args, &piece)) {
		admin_refuse(r->ticket, 400, "from and to are 32 hex digits each, bytes and lines are numbers; all of them or none");
		return;
	}
	struct waiting *w = make_waiting(r, IMPORT);
	if (w) {
		buf_str(&w->body, r->body);
		buf_str(&w->to, args->v[ARG_PARTNER]);
		w->piece = piece;
	}
	start_job(a, w);
}

/* Which pieces were imported that begin behind ?from= */
static void applied(struct admin *a, struct http_request *r, const struct args *args)
{
	struct piece_wish piece = {.known = true};
	if (!hex_decode(args->v[ARG_FROM], piece.id.from, sizeof piece.id.from)) {
		admin_refuse(r->ticket, 400, "say ?from= and 32 hex digits");
		return;
	}
	struct waiting *w = make_waiting(r, APPLIED);
	if (w)
		w->piece = piece;
	start_job(a, w);
}

static void erase(struct admin *a, struct http_request *r, const struct args *args)
{
	struct vkey visitor;
	if (!hex_decode(args->v[ARG_KEY], visitor.b, sizeof visitor.b)) {
		admin_refuse(r->ticket, 400, "say ?key= and the 32 hex digits of a visitor's key");
		return;
	}
	struct waiting *w = make_waiting(r, ERASE);
	if (w)
		w->visitor = visitor;
	start_job(a, w);
}

/* Last-Event-ID is a position, too. Answers as soon as there is something. */
static void stream(struct admin *a, struct http_request *r, const struct args *args)
{
	uint64_t wait_s = STREAM_WAIT_S;
	if (args->came[ARG_WAIT] && !str_u64(args->v[ARG_WAIT], &wait_s)) {
		admin_refuse(r->ticket, 400, "wait is a number of seconds");
		return;
	}
	struct waiting *w = make_waiting(r, STREAM);
	if (!w)
		return;
	w->deadline_us = clock_mono_us() + (wait_s < STREAM_WAIT_S ? wait_s : STREAM_WAIT_S) * 1000000;
	buf_str(&w->to, args->v[ARG_TO]);
	buf_str(&w->body, args->v[ARG_AFTER].n ? args->v[ARG_AFTER] : r->header[H_LAST_EVENT_ID]);
	if (w->to.failed || w->body.failed) {
		admin_refuse(r->ticket, 503, "no memory for this request now");
		admin_wait_free(w);
		return;
	}
	hold(a, w);
}

static void compact(struct admin *a, struct http_request *r, const struct args *args)
{
	struct waiting *w = make_waiting(r, COMPACT);
	(void)args;
	if (!w)
		return;
	w->failures = keeper_failures(a->keeper, w->why, sizeof w->why);
	w->round = keeper_now(a->keeper);
	hold(a, w);
}

static void reload(struct admin *a, struct http_request *r, const struct args *args)
{
	struct waiting *w = make_waiting(r, RELOAD);
	(void)args;
	if (!w)
		return;
	w->round = a->reload(a->reload_arg);
	hold(a, w);
}

static const struct route routes[] = {
    {"/metrics", HTTP_M_GET, NULL, METRICS, 0, 0},
    {"/healthz", HTTP_M_GET, health, NOTHING, 0, 0},
    {"/readyz", HTTP_M_GET, readiness, NOTHING, 0, 0},
    {"/v1/segments", HTTP_M_GET, NULL, SEGMENTS, 0, 0},
    {"/v1/segment", HTTP_M_GET, segment, NOTHING, 0, BIT(ARG_ID)},
    {"/v1/categories", HTTP_M_GET, NULL, CATEGORIES, 0, 0},
    {"/v1/rules/status", HTTP_M_GET, NULL, STATUS, 0, 0},
    {"/v1/stream", HTTP_M_GET, stream, NOTHING, BIT(ARG_AFTER) | BIT(ARG_WAIT), BIT(ARG_TO)},
    {"/v1/settle", HTTP_M_POST, settle, NOTHING, 0, 0},
    {"/v1/clock", HTTP_M_POST, advance_clock, NOTHING, BIT(ARG_ADVANCE), 0},
    {"/v1/clock/confirm", HTTP_M_POST, confirm_clock, NOTHING, 0, 0},
    {"/v1/import", HTTP_M_POST, import, NOTHING, BIT(ARG_PARTNER) | BIT(ARG_FORMAT) | BIT(ARG_FROM) | BIT(ARG_TO) | BIT(ARG_BYTES) | BIT(ARG_LINES) |
	BIT(ARG_AGAIN) | BIT(ARG_DRY), 0},
    {"/v1/import/applied", HTTP_M_GET, applied, NOTHING, 0, BIT(ARG_FROM)},
    {"/v1/reload", HTTP_M_POST, reload, NOTHING, 0, 0},
    {"/v1/compact", HTTP_M_POST, compact, NOTHING, 0, 0},
    {"/v1/backup", HTTP_M_POST, NULL, BACKUP, 0, 0},
    {"/v1/quarantine", HTTP_M_POST, NULL, QUARANTINE, 0, 0},
    {"/v1/quarantine", HTTP_M_GET, NULL, QUARANTINE, 0, 0},
    {"/v1/quarantine/release", HTTP_M_POST, NULL, RELEASE, 0, 0},
    {"/v1/visitors/erase", HTTP_M_POST, erase, NOTHING, 0, BIT(ARG_KEY)},
    {"/v1/ask/preview", HTTP_M_POST, NULL, PREVIEW, 0, 0},
    {"/v1/ask/overlap", HTTP_M_POST, NULL, OVERLAP, 0, 0},
    {"/v1/lookalikes/train", HTTP_M_POST, NULL, TRAIN, 0, 0},
};
#define ROUTES (sizeof routes / sizeof *routes)

static void go(struct admin *a, struct http_request *r, const struct route *route)
{
	struct args args;
	char why[512];
	memset(&args, 0, offsetof(struct args, scratch));
	if (!read_args(route, r->query, &args, why, sizeof why)) {
		admin_refuse(r->ticket, 400, why);
		return;
	}
	if (route->go) {
		route->go(a, r, &args);
		return;
	}
	struct waiting *w = make_waiting(r, route->what);
	if (w)
		buf_str(&w->body, r->body);
	start_job(a, w);
}

static void handle(void *ctx, struct http_request *r)
{
	struct admin *a = ctx;
	static const char methods[][10] = {[HTTP_M_GET] = "GET, HEAD", [HTTP_M_POST] = "POST"};
	char allow[64] = "Allow: ";
	bool there = false;
	if (!authorized(a, r->header[H_AUTHORIZATION])) {
		metric_inc(M_UNAUTHORIZED);
		http_reply(r->ticket, 401, "application/json", STR("WWW-Authenticate: Bearer\r\n"),
		    STR("{\"error\":\"this listener wants its bearer token\"}\n"));
		return;
	}
	if (r->body.n && coding_of(r->header[H_CONTENT_ENCODING]) != CODING_IDENTITY) {
		metric_inc(M_BAD_CODING);
		http_reply(r->ticket, 415, "application/json", STR("Accept-Encoding: identity\r\n"), STR("{\"error\":\"send plain bytes, without Content-Encoding\"}\n"));
		return;
	}
	enum http_method method = r->method == HTTP_M_HEAD ? HTTP_M_GET : r->method;
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *route = &routes[i];
		if (!str_eq(str_c(route->path), r->path))
			continue;
		if (route->method == method) {
			go(a, r, route);
			return;
		}
		size_t n = strlen(allow);
		snprintf(allow + n, sizeof allow - n, "%s%s", there ? ", " : "", methods[route->method]);
		there = true;
	}
	if (!there) {
		admin_refuse(r->ticket, 404, "there is no such address; docs/PROTOCOL.md lists them");
		return;
	}
	size_t n = strlen(allow);
	snprintf(allow + n, sizeof allow - n, "\r\n");
	http_reply(r->ticket, 405, "application/json", str_c(allow), STR("{\"error\":\"this address wants another method\"}\n"));
}

/* --- the listener */

void admin_on_models(struct admin *a, enum err (*changed)(void *), void *arg)
{
	a->models_changed = changed;
	a->models_arg = arg;
}

void admin_on_reload(struct admin *a, uint64_t (*ask)(void *), bool (*over)(void *, uint64_t, json_t **), void *arg)
{
	a->reload = ask;
	a->reloaded = over;
	a->reload_arg = arg;
}

void admin_ready(struct admin *a, bool ready)
{
	a->ready = ready;
}

int admin_socket(const struct admin *a)
{
	return http_server_socket(a->server, 0);
}

void admin_adopt(struct admin *a, int fd, const struct sockaddr_storage *peer)
{
	http_server_adopt(a->server, fd, peer);
}

void admin_give(struct admin *a, bool (*give)(void *ctx, int fd), void *ctx)
{
	http_server_give(a->server, give, ctx);
}

void admin_address(const struct admin *a, char *out, size_t cap)
{
	http_server_address(a->server, out, cap);
}

enum err admin_new(struct event_base *base, struct node *node, struct keeper *keeper, struct collect_shared *shared, const char *token,
    bool test_clock, int socket, struct admin **out)
{
	struct admin *a = calloc(1, sizeof *a);
	if (!a)
		return err_set(ERR_NOMEM, "no memory");
	a->node = node;
	a->keeper = keeper;
	a->shared = shared;
	a->config = shared->config;
	a->listener = *shared->config; /* texts are shared, and not freed by us */
	if (a->listener.connections > ADMIN_CONNECTIONS)
		a->listener.connections = ADMIN_CONNECTIONS;
	a->test_clock = test_clock;
	crypto_generichash(a->token, sizeof a->token, (const uint8_t *)token, strlen(token), NULL, 0);
	pthread_mutex_init(&a->lock, NULL);
	for (int i = 0; i < WORKERS; i++)
		pthread_cond_init(&a->workers[i].wake, NULL);
	sem_init(&a->committed, 0, 0);
	a->gate = kgate_of(a->config);
	a->asked = ask_memory_new();
	enum err e = ingest_init(&a->ingest, a->config, node->store, NULL);
	if (!e)
		e = http_server_new(base, &a->listener, socket < 0 ? a->config->admin_listen : NULL, false, handle, a, &a->server);
	if (!e && socket >= 0)
		e = http_server_listen(a->server, socket);
	if (!e)
		e = admin_workers_start(a);
	if (e) {
		admin_free(a);
		return e;
	}
	http_server_body_limit(a->server, IMPORT_BYTES);
	http_server_admit(a->server, authorized);
	*out = a;
	return OK;
}

void admin_free(struct admin *a)
{
	if (!a)
		return;
	admin_workers_stop(a);
	while (a->waiting) {
		struct waiting *w = a->waiting;
		a->waiting = w->next;
		admin_refuse(w->ticket, 503, "shutting down");
		http_release(w->ticket);
		admin_wait_free(w);
	}
	http_server_free(a->server);
	ingest_done(&a->ingest);
	if (a->batch.owner)
		batch_done(&a->batch);
	applied_close(a->applied);
	ask_memory_free(a->asked);
	sem_destroy(&a->committed);
	pthread_mutex_destroy(&a->lock);
	for (int i = 0; i < WORKERS; i++)
		pthread_cond_destroy(&a->workers[i].wake);
	free(a);
}
