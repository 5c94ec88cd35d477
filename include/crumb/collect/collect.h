/* The collect listener: pixel, events, tag, look-up. One struct per thread, with its own event
 * base, batches and counters.
 *
 * Hits are gathered into one batch while another is with the journal; answers to hits wait for the
 * gate that is numbered like their batch, and go when it is on disk. */
#ifndef CRUMB_COLLECT_COLLECT_H
#define CRUMB_COLLECT_COLLECT_H

#include "crumb/views/view.h"
#include "crumb/core/metric.h"
#include "crumb/http/server.h"
#include "crumb/ingest/ingest.h"
#include "crumb/partners/destinations.h"

#include <pthread.h>

struct collect;

/* Somebody else's protocol at the collect listener. What is posted to one of its paths is its own
 * to read; it fills the hit, and the rest goes the way of every hit. Trackers are a table of the
 * program (trackers/trackers.h), not of this layer. Rows are constant. */
struct tracker_path {
	const char *path;
	const char *kind; /* the tracker's own: what it says to itself of what is posted there */
	size_t most;	  /* bytes of a body, as it comes and as it stands for */
};
struct tracker {
	const char *name, *says, *source; /* for documents: whose it is, what is taken of it and
					     what not, and where it is described */
	const struct tracker_path *paths; /* `path` NULL behind the last */
	const char *const
	    *options; /* of the configuration that it looks at, NULL behind the last; NULL: none */
	bool (*on)(
	    const struct config *config); /* do the options let anybody use it? NULL: always */
	void (*post)(struct collect *c, struct http_request *r,
	    const struct tracker_path *at); /* answers; any collect thread */
};

/* What all collect threads share. Rules, places, lists and options are swapped by whoever has read
 * them again (app/reload.c), under the lock; each thread takes what is new between two passes of
 * its loop and then has it to itself. */
struct collect_shared {
	const struct config *_Atomic config;   /* in force; all that ever were live until the end */
	const struct tracker *const *trackers; /* NULL behind the last; NULL: there are none */
	struct store *store;
	struct writer *writer;
	struct engine *engine;
	_Atomic bool disk_low;
	_Atomic uint64_t version; /* grows with every swap */
	pthread_mutex_t lock;	  /* guards what follows */
	struct cidr_list trusted;
	struct rules *rules;
	struct destinations *destinations;
	struct place_db *places;
	struct junk_lists *lists;
	struct fixed *_Atomic fixed; /* what is the same for everybody; as with options, all that
					ever were live until the end */
	struct recent_ids *recent;   /* ids of trackers' messages that were taken; any thread */
};

/* Listens at HOST:PORT, or nowhere yet when `listen` is NULL. */
enum err collect_new(
    struct collect_shared *shared, const char *listen, struct collect **out) MUST_CHECK;
/* From a process that ran before, before it runs: a socket that listens, of which it makes a
 * descriptor of its own; a connection, which it takes. */
enum err collect_listen(struct collect *c, int fd) MUST_CHECK;
void collect_adopt(struct collect *c, int fd, const struct sockaddr_storage *peer);
int collect_socket(const struct collect *c,
    unsigned i); /* the i-th that it listens at, or -1; until it is stopped */
void collect_limit(struct collect *c, unsigned connections); /* before it runs */
void collect_address(const struct collect *c, char *out, size_t cap);
void *collect_run(void *collect);     /* the thread: returns when drained */
void collect_stop(struct collect *c); /* any thread: drain and return */
void collect_give(struct collect *c, bool (*give)(void *ctx, int fd),
    void *ctx); /* the same; connections go to `give` (http/server.h), on its thread */
void collect_free(struct collect *c);
extern const struct gauge collect_gauges[]; /* of a struct collect_shared */

#endif
