/* CSV of partners' segments and attributes, line by line, to NDJSON as declare_lines() reads it:
 *
 *     id,segment,expires              {"id":"a1","segment":"buyers","expires":"2026-12-01"}
 *     a1,buyers,2026-12-01
 *
 *     id,income,town                  {"id":"a1","attributes":{"income":"high","town":"Bonn"}}
 *     a1,high,Bonn
 *
 * One thread. convert_done() frees the names of the header. */
#ifndef CRUMB_SRC_CLI_CONVERT_H
#define CRUMB_SRC_CLI_CONVERT_H

#include "crumb/base/buf.h"

struct convert {
	/* Appends the line to `out` as NDJSON; false: the line has not this form. NULL: no CSV */
	bool (*line)(struct convert *c, struct str line, struct buf *out);
	bool header;	  /* it was read */
	bool attributes;  /* each other column is an attribute */
	char separator;	  /* of columns, by the header */
	struct buf names; /* of the header, each with a zero behind it */
	unsigned columns;
	int id, segment, expires, action; /* numbers of columns; -1: there is none */
};

void convert_csv(struct convert *c, bool attributes);
void convert_done(struct convert *c);

#endif
