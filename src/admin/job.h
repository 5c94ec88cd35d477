/* Inside the admin listener: a request that is being answered, and what the functions of its row
 * (admin/route.h) may use.
 *
 *     admin.c     takes requests, finds their row         asked.c    reads parameters by the row
 *     waiting.c   holds jobs until they are answered      workers.c  the threads
 *     replies.c   answers                                 writing.c  what BY_WRITE's thread owns
 *     caller.c    who asks (caller.h)                     history.c  who did what
 *     routes.c    the list of tables                      all others: routes, one file a family
 *
 * The life of a job; in brackets who has it:
 *
 *     job_new() ─► route->parse ─► admin_enqueue() ─► queue ─► route->run ─► done = true ─►
 *     [main]       [main]          [main]             [worker's, under lock] [worker]
 *     ─► route->answer, called until it is true ─► job_free()
 *        [main]                                    [main]
 *
 * `done` hands the job back: the worker stores it last, the main thread loads it first. A job costs
 * some 700 bytes, its body and its state. */
#ifndef CRUMB_SRC_ADMIN_JOB_H
#define CRUMB_SRC_ADMIN_JOB_H

#include "crumb/admin/admin.h"
#include "crumb/admin/route.h"
#include "crumb/ingest/applied.h"
#include "crumb/privacy/kgate.h"

#include "caller.h"

#include <jansson.h>
#include <semaphore.h>

#define QUEUE_MOST 64	 /* jobs that wait for one thread */
#define ADMIN_WAIT_S 110 /* how long an answer that waits for the views may take */
#define ADMIN_WAIT_US (ADMIN_WAIT_S * UINT64_C(1000000))

struct job {
	const struct route *route;
	/* who asks; set before parse, then constant */
	enum route_role role;
	char who[WHO_MOST + 1]; /* name of the token */
	/* main thread */
	struct job *next;
	struct http_ticket ticket;
	uint64_t deadline_us; /* by clock_mono_us() */
	bool later;	      /* set by parse: `answer` enqueues the job, not the listener */
	/* shared: the worker sets it, and then has the job no more */
	_Atomic bool done;
	/* the worker's until `done`, then the main thread's */
	struct buf body; /* of the request, where the row has a body; wiped behind run */
	enum err result;
	char why[512];	/* what went wrong */
	json_t *answer; /* NULL: none was made */
	struct buf out; /* an answer that is text */
	void *state;	/* route->state bytes, in the memory of the job */
};

struct worker {
	/* set before the thread starts */
	struct admin *admin;
	/* main thread */
	pthread_t thread;
	bool started;
	/* shared, under admin->lock */
	pthread_cond_t wake;
	struct job *queue[QUEUE_MOST]; /* oldest first */
	unsigned queue_n;
};

#define HISTORY_SAID 100 /* who did what in an hour: more is told each time */

struct history {
	pthread_mutex_t lock; /* guards the file and what follows */
	uint16_t day;	      /* on which old lines were dropped last */
	/* who did what in this hour, of history_note_often() */
	uint32_t said_hour;
	unsigned said_n;
	char said[HISTORY_SAID][WHO_MOST + 64];
};

struct admin {
	/* set by admin_new(), then constant */
	struct node *node;
	struct keeper *keeper;
	struct collect_shared *shared;
	const struct config *config;
	struct config listener; /* a copy of *config with limits of this listener's own */
	enum admin_clock clock;
	/* main thread */
	struct http_server *server;
	bool ready;
	struct job *waiting;
	struct callers callers;
	/* shared */
	pthread_mutex_t lock;	       /* guards the workers' queues */
	struct worker workers[BY_MAX]; /* one for each `by`; those of the main thread are unused */
	_Atomic bool stop;
	/* BY_WRITE's thread (writing.c) */
	struct ingest ingest;
	struct batch batch;
	struct applied *applied; /* NULL: not read yet */
	sem_t committed;	 /* posted by the journal's thread when the batch is durable */
	/* shared: any thread asks the gate, and its memory has a lock of its own */
	struct kgate gate;
	struct history history;
	struct ask_memory *asked;
	_Atomic unsigned comparing; /* a diff that replays: thousandths, and one more; 0: none */
	/* set before requests come (admin/admin.h) */
	enum err (*models_changed)(void *);
	void *models_arg;
	uint64_t (*reload)(void *);
	bool (*reloaded)(void *, uint64_t, json_t **);
	void *reload_arg;
};

