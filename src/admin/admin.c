/* The admin listener: who may ask, which row a request is for, and what is begun with it.
 *
 *     admin_handle()   401 without the token; 415 with a Content-Encoding; then the row
 *     take_request()   the query by the row; BY_MAIN answers at once; else a job is made
 *     begin_job()      503 while the clock is in doubt; the job goes to its thread's queue
 *     admin_tick()     (waiting.c) answers jobs that are done
 *
 * Rows are searched one after the other: there are some twenty, and requests are rare. All of this
 * is on the main thread. */
#include "job.h"

#include "crumb/ask/ask.h"
#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "crumb/http/coding.h"
#include "crumb/web/web.h"

#include <stdlib.h>

/* --- who may ask */

/* Hashes are compared, in constant time, so that the time of an answer tells neither bytes nor
 * length of the token. */
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

/* --- rows */

/* The row behind `r`, through all tables; NULL: `r` was the last. A walk begins with *table = 0 and
 * `r` = NULL. */
static const struct route *next_route(size_t *table, const struct route *r)
{
	if (r && r[1].path)
		return r + 1;
	if (r)
		++*table;
	return admin_routes[*table];
}

/* How long a body may be: as long as a row of this path takes, and no shorter than a stranger's. */
static size_t body_of(void *ctx, struct str path)
{
	size_t table = 0, most = HTTP_STRANGER_BODY;
	(void)ctx;
	for (const struct route *r = next_route(&table, NULL); r; r = next_route(&table, r))
		if (str_eq(str_c(r->path), path) && r->body.most > most)
			most = r->body.most;
	return most;
}

/* --- jobs */

/* Hands the job to its thread, if it has one. */
static enum err begin_job(struct admin *a, struct job *j)
{
	const struct watch *watch = &a->node->watch;
	char why[400];
	if (j->route->records && watch_refuses(watch) && watch_tell(watch, why, sizeof why))
		return err_set(ERR_BUSY, "%s", why);
	if (j->route->run && !j->later && !admin_enqueue(a, j))
		return err_set(ERR_BUSY, "too many requests of this kind at once");
	if (!j->route->run && j->route->history)
		history_note_often(a, j, j->route->history);
	return OK;
}

static void refuse_failed(struct http_ticket t, enum err e)
{
	admin_refuse(t, admin_status(e), err_text());
}

/* Answers at once, without memory of its own: health is told even when memory has run out. */
static void do_now(struct admin *a, struct http_request *r, const struct route *route)
{
	struct job now = {
	    .route = route, .ticket = r->ticket, .role = ROLE_OPERATOR, .who = "operator"};
	CHECK(!route->state && !route->run && !route->parse);
	bool answered = route->answer(a, &now);
	CHECK(answered);
}

static void take_request(struct admin *a, struct http_request *r, const struct route *route)
{
	struct asked asked;
	char scratch[QUERY_MOST];
	enum err e = asked_read(route, r, scratch, &asked);
	if (e) {
		refuse_failed(r->ticket, e);
		return;
	}
	if (route->by == BY_MAIN) {
		do_now(a, r, route);
		return;
	}
	struct job *j = job_new(route, r->ticket);
	if (!j) {
		admin_refuse(r->ticket, 503, "no memory for this request now");
		return;
	}
	j->role = ROLE_OPERATOR;
	snprintf(j->who, sizeof j->who, "operator");
	if (route->parse)
		e = route->parse(a, j, &asked);
	if (!e && route->body.help)
		e = asked_copy(r->body, &j->body);
	if (!e)
		e = begin_job(a, j);
	if (!e) {
		job_hold(a, j);
		return;
	}
	refuse_failed(r->ticket, e);
	job_free(j);
}

/* No row has this path and method: 405 and the methods of the path, or 404 when no row has the
 * path. */
