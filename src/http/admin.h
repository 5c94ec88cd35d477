/* Inside the admin listener. */
#ifndef CRUMB_SRC_HTTP_ADMIN_H
#define CRUMB_SRC_HTTP_ADMIN_H

#include "crumb/export/answers.h"
#include "crumb/http/admin.h"
#include "crumb/node/declare.h"

#include <jansson.h>
#include <semaphore.h>

#define QUEUE_MOST 64

/* settle waits for fold and sweep, compact for the keeper; the others are the job thread's, erase then waits until the visitor is gone from the
 * views. */
enum what { SETTLE, COMPACT, IMPORT, ERASE, PREVIEW, OVERLAP, BACKUP, QUARANTINE, RELEASE, STREAM, TRAIN };

/* A request that is answered when the views have caught up, or when the job thread is done. */
struct waiting {
	struct waiting *next;
	struct http_ticket ticket;
	enum what what;
	bool clock;	     /* settle: answer with the clock */
	uint64_t round;	     /* compact: of the keeper */
	struct vkey visitor; /* erase */
	uint64_t deadline_us;
	_Atomic bool done;
	struct buf body; /* import: lines; preview: a condition; overlap: two ids; backup: a folder */
	struct import_totals totals;
	struct declare_totals declared;
	/* import: the partner who says it. Stream: where it goes, the client's position, what there is; until there is something the request waits
	 * for a change of `version` */
	struct buf to, out;
	uint64_t version;
	bool queued; /* train: its model is on its way into the views */
	enum err result;
	json_t *answer; /* preview, overlap, backup */
	char why[512];	/* what went wrong */
};

struct admin {
	struct node *node;
	struct keeper *keeper;
	struct collect_shared *shared;
	const struct config *config;
	struct http_server *server;
	char token[128];
	bool test_clock, ready;
	struct waiting *waiting;
	/* the job thread: one import slice at a time */
	pthread_t job;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct waiting *queue[QUEUE_MOST];
	unsigned queue_n;
	bool stop, job_started;
	struct ingest ingest;
	struct batch batch;
	sem_t committed;
	/* what all outlets of this server told */
	struct kgate gate;
	struct ask_memory *asked;
	void (*models_changed)(void *);
	void *models_arg;
};

/* jobs.c: the thread for what takes long, one after the other */
void *admin_jobs_run(void *admin);
void admin_committed(struct batch *b);

#endif
