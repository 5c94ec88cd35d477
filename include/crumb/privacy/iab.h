/* The IAB's consent strings, read bit by bit from their text; nothing is copied, nothing allocated,
 * nothing kept.
 *
 * TC strings ("Transparency and Consent String with Global Vendor List Format", version 2;
 * policy 2.3 and before), the Canadian form (tcfcav1), US privacy strings ("1YNN"), and the Global
 * Privacy Platform's container with its sections for the United States. Sources:
 * InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework, USPrivacy,
 * Global-Privacy-Platform. Any thread. */
#ifndef CRUMB_PRIVACY_IAB_H
#define CRUMB_PRIVACY_IAB_H

#include "crumb/base/str.h"

/* What a TC string says of one vendor. Bit n − 1 of a set is purpose n. */
struct tcf {
	uint32_t purposes;   /* consented to by the user */
	uint32_t restricted; /* forbidden to the vendor by the publisher, or allowed on another
				ground than consent only */
	bool vendor;	     /* the user consents to the vendor */
	bool disclosed; /* the user was told of the vendor; without such a segment true if created
			   before 2026-02-28 (policy 2.2 and before) */
};
/* False: no readable TC string, or one that may not be used (version, policy before 4, not
 * service-specific). */
bool tcf_read(struct str s, unsigned vendor, struct tcf *out);
/* Section 5 of GPP: express and implied consent alike. */
bool tcf_canada_read(struct str s, unsigned vendor, struct tcf *out);

enum us_choice { US_UNREADABLE, US_OPTED_OUT, US_NOT_OPTED_OUT, US_NOT_APPLICABLE };
enum us_choice us_privacy_read(struct str s); /* "1YNN" */
enum us_choice gpp_us_read(
    unsigned section, struct str s); /* sections 7 to 27; others cannot be read */

#define GPP_SECTIONS_MAX 32
struct gpp {
	unsigned n;
	struct {
		unsigned id;
		struct str text;
	} section[GPP_SECTIONS_MAX];
};
bool gpp_read(struct str s, struct gpp *out); /* header and sections; false: unreadable */
bool gpp_find(const struct gpp *g, unsigned id, struct str *text);

#endif
