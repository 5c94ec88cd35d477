/* GET /v1/destinations, /v1/deliveries, /v1/delivery/head; POST /v1/deliver, /v1/deliver/again:
 * where audiences go, what went there, how its files begin, and sending it now.
 *
 * A delivery is made as the courier's and the command's are (delivery/deliver.h). The folder of a
 * destination has a lock, so that whoever comes second waits half a minute, and is then told that
 * somebody else delivers there.
 *
 *     route              what is under way           then
 *     /v1/deliver        goes on                     what differs now, or all with mode=full
 *     /v1/deliver/again  goes on                     what differs, where the latest was given up
 *                        where nothing is under way or was given up, nothing is made
 *
 * Numbers of rows are gated here and exact in the command's answer: whoever has a shell has the
 * files. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/delivery/head.h"
#include "crumb/delivery/told.h"

#define LIMIT_USUAL 100
#define LIMIT_MOST 1000

/* What the routes of this file are asked; each uses what its row has a parameter for. */
struct deliveries_asked {
	struct buf to;
	uint64_t limit;
	enum deliver_mode mode;
	bool again; /* only what waits or failed */
};

static void asked_done(struct job *j)
{
	struct deliveries_asked *asked = j->state;
	buf_done(&asked->to);
}

/* What deliveries are made from; destinations_unref() and generation_unref(). */
static struct plan_wish wish_of(struct admin *a)
{
	return (struct plan_wish){.g = engine_serving(a->node->engine),
	    .config = a->node->config,
	    .all = node_destinations(a->node),
	    .now = clock_now()};
}

static void wish_end(const struct plan_wish *w)
{
	generation_unref(w->g);
	destinations_unref((struct destinations *)(uintptr_t)w->all);
}

static void destinations(struct admin *a, struct job *j)
{
	struct plan_wish w = wish_of(a);
	j->result = destinations_told(&w, &a->gate, &j->answer);
	wish_end(&w);
}

/* --- what was delivered */

static enum err deliveries_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct deliveries_asked *asked = j->state;
	(void)a;
	asked->limit = asked_came(q, "limit") ? asked_number(q, "limit") : LIMIT_USUAL;
	if (asked->limit < 1 || asked->limit > LIMIT_MOST)
		return err_set(ERR_USAGE, "limit is a number from 1 to %d", LIMIT_MOST);
	return asked_copy(asked_text(q, "to"), &asked->to);
}

/* An id that is not in the file may be that of a destination which was taken out of it. */
static void deliveries(struct admin *a, struct job *j)
{
	struct deliveries_asked *asked = j->state;
	struct plan_wish w = wish_of(a);
	const struct destination *d;
	buf_add(&asked->to, "", 1);
	const char *to = asked->to.n > 1 ? asked->to.p : NULL;
	j->result = deliveries_newest(
	    w.g->store->path, w.all, to, &a->gate, w.now, asked->limit, &j->answer);
	if (!j->result && to && !json_array_size(json_object_get(j->answer, "deliveries")) &&
	    (j->result = destinations_find_named(w.all, str_c(to), &d))) {
		json_decref(j->answer);
		j->answer = NULL;
	}
	wish_end(&w);
}

/* --- how a file begins */

static enum err head_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct deliveries_asked *asked = j->state;
	(void)a;
	asked->limit = asked_came(q, "lines") ? asked_number(q, "lines") : HEAD_USUAL;
	if (asked->limit < 1 || asked->limit > HEAD_MOST)
		return err_set(ERR_USAGE, "lines is a number from 1 to %d", HEAD_MOST);
	return asked_copy(asked_text(q, "to"), &asked->to);
}

static void head(struct admin *a, struct job *j)
{
	const struct deliveries_asked *asked = j->state;
	struct plan_wish w = wish_of(a);
	j->result = destinations_find_named(w.all, buf_view(&asked->to), &w.d);
	if (!j->result)
		j->result = head_told(&w, &a->gate, (unsigned)asked->limit, &j->answer);
	wish_end(&w);
}

