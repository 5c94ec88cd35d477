/* The file `keys`: the only secrets, mode 0600. Fixed places, so that a key is destroyed where it
 * stands.
 *
 *     "crumb keys 1\n" padded to 16 │ cookie 16 │ imported 16 │ exported 16
 *     8 × pseudonym generation: first day u16, 6 zero, key 16
 *     128 × journal day:        day u16, 6 zero, key 32
 *     seal 256:                 "crumb seal 1\n" padded to 16 │ store id 16 │ serial u64 │
 * destroyed before u16 │ changing bits 17 │ 5 zero │ sum 32 │ sum without what is changing 32 │
 * zeros
 *
 * A key is on disk, synced, before anything is hashed or sealed with it. It is destroyed by
 * overwriting its place with zeros and syncing. Backups never contain this file. Locked in memory.
 * Any thread; whoever asks for a key that is there does not wait for the disk.
 *
 * The seal tells whole keys from damaged ones, and this store's from another's. A change is
 * announced in it (which places, and the sum of all others), made, and then sealed: three writes,
 * each synced. After a crash between them the places that were changing hold a key that nobody used
 * yet, or one that was to be destroyed: they are emptied. The serial counts changes; `format`
 * remembers it, so that an older copy is told from the newest. A file without a seal is of an older
 * crumb; keys_seal() gives it one. */
#ifndef CRUMB_DISK_KEYS_H
#define CRUMB_DISK_KEYS_H

#include "crumb/base/err.h"
#include "crumb/model/identity.h"

#define STORE_ID_LEN 16

struct keys;

enum keys_mode {
	KEYS_READ,  /* changes nothing */
	KEYS_WRITE, /* must be there */
	KEYS_MAKE   /* fresh ones; where there is a file it must be empty */
};
/* ERR_NOT_FOUND: no file. ERR_CORRUPT: it is damaged, or something else. */
enum err keys_open(const char *path, enum keys_mode mode, struct keys **out) MUST_CHECK;
void keys_close(struct keys *k);

bool keys_sealed(struct keys *k);
/* Gives a file of an older crumb its seal. */
enum err keys_seal(struct keys *k) MUST_CHECK;
void keys_id(struct keys *k, uint8_t out[STORE_ID_LEN]);
uint64_t keys_serial(struct keys *k);
/* Days before this one have been destroyed, whether or not they had a key; 0: none have. */
uint16_t keys_destroyed_before(struct keys *k);
/* `changed` is called after each change that is on disk, with the new serial; it may not call back.
 */
void keys_on_change(struct keys *k, void (*changed)(void *arg, uint64_t serial), void *arg);

/* A copy of what hashing needs; makes the generation of `today` if there is none yet and keys may
 * be written. */
enum err keys_identity(struct keys *k, uint16_t today, struct identity_keys *out) MUST_CHECK;
/* The journal key of a day. A day that has none: ERR_NOT_FOUND, or one is made. */
enum keys_missing { KEYS_DAY_FIND, KEYS_DAY_MAKE };
enum err keys_day(
    struct keys *k, uint16_t day, enum keys_missing missing, uint8_t out[32]) MUST_CHECK;
/* The days that have a key; at most `cap`. */
unsigned keys_days(struct keys *k, uint16_t *out, unsigned cap);
/* Destroys the day keys before `oldest`, and the generations whose cookies have all ended. After a
 * failure all of it can be tried again. */
enum err keys_expire(struct keys *k, uint16_t oldest, uint16_t today) MUST_CHECK;

#endif
