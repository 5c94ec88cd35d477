/* GET /v1/stream: enters and leaves as server-sent events (delivery/stream.h).
 *
 * The client asks for what is behind its position and gets one piece; then it asks again. While
 * there is nothing, the request waits for at most STREAM_WAIT_S. The job alternates between two
 * threads, and carries the version of the views that was looked at:
 *
 *     main    version changed? ─► enqueue ┐          ┌ out is empty: wait for the next version
 *     BY_ASK                              └─ look ───┤
 *     main                                           └ out has events, or it is late: answer
 *
 * `later` is set, so that streaming_answer() enqueues the job, not the listener. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/delivery/stream.h"

#define STREAM_WAIT_S 25 /* shorter than the time-outs of proxies, 30 seconds and more */

struct streaming {
	struct buf to;	  /* id of the destination */
	struct buf after; /* the client's position */
	/* main thread */
	bool queued;	  /* the thread looks, or has looked, at `version` */
	uint64_t version; /* of the views */
};

/* `after` is the client's position, or else Last-Event-ID, which a browser sends by itself. */
static enum err streaming_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct streaming *s = j->state;
	uint64_t wait_s = asked_came(q, "wait") ? asked_number(q, "wait") : STREAM_WAIT_S;
	struct str after = asked_text(q, "after");
	(void)a;
	if (wait_s > STREAM_WAIT_S)
		wait_s = STREAM_WAIT_S;
	j->deadline_us = clock_mono_us() + wait_s * 1000000;
	j->later = true;
	if (!after.n)
		after = q->request->header[H_LAST_EVENT_ID];
	enum err e = asked_copy(asked_text(q, "to"), &s->to);
	return e ? e : asked_copy(after, &s->after);
}

static void streaming_run(struct admin *a, struct job *j)
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

/* Answers as soon as there is something. The thread looks again whenever the views have changed. A
 * full queue is no failure: the job is enqueued at a later tick. */
static bool streaming_answer(struct admin *a, struct job *j)
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

static void streaming_done(struct job *j)
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
		.help =
		    "Position behind which to go on: the id of the latest event. "
		    "`Last-Event-ID` says the same. Without a position the whole state is sent."},
	    {"wait", PARAM_NUMBER, PARAM_MAY,
		"Seconds until an answer without news. 25 at most, and by default.",
		.wrong = "wait is a number of seconds"}},
	.answers = {{200, "events", .type = "text/event-stream"},
	    {400, .when = "there is no such position, the destination takes no stream, or "
			  "`stream.keep_h` is 0"},
	    {404, .when = "there is no destination of that id"}},
	.state = sizeof(struct streaming),
	.parse = streaming_parse,
	.run = streaming_run,
	.answer = streaming_answer,
	.done = streaming_done,
    },
    {0},
};
