/* POST /v1/rules/publish, /v1/rules/undo; GET /v1/rules/history, /v1/rules/history/patch: the way
 * of a text into the files of rules, and back. The steps are those of node/publish.h; here is who
 * asks, and which status an outcome has. */
#include "routes.h"

#include "crumb/answers/answers.h"
#include "crumb/answers/comparison.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/patch.h"
#include "crumb/node/publish.h"
#include "crumb/node/published.h"
#include "crumb/store/store.h"

#define PUBLISH_WHY 500 /* bytes of a reason */

struct publish_asked {
	char file[RULE_FILE_NAME + 1];
	char match[64];
	char why[PUBLISH_WHY + 1];
	int status; /* of the answer; 0: by the result */
};

/* --- what is asked */

static enum err take_why(struct publish_asked *p, struct str why)
{
	if (why.n > PUBLISH_WHY)
		return err_set(ERR_USAGE, "why has at most %d bytes", PUBLISH_WHY);
	if (utf8_valid(why) != why.n)
		return err_set(ERR_USAGE, "why is not UTF-8");
	snprintf(p->why, sizeof p->why, STR_FMT, STR_ARG(why));
	return OK;
}

/* "hash", in the quotes of an entity tag or without. */
static struct str tag_of(struct str header)
{
	header = str_trim(header);
	if (header.n > 1 && header.p[0] == '"' && header.p[header.n - 1] == '"')
		header = str_make(header.p + 1, header.n - 2);
	return header;
}

/* A publication without a condition would overwrite what somebody else has published meanwhile, so
 * there is none: not even "*" is taken. */
static enum err publish_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct publish_asked *p = j->state;
	struct str name = asked_text(q, "file"), match = tag_of(q->request->header[H_IF_MATCH]);
	(void)a;
	enum err e = rule_file_name(name);
	if (e)
		return e;
	if (!match.n || match.n >= sizeof p->match)
		return err_set(ERR_USAGE, "publishing wants If-Match: the hash of /v1/rules/files");
	snprintf(p->file, sizeof p->file, STR_FMT, STR_ARG(name));
	snprintf(p->match, sizeof p->match, STR_FMT, STR_ARG(match));
	return take_why(p, asked_text(q, "why"));
}

static enum err undo_parse(struct admin *a, struct job *j, const struct asked *q)
{
	(void)a;
	return take_why(j->state, asked_text(q, "why"));
}

/* --- publishing */

/* Who publishes, what serves, and how rules are read again: as when a model was trained, at once
 * and on this thread, so that a refusal is known before anything is answered. References are given
 * back by publishing_end(). */
static struct publishing publishing_begin(struct admin *a, const struct job *j, const char *why)
{
	return (struct publishing){.config = a->shared->config,
	    .who = j ? j->who : "",
	    .role = j ? role_name(j->role) : "",
	    .why = str_c(why),
	    .serving = engine_serving(a->node->engine),
	    .newest = node_rules(a->node),
	    .gate = &a->gate,
	    .serves = node_serves(a->node),
	    .reload = a->models_changed,
	    .arg = a->models_arg};
}

static void publishing_end(struct publishing *p)
{
	generation_unref(p->serving);
	rules_unref(p->newest);
}

/* Why not, and what would have changed: whoever cannot publish can hand the patch on. */
static json_t *refusal(const struct published *done)
{
	struct str patch = done->patch.n ? buf_view(&done->patch) : STR("");
	json_t *j =
	    json_pack("{s:o,s:o}", "error", json_stringn(done->why, utf8_valid(str_c(done->why))),
		"patch", json_stringn(patch.p, utf8_valid(patch) == patch.n ? patch.n : 0));
	if (done->report.n)
		json_object_set_new(j, "problems", findings_json(&done->report));
	return j;
}

/* The answer for an outcome, and a line in the history of what was done (history.c), which tells of
 * all kinds of deeds; what was published stands in the history of rules in full. */
static void leave(struct admin *a, struct job *j, const struct published *done, const char *what)
{
	static const int statuses[] = {[PUBLISHED] = 200,
	    [PUBLISH_STALE] = 409,
	    [PUBLISH_REFUSED] = 400,
	    [PUBLISH_CLOSED] = 403,
	    [PUBLISH_NOTHING] = 400};
	struct publish_asked *p = j->state;
	if (j->result)
		return;
	p->status = statuses[done->outcome];
	if (done->outcome == PUBLISHED) {
		history_note(a, j, what, done->file, p->why);
		j->answer = json_pack("{s:s,s:I,s:s,s:b}", "hash", done->hash, "n",
		    (json_int_t)done->n, "file", done->file, "backfill", !node_serves(a->node));
	} else {
		j->answer = refusal(done);
	}
}

