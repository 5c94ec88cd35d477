#include "crumb/privacy/consent.h"

enum { US_OPTOUT_AT = 2, US_LENGTH = 4 };

static bool lists_tcf(struct str gpp_sid)
{
	struct str part;
	while (str_cut(&gpp_sid, ',', &part))
		if (str_eq(str_trim(part), STR("2")))
			return true;
	return false;
}

enum consent_verdict consent_judge(const struct config *c, const struct hit *h, enum metric *why)
{
	if (h->gpc) {
		*why = M_REFUSED_GPC;
		return CONSENT_NO_ERASE;
	}
	if (h->us_privacy.n) {
		*why = M_REFUSED_USP;
		if (h->us_privacy.n != US_LENGTH || h->us_privacy.p[0] != '1')
			return CONSENT_NO; /* cannot be read */
		if (chr_lower(h->us_privacy.p[US_OPTOUT_AT]) == 'y')
			return CONSENT_NO_ERASE;
	}
	if (h->optout_cookie) {
		*why = M_REFUSED_OPTOUT;
		return CONSENT_NO_EXPIRE;
	}
	if (h->dnt && c->dnt) {
		*why = M_REFUSED_DNT;
		return CONSENT_NO_EXPIRE;
	}
	if (h->anon) {
		*why = M_REFUSED_ANON;
		return CONSENT_NO;
	}
	bool needed = h->gdpr || lists_tcf(h->gpp_sid) || c->consent_default == 1;
	if (h->gpp.n || (needed && h->gdpr_consent.n)) {
		*why = M_REFUSED_UNREADABLE;
		return CONSENT_NO;
	}
	if (needed) {
		*why = M_REFUSED_MISSING;
		return CONSENT_NO;
	}
	return CONSENT_YES;
}
