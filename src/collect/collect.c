/* The collect thread: its loop, its batches, and which handler answers which path.
 *
 * One pass of the loop, in collect_run():
 *	take_shared()	rules, places, lists and options, if they were swapped
 *	the event loop	reads requests; handlers put events into the batch; on_wake() takes back a
 *			batch that was written and opens its gate
 *	gather()	reads on a little, when the batch is about to go
 *	note_pass()	notes when these hits were read
 *	hand_over()	gives the batch to the journal thread, if that has the other one no more
 *	look-ups	are answered when their turn has come; the tag assistant is told likewise
 *
 * Four kinds of threads wake the loop by its eventfd: the journal thread (a batch is back), a fold
 * thread (the views have read on), whoever has swapped something (taken.c), and whoever stops it.
 */
#include "crumb/collect/collecting.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "crumb/http/coding.h"
#include "crumb/collect/collect_route.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DRAIN_US 5000000  /* a thread that stops waits so long for its connections */
#define GATHER_PASSES 8	  /* more passes of the event loop before a batch goes */
#define STACK_WIPED 32768 /* bytes below handle(), more than handlers use */

/* The tracker that has this path, and *at. NULL: none has. */
static const struct tracker *tracker_of(
    const struct collect *c, struct str path, const struct tracker_path **at)
{
	for (const struct tracker *const *t = c->shared->trackers; t && *t; t++)
		for (*at = (*t)->paths; (*at)->path; (*at)++)
			if (str_eq(path, str_c((*at)->path)))
				return *t;
	return NULL;
}

/* How long a body may be. Trackers have limits of their own, which their libraries know. */
static size_t body_of(void *ctx, struct str path)
{
	const struct collect *c = ctx;
	const struct tracker_path *at;
	const struct tracker *t = tracker_of(c, path, &at);
	if (t && (!t->on || t->on(c->config)))
		return at->most;
	return (size_t)c->config->body_bytes;
}

/* --- routes */

/* The handler of a tracker's path. */
static void tracked(struct collect *c, struct http_request *r)
{
	const struct tracker_path *at;
	const struct tracker *t = tracker_of(c, r->path, &at);
	t->post(c, r, at);
}

/* A hit without a time cannot be recorded, and the client must not think that it was. */
static void no_clock(struct http_request *r)
{
	metric_inc(M_REFUSED_CLOCK);
	http_reply(r->ticket, 503, "text/plain", STR("Retry-After: 60\r\n" COLLECT_PUBLIC),
	    STR("not recorded: the server's clock is wrong\n"));
}

static collect_answer *answer_of(const struct collect_route *to, enum http_method method)
{
	switch (method) {
	case HTTP_M_GET:
		return to->get;
	case HTTP_M_POST:
		return to->post;
	case HTTP_M_HEAD:
		return to->event ? collect_blank : to->get;
	case HTTP_M_OPTIONS:
		return to->options;
	default:
		return NULL;
	}
}

/* Calls the handler of the method, or answers 405. While the clock is wrong only what needs no time
 * is answered. */
static void answer_route(struct collect *c, struct http_request *r, const struct collect_route *to)
{
	collect_answer *go = answer_of(to, r->method);
	if (go) {
		collect_now(c);
		if (c->early && (r->method == HTTP_M_POST || !to->timeless))
			no_clock(r);
		else
			go(c, r);
		return;
	}
	char allow[64];
	const char *comma = to->get && to->post ? ", " : "";
	const char *post = to->post ? "POST" : "";
	int n = snprintf(
	    allow, sizeof allow, "Allow: %s%s%s\r\n", to->get ? "GET, HEAD" : "", comma, post);
	metric_inc(M_BAD_METHOD);
	http_reply(
	    r->ticket, 405, "text/plain", str_make(allow, (size_t)n), STR("method not allowed\n"));
}

static void dispatch(struct collect *c, struct http_request *r)
{
	for (const struct collect_route *row = collect_routes; row->path.p; row++)
		if (str_eq(row->path, r->path)) {
			answer_route(c, r, row);
			return;
		}
	if (tracker_of(c, r->path, &(const struct tracker_path *){NULL})) {
		answer_route(
		    c, r, &(struct collect_route){.post = tracked, .options = cors_preflight});
		return;
	}
	metric_inc(M_BAD_PATH);
	http_reply(r->ticket, 404, "text/plain", STR(""), STR("not found\n"));
}

/* Overwrites the stack that the functions before it have used. */
static __attribute__((noinline)) void wipe_stack(void)
{
	char used[STACK_WIPED];
	explicit_bzero(used, sizeof used);
}

/* The server's handler. Nothing of a request or its answer is left behind: what was decoded and
 * composed is wiped here, the bytes of both by the connection. */
static void handle(void *ctx, struct http_request *r)
{
	struct collect *c = ctx;
	dispatch(c, r);
	memset(c->scratch, 0, r->query.n); /* decoding makes nothing longer */
	buf_clear(&c->numbers);
	buf_clear(&c->body);
	if (c->plain.p)
		buf_done(&c->plain);
	hit_clear(&c->hit);
	if (c->stack_used) {
		c->stack_used = false;
		wipe_stack();
	}
}

