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

#define TCF_PURPOSES 24 /* bits of a set of purposes; 11 have a meaning in policy 2.3 */

/* What a TC string says of one vendor. Bit n − 1 of a set is purpose n. */
struct tcf {
	uint32_t purposes; /* the user consents to these */
	/* the publisher forbids these to the vendor, or allows them on another ground than consent
	 * only */
	uint32_t restricted;
	bool vendor; /* the user consents to the vendor */
	/* The user was told about the vendor. A string without that segment counts as true if it
	 * was created before 2026-02-28 (policy 2.2 and before). */
	bool disclosed;
};
/* False: no readable TC string, or one that may not be used (version, policy before 4, not
 * service-specific). */
bool tcf_read(struct str s, unsigned vendor, struct tcf *out);
/* Section 5 of GPP: express and implied consent alike. */
bool tcf_canada_read(struct str s, unsigned vendor, struct tcf *out);

enum us_choice { US_UNREADABLE, US_OPTED_OUT, US_NOT_OPTED_OUT, US_NOT_APPLICABLE };
enum us_choice us_privacy_read(struct str s); /* "1YNN" */
/* Sections 7 to 27; others are US_UNREADABLE. */
enum us_choice gpp_us_read(unsigned section, struct str s);

#define GPP_SECTIONS_MAX 32
struct gpp {
	unsigned n;
	struct {
		unsigned id;
		struct str text;
	} section[GPP_SECTIONS_MAX];
};
/* Header and sections, as views of s. False: it cannot be read. */
bool gpp_read(struct str s, struct gpp *out);
bool gpp_find(const struct gpp *g, unsigned id, struct str *text);

#endif
