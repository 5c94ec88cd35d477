/* Requests to the admin listener that wait: for the views, for the keeper, for a job. Looked at by the main thread every few milliseconds. */
#include "admin_jobs.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/delivery/stream.h"

#include <stdlib.h>

#define NO_STORE STR("Cache-Control: no-store\r\n")

static void no_memory(struct http_ticket t)
{
	http_reply(t, 503, "application/json", STR("Retry-After: 5\r\nCache-Control: no-store\r\n"), STR("{\"error\":\"no memory for this answer\"}\n"));
}

void admin_json(struct http_ticket t, int status, json_t *root)
{
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (text)
		http_reply(t, status, "application/json", NO_STORE, str_c(text));
	else
		no_memory(t);
	free(text);
	json_decref(root);
}

void admin_refuse(struct http_ticket t, int status, const char *why)
{
	size_t n = utf8_valid(str_c(why));
	json_t *j = json_pack("{s:o}", "error", json_stringn(why, n));
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	struct str more = status == 503 ? STR("Retry-After: 5\r\nCache-Control: no-store\r\n") : NO_STORE;
	if (text)
		http_reply(t, status, "application/json", more, str_c(text));
	else
		no_memory(t);
	free(text);
	json_decref(j);
}

static void say(struct http_ticket t, const char *text)
{
	http_reply(t, 200, "text/plain", NO_STORE, str_c(text));
}

void admin_wait_free(struct waiting *w)
{
	buf_done(&w->body);
	buf_done(&w->to);
	buf_done(&w->out);
	json_decref(w->answer);
	free(w);
}

/* --- answers of jobs */

static int status_of(enum err e)
{
	switch (e) {
	case OK:
		return 200;
	case ERR_USAGE:
	case ERR_SYNTAX:
		return 400;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_NOMEM:
	case ERR_FULL:
		return 503;
	default:
		return 500;
	}
}

static json_t *first_refused(const struct refused_lines *r)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < r->n; i++)
		json_array_append_new(list, json_pack("{s:I,s:s}", "line", (json_int_t)r->at[i].line, "reason", r->at[i].why));
	return list;
}

static void answer_declared(struct waiting *w)
{
	const struct declare_totals *t = &w->declared;
	admin_json(w->ticket, 200,
	    json_pack("{s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I},s:o}", "read", (json_int_t)t->read, "accepted", (json_int_t)t->accepted, "already",
		(json_int_t)w->already, "refused", "json",
		(json_int_t)t->refused_json, "id", (json_int_t)t->refused_id, "undeclared", (json_int_t)t->refused_undeclared, "value",
		(json_int_t)t->refused_value, "old", (json_int_t)t->refused_old,
		"refused_lines", first_refused(&t->first)));
}

static void answer_import(struct waiting *w)
{
	const struct import_totals *t = &w->totals;
	if (w->result == ERR_USAGE || w->result == ERR_NOMEM)
		admin_refuse(w->ticket, status_of(w->result), w->why);
	else if (w->result)
		admin_refuse(w->ticket, 503, "the store cannot write; nothing of this slice was imported");
	else if (w->to.n)
		answer_declared(w);
	else
		admin_json(w->ticket, 200,
		    json_pack("{s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I,s:I},s:o}", "read", (json_int_t)t->read, "accepted", (json_int_t)t->accepted,
			"already", (json_int_t)w->already, "set_aside", (json_int_t)t->aside, "refused", "json", (json_int_t)t->refused_json, "id", (json_int_t)t->refused_id, "old",
			(json_int_t)t->refused_old, "future", (json_int_t)t->refused_future, "site", (json_int_t)t->refused_site, "consent",
			(json_int_t)t->refused_consent, "refused_lines", first_refused(&t->first)));
}

/* A question that was asked too often is 429; elsewhere "busy" is the server's own affair. */
static void answer_job(struct waiting *w)
{
	bool question = w->what == PREVIEW || w->what == OVERLAP;
	if (w->what == METRICS && !w->result)
		http_reply(w->ticket, 200, "text/plain; version=0.0.4", STR(""), buf_view(&w->out));
	else if (w->answer)
		admin_json(w->ticket, status_of(w->result), w->answer);
	else if (!w->result)
		no_memory(w->ticket);
	else
		admin_refuse(w->ticket, w->result == ERR_BUSY ? question ? 429 : 503 : status_of(w->result), w->why);
	w->answer = NULL;
}

