/* URLs become hosts and scrubbed paths; values become what may be kept.
 *
 * A path is percent-decoded and cut into segments. Each segment that could name a person is
 * replaced by a word in square brackets; no other segment has square brackets.
 *
 *	[email]   an e-mail address: plain, percent-encoded up to three times, in base64, or with
 *	          entities or words for its signs ("jane (at) example")
 *	[number]  seven digits or more in one run, or nine or more with ' ', '+', '-', '.', '_', '('
 *	          and ')' between them; an address of the net (IPv4, IPv6, MAC) or of the earth (two
 *	          decimal degrees)
 *	[token]   long runs of hex, base64 or mixed letters and digits; a segment longer than 100
 *	          bytes; "key=value" whose key names persons
 *	[name]    what stands behind /user/, /profile/ and the like, unless it is a common word
 *
 *	/orders/2024-01-31/4711       stays: a date, a short number
 *	/user/jane/orders             /user/[name]/orders
 *	/reset/jane%40example.org     /reset/[email]
 *	/call/+49-30-123-456-78       /call/[number]
 *
 * Ordinary words, short numbers, dates and slugs stay. Query and fragment are dropped. Rules always
 * see the scrubbed form. Pure functions, for any thread; nothing is allocated. */
#ifndef CRUMB_PRIVACY_SCRUB_H
#define CRUMB_PRIVACY_SCRUB_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

#define SCRUB_SEGMENT_MAX 100 /* bytes: a longer segment is a token */

enum scrub_kind { SCRUB_NONE, SCRUB_EMAIL, SCRUB_NUMBER, SCRUB_TOKEN, SCRUB_NAME, SCRUB_KINDS };
extern const char *const scrub_words[SCRUB_KINDS]; /* what is written instead: "[email]" … */
/* What one segment or value looks like. Never SCRUB_NAME, for which the segment before is needed.
 */
enum scrub_kind scrub_look(struct str s);

/* Views into the URL. */
struct url_parts {
	struct str scheme, host, path, query; /* host without user, password and port; as written */
};
/* False: no URL of http or https with a host. */
bool url_split(struct str url, struct url_parts *out);

/* The next three write at most cap bytes to `out`, and give their number. */

/* The host in lower case; a label that could name a person becomes [token]. 0: it is no host (bad
 * characters, too long). */
size_t scrub_host(struct str host, char *out, size_t cap);
/* The scrubbed path, always beginning with '/'. Adds the number of replaced segments to *scrubbed.
 * Segments for which there is no room are left out. */
size_t scrub_path(struct str path, char *out, size_t cap, unsigned *scrubbed);
/* The value of an attribute. 0: it must not be kept. */
size_t scrub_value(struct str value, char *out, size_t cap);
/* Does a segment behind `before` name a person, as in /user/jane? Common words do not, for sites
 * have them there, too: /account/orders. */
bool scrub_segment_names(struct str before, struct str segment);
/* Does a name of an attribute announce a person: email, phone, user_id …? */
bool scrub_name_is_personal(struct str name);

#endif