static void refuse_method(struct http_request *r)
{
	static const char methods[][10] = {[HTTP_M_GET] = "GET, HEAD", [HTTP_M_POST] = "POST"};
	char allow[64] = "Allow: ";
	size_t table = 0, n = strlen(allow);
	const char *between = "";
	const struct route *row;
	for (row = next_route(&table, NULL); row; row = next_route(&table, row))
		if (str_eq(str_c(row->path), r->path)) {
			n += (size_t)snprintf(
			    allow + n, sizeof allow - n, "%s%s", between, methods[row->method]);
			between = ", ";
		}
	if (!*between) {
		admin_refuse(
		    r->ticket, 404, "there is no such address; docs/PROTOCOL.md lists them");
		return;
	}
	snprintf(allow + n, sizeof allow - n, "\r\n");
	http_reply(r->ticket, 405, "application/json", str_c(allow),
	    STR("{\"error\":\"this address wants another method\"}\n"));
}

static void admin_handle(void *ctx, struct http_request *r)
{
	struct admin *a = ctx;
	/* the dashboard's files have no data in them: who loads them has not signed in yet */
	if (web_answer(r))
		return;
	if (!authorized(a, r->header[H_AUTHORIZATION])) {
		metric_inc(M_UNAUTHORIZED);
		http_reply(r->ticket, 401, "application/json", STR("WWW-Authenticate: Bearer\r\n"),
		    STR("{\"error\":\"this listener wants its bearer token\"}\n"));
		return;
	}
	if (r->body.n && coding_of(r->header[H_CONTENT_ENCODING]) != CODING_IDENTITY) {
		metric_inc(M_BAD_CODING);
		http_reply(r->ticket, 415, "application/json", STR("Accept-Encoding: identity\r\n"),
		    STR("{\"error\":\"send plain bytes, without Content-Encoding\"}\n"));
		return;
	}
	enum http_method method = r->method == HTTP_M_HEAD ? HTTP_M_GET : r->method;
	size_t table = 0;
	const struct route *row = next_route(&table, NULL);
	while (row && !(row->method == method && str_eq(str_c(row->path), r->path)))
		row = next_route(&table, row);
	if (row)
		take_request(a, r, row);
	else
		refuse_method(r);
}

/* --- the listener */

void admin_on_models(struct admin *a, enum err (*changed)(void *), void *arg)
{
	a->models_changed = changed;
	a->models_arg = arg;
}

void admin_on_reload(
    struct admin *a, uint64_t (*ask)(void *), bool (*over)(void *, uint64_t, json_t **), void *arg)
{
	a->reload = ask;
	a->reloaded = over;
	a->reload_arg = arg;
}

void admin_ready(struct admin *a)
{
	a->ready = true;
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

enum err admin_new(struct event_base *base, struct node *node, struct keeper *keeper,
    struct collect_shared *shared, const char *token, enum admin_clock clock, int socket,
    struct admin **out)
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
	a->clock = clock;
	crypto_generichash(
	    a->token, sizeof a->token, (const uint8_t *)token, strlen(token), NULL, 0);
	pthread_mutex_init(&a->lock, NULL);
	for (int i = 0; i < BY_MAX; i++)
		pthread_cond_init(&a->workers[i].wake, NULL);
	sem_init(&a->committed, 0, 0);
	a->gate = kgate_of(a->config);
	a->asked = ask_memory_new();
	writing_start(a);
	history_start(a);
	enum err e = ingest_init(&a->ingest, a->config, node->store, NULL);
	if (!e)
		e = http_server_new(base, &a->listener, socket < 0 ? a->config->admin_listen : NULL,
		    HTTP_PORT_OWN, admin_handle, a, &a->server);
	if (!e && socket >= 0)
		e = http_server_listen(a->server, socket);
	if (!e)
		e = admin_workers_start(a);
	if (e) {
		admin_free(a);
		return e;
	}
	http_server_body_of(a->server, body_of);
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
		struct job *j = a->waiting;
		a->waiting = j->next;
		admin_refuse(j->ticket, 503, "shutting down");
		http_release(j->ticket);
		job_free(j);
	}
	http_server_free(a->server);
	ingest_done(&a->ingest);
	writing_end(a);
	history_end(a);
	ask_memory_free(a->asked);
	sem_destroy(&a->committed);
	pthread_mutex_destroy(&a->lock);
	for (int i = 0; i < BY_MAX; i++)
		pthread_cond_destroy(&a->workers[i].wake);
	free(a);
}
