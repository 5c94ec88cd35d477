/* The engine: generations of views, the threads that fold and sweep them, and the switch from one
 * generation to the next.
 *
 * A generation is all views that are made for one rule set. New rules make a new generation beside
 * the serving one, which goes on:
 *
 *     queued ──► preparing ──► building ──────────────► serving ──► retired ──► removed
 *     rules      files made    filled, folded, swept    named in    read by     with its last
 *                              until it has caught up   CURRENT     some        reader
 *
 *     from profiles     when categories and vocabularies are what they were, and only conditions
 *                       changed (views/adopt.h)
 *     from the journal  else: the fold that runs live, over all retained days (views/fill.h)
 *
 * Example: generation 4 serves, and rules with another pattern are deployed. Generation 5 is made
 * in state/5. Its shards are filled while 4 serves, then folded until all of them are at the end of
 * the journal in one pass. CURRENT is written ("5"), 5 serves, 4 is retired. An export that began
 * before reads 4 to its end; then state/4 goes.
 *
 * What a crash leaves. A build from the journal goes on after a crash of the process, and so does
 * one from profiles of which no shard was half done. After a crash of the machine it begins again,
 * for until it is done it does not wait for the disk. When the disk is full, what was built is
 * removed, so that hits have the room, and is tried again later.
 *
 * Threads: fold threads work on the serving generation, builders, of low priority, on the one being
 * built. Thread i has the shards i, i + n, i + 2n … All functions are for any thread; a generation
 * that a function returns is a reference, for generation_unref(). */
#ifndef CRUMB_VIEWS_ENGINE_H
#define CRUMB_VIEWS_ENGINE_H

#include "crumb/views/fold.h"
#include "crumb/core/metric.h"

struct generation {
	_Atomic int refs;
	/* constant from generation_new() on */
	uint32_t number;
	unsigned shards;
	struct rules *rules;
	struct store *store;
	/* set before it is seen by others */
	uint32_t lineage; /* the same for generations whose ordinals mean the same visitors */
	bool adopts;	  /* it is made from profiles */
	/* under the engine's lock */
	uint32_t since;		 /* when it began to serve, seconds; 0: not known */
	struct generation *next; /* among those that no longer serve */
	bool *ready;		 /* while it is built, per shard: caught up */
	/* set by the builder that has the shard, read by any thread */
	_Atomic bool *sealed; /* while it is built, per shard: on disk, with what only the old views
				 knew; from then on it may serve at any time */
	/* any thread */
	_Atomic bool dropped;		    /* remove its files with the last reference */
	_Atomic uint64_t adopted, to_adopt; /* visitors, while it is made from profiles */
	_Atomic uint64_t *filled;	    /* while it is made from the journal, per shard: keys
					       below are done */
	struct fold fold[];		    /* one a shard; each has its own lock (views/fold.h) */
};

/* Opens the serving generation for reading only, for commands beside or without a server.
 * ERR_NOT_FOUND: there are no views yet. */
enum err generation_open(
    struct store *s, const struct config *c, struct generation **out) MUST_CHECK;
void generation_unref(struct generation *g);
/* The rules that a generation was built for, from its first shard. rules_unref() them. */
enum err generation_stored_rules(struct store *s, uint32_t number, struct rules **out) MUST_CHECK;

struct engine;

/* Opens the views that are stored, or begins with an empty generation for `rules`, and starts the
 * threads. Other rules than the stored ones are built at once. Store, configuration and engine live
 * until engine_stop(); `rules` get a reference. */
enum err engine_start(
    const struct config *c, struct store *s, struct rules *rules, struct engine **out) MUST_CHECK;
/* The same without threads, for whoever has only one (tests/sim). engine_turn() does what they
 * would do: one pass over all shards of what serves and of what is built. False: nothing more can
 * be done now. */
enum err engine_open(
    const struct config *c, struct store *s, struct rules *rules, struct engine **out) MUST_CHECK;
bool engine_turn(struct engine *e);
void engine_stop(struct engine *e);

/* The journal has grown, and nobody waits for it; any thread. */
void engine_poke(struct engine *e);
/* `heard` is called by fold threads, with the engine's lock held, after passes that somebody
 * hurried for. At most COLLECT_THREADS_MAX listeners. */
void engine_listen(struct engine *e, void (*heard)(void *), void *arg);
/* Fold now, and do not pace. */
void engine_hurry(struct engine *e);

struct generation *engine_serving(struct engine *e); /* a reference */

/* Builds a generation for these rules and serves it when it is done. Takes its own reference. */
void engine_reload(struct engine *e, struct rules *rules);
/* Is a generation built, or about to be, for other rules than those that serve? */
bool engine_building(struct engine *e);
/* How far that build is; false: there is none. */
struct engine_build {
	struct rules *rules; /* a reference */
	double share;	     /* 0 to 1 */
	bool from_profiles;
};
bool engine_progress(struct engine *e, struct engine_build *out);

/* Copies the views into a fresh generation, so that nothing of what was deleted is left in free
 * pages and slack of the files. Serves it when done; for lack of room it is given up. False:
 * something else is being built. */
bool engine_compact(struct engine *e);
bool engine_compacting(struct engine *e);
/* Are files of a generation that serves no more still there? Somebody may be reading it. */
bool engine_removing(struct engine *e);

/* What fails and is tried again, with the serving views or with what is to be built, in words;
 * false: all is well. */
bool engine_trouble(struct engine *e, char *out, size_t cap);
bool engine_build_trouble(struct engine *e, char *out, size_t cap);

/* Do the serving views have the journal of this shard up to `at`? And those, too, that may take
 * their place at any time: what was told once is not untold by the next views. A position that
 * journal_committed() told is exchanged once it has another (journal_resolve()). */
bool engine_folded(struct engine *e, unsigned shard, struct journal_pos *at);
/* Do both have all that was committed, and is all swept that was due up to this hour? */
bool engine_settled(struct engine *e, uint32_t hour);
double engine_lag_s(struct engine *e); /* age of the oldest shard that is behind; 0: none is */
uint32_t engine_hours_behind(struct engine *e); /* of the sweep */
extern const struct gauge engine_gauges[];	/* of a struct engine */

#endif
