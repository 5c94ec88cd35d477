/* Signings: how a request is signed, so that whoever gets it knows that it is ours. One row each,
 * in src/partners/signing.c. All of it is constant. */
#ifndef CRUMB_PARTNERS_SIGNING_H
#define CRUMB_PARTNERS_SIGNING_H

#include "crumb/base/buf.h"
#include "crumb/partners/setting.h"

struct signing {
	const char *kind; /* in the file of destinations */
	const char *says; /* for documents */
	/* Appends header lines, each with a line feed behind it. ERR_USAGE: a secret is not where
	 * it should be; ERR_NOMEM */
	enum err (*sign)(const struct setting *sign, unsigned n, struct str body, uint32_t now,
	    struct buf *lines);
};
extern const struct signing signings[];		     /* `kind` NULL behind the last */
const struct signing *signing_find(struct str kind); /* NULL: there is none */

#endif
