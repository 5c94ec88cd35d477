/* Lookalikes of a node: training them, and the files of their models under STORE/models, which
 * rules are read with. */
#ifndef CRUMB_NODE_LOOKALIKE_H
#define CRUMB_NODE_LOOKALIKE_H

#include "crumb/learn/learn.h"
#include "crumb/node/node.h"

struct json_t;

/* Trains the lookalike from the serving views and keeps its model; it is in force once the rules
 * were read again. *out is what is told of it:
 * {"id","seed","population","auc","activity_auc","lift_at_10","size","warnings"}. ERR_NOT_FOUND:
 * there is none by that id; ERR_BUSY: it was stopped, or another training that began on a later day
 * ended before, whose model stays. Any thread, several at once. */
enum err lookalike_train(struct generation *g, const struct config *c, struct str id, uint32_t now,
    const _Atomic bool *stop, struct json_t **out) MUST_CHECK;
/* Trains those whose time has come, or who never were; and removes the models whose data is over;
 * *changed: some model is new or gone. What cannot be learned is logged. */
enum err lookalike_refresh(struct generation *g, const struct config *c, uint32_t now,
    const _Atomic bool *stop, bool *changed) MUST_CHECK;

#endif
