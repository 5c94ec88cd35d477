/* /v1/quarantine lists what was set aside, from counts that are kept; /v1/quarantine/release counts
 * it after all, and reads the whole journal. A release goes through the batch of BY_WRITE's thread,
 * which flush() empties whenever it is full. */
#include "routes.h"

#include "crumb/answers/answers.h"
#include "crumb/base/clock.h"
#include "crumb/ingest/quarantine.h"

#include <stdlib.h>

static void list_aside(struct admin *a, struct job *j)
{
	struct aside_row *rows;
	size_t n;
	j->result = writing_published(a);
	if (!j->result)
		j->result = aside_kept_list(a->node->aside, &rows, &n);
	if (!j->result) {
		j->answer = aside_json(rows, n, &a->gate);
		free(rows);
	}
}

static enum err flush(void *arg)
{
	return writing_submit(arg);
}

/* A release has changed what is counted. This job takes long anyway, so the next list need not. */
static enum err count_again(struct admin *a)
{
	struct aside_row *rows;
	size_t n;
	enum err e = writing_published(a);
	if (!e && !(e = aside_kept_list(a->node->aside, &rows, &n)))
		free(rows);
	return e;
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
	if (!j->result)
		j->result = quarantine_release(
		    a->node->store, why, pattern, clock_now(), &a->batch, flush, a, &n);
	batch_clear(&a->batch);
	if (!j->result)
		j->result = count_again(a);
	if (!j->result)
		j->answer = json_pack("{s:I}", "released", (json_int_t)n);
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

#define LIST_HELP                                                                                  \
	"What was set aside, by reason and pattern, as `crumb quarantine --json`. Counts are "     \
	"kept; "                                                                                   \
	"the first list after a start reads the whole journal."

const struct route routes_quarantine[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/quarantine",
	.help = LIST_HELP,
	.role = ROLE_VIEWER,
	.by = BY_ASK,
	.answers = {{200, "the rows", .shape = {.kind = SHAPE_LIST, .of = aside_fields}}},
	.run = list_aside,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/quarantine",
	.help = LIST_HELP,
	.role = ROLE_VIEWER,
	.by = BY_ASK,
	.answers = {{200, "the rows", .shape = {.kind = SHAPE_LIST, .of = aside_fields}}},
	.run = list_aside,
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
