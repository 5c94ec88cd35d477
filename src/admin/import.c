/* /v1/import, /v1/import/applied: lines of files, and what partners say of visitors. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/node/declare.h"

#define IMPORT_BYTES (32u << 20)
#define PIECES_MOST 64

struct importing {
	struct buf partner; /* who says it; empty: they are events */
	bool known;	    /* which piece of a file it is: */
	struct slice_id piece;
	bool again; /* take it although it was imported before */
	bool dry;   /* only say what would be taken */
	struct import_totals totals;
	struct declare_totals declared;
	uint64_t already; /* lines that were imported before */
};

#define PIECE_WRONG                                                                                \
	"from and to are 32 hex digits each, bytes and lines are numbers; all of them or none"

static enum err parse(struct admin *a, struct job *j, const struct asked *q)
{
	static const char *const names[] = {"from", "to", "bytes", "lines"};
	struct importing *w = j->state;
	unsigned came = 0;
	(void)a;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		came += asked_came(q, names[i]);
	if (came && came < sizeof names / sizeof *names)
		return err_set(ERR_USAGE, PIECE_WRONG);
	w->known = came > 0;
	asked_hash(q, "from", w->piece.from);
	asked_hash(q, "to", w->piece.to);
	w->piece.bytes = asked_number(q, "bytes");
	w->piece.lines = asked_number(q, "lines");
	w->again = asked_came(q, "again");
	w->dry = asked_came(q, "dry");
	return asked_copy(asked_text(q, "partner"), &w->partner);
}

static void done(struct job *j)
{
	struct importing *w = j->state;
	buf_done(&w->partner);
}

/* --- the work */

static uint16_t oldest(const struct admin *a)
{
	return oldest_day(day_of(clock_now()), (unsigned)a->config->retention_days);
}

static enum err declare(struct admin *a, struct importing *w, struct str lines)
{
	struct destinations *all = node_destinations(a->node);
	struct generation *g = engine_serving(a->node->engine);
	struct str partner_id = buf_view(&w->partner);
	const struct partner *partner;
	enum err e = destinations_find_partner(all, partner_id, &partner);
	if (e)
		e = err_wrap(ERR_USAGE, "%s", a->shared->config->destinations_path);
	else
		declare_lines(g, a->ingest.rules, (unsigned)a->config->retention_days, partner_id,
		    lines, clock_now(), &a->batch, &w->declared);
	generation_unref(g);
	destinations_unref(all);
	return e;
}

/* What collect threads use at this moment. */
static enum err take_shared(struct admin *a)
{
	pthread_mutex_lock(&a->shared->lock);
	enum err e = ingest_rules(&a->ingest, rules_ref(a->shared->rules));
	ingest_config(&a->ingest, a->shared->config);
	anonymiser_places(&a->ingest.wall, place_db_ref(a->shared->places));
	anonymiser_lists(&a->ingest.wall, junk_ref(a->shared->lists));
	pthread_mutex_unlock(&a->shared->lock);
	return e;
}

/* The lines become a batch: all of them or none. */
static enum err gather(struct admin *a, struct job *j)
{
	struct importing *w = j->state;
	struct str lines = j->body.n ? buf_view(&j->body) : STR("");
	enum err e = take_shared(a);
	if (e)
		return e;
	if (w->partner.n)
		e = declare(a, w, lines);
	else
		import_lines(&a->ingest, lines, clock_now(), &a->batch, &w->totals);
	if (!e && (e = memory_check())) /* a line may have been refused for that */
		batch_clear(&a->batch);
	return e;
}

