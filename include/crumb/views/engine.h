/* The engine: generations of views, the threads that fold and sweep them, and the switch from one
 * generation to the next.
 *
 * A generation is built for one rule set. New rules make a new generation beside the serving one,
 * which goes on:
 *
 *     from profiles   when categories and vocabularies are what they were, and only conditions
 * changed (views/adopt.h) from the journal  else: the same fold that runs live, over all retained
 * days
 *
 * When every shard of it has caught up it is named in CURRENT and serves, and the old one goes with
 * its last reader. Fold threads work on the serving generation, builders, of low priority, on the
 * one being built. A build from the journal goes on after a crash of the process, and so does one
 * from profiles of which no shard was half done; after a crash of the machine it begins again, for
 * until it is done it does not wait for the disk. When the disk is full what was built is removed,
 * so that hits have the room, and other rules are tried again later. */
#ifndef CRUMB_VIEWS_ENGINE_H
#define CRUMB_VIEWS_ENGINE_H

#include "crumb/views/fold.h"
#include "crumb/core/metric.h"

struct generation {
	_Atomic int refs;
	uint32_t number;
	uint32_t lineage; /* the same for generations whose ordinals mean the same visitors */
	uint32_t since;	  /* when it began to serve; 0: unknown */
	unsigned shards;
	struct rules *rules;
	struct store *store;
	_Atomic bool dropped;	 /* remove its files with the last reference */
	struct generation *next; /* among those that no longer serve */
	/* while it is built */
	bool adopts;			    /* from profiles */
	_Atomic uint64_t adopted, to_adopt; /* visitors */
	_Atomic uint64_t *filled;	    /* per shard: keys below are done */
	bool *sealed; /* per shard: on disk, with what only the old views knew; the builder's that
			 owns it */
	bool *ready;  /* per shard: caught up; under the engine's lock */
	struct fold fold[];
};

/* Opens the serving generation for reading only (commands beside or without a server).
 * ERR_NOT_FOUND: nothing there yet. */
enum err generation_open(
    struct store *s, const struct config *c, struct generation **out) MUST_CHECK;
void generation_unref(struct generation *g);
/* The rules a generation was built for, from its first shard. */
enum err generation_stored_rules(struct store *s, uint32_t number, struct rules **out) MUST_CHECK;

struct engine;

/* Opens what is stored, or begins with an empty generation for `rules`; other rules than the stored
 * ones start a rebuild. */
enum err engine_start(
    const struct config *c, struct store *s, struct rules *rules, struct engine **out) MUST_CHECK;
/* The same without threads, for whoever has only one (tests/sim): what they would do is done by
 * engine_turn(), one pass over all shards of what serves and of what is built. False: nothing more
 * can be done now. */
enum err engine_open(
    const struct config *c, struct store *s, struct rules *rules, struct engine **out) MUST_CHECK;
bool engine_turn(struct engine *e);
void engine_stop(struct engine *e);
void engine_poke(void *engine,
    bool
	asked); /* the journal has grown; any thread. Asked: somebody waits, as in engine_hurry() */
/* Called, from fold threads, after commits that somebody hurried for; at most COLLECT_THREADS_MAX
 * listeners. */
void engine_listen(struct engine *e, void (*heard)(void *), void *arg);

struct generation *engine_serving(struct engine *e); /* a reference */
/* Builds a generation for these rules and serves it when done. Takes a reference of its own. */
void engine_reload(struct engine *e, struct rules *rules);
bool engine_building(struct engine *e); /* for other rules than those that serve */
/* Copies the views into a fresh generation, so that nothing of what was deleted is left in the
 * files' free pages and slack. Serves it when done, like a reload; for lack of room it is given up.
 * False: something else is being built. */
bool engine_compact(struct engine *e);
bool engine_compacting(struct engine *e);
bool engine_removing(struct engine
	*e); /* are files of a generation that serves no more still there? Somebody may read it */
/* Says what fails and is tried again, with the serving views or with what is to be built; false:
 * all is well. */
bool engine_trouble(struct engine *e, char *out, size_t cap);
bool engine_build_trouble(struct engine *e, char *out, size_t cap);
/* How far the build is, 0 to 1; false: there is none. `rules` gets a reference. */
struct engine_build {
	struct rules *rules;
	double share;
	bool from_profiles;
};
bool engine_progress(struct engine *e, struct engine_build *out);

void engine_hurry(struct engine *e); /* fold now, do not pace */
bool engine_folded(
    struct engine *e, unsigned shard, struct journal_pos at); /* are the serving views so far? */
bool engine_settled(struct engine *e,
    uint32_t hour); /* everything journalled is folded and everything due is swept */
double engine_lag_s(struct engine *e); /* since when the oldest shard is behind; 0: none is */
uint32_t engine_hours_behind(struct engine *e);
extern const struct gauge engine_gauges[]; /* of a struct engine */

#endif
