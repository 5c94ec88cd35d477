/* Partners and destinations: etc/destinations.yaml. Whom visitors' ids are matched with, and where
 * audiences go.
 *
 *     partners:        who has ids of their own for our visitors: how these are matched (GET
 *                      /sync), and what data of theirs is called
 *     destinations:    a format, whose ids it speaks of, limits, a schedule, the labels that it may
 *                      get, and how it is delivered
 *
 * For example, "a partner `desk`, and a destination `desk-lists` in the format ttd-thirdparty,
 * which speaks of visitors by the ids of `desk`, once a day, by HTTPS". One partner may have
 * several destinations. A segment goes to the destinations that its rule names. Two need not be in
 * the file: `page` (look-ups of pages) and `file` (what the command line writes).
 *
 * A set is immutable once it is loaded, and is shared by reference count: any thread may read one
 * of which it holds a reference. All that a set points to lives as long as the set. The file may be
 * missing, which is the same as an empty one. Mistakes are reported as in rules. */
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
	/* What the tag calls; empty: nothing. ${CRUMB_ID} and ${CRUMB_ID_BASE64} in it are our id
	 * for the partner. */
	struct str sync_url;
	bool iframe;	       /* the tag loads it in a frame; else as an image */
	unsigned every_days;   /* a match is renewed after */
	struct str uid_param;  /* the name of the partner's id in calls of /sync */
	struct str *redirects; /* beginnings of URLs that /sync may lead to (redirect.c) */
	unsigned redirects_n;
	struct labels labels; /* of what is imported from the partner */
	struct yaml_place at; /* where it stands in the file */
};

struct destination {
	char *id;
	const struct format *format;
	int partner; /* whose ids: place in the list; -1: rows carry our pseudonym for it */
	struct setting *settings; /* of the format */
	struct setting *segments; /* our id of a segment -> the partner's name or number */
	unsigned settings_n, segments_n;
	uint64_t rows, bytes; /* of one file or request, at most; 0: any */
	unsigned ttl_days;    /* the longest life of a row at the partner; 0: any */
	struct labels labels; /* that may go there */
	uint32_t purposes;    /* of TCF that a TC string must have; bit n − 1 */
	uint32_t every_s;     /* schedule; 0: by hand only */
	uint32_t at_s;	      /* second of the day, for schedules of a day and more */
	enum compression compress;
	const struct way *way;
	struct str where;	 /* a folder, or a URL, as the way has it; empty: not said */
	struct setting *headers; /* of requests; values may be "env:NAME" or "file:PATH" */
	unsigned headers_n;
	const struct signing *signing; /* of requests; NULL: they are not signed */
	struct setting *sign;	       /* what the signing wants: secrets */
	unsigned sign_n;
	unsigned retries;     /* requests of a delivery that may fail before it is given up */
	unsigned timeout_s;   /* of a request */
	struct yaml_place at; /* where it stands in the file */
};

struct destinations {
	_Atomic int refs;
	struct arena arena; /* what all strings and lists below point to */
	struct partner *partners;
	size_t partners_n;
	struct destination *list;
	size_t n;
	bool found; /* the file is there */
};

/* A missing file gives an empty set. Mistakes as in rules_load(). */
enum err destinations_load(
    const char *path, struct report *report, struct destinations **out) MUST_CHECK;
/* NULL passes through here and below. */
struct destinations *destinations_ref(struct destinations *d);
void destinations_unref(struct destinations *d);

/* NULL: there is none. */
const struct partner *destinations_partner(const struct destinations *d, struct str id);
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
