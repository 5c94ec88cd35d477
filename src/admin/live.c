/* The tag assistant (collect/live.h): POST /v1/live/pair takes the code that a tab shows, GET
 * /v1/live tells the hits of that tab as they come, POST /v1/live/end ends it. A pairing belongs to
 * whoever typed the code, by the name of the token. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/collect/live.h"

#define LIVE_WAIT_S 25 /* shorter than the time-outs of proxies */

struct live_asked {
	char code[LIVE_CODE + 1];
	uint64_t after;
};

static enum err code_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct live_asked *l = j->state;
	(void)a;
	if (!live_code_read(asked_text(q, "code"), l->code))
		return err_set(ERR_USAGE,
		    "a code has nine letters and digits, such as K7Q-3MH-W2X; the page shows it");
	return OK;
}

/* --- pairing */

static void pair_run(struct admin *a, struct job *j)
{
	const struct live_asked *l = j->state;
	char shown[LIVE_SHOWN + 1];
	int64_t until;
	j->result = live_pair(a->shared->live, l->code, j->who, clock_now(), &until);
	if (j->result)
		return;
	live_code_write(l->code, shown);
	history_note_often(a, j, "live.pair");
	j->answer = json_pack("{s:s,s:I}", "code", shown, "until", (json_int_t)until);
}

static void end_run(struct admin *a, struct job *j)
{
	const struct live_asked *l = j->state;
	live_end(a->shared->live, l->code, j->who);
	history_note_often(a, j, "live.end");
	j->answer = json_pack("{s:b}", "ended", true);
}

/* --- watching */

static enum err watch_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct live_asked *l = j->state;
	uint64_t wait_s = asked_number(q, "wait");
	if (wait_s > LIVE_WAIT_S)
		wait_s = LIVE_WAIT_S;
	j->deadline_us = clock_mono_us() + wait_s * 1000000;
	l->after = asked_number(q, "after");
	return code_parse(a, j, q);
}

/* Answers as soon as there is a record, and at once where nothing can come. */
static bool watch_answer(struct admin *a, struct job *j)
{
	const struct live_asked *l = j->state;
	uint64_t next;
	int64_t until;
	json_t *hits =
	    live_after(a->shared->live, l->code, j->who, l->after, clock_now(), &next, &until);
	if (until && hits && !json_array_size(hits) && !job_late(j)) {
		json_decref(hits);
		return false;
	}
	json_t *end = until ? json_integer(until) : json_null();
	admin_json(j->ticket, 200,
	    json_pack("{s:o,s:I,s:o}", "hits", hits, "next", (json_int_t)next, "until", end));
	return true;
}

/* --- shapes */

static const struct shape pair_fields[] = {
    {"code", SHAPE_TEXT, .help = "as the page shows it"},
    {"until", SHAPE_WHOLE, .help = "unix seconds; then it ends by itself"},
    {0},
};

static const struct shape end_fields[] = {
    {"ended", SHAPE_TRUTH, .help = "true"},
    {0},
};

static const struct shape attribute_fields[] = {
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"value", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {0},
};

static const struct shape dropped_fields[] = {
    {"kind", SHAPE_TEXT,
	.help = "`title`, `referrer`, `query` and `parameter`, which never stay; `url`, "
		"`path_segment`, `event_name`, `attribute`, `attribute_value`, which could not"},
    {"n", SHAPE_WHOLE, .help = "how many"},
    {0},
};

static const struct shape changed_fields[] = {
    {"entered", SHAPE_TEXTS, .help = "ids; sensitive segments are left out"},
    {"left", SHAPE_TEXTS, .help = "ids, likewise"},
    {0},
};

