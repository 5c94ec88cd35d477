#include "crumb/privacy/scrub.h"

#include "crumb/base/code.h"

#define SEGMENT_MAX 100
#define DECODES 3
#define TOKEN_LEAST 12 /* the shortest of what token_run() and token_like() look for */

/* What a text is made of, found in one pass: most of what comes are plain words, and few of the
 * looks below apply to them. */
enum {
	HAS_DIGIT = 1,
	HAS_UPPER = 2,
	HAS_LOWER = 4,
	HAS_SIGN = 8 /* ( [ { < & \\ = */,
	HAS_COLON = 16,
	HAS_DOT = 32,
	HAS_AT = 64 /* @ and its wide forms */,
	HAS_OTHER = 128
};
static const uint8_t class_of[256] = {['0' ... '9'] = HAS_DIGIT,
    ['A' ... 'Z'] = HAS_UPPER,
    ['a' ... 'z'] = HAS_LOWER,
    ['('] = HAS_SIGN,
    ['['] = HAS_SIGN,
    ['{'] = HAS_SIGN,
    ['<'] = HAS_SIGN,
    ['&'] = HAS_SIGN,
    ['\\'] = HAS_SIGN,
    ['='] = HAS_SIGN,
    [':'] = HAS_COLON,
    ['.'] = HAS_DOT,
    ['@'] = HAS_AT,
    [0xef] = HAS_AT,
    ['-'] = HAS_OTHER,
    ['_'] = HAS_OTHER,
    [' '] = HAS_OTHER,
    ['+'] = HAS_OTHER};

static unsigned made_of(struct str s)
{
	unsigned has = 0;
	for (size_t i = 0; i < s.n; i++)
		has |= class_of[(uint8_t)s.p[i]];
	return has;
}

/* x@y: short hosts name people too. A handle, with nothing before the sign, is a public page. */
static bool at_sign_names_somebody(struct str s)
{
	static const struct str wide[] = {
	    {"\xef\xbc\xa0", 3}, {"\xef\xb9\xab", 3}}; /* U+FF20, U+FE6B */
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (s.p[i] == '@')
			return true;
		for (int w = 0; w < 2; w++)
			if (str_starts(str_skip(s, i), wide[w]) && i + 3 < s.n)
				return true;
	}
	return false;
}

/* The word between separators, somewhere after `from`; where it ends, or 0. */
static size_t word_after(struct str s, size_t from, struct str word)
{
	for (size_t i = from + 1; i + word.n < s.n; i++) {
		bool left = !chr_alpha(s.p[i - 1]) && !chr_digit(s.p[i - 1]),
		     right = !chr_alpha(s.p[i + word.n]) && !chr_digit(s.p[i + word.n]);
		if (left && right && str_ieq(str_make(s.p + i, word.n), word))
			return i + word.n;
	}
	return 0;
}

/* Words and entities that stand for the signs of an address. */
static bool at_word_names_somebody(struct str s)
{
	static const struct str signs[] = {{"(at)", 4}, {"[at]", 4}, {"{at}", 4}, {"<at>", 4},
	    {"&#64;", 5}, {"&#x40;", 6}, {"&commat;", 8}, {"\\u0040", 6}, {"=40", 3}};
	for (size_t k = 1; k < s.n; k++) {
		if (class_of[(uint8_t)s.p[k]] != HAS_SIGN)
			continue;
		for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
			if (s.p[k] == signs[i].p[0] && k + signs[i].n < s.n &&
			    str_ieq(str_make(s.p + k, signs[i].n), signs[i]))
				return true;
	}
	return false;
}

/* jane-at-example-dot-org */
static bool words_name_somebody(struct str s)
{
	size_t at = word_after(s, 0, STR("at"));
	return at && word_after(s, at, STR("dot"));
}

static int base64_value(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : chr_digit(c)	      ? c - '0' + 52
	       : c == '+' || c == '-' ? 62
	       : c == '/' || c == '_' ? 63
				      : -1;
}