/* --- asked.c: what a request asks, by its row. Main thread */
struct asked {
	const struct route *route;
	const struct http_request *request;
	const struct caller *caller; /* of an open route: nobody */
	bool came[ROUTE_PARAMS];
	struct str v[ROUTE_PARAMS]; /* in scratch */
};
#define QUERY_MOST 8192 /* bytes */
/* ERR_USAGE, and a sentence: a parameter is not of the row, comes twice or is not of its kind, or
 * one that the row needs is missing. `scratch` has QUERY_MOST bytes and lives as long as *out. */
enum err asked_read(const struct route *route, const struct http_request *r, char *scratch,
    struct asked *out) MUST_CHECK;
/* By a name of the row. A parameter that did not come is empty, zero or all zeros. */
bool asked_came(const struct asked *q, const char *name);
struct str asked_text(const struct asked *q, const char *name);
uint64_t asked_number(const struct asked *q, const char *name);
int64_t asked_seconds(const struct asked *q, const char *name); /* of a span */
void asked_hash(const struct asked *q, const char *name, uint8_t out[16]);
/* ?days=N of DAYS_PARAM(), or else `usual`. ERR_USAGE: 0, or more than are kept. */
enum err asked_days(const struct asked *q, unsigned usual, unsigned *out) MUST_CHECK;
#define DAYS_MOST 90
#define DAYS_PARAM(usual)                                                                          \
	{                                                                                          \
		"days", PARAM_NUMBER, PARAM_MAY,                                                   \
		    .help = "How many days, the last is today: 1 to 90; else " usual ".",          \
		    .wrong = "days is a number from 1 to 90"                                       \
	}
/* Appends a text that is to outlive the request; ERR_NOMEM. */
enum err asked_copy(struct str text, struct buf *out) MUST_CHECK;

/* --- replies.c. Main thread */
/* Takes the reference to root. NULL is a 503: there was no memory to make it. */
void admin_json(struct http_ticket t, int status, json_t *root);
/* A sentence that says what went wrong, as {"error": …}. */
void admin_refuse(struct http_ticket t, int status, const char *why);
/* The same to whom no token or session was found good: 401, 403, 421 or 429. */
void refuse_caller(struct http_ticket t, int status, const char *why);
void admin_say(struct http_ticket t, int status, const char *text);
int admin_status(enum err e);
/* The `answer` of a row that has none: the job's JSON, or what went wrong, by its code. */
bool job_told(struct admin *a, struct job *j);

/* --- waiting.c. Main thread, but for job_body() */
struct job *job_new(const struct route *route, struct http_ticket t); /* NULL: no memory */
void job_free(struct job *j);
void job_hold(struct admin *a, struct job *j); /* admin_tick() answers it */
bool job_late(const struct job *j);	       /* its deadline is over */
struct str job_body(const struct job *j);      /* without blanks around it; whoever has the job */

/* --- workers.c. Main thread */
enum err admin_workers_start(struct admin *a) MUST_CHECK;
void admin_workers_stop(struct admin *a);
/* Hands the job to the thread of its row. False: the thread's queue is full. */
bool admin_enqueue(struct admin *a, struct job *j);

/* --- writing.c */
void writing_start(struct admin *a);
void writing_end(struct admin *a);
/* Brings the batch to the journal, waits until it is durable, and empties it. BY_WRITE's thread. */
enum err writing_submit(struct admin *a) MUST_CHECK;
/* The same; a batch without events is only emptied. BY_WRITE's thread. */
enum err writing_commit(struct admin *a) MUST_CHECK;
/* Waits until everything that was answered before the call can be read. Any thread but main. */
enum err writing_published(struct admin *a) MUST_CHECK;
/* Reads what was imported before from the journal into a->applied, once. BY_WRITE's thread. */
enum err writing_applied(struct admin *a) MUST_CHECK;

/* --- history.c. Any thread */
/* Notes who did what: history_note(a, j, "rules.publish", "shop.yaml", why). `of` is an id or the
 * name of a file, never a visitor's; longer than 200 bytes it is cut, `why` behind 500; NULL is
 * "". */
void history_note(
    struct admin *a, const struct job *j, const char *what, const char *of, const char *why);
/* The same for what one token does again and again: it is noted once an hour. */
void history_note_often(struct admin *a, const struct job *j, const char *what);
/* The same two where there is no job. */
void history_say(struct admin *a, const char *who, enum route_role role, const char *what,
    const char *of, const char *why);
void history_say_often(struct admin *a, const char *who, enum route_role role, const char *what);
/* Drops what is too old, once a day. Any thread but main, for it waits for the disk. */
void history_daily(struct admin *a);
void history_start(struct admin *a);
void history_end(struct admin *a);

/* --- publishing.c. Main thread, before requests come */
void publishing_start(struct admin *a);

/* --- gauges.c */
/* Appends all metrics, as Prometheus reads them. BY_TELL's thread. */
void admin_metrics(struct admin *a, struct buf *out);

#endif
