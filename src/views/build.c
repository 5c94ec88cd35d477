/* Builders: they make the next generation beside the serving one, at low priority.
 *
 * What is wanted comes from the engine: other rules, the same rules from the journal because views
 * are damaged, or the same in fresh files. The first builder prepares it (prepare()), names it when
 * it is ready (switch_over()) and removes it when it cannot be (give_up()). All builders work on
 * their shards (build_step()), each in three phases:
 *
 *     fill      the bulk: from profiles or from the journal                    unfilled() → fill
 *     catch up  folds and sweeps like any other shard                          engine_step()
 *     seal      synced to disk, the sizes of past days taken over, then it     seal()
 *               goes on folding until all shards are ready
 *
 * All shards of a builder go through a phase before one of them begins the next: who waits for a
 * hit waits for the sealed shard, too, and filling another one may take minutes.
 *
 * A generation serves when all of its shards are sealed and have caught up since, in a pass that
 * went well. What is told as folded from the sealing on is in it, too (engine_folded()).
 *
 * Who may stop it: a full disk or damage (`giving_up`; what was wanted is queued again, with pauses
 * up to RETRY_MOST_S), newer rules (they wait until this generation serves, for a newer one is
 * adopted from it as a rule), the end of the process (what is on disk is gone on with,
 * resumable()).
 *
 * The lock is held while the engine's state is looked at, and free while a shard is worked on. A
 * thread of low priority that holds it would make look-ups wait, so it is an ordinary one for as
 * long (low_hold()). */
#include "crumb/base/file.h"
#include "crumb/views/adopt.h"
#include "crumb/views/fill.h"
#include "crumb/base/lock.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "generations.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUILD_WAIT_MS 5 /* while other shards catch up */
#define IDLE_WAIT_MS 1000
#define RETRY_MOST_S 60

/* --- beginning, or going on */

/* The id of this run of the machine: what was not synced in it is still in the system's memory. */
static struct str boot_id(char out[64])
{
	if (file_read_text("/proc/sys/kernel/random/boot_id", out, 64) != OK)
		return STR("");
	return str_c(out);
}

/* Marks each shard with this run of the machine. Until it is sealed a shard does not wait for the
 * disk. */
static enum err mark_built(struct generation *g)
{
	char id[64];
	struct str boot = boot_id(id);
	enum err e = OK;
	for (unsigned i = 0; i < g->shards && !e; i++) {
		struct db_txn t;
		if ((e = db_unsynced(&g->fold[i].shard.db)) ||
		    (e = db_begin(&g->fold[i].shard.db, DB_WRITE, &t)))
			return e;
		db_put(&t, g->fold[i].shard.meta, STR("boot"), boot);
		e = db_end(&t);
	}
	return e;
}

/* Can the files of generation `number` be gone on with? They were begun in this run of the machine,
 * for these rules, and no shard is half adopted. */
static bool resumable(struct engine *e, uint32_t number, const struct rules *rules)
{
	char path[4200], id[64];
	struct rules *stored = NULL;
	struct str boot = boot_id(id), was;
	bool fine = boot.n > 0;
	for (unsigned i = 0; i < e->store->shards; i++) {
		snprintf(path, sizeof path, "%s/state/%u/%u/data.mdb", e->store->path, number, i);
		if (access(path, F_OK) != 0)
			return false;
	}
	if (generation_stored_rules(e->store, number, &stored) != OK)
		return false;
	fine = fine && memcmp(stored->hash, rules->hash, sizeof rules->hash) == 0;
	rules_unref(stored);
	for (unsigned i = 0; i < e->store->shards && fine; i++) {
		struct shard sh;
		struct db_txn t;
		uint64_t adopting;
		if (store_shard(e->store, number, i, &sh) != OK)
			return false;
		fine = db_begin(&sh.db, DB_READ, &t) == OK;
		if (fine) {
			fine = db_get(&t, sh.meta, STR("boot"), &was) && str_eq(was, boot) &&
			       !shard_meta_u64(&sh, &t, "adopting", &adopting);
			db_abort(&t);
		}
		shard_close(&sh);
	}
	return fine;
}

/* Makes, or opens, the files of the next generation, and decides where its views come from. */
static enum err build_make(struct engine *e, const struct generation *serving, struct rules *rules,
    bool remake, struct generation **out, bool *resumed)
{
	uint32_t number = serving->number + 1;
	*resumed = !remake && resumable(e, number, rules);
	if (!*resumed)
		store_drop_generation(e->store, number);
	struct generation *g = generation_new(e->store, number, rules);
	enum err err = generation_open_folds(g, e->store, e->config);
	if (!err)
		err = mark_built(g);
	if (err) {
		char why[300];
		snprintf(why, sizeof why, "%s", err_text());
		atomic_store(&g->dropped, true);
		generation_unref(g);
		return err_set(err, "%s", why);
	}
	g->adopts =
	    !remake && !generation_damaged(serving) && adopt_possible(serving->rules, rules);
	if (g->adopts)
		g->lineage = serving->lineage;
	for (unsigned i = 0; g->adopts && i < g->shards; i++) {
		struct db_txn t;
		if (db_begin((struct db *)&serving->fold[i].shard.db, DB_READ, &t) != OK)
			continue;
		atomic_fetch_add(&g->to_adopt, db_count(&t, serving->fold[i].shard.visitors));
		db_abort(&t);
	}
	*out = g;
	return OK;
}