/* Of a server that does not publish: what would have been. */
static enum err hand_out(
    const struct publishing *p, const char *name, struct str text, struct published *out)
{
	struct rule_files now;
	memset(out, 0, sizeof *out);
	if (publish_editable(p->config, out->why))
		return OK;
	out->outcome = PUBLISH_CLOSED;
	enum err e = rule_files_read(p->config->rules_path, &now);
	const struct rule_file *f = e ? NULL : rule_files_find(&now, str_c(name));
	if (!e && *name)
		patch_make(f ? f->text : (struct str){NULL, 0}, text, name, &out->patch);
	rule_files_done(&now);
	return e;
}

/* The body is taken byte for byte, blanks at its ends included. */
static void publish(struct admin *a, struct job *j)
{
	const struct publish_asked *asked = j->state;
	struct publishing p = publishing_begin(a, j, asked->why);
	struct published done = {.n = 0};
	struct str text = j->body.n ? buf_view(&j->body) : STR("");
	j->result = utf8_valid(text) == text.n ? hand_out(&p, asked->file, text, &done)
					       : err_set(ERR_USAGE, "the text is not UTF-8");
	if (!j->result && done.outcome == PUBLISHED)
		j->result = publish_file(&p, str_c(asked->file), text, str_c(asked->match), &done);
	leave(a, j, &done, "rules.publish");
	published_end(&done);
	publishing_end(&p);
}

/* Of which publication is not asked: it is the newest, and a history that has grown meanwhile shows
 * in the answer's number. */
static void undo(struct admin *a, struct job *j)
{
	const struct publish_asked *asked = j->state;
	struct publishing p = publishing_begin(a, j, asked->why);
	struct published done;
	char why[sizeof done.why];
	j->result = publish_editable(p.config, why) ? publish_undo(&p, &done)
						    : publish_undo_patch(&p, &done);
	leave(a, j, &done, "rules.undo");
	published_end(&done);
	publishing_end(&p);
}

static bool publish_told(struct admin *a, struct job *j)
{
	const struct publish_asked *p = j->state;
	if (!p->status || !j->answer)
		return job_told(a, j);
	admin_json(j->ticket, p->status, j->answer);
	j->answer = NULL;
	return true;
}

/* --- the history */

/* What a crash has left half done is whole or not there from here on. */
void publishing_start(struct admin *a)
{
	int lock;
	changes_clean(a->node->store->path);
	if (rule_files_lock(a->config->rules_path, 0, &lock) != OK)
		return;
	published_recover(a->config->store_path, a->config->rules_path);
	published_prune(a->config->store_path, clock_now());
	rule_files_unlock(lock);
}

struct history_pages {
	unsigned before; /* 0: the newest */
};

static enum err history_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct history_pages *p = j->state;
	uint64_t n = asked_number(q, "before");
	(void)a;
	p->before = n < 100000000 ? (unsigned)n : 0;
	return OK;
}

/* Sizes that can be known by now are written down first, unless somebody publishes just now. */
static void history(struct admin *a, struct job *j)
{
	const struct history_pages *pages = j->state;
	struct publishing p = publishing_begin(a, NULL, "");
	int lock;
	if (p.serves && rule_files_lock(p.config->rules_path, 0, &lock) == OK) {
		publish_note_sizes(&p);
		rule_files_unlock(lock);
	}
	j->answer = published_list(p.config->store_path, pages->before);
	publishing_end(&p);
}

struct patch_asked {
	unsigned n;
};

static enum err patch_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct patch_asked *p = j->state;
	uint64_t n = asked_number(q, "n");
	(void)a;
	p->n = n < 100000000 ? (unsigned)n : 0;
	return OK;
}

/* A patch is written once, and read without the lock. */
static void patch(struct admin *a, struct job *j)
{
	const struct patch_asked *p = j->state;
	j->result = published_patch(a->config->store_path, p->n, &j->out);
}

static bool patch_told(struct admin *a, struct job *j)
{
	if (j->result)
		return job_told(a, j);
	http_reply(j->ticket, 200, "text/plain; charset=utf-8", STR("Cache-Control: no-store\r\n"),
	    j->out.n ? buf_view(&j->out) : STR(""));
	return true;
}

/* --- shapes */

