/* What a client would like to get (RFC 9110 12.4.2, 12.5.4). Any thread. */
#ifndef CRUMB_HTTP_ACCEPT_H
#define CRUMB_HTTP_ACCEPT_H

#include "crumb/base/str.h"

#define ACCEPT_LANGUAGES 16

/* The "q" among the parameters of one item, in thousandths; 1000 when there is none. What is
 * malformed is 0: who cannot say how gladly is not taken at his word. */
unsigned accept_weight(struct str parameters);

/* Which of n (at most ACCEPT_LANGUAGES) languages this Accept-Language field asks for most. Tags
 * have one part ("de"), and a range stands for the tag that it begins with (RFC 4647 3.4): "de-AT"
 * is "de". Of equals the first in the field; '*' is every tag that the field does not name. The
 * first tag when none is acceptable: a page in some language is better than none. */
unsigned accept_language(struct str accept_language, const char *const *tags, unsigned n);

#endif
