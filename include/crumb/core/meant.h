/* What a value that an option cannot take may have meant. Texts that are right are none of its
 * business. */
#ifndef CRUMB_CORE_MEANT_H
#define CRUMB_CORE_MEANT_H

#include "crumb/base/str.h"

#include <stddef.h>

#define MEANT_MOST 160
/* Each writes "; did you mean 'x'?" into `out`, or "", and returns it. */
/* A whole number written in another way: 64k, 30d, 5%, 1e3, 1_000. Sizes count by 1024. */
const char *meant_number(struct str value, char out[MEANT_MOST]);
/* One of "a|b|c": a slip, or another word for yes and no. */
const char *meant_word(struct str value, const char *words, char out[MEANT_MOST]);
/* A network: with a mask, a star, a port, a scheme, or by name. */
const char *meant_network(struct str value, char out[MEANT_MOST]);

#endif
