/* CSV of partners' segments and attributes to NDJSON as the importers read it. */
#ifndef CRUMB_SRC_CLI_CONVERT_H
#define CRUMB_SRC_CLI_CONVERT_H

#include "crumb/base/buf.h"

struct convert {
	bool (*line)(struct convert *c, struct str line,
	    struct buf *out); /* false: it is not of that form */
	bool header, attributes;
	char separator;
	struct buf names; /* of the header, each with a zero */
	unsigned columns;
	int id, segment, expires, action;
};

void convert_csv(struct convert *c, bool attributes);
void convert_done(struct convert *c);

#endif
