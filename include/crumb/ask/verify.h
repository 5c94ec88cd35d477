/* `db verify`: re-derives what must hold of the views, and says in words what does not.
 *
 * Every record decodes; visitors, ordinals and due entries belong together one to one; memberships
 * equal a from-scratch evaluation; counters equal a recount. With `replay`, a second set of views
 * is made from the journal and compared by visitor and name: incremental = from scratch. */
#ifndef CRUMB_ASK_VERIFY_H
#define CRUMB_ASK_VERIFY_H

#include "crumb/views/engine.h"

/* Calls `problem` for each finding; OK means that it could look at everything, not that all was
 * well. */
enum err verify_generation(
    struct generation *g, void (*problem)(void *arg, const char *text), void *arg) MUST_CHECK;
/* `folder` is an empty one for the second set of views, the caller's to remove. Its files lose
 * their names as soon as they are open: however the process ends, nothing of them is left. */
enum err verify_replay(struct generation *g, struct store *journal_store, const struct config *c,
    const char *folder, uint32_t now, void (*problem)(void *arg, const char *text),
    void *arg) MUST_CHECK;

#endif
