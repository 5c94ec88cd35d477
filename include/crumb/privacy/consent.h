/* The consent gate: may this hit be recorded? The order is that of strength:
 *
 *     Sec-GPC: 1                                  explicit no: the visitor is erased, the cookie
 * expired a string that was read and says no          the same, unless a page that is not ours sent
 * it: then nothing is written opt-out cookie, DNT (by option)             nothing written, a crumb
 * cookie that still comes is expired anon=1                                      nothing written,
 * no cookie touched a string that cannot be read, or that       nothing written, cookie left alone
 *       says nothing about us
 *     gdpr=1, gpp_sid with 2, consent.require     a TC string must say yes; what is missing is a
 * no, cookie left alone no signal                                   consent.default
 *
 * A category of Segment's that is needed and false is such a no, too.
 * Strings: gdpr_consent (TCF), us_privacy, gpp (sections 2, 5, 6, 7 to 27; gpp_sid says which
 * apply, else all do). Nothing in the configuration can grant a purpose. What is kept of a yes is
 * the set of purposes, never the string. */
#ifndef CRUMB_PRIVACY_CONSENT_H
#define CRUMB_PRIVACY_CONSENT_H

#include "crumb/core/config.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/hit.h"

enum consent_verdict {
	CONSENT_YES,
	CONSENT_NO,
	CONSENT_NO_EXPIRE /* the cookie */,
	CONSENT_NO_ERASE /* the visitor too */
};

struct consent {
	enum consent_verdict verdict;
	enum metric why;   /* on a no, the counter of the reason */
	uint32_t purposes; /* of TCF, bit n − 1 for purpose n; 0: the yes rests on no TC string */
};

/* The one reading of what is yes or no, for queries and JSON alike: 0, false, no and off are a no,
 * nothing and null say nothing, and whatever else came is a yes: what is not plainly a 0 is none.
 */
enum said { SAID_NOTHING, SAID_NO, SAID_YES };
enum said consent_said(struct str value);
/* Takes what a flag of the hit says, as gdpr and anon are. Where one is said twice a yes stays. */
void consent_take_flag(bool *yes, bool *no, struct str value);
/* The same for a string of the hit. An empty one says nothing, and of two that differ nothing can
 * be read. */
void consent_take_string(struct str *into, struct str value);

/* The options of the gate: a place or a purpose that does not exist would let through what it is to
 * stop. */
enum err consent_check(const struct config *c) MUST_CHECK;
/* `where` NULL: no place is asked for, as with an import. An unknown place is one of
 * consent.require's, if there are any. */
struct consent consent_judge(
    const struct config *c, const struct hit *h, const struct place *where);

#endif
