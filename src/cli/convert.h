/* Lines of other forms to NDJSON as the importers read it: web servers' access logs, and CSV of partners' segments and attributes. */
#ifndef CRUMB_CLI_CONVERT_H
#define CRUMB_CLI_CONVERT_H

#include "crumb/base/buf.h"
#include "crumb/core/hash.h"

struct convert {
	bool (*line)(struct convert *c, struct str line, struct buf *out); /* false: it is not of that form */
	uint64_t read, malformed, static_files, method, status;		   /* lines that are not handed on */
	/* access logs: who is hashed with a key that ends with this process */
	struct key16 key;
	char host[254];
	/* CSV */
	bool header, attributes;
	struct buf names; /* of the header, each with a zero */
	unsigned columns;
	int id, segment, expires, action;
};

void convert_combined(struct convert *c, const char *host);
void convert_csv(struct convert *c, bool attributes);
void convert_done(struct convert *c);

#endif
