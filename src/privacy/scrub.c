#include "crumb/privacy/scrub.h"

#include "crumb/base/code.h"

#define SEGMENT_MAX 100
#define DECODES 3
#define TOKEN_LEAST 12 /* the shortest of what token_run() and token_like() look for */

static bool at_sign_names_somebody(struct str s)
{
	/* a@b is enough: short hosts name people too. A handle, with nothing before the sign, is a public page. */
	for (size_t i = 1; i + 1 < s.n; i++)
		if (s.p[i] == '@')
			return true;
	return false;
}

static bool number_glue(char c)
{
	return c == ' ' || c == '+' || c == '-' || c == '.' || c == '(' || c == ')' || c == '_';
}

/* Eight digits that are a day, as in 20240131. */
static bool is_date(const char *d)
{
	int month = (d[4] - '0') * 10 + (d[5] - '0'), day = (d[6] - '0') * 10 + (d[7] - '0');
	bool century = (d[0] == '1' && d[1] == '9') || (d[0] == '2' && d[1] == '0');
	return century && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Seven digits in one run, or nine with glue between; but dates are ordinary, as one run or with glue. */
static bool number_like(struct str s)
{
	char seen[16]; /* the latest digits, glue left out */
	unsigned glued = 0;
	for (size_t i = 0; i < s.n;) {
		size_t run = 0;
		while (i + run < s.n && chr_digit(s.p[i + run]))
			run++;
		if (run == 8 && is_date(s.p + i)) {
			glued = 0;
		} else if (run >= 7) {
			return true;
		} else {
			for (size_t k = 0; k < run; k++, glued++)
				if (glued < sizeof seen)
					seen[glued] = s.p[i + k];
			if (glued >= 9)
				return true;
			if (run && glued == 8 && is_date(seen))
				glued = 0;
		}
		i += run;
		for (; i < s.n && !chr_digit(s.p[i]); i++)
			if (!number_glue(s.p[i]))
				glued = 0;
	}
	return false;
}

/* Runs of letters and digits, without '-', '_' and '.' that slugs use: looks for runs that no word is. */
static bool token_run(struct str s)
{
	unsigned digits = 0, upper = 0, lower = 0, hex = 0, switches = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool d = chr_digit(c), u = c >= 'A' && c <= 'Z';
		digits += d;
		upper += u;
		lower += !d && !u;
		hex += d || (chr_lower(c) >= 'a' && chr_lower(c) <= 'f');
		if (i && d != chr_digit(s.p[i - 1]))
			switches++;
	}
	if (hex == s.n && s.n >= 12 && digits && digits < s.n)
		return true;
	if (hex == s.n && s.n >= 24)
		return true;
	if (s.n >= 16 && digits >= 2 && switches >= 3)
		return true;
	if (s.n >= 20 && upper >= 3 && lower >= 3 && digits)
		return true;
	/* without digits, many capitals; few of them are words written together */
	return s.n >= 32 && (digits || (upper > s.n / 3 && lower >= 4));
}

static bool token_like(struct str s)
{
	if (s.n > SEGMENT_MAX)
		return true;
	if (s.n < TOKEN_LEAST)
		return false;
	unsigned hex_groups = 0, hex_total = 0;
	for (size_t i = 0; i < s.n;) {
		size_t from = i;
		bool hex = true, digit = false;
		while (i < s.n && (chr_alpha(s.p[i]) || chr_digit(s.p[i]) || s.p[i] == '%' || s.p[i] == '+' || s.p[i] == '=' || s.p[i] == '~')) {
			char c = chr_lower(s.p[i]);
			hex &= chr_digit(c) || (c >= 'a' && c <= 'f');
			digit |= chr_digit(c);
			i++;
		}
		if (token_run(str_make(s.p + from, i - from)))
			return true;
		if (hex && digit && i - from >= 4)
			hex_groups++, hex_total += (unsigned)(i - from);
		if (i == from)
			i++;
	}
	/* groups of hex, as in a UUID; and base64url, whose '-' and '_' cut it into shorter runs */
	if (hex_groups >= 3 && hex_total >= 16)
		return true;
	unsigned digits = 0, upper = 0, lower = 0, mixed = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		digits += chr_digit(c);
		upper += c >= 'A' && c <= 'Z';
		lower += c >= 'a' && c <= 'z';
		mixed += i && chr_digit(c) != chr_digit(s.p[i - 1]);
	}
	return s.n >= 24 && digits >= 3 && upper >= 3 && lower >= 3 && mixed >= 6;
}

