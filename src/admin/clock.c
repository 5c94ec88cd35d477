/* POST /v1/settle waits until the views have caught up; /v1/clock moves the clock for a test;
 * /v1/clock/confirm says that the clock is right. Moving the clock waits like settling does, so
 * that a test reads views of the new time. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"

/* True: fold and sweep are through, or the time is over and the answer was given (*refused). */
static bool caught_up(struct admin *a, struct job *j, bool *refused)
{
	bool settled = node_settled(a->node);
	*refused = !settled && job_late(j);
	if (*refused)
		admin_refuse(j->ticket, 503, "the views are still behind");
	return settled || *refused;
}

static enum err settle(struct admin *a, struct job *j, const struct asked *q)
{
	(void)j, (void)q;
	node_hurry(a->node);
	return OK;
}

static bool settled(struct admin *a, struct job *j)
{
	bool refused;
	if (!caught_up(a, j, &refused))
		return false;
	if (!refused)
		admin_say(j->ticket, 200, "settled\n");
	return true;
}

static enum err advance(struct admin *a, struct job *j, const struct asked *q)
{
	int64_t by = asked_seconds(q, "advance");
	(void)j;
	if (a->clock != ADMIN_CLOCK_MOVABLE)
		return err_set(ERR_NOT_FOUND, "the clock can be moved only with --test-clock");
	if (by) {
		node_tick(a->node); /* what was counted by now is the day's that ends here */
		clock_set_offset(clock_offset() + by);
		if (store_save_clock(a->node->store, clock_offset()) != OK)
			log_warn("clock", "the moved clock is not kept why=\"%s\"", err_text());
		node_tick(a->node);
	}
	node_hurry(a->node);
	return OK;
}

static bool advanced(struct admin *a, struct job *j)
{
	bool refused;
	if (!caught_up(a, j, &refused))
		return false;
	if (!refused)
		admin_json(j->ticket, 200, json_pack("{s:I}", "now", (json_int_t)clock_now()));
	return true;
}

static bool confirm(struct admin *a, struct job *j)
{
	if (watch_confirm(&a->node->watch) != OK) {
		admin_refuse(j->ticket, 409, err_text());
		return true;
	}
	node_tick(a->node);
	history_note(a, j, "clock.confirm", "", "");
	admin_say(j->ticket, 200, "the clock is confirmed; deletion goes on\n");
	return true;
}

/* --- shapes */

static const struct shape now_fields[] = {
    {"now", SHAPE_WHOLE, .help = "Unix time by the clock as it is now"},
    {0},
};

const struct route routes_clock[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/settle",
	.help = "Answers when everything accepted is folded and everything due is swept.",
	.role = ROLE_OPERATOR,
	.by = BY_MAIN_LATER,
	.answers = {{200, "`settled`", .type = "text/plain"},
	    {503, .when = "the views are still behind after two minutes"}},
	.parse = settle,
	.answer = settled,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/clock",
	.help = "Moves the clock; only with `--test-clock`, on loopback. Answers when fold and "
		"sweep are through.",
	.role = ROLE_OPERATOR,
	.by = BY_MAIN_LATER,
	.params = {{"advance", PARAM_SPAN, PARAM_MUST,
	    "How far, in days or hours: `91d`, `5h`; `0d` only waits.",
	    .wrong = "say how far: advance=91d or advance=5h, and 36500 at most",
	    .example = "91d"}},
	.answers = {{200, "the time", .shape = {.kind = SHAPE_OBJECT, .of = now_fields}},
	    {404, .when = "the server runs without `--test-clock`"},
	    {503, .when = "the views are still behind after two minutes"}},
	.parse = advance,
	.answer = advanced,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/clock/confirm",
	.help = "Says that the clock is right, after it jumped by more than an hour or was found "
		"in doubt at a start (`/readyz` says so). Deletion and recording go on. `crumb "
		"clock confirm` does the same.",
	.role = ROLE_OPERATOR,
	.by = BY_MAIN,
	.answers = {{200, "a sentence", .type = "text/plain"},
	    {409, .when = "the clock says a day before 2020 and can only be set"}},
	.answer = confirm,
    },
    {0},
};
