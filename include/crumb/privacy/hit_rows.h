/* What a client can say of a hit: one row for each parameter and for each consent signal.
 *
 * A row makes
 *	- the field of struct hit (privacy/hit.h),
 *	- the names that queries, JSON and import files are read by, and the macros of /sync
 *	  (privacy/hit_read.h),
 *	- the call of the function that judges the signal (privacy/consent.c),
 *	- the tables in the documents (`crumb reference parameters`).
 * This file is included for each of them, with macros for the kinds of rows that are wanted; rows
 * of the other kinds are empty.
 *
 *	row                                               makes
 *	HIT_TEXT(field, name, imported, says)             struct str FIELD; of several the last
 *	HIT_NUMBER(field, name, imported, says)           double FIELD, bool has_FIELD
 *	HIT_LIST(field, prefix, object, says)             struct attr FIELD[], unsigned FIELD_n
 *	signals of consent, in the order in which they are judged:
 *	HIT_FLAG(field, name, imported, macro, says)      bool FIELD: a yes; bool FIELD_no: a no
 *	HIT_STRING(field, name, imported, macro, says)    struct str FIELD; judge_FIELD()
 *	HIT_SECTIONS(field, name, imported, macro, says)  the same; in JSON also a list of numbers
 *	HIT_CATEGORIES(field, says)                       enum categories FIELD; trackers read it
 *	of a line of an import file:
 *	HIT_LINE(field, kind, imported, says)             nothing in struct hit
 *
 *	name      in queries of the pixel, and in JSON of POST /e
 *	imported  in import files
 *	prefix    of the names of items: "a.size" is the item "size"
 *	object    in JSON the items may also stand in an object of this name
 *	macro     of the IAB's, in braces behind a $; for _# a vendor's number may stand
 *	says      a sentence for the documents
 * An empty text: there is none. docs/add-a-parameter.md and docs/add-a-consent-signal.md show how
 * a row is added.
 *
 * Sec-GPC, DNT and the opt-out cookie are no rows: they come once, with the request, and hold for
 * all of its events. Whoever reads headers finds them, and each has a verdict of its own and a
 * place of its own among the verdicts (privacy/consent.c). */
#ifndef HIT_TEXT
#define HIT_TEXT(...)
#endif
#ifndef HIT_NUMBER
#define HIT_NUMBER(...)
#endif
#ifndef HIT_LIST
#define HIT_LIST(...)
#endif
#ifndef HIT_FLAG
#define HIT_FLAG(...)
#endif
#ifndef HIT_STRING
#define HIT_STRING(...)
#endif
#ifndef HIT_SECTIONS
#define HIT_SECTIONS(...)
#endif
#ifndef HIT_CATEGORIES
#define HIT_CATEGORIES(...)
#endif
#ifndef HIT_LINE
#define HIT_LINE(...)
#endif

HIT_TEXT(name, "e", "e",
    "event name, `[A-Za-z0-9_.:-]{1,64}`; default `view`; anything else is stored as `other`")
HIT_TEXT(url, "u", "u",
    "page URL; its query is dropped but for `utm_campaign` and what `privacy.keep_query` names; "
    "default: the Referer header. Browsers cut a cross-site Referer to its origin, so send it")
HIT_TEXT(referrer, "r", "r",
    "referrer: seen by rules, never kept; its class stays (none, search, social, internal, other)")
HIT_TEXT(title, "t", "title", "title of the page: seen by rules, never kept")
HIT_NUMBER(v, "v", "v",
    "value, a number below a billion; what `sum(v of X)` adds up, to six decimals. Written as "
    "`-1.5`, `10` or `1e3`, in queries, JSON, Segment's API and imports alike; what is none "
    "(`10,00`, `0xA`, one with blanks) is dropped and counted, and the event stays")
HIT_LIST(attrs, "a.", "a",
    "attribute, at most 16 an event; name `[A-Za-z0-9_]{1,32}`, value up to 64 bytes. Names of "
    "persons (email, user_id …) and values that look like addresses, numbers or tokens are dropped "
    "and counted; so are values outside the vocabulary that rules declare")
HIT_LIST(params, "p_", "", "parameter seen by rules, never kept")

HIT_FLAG(anon, "anon", "anon", "", "1: nothing is written, no cookie touched")
HIT_STRING(us_privacy, "us_privacy", "us_privacy", "US_PRIVACY",
    "US privacy string, such as `1YNN`; an opt-out of sale is a refusal")
HIT_STRING(gpp, "gpp", "gpp", "GPP_STRING_#",
    "container of the Global Privacy Platform, whose sections are judged one by one")
HIT_SECTIONS(gpp_sid, "gpp_sid", "gpp_sid", "GPP_SID",
    "numbers of the sections that apply: `2,6`, `2_6`, in JSON also `[2,6]`; without it all that "
    "are there")
HIT_CATEGORIES(categories,
    "categories of Segment's and RudderStack's libraries; each that `segment.consent` lists must "
    "be true")
HIT_FLAG(
    gdpr, "gdpr", "gdpr", "GDPR", "1: a TC string must say yes; 0: `gdpr_consent` does not apply")
HIT_STRING(gdpr_consent, "gdpr_consent", "gdpr_consent", "GDPR_CONSENT_#",
    "TC string of TCF, version 2; it must grant the purposes of `consent.tcf.purposes` to our "
    "vendor number")

HIT_TEXT(live, "live", "",
    "code of a tab whose visitor lets the tag assistant see it; of `POST /e` only, never kept")

HIT_LINE(id, ID, "id",
    "any visitor id, text or a whole number of any length; it is hashed with a key of the store "
    "before anything is written")
HIT_LINE(cookie, COOKIE, "cookie", "value of a `crumb` cookie; it or `id` must be there")
HIT_LINE(time, TIME, "t",
    "unix seconds or RFC 3339 (without a zone UTC); default: now. Older than the retention or more "
    "than five minutes ahead: refused and counted")
HIT_LINE(ip, ADDRESS, "ip", "address; it is cut to its network as it is read")
HIT_LINE(agent, AGENT, "ua", "user agent")
HIT_LINE(source, SOURCE, "source", "a label for the visitor, `[A-Za-z0-9_-]{1,64}`")

#undef HIT_TEXT
#undef HIT_NUMBER
#undef HIT_LIST
#undef HIT_FLAG
#undef HIT_STRING
#undef HIT_SECTIONS
#undef HIT_CATEGORIES
#undef HIT_LINE
