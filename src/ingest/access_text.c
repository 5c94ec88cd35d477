/* Access logs: words, quotes, escapes, addresses and hosts, as every form of a log has them. What
 * is written anew goes into the scratch of `a`, which has room for it and does not move. */
#include "access_row.h"

#include "crumb/base/code.h"

#include <arpa/inet.h>

bool access_word(struct str *rest, struct str *out)
{
	while (rest->n && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	size_t n = str_find(*rest, ' ');
	*out = str_make(rest->p, n);
	*rest = str_skip(*rest, n);
	return out->n > 0;
}

bool access_quoted(struct str *rest, struct str *out)
{
	while (rest->n && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	if (!rest->n || rest->p[0] != '"')
		return false;
	size_t n = 1;
	while (n < rest->n && rest->p[n] != '"')
		n += rest->p[n] == '\\' && n + 1 < rest->n ? 2 : 1;
	if (n >= rest->n)
		return false;
	*out = str_make(rest->p + 1, n - 1);
	*rest = str_skip(*rest, n + 1);
	return true;
}

char *access_room(struct access *a, size_t n)
{
	if (a->scratch.cap - a->scratch.n < n)
		return NULL;
	a->scratch.n += n;
	return a->scratch.p + a->scratch.n - n;
}

static bool byte_of(struct str hex, char *out)
{
	uint8_t b;
	if (hex.n < 2 || !hex_decode(str_make(hex.p, 2), &b, 1))
		return false;
	*out = (char)b;
	return true;
}

struct str access_unpercent(struct access *a, struct str s)
{
	char *to = access_room(a, s.n);
	size_t n = 0;
	for (size_t i = 0; to && i < s.n; i++)
		if (s.p[i] == '%' && byte_of(str_skip(s, i + 1), &to[n]))
			n++, i += 2;
		else
			to[n++] = s.p[i];
	return str_make(to, n);
}

/* \xHH, \", \\ and C's letters. */
struct str access_unescaped(struct access *a, struct str s)
{
	static const char letters[] = "ntrbvf", bytes[] = "\n\t\r\b\v\f";
	if (str_find(s, '\\') == s.n)
		return s;
	char *to = access_room(a, s.n);
	size_t n = 0;
	for (size_t i = 0; to && i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : 0;
		if (s.p[i] == '\\' && next == 'x' && byte_of(str_skip(s, i + 2), &to[n])) {
			n++, i += 3;
		} else if (s.p[i] == '\\' && (next == '"' || next == '\\')) {
			to[n++] = next, i++;
		} else if (s.p[i] == '\\' && chr_one_of(next, letters)) {
			to[n++] = bytes[strchr(letters, next) - letters], i++;
		} else {
			to[n++] = s.p[i];
		}
	}
	return str_make(to ? to : "", n);
}

bool access_written(const uint8_t b[16], char out[ADDRESS_TEXT])
{
	static const uint8_t none[16];
	bool v4 = memcmp(b, address_mapped, sizeof address_mapped) == 0;
	size_t from = v4 ? sizeof address_mapped : 0;
	return memcmp(b + from, none, sizeof none - from) != 0 &&
	       inet_ntop(v4 ? AF_INET : AF_INET6, b + from, out, ADDRESS_TEXT);
}

bool access_address(struct str s, char out[ADDRESS_TEXT])
{
	uint8_t b[16];
	return address_read(s, b) && access_written(b, out);
}

bool access_host_like(struct str s, bool *port)
{
	size_t n = s.n && s.p[0] == '[' ? str_find(s, ']') + 1 : str_find(s, ':'), letters = 0;
	uint64_t number;
	*port = n < s.n;
	if (n > s.n || n == 0 || n > 253 ||
	    (*port && (!str_u64(str_skip(s, n + 1), &number) || number > 65535)))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (!chr_alpha(s.p[i]) && !chr_digit(s.p[i]) && c < 0x80 &&
		    !chr_one_of(s.p[i], s.p[0] == '[' ? "[]:." : ".-_"))
			return false;
		letters += c != '_' && c != '.' && c != '-';
	}
	return letters > 0;
}