/* --- the loop */

/* On the journal thread. */
static void batch_committed(struct batch *b)
{
	struct collect *c = b->owner;
	atomic_store(&c->committed, true);
	collect_wake(c);
}

/* On a fold thread. */
static void heard(void *arg)
{
	collect_wake(arg);
}

/* Notes how many hits the batch got in this pass of the loop, and when the pass began. */
static void note_pass(struct collect *c)
{
	struct passes *p = &c->passes[c->gathering];
	uint32_t hits = collect_batch(c)->count - p->noted;
	if (hits == 0)
		return;
	p->noted += hits;
	if (p->n == 0 || (c->now_us - p->v[p->n - 1].at_us > PASS_US && p->n < PASSES))
		p->v[p->n++] = (struct pass){c->now_us, 0};
	p->v[p->n - 1].hits += hits;
}

/* The batch is back: hits that were stored took from their pass until now. */
static void count_passes(struct passes *p, bool stored)
{
	uint64_t now = clock_mono_us();
	for (unsigned i = 0; i < p->n && stored; i++)
		metric_took(H_HIT, now - p->v[i].at_us, p->v[i].hits);
	p->n = p->noted = 0;
}

/* The batch that was with the journal is back: its answers go, as they are or as 503. Messages of a
 * lost batch come again and must not count as repetitions. */
static void take_back_batch(struct collect *c)
{
	struct batch *b = &c->batches[1 - c->gathering];
	uint64_t gate = c->gate - 1;
	c->in_flight = false;
	if (b->result) {
		http_gate_fail(c->server, gate);
		collect_lookups_fail(c, gate);
		recent_clear(c->shared->recent);
	}
	collect_live_back(c, gate, b->result);
	count_passes(&c->passes[1 - c->gathering], b->result == OK);
	batch_clear(b);
	http_gate_open(c->server, gate);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct collect *c = arg;
	uint64_t n;
	(void)what;
	if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
		log_error("collect", "wake-up failed why=%s", strerror(errno));
	if (atomic_exchange(&c->committed, false))
		take_back_batch(c);
	if (!atomic_load(&c->stop))
		return;
	if (c->give)
		http_server_give(c->server, c->give, c->give_ctx);
	else
		http_server_drain(c->server);
}

/* Hands the gathered batch over, if it has anything and the other one is back. */
static void hand_over(struct collect *c)
{
	struct batch *b = collect_batch(c);
	if (b->count == 0 || c->in_flight)
		return;
	c->in_flight = true;
	c->gathering = 1 - c->gathering;
	c->gate++;
	writer_submit(c->shared->writer, b);
}

/* Before a batch goes, reads what is ready already: under load a commit then carries hits of most
 * open connections instead of half of them. It never waits, and looks a few times at most, so that
 * the first hit of the batch does not wait for long. With NONBLOCK alone the event loop would go on
 * for as long as anybody sends; ONCE makes it one pass. */
