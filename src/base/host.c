/* Names of hosts. A name of other letters than ASCII goes through libidn2, which makes xn-- of it;
 * then each label is looked at: letters, digits, - and _, 1 to 63 bytes between dots (RFC 1035
 * section 2.3; _ stands in names that browsers do visit). */
#include "crumb/base/host.h"

#include <idn2.h>
#include <stdlib.h>

static bool plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] >= 0x80)
			return false;
	return true;
}

/* One name without stars, of any alphabet, as ASCII. */
static size_t ascii(struct str s, char out[HOST_MOST])
{
	char text[4 * HOST_MOST], *made = NULL;
	if (s.n == 0 || s.n >= sizeof text)
		return 0;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	if (!plain(s)) {
		if (strlen(text) != s.n ||
		    idn2_to_ascii_8z(text, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
			return 0;
		s = str_c(made);
	}
	size_t n = 0, label = 0;
	bool fine = s.n < HOST_MOST;
	for (size_t i = 0; fine && i < s.n; i++) {
		char c = chr_lower(s.p[i]);
		fine = chr_digit(c) || chr_alpha(c) || c == '-' || c == '_' || (c == '.' && label);
		label = c == '.' ? 0 : label + 1;
		fine &= label <= 63;
		out[n++] = c;
	}
	free(made);
	return fine ? n : 0;
}

/* An IPv6 address in brackets. Only its characters are looked at. */
static size_t host_address(struct str s, char out[HOST_MOST])
{
	if (s.n < 4 || s.n >= HOST_MOST || s.p[s.n - 1] != ']')
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = chr_lower(s.p[i]);
		if (i && i + 1 < s.n && !chr_digit(c) && !(c >= 'a' && c <= 'f') && c != ':' &&
		    c != '.')
			return 0;
		out[i] = c;
	}
	return s.n;
}

size_t host_read(struct str name, char out[HOST_MOST])
{
	if (name.n && name.p[0] == '[')
		return host_address(name, out);
	size_t n = ascii(name, out);
	return n && out[n - 1] == '.' ? n - 1 : n;
}

size_t host_read_glob(struct str pattern, char out[HOST_MOST])
{
	size_t n = 0;
	struct str label;
	bool first = true;
	if (str_find(pattern, '*') == pattern.n)
		return host_read(pattern, out);
	while (str_cut(&pattern, '.', &label)) {
		char one[HOST_MOST];
		bool star = str_find(label, '*') < label.n;
		if (star && (!plain(label) || label.n >= HOST_MOST))
			return 0;
		size_t m = label.n;
		if (!star && label.n && !(m = ascii(label, one)))
			return 0;
		if (n + m + 1 >= HOST_MOST)
			return 0;
		if (!first)
			out[n++] = '.';
		first = false;
		for (size_t i = 0; i < m; i++)
			out[n++] = star ? chr_lower(label.p[i]) : one[i];
	}
	return n > 1 && out[n - 1] == '.' ? n - 1 : n;
}

/* From the left: a scheme before "://", then the host with its user and port up to a slash, a
 * question mark, a hash or a backslash, which browsers take for a slash. Of the user is what stands
 * before the last '@' (WHATWG URL). */
struct host_around host_around(struct str text)
{
	struct host_around a = {.host = text};
	size_t end = 0, at = 0;
	for (size_t i = 0; i + 2 < text.n && !a.scheme.n && text.p[i] != '/'; i++) {
		if (memcmp(text.p + i, "://", 3) == 0) {
			a.scheme = str_make(text.p, i);
			at = i + 3;
		}
	}
	struct str rest = str_skip(text, at);
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#' &&
	       rest.p[end] != '\\')
		end++;
	a.rest = str_skip(rest, end);
	a.host = str_make(rest.p, end);
	for (size_t i = a.host.n; i-- > 0;) {
		if (a.host.p[i] == '@') {
			a.user = str_make(a.host.p, i);
			a.host = str_skip(a.host, i + 1);
			break;
		}
	}
	size_t colon =
	    a.host.n && a.host.p[0] == '[' ? str_find(a.host, ']') + 1 : str_find(a.host, ':');
	if (colon < a.host.n) {
		a.port = str_skip(a.host, colon + 1);
		a.host.n = colon;
	}
	return a;
}

bool host_port(struct str text, struct str *host, uint16_t *port)
{
	uint64_t number;
	size_t colon = text.n;
	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (!colon || !str_u64(str_skip(text, colon), &number) || number > UINT16_MAX)
		return false;
	struct str name = str_make(text.p, colon - 1);
	bool bracketed = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
	if (!bracketed && (str_find(name, ':') < name.n || str_find(name, '[') < name.n))
		return false;
	*host = bracketed ? str_make(name.p + 1, name.n - 2) : name;
	*port = (uint16_t)number;
	return true;
}