/* The rules to be built next, with a reference, or NULL. */
static struct rules *take_next(struct engine *e)
{
	CHECK_HELD(&e->lock);
	struct rules *next = e->queued;
	e->queued = NULL;
	if (next && same_rules(next, e->serving->rules)) {
		rules_unref(next);
		next = NULL;
	}
	if (!next && (e->compact_wanted || e->remake_wanted))
		next = rules_ref(e->serving->rules);
	e->compact_wanted = false; /* other rules make fresh files, too */
	return next;
}

/* Makes the files of what is to be built; the lock is free meanwhile. On an error other rules are
 * queued again. */
static void prepare(struct engine *e)
{
	CHECK_HELD(&e->lock);
	struct generation *g = NULL, *serving;
	struct rules *rules = take_next(e);
	bool resumed = false;
	if (!rules)
		return;
	serving = generation_ref(e->serving);
	e->preparing = rules;
	bool change = !same_rules(rules, serving->rules), remake = e->remake_wanted;
	const char *what = "compacting";
	if (change)
		what = "recomputing the history";
	else if (remake)
		what = "making damaged views again";
	pthread_mutex_unlock(&e->lock);
	low_release();
	enum err err = change || store_room_for_another(e->store, serving->number)
			   ? build_make(e, serving, rules, remake, &g, &resumed)
			   : err_set(ERR_FULL, "%s: there is no room for the views a second time",
				 e->store->path);
	low_hold();
	pthread_mutex_lock(&e->lock);
	e->preparing = NULL;
	if (err) {
		trouble_note(&e->building_trouble, RETRY_MOST_S, "rules", what);
		if (change && !e->queued)
			e->queued = rules_ref(rules);
	} else {
		e->building = g;
		log_info("rules", "%s generation=%u rules=%s from=%s%s", what, g->number,
		    rules->hash_text, g->adopts ? "profiles" : "journal",
		    resumed ? " resumed=yes" : "");
	}
	pthread_cond_broadcast(&e->build);
	rules_unref(rules);
	generation_unref(serving); /* never the last: it serves */
}

static bool builds_change(const struct engine *e)
{
	return e->building && !same_rules(e->building->rules, e->serving->rules);
}

bool build_is_change(const struct engine *e)
{
	return e->queued || (e->preparing && !same_rules(e->preparing, e->serving->rules)) ||
	       builds_change(e);
}

bool build_is_compaction(const struct engine *e)
{
	return e->compact_wanted || e->remake_wanted ||
	       (e->preparing && same_rules(e->preparing, e->serving->rules)) ||
	       (e->building && !builds_change(e));
}

/* --- ending */

/* Serves the generation that has caught up; the lock is free while CURRENT is written. */
static void switch_over(struct engine *e)
{
	CHECK_HELD(&e->lock);
	struct generation *fresh = e->building, *old = e->serving;
	e->naming = true;
	pthread_mutex_unlock(&e->lock);
	enum err err = store_set_current(e->store, fresh->number);
	pthread_mutex_lock(&e->lock);
	e->naming = false;
	if (err) {
		trouble_note(
		    &e->building_trouble, RETRY_MOST_S, "rules", "naming the new generation");
		return;
	}
	trouble_over(&e->building_trouble, "rules", "making new views");
	fresh->since = clock_now();
	e->serving = fresh;
	e->building = NULL;
	e->remake_wanted &= fresh->adopts;
	atomic_store(&old->dropped, true);
	old->next = e->retired;
	e->retired = old;
	log_info("rules", "serving generation=%u rules=%s", fresh->number, fresh->rules->hash_text);
	pthread_cond_broadcast(&e->wake);
}

/* Removes what was built, once no builder works on it any more; the lock is free meanwhile. */
static void give_up(struct engine *e)
{
	CHECK_HELD(&e->lock);
	struct generation *g = e->building;
	if (atomic_load(&g->refs) != 1)
		return;
	if (builds_change(e) && !e->queued)
		e->queued = rules_ref(g->rules);
	e->building = NULL;
	e->giving_up = false;
	atomic_store(&g->dropped, true);
	pthread_mutex_unlock(&e->lock);
	low_release();
	generation_unref(g);
	low_hold();
	pthread_mutex_lock(&e->lock);
}