/* --- what is waited for */

static bool late(const struct waiting *w)
{
	return clock_mono_us() >= w->deadline_us;
}

static bool try_settled(struct admin *a, struct waiting *w)
{
	if (!node_settled(a->node)) {
		if (!late(w))
			return false;
		admin_refuse(w->ticket, 503, "the views are still behind");
	} else if (w->clock)
		admin_json(w->ticket, 200, json_pack("{s:I}", "now", (json_int_t)clock_now()));
	else
		say(w->ticket, "settled\n");
	return true;
}

static bool try_erased(struct admin *a, struct waiting *w)
{
	struct store *s = a->node->store;
	unsigned shard = vkey_shard(&w->visitor, s->shards);
	if (w->result) {
		admin_refuse(w->ticket, 503, "the store cannot write; nothing was erased");
		return true;
	}
	if (!engine_folded(a->node->engine, shard, journal_committed(s->journal, shard)) && !late(w)) {
		node_hurry(a->node);
		return false;
	}
	say(w->ticket, "erased\n");
	return true;
}

static bool try_compacted(struct admin *a, struct waiting *w)
{
	char why[400], text[500];
	if (keeper_rounds(a->keeper) >= w->round) {
		say(w->ticket, "compacted\n");
	} else if (keeper_failures(a->keeper, why, sizeof why) > w->failures) {
		snprintf(text, sizeof text, "not possible now: %s", why);
		admin_refuse(w->ticket, 503, text);
	} else if (late(w))
		admin_refuse(w->ticket, 503, "not finished yet; it goes on");
	else
		return false;
	return true;
}

static bool try_reloaded(struct admin *a, struct waiting *w)
{
	json_t *told;
	if (a->reloaded(a->reload_arg, w->round, &told))
		admin_json(w->ticket, json_object_get(told, "error") ? 400 : 200, told);
	else if (late(w))
		admin_refuse(w->ticket, 503, "not finished yet; it goes on, and the log says what became of it");
	else
		return false;
	return true;
}

static bool try_stream(struct admin *a, struct waiting *w)
{
	uint64_t version = stream_version(a->node->engine);
	if (w->queued && !atomic_load(&w->done))
		return false;
	if (w->queued && w->result) {
		admin_refuse(w->ticket, status_of(w->result), w->why);
		return true;
	}
	if (w->queued && (w->out.n || late(w))) {
		if (!w->out.n)
			buf_c(&w->out, ": nothing new\n\n");
		http_reply(w->ticket, 200, "text/event-stream", NO_STORE, buf_view(&w->out));
		return true;
	}
	if (w->queued && version == w->version)
		return false;
	w->version = version;
	atomic_store(&w->done, false);
	w->queued = admin_enqueue(a, w);
	return false;
}

/* Waits until the views are made by the rules with the new model; says so when that takes too long. */
static bool try_trained(struct admin *a, struct waiting *w)
{
	if (w->result) {
		answer_job(w);
		return true;
	}
	if (!w->queued) {
		w->queued = true;
		w->deadline_us = clock_mono_us() + ADMIN_WAIT_US;
	}
	bool serves = node_serves(a->node);
	if (!serves && !late(w))
		return false;
	if (w->answer)
		json_object_set_new(w->answer, "serving", json_boolean(serves));
	admin_json(w->ticket, serves ? 200 : 202, w->answer);
	w->answer = NULL;
	return true;
}

/* True: it was answered. */
static bool try_answer(struct admin *a, struct waiting *w)
{
	if (w->what == SETTLE)
		return try_settled(a, w);
	if (w->what == COMPACT)
		return try_compacted(a, w);
	if (w->what == RELOAD)
		return try_reloaded(a, w);
	if (w->what == STREAM)
		return try_stream(a, w);
	if (!atomic_load(&w->done))
		return false;
	if (w->what == ERASE)
		return try_erased(a, w);
	if (w->what == TRAIN)
		return try_trained(a, w);
	if (w->what == IMPORT)
		answer_import(w);
	else
		answer_job(w);
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
		admin_wait_free(done);
		done = next;
	}
}
