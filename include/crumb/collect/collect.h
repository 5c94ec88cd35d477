/* The collect listener: pixel, events, tag, look-up. One struct collect for each thread, with its
 * own event base, batches and counters.
 *
 * A thread has two batches. Hits are gathered into one while the other is with the journal thread.
 * Batches are numbered, and the answer to a hit waits for the answer gate with its batch's number
 * (http/server.h), which opens when the batch is durable:
 *
 *	time          ──────────────────────────────────────────────────────────►
 *	batches[0]    gather 1 │ journal writes 1 │ gather 3         │ journal writes 3
 *	batches[1]             │ gather 2         │ journal writes 2 │ gather 4
 *	gate opens                                1                  2
 *	`gate`        1        │ 2                │ 3                │ 4
 *
 * A batch is handed over as soon as the other one is back. So a hit that comes when nothing is
 * written waits for one commit, and under load each commit takes along all that came during the one
 * before. */
#ifndef CRUMB_COLLECT_COLLECT_H
#define CRUMB_COLLECT_COLLECT_H

#include "crumb/views/view.h"
#include "crumb/core/metric.h"
#include "crumb/http/server.h"
#include "crumb/ingest/ingest.h"
#include "crumb/partners/destinations.h"

#include <pthread.h>

struct collect;
struct live;

/* A foreign protocol at the collect listener. The tracker reads what is posted to its paths and
 * fills the hit; the rest goes the way of every hit. Trackers are a table of the program
 * (trackers/trackers.h), not of this layer. Rows are constant. */
struct tracker_path {
	const char *path; /* NULL behind the last */
	const char *kind; /* the tracker's own word for what is posted there */
	size_t most;	  /* bytes of a body, as it comes and when it is uncompressed */
};
struct tracker {
	/* for documents: the product, what is taken of it and what not, where it is described */
	const char *name, *says, *source;
	const struct tracker_path *paths;
	/* names of the options that it looks at, NULL behind the last; NULL: none */
	const char *const *options;
	/* do the options let anybody use it? NULL: always */
	bool (*on)(const struct config *config);
	/* answers; on the thread of `c` */
	void (*post)(struct collect *c, struct http_request *r, const struct tracker_path *at);
};

/* What all collect threads share. app/reload.c swaps rules, places, lists and options under the
 * lock, and then calls collect_swapped(), which wakes the threads. Each thread sees that the
 * version has grown, takes references between two passes of its loop, and works without the lock
 * until the next swap. */
struct collect_shared {
	/* set before threads start */
	const struct tracker *const *trackers; /* NULL behind the last; NULL: there are none */
	struct store *store;
	struct writer *writer;
	struct engine *engine;
	struct live *live;	   /* pairings of the tag assistant; has its own lock */
	struct recent_ids *recent; /* ids of trackers' messages that were taken; has its own lock */
	/* any thread; older options and fixed answers live until the end of the process */
	const struct config *_Atomic config;
	struct fixed *_Atomic fixed; /* answers that are the same for everybody */
	_Atomic bool disk_low;
	_Atomic uint64_t version; /* grows with every swap; it is 1 or more when threads start */
	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t taken;	 /* a thread has taken a version, or has ended */
	struct collect *running; /* all threads that run */
	bool ending;		 /* nobody is to wait any more */
	struct cidr_list trusted;
	struct rules *rules;
	struct destinations *destinations;
	struct place_db *places;
	struct junk_lists *lists;
};

/* Of a struct of zeroes, before anything else here. It lives until the end of the process. */
void collect_shared_init(struct collect_shared *s);
/* Something was swapped: wakes all threads, and returns the new version. Any thread, without the
 * lock. */
uint64_t collect_swapped(struct collect_shared *s);
/* Waits until all threads that run have taken that version; a hit that comes afterwards is judged
 * by it. A few milliseconds, or until there is memory for it. Not for the main thread or a collect
 * thread; without the lock. */
void collect_taken(struct collect_shared *s, uint64_t version);
/* Whoever waits in collect_taken() returns, now and later: the server ends. Any thread. */
void collect_shared_end(struct collect_shared *s);

/* Listens at HOST:PORT, or nowhere yet when `listen` is NULL. The first six and collect_free() are
 * for the thread that makes it, before collect_run() or after it. */
enum err collect_new(
    struct collect_shared *shared, const char *listen, struct collect **out) MUST_CHECK;
/* Takes over from a process that ran before: a socket that listens, of which a copy is made, and a
 * connection, with its descriptor. */
enum err collect_listen(struct collect *c, int fd) MUST_CHECK;
void collect_adopt(struct collect *c, int fd, const struct sockaddr_storage *peer);
/* The i-th socket that it listens at, borrowed, or -1. */
int collect_socket(const struct collect *c, unsigned i);
void collect_limit(struct collect *c, unsigned connections); /* at a time */
void collect_address(const struct collect *c, char *out, size_t cap);
void *collect_run(void *collect); /* the thread: returns when drained */
/* Any thread, once: drain and return. */
void collect_stop(struct collect *c);
/* The same, but idle connections go to `give` (http/server.h), on the thread of `c`. */
void collect_give(struct collect *c, bool (*give)(void *ctx, int fd), void *ctx);
void collect_free(struct collect *c);
extern const struct gauge collect_gauges[]; /* of a struct collect_shared */

#endif
