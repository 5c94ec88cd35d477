/* Hold-out groups: a share of a segment that is handed to nobody, so that the operator can see what
 * reaching the others did.
 *
 * A visitor is held out when hash(segment, visitor) mod 100 is `target` or more. The hash is keyed
 * with the store's export key. So the group is the same over time, after rebuilds and on every
 * machine with the same keys, and unrelated between segments. Pure; any thread. */
#ifndef CRUMB_PRIVACY_SPLIT_H
#define CRUMB_PRIVACY_SPLIT_H

#include "crumb/model/identity.h"

/* `target` is the share in per cent that is handed out; 100: nobody is held out. */
bool split_held_out(
    const struct identity_keys *k, struct str segment, unsigned target, const struct vkey *v);

#endif
