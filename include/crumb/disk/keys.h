/* The file `keys`: the only secrets of a store, mode 0600. Every key has a fixed place, so that it
 * is destroyed where it stands. Integers are big-endian.
 *
 *     at      bytes
 *     0       64        "crumb keys 1\n" padded to 16 │ cookie 16 │ imported 16 │ exported 16
 *     64      8 × 24    pseudonym generation: first day u16 │ zero 6 │ key 16
 *     256     128 × 40  journal day: day u16 │ zero 6 │ key 32
 *     5376    256       the seal:
 *                       "crumb seal 1\n" padded to 16 │ store id 16 │ serial u64
 *                       │ destroyed before u16 │ changing 17: a bit for each place │ zero 5
 *                       │ sum 32 │ sum without what is changing 32 │ zeros
 *     5632              the end: 11 sectors of 512 bytes
 *
 * A place with day 0 is empty. A key is on disk, synced, before anything is hashed or sealed with
 * it. It is destroyed by overwriting its place with zeros and syncing. Backups never contain this
 * file. In memory it is locked (mlock), and wiped at the end.
 *
 * The seal tells whole keys from damaged ones, and this store's from another's. A change is three
 * writes, each synced:
 *
 *     1  the seal says which places are changing, and has the sum of all others
 *     2  the places are written
 *     3  the seal says that nothing is changing, and has the sum of all
 *
 * After a crash between 1 and 3 the places that were changing hold a key that nobody used yet, or a
 * key that was to be destroyed: they are emptied. The seal lies in one sector, which a disk writes
 * whole or not at all.
 *
 * The serial counts changes. The store's file `format` remembers it, so that an older copy of
 * `keys` is told from the newest: an older copy has keys that were destroyed since. A file without
 * a seal is of an older crumb; keys_seal() gives it one.
 *
 * Any thread. Whoever asks for a key that is there does not wait for the disk. */
#ifndef CRUMB_DISK_KEYS_H
#define CRUMB_DISK_KEYS_H

#include "crumb/base/err.h"
#include "crumb/model/identity.h"

#define STORE_ID_LEN 16
#define KEYS_DAYS_MAX 128 /* places for keys of journal days: a journal has no more days */

struct keys;

enum keys_mode {
	KEYS_READ,  /* changes nothing */
	KEYS_WRITE, /* must be there */
	KEYS_MAKE   /* fresh ones; where there is a file it must be empty */
};
/* ERR_NOT_FOUND: there is no file. ERR_CORRUPT: it is damaged, or something else. ERR_USAGE: others
 * may read it. */
enum err keys_open(const char *path, enum keys_mode mode, struct keys **out) MUST_CHECK;
void keys_close(struct keys *k); /* wipes the memory; NULL is fine */

bool keys_sealed(struct keys *k); /* false: of an older crumb */
/* Gives a file of an older crumb its seal, and the store an id. */
enum err keys_seal(struct keys *k) MUST_CHECK;
void keys_id(struct keys *k, uint8_t out[STORE_ID_LEN]);
uint64_t keys_serial(struct keys *k);
/* Days before this one have been destroyed, whether or not they had a key; 0: none have. */
uint16_t keys_destroyed_before(struct keys *k);
/* `changed` is called after each change that is on disk, with the new serial. A lock is held
 * meanwhile: `changed` calls no function of this header but keys_id(). */
void keys_on_change(struct keys *k, void (*changed)(void *arg, uint64_t serial), void *arg);

/* Copies what hashing needs. Makes the pseudonym key of `today` if there is none yet and keys may
 * be written. */
enum err keys_identity(struct keys *k, uint16_t today, struct identity_keys *out) MUST_CHECK;
/* Copies the journal key of a day. KEYS_DAY_FIND: a day without a key is ERR_NOT_FOUND.
 * KEYS_DAY_MAKE: it gets one, unless all places are taken (ERR_FULL). */
enum keys_missing { KEYS_DAY_FIND, KEYS_DAY_MAKE };
enum err keys_day(
    struct keys *k, uint16_t day, enum keys_missing missing, uint8_t out[32]) MUST_CHECK;
/* The days that have a key, in no order; at most `cap`. Returns how many. */
unsigned keys_days(struct keys *k, uint16_t *out, unsigned cap);
/* Destroys the day keys before `oldest`, and the generations whose cookies have all ended. After a
 * failure all of it can be tried again. */
enum err keys_expire(struct keys *k, uint16_t oldest, uint16_t today) MUST_CHECK;

#endif