/* Base64 of an address, whose four letters tell nothing by themselves. */
static bool base64_hides_address(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char text[SEGMENT_MAX];
		size_t n = 0, from = i;
		uint32_t bits = 0;
		unsigned have = 0;
		bool printable = true;
		for (; i < s.n && base64_value(s.p[i]) >= 0 && n < sizeof text; i++) {
			bits = bits << 6 | (uint32_t)base64_value(s.p[i]);
			have += 6;
			if (have < 8)
				continue;
			have -= 8;
			text[n] = (char)(bits >> have & 0xff);
			printable &= text[n] >= 0x20 && text[n] < 0x7f;
			n++;
		}
		if (i - from >= TOKEN_LEAST && printable &&
		    at_sign_names_somebody(str_make(text, n)))
			return true;
	}
	return false;
}

static unsigned digits_at(struct str s, size_t at)
{
	unsigned n = 0;
	while (at + n < s.n && chr_digit(s.p[at + n]))
		n++;
	return n;
}

/* Four numbers up to 255 with dots between, and no more of either. */
static bool is_ipv4_at(struct str s, size_t at)
{
	for (int part = 0; part < 4; part++) {
		unsigned n = digits_at(s, at), v = 0;
		for (unsigned k = 0; k < n && n <= 3; k++)
			v = v * 10 + (unsigned)(s.p[at + k] - '0');
		if (n == 0 || n > 3 || v > 255)
			return false;
		at += n;
		if (part < 3 && (at >= s.n || s.p[at++] != '.'))
			return false;
	}
	return at >= s.n || (s.p[at] != '.' && !chr_alpha(s.p[at]));
}

/* "00-1a-2b-3c-4d-5e". With colons address_like() sees it. */
static bool is_mac_at(struct str s, size_t at)
{
	for (int pair = 0; pair < 6; pair++, at += 3) {
		if (at + 2 > s.n || (pair < 5 && (at + 2 == s.n || s.p[at + 2] != '-')))
			return false;
		for (int i = 0; i < 2; i++) {
			char c = chr_lower(s.p[at + (size_t)i]);
			if (!chr_digit(c) && !(c >= 'a' && c <= 'f'))
				return false;
		}
	}
	return at > s.n || (!chr_digit(s.p[at - 1]) && !chr_alpha(s.p[at - 1]));
}

/* "52.520,13.405": degrees to three places and more. */
static bool is_degrees_at(struct str s, size_t at, size_t *end)
{
	if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
		at++;
	unsigned whole = digits_at(s, at), rest;
	if (whole < 1 || whole > 3 || at + whole >= s.n || s.p[at + whole] != '.' ||
	    (rest = digits_at(s, at + whole + 1)) < 3)
		return false;
	*end = at + whole + 1 + rest;
	return true;
}

static bool address_like(struct str s)
{
	unsigned colons = 0; /* of the run of hex and colons at hand: IPv6, MAC; times have two */
	for (size_t i = 0; i < s.n; i++) {
		char c = chr_lower(s.p[i]);
		size_t end;
		bool begins = i == 0 || (!chr_digit(s.p[i - 1]) && !chr_alpha(s.p[i - 1]) &&
					    s.p[i - 1] != '.');
		if (begins && (is_ipv4_at(s, i) || is_mac_at(s, i)))
			return true;
		if (begins && is_degrees_at(s, i, &end) && end < s.n &&
		    (s.p[end] == ',' || s.p[end] == ';') && is_degrees_at(s, end + 1, &end))
			return true;
		if (c == ':' && (++colons == 4 || (i > 0 && s.p[i - 1] == ':')))
			return true;
		if (c != ':' && !chr_digit(c) && !(c >= 'a' && c <= 'f'))
			colons = 0;
	}
	return false;
}

/* "email=x", alone or among others. */
static bool pair_names_somebody(struct str s)
{
	while (s.n) {
		size_t end = 0;
		while (end < s.n && s.p[end] != '&' && s.p[end] != ',' && s.p[end] != '|')
			end++;
		size_t eq = str_find(str_make(s.p, end), '=');
		if (eq + 1 < end && scrub_name_is_personal(str_trim(str_make(s.p, eq))))
			return true;
		s = str_skip(s, end + 1);
	}
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

/* Seven digits in one run, or nine with glue between; but dates are ordinary, as one run or with
 * glue. */
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

/* Runs of letters and digits, without '-', '_' and '.' that slugs use: looks for runs that no word
 * is. */
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
		while (i < s.n && (chr_alpha(s.p[i]) || chr_digit(s.p[i]) || s.p[i] == '%' ||
				      s.p[i] == '+' || s.p[i] == '=' || s.p[i] == '~')) {
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
	/* how often the kind of character changes within a word, but for a capital at its
	 * beginning: seldom in words, often in base64 */
	unsigned digits = 0, upper = 0, lower = 0, changes = 0;
	int before = 0, first = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int kind = chr_digit(c)		  ? 1
			   : c >= 'A' && c <= 'Z' ? 2
			   : c >= 'a' && c <= 'z' ? 3
						  : 0;
		digits += kind == 1;
		upper += kind == 2;
		lower += kind == 3;
		changes +=
		    before && kind && kind != before && !(first == 2 && before == 2 && kind == 3);
		first = before ? 0 : kind;
		before = kind;
	}
	if (s.n >= 18 && digits >= 1 && upper >= 3 && lower >= 3 && changes >= 6)
		return true;
	return s.n >= 32 && upper > s.n / 3 && lower >= 4 && changes >= 8;
}