static void gather(struct collect *c)
{
	for (int i = 0; i < GATHER_PASSES && !c->in_flight; i++) {
		uint32_t before = collect_batch(c)->count;
		if (before == 0)
			return;
		event_base_loop(c->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		if (collect_batch(c)->count == before)
			return;
	}
}

/* Makes the attributes of Set-Cookie from the options. */
static void cookie_text(struct collect *c)
{
	static const char *const same_site[] = {
	    [SAMESITE_NONE] = "None", [SAMESITE_LAX] = "Lax", [SAMESITE_STRICT] = "Strict"};
	const struct config *f = c->config;
	bool partitioned = f->cookie_partitioned == CONFIG_YES;
	bool secure =
	    f->cookie_secure == CONFIG_YES || f->cookie_samesite == SAMESITE_NONE || partitioned;
	const char *part = partitioned ? "; Partitioned" : "";
	const char *domain = *f->cookie_domain ? "; Domain=" : "";
	char rest[320];
	snprintf(rest, sizeof rest, "; Path=/; HttpOnly%s; SameSite=%s%s%s%.253s\r\n",
	    secure ? "; Secure" : "", same_site[f->cookie_samesite], part, domain,
	    f->cookie_domain);
	snprintf(
	    c->cookie_tail, sizeof c->cookie_tail, "; Max-Age=%d%s", COOKIE_DAYS * DAY_S, rest);
	snprintf(c->expire_tail, sizeof c->expire_tail, "; Max-Age=0%s", rest);
}

static void take_config(struct collect *c, const struct config *config)
{
	if (config == c->config)
		return;
	c->config = config;
	ingest_config(&c->ingest, config);
	cookie_text(c);
}

/* Takes references to new rules, places, lists and options, if another thread has swapped them.
 * When there is no memory for a match of the new rules, all stays as it was, and the next pass
 * tries again. */
static void take_shared(struct collect *c)
{
	uint64_t v = atomic_load_explicit(&c->shared->version, memory_order_acquire);
	if (v == c->version)
		return;
	pthread_mutex_lock(&c->shared->lock);
	if (ingest_rules(&c->ingest, rules_ref(c->shared->rules)) != OK) {
		CHECK(c->ingest.rules);
		pthread_mutex_unlock(&c->shared->lock);
		return;
	}
	c->version = v;
	destinations_unref(c->destinations);
	c->destinations = destinations_ref(c->shared->destinations);
	anonymiser_places(&c->ingest.wall, place_db_ref(c->shared->places));
	anonymiser_lists(&c->ingest.wall, junk_ref(c->shared->lists));
	c->trusted = c->shared->trusted;
	take_config(c, c->shared->config);
	pthread_cond_broadcast(&c->shared->taken);
	pthread_mutex_unlock(&c->shared->lock);
}

void *collect_run(void *arg)
{
	struct collect *c = arg;
	uint64_t drain_until = 0;
	collect_begins(c);
	for (;;) {
		c->now = 0;
		take_shared(c);
		event_base_loop(c->base, EVLOOP_ONCE);
		gather(c);
		note_pass(c);
		hand_over(c);
		if (c->lookups)
			collect_lookups_go_on(c);
		collect_live_go_on(c);
		if (!atomic_load(&c->stop))
			continue;
		if (!drain_until)
			drain_until = clock_mono_us() + DRAIN_US;
		bool late = clock_mono_us() > drain_until;
		if (late ||
		    (http_server_idle(c->server) && !c->in_flight && collect_batch(c)->count == 0))
			break;
	}
	collect_ends(c);
	return NULL;
}

void collect_stop(struct collect *c)
{
	atomic_store(&c->stop, true);
	collect_wake(c);
}

void collect_give(struct collect *c, bool (*give)(void *ctx, int fd), void *ctx)
{
	c->give = give;
	c->give_ctx = ctx;
	collect_stop(c);
}

enum err collect_new(struct collect_shared *shared, const char *listen, struct collect **out)
{
	struct collect *c = calloc(1, sizeof *c);
	if (!c)
		return err_set(ERR_NOMEM, "no memory");
	c->shared = shared;
	c->config = shared->config;
	c->gate = 1;
	c->numbers = c->body = c->plain = BUF_SECRET;
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	c->scratch = malloc((size_t)c->config->header_bytes);
	struct event_config *cfg = event_config_new();
	if (cfg) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
		c->base = event_base_new_with_config(cfg);
		event_config_free(cfg);
	}
	enum err e = c->wake_fd < 0 || !c->base || !c->scratch ? err_sys("no event loop") : OK;
	for (int i = 0; i < 2; i++)
		batch_init(&c->batches[i], shared->store->shards, batch_committed, c);
	cookie_text(c);
	if (!e)
		e = ingest_init(&c->ingest, c->config, shared->store, &shared->disk_low);
	if (!e)
		e = http_server_new(
		    c->base, c->config, listen, HTTP_PORT_SHARED, handle, c, &c->server);
	if (e) {
		collect_free(c);
		return e;
	}
	http_server_body_of(c->server, body_of);
	c->wake_ev = event_new(c->base, c->wake_fd, EV_READ | EV_PERSIST, on_wake, c);
	event_add(c->wake_ev, NULL);
	c->soon_ev = event_new(c->base, -1, 0, collect_lookups_soon, c);
	engine_listen(shared->engine, heard, c);
	*out = c;
	return OK;
}

void collect_limit(struct collect *c, unsigned connections)
{
	http_server_limit(c->server, connections);
}

enum err collect_listen(struct collect *c, int fd)
{
	return http_server_listen(c->server, fd);
}

int collect_socket(const struct collect *c, unsigned i)
{
	return http_server_socket(c->server, i);
}

void collect_adopt(struct collect *c, int fd, const struct sockaddr_storage *peer)
{
	http_server_adopt(c->server, fd, peer);
}

void collect_address(const struct collect *c, char *out, size_t cap)
{
	http_server_address(c->server, out, cap);
}

void collect_free(struct collect *c)
{
	if (!c)
		return;
	if (c->server) {
		collect_lookups_drop(c);
		http_server_free(c->server);
	}
	if (c->wake_ev)
		event_free(c->wake_ev);
	if (c->soon_ev)
		event_free(c->soon_ev);
	if (c->base)
		event_base_free(c->base);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	ingest_done(&c->ingest);
	destinations_unref(c->destinations);
	for (int i = 0; i < 2; i++)
		batch_done(&c->batches[i]);
	buf_done(&c->numbers);
	buf_done(&c->body);
	buf_done(&c->plain);
	free(c->scratch);
	free(c);
}

/* --- what an operator reads */

static double disk_low(void *shared)
{
	return atomic_load(&((struct collect_shared *)shared)->disk_low);
}

const struct gauge collect_gauges[] = {
    {METRICS_store, "disk_low", NULL, "0 or 1",
	"1 while new visitors are refused because the disk is nearly full. Make room, or lower "
	"store.reserve_percent.",
	.read = disk_low},
    {0},
};
