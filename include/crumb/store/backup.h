/* Backup and restore. What is backed up is the journal, still sealed by its days' keys, and never a
 * key: without the keys of the store it was made of a backup is noise, and what they open shrinks
 * by a day each day. Restore puts the days back whose keys are left and has the views made again;
 * whoever was erased meanwhile stays erased.
 *
 *     FOLDER/format       of the store
 *     FOLDER/moment       "crumb moment 1\n", a sequence, and its sum (disk/checked.h)
 *     FOLDER/journal/YYYY-MM-DD/data.mdb        compacted copies
 *
 * Days are copied one after the other while the store is written. What came behind the moment does
 * not count: else the backup could have one day's part of a commit and not another's. Backups of an
 * older crumb have no moment. */
#ifndef CRUMB_STORE_BACKUP_H
#define CRUMB_STORE_BACKUP_H

#include "crumb/store/store.h"

struct backup_totals {
	unsigned days, expired; /* expired: their keys are gone, so they stay behind */
	unsigned damaged;	/* days of the backup that cannot be read, which stay behind too */
	uint64_t bytes;
};

/* Into a folder that is made and must be empty; everything must be published. All of it is on disk
 * when it returns OK. `progress` may be NULL. */
enum err backup_write(struct store *s, const char *folder,
    void (*progress)(uint64_t done, uint64_t of), struct backup_totals *out) MUST_CHECK;
/* Puts the days into a store that has keys, no journal and no server; its views are removed.
 * ERR_USAGE: the keys are another store's, nothing was changed. Afterwards open it, and erase anew
 * whom erased_all() names. */
enum err backup_restore(const struct config *c, const char *folder,
    void (*progress)(uint64_t done, uint64_t of), struct backup_totals *out) MUST_CHECK;

#endif
