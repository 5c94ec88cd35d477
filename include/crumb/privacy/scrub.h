/* URLs to host and scrubbed path; values to what may be kept.
 *
 * A path is percent-decoded, cut into segments, and each segment that could name a person is
 * replaced by a word in square brackets, which no path holds otherwise:
 *
 *     [email]   an e-mail address: plain, percent-encoded up to three times, in base64, with
 * entities or words for its signs ("jane (at) example") [number]  nine or more digits with at most
 * blanks, '+', '-', '.', '(' and ')' between; or seven or more in one run or an address of the net
 * (IPv4, IPv6, MAC) or of the earth (two decimal degrees) [token]   long runs of hex, base64 or
 * mixed letters and digits; whatever is longer than 100 bytes; "key=value" whose key names persons
 *     [name]    what stands behind /user/, /profile/ and the like, unless it is a common word
 *
 * Ordinary words, short numbers, dates and slugs stay. The query string and the fragment are
 * dropped. Rules always see the scrubbed form. */
#ifndef CRUMB_PRIVACY_SCRUB_H
#define CRUMB_PRIVACY_SCRUB_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

enum scrub_kind { SCRUB_NONE, SCRUB_EMAIL, SCRUB_NUMBER, SCRUB_TOKEN, SCRUB_NAME };
/* What one segment or value looks like. */
enum scrub_kind scrub_look(struct str s);

struct url_parts {
	struct str scheme, host, path, query; /* host without user, password and port; as written */
};
bool url_split(struct str url, struct url_parts *out);

/* Writes the lower-cased host, without labels that could name a person; 0 when it is none (bad
 * characters, too long). */
size_t scrub_host(struct str host, char *out, size_t cap);
/* Writes the scrubbed path, always beginning with '/'; counts replaced segments in *scrubbed. Never
 * more than cap bytes. */
size_t scrub_path(struct str path, char *out, size_t cap, unsigned *scrubbed);
/* Writes a declared attribute's value, control bytes removed; 0 when it must not be kept. */
size_t scrub_value(struct str value, char *out, size_t cap);
/* Names of attributes that name persons: email, phone, user_id … */
bool scrub_name_is_personal(struct str name);

#endif
