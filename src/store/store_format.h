/* Inside the store: the file `format`, which says what store this is.
 *
 *     crumb store 1
 *     shards 4
 *     id 32 hexadecimal digits         as in the keys' seal
 *     keys 17                          the keys' serial when this was written
 *     check 16 hexadecimal digits      of what stands before
 *
 * Of a store that an older crumb made only the first two lines are there, until it is opened for
 * writing. */
#ifndef CRUMB_SRC_STORE_STORE_FORMAT_H
#define CRUMB_SRC_STORE_STORE_FORMAT_H

#include "crumb/disk/keys.h"

struct format {
	bool there, sealed; /* sealed: with id, serial and check */
	unsigned shards;
	uint8_t id[STORE_ID_LEN];
	uint64_t serial;
};

/* Missing is fine: then it is not `there`. ERR_CORRUPT: it is no such file, or damaged. */
enum err format_read(const char *folder, struct format *out) MUST_CHECK;
enum err format_write(const char *folder, const struct format *f) MUST_CHECK;

#endif
