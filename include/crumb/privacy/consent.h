/* The consent gate: may this hit be recorded? First "no" wins; the order is the order of strength.
 *
 *     Sec-GPC: 1, us_privacy with opt-out      explicit no: the visitor is erased, the cookie expired
 *     opt-out cookie, DNT (by option)          nothing written, a crumb cookie that still comes is expired
 *     anon=1                                   nothing written, no cookie touched
 *     gdpr=1, gpp_sid with 2, gpp, require     consent is needed: what is missing or cannot be read is a no; cookie left alone
 *
 * This version does not decode TCF and GPP strings: where one decides, the answer is no ("consent_unreadable"). Nothing in the
 * configuration can grant a purpose. */
#ifndef CRUMB_PRIVACY_CONSENT_H
#define CRUMB_PRIVACY_CONSENT_H

#include "crumb/core/config.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/hit.h"

enum consent_verdict { CONSENT_YES, CONSENT_NO, CONSENT_NO_EXPIRE /* the cookie */, CONSENT_NO_ERASE /* the visitor too */ };

/* On a no, *why is the counter of the reason. */
enum consent_verdict consent_judge(const struct config *c, const struct hit *h, enum metric *why);

#endif
