/* A node: one store being written, with its journal thread, its engine and its rules. crumbd runs
 * one behind its listeners. A command runs one when it has to change a store that no server has
 * open.
 *
 *     collect threads ──batches──▶ writer ──blocks──▶ journal ──▶ engine ──▶ views
 *                                                                              ▲
 *     keeper (the night), courier (deliveries) ──────────────── read ──────────┘
 *
 * A program may run several, each on a store of its own and in an ambient of its own
 * (base/ambient.h): clock and counters are the node's. It belongs to the ambient in which
 * node_prepare() or node_start() was called; every call of a function below is made there. */
#ifndef CRUMB_NODE_NODE_H
#define CRUMB_NODE_NODE_H

#include "crumb/base/ambient.h"
#include "crumb/core/metric.h"
#include "crumb/views/engine.h"
#include "crumb/ingest/asides.h"
#include "crumb/ingest/writer.h"
#include "crumb/partners/destinations.h"
#include "crumb/report/dailies.h"
#include "crumb/answers/signals_kept.h"
#include "crumb/report/tally.h"

/* The watch holds the clock against what the store knows of time. src/node/time.c says when the
 * clock is in doubt, and what happens then. It belongs to the thread that calls node_tick(). */
enum doubt { DOUBT_NONE, DOUBT_UNSET, DOUBT_BEHIND, DOUBT_AHEAD, DOUBT_JUMPED };

struct watch {
	struct store *store;
	bool believe;	  /* the clock is right, whatever the store says (NODE_CLOCK_BELIEVED) */
	struct seen seen; /* as in the store */
	bool unsaved;	  /* `seen` could not be written yet */
	enum doubt doubt;
	uint16_t newest; /* day that the clock is compared with; 0: nothing is known */
	uint32_t told;	 /* second of clock_mono_us() in which the doubt was logged; 0: not yet */
};

struct node {
	struct ambient *ambient; /* its clock and counters; set once */
	const struct config
	    *_Atomic config; /* in force; engine and store keep those of the start */
	/* set by node_open(), constant until node_stop() */
	struct store *store;
	struct engine *engine;
	struct writer *writer;
	struct dailies *dailies; /* reports of the day */
	struct asides *asides;	 /* what was set aside, counted */
	struct signals_kept *signals;
	struct tally *tally; /* what is counted by day */
	/* shared, under lock; node_destinations() and node_rules() give references */
	pthread_mutex_t lock;
	struct destinations *destinations;
	struct rules *rules; /* the newest that loaded; the views may still follow */
	/* shared */
	pthread_mutex_t reload;	     /* held by the one who reads the rules again */
	_Atomic bool models_changed; /* rules are to be read again */
	/* of the thread that calls node_tick() */
	struct watch watch;
	/* called every few milliseconds of node_wait(), by its caller; NULL: nothing is */
	void (*meanwhile)(void *);
	void *meanwhile_arg;
	/* set between node_prepare() and node_open(), by a program with one thread (tests/sim) */
	bool alone;		       /* no thread is started: node_turn() does their work */
	struct journal_memory *memory; /* where the journal is; NULL: in files */
};

enum node_clock {
	NODE_CLOCK_JUDGED,  /* by what the store knows */
	NODE_CLOCK_BELIEVED /* right: tests move it, or an operator has just restored a backup */
};
/* Opens or makes the store, loads the rules and starts the threads. After a failure there is
 * nothing to stop. */
enum err node_start(struct node *n, const struct config *c, enum node_clock clock) MUST_CHECK;
/* The same in two steps. The first needs no store: it loads rules and destinations. */
enum err node_prepare(struct node *n, const struct config *c) MUST_CHECK;
enum err node_open(struct node *n, enum node_clock clock) MUST_CHECK;
/* Of a node that is alone: does what its threads would do now. False: nothing more can be done now.
 */
bool node_turn(struct node *n);
void node_rest(struct node *n, long ms); /* waits; a node that is alone takes a turn first */
/* Ends the threads, then closes the store. Keeper and courier are stopped before. */
void node_stop(struct node *n);
/* Looks at the clock, and lets days end that are over. Call about once a second, from one thread.
 */
void node_tick(struct node *n);

/* --- any thread */

/* Reads the rules folder and the destinations again. On failure the old rules stay, and err_text()
 * says file:line:column. Not for a thread that somebody waits for: ten thousand rules take most of
 * a second. */
enum err node_reload(struct node *n) MUST_CHECK;
/* The configuration in force from now on. The one of before must live on. */
void node_config(struct node *n, const struct config *c);
/* References; the caller lets go of them (destinations_unref(), rules_unref()). */
struct destinations *node_destinations(struct node *n);
struct rules *node_rules(struct node *n);
bool node_serves(struct node *n); /* are the views made by the newest rules? */
/* Says why hits cannot be recorded, or the views cannot follow, now; it is tried again. False: all
 * is well. */
bool node_trouble(struct node *n, char *out, size_t cap);
/* Is everything accepted so far in the views, everything due swept, every expired day gone? */
bool node_settled(struct node *n);
void node_hurry(struct node *n); /* somebody waits: do not gather or pace */

/* --- the thread that calls node_tick() */

/* Waits until the node is settled, or until the newest rules serve as well. False: not within the
 * time, or not possible now, as err_text() says. */
enum node_until { NODE_SETTLED, NODE_SERVES };
bool node_wait(struct node *n, long seconds, enum node_until what);

void watch_start(struct watch *w, struct store *s, enum node_clock clock);
void watch_look(struct watch *w);
/* Says in one sentence what is wrong with the clock, and what to do. False: nothing is. */
bool watch_tell(const struct watch *w, char *out, size_t cap);
/* Can nothing be recorded now? The clock is unset, or behind the records. */
bool watch_refuses(const struct watch *w);
/* An operator says that the clock is right. ERR_USAGE: it cannot be, before 2020. */
enum err watch_confirm(struct watch *w) MUST_CHECK;
extern const struct gauge node_gauges[]; /* of a struct node */

#endif
