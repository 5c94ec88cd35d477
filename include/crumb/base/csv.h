/* Cells of CSV (RFC 4180).
 *
 * What a program is to read back goes out as it is, in quotes where it must be (csv_exact):
 * identifiers, of ours and of partners. A partner's id may begin with - or =, and changing it would
 * make it another one. What only people read goes out so that no spreadsheet takes it for a formula
 * (csv_text): an apostrophe before = + - @, and no control characters. */
#ifndef CRUMB_BASE_CSV_H
#define CRUMB_BASE_CSV_H

#include "crumb/base/buf.h"

void csv_exact(struct buf *out, struct str cell);
void csv_text(struct buf *out, struct str cell);

#endif