static const struct shape hit_fields[] = {
    {"n", SHAPE_WHOLE, .help = "its number, from 1"},
    {"t", SHAPE_WHOLE, .help = "unix seconds"},
    {"verdict", SHAPE_TEXT,
	.help = "`recorded`, `set_aside`, `refused`, `not_recorded`; `other_browser`: another "
		"visitor than the first with this code, or one whose cookie did not come back; "
		"`foreign_page`: the page is not in `sites`. From `refused` and these two nothing "
		"else is told"},
    {"reason", SHAPE_TEXT, .help = "of a verdict that has one, as `Crumb-Refused`; else \"\""},
    {"says", SHAPE_TEXT, .help = "the reason in a sentence, or what to do; else \"\""},
    {"event", SHAPE_TEXT, .help = "name behind the wall"},
    {"site", SHAPE_TEXT, .help = "host behind the wall"},
    {"path", SHAPE_TEXT, .help = "scrubbed path"},
    {"campaign", SHAPE_TEXT, .help = "`utm_campaign`, or \"\""},
    {"referrer", SHAPE_TEXT, .help = "class of the referrer, or \"\""},
    {"value", SHAPE_REAL, .when = SHAPE_OR_NULL, .help = "what `sum(v of …)` adds"},
    {"attributes", SHAPE_LIST, .help = "those that are kept", .of = attribute_fields},
    {"dropped", SHAPE_LIST, .help = "what is not kept, by kind, without values",
	.of = dropped_fields},
    {"categories", SHAPE_TEXTS, .help = "ids: what the event is about, by the newest rules"},
    {"counted", SHAPE_TEXT,
	.help = "`yes`; `provisional`: when the cookie comes back; `no`; `unclear`: it was, but "
		"other hits of this browser were counted with it, or rules changed, so that "
		"`segments` are not told; `late`: the views are behind"},
    {"segments", SHAPE_OBJECT,
	.help = "what the hit changed; of hits that were counted together the last has it",
	.of = changed_fields},
    {0},
};

static const struct shape watch_fields[] = {
    {"hits", SHAPE_LIST, .help = "oldest first; the latest 100 are kept", .of = hit_fields},
    {"next", SHAPE_WHOLE, .help = "`after` of the next question"},
    {"until", SHAPE_WHOLE, .when = SHAPE_OR_NULL,
	.help = "unix seconds; null: you have not paired this code, or it is over"},
    {0},
};

#define CODE                                                                                       \
	{                                                                                          \
		"code", PARAM_TEXT, PARAM_MUST,                                                    \
		    "The code that the tab shows. Case, blanks and dashes do not count.",          \
		    .example = "K7Q-3MH-W2X"                                                       \
	}

const struct route routes_live[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/live/pair",
	.help = "The tag assistant: from now on, and for 15 minutes, what becomes of the hits of "
		"the tab that shows this code is told to you. It is answered alike whether or not "
		"there is such a tab.",
	.role = ROLE_MARKETER,
	.by = BY_TELL,
	.params = {CODE},
	.answers = {{200, "it is paired", .shape = {.kind = SHAPE_OBJECT, .of = pair_fields}},
	    {400, .when = "it is no code"},
	    {503, .when = "20 tabs are paired, or 200 codes were typed within an hour"}},
	.state = sizeof(struct live_asked),
	.parse = code_parse,
	.run = pair_run,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/live",
	.help = "The hits of a tab that you have paired, each told when the views have it. With "
		"`wait` it answers as soon as there is one behind `after`. No hit of another "
		"browser is told, and none from before the pairing.",
	.role = ROLE_MARKETER,
	.by = BY_MAIN_LATER,
	.params = {CODE,
	    {"after", PARAM_NUMBER, PARAM_MAY,
		"Number of the latest hit that you have; `next` of the answer before.",
		.wrong = "after is the number of a hit"},
	    {"wait", PARAM_NUMBER, PARAM_MAY,
		"Seconds until an answer without news. 25 at most; 0 by default.",
		.wrong = "wait is a number of seconds"}},
	.answers = {{200, "the hits", .shape = {.kind = SHAPE_OBJECT, .of = watch_fields}},
	    {400, .when = "it is no code"}},
	.state = sizeof(struct live_asked),
	.parse = watch_parse,
	.answer = watch_answer,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/live/end",
	.help = "Ends your pairing with a tab, and forgets what it had told.",
	.role = ROLE_MARKETER,
	.by = BY_TELL,
	.params = {CODE},
	.answers = {{200, "it is over, or there was none",
			.shape = {.kind = SHAPE_OBJECT, .of = end_fields}},
	    {400, .when = "it is no code"}},
	.state = sizeof(struct live_asked),
	.parse = code_parse,
	.run = end_run,
    },
    {0},
};
