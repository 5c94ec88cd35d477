/* A trial: a generation for rules that do not serve, made from the journal in a folder of its own,
 * to see what these rules would do. `crumb rules diff` compares it with what serves.
 *
 *     store/journal  ──read──►  fold_fill() ──►  FOLDER/state/1/0 …     views of the trial
 *     store/state    untouched                   no names, never synced, gone with the process
 *
 * The files hold visitors. They lose their names as soon as they are open: however the process
 * ends, the system frees them, and nothing of them is left.
 *
 * Shards are filled one after the other, each as in a rebuild (views/fill.h), and swept. Example:
 * 30 million events of 1,000,000 visitors in 8 shards are 3,750,000 records a shard: one range, 120
 * MB of entries at a time, some 300 MB of files in the end. The journal is read beside a running
 * server, which is not asked and does not notice.
 *
 * One thread, from trial_open() to trial_close(). */
#ifndef CRUMB_VIEWS_TRIAL_H
#define CRUMB_VIEWS_TRIAL_H

#include "crumb/views/engine.h"

struct trial {
	struct store store; /* the journal's, with the folder in place of the path */
	struct generation *generation;
};
/* Who waits for it. */
struct trial_watch {
	void (*progress)(void *arg, double share); /* hears 0 to 1 after each shard; NULL: nobody */
	void *arg;
	const _Atomic bool *stop; /* set: give up; NULL: nobody does */
};
/* `journal` is a store that was opened with its journal, and outlives the trial. `folder` is empty,
 * and the caller's to remove. On an error nothing is open. ERR_IO: the folder cannot be
 * written to; ERR_BUSY: it was stopped. */
enum err trial_open(struct store *journal, const struct config *c, struct rules *r,
    const char *folder, uint32_t now, const struct trial_watch *watch,
    struct trial *out) MUST_CHECK;
void trial_close(struct trial *t);

#endif
