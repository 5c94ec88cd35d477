/* The consent gate: may this hit be recorded?
 *
 * What came is judged from the strongest signal to the weakest; the first row that applies decides.
 * Nothing is written on a no.
 *
 *	   what came                                   verdict            visitor  crumb cookie
 *	1  Sec-GPC: 1                                  CONSENT_NO_ERASE   erased   expired
 *	2  a string that says no                       CONSENT_NO_ERASE   erased   expired
 *	     sent by a page that is not ours           CONSENT_NO         stays    left alone
 *	3  opt-out cookie; DNT, if the option says so  CONSENT_NO_EXPIRE  stays    expired
 *	4  anon=1                                      CONSENT_NO         stays    left alone
 *	5  a string that cannot be read, or            CONSENT_NO         stays    left alone
 *	     does not say a thing about us
 *	6  a TC string is needed, and none says yes    CONSENT_NO         stays    left alone
 *	7  a string that says yes                      CONSENT_YES
 *	8  no string                                   what `consent.default` says
 *
 * Strings are gdpr_consent (TCF), us_privacy, and gpp (sections 2, 5, 6 and 7 to 27; gpp_sid says
 * which apply, else all do). A category of Segment's that is needed and false counts as a string
 * that says no. A TC string is needed with gdpr=1, with section 2 in gpp_sid, and in the places of
 * `consent.require`.
 *
 * Example: gdpr=1 and us_privacy=1YYN. The US string says no: row 2, although nobody has asked for
 * it in the EEA. With 1YNN the US string says yes, but row 6 comes first: a TC string is missing.
 *
 * No option can grant a purpose. Of a yes the set of purposes is kept, never the string.
 *
 * Pure functions of their arguments, for any thread. */
#ifndef CRUMB_PRIVACY_CONSENT_H
#define CRUMB_PRIVACY_CONSENT_H

#include "crumb/core/config.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/hit.h"

enum consent_verdict {
	CONSENT_YES,
	CONSENT_NO,	   /* write nothing */
	CONSENT_NO_EXPIRE, /* and expire a crumb cookie that came */
	CONSENT_NO_ERASE   /* and erase its visitor, too */
};

struct consent {
	enum consent_verdict verdict;
	enum metric why;   /* on a no, the counter of the reason */
	uint32_t purposes; /* of TCF: bit n − 1 for purpose n. 0: no TC string said yes */
};

/* How flags are read, in queries and in JSON: 0, false, no, n, off and f are a no; an empty text,
 * null and undefined say nothing; all else is a yes. A yes is the careful reading: gdpr=1 and
 * anon=1 make the gate stricter. */
enum said { SAID_NOTHING, SAID_NO, SAID_YES };
enum said consent_said(struct str value);
/* Takes what a flag of the hit says. Said twice, a yes stays. */
void consent_take_flag(bool *yes, bool *no, struct str value);
/* Takes a string of the hit. An empty one says nothing. Two that differ become "?", which cannot be
 * read. */
void consent_take_string(struct str *into, struct str value);

/* Refuses options of the gate with a place or a purpose that does not exist: a mistyped one would
 * let through what it is to stop. ERR_USAGE. */
enum err consent_check(const struct config *c) MUST_CHECK;
/* `where` NULL: the place is not asked for, as with an import. A visitor whose place is unknown
 * counts as being in each place of `consent.require`. */
struct consent consent_judge(
    const struct config *c, const struct hit *h, const struct place *where);

#endif