/* --- delivering */

static enum err deliver_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct deliveries_asked *asked = j->state;
	(void)a;
	if (str_eq(asked_text(q, "mode"), STR("full")))
		asked->mode = DELIVER_FULL;
	return asked_copy(asked_text(q, "to"), &asked->to);
}

static enum err again_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct deliveries_asked *asked = j->state;
	(void)a;
	asked->again = true;
	return asked_copy(asked_text(q, "to"), &asked->to);
}

/* Does a delivery wait there, or was the latest one given up? */
static bool something_is_left(struct admin *a, const struct plan_wish *w)
{
	json_t *list;
	bool left = false;
	if (deliveries_list(w->g->store->path, w->all, w->d->id, &a->gate, w->now, &list) != OK)
		return true;
	size_t n = json_array_size(list);
	const char *state =
	    json_string_value(json_object_get(json_array_get(list, n ? n - 1 : 0), "state"));
	left = state && (strcmp(state, "waiting") == 0 || strcmp(state, "failed") == 0);
	json_decref(list);
	return left;
}

/* A delivery may take as long as its partner; whoever asked waits for it, and so does everything
 * else that takes long. Where the server ends meanwhile, it goes on at the next start. */
static void deliver_run(struct admin *a, struct job *j)
{
	const struct deliveries_asked *asked = j->state;
	struct deliver_wish w = {.plan = wish_of(a), .mode = asked->mode, .stop = &a->stop};
	struct delivery r = {.state = DELIVERY_NOTHING};
	j->result = destinations_find_named(w.plan.all, buf_view(&asked->to), &w.plan.d);
	bool now = !j->result && (!asked->again || something_is_left(a, &w.plan));
	if (now)
		j->result = deliver(&w, &r);
	if (!j->result) {
		j->answer = delivery_told(w.plan.d, &r, &a->gate, ROWS_GATED);
		history_note(a, j, asked->again ? "deliver.again" : "deliver", w.plan.d->id, NULL);
	}
	if (now && !j->result)
		delivery_done(&r);
	wish_end(&w.plan);
}

/* --- shapes */

/* A delivery that is told as a row of a list, and one that was just made, have these alike. */
#define ROW_FIELDS                                                                                 \
	{"delivery", SHAPE_TEXT, .help = "its name; empty: the row is about no delivery"},         \
	    {"destination", SHAPE_TEXT, .when = SHAPE_ALWAYS},                                     \
	    {"mode", SHAPE_TEXT, .help = "`full` or `delta`"},                                     \
	    {"added", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "rows; null: 1 to `privacy.k` - 1"},     \
	    {"removed", SHAPE_WHOLE, .when = SHAPE_OR_NULL},                                       \
	    {"refused", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "rows that the partner did not take"}, \
	    {"files", SHAPE_WHOLE, .when = SHAPE_ALWAYS},                                          \
	{                                                                                          \
		"files_done", SHAPE_WHOLE, .help = "files that were acknowledged"                  \
	}

static const struct shape not_sent_fields[] = {
    {"no_id", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "the partner has no id for them"},
    {"no_consent", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "one of `purposes` was not consented to"},
    {"other_source", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "they were imported, and the source is not among `labels`"},
    {"held_out", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "held out by the split of each segment"},
    {0},
};

