/* What a value that an option refused may have meant. Only for values that were refused. Pure: any
 * thread. */
#ifndef CRUMB_CORE_MEANT_H
#define CRUMB_CORE_MEANT_H

#include "crumb/base/str.h"

#include <stddef.h>

#define MEANT_MOST 160 /* bytes of a hint */

/* Each function writes "; did you mean 'x'?" into `out`, or "", and returns `out`. */

/* A whole number written in another way: 64k, 30d, 5%, 1e3, 1_000. Sizes count by 1024. */
const char *meant_number(struct str value, char out[MEANT_MOST]);
/* A word of "a|b|c": there is a slip in the value, or it is another word for yes or no. */
const char *meant_word(struct str value, const char *words, char out[MEANT_MOST]);
/* A network: the value has a mask, a star, a port or a scheme, or it is a name. */
const char *meant_network(struct str value, char out[MEANT_MOST]);

#endif
