/* Partners and destinations: etc/destinations.yaml. Whom visitors' ids are matched with, and where
 * audiences go.
 *
 *     partners       who has ids of their own for our visitors: how they are synced (GET /sync),
 * and what data of theirs is called destinations   a format, whose ids it speaks of, limits, a
 * schedule, the labels it may get, and how it is delivered
 *
 * A segment goes to the destinations that its rule names. Two need not be in the file: `page`
 * (look-ups of pages) and `file` (what the command line writes). Immutable once loaded and shared
 * by reference count between threads; the file may be missing, which is the same as an empty one.
 * Mistakes are reported as in rules. */
#ifndef CRUMB_PARTNERS_DESTINATIONS_H
#define CRUMB_PARTNERS_DESTINATIONS_H

#include "crumb/partners/setting.h"
#include "crumb/partners/signing.h"
#include "crumb/partners/way.h"
#include "crumb/rules/rules.h"

#define PARTNER_NAME_MAX 64

struct format; /* partners/format.h */

struct partner {
	char *id;
	struct str sync_url; /* what the tag calls; empty: nothing. ${CRUMB_ID}, ${CRUMB_ID_BASE64}
				are our id for the partner */
	bool iframe;
	unsigned every_days;   /* a match is renewed after */
	struct str uid_param;  /* its name for its id in calls of /sync */
	struct str *redirects; /* beginnings of URLs that /sync may lead to (redirect.c) */
	unsigned redirects_n;
	struct labels labels; /* of what is imported from it */
	struct rules_at at;
};

struct destination {
	char *id;
	const struct format *format;
	int partner; /* whose ids, index; -1: rows carry our pseudonym for the destination */
	struct setting *settings, *segments; /* our id of a segment -> the partner's */
	unsigned settings_n, segments_n;
	uint64_t rows, bytes; /* of one file or request */
	unsigned ttl_days;
	struct labels labels; /* that may go there */
	uint32_t
	    purposes; /* of TCF that a visitor with a TC string must have consented to; bit n − 1 */
	uint32_t every_s; /* schedule; 0: by hand only */
	uint32_t at_s;	  /* and when of the day, for spans of a day and more */
	enum compression compress;
	const struct way *way;
	struct str where;	 /* a folder, or a URL, as the way has it; empty: not said */
	struct setting *headers; /* of requests; values may be "env:NAME" or "file:PATH" */
	unsigned headers_n;
	const struct signing *signing; /* of requests; NULL: they are not signed */
	struct setting *sign;	       /* what it wants: secrets */
	unsigned sign_n;
	unsigned retries, timeout_s;
	struct rules_at at;
};

struct destinations {
	_Atomic int refs;
	struct arena arena;
	struct partner *partners;
	size_t partners_n;
	struct destination *list;
	size_t n;
	bool found; /* the file is there */
};

/* A missing file gives an empty set. Mistakes as in rules_load(). */
enum err destinations_load(
    const char *path, struct report *report, struct destinations **out) MUST_CHECK;
struct destinations *destinations_ref(
    struct destinations *d); /* NULL passes through here and below */
void destinations_unref(struct destinations *d);

const struct partner *destinations_partner(
    const struct destinations *d, struct str id); /* NULL: none */
const struct destination *destinations_find(const struct destinations *d, struct str id);
/* The same for names that somebody typed: ERR_NOT_FOUND says which may have been meant. `d` is not
 * NULL. */
enum err destinations_find_named(
    const struct destinations *d, struct str id, const struct destination **out) MUST_CHECK;
enum err destinations_find_partner(
    const struct destinations *d, struct str id, const struct partner **out) MUST_CHECK;
/* The partner's name for a segment; empty where the file gives none. */
struct str destination_segment(const struct destination *d, struct str segment);
/* An http or https URL without blanks, control bytes, backslashes and user names. */
bool url_plain(struct str url);
/* May /sync lead there? */
bool partner_redirects_to(const struct partner *p, struct str url);

/* Every label of what a segment is made of: its own, its categories', its attributes' and their
 * partners', those of segments that it refers to. Calls `each` until it returns false; false then.
 */
bool segment_labels_each(const struct rules *r, const struct segment *s,
    const struct destinations *all, bool (*each)(void *arg, struct str label), void *arg);
/* May it go there? The first label that may not is *label. `d` NULL: no labels are allowed. Where
 * there is no file at all labels are only words, and nobody need ask. */
bool segment_labels_allowed(const struct rules *r, const struct segment *s,
    const struct destinations *all, const struct destination *d, struct str *label);

#endif