static const struct shape row_fields[] = {
    ROW_FIELDS,
    {"state", SHAPE_TEXT,
	.help = "`waiting`, `delivered`, `replaced` by a later one, `failed`; `not_configured`: "
		"the destination is gone from the file, and its partner holds rows"},
    {"rules", SHAPE_TEXT, .help = "hash of the rules"},
    {"ended", SHAPE_TEXT, SHAPE_OR_NULL, .help = "when, UTC; null: it is under way"},
    {"attempts", SHAPE_WHOLE, .help = "requests that failed"},
    {"why", SHAPE_TEXT, .help = "what went wrong, in the partner's words where there are some"},
    {"by_hand", SHAPE_TRUTH, SHAPE_SOMETIMES, .help = "of what waits: nobody tries it by himself"},
    {"next_try", SHAPE_TEXT, SHAPE_SOMETIMES_NULL, .help = "of what waits"},
    {"owed", SHAPE_WHOLE, SHAPE_SOMETIMES_NULL,
	.help = "rows that the partner may have and should not; in the latest row of each"},
    {"not_sent", SHAPE_OBJECT, SHAPE_SOMETIMES,
	.help = "members of open segments who did not go, each by the first reason; null: fewer "
		"than `privacy.k`, or withheld because a smaller number would follow from it",
	.of = not_sent_fields},
    {0},
};

static const struct shape list_fields[] = {
    {"deliveries", SHAPE_LIST, .help = "what waits first, then the newest first", .of = row_fields},
    {"more", SHAPE_TRUTH, .help = "there are older ones"},
    {0},
};

static const struct shape segment_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"theirs", SHAPE_TEXT, .help = "the partner's name of it"},
    {"state", SHAPE_TEXT,
	.help = "`sent`, or why nobody is added: `below_k`, `not_active`, `sensitive`, `label`, "
		"`no_number`, `not_routed`"},
    {"members", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "who could be sent"},
    {"below", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "with `below_k`: `privacy.k`"},
    {0},
};

static const struct shape made_fields[] = {
    ROW_FIELDS,
    {"state", SHAPE_TEXT,
	.help = "`delivered`; `nothing_to_say`: the partner has everything, and `delivery` is "
		"empty or no file was made; `waiting`: the partner did not take all of it, and it "
		"is tried again; `failed`: given up"},
    {"unusable", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "ids that the format cannot write"},
    {"segments", SHAPE_LIST, .help = "what became of each", .of = segment_fields},
    {"why", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "why it waits or failed"},
    {0},
};

static const struct shape destination_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"partner", SHAPE_TEXT, SHAPE_OR_NULL, .help = "whose ids rows have; null: our pseudonyms"},
    {"format", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"deliver", SHAPE_TEXT, .help = "the way"},
    {"to", SHAPE_TEXT, SHAPE_OR_NULL, .help = "a folder, or scheme and host of a URL"},
    {"every", SHAPE_TEXT, .help = "when, in words"},
    {"segments", SHAPE_TEXTS, .help = "ids of those that name it"},
    {"last", SHAPE_OBJECT, SHAPE_OR_NULL, .help = "the latest delivery", .of = row_fields},
    {"members", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "visitors of segments that may go there; null: withheld, or not counted yet"},
    {"with_id", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "of whom the partner's id is known; null: fewer than `privacy.k`, or none"},
    {"match_rate", SHAPE_REAL, SHAPE_OR_NULL, .help = "their share, of 1"},
    {0},
};

static const struct shape head_fields[] = {
    {"destination", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"format", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"state", SHAPE_TEXT,
	.help = "`file`: there is one; `push`: files are sent to an address, and none stays; "
		"`asked`: nothing is sent, whoever wants it asks; `none`: nothing was delivered "
		"yet; `gone`: somebody has taken it away; `changed`: it is not what was delivered; "
		"`older`: an earlier version delivered it. What follows is there with `file`"},
    {"delivery", SHAPE_TEXT, .when = SHAPE_SOMETIMES},
    {"file", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "its name"},
    {"lines", SHAPE_TEXTS, SHAPE_SOMETIMES,
	.help = "what the file begins with, then each different line once, with dots for the id; "
		"binary formats as text. Empty: no line of what was looked at has enough others "
		"like it"},
    {"more", SHAPE_TRUTH, SHAPE_SOMETIMES, .help = "there are other lines that may be told"},
    {"part", SHAPE_TRUTH, SHAPE_SOMETIMES,
	.help = "the file is large: only its first 4 MB, or 16 MB as text, were looked at"},
    {"below", SHAPE_WHOLE, SHAPE_SOMETIMES,
	.help = "`privacy.k`: lines that fewer are like are left out"},
    {0},
};

