/* Inside the admin listener: a request that is being answered, and what the functions of its row
 * (admin/route.h) may use.
 *
 *     admin.c     takes requests, finds their row         asked.c    reads parameters by the row
 *     waiting.c   holds jobs until they are answered      workers.c  the threads
 *     replies.c   answers                                 writing.c  what BY_WRITE's thread owns
 *     routes.c    the list of tables                      all others: routes, one file a family
 *
 * A job belongs to the main thread, and to its worker from admin_enqueue() until `done`. */
#ifndef CRUMB_SRC_ADMIN_JOB_H
#define CRUMB_SRC_ADMIN_JOB_H

#include "crumb/admin/admin.h"
#include "crumb/admin/route.h"
#include "crumb/ingest/applied.h"
#include "crumb/privacy/kgate.h"

#include <jansson.h>
#include <semaphore.h>

#define QUEUE_MOST 64
#define ADMIN_WAIT_US 110000000 /* how long an answer may take that waits for the views */

struct job {
	const struct route *route;
	/* main thread */
	struct job *next;
	struct http_ticket ticket;
	uint64_t deadline_us; /* by clock_mono_us() */
	bool later;	      /* set by parse: `answer` hands it to its thread, not the listener */
	/* the worker's, until done */
	_Atomic bool done;
	struct buf body; /* of the request, where the row has one; wiped behind run */
	enum err result;
	char why[512];	/* what went wrong */
	json_t *answer; /* NULL: none was made */
	struct buf out; /* an answer that is text */
	void *state;	/* route->state bytes, the job's own */
};

struct worker {
	struct admin *admin;
	pthread_t thread;
	pthread_cond_t wake;
	struct job *queue[QUEUE_MOST];
	unsigned queue_n;
	bool started;
};

struct admin {
	struct node *node;
	struct keeper *keeper;
	struct collect_shared *shared;
	const struct config *config;
	struct config listener; /* the same with limits of this listener's own */
	struct http_server *server;
	uint8_t token[32]; /* its hash */
	bool test_clock, ready;
	struct job *waiting;
	pthread_mutex_t lock;	       /* guards the workers' queues */
	struct worker workers[BY_MAX]; /* one for each `by`; the main thread has none */
	_Atomic bool stop;
	/* BY_WRITE's thread (writing.c) */
	struct ingest ingest;
	struct batch batch;
	struct applied *applied; /* NULL: not read yet */
	sem_t committed;
	/* what all outlets of this server told */
	struct kgate gate;
	struct ask_memory *asked; /* BY_ASK's thread */
	/* set before requests come (admin/admin.h) */
	enum err (*models_changed)(void *);
	void *models_arg;
	uint64_t (*reload)(void *);
	bool (*reloaded)(void *, uint64_t, json_t **);
	void *reload_arg;
};

/* --- asked.c: what a request asks, by its row */
struct asked {
	const struct route *route;
	const struct http_request *request;
	bool came[ROUTE_PARAMS];
	struct str v[ROUTE_PARAMS]; /* in scratch */
};
#define QUERY_MOST 8192
/* Each parameter is of the row, comes once and is of its kind, and none that it needs is missing;
 * ERR_USAGE says what is wrong. `scratch` has QUERY_MOST bytes and lives as long as *out. */
enum err asked_read(const struct route *route, const struct http_request *r, char *scratch,
    struct asked *out) MUST_CHECK;
/* By a name of the row. What did not come is empty, zero or all zeros. */
bool asked_came(const struct asked *q, const char *name);
struct str asked_text(const struct asked *q, const char *name);
uint64_t asked_number(const struct asked *q, const char *name);
int64_t asked_seconds(const struct asked *q, const char *name); /* of a span */
void asked_hash(const struct asked *q, const char *name, uint8_t out[16]);
/* Appends a text that is to outlive the request; ERR_NOMEM. */
enum err asked_copy(struct str text, struct buf *out) MUST_CHECK;

/* --- replies.c */
/* Takes the reference; what could not be made for lack of memory is a 503. */
void admin_json(struct http_ticket t, int status, json_t *root);
/* A sentence that says what went wrong, as {"error": …}. */
void admin_refuse(struct http_ticket t, int status, const char *why);
void admin_say(struct http_ticket t, int status, const char *text);
int admin_status(enum err e);
/* How a row without `answer` answers: the job's JSON, or what went wrong, by its code. */
bool job_told(struct admin *a, struct job *j);

/* --- waiting.c */
struct job *job_new(const struct route *route, struct http_ticket t); /* NULL: no memory */
void job_free(struct job *j);
void job_hold(struct admin *a, struct job *j); /* it is answered later */
bool job_late(const struct job *j);
struct str job_body(const struct job *j); /* without blanks around it */

/* --- workers.c */
enum err admin_workers_start(struct admin *a) MUST_CHECK;
void admin_workers_stop(struct admin *a);
/* To the thread of its row; false: there is enough to do. */
bool admin_enqueue(struct admin *a, struct job *j);

/* --- writing.c */
void writing_start(struct admin *a);
void writing_end(struct admin *a);
/* Brings the batch to the journal and empties it; commit does nothing with a batch that has no
 * events. BY_WRITE's thread. */
enum err writing_submit(struct admin *a) MUST_CHECK;
enum err writing_commit(struct admin *a) MUST_CHECK;
/* Everything that was answered can be read from now on. Any thread. */
enum err writing_published(struct admin *a) MUST_CHECK;
/* a->applied: what was imported before, read from the journal once. BY_WRITE's thread. */
enum err writing_applied(struct admin *a) MUST_CHECK;

/* --- gauges.c */
/* All that is measured, as Prometheus reads it. BY_TELL's thread. */
void admin_metrics(struct admin *a, struct buf *out);

#endif
