/* The admin listener: which requests are taken, and what is begun with each.
 *
 *     admin_handle()   421 and 403 for a Host or Origin that is not ours; 401 without a token or
 *                      session; 403 where the role is too low; 415 with a Content-Encoding
 *     take_request()   the query by the row; BY_MAIN answers at once; else a job is made
 *     begin_job()      503 while the clock is in doubt; the job goes to its thread's queue
 *     admin_tick()     (waiting.c) answers jobs that are done
 *
 * Rows are searched one after the other: there are some dozens, and requests are rare. All of this
 * is on the main thread. */
#include "job.h"

#include "crumb/ask/ask.h"
#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "crumb/http/coding.h"
#include "crumb/web/web.h"

#include <stdlib.h>

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

/* The row of this method and path; NULL: there is none. */
static const struct route *row_asked(const struct http_request *r)
{
	enum http_method method = r->method == HTTP_M_HEAD ? HTTP_M_GET : r->method;
	size_t table = 0;
	const struct route *row = next_route(&table, NULL);
	while (row && !(row->method == method && str_eq(str_c(row->path), r->path)))
		row = next_route(&table, row);
	return row;
}

/* --- who may ask */

#define WHY_MOST 400 /* bytes of a sentence */

/* Is it asked at our address, and by no page of somebody else? 0, or the status of the refusal. */
static int misdirected(const struct admin *a, const struct http_request *r, char why[WHY_MOST])
{
	struct str host = r->header[H_HOST];
	if (!asked_at_us(a, r)) {
		snprintf(why, WHY_MOST,
		    "this listener has no host '%.*s': if it is yours, name it in admin.hosts",
		    host.n < 100 ? (int)host.n : 100, host.p);
		return 421;
	}
	if (!asked_from_us(a, r)) {
		snprintf(why, WHY_MOST,
		    "a page of another origin may not ask this: if it is yours, name its host in "
		    "admin.hosts");
		return 403;
	}
	return 0;
}

/* May the caller ask this? A path without a row is told only to who may ask something. */
static int refused(struct admin *a, const struct http_request *r, const struct route *row,
    struct caller *by, char why[WHY_MOST])
{
	bool changes = r->method != HTTP_M_GET && r->method != HTTP_M_HEAD;
	*by = (struct caller){.role = ROLE_VIEWER};
	if (row && row->open)
		return 0;
	if (!caller_of(a, r, by)) {
		snprintf(why, WHY_MOST, "this listener wants its bearer token, or a session");
		return 401;
	}
	if (row && by->role < row->role) {
		snprintf(why, WHY_MOST, "this wants the role %s; '%s' is a %s",
		    role_name(row->role), by->who, role_name(by->role));
		return 403;
	}
	if (by->until && changes && !r->header[H_X_CRUMB].n) {
		snprintf(why, WHY_MOST, "a session changes nothing without the header X-Crumb: 1");
		return 403;
	}
	return 0;
}

/* Asked before the body is read. */
static int stranger(void *ctx, const struct http_request *head)
{
	struct caller by;
	char why[WHY_MOST];
	int status = misdirected(ctx, head, why);
	return status ? status : refused(ctx, head, row_asked(head), &by, why);
}

/* A wrong token, late: the job of no row, whose state says when. */
static bool answer_late(struct admin *a, struct job *j)
{
	const uint64_t *at_us = j->state;
	(void)a;
	if (clock_mono_us() < *at_us)
		return false;
	refuse_caller(j->ticket, 401, "this listener wants its bearer token, or a session");
	return true;
}

/* Whoever sends many wrong tokens waits for each answer. Without memory he does not. */
static void refuse_unknown(struct admin *a, const struct http_request *r, const char *why)
{
	static const struct route late = {.state = sizeof(uint64_t), .answer = answer_late};
	enum wrong_how how = WRONG_AT_ONCE;
	if (caller_bears(r))
		how = caller_wrong(a, r);
	else
		metric_inc(M_UNAUTHORIZED);
	struct job *j = how == WRONG_LATER ? job_new(&late, r->ticket) : NULL;
	if (!j) {
		refuse_caller(r->ticket, how == WRONG_TOO_OFTEN ? 429 : 401, why);
		return;
	}
	*(uint64_t *)j->state = clock_mono_us() + WRONG_WAIT_US;
	job_hold(a, j);
}

static void refuse_request(
    struct admin *a, const struct http_request *r, int status, const char *why)
{
	if (status == 401) {
		refuse_unknown(a, r, why);
		return;
	}
	metric_inc(status == 421 ? M_BAD_ORIGIN : M_UNAUTHORIZED);
	refuse_caller(r->ticket, status, why);
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
static void do_now(struct admin *a, const struct http_request *r, const struct route *route,
    const struct caller *by)
{
	struct job now = {.route = route, .ticket = r->ticket, .role = by->role};
	memcpy(now.who, by->who, sizeof now.who);
	CHECK(!route->state && !route->run && !route->parse);
	bool answered = route->answer(a, &now);
	CHECK(answered);
}

static void take_request(struct admin *a, const struct http_request *r, const struct route *route,
    const struct caller *by)
{
	struct asked asked;
	char scratch[QUERY_MOST];
	enum err e = asked_read(route, r, scratch, &asked);
	if (e) {
		refuse_failed(r->ticket, e);
		return;
	}
	if (route->by == BY_MAIN) {
		do_now(a, r, route, by);
		return;
	}
	struct job *j = job_new(route, r->ticket);
	if (!j) {
		admin_refuse(r->ticket, 503, "no memory for this request now");
		return;
	}
	j->role = by->role;
	memcpy(j->who, by->who, sizeof j->who);
	asked.caller = by;
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
static void refuse_method(const struct http_request *r)
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
	struct caller by;
	char why[WHY_MOST];
	const struct route *row = row_asked(r);
	int status = misdirected(a, r, why);
	/* the dashboard's files have no data in them: who loads them has not signed in yet */
	if (!status && web_answer(r))
		return;
	if (!status)
		status = refused(a, r, row, &by, why);
	if (status) {
		refuse_request(a, r, status, why);
		return;
	}
	if (r->body.n && coding_of(r->header[H_CONTENT_ENCODING]) != CODING_IDENTITY) {
		metric_inc(M_BAD_CODING);
		http_reply(r->ticket, 415, "application/json", STR("Accept-Encoding: identity\r\n"),
		    STR("{\"error\":\"send plain bytes, without Content-Encoding\"}\n"));
		return;
	}
	if (row)
		take_request(a, r, row, &by);
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
	pthread_mutex_init(&a->lock, NULL);
	for (int i = 0; i < BY_MAX; i++)
		pthread_cond_init(&a->workers[i].wake, NULL);
	sem_init(&a->committed, 0, 0);
	a->gate = kgate_of(a->config);
	a->asked = ask_memory_new();
	writing_start(a);
	history_start(a);
	callers_start(a, token);
	publishing_start(a);
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
	http_server_admit(a->server, stranger);
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
	callers_end(a);
	ask_memory_free(a->asked);
	sem_destroy(&a->committed);
	pthread_mutex_destroy(&a->lock);
	for (int i = 0; i < BY_MAX; i++)
		pthread_cond_destroy(&a->workers[i].wake);
	free(a);
}