/* What one builder's pass has come to: trouble is told, shards that have caught up are ready, and
 * the first builder names a generation all of whose shards are. */
static void end_pass(struct engine *e, struct generation *b, struct engine_thread *me,
    const struct progress *p, uint32_t hour)
{
	CHECK_HELD(&e->lock);
	if (e->building != b)
		return;
	if (p->failed) {
		err_set(ERR_IO, "%s", p->why);
		trouble_note(&me->trouble, 1, "build", "making new views");
	} else {
		trouble_over(&me->trouble, "build", "making new views");
	}
	if ((p->full || p->damaged) && !e->giving_up && !e->naming) {
		err_set(ERR_FULL, "%s", *p->why ? p->why : "what was built is damaged");
		trouble_note(&e->building_trouble, RETRY_MOST_S, "rules",
		    builds_change(e) ? "recomputing the history" : "compacting");
		e->giving_up = true;
	}
	bool all = !e->giving_up;
	for (unsigned s = 0; s < b->shards; s++) {
		if (s % e->threads_n == me->number)
			b->ready[s] = !p->failed && atomic_load(&b->sealed[s]) &&
				      engine_caught_up(e, b, s, hour);
		all &= b->ready[s];
	}
	if (all && me->number == 0 && trouble_due(&e->building_trouble))
		switch_over(e);
}

/* --- one shard */

/* A shard has caught up for the first time: takes over what only the old views know, as of one
 * moment, and brings the shard to disk. */
static enum err seal(struct generation *b, struct generation *g, unsigned shard, uint32_t now)
{
	struct fold *f = &b->fold[shard], *old = &g->fold[shard];
	pthread_mutex_lock(&f->busy);
	enum err err = fold_carry_daily(f, &old->shard, g->rules, day_of(now));
	if (err == ERR_CORRUPT && db_damaged(&old->shard.db) && !db_damaged(&f->shard.db))
		err = OK; /* the sizes of past days begin anew */
	if (!err)
		err = db_synced_again(&f->shard.db);
	pthread_mutex_unlock(&f->busy);
	return err;
}

/* Has the shard nothing of its own, or only a part of what filling or adopting makes? The marks are
 * read from the file, for the commit that ended the filling may have failed and be there. */
static bool unfilled(struct fold *f, enum err *err)
{
	struct db_txn t;
	struct str v;
	struct journal_pos at;
	if (fold_begun(f) || (*err = db_begin(&f->shard.db, DB_READ, &t)))
		return false;
	bool begun = db_get(&t, f->shard.meta, STR("fill"), &v) ||
		     db_get(&t, f->shard.meta, STR("adopting"), &v);
	bool empty = db_count(&t, f->shard.visitors) == 0,
	     done = shard_watermark(&f->shard, &t, &at) && journal_pos_before(JOURNAL_START, at);
	*err = t.err;
	db_abort(&t);
	return !*err && !done && (begun || empty);
}

/* The bulk of the work, from profiles or from the journal; nothing where it is done. */
static enum err build_fill(
    struct engine *e, struct generation *b, struct generation *g, unsigned shard, uint32_t now)
{
	struct fold *f = &b->fold[shard];
	enum err err = OK;
	if (!unfilled(f, &err) ||
	    !journal_pos_before(JOURNAL_START, journal_last(e->store->journal, shard)))
		return err;
	pthread_mutex_lock(&f->busy);
	err = b->adopts ? fold_adopt(f, &g->fold[shard].shard, g->rules, now, &b->adopted, &e->stop)
			: fold_fill(f, e->store->journal, now, &b->filled[shard], &e->stop);
	pthread_mutex_unlock(&f->busy);
	return err;
}

/* What failed with one shard of this pass; the caller's text says why. */
static void build_failed(struct engine *e, const struct generation *b, const struct generation *g,
    unsigned shard, enum err err, struct progress *p)
{
	/* ERR_BUSY: the next pass looks again */
	if (!err || err == ERR_BUSY || atomic_load(&e->stop))
		return;
	p->failed = true;
	p->damaged |= db_damaged(&b->fold[shard].shard.db) ||
		      (b->adopts && db_damaged(&g->fold[shard].shard.db));
	p->full |= err == ERR_FULL;
	snprintf(p->why, sizeof p->why, "%s", err_text());
}

/* Fills the builder's shards. True: all of them are filled. */
static bool build_fill_all(
    struct engine_thread *me, struct generation *b, struct generation *g, struct progress *p)
{
	struct engine *e = me->e;
	bool all = true;
	for (unsigned s = me->number; s < b->shards && !atomic_load(&e->stop); s += e->threads_n) {
		memory_begin();
		enum err err = build_fill(e, b, g, s, clock_views());
		build_failed(e, b, g, s, err, p);
		all &= !err;
	}
	return all;
}

