/* A generation for rules that do not serve, made from the journal into a folder of its own: to see
 * what they would do. */
#ifndef CRUMB_VIEWS_TRIAL_H
#define CRUMB_VIEWS_TRIAL_H

#include "crumb/views/engine.h"

struct trial {
	struct store store; /* the folder */
	struct generation *generation;
};
/* `journal` is a store opened with its journal; `folder` is empty and the caller's to remove. The
 * files in it lose their names as soon as they are open, for they hold visitors: however the
 * process ends, nothing of them is left. `progress` hears a share from 0 to 1. */
enum err trial_open(struct store *journal, const struct config *c, struct rules *r,
    const char *folder, uint32_t now, void (*progress)(double share), struct trial *out) MUST_CHECK;
void trial_close(struct trial *t);

#endif
