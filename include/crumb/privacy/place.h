/* A network's country and, where the file has it, region, from a MaxMind DB file.
 *
 * Two shapes of records are read: MaxMind's nested one (country.iso_code,
 * subdivisions[0].iso_code), and the flat one of the npm databases (country_code, state1). state1
 * is a name; it is kept when it fits the eight bytes of a region.
 *
 * A network whose first address has no entry has the place of its first part that has one. So the
 * answer depends on the network alone, whichever address of it was cut. A file of one address
 * family answers "unknown" for the other, and so does a broken record.
 *
 * A database is a copy of its file in memory, and costs as much as the file: a program that
 * overwrites the file in place does no harm. The copy is immutable and reference-counted; any
 * thread may look up. */
#ifndef CRUMB_PRIVACY_PLACE_H
#define CRUMB_PRIVACY_PLACE_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"

struct place_db;

/* ERR_CORRUPT: not such a file, or damaged. Others of err_sys(). */
enum err place_db_open(const char *file, struct place_db **out) MUST_CHECK;
struct place_db *place_db_ref(struct place_db *db); /* NULL passes through here and below */
void place_db_unref(struct place_db *db);
/* The path of the configured file, or of the one beside the program. False: there is none. */
bool place_db_file(const struct config *c, char *out, size_t cap);
/* Does the file say that it knows parts of countries? Its type tells: "City", "Enterprise" and
 * "Region" files do. */
bool place_db_regions(const struct place_db *db);
struct place place_db_find(const struct place_db *db, const struct network *n);

#endif
