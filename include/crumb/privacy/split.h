/* Hold-out groups: a share of a segment that is handed to nobody, so that one can see what reaching
 * the others did. Who is held out depends on visitor and segment alone, by a keyed hash: stable
 * over time, rebuilds and machines with the same keys, and unrelated between segments. */
#ifndef CRUMB_PRIVACY_SPLIT_H
#define CRUMB_PRIVACY_SPLIT_H

#include "crumb/model/identity.h"

/* `target` is the share in per cent that is handed out; 100: nobody is held out. */
bool split_held_out(
    const struct identity_keys *k, struct str segment, unsigned target, const struct vkey *v);

#endif
