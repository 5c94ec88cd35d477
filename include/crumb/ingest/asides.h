/* What was set aside and not released, counted by reason and pattern, and kept: whoever asks reads
 * only what the journal has got since.
 *
 *     journal, a shard    ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓
 *                         counted, by day        │ └── asides_follow() adds these
 *                                                position
 *
 * Three things take counts back:
 *
 *     a day is over            its counts go with it
 *     a release marks events   counts that lie before the mark go; where a mark parts what was
 *                              counted together, the shard is counted anew
 *     a day is cleaned         everything is counted anew (asides_stale())
 *
 * The counts are in memory only: patterns are hosts, which the journal has under its days' keys,
 * and nothing outside may keep them longer. A start begins without, and the first who asks has the
 * journal read. While it is counted anew, the rows of before are told.
 *
 * Memory: 40 bytes for each shard, day, reason and pattern. There are a thousand patterns at most,
 * the others are counted together; so 16 shards of 90 days take 58 MB when every shard sees a
 * thousand patterns a day, and some MB when they see a list of crawlers.
 *
 * One struct for each node. Any thread calls the functions below; one at a time reads. */
#ifndef CRUMB_INGEST_ASIDES_H
#define CRUMB_INGEST_ASIDES_H

#include "crumb/store/store.h"

#include <stdatomic.h>

#define QUARANTINE_OTHERS "(others)"

struct aside_row {
	enum aside why;
	const char *pattern; /* within key; QUARANTINE_OTHERS beyond a thousand different ones */
	char key[260];
	uint64_t events; /* those that were not released */
	uint16_t first, last;
};

struct asides;
struct asides *asides_new(struct store *s); /* borrows the store, whose journal is open */
void asides_free(struct asides *a);	    /* NULL is fine */

/* Reads what the journal has got since. OK: all that readers of the journal see is counted.
 * ERR_BUSY: it is not, and the next call goes on: `budget_us` is over (0: there is none), *stop
 * became true (NULL: it never does), somebody else is reading, or a release is under way. With a
 * budget it waits for nobody. Without one it waits for whoever is reading: a low thread is asked to
 * let go. */
enum err asides_follow(struct asides *a, uint64_t budget_us, const _Atomic bool *stop) MUST_CHECK;
/* Somebody has asked since the start, and for a minute nobody followed; or it is stale. */
bool asides_due(const struct asides *a);
/* Records that were counted are gone, since a day was cleaned. */
void asides_stale(struct asides *a);
/* A release begins and is over. Nothing is read meanwhile: of the marks of a release that is half
 * done each would part what was counted. */
void asides_pause(struct asides *a);
void asides_resume(struct asides *a);

/* What was counted when asides_follow() last said OK. */
struct asides_told {
	struct aside_row *rows; /* by reason, then most events first; free() them */
	size_t n;
	uint32_t made; /* when; 0: never yet */
};
enum err asides_tell(struct asides *a, struct asides_told *out) MUST_CHECK;

/* The same, counted at once from the whole journal; free() the rows. */
enum err asides_list(struct store *s, struct aside_row **rows, size_t *n) MUST_CHECK;

#endif