static void import(struct admin *a, struct job *j)
{
	struct importing *w = j->state;
	if (w->known && !w->again) {
		if ((j->result = writing_applied(a)))
			return;
		if (applied_has(a->applied, &w->piece, oldest(a))) {
			w->already = w->piece.lines;
			return;
		}
	}
	if ((j->result = gather(a, j)))
		return;
	if (w->dry) {
		batch_clear(&a->batch);
		return;
	}
	/* of what was refused as a whole nothing is kept in mind: the rules may be mended */
	bool named = a->batch.count > 0 && w->known;
	uint32_t now = clock_now();
	if (named)
		batch_slice(&a->batch, now, &w->piece);
	j->result = writing_commit(a);
	if (!j->result && named && a->applied)
		applied_note(a->applied, &w->piece, day_of(now));
}

/* --- the answer */

static json_t *first_refused(const struct refused_lines *r)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < r->n; i++)
		json_array_append_new(list, json_pack("{s:I,s:s}", "line",
						(json_int_t)r->at[i].line, "reason", r->at[i].why));
	return list;
}

static json_t *declared_json(const struct importing *w)
{
	const struct declare_totals *t = &w->declared;
	return json_pack("{s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I},s:o}", "read", (json_int_t)t->read,
	    "accepted", (json_int_t)t->accepted, "already", (json_int_t)w->already, "refused",
	    "json", (json_int_t)t->refused_json, "id", (json_int_t)t->refused_id, "undeclared",
	    (json_int_t)t->refused_undeclared, "value", (json_int_t)t->refused_value, "old",
	    (json_int_t)t->refused_old, "refused_lines", first_refused(&t->first));
}

static json_t *imported_json(const struct importing *w)
{
	const struct import_totals *t = &w->totals;
	return json_pack("{s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I,s:I},s:o}", "read",
	    (json_int_t)t->read, "accepted", (json_int_t)t->accepted, "already",
	    (json_int_t)w->already, "set_aside", (json_int_t)t->aside, "refused", "json",
	    (json_int_t)t->refused_json, "id", (json_int_t)t->refused_id, "old",
	    (json_int_t)t->refused_old, "future", (json_int_t)t->refused_future, "site",
	    (json_int_t)t->refused_site, "consent", (json_int_t)t->refused_consent, "refused_lines",
	    first_refused(&t->first));
}

static bool answer(struct admin *a, struct job *j)
{
	const struct importing *w = j->state;
	(void)a;
	if (j->result == ERR_USAGE || j->result == ERR_NOMEM)
		admin_refuse(j->ticket, admin_status(j->result), j->why);
	else if (j->result)
		admin_refuse(
		    j->ticket, 503, "the store cannot write; nothing of this slice was imported");
	else
		admin_json(j->ticket, 200, w->partner.n ? declared_json(w) : imported_json(w));
	return true;
}

/* --- pieces that are there */

struct applied_asked {
	uint8_t from[16];
};

static enum err applied_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct applied_asked *w = j->state;
	(void)a;
	asked_hash(q, "from", w->from);
	return OK;
}

static void applied(struct admin *a, struct job *j)
{
	const struct applied_asked *w = j->state;
	struct slice_id found[PIECES_MOST];
	if ((j->result = writing_applied(a)))
		return;
	unsigned n = applied_after(a->applied, w->from, oldest(a), found, PIECES_MOST);
	j->answer = json_array();
	for (unsigned i = 0; i < n; i++) {
		char to[33] = "";
		hex_encode(found[i].to, sizeof found[i].to, to);
		json_array_append_new(j->answer,
		    json_pack("{s:s,s:I,s:I}", "to", to, "bytes", (json_int_t)found[i].bytes,
			"lines", (json_int_t)found[i].lines));
	}
}

/* --- shapes */

static const struct shape refused_fields[] = {
    {"json", SHAPE_WHOLE, .help = "no JSON, or no object"},
    {"id", SHAPE_WHOLE, .help = "no id; of a partner: nobody was matched with it"},
    {"old", SHAPE_WHOLE, .help = "older than the retention"},
    {"future", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "more than five minutes ahead; of events"},
    {"site", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "of a host that is not ours; of events"},
    {"consent", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "a signal says no; of events"},
    {"undeclared", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "no rule declares it; of a partner"},
    {"value", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "no value that is declared; of a partner"},
    {0},
};

