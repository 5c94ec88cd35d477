/* The pages of /me as HTML without script: what is known about one browser, and what was done. They
 * go to that browser alone; no group is told, so there is no k gate. In a language of words.h.
 * Functions of their arguments, on the thread that answers. */
#ifndef CRUMB_COLLECT_ME_PAGE_H
#define CRUMB_COLLECT_ME_PAGE_H

#include "crumb/collect/collecting.h"
#include "crumb/collect/words.h"

#include <jansson.h>

#define OPTOUT_DAYS 400 /* browsers keep no cookie for longer (RFC 6265bis) */

struct me {
	const struct config *config;
	const struct rules *rules;
	json_t *known; /* visitor_json(); NULL: nothing */
	bool opted_out;
	unsigned language;
};

void me_page(struct buf *out, const struct me *me);
/* A page that says what was done; `text` is HTML. */
void me_done_page(
    struct buf *out, const struct config *c, unsigned language, enum word title, struct str text);
/* A row of words.h with its values, which are escaped. */
void me_say(struct buf *out, unsigned language, enum word w, const struct str *values, unsigned n);

#endif
