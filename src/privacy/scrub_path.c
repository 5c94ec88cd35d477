/* URLs are split, and hosts, paths and values are written without what scrub_look() and the segment
 * before say names a person. privacy/scrub.h has the words that are written instead.
 *
 * What is written is cleaned as well: no control bytes, nothing behind bytes that are not UTF-8,
 * and in a path no '/' and no square brackets but our own, wherever they were percent-encoded. */
#include "crumb/privacy/scrub.h"

#include "crumb/base/code.h"
#include "crumb/base/host.h"

/* --- URLs and hosts */

/* Browsers take '\' for '/', and what stands before the last '@' for user and password. */
bool url_split(struct str url, struct url_parts *out)
{
	struct url_parts u = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	size_t colon = str_find(url, ':');
	if (colon + 2 >= url.n || url.p[colon + 1] != '/' || url.p[colon + 2] != '/')
		return false;
	u.scheme = str_make(url.p, colon);
	if (!str_ieq(u.scheme, STR("http")) && !str_ieq(u.scheme, STR("https")))
		return false;
	struct str rest = str_skip(url, colon + 3);
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#' &&
	       rest.p[end] != '\\')
		end++;
	struct str host = str_make(rest.p, end);
	rest = str_skip(rest, end);
	for (size_t i = host.n; i-- > 0;) {
		if (host.p[i] == '@') {
			host = str_skip(host, i + 1);
			break;
		}
	}
	if (host.n && host.p[0] == '[')
		host.n = str_find(host, ']') < host.n ? str_find(host, ']') + 1 : host.n;
	else
		host.n = str_find(host, ':');
	u.host = host;
	size_t q = 0;
	while (q < rest.n && rest.p[q] != '?' && rest.p[q] != '#')
		q++;
	u.path = str_make(rest.p, q);
	if (q < rest.n && rest.p[q] == '?') {
		u.query = str_skip(rest, q + 1);
		u.query.n = str_find(u.query, '#');
	}
	*out = u;
	return u.host.n > 0;
}

/* Each label is looked at for itself. An address of IPv6 in brackets is a site and stays whole. */
size_t scrub_host(struct str host, char *out, size_t cap)
{
	static const struct str token = {"[token]", 7};
	struct str rest, label;
	size_t n = 0;
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == 0 || host.n >= HOST_MOST)
		return 0;
	for (size_t i = 0; i < host.n; i++) {
		char c = chr_lower(host.p[i]);
		if (!chr_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '-' && c != '_' &&
		    c != '[' && c != ']' && c != ':')
			return 0;
	}
	rest = host;
	bool address = host.p[0] == '[';
	while (address ? n == 0 : str_cut(&rest, '.', &label)) {
		struct str put = address ? host : label;
		if (!address && scrub_look(label))
			put = token;
		if (n + put.n + 1 > cap)
			return 0;
		for (size_t i = 0; i < put.n; i++)
			out[n++] = chr_lower(put.p[i]);
		if (!address && rest.p)
			out[n++] = '.';
	}
	return n;
}

/* --- paths and values */

/* Takes control bytes out, and cuts at the first byte that is not UTF-8. The new length. */
static size_t clean(char *s, size_t n)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] >= 0x20 && s[i] != 0x7f)
			s[o++] = s[i];
	return utf8_valid(str_make(s, o));
}

/* What one segment is. Its decoded text, without what stands behind a ';' (;jsessionid=…), is
 * written to text, of 3 * SCRUB_SEGMENT_MAX + 1 bytes, and its length to *len. An address is sought
 * in the text, in the segment before decoding, and with the part behind the ';', for "&#64;" has
 * one. */
static enum scrub_kind segment_kind(struct str seg, struct str before, char *text, size_t *len)
{
	char whole[3 * SCRUB_SEGMENT_MAX + 1];
	struct str first = str_make(seg.p, str_find(seg, ';'));
	*len = 0;
	if (first.n > sizeof whole)
		return SCRUB_TOKEN;
	*len = clean(text, percent_decode(first, text));
	enum scrub_kind kind = scrub_look(str_make(text, *len));
	if (kind == SCRUB_NONE && first.n != *len)
		kind = scrub_look(first) == SCRUB_EMAIL ? SCRUB_EMAIL : SCRUB_NONE;
	if (kind == SCRUB_NONE && first.n < seg.n && seg.n <= sizeof whole &&
	    scrub_look(str_make(whole, percent_decode(seg, whole))) == SCRUB_EMAIL)
		kind = SCRUB_EMAIL;
	if (kind == SCRUB_NONE && scrub_segment_names(before, str_make(text, *len)))
		kind = SCRUB_NAME;
	return kind;
}

const char *const scrub_words[SCRUB_KINDS] = {"", "[email]", "[number]", "[token]", "[name]"};

/* `before` is the segment before as it is decoded: "/us%65r/jane" and "/user;v=1/jane" name
 * somebody, too. Servers read "/user//jane" as "/user/jane", so empty segments are passed over. */
size_t scrub_path(struct str path, char *out, size_t cap, unsigned *scrubbed)
{
	char texts[2][3 * SCRUB_SEGMENT_MAX + 1]; /* of this segment, and of the one before */
	unsigned turn = 0;
	size_t n = 0;
	struct str rest = path.n && path.p[0] == '/' ? str_skip(path, 1) : path, seg;
	struct str before = STR("");
	if (cap == 0)
		return 0;
	out[n++] = '/';
	if (rest.n == 0)
		return n;
	while (str_cut(&rest, '/', &seg)) {
		char *text = texts[turn];
		size_t len;
		enum scrub_kind kind = segment_kind(seg, before, text, &len);
		const char *put = kind ? scrub_words[kind] : text;
		size_t put_n = kind ? strlen(put) : len;
		if (len || kind) {
			before = str_make(text, len);
			turn ^= 1;
		}
		*scrubbed += kind != SCRUB_NONE;
		for (size_t i = 0; !kind && i < put_n; i++)
			if (text[i] == '/' || text[i] == '[' || text[i] == ']')
				text[i] = '_';
		if (n + put_n + 1 > cap)
			break;
		memcpy(out + n, put, put_n);
		n += put_n;
		if (rest.p)
			out[n++] = '/';
	}
	return n;
}

/* A value is kept as it came or not at all. */
size_t scrub_value(struct str value, char *out, size_t cap)
{
	value = str_trim(value);
	if (value.n == 0 || value.n > cap || scrub_look(value) != SCRUB_NONE)
		return 0;
	memcpy(out, value.p, value.n);
	size_t n = clean(out, value.n);
	return n == value.n ? n : 0;
}