static const struct shape line_fields[] = {
    {"line", SHAPE_WHOLE, .help = "from 1, blank lines too"},
    {"reason", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {0},
};

static const struct shape import_fields[] = {
    {"read", SHAPE_WHOLE, .help = "lines"},
    {"accepted", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"already", SHAPE_WHOLE, .help = "lines of a piece that was imported before"},
    {"set_aside", SHAPE_WHOLE, SHAPE_SOMETIMES,
	.help = "of the accepted, crawlers and the like; of events"},
    {"refused", SHAPE_OBJECT, .help = "lines by reason", .of = refused_fields},
    {"refused_lines", SHAPE_LIST, .help = "the first ten", .of = line_fields},
    {0},
};

static const struct shape applied_fields[] = {
    {"to", SHAPE_TEXT, .help = "hash of all of the file up to its end"},
    {"bytes", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"lines", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {0},
};

const struct route routes_import[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/import",
	.help = "Imports events, or what a partner says of visitors; answers when it is on disk. "
		"With `from`, `to`, `bytes` and `lines` it is a piece of a file, named by the hash "
		"(BLAKE2b, 16 bytes; whatever you hash, one way) of all before it and of all up to "
		"its end: sent twice it counts once, and the second answer has its lines under "
		"`already`. Without them nothing tells a repetition.",
	.role = ROLE_OPERATOR,
	.by = BY_WRITE,
	.params = {{"partner", PARAM_TEXT, PARAM_MAY,
		       .help = "Id of the partner who says it; without it the lines are events."},
	    {"format", PARAM_WORD, PARAM_MAY, "What the body is.",
		.wrong = "format is ndjson; 'crumb import' reads others", .words = "ndjson"},
	    {"from", PARAM_HASH, PARAM_MAY, "Hash of all of the file before it.",
		.wrong = PIECE_WRONG},
	    {"to", PARAM_HASH, PARAM_MAY, "Hash of all of the file up to its end.",
		.wrong = PIECE_WRONG},
	    {"bytes", PARAM_NUMBER, PARAM_MAY, "How long the file is up to its end.",
		.wrong = PIECE_WRONG},
	    {"lines", PARAM_NUMBER, PARAM_MAY, "How many lines it has.", .wrong = PIECE_WRONG},
	    {"again", PARAM_FLAG, PARAM_MAY,
		.help = "Counts a piece anew that was imported before."},
	    {"dry", PARAM_FLAG, PARAM_MAY, .help = "Takes nothing and says what would be taken."}},
	.body = {"One event or statement a line: [import file](#import-file), "
		 "[DESTINATIONS.md](DESTINATIONS.md#what-you-already-have).",
	    "application/x-ndjson", IMPORT_BYTES},
	.answers = {{200, "what became of it",
			.shape = {.kind = SHAPE_OBJECT, .of = import_fields}},
	    {400, .when = "there is no such partner"},
	    {503, .when = "the store cannot write, and nothing of it was imported; or the clock is "
			  "in doubt"}},
	.records = true,
	.state = sizeof(struct importing),
	.parse = parse,
	.run = import,
	.answer = answer,
	.done = done,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/import/applied",
	.help = "The pieces that were imported and begin behind a hash, shortest first; for as "
		"long as events are kept.",
	.role = ROLE_OPERATOR,
	.by = BY_WRITE,
	.params = {{"from", PARAM_HASH, PARAM_MUST, "The hash.",
	    .wrong = "say ?from= and 32 hex digits",
	    .example = "cae66941d9efbd404e4d88758ea67670"}},
	.answers = {{200, "the pieces", .shape = {.kind = SHAPE_LIST, .of = applied_fields}}},
	.state = sizeof(struct applied_asked),
	.parse = applied_parse,
	.run = applied,
    },
    {0},
};
