/* The file `keys`: the only secrets, mode 0600. Fixed places, so that a key is destroyed where it stands.
 *
 *     "crumb keys 1\n" padded to 16 │ cookie 16 │ imported 16 │ exported 16
 *     8 × pseudonym generation: first day u16, 6 zero, key 16
 *     128 × journal day:        day u16, 6 zero, key 32
 *
 * A key is on disk, synced, before anything is hashed or sealed with it. It is destroyed by overwriting its place with
 * zeros and syncing. Backups never contain this file. Locked in memory. Any thread. */
#ifndef CRUMB_STORE_KEYS_H
#define CRUMB_STORE_KEYS_H

#include "crumb/base/err.h"
#include "crumb/model/identity.h"

struct keys;

enum err keys_open(const char *path, bool create, struct keys **out) MUST_CHECK;
void keys_close(struct keys *k);

/* A copy of what hashing needs; makes the generation of `today` if there is none yet. */
enum err keys_identity(struct keys *k, uint16_t today, struct identity_keys *out) MUST_CHECK;
/* The journal key of a day; made when asked to, else ERR_NOT_FOUND. */
enum err keys_day(struct keys *k, uint16_t day, bool make, uint8_t out[32]) MUST_CHECK;
/* Destroys the day keys before `oldest`, and the generations whose cookies have all ended. */
enum err keys_expire(struct keys *k, uint16_t oldest, uint16_t today) MUST_CHECK;

#endif