static const struct shape published_fields[] = {
    {"hash", SHAPE_TEXT, .help = "of all files now"},
    {"n", SHAPE_WHOLE, .help = "number of the publication in the history"},
    {"file", SHAPE_TEXT, .help = "the file that changed"},
    {"backfill", SHAPE_TRUTH,
	.help = "the views of the new rules are on their way; `/v1/rules/status` tells how far"},
    {0},
};

static const struct shape refusal_fields[] = {
    {"error", SHAPE_TEXT, .help = "a sentence"},
    {"patch", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "what would change, as a unified patch"},
    {"problems", SHAPE_LIST, SHAPE_SOMETIMES, "as of `crumb rules check --json`", finding_shape},
    {0},
};

static const struct shape size_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"before", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "members when it was published"},
    {"after", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "members when the new rules served; null, too, while that is not known"},
    {0},
};

static const struct shape history_fields[] = {
    {"n", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"t", SHAPE_WHOLE, .help = "Unix time"},
    {"who", SHAPE_TEXT, .help = "name of the token"},
    {"role", SHAPE_TEXT, .help = "its role"},
    {"why", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"hash", SHAPE_TEXT, .help = "of all files afterwards"},
    {"file", SHAPE_TEXT, .help = "the file that changed"},
    {"segments", SHAPE_LIST, .help = "those that changed", .of = size_fields},
    {"undoes", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "number of the publication that it undoes"},
    {0},
};

const struct route routes_publishing[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/rules/publish",
	.help = "Replaces a file of rules and has the server take the rules. The header `If-Match` "
		"has the hash of `/v1/rules/files`. What was before stays in the history. When "
		"the rules are refused, nothing is changed.",
	.role = ROLE_MARKETER,
	.by = BY_WRITE,
	.params = {{"file", PARAM_TEXT, PARAM_MUST, .help = "Name of the file; it may be new.",
		       .example = "rules.yaml"},
	    {"why", PARAM_TEXT, PARAM_MUST, .help = "A few words for the history.",
		.example = "spring"}},
	.body = {"The whole text of the file.", "text/plain", RULES_TEXT_MOST},
	.answers = {{200, "it is published",
			.shape = {.kind = SHAPE_OBJECT, .of = published_fields}},
	    {400, "the rules have mistakes, or the file says this already",
		.shape = {.kind = SHAPE_OBJECT, .of = refusal_fields}},
	    {403, "rules cannot be published here",
		.shape = {.kind = SHAPE_OBJECT, .of = refusal_fields}},
	    {409, "somebody was faster: the files are no longer those of `If-Match`",
		.shape = {.kind = SHAPE_OBJECT, .of = refusal_fields}}},
	.state = sizeof(struct publish_asked),
	.parse = publish_parse,
	.run = publish,
	.answer = publish_told,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/rules/undo",
	.help = "Publishes what was before the newest publication, as a publication of its own. "
		"Asked once more, it takes that back.",
	.role = ROLE_MARKETER,
	.by = BY_WRITE,
	.params = {{"why", PARAM_TEXT, PARAM_MAY, .help = "A few words for the history.",
	    .example = "too narrow"}},
	.answers = {{200, "it is undone", .shape = {.kind = SHAPE_OBJECT, .of = published_fields}},
	    {400, "there is nothing to undo, or the rules of before have mistakes by now",
		.shape = {.kind = SHAPE_OBJECT, .of = refusal_fields}},
	    {403, "rules cannot be published here",
		.shape = {.kind = SHAPE_OBJECT, .of = refusal_fields}},
	    {409, "the files were changed since",
		.shape = {.kind = SHAPE_OBJECT, .of = refusal_fields}}},
	.state = sizeof(struct publish_asked),
	.parse = undo_parse,
	.run = undo,
	.answer = publish_told,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/rules/history",
	.help = "What was published in the last 90 days, newest first; 200 publications at most in "
		"an answer, and 2,000 in all.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"before", PARAM_NUMBER, PARAM_MAY,
	    .help = "Only publications before this number.",
	    .wrong = "before is the number of a publication"}},
	.answers = {{200, "the publications", .shape = {.kind = SHAPE_LIST, .of = history_fields}}},
	.state = sizeof(struct history_pages),
	.parse = history_parse,
	.run = history,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/rules/history/patch",
	.help = "What a publication changed, as a unified patch.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"n", PARAM_NUMBER, PARAM_MUST, .help = "Its number.",
	    .wrong = "n is the number of a publication", .example = "1"}},
	.answers = {{200, .when = "the patch", .type = "text/plain"},
	    {404, .when = "there is no publication of this number"}},
	.state = sizeof(struct patch_asked),
	.parse = patch_parse,
	.run = patch,
	.answer = patch_told,
    },
    {0},
};
