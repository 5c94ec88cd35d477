/* Rules that do not serve, tried on the journal: a generation whose files have no names. */
#include "crumb/views/trial.h"

#include "crumb/views/fill.h"
#include "generations.h"

#include <stdio.h>
#include <sys/stat.h>

enum err trial_open(struct store *journal, const struct config *c, struct rules *r,
    const char *folder, uint32_t now, const struct trial_watch *watch, struct trial *out)
{
	static const _Atomic bool never = false;
	const _Atomic bool *stop = watch->stop ? watch->stop : &never;
	out->store = *journal;
	snprintf(out->store.path, sizeof out->store.path, "%s", folder);
	out->store.readonly = false;
	char state[4200];
	snprintf(state, sizeof state, "%s/state", folder);
	if (mkdir(state, 0700) != 0)
		return err_set(ERR_IO, "%s: cannot be made", state);
	struct generation *g = out->generation = generation_new(&out->store, 1, r);
	enum err e = generation_open_folds(g, &out->store, c);
	/* removes the names; what is open stays until it is closed */
	store_drop_generation(&out->store, g->number);
	for (unsigned i = 0; i < g->shards && !e; i++) {
		bool more = true;
		e = db_unsynced(&g->fold[i].shard.db);
		if (!e && journal_pos_before(JOURNAL_START, journal_last(journal->journal, i)))
			e = fold_fill(&g->fold[i], journal->journal, now, &g->filled[i], stop);
		while (!e && more)
			e = fold_sweep(&g->fold[i], now, SWEEP_MOST, &more);
		if (watch->progress)
			watch->progress(watch->arg, (double)(i + 1) / g->shards);
	}
	if (e)
		trial_close(out);
	return e;
}

void trial_close(struct trial *t)
{
	generation_unref(t->generation);
	t->generation = NULL;
}
