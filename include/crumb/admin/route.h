/* What a route of the admin listener is: one row beside the functions that it names
 * (src/admin/NAME.c). Dispatch, parameters, limits of bodies, the table in docs/PROTOCOL.md
 * and etc/openapi.json are made from the rows; docs/add-a-route.md adds one.
 *
 *     request ─► parameters ─► parse ──► run ─────────► answer, until it has answered
 *                by the row    main      the thread     main thread
 *                              thread    of `by`
 *
 * Rows are constant: any thread may read them. A function that is NULL has nothing to do; without
 * `answer` what `run` made is told as JSON. */
#ifndef CRUMB_ADMIN_ROUTE_H
#define CRUMB_ADMIN_ROUTE_H

#include "crumb/base/err.h"
#include "crumb/http/server.h"

struct admin;
struct asked;
struct job;

/* Who may ask. Each role may also ask what the roles before it may. `admin.token` is an operator's;
 * others are in admin.tokens (admin/tokens.h). */
enum route_role { ROLE_VIEWER, ROLE_MARKETER, ROLE_OPERATOR, ROLES };

/* Who does the work: the main thread at once, the main thread as soon as an answer is possible (it
 * looks every few milliseconds), or one of four threads, so that a question does not wait for a
 * training, nor a scrape for a question. */
enum route_by { BY_MAIN, BY_MAIN_LATER, BY_TELL, BY_ASK, BY_WRITE, BY_LONG, BY_MAX };

enum param_kind {
	PARAM_TEXT,
	PARAM_NUMBER, /* decimal digits */
	PARAM_HASH,   /* 32 hex digits */
	PARAM_SPAN,   /* days or hours: 91d, 5h; 36500 at most */
	PARAM_WORD,   /* one of `words` */
	PARAM_FLAG,   /* it came, whatever its value is */
	PARAM_KINDS
};
enum param_need { PARAM_MAY, PARAM_MUST };

struct route_param {
	const char *name;
	enum param_kind kind;
	enum param_need need;
	const char *help;    /* a sentence */
	const char *wrong;   /* said when the value is not of its kind; text and flags always fit */
	const char *words;   /* PARAM_WORD: the words, with '|' between */
	const char *example; /* NULL: there is none */
};

struct route_body {
	const char *help; /* what the body is; NULL: no body is looked at */
	const char *type;
	size_t most; /* bytes; a longer body is 413 */
};

/* The shape of JSON, as a tree of rows. `of` has the fields of an object, or of each object of a
 * list: rows that end with a zero row. */
enum shape_kind {
	SHAPE_NONE,
	SHAPE_TEXT,
	SHAPE_WHOLE, /* a whole number */
	SHAPE_REAL,
	SHAPE_TRUTH,
	SHAPE_DAY,   /* text: 2026-12-07 */
	SHAPE_TEXTS, /* a list of text */
	/* A list of whole numbers, null among them: what is withheld or was not recorded. */
	SHAPE_WHOLES,
	SHAPE_OBJECT,
	SHAPE_LIST, /* a list of objects */
	SHAPE_KINDS
};
/* Is a field always there, sometimes null, sometimes missing, or sometimes each of these? */
enum shape_when { SHAPE_ALWAYS, SHAPE_OR_NULL, SHAPE_SOMETIMES, SHAPE_SOMETIMES_NULL, SHAPE_WHENS };

struct shape {
	const char *name; /* of a field */
	enum shape_kind kind;
	enum shape_when when;
	const char *help; /* NULL: the name says it */
	const struct shape *of;
};

/* An answer that a route may give. Below 400 it is text where it has no shape; from 400 on it is
 * {"error":"a sentence"} unless it has another type or shape. */
struct route_answer {
	int status;
	const char *when; /* when the route answers so, or what the answer is */
	const char *type; /* NULL: application/json */
	struct shape shape;
};

#define ROUTE_PARAMS 8
#define ROUTE_ANSWERS 5

struct route {
	enum http_method method; /* GET is HEAD, too */
	const char *path;
	const char *help; /* sentences: what it does and what it answers */
	enum route_role role;
	bool open; /* everybody may ask, without a token; `role` does not matter */
	enum route_by by;
	struct route_param params[ROUTE_PARAMS + 1];
	struct route_body body;
	/* The answer when all is well comes first; admin_answers are not repeated. */
	struct route_answer answers[ROUTE_ANSWERS + 1];
	/* It writes with the present time: the answer is 503 while the clock is in doubt. When the
	 * journal has it, the answer says so, even if memory was short. */
	bool records;
	bool small; /* run even where memory is nearly used up */
	/* What the history calls it when it was done, once an hour for each token; NULL: it is not
	 * noted, or its own functions do (history_note()). */
	const char *history;
	size_t state; /* bytes of what the job keeps for itself (struct job), zero at first */
	/* Reads what was asked into the state; main thread. A failure is answered by its code, with
	 * its words. */
	enum err (*parse)(struct admin *a, struct job *j, const struct asked *q);
	/* The work, on the thread of `by`. Leaves result, answer or out in the job. */
	void (*run)(struct admin *a, struct job *j);
	/* Main thread, when `run` has returned. False: not yet; it is called again. */
	bool (*answer)(struct admin *a, struct job *j);
	void (*done)(struct job *j); /* frees what the state owns */
};

/* All tables of routes, NULL behind the last; each ends with a zero row. */
extern const struct route *const admin_routes[];
/* What any route may answer, besides its own answers; ends with a zero row. */
extern const struct route_answer admin_answers[];

#endif
