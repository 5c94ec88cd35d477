/* /v1/import, /v1/import/applied: lines of files, and what partners say of visitors.
 *
 * A file comes in pieces, and a piece that is sent twice counts once. A piece is named by what it
 * is, not by who sends it: hash and length of the file before it, and of the file up to its end.
 *
 *     file    |---- piece 1 ----|---- piece 2 ----|-- piece 3 --|
 *     hash    0                 H1                H2            H3
 *     names                     0..H1             H1..H2        H2..H3
 *
 * The name goes into the journal in one commit with the events of its piece, so a crash leaves both
 * or neither. BY_WRITE's thread keeps all names of the retention in a->applied. Whoever resumes an
 * upload asks /v1/import/applied what is there behind a hash, and goes on behind it. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/node/declare.h"

#define IMPORT_BYTES (32u << 20)
#define PIECES_MOST 64

struct importing {
	/* what was asked; set by import_parse() */
	struct buf partner;    /* who says it; empty: the lines are events */
	bool known;	       /* the piece has a name: */
	struct slice_id piece; /* its name */
	bool again;	       /* take it although it was imported before */
	bool dry;	       /* only say what would be taken */
	/* what was done; set by import_piece() */
	struct import_totals totals;
	struct declare_totals declared;
	uint64_t already; /* lines of a piece that was imported before */
};

#define PIECE_WRONG                                                                                \
	"from and to are 32 hex digits each, bytes and lines are numbers; all of them or none"

/* The four parameters that name a piece come together, or not at all. */
static enum err import_parse(struct admin *a, struct job *j, const struct asked *q)
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

static void import_done(struct job *j)
{
	struct importing *w = j->state;
	buf_done(&w->partner);
}

/* --- the work */

static uint16_t oldest(const struct admin *a)
{
	return oldest_day(day_of(clock_now()), (unsigned)a->config->retention_days);
}

/* Statements of a partner about visitors, by the partner's own ids, into the batch. */
static enum err declare_piece(struct admin *a, struct importing *w, struct str lines)
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

/* Takes the rules, places and lists that collect threads use at this moment. */
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

/* The lines become a batch: all of them, or none when memory was short. */
static enum err gather(struct admin *a, struct job *j)
{
	struct importing *w = j->state;
	struct str lines = j->body.n ? buf_view(&j->body) : STR("");
	enum err e = take_shared(a);
	if (e)
		return e;
	if (w->partner.n)
		e = declare_piece(a, w, lines);
	else
		import_lines(&a->ingest, lines, clock_now(), &a->batch, &w->totals);
	if (!e && (e = memory_check())) /* a line may have been refused for want of memory */
		batch_clear(&a->batch);
	return e;
}

/* Is the piece there already? Then nothing is done. Else its lines become a batch, its name goes
 * into the batch, and both into the journal. */
static void import_piece(struct admin *a, struct job *j)
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
	/* A piece of which every line was refused is not remembered: when the rules have been
	 * mended, it can be sent again. */
	bool named = a->batch.count > 0 && w->known;
	uint32_t now = clock_now();
	if (named)
		batch_slice(&a->batch, now, &w->piece);
	j->result = writing_commit(a);
	if (!j->result && named && a->applied)
		applied_note(a->applied, &w->piece, day_of(now));
	if (!j->result)
		history_note_often(a, j, "import");
}

/* --- the answer */

static json_t *first_refused(const struct refused_lines *r)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < r->n; i++) /* a struct refused_lines keeps the first ten */
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

static bool import_answer(struct admin *a, struct job *j)
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
    {"id", SHAPE_WHOLE, .help = "no id; with `partner`: no visitor was matched with the id"},
    {"old", SHAPE_WHOLE, .help = "older than the retention"},
    {"future", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "more than five minutes ahead; events only"},
    {"site", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "a host that is not ours; events only"},
    {"consent", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "a signal says no; events only"},
    {"undeclared", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "no rule declares it; `partner` only"},
    {"value", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "a value not declared; `partner` only"},
    {0},
};

static const struct shape line_fields[] = {
    {"line", SHAPE_WHOLE, .help = "counted from 1, blank lines too"},
    {"reason", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {0},
};

static const struct shape import_fields[] = {
    {"read", SHAPE_WHOLE, .help = "lines"},
    {"accepted", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"already", SHAPE_WHOLE, .help = "lines of a piece that was imported before"},
    {"set_aside", SHAPE_WHOLE, SHAPE_SOMETIMES,
	.help = "accepted lines that do not count: crawlers and the like; events only"},
    {"refused", SHAPE_OBJECT, .help = "lines by reason", .of = refused_fields},
    {"refused_lines", SHAPE_LIST, .help = "the first ten", .of = line_fields},
    {0},
};

static const struct shape applied_fields[] = {
    {"to", SHAPE_TEXT, .help = "hash of all of the file up to the piece's end"},
    {"bytes", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"lines", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {0},
};

const struct route routes_import[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/import",
	.help =
	    "Imports events, or what a partner says of visitors. Answers when they are durable, "
	    "as a hit is. `from`, `to`, `bytes` and `lines` name a piece of a file by two hashes "
	    "(BLAKE2b, 16 bytes; any bytes that you always hash in one way): of all before the "
	    "piece, and of all up to its end. A piece that is sent twice counts once, and the "
	    "second answer has its lines under `already`. Without a name a repetition counts "
	    "again.",
	.role = ROLE_OPERATOR,
	.by = BY_WRITE,
	.params = {{"partner", PARAM_TEXT, PARAM_MAY,
		       .help = "Id of the partner. Without it the lines are events."},
	    {"format", PARAM_WORD, PARAM_MAY, "What the body is.",
		.wrong = "format is ndjson; 'crumb import' reads others", .words = "ndjson"},
	    {"from", PARAM_HASH, PARAM_MAY, "Hash of all of the file before the piece.",
		.wrong = PIECE_WRONG},
	    {"to", PARAM_HASH, PARAM_MAY, "Hash of all of the file up to the piece's end.",
		.wrong = PIECE_WRONG},
	    {"bytes", PARAM_NUMBER, PARAM_MAY, "How long the file is up to the piece's end.",
		.wrong = PIECE_WRONG},
	    {"lines", PARAM_NUMBER, PARAM_MAY, "How many lines the piece has.",
		.wrong = PIECE_WRONG},
	    {"again", PARAM_FLAG, PARAM_MAY,
		.help = "Counts a piece again that was imported before."},
	    {"dry", PARAM_FLAG, PARAM_MAY, .help = "Takes nothing and says what would be taken."}},
	.body = {"One event or statement a line: [import file](#import-file), "
		 "[DESTINATIONS.md](DESTINATIONS.md#what-you-already-have).",
	    "application/x-ndjson", IMPORT_BYTES},
	.answers = {{200, "what was taken and refused",
			.shape = {.kind = SHAPE_OBJECT, .of = import_fields}},
	    {400, .when = "there is no such partner"},
	    {503, .when = "the store cannot write, and nothing was imported; or the clock is in "
			  "doubt"}},
	.records = true,
	.state = sizeof(struct importing),
	.parse = import_parse,
	.run = import_piece,
	.answer = import_answer,
	.done = import_done,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/import/applied",
	.help = "Lists the imported pieces that begin behind a hash, shortest first. A piece is "
		"remembered as long as its events are kept.",
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
