/* Numbers as people and programs write them, one grammar wherever one is read: queries, JSON,
 * files, attributes, rules. Any thread. */
#ifndef CRUMB_BASE_NUMBER_H
#define CRUMB_BASE_NUMBER_H

#include "crumb/base/str.h"

/* [+-] digits [. digits] [e [+-] digits], with digits on at least one side of the point, and
 * nothing else: no blanks, no words, no hexadecimal, no comma. False for what is none and for what
 * no double holds. */
bool number_read(struct str s, double *out);

#endif
