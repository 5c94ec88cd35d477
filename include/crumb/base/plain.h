/* Text as it may be shown: what would command a terminal, forge a line or turn a text around is
 * written as an escape. Any thread. */
#ifndef CRUMB_BASE_PLAIN_H
#define CRUMB_BASE_PLAIN_H

#include "crumb/base/str.h"

#define PLAIN_MOST 8 /* bytes that one character becomes at most */

/* The first character of `s`, which is not empty, as it may be shown: control characters (C0, DEL,
 * C1) and those that change the direction of writing as \uXXXX, bytes that are no UTF-8 as \xXX.
 * Returns how many bytes of s it took. */
size_t plain_char(struct str s, char out[PLAIN_MOST], size_t *n);
/* The same of a text that goes on behind `s`; 0: more must come to tell. */
size_t plain_char_so_far(struct str s, char out[PLAIN_MOST], size_t *n);

#endif
