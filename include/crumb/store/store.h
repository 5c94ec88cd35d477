/* The store: a folder, created with fresh keys when missing.
 *
 *     format      what store this is: shards, the store's id, how new its keys are
 * (src/store/format.c) lock        held (flock) by whoever writes: a server, or a command when no
 * server runs keys        the secrets (disk/keys.h) files       how the large files stood when the
 * store was closed (disk/files.h) days        which days there must be, and how many events are in
 * them (src/journal/ledger.c) erased      visitors who are not to come back (store/erased.h) told
 * which groups the k gate has told (privacy/kgate.h) kept        the day whose nightly work was
 * done seen        the last day on which the clock was believed (node/time.c) clock       seconds
 * by which tests moved the clock, if they did admin       address and token of the running server's
 * admin listener, 0600 journal/    journal/journal.h wal         commits on their way into the
 * journal (src/journal/wal.h) undo        the commit of several days that is under way
 * (src/journal/whole.c) exports/DEST/    what destinations hold, and deliveries under way
 * (delivery/deliver.h) state/GEN/SHARD/, state/CURRENT    the views; CURRENT names the serving
 * generation */
#ifndef CRUMB_STORE_STORE_H
#define CRUMB_STORE_STORE_H

#include "crumb/base/file.h"
#include "crumb/core/config.h"
#include "crumb/store/erased.h"
#include "crumb/journal/journal.h"
#include "crumb/store/shard.h"

#define STORE_PATH_MAX 2000 /* so that no path below it is cut anywhere */

struct store {
	char path[STORE_PATH_MAX + 1];
	unsigned shards;
	size_t map_bytes;
	bool readonly;
	int lock_fd;
	struct keys *keys;
	struct files *files;
	struct damage *damage;
	bool opened;
	enum store_views views; /* as the engine found and left them */
	struct erased *erased;
	struct journal *journal; /* NULL when read-only without journal */
};

enum store_mode {
	STORE_WRITE /* takes the lock */,
	STORE_RESTORE /* the same, and journal/ must be empty; views and log go */,
	STORE_READ /* keys and views */,
	STORE_READ_JOURNAL /* and blocks */
};

/* ERR_BUSY: a server has it. Makes a store only where there is nothing of one: when keys or format
 * are missing, damaged, older or another store's beside a journal or views, it refuses and has
 * changed nothing. */
enum err store_open(const struct config *c, enum store_mode mode, struct store **out) MUST_CHECK;
/* The same with the journal in memory (journal/in_memory.h), which must live on; for tests. */
enum err store_open_on(const struct config *c, enum store_mode mode, struct journal_memory *memory,
    struct store **out) MUST_CHECK;
void store_close(struct store *s);
bool store_locked(const struct config *c); /* does somebody write it now? */

/* Generations of views. 0: there is none yet. */
uint32_t store_current(const struct store *s);
uint32_t store_building(
    const struct store *s); /* the generation that is being built beside the serving one; 0: none */
enum err store_set_current(
    struct store *s, uint32_t generation) MUST_CHECK; /* durable when it returns */
/* Are the files of a generation what they were? Before it is opened, while nobody has it open.
 * ERR_CORRUPT: it is to be made again. */
enum err store_check_views(struct store *s, uint32_t generation) MUST_CHECK;
/* The pages of a shard that is open; beside whoever writes it. */
enum err store_check_pages(
    const struct store *s, uint32_t generation, struct shard *shard) MUST_CHECK;
uint32_t store_newest_views(
    const struct store *s); /* the highest generation that has a folder; 0: there is none */
enum err store_shard(
    struct store *s, uint32_t generation, unsigned shard, struct shard *out) MUST_CHECK;
void store_drop_generation(struct store *s, uint32_t generation);
void store_drop_others(
    struct store *s, uint32_t keep, uint32_t and); /* leftovers of a crash; 0: keep only one */
bool store_room_for_another(
    const struct store *s, uint32_t generation); /* is as much free as the generation takes? */

enum err store_save_clock(const struct store *s, int64_t offset) MUST_CHECK;
void store_load_clock(const struct config *c); /* sets the clock of the ambient */

/* The day whose nightly work was done last; 0: none was. */
uint16_t store_kept_day(const struct store *s);
enum err store_save_kept_day(const struct store *s, uint16_t day) MUST_CHECK;

/* What the store knows of time. `day`: the last on which a clock was believed; 0: not known.
 * `ahead`: the newest day of which there were records when an operator said that an earlier clock
 * is right; 0: none. */
struct seen {
	uint16_t day, ahead;
};
struct seen store_seen(const struct store *s);
enum err store_save_seen(const struct store *s, struct seen seen) MUST_CHECK;

enum err store_save_admin(const struct store *s, const char *address, const char *token) MUST_CHECK;
bool store_load_admin(const struct config *c, char address[128], char token[128]);

uint64_t store_bytes(
    const struct store *s, const char *sub);	     /* disk blocks used below a sub-folder */
bool store_low(const struct store *s, long percent); /* less than this share of the disk is free */

enum err folder_make(const char *path,
    unsigned mode) MUST_CHECK; /* with what is above it, on disk; there already is fine */
enum err folder_remove(const char *path) MUST_CHECK; /* with what is in it; not there is fine */

#endif