enum scrub_kind scrub_look(struct str s)
{
	char once[512];
	struct str cur = s;
	for (int i = 0; i <= DECODES; i++) {
		unsigned has = made_of(cur);
		if ((has & HAS_AT && at_sign_names_somebody(cur)) ||
		    (has & HAS_SIGN && at_word_names_somebody(cur)) ||
		    (has & (HAS_OTHER | HAS_DOT) && cur.n >= TOKEN_LEAST &&
			words_name_somebody(cur)) ||
		    (has & HAS_UPPER && has & HAS_LOWER && cur.n >= TOKEN_LEAST &&
			base64_hides_address(cur)))
			return SCRUB_EMAIL;
		if (has & HAS_DIGIT && number_like(cur))
			return SCRUB_NUMBER;
		if ((has & HAS_COLON || (has & HAS_DIGIT && has & (HAS_DOT | HAS_OTHER))) &&
		    address_like(cur))
			return SCRUB_NUMBER;
		if (has & HAS_SIGN && pair_names_somebody(cur))
			return SCRUB_TOKEN;
		if (str_find(cur, '%') == cur.n || cur.n > sizeof once)
			break;
		size_t n = percent_decode(cur, once);
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

size_t scrub_host(struct str host, char *out, size_t cap)
{
	static const struct str token = {"[token]", 7};
	struct str rest, label;
	size_t n = 0;
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == 0 || host.n > 253)
		return 0;
	for (size_t i = 0; i < host.n; i++) {
		char c = chr_lower(host.p[i]);
		if (!chr_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '-' && c != '_' &&
		    c != '[' && c != ']' && c != ':')
			return 0;
	}
	rest = host;
	bool bare = host.p[0] == '['; /* an IPv6 address: a site */
	while (bare ? n == 0 : str_cut(&rest, '.', &label)) {
		struct str put = bare ? host : scrub_look(label) ? token : label;
		if (n + put.n + 1 > cap)
			return 0;
		for (size_t i = 0; i < put.n; i++)
			out[n++] = chr_lower(put.p[i]);
		if (!bare && rest.p)
			out[n++] = '.';
	}
	return n;
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

static bool in_list(const char *const *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(s, str_c(list[i])))
			return true;
	return false;
}

/* A segment behind one that announces a person. */
static bool names_person(struct str before, struct str s)
{
	static const char *const announce[] = {"user", "users", "u", "member", "members", "profile",
	    "profiles", "customer", "customers", "patient", "patients", "account", "accounts",
	    "mailto", "unsubscribe"};
	static const char *const common[] = {"", "me", "self", "login", "logout", "signin",
	    "sign-in", "signup", "sign-up", "register", "registration", "new", "edit", "add",
	    "create", "delete", "settings", "preferences", "orders", "order", "order-history",
	    "history", "password", "reset", "reset-password", "forgot-password", "forgot",
	    "profile", "account", "addresses", "billing", "payment", "payments", "subscriptions",
	    "subscription", "wishlist", "favorites", "favourites", "notifications", "messages",
	    "inbox", "dashboard", "overview", "home", "index", "index.html", "index.php", "list",
	    "search", "all", "help", "support", "security", "privacy", "verify", "confirm",
	    "confirmation", "activate", "welcome", "thanks", "thank-you", "success", "cart",
	    "checkout", "returns", "reviews", "rewards", "points", "loyalty", "guide", "guides",
	    "manual", "docs", "stories", "benefits", "area", "portal", "service", "services",
	    "newsletter"};
	return in_list(announce, sizeof announce / sizeof *announce, before) &&
	       !in_list(common, sizeof common / sizeof *common, s);
}

size_t scrub_path(struct str path, char *out, size_t cap, unsigned *scrubbed)
{
	static const char *const words[] = {"", "[email]", "[number]", "[token]", "[name]"};
	size_t n = 0;
	struct str rest = path.n && path.p[0] == '/' ? str_skip(path, 1) : path, seg,
		   before = STR("");
	if (cap == 0)
		return 0;
	out[n++] = '/';
	if (rest.n == 0)
		return n;
	while (str_cut(&rest, '/', &seg)) {
		char text[SEGMENT_MAX * 3 + 1], whole[SEGMENT_MAX * 3 + 1];
		size_t len = 0;
		enum scrub_kind kind = SCRUB_TOKEN;
		struct str params = str_make(seg.p, str_find(seg, ';')); /* ;jsessionid=… */
		if (params.n <= sizeof text) {
			len = percent_decode(params, text);
			len = clean(text, len);
			kind = scrub_look(str_make(text, len));
			if (kind == SCRUB_NONE && params.n != len)
				kind = scrub_look(params) == SCRUB_EMAIL ? SCRUB_EMAIL : SCRUB_NONE;
			if (kind == SCRUB_NONE && params.n < seg.n &&
			    seg.n <= sizeof whole && /* "&#64;" has a ';' */
			    scrub_look(str_make(whole, percent_decode(seg, whole))) == SCRUB_EMAIL)
				kind = SCRUB_EMAIL;
			if (kind == SCRUB_NONE && names_person(before, str_make(text, len)))
				kind = SCRUB_NAME;
		}
		const char *put = kind ? words[kind] : text;
		size_t put_n = kind ? strlen(put) : len;
		before = seg;
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
	static const char *const whole[] = {"name", "user", "usr", "uid", "uuid", "udid", "guid",
	    "login", "ip", "tel", "fax", "ssn", "nin", "dob", "iban", "bic", "imei", "imsi",
	    "iccid", "mac", "token", "session", "sid", "auth", "idfa", "gaid", "aaid", "lat", "lon",
	    "lng", "gps", "coords", "customer", "client", "patient", "member", "person", "contact",
	    "nick", "alias", "handle", "fname", "lname", "mname", "vin", "dni", "nif", "nie", "cpf",
	    "cnpj", "pesel", "bsn", "vatid", "taxid", "plate", "otp", "pin", "pwd", "secret", "jwt",
	    "cookie", "clientid", "ga", "gid", "cid", "gclid", "dclid", "wbraid", "gbraid",
	    "fbclid", "fbp", "fbc", "msclkid", "ttclid", "twclid", "liclid", "epik", "yclid",
	    "mcid", "mceid", "hem", "rampid", "uid2", "id5", "pii", "account", "acct", "recipient",
	    "cc", "bcc", "subscriber"};
	static const char *const part[] = {"mail", "phone", "mobilen", "firstname", "lastname",
	    "surname", "givenname", "familyname", "maidenname", "middlename", "fullname",
	    "realname", "displayname", "nickname", "username", "screenname", "userid", "customerid",
	    "clientid", "memberid", "patientid", "personid", "visitorid", "contactid", "profileid",
	    "accountid", "accountn", "subscriberid", "loginid", "password", "passwd", "passphrase",
	    "birth", "address", "street", "zipcode", "postcode", "postalcode", "creditcard",
	    "cardn", "cardholder", "ccnum", "cvv", "cvc", "passport", "driverslicen",
	    "licenseplate", "sessionid", "jsession", "phpsess", "accesstoken", "authtoken",
	    "refreshtoken", "idtoken", "apikey", "apitoken", "msisdn", "deviceid", "advertisingid",
	    "ipaddr", "macaddr", "socialsecurity", "nationalid", "taxid", "taxnumber",
	    "insuranceid", "healthid", "latitude", "longitude", "geoloc"};
	char bare[64];
	size_t n = 0;
	for (size_t i = 0; i < name.n && n < sizeof bare;
	     i++) /* first_name, First-Name, firstName */
		if (chr_alpha(name.p[i]) || chr_digit(name.p[i]))
			bare[n++] = chr_lower(name.p[i]);
	struct str s = str_make(bare, n);
	for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
		if (str_has(s, str_c(part[i])))
			return true;
	return in_list(whole, sizeof whole / sizeof whole[0], s);
}
