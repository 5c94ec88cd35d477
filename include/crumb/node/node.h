/* A node: one store being written, with its journal thread, its engine and its rules. What crumbd
 * runs behind its listeners, and what a command runs when it has to change a store that no server
 * has open.
 *
 * A program may run several, each on a store of its own and in an ambient of its own
 * (base/ambient.h): clock and counters are the node's. It belongs to the ambient in which
 * node_prepare() or node_start() was called; every call of a function below is made there. */
#ifndef CRUMB_NODE_NODE_H
#define CRUMB_NODE_NODE_H

#include "crumb/base/ambient.h"
#include "crumb/core/metric.h"
#include "crumb/views/engine.h"
#include "crumb/ingest/writer.h"
#include "crumb/partners/destinations.h"

/* The clock against what the store knows of time (time.c). One thread, that which calls
 * node_tick(). */
enum doubt { DOUBT_NONE, DOUBT_UNSET, DOUBT_BEHIND, DOUBT_AHEAD, DOUBT_JUMPED };

struct watch {
	struct store *store;
	bool believe; /* whatever the store says: tests move the clock, or an operator has just
			 restored a backup */
	struct seen seen;
	bool unsaved;
	enum doubt doubt;
	uint16_t newest; /* that the clock is compared with; 0: nothing is known */
	uint32_t told;	 /* when it was last said, in seconds of clock_mono_us(); 0: not yet */
};

struct node {
	struct ambient *ambient; /* its clock and counters; set once */
	const struct config
	    *_Atomic config; /* those that are in force; engine and store keep those of the start */
	struct store *store;
	struct engine *engine;
	struct writer *writer;
	pthread_mutex_t reload; /* one at a time */
	pthread_mutex_t lock;	/* guards the two pointers below */
	struct destinations *destinations;
	struct watch watch;
	struct rules
	    *rules; /* the newest that loaded; they may still be on their way into the views */
	_Atomic bool models_changed; /* rules are to be read again */
	void (*meanwhile)(void *); /* what else is to be done every few milliseconds of node_wait();
				      NULL: nothing */
	void *meanwhile_arg;
	/* set between node_prepare() and node_open(), by whoever has one thread (tests/sim): */
	bool alone;		       /* none is started: node_turn() does their work */
	struct journal_memory *memory; /* where the journal is; NULL: in files */
};

/* Opens or makes the store, loads the rules and starts the threads. */
enum node_clock {
	NODE_CLOCK_JUDGED /* by what the store knows */,
	NODE_CLOCK_BELIEVED /* it is right, whatever the store says */
};
enum err node_start(struct node *n, const struct config *c, enum node_clock clock) MUST_CHECK;
/* The same in two steps: what needs no store, and the rest. */
enum err node_prepare(struct node *n, const struct config *c) MUST_CHECK;
enum err node_open(struct node *n, enum node_clock clock) MUST_CHECK;
/* Of a node that is alone: what its threads would do now; false: nothing more can be done now. */
bool node_turn(struct node *n);
void node_rest(struct node *n, long ms); /* waits; a node that is alone takes a turn first */
void node_stop(struct node *n);
/* Looks at the clock, lets go of days that have ended. Call about once a second. */
void node_tick(struct node *n);
/* Reads the rules folder again; on failure the old rules stay and err_text() says file:line:column.
 * Any thread, but not one that somebody waits for: ten thousand rules take most of a second. */
enum err node_reload(struct node *n) MUST_CHECK;
void node_config(struct node *n,
    const struct config *c); /* from now on; any thread. The old ones must live on */
struct destinations *node_destinations(struct node *n); /* a reference, as below; any thread */
struct rules *node_rules(struct node *n);
bool node_serves(struct node *n); /* the views are made by the newest rules; any thread */
/* Says why hits cannot be recorded, or time cannot be kept, now; it is tried again. False: all is
 * well. */
bool node_trouble(struct node *n, char *out, size_t cap);
/* Everything accepted so far is in the views, everything due was swept, expired days are gone. */
bool node_settled(struct node *n);
void node_hurry(struct node *n); /* do not gather or pace: somebody waits */
/* Waits until settled, and until the views are made by the newest rules if asked to; false: not
 * within the time, or not possible now, as err_text() says. */
enum node_until { NODE_SETTLED, NODE_SERVES };
bool node_wait(struct node *n, long seconds, enum node_until what);

void watch_start(struct watch *w, struct store *s, enum node_clock clock);
void watch_look(struct watch *w);
/* What is wrong with the clock and what to do, in one sentence. False: nothing is. */
bool watch_tell(const struct watch *w, char *out, size_t cap);
bool watch_refuses(
    const struct watch *w); /* what comes now cannot be recorded: the clock is unset, or behind */
/* An operator says that the clock is right. ERR_USAGE: it cannot be. */
enum err watch_confirm(struct watch *w) MUST_CHECK;
extern const struct gauge node_gauges[]; /* of a struct node */

#endif
