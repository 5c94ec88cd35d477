/* Network to country and, where the file has it, region, by a MaxMind DB file.
 *
 * Two shapes are read: MaxMind's nested one (country.iso_code, subdivisions[0].iso_code) and the
 * flat one of the npm databases (country_code, state1). state1 is a name; it is kept when it fits
 * the eight bytes of a region. Files of one address family answer "unknown" for the other. A
 * network whose first address has no entry has the place of its first part that has one: the answer
 * depends on the network alone, whichever address in it was cut. A broken file or record answers
 * "unknown", never anything worse.
 *
 * A database is a copy of its file in memory, so that whoever overwrites the file in place does no
 * harm; it is immutable and reference-counted; any thread may look up. */
#ifndef CRUMB_PRIVACY_PLACE_H
#define CRUMB_PRIVACY_PLACE_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"

struct place_db;

enum err place_db_open(const char *file, struct place_db **out) MUST_CHECK;
struct place_db *place_db_ref(struct place_db *db); /* NULL passes through here and below */
void place_db_unref(struct place_db *db);
/* Where the configured file is, or the one beside the program; false: there is none. */
bool place_db_file(const struct config *c, char *out, size_t cap);
/* Does the file say that it knows parts of countries? Its type tells: "City", "Enterprise" and
 * "Region" files do. */
bool place_db_regions(const struct place_db *db);
struct place place_db_find(const struct place_db *db, const struct network *n);

#endif
