/* Inside the admin listener. admin.c takes requests, admin_wait.c answers those that wait, jobs.c has the threads, admin_tell.c what is read only. */
#ifndef CRUMB_SRC_ADMIN_ADMIN_JOBS_H
#define CRUMB_SRC_ADMIN_ADMIN_JOBS_H

#include "crumb/answers/answers.h"
#include "crumb/admin/admin.h"
#include "crumb/ingest/applied.h"
#include "crumb/node/declare.h"

#include <jansson.h>
#include <semaphore.h>

#define QUEUE_MOST 64
#define ADMIN_WAIT_US 110000000 /* how long an answer may take that waits for the views */

/* What a request wants. SETTLE waits for fold and sweep, COMPACT for the keeper, RELOAD for the thread that reads things again; the others are jobs of a thread. */
enum what {
	NOTHING,
	SETTLE,
	COMPACT,
	RELOAD,
	METRICS,
	SEGMENTS,
	SEGMENT,
	CATEGORIES,
	STATUS,
	PREVIEW,
	OVERLAP,
	QUARANTINE,
	STREAM,
	IMPORT,
	APPLIED,
	ERASE,
	RELEASE,
	BACKUP,
	TRAIN,
	WHAT_MAX
};

/* One thread each, so that a question does not wait for a training, nor a scrape for a question. */
enum worker_kind { WORKER_TELL, WORKER_ASK, WORKER_WRITE, WORKER_LONG, WORKERS };

/* Import: which piece of a file it is, when that is `known`; take it although it was imported before; only say what would be taken. */
struct piece_wish {
	bool known, again, dry;
	struct slice_id id;
};

/* A request that is answered when the views have caught up, or when its job is done. */
struct waiting {
	struct waiting *next;
	struct http_ticket ticket;
	enum what what;
	bool clock;	     /* settle: answer with the clock */
	uint64_t round;	     /* compact: of the keeper; reload: of reading again */
	uint64_t failures;   /* of the keeper, when it was asked */
	struct vkey visitor; /* erase */
	uint64_t deadline_us;
	_Atomic bool done;
	struct buf body; /* import: lines; preview: a condition; overlap: two ids; backup: a folder; segment, train: an id */
	struct import_totals totals;
	struct declare_totals declared;
	struct piece_wish piece;
	uint64_t already; /* lines that were imported before */
	/* import: the partner who says it. Stream: where it goes, the client's position (in body), what there is; until there is something the request
	 * waits for a change of `version`. Metrics: what there is */
	struct buf to, out;
	uint64_t version;
	bool queued;
	enum err result;
	json_t *answer;
	char why[512]; /* what went wrong */
};

struct worker {
	struct admin *admin;
	pthread_t thread;
	pthread_cond_t wake;
	struct waiting *queue[QUEUE_MOST];
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
	struct waiting *waiting;
	pthread_mutex_t lock; /* guards the workers' queues */
	struct worker workers[WORKERS];
	_Atomic bool stop;
	/* of the thread that writes */
	struct ingest ingest;
	struct batch batch;
	struct applied *applied; /* NULL: not read yet */
	sem_t committed;
	/* what all outlets of this server told */
	struct kgate gate;
	struct ask_memory *asked; /* of the thread for questions */
	enum err (*models_changed)(void *);
	void *models_arg;
	uint64_t (*reload)(void *);
	bool (*reloaded)(void *, uint64_t, json_t **);
	void *reload_arg;
};

/* admin_wait.c: answers. Takes the reference; what could not be made for lack of memory is a 503. */
void admin_json(struct http_ticket t, int status, json_t *root);
/* A sentence that says what went wrong, as {"error": …}. */
void admin_refuse(struct http_ticket t, int status, const char *why);
void admin_wait_free(struct waiting *w);

/* jobs.c */
enum err admin_workers_start(struct admin *a) MUST_CHECK;
void admin_workers_stop(struct admin *a);
bool admin_enqueue(struct admin *a, struct waiting *w); /* false: there is enough to do */

/* admin_tell.c: what a job of WORKER_TELL does. */
void admin_tell(struct admin *a, struct waiting *w);

/* gauges.c: the page of GET /metrics, on WORKER_TELL's thread. */
void admin_metrics(struct admin *a, struct buf *out);

#endif
