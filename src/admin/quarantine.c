/* /v1/quarantine lists what was set aside, of which counts are kept (ingest/asides.h);
 * /v1/quarantine/release counts it after all, and reads the whole journal. A release goes through
 * the batch of BY_WRITE's thread, which flush() empties whenever it is full. */
#include "routes.h"

#include "crumb/answers/answers.h"
#include "crumb/base/clock.h"
#include "crumb/ingest/quarantine.h"

#include <stdlib.h>
#include <time.h>

#define FOLLOW_MOST_US 30000 /* of reading, for a GET */
#define PAUSE_MS 5

static void tell_aside(struct admin *a, struct job *j)
{
	struct asides_told told;
	j->result = asides_tell(a->node->asides, &told);
	if (j->result)
		return;
	if (told.made)
		j->answer = aside_json(told.rows, told.n, &a->gate);
	else
		j->result = err_set(ERR_BUSY, "what was set aside is being counted, as after each "
					      "start: ask again in a moment");
	free(told.rows);
}

/* Reads what is new as far as that is quickly done. The keeper reads the rest, and until then what
 * was counted before is told. */
static void list_kept(struct admin *a, struct job *j)
{
	if ((j->result = writing_published(a)))
		return;
	enum err e = asides_follow(a->node->asides, FOLLOW_MOST_US, &a->stop);
	if (e == ERR_BUSY)
		keeper_asides(a->keeper);
	else if (e)
		j->result = e;
	if (!j->result)
		tell_aside(a, j);
}

/* Reads all that is new. A release that is under way comes first. */
static void list_whole(struct admin *a, struct job *j)
{
	enum err e = writing_published(a);
	while (!e && (e = asides_follow(a->node->asides, 0, &a->stop)) == ERR_BUSY &&
	       !atomic_load(&a->stop)) {
		nanosleep(&(struct timespec){0, PAUSE_MS * 1000000}, NULL);
		e = OK;
	}
	j->result = e;
	if (!e)
		tell_aside(a, j);
}

/* What was released is listed no more when the answer says so. Where that cannot be, the next list
 * sees to it. */
static void follow_release(struct admin *a)
{
	enum err e = writing_published(a);
	if (!e)
		e = asides_follow(a->node->asides, 0, &a->stop);
	(void)e;
}

static enum err flush(void *arg)
{
	return writing_submit(arg);
}

/* "REASON" or "REASON PATTERN" */
static void release_aside(struct admin *a, struct job *j)
{
	struct str body = job_body(j);
	size_t blank = str_find(body, ' ');
	struct str pattern = str_trim(str_skip(body, blank + 1));
	enum aside why = ASIDE_NOT;
	uint64_t n;
	for (int i = 1; i < ASIDE_MAX; i++)
		if (str_eq(str_make(body.p, blank), str_c(aside_names[i])))
			why = (enum aside)i;
	j->result =
	    why ? writing_published(a)
		: err_set(ERR_USAGE, "the reason is one of crawler, network, rate, foreign_site");
	if (!j->result) {
		asides_pause(a->node->asides);
		j->result = quarantine_release(
		    a->node->store, why, pattern, clock_now(), &a->batch, flush, a, &n);
		asides_resume(a->node->asides);
	}
	batch_clear(&a->batch);
	if (!j->result) {
		follow_release(a);
		j->answer = json_pack("{s:I}", "released", (json_int_t)n);
	}
}

/* --- shapes */

static const struct shape aside_fields[] = {
    {"reason", SHAPE_TEXT, .help = "`crawler`, `network`, `rate` or `foreign_site`"},
    {"pattern", SHAPE_TEXT, .help = "row of a list, or host; `(others)`: rare hosts together"},
    {"events", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"first_day", SHAPE_DAY, .when = SHAPE_ALWAYS},
    {"last_day", SHAPE_DAY, .when = SHAPE_ALWAYS},
    {0},
};

static const struct shape released_fields[] = {
    {"released", SHAPE_WHOLE, .help = "events"},
    {0},
};

#define LIST_HELP "What was set aside, by reason and pattern, as `crumb quarantine --json`. "
#define ANSWERS                                                                                    \
	{                                                                                          \
		200, "the rows", .shape = {.kind = SHAPE_LIST, .of = aside_fields }                \
	}

const struct route routes_quarantine[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/quarantine",
	.help =
	    LIST_HELP "Counts are kept and follow the journal, a minute behind as a rule; after "
		      "a night in which erased visitors left the journal they are those of "
		      "before until all is counted anew. Nobody waits for the journal.",
	.role = ROLE_VIEWER,
	.by = BY_ASK,
	.answers = {ANSWERS,
	    {503, .when = "after a start the journal is being counted: ask again in a moment"}},
	.run = list_kept,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/quarantine",
	.help = LIST_HELP "It waits until all of the journal is counted.",
	.role = ROLE_VIEWER,
	.by = BY_ASK,
	.answers = {ANSWERS},
	.run = list_whole,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/quarantine/release",
	.help = "Counts hits that were set aside after all.",
	.role = ROLE_OPERATOR,
	.by = BY_WRITE,
	.history = "quarantine.release",
	.body = {"A reason, and perhaps a pattern behind a blank.", "text/plain",
	    HTTP_STRANGER_BODY},
	.answers = {{200, "how many", .shape = {.kind = SHAPE_OBJECT, .of = released_fields}},
	    {400, .when = "there is no such reason"}, {503, .when = "the clock is in doubt"}},
	.records = true,
	.run = release_aside,
    },
    {0},
};
