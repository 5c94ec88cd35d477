/* GET /v1/stream: enters and leaves as server-sent events (delivery/stream.h). */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/delivery/stream.h"

#define STREAM_WAIT_S 25 /* shorter than what is between us and a client lets a request wait */

struct streaming {
	struct buf to, after; /* the destination; the client's position */
	bool queued;	      /* the thread looks, or has looked, at: */
	uint64_t version;
};

/* Last-Event-ID is a position, too. */
static enum err parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct streaming *s = j->state;
	uint64_t wait_s = asked_came(q, "wait") ? asked_number(q, "wait") : STREAM_WAIT_S;
	struct str after = asked_text(q, "after");
	(void)a;
	if (wait_s > STREAM_WAIT_S)
		wait_s = STREAM_WAIT_S;
	j->deadline_us = clock_mono_us() + wait_s * 1000000;
	j->later = true;
	enum err e = asked_copy(asked_text(q, "to"), &s->to);
	return e ? e : asked_copy(after.n ? after : q->request->header[H_LAST_EVENT_ID], &s->after);
}

static void run(struct admin *a, struct job *j)
{
	const struct streaming *s = j->state;
	struct destinations *all = node_destinations(a->node);
	struct generation *g = engine_serving(a->node->engine);
	const struct destination *d;
	struct str position = s->after.n ? buf_view(&s->after) : STR("");
	j->result = destinations_find_named(all, s->to.n ? buf_view(&s->to) : STR(""), &d);
	struct plan_wish wish = {
	    .g = g, .config = a->shared->config, .all = all, .d = d, .now = clock_now()};
	bool any;
	buf_clear(&j->out);
	if (!j->result)
		j->result = stream_piece(&wish, position, &j->out, &any);
	if (!j->result && !any)
		buf_clear(&j->out);
	generation_unref(g);
	destinations_unref(all);
}

/* Answers as soon as there is something: the thread looks again whenever there could be. */
static bool answer(struct admin *a, struct job *j)
{
	struct streaming *s = j->state;
	uint64_t version = stream_version(a->node->engine);
	if (s->queued && !atomic_load(&j->done))
		return false;
	if (s->queued && j->result)
		return job_told(a, j);
	if (s->queued && (j->out.n || job_late(j))) {
		if (!j->out.n)
			buf_c(&j->out, ": nothing new\n\n");
		http_reply(j->ticket, 200, "text/event-stream", STR("Cache-Control: no-store\r\n"),
		    buf_view(&j->out));
		return true;
	}
	if (s->queued && version == s->version)
		return false;
	s->version = version;
	atomic_store(&j->done, false);
	s->queued = admin_enqueue(a, j);
	return false;
}

static void done(struct job *j)
{
	struct streaming *s = j->state;
	buf_done(&s->to);
	buf_done(&s->after);
}

const struct route routes_stream[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/stream",
	.help = "Enters and leaves of a destination as server-sent events: "
		"[DESTINATIONS.md](DESTINATIONS.md#stream). It answers with a piece as soon as "
		"there is something, and the client asks again behind it.",
	.role = ROLE_OPERATOR,
	.by = BY_ASK,
	.params = {{"to", PARAM_TEXT, PARAM_MUST, .help = "Id of the destination.",
		       .example = "shop"},
	    {"after", PARAM_TEXT, PARAM_MAY,
		.help = "Position behind which to go on, that of the latest event; "
			"`Last-Event-ID` says the same. Without it the whole state is said."},
	    {"wait", PARAM_NUMBER, PARAM_MAY,
		"Seconds until an answer without news, 25 at most and without it.",
		.wrong = "wait is a number of seconds"}},
	.answers = {{200, "events", .type = "text/event-stream"},
	    {400, .when = "there is no such position, the destination takes no stream, or "
			  "`stream.keep_h` is 0"},
	    {404, .when = "there is no destination of that id"}},
	.state = sizeof(struct streaming),
	.parse = parse,
	.run = run,
	.answer = answer,
	.done = done,
    },
    {0},
};
