/* Backup and restore. A backup has the journal, still sealed by its days' keys, and never a key.
 * Without the keys of the store that it was made of a backup is noise; and what these keys open
 * shrinks by a day each day. Restore puts back the days whose keys are left, and the views are made
 * of them. Whoever was erased meanwhile stays erased.
 *
 *     FOLDER/format                        of the store
 *     FOLDER/moment                        "crumb moment 1\n", a sequence, and its sum
 *                                          (disk/checked.h)
 *     FOLDER/journal/YYYY-MM-DD/data.mdb   compacted copies
 *
 * Days are copied one after the other while the store is written. A commit may be in two days, and
 * come after the copy of the one and before the copy of the other. So the backup notes the moment
 * (journal_moment()) before it begins, and restore cuts every day there: a commit with a sequence
 * up to the moment is whole in all days, and what is behind it goes. Backups of an older crumb have
 * no moment. */
#ifndef CRUMB_STORE_BACKUP_H
#define CRUMB_STORE_BACKUP_H

#include "crumb/store/store.h"

struct backup_totals {
	unsigned days;	  /* written, or put back */
	unsigned expired; /* days whose keys are gone: they stay behind */
	unsigned damaged; /* days of the backup that cannot be read: they stay behind, too */
	uint64_t bytes;	  /* of all files */
};

/* Writes a backup into a folder, which is made and must be empty. The caller has published
 * everything (journal_publish()). The backup is on disk when this returns OK. `progress` is called
 * after each day, and may be NULL. Any thread, beside the writer. */
enum err backup_write(struct store *s, const char *folder,
    void (*progress)(uint64_t done, uint64_t of), struct backup_totals *out) MUST_CHECK;
/* Puts the days into a store that has keys, no journal and no server. Its views are removed. The
 * caller then opens the store, and erases anew whom erased_all() names. ERR_USAGE: the keys are
 * another store's; nothing was changed. */
enum err backup_restore(const struct config *c, const char *folder,
    void (*progress)(uint64_t done, uint64_t of), struct backup_totals *out) MUST_CHECK;

#endif