/* One pass over one shard that is filled: folds and sweeps it. True: it has caught up. */
static bool build_step(
    struct engine *e, struct generation *b, unsigned shard, uint32_t now, struct progress *p)
{
	struct progress own = {.worked = false};
	/* a sealed shard may serve at any time, and then somebody may wait for its lock */
	bool soon = atomic_load(&b->sealed[shard]);
	if (soon)
		low_hold();
	engine_step(e, b, shard, FOLD_MOST, now, &own);
	if (soon)
		low_release();
	p->worked |= own.worked;
	p->pending |= own.pending;
	if (own.failed && !p->failed)
		memcpy(p->why, own.why, sizeof p->why);
	p->failed |= own.failed;
	p->full |= own.full;
	p->damaged |= own.damaged;
	return !own.pending && !own.failed && engine_caught_up(e, b, shard, hour_of(now));
}

/* Seals the builder's shards, all of which have caught up in this pass. They are all on disk before
 * one of them counts as sealed. */
static void build_seal_all(struct engine_thread *me, struct generation *b, struct generation *g,
    uint32_t now, struct progress *p)
{
	struct engine *e = me->e;
	unsigned end = me->number;
	for (; end < b->shards; end += e->threads_n) {
		if (atomic_load(&b->sealed[end]))
			continue;
		enum err err = seal(b, g, end, now);
		build_failed(e, b, g, end, err, p);
		if (err)
			break;
		p->worked = true;
	}
	for (unsigned s = me->number; s < end; s += e->threads_n)
		atomic_store(&b->sealed[s], true);
}

bool build_pass(struct engine_thread *me, struct progress *p)
{
	struct engine *e = me->e;
	if (me->number == 0 && e->giving_up)
		give_up(e);
	if (me->number == 0 && !e->building && trouble_due(&e->building_trouble))
		prepare(e);
	if (!e->building || e->giving_up)
		return false;
	struct generation *b = generation_ref(e->building), *g = generation_ref(e->serving);
	pthread_mutex_unlock(&e->lock);
	low_release();
	bool caught_up = build_fill_all(me, b, g, p), filled = caught_up;
	uint32_t now = clock_views();
	for (unsigned s = me->number; filled && s < b->shards && !atomic_load(&e->stop);
	     s += e->threads_n) {
		memory_begin();
		caught_up &= build_step(e, b, s, now, p);
	}
	if (caught_up && !atomic_load(&e->stop))
		build_seal_all(me, b, g, now, p);
	low_hold();
	pthread_mutex_lock(&e->lock);
	end_pass(e, b, me, p, hour_of(now));
	if (p->damaged && b->adopts)
		engine_damaged(e, g);
	/* Neither is the last reference: g serves or is retired, and b is given up only when nobody
	 * else has it. */
	generation_unref(g);
	generation_unref(b);
	return true;
}

void *build_run(void *arg)
{
	struct engine_thread *me = arg;
	struct engine *e = me->e;
	low_begin();
	low_hold();
	pthread_mutex_lock(&e->lock);
	while (!atomic_load(&e->stop)) {
		struct progress p = {.worked = false};
		if (!build_pass(me, &p)) {
			engine_wait(
			    &e->build, &e->lock, e->giving_up ? BUILD_WAIT_MS : IDLE_WAIT_MS);
			continue;
		}
		if (p.failed && !e->giving_up)
			engine_rest(e, &e->build, IDLE_WAIT_MS);
		else if (!p.pending && e->building && !e->giving_up)
			engine_wait(&e->build, &e->lock, BUILD_WAIT_MS);
	}
	pthread_mutex_unlock(&e->lock);
	low_release();
	return NULL;
}

/* --- for whoever asks */

bool engine_progress(struct engine *e, struct engine_build *out)
{
	double share = 0;
	pthread_mutex_lock(&e->lock);
	bool change = build_is_change(e);
	struct generation *b = builds_change(e) ? e->building : NULL;
	struct rules *next =
	    e->preparing && !same_rules(e->preparing, e->serving->rules) ? e->preparing : e->queued;
	for (unsigned i = 0; b && i < b->shards; i++)
		share += fold_begun(&b->fold[i])
			     ? 1
			     : (double)atomic_load(&b->filled[i]) / (double)UINT64_MAX;
	if (b) {
		uint64_t all = atomic_load(&b->to_adopt), adopted = atomic_load(&b->adopted);
		share /= b->shards;
		if (b->adopts && all)
			share = adopted < all ? (double)adopted / (double)all : 1;
		*out = (struct engine_build){rules_ref(b->rules), share, b->adopts};
	} else if (change) { /* not begun */
		*out = (struct engine_build){
		    rules_ref(next), 0, adopt_possible(e->serving->rules, next)};
	}
	pthread_mutex_unlock(&e->lock);
	return change;
}
