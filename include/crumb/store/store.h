/* The store: a folder, created with fresh keys when missing.
 *
 *     format           what store this is: shards, the store's id, how new its keys are
 *                      (src/store/format.c)
 *     lock             held (flock) by whoever writes: a server, or a command when no server runs
 *     keys             the secrets (disk/keys.h)
 *     files            how the large files stood when the store was closed (disk/files.h)
 *     days             which days there must be, and how many events are in them
 *                      (src/journal/ledger.c)
 *     erased           visitors who are not to come back (store/erased.h)
 *     told             which groups the k gate has told (privacy/kgate.h)
 *     kept             the day whose nightly work was done
 *     seen             the last day on which the clock was believed (node/time.c)
 *     clock            seconds by which tests moved the clock, if they did
 *     admin            address and token of the running server's admin listener, 0600
 *     admin.tokens     who else may ask it, by hashes of tokens (admin/tokens.h), 0600
 *     history          who did what in the last 90 days (src/admin/history.c), 0600
 *     journal/DAY/     the journal (journal/journal.h)
 *     wal              commits on their way into the journal (src/journal/wal.h)
 *     undo             the commit of several days that is under way (src/journal/whole.c)
 *     exports/DEST/    what destinations hold, and deliveries under way (delivery/deliver.h)
 *     rules-history/   rules as they were before each publication (node/published.h)
 *     models/          what lookalikes have learned (node/lookalike.h)
 *     reports/         the report of the day (report/daily.h)
 *     state/GEN/SHARD/ the views; state/CURRENT names the serving generation
 *
 * Only `keys`, the journal and `erased` cannot be made again. Views are made of the journal; a
 * model is trained again; without the other small files a start reads more, or asks an operator.
 *
 * A struct store is filled by store_open() and constant from then on, but for `views`. Its parts
 * have threads and locks of their own, as their headers say. The functions below that read or write
 * a small file may be called by any thread; two threads do not write the same file at a time. The
 * caller that opens the store closes it, when all its threads are done with it. */
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
	unsigned shards;  /* fixed when the store was created */
	size_t map_bytes; /* address space of each environment */
	bool readonly;
	bool opened; /* for writing, to the end: then closing it is an orderly stop */
	int lock_fd; /* -1: not locked */
	struct keys *keys;
	struct files *files;
	struct damage *damage;
	struct erased *erased;
	struct journal *journal; /* NULL in STORE_READ */
	enum store_views views;	 /* the engine's: as it found and left them */
};

enum store_mode {
	STORE_WRITE,	   /* takes the lock */
	STORE_RESTORE,	   /* the same; journal/ must be empty, and views and log are removed */
	STORE_READ,	   /* keys and views */
	STORE_READ_JOURNAL /* and the journal */
};

/* Opens the store, and makes one where there is nothing. Beside a journal or views it refuses keys
 * or a `format` that are missing, damaged, older or another store's; then it has changed nothing.
 * ERR_BUSY: somebody else writes the store. */
enum err store_open(const struct config *c, enum store_mode mode, struct store **out) MUST_CHECK;
/* The same with the journal in memory (journal/in_memory.h), which must live on, for tests; or with
 * its log on Kafka, for STORE_WRITE. NULL: it is in files. */
enum err store_open_on(const struct config *c, enum store_mode mode, struct journal_memory *memory,
    const struct broker_place *log, struct store **out) MUST_CHECK;
void store_close(struct store *s);
bool store_locked(const struct config *c); /* does somebody write it now? */
/* How many the store has, without opening it; 0: there is none yet. ERR_CORRUPT: its `format` is
 * damaged. */
enum err store_shards(const struct config *c, unsigned *out) MUST_CHECK;

/* --- generations of views (generations.c). 0 stands for none. */

uint32_t store_current(const struct store *s);	    /* the serving one */
uint32_t store_building(const struct store *s);	    /* the one being built beside the serving one */
uint32_t store_newest_views(const struct store *s); /* the highest that has a folder */
/* Names the serving one. Durable when it returns OK; the names of its files are on disk before. */
enum err store_set_current(struct store *s, uint32_t generation) MUST_CHECK;
/* Are the files of a generation what they were? Before it is opened, while nobody has it open.
 * ERR_CORRUPT: it is to be made again. */
enum err store_check_views(struct store *s, uint32_t generation) MUST_CHECK;
/* Checks the pages of a shard that is open, also beside whoever writes it. */
enum err store_check_pages(
    const struct store *s, uint32_t generation, struct shard *shard) MUST_CHECK;
/* Opens a shard of a generation; a writer makes it when missing. ERR_CORRUPT: another store's. */
enum err store_shard(
    struct store *s, uint32_t generation, unsigned shard, struct shard *out) MUST_CHECK;
void store_drop_generation(struct store *s, uint32_t generation);
/* Removes all generations but `keep` and `and`, which a crash left behind. */
void store_drop_others(struct store *s, uint32_t keep, uint32_t and);
/* Is as much of the disk free as the generation takes? True, too, when nobody can tell. */
bool store_room_for_another(const struct store *s, uint32_t generation);

/* --- small files (small_files.c) */

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

/* --- the disk */

uint64_t store_bytes(const struct store *s, const char *sub); /* on disk, below a sub-folder */
double store_free(
    const struct store *s); /* the share of the disk that is free, of 1; -1: unknown */
bool store_low(const struct store *s, long percent); /* is less than this share of the disk free? */

/* Makes a folder and those above it, durably. OK when it is there already. */
enum err folder_make(const char *path, unsigned mode) MUST_CHECK;
/* Removes a folder with all that is in it. OK when it is not there. */
enum err folder_remove(const char *path) MUST_CHECK;

#endif