enum scrub_kind scrub_look(struct str s)
{
	char once[512];
	struct str cur = s;
	for (int i = 0; i <= DECODES; i++) {
		if (at_sign_names_somebody(cur))
			return SCRUB_EMAIL;
		if (number_like(cur))
			return SCRUB_NUMBER;
		if (str_find(cur, '%') == cur.n || cur.n > sizeof once)
			break;
		size_t n = percent_decode(cur, once, false);
		if (n == cur.n)
			break;
		cur = str_make(once, n);
	}
	return token_like(s) || (cur.p != s.p && token_like(cur)) ? SCRUB_TOKEN : SCRUB_NONE;
}

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
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#' && rest.p[end] != '\\')
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

size_t scrub_host(struct str host, char *out, size_t cap)
{
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == 0 || host.n > cap || host.n > 253)
		return 0;
	for (size_t i = 0; i < host.n; i++) {
		char c = chr_lower(host.p[i]);
		if (!chr_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '-' && c != '_' && c != '[' && c != ']' && c != ':')
			return 0;
		out[i] = c;
	}
	return host.n;
}

/* One decoded segment without control bytes and broken UTF-8. */
static size_t clean(char *s, size_t n)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] >= 0x20 && s[i] != 0x7f)
			s[o++] = s[i];
	return utf8_valid(str_make(s, o));
}

size_t scrub_path(struct str path, char *out, size_t cap, unsigned *scrubbed)
{
	static const char *const words[] = {"", "[email]", "[number]", "[token]"};
	size_t n = 0;
	struct str rest = path.n && path.p[0] == '/' ? str_skip(path, 1) : path, seg;
	if (cap == 0)
		return 0;
	out[n++] = '/';
	if (rest.n == 0)
		return n;
	while (str_cut(&rest, '/', &seg)) {
		char text[SEGMENT_MAX * 3 + 1];
		size_t len = 0;
		enum scrub_kind kind = SCRUB_TOKEN;
		struct str params = str_make(seg.p, str_find(seg, ';')); /* ;jsessionid=… */
		if (params.n <= sizeof text) {
			len = percent_decode(params, text, false);
			len = clean(text, len);
			kind = scrub_look(str_make(text, len));
			if (kind == SCRUB_NONE && params.n != len)
				kind = scrub_look(params) == SCRUB_EMAIL ? SCRUB_EMAIL : SCRUB_NONE;
		}
		const char *put = kind ? words[kind] : text;
		size_t put_n = kind ? strlen(put) : len;
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

size_t scrub_value(struct str value, char *out, size_t cap)
{
	value = str_trim(value);
	if (value.n == 0 || value.n > cap || scrub_look(value) != SCRUB_NONE)
		return 0;
	memcpy(out, value.p, value.n);
	size_t n = clean(out, value.n);
	return n == value.n ? n : 0;
}

bool scrub_name_is_personal(struct str name)
{
	static const char *const whole[] = {"name", "user", "uid", "uuid", "login", "ip", "tel", "ssn", "dob", "iban", "imei", "token", "session",
	    "sid", "auth", "idfa", "gaid", "lat", "lon", "lng"};
	static const char *const part[] = {"mail", "phone", "mobile_n", "firstname", "first_name", "lastname", "last_name", "surname", "fullname",
	    "full_name", "username", "user_name", "userid", "user_id", "customer_id", "customerid", "password", "passwd", "birth", "address",
	    "street", "zipcode", "postcode", "creditcard", "card_n", "passport", "session_id", "sessionid", "jsession", "msisdn", "device_id",
	    "deviceid", "ipaddr"};
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		if (str_ieq(name, str_c(whole[i])))
			return true;
	for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
		if (str_ihas(name, str_c(part[i])))
			return true;
	return false;
}