const struct route routes_deliveries[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/destinations",
	.help = "All destinations, as `crumb destinations list --json`. Members are counted when "
		"it is asked, where there are few; else the latest delivery or the night has "
		"counted them.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.answers = {{200, "a row for each",
	    .shape = {.kind = SHAPE_LIST, .of = destination_fields}}},
	.run = destinations,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/deliveries",
	.help = "Deliveries of the last 90 days, the rows of `crumb deliveries --json`.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"to", PARAM_TEXT, PARAM_MAY, .help = "Id of a destination; else of all."},
	    {"limit", PARAM_NUMBER, PARAM_MAY, .help = "Rows at most, 1 to 1000; else 100.",
		.wrong = "limit is a number from 1 to 1000"}},
	.answers = {{200, "the deliveries", .shape = {.kind = SHAPE_OBJECT, .of = list_fields}},
	    {404, .when = "there is no destination of that id, and never was"}},
	.state = sizeof(struct deliveries_asked),
	.parse = deliveries_parse,
	.run = deliveries,
	.done = asked_done,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/delivery/head",
	.help = "How the first file of the latest delivery begins, as `crumb destinations head "
		"--json`. Ids are dots. A line is told when at least `privacy.k` lines are alike "
		"but for the id, each once, in the order of the text: nobody can be found in it.",
	.role = ROLE_MARKETER,
	.by = BY_ASK,
	.params = {{"to", PARAM_TEXT, PARAM_MUST, .help = "Id of a destination.",
		       .example = "lake"},
	    {"lines", PARAM_NUMBER, PARAM_MAY, .help = "Lines at most, 1 to 100; else 20.",
		.wrong = "lines is a number from 1 to 100"}},
	.answers = {{200, "the lines, or why there are none",
			.shape = {.kind = SHAPE_OBJECT, .of = head_fields}},
	    {404, .when = "there is no destination of that id"}},
	.state = sizeof(struct deliveries_asked),
	.parse = head_parse,
	.run = head,
	.done = asked_done,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/deliver",
	.help = "Delivers to a destination now, as `crumb export --to`: goes on with what is "
		"under way, then says what has changed. It answers when the partner has taken it "
		"or has not.",
	.role = ROLE_MARKETER,
	.by = BY_LONG,
	.params = {{"to", PARAM_TEXT, PARAM_MUST, .help = "Id of a destination.",
		       .example = "lake"},
	    {"mode", PARAM_WORD, PARAM_MAY,
		.help = "`full`: all of the audience; else what has changed.",
		.wrong = "mode is auto or full", .words = "auto|full"}},
	.answers = {{200, "what became of it", .shape = {.kind = SHAPE_OBJECT, .of = made_fields}},
	    {400, .when = "the destination does not say where it goes, or fetches by itself"},
	    {404, .when = "there is no destination of that id"}},
	.state = sizeof(struct deliveries_asked),
	.parse = deliver_parse,
	.run = deliver_run,
	.done = asked_done,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/deliver/again",
	.help = "Sends now what waits for its next try, or what was given up. Where nothing is "
		"left it says so, and sends nothing.",
	.role = ROLE_MARKETER,
	.by = BY_LONG,
	.params = {{"to", PARAM_TEXT, PARAM_MUST, .help = "Id of a destination.",
	    .example = "lake"}},
	.answers = {{200, "what became of it", .shape = {.kind = SHAPE_OBJECT, .of = made_fields}},
	    {404, .when = "there is no destination of that id"}},
	.state = sizeof(struct deliveries_asked),
	.parse = again_parse,
	.run = deliver_run,
	.done = asked_done,
    },
    {0},
};
