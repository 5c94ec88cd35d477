/* Lookalikes of a node: training them, and the files of their models, STORE/models/ID.json. Rules
 * are read together with the models. */
#ifndef CRUMB_NODE_LOOKALIKE_H
#define CRUMB_NODE_LOOKALIKE_H

#include "crumb/learn/learn.h"
#include "crumb/node/node.h"

struct json_t;

/* Trains the lookalike from the serving views and keeps its model. The model is in force once the
 * rules were read again (node_reload()). *out is what is told of it, the caller's reference:
 * {"id","seed","population","auc","activity_auc","lift_at_10","size","warnings"}. ERR_NOT_FOUND:
 * there is no lookalike by that id. ERR_BUSY: *stop became true; or another training that began on
 * a later day ended before, and its model stays. Any thread, several at once. */
enum err lookalike_train(struct generation *g, const struct config *c, struct str id, uint32_t now,
    const _Atomic bool *stop, struct json_t **out) MUST_CHECK;
/* Trains the lookalikes whose time has come, or that have no model, and removes the models whose
 * data is over. *changed: some model is new or gone. What cannot be learned is logged. Any thread.
 */
enum err lookalike_refresh(struct generation *g, const struct config *c, uint32_t now,
    const _Atomic bool *stop, bool *changed) MUST_CHECK;

#endif
