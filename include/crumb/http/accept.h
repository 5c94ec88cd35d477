/* What a client would like to get (RFC 9110 12.4.2, 12.5.4). Pure functions, for any thread. */
#ifndef CRUMB_HTTP_ACCEPT_H
#define CRUMB_HTTP_ACCEPT_H

#include "crumb/base/str.h"

#define ACCEPT_LANGUAGES 16

/* The weight of one item, in thousandths: its parameter "q". 1000 when it has none; 0 when the
 * parameter is malformed, as if the client did not want the item. */
unsigned accept_weight(struct str parameters);

/* The index of the tag that this Accept-Language field asks for most, of n tags (at most
 * ACCEPT_LANGUAGES). A tag has one part ("de"). A range stands for the tag that it begins with (RFC
 * 4647 3.4): "de-AT" asks for "de". '*' asks for every tag that the field does not name. Of equal
 * weights the first in the field wins. 0 when no tag is acceptable: a page in some language is
 * better than none. */
unsigned accept_language(struct str accept_language, const char *const *tags, unsigned n);

#endif
