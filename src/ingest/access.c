/* Access logs: what is done with a line's fields, in whatever form the line came. The readers of
 * the forms are in access_line.c, access_json.c and access_own.c.
 *
 * judge_row() looks at the fields in an order that tells malformed lines from uninteresting ones:
 * address, time and status must be readable in every line; then the request says whether it was a
 * page. A page becomes a line of NDJSON in put_event().
 *
 * access_detect() tries all forms on the first lines and takes the one that fits most of them. */
#include "crumb/base/clock.h"
#include "crumb/base/number.h"
#include "crumb/base/code.h"
#include "crumb/privacy/hit_read.h"

#include "access_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLE 1000 /* lines that are tried to find the form, */
#define ENOUGH 20   /* or fewer, when so many fit */

static const struct {
	const char *name;
	bool (*read)(struct access *a, struct str line, struct access_row *r);
} forms[ACCESS_FORMS] = {
    [ACCESS_COMBINED] = {"combined", access_read_combined},
    [ACCESS_W3C] = {"w3c", access_read_w3c},
    [ACCESS_ALB] = {"alb", access_read_alb},
    [ACCESS_HAPROXY] = {"haproxy", access_read_haproxy},
    [ACCESS_JSON] = {"json", access_read_json},
    [ACCESS_OWN] = {"log-format", access_read_own},
};

enum err access_init(struct access *a, const struct config *c, const char *host)
{
	*a = (struct access){.form = ACCESS_COMBINED};
	randombytes_buf(&a->key, sizeof a->key);
	snprintf(a->host, sizeof a->host, "%s", host);
	enum err e = cidr_list_parse(c->trusted_proxies, &a->trusted);
	if (e)
		return err_wrap(e, "trusted_proxies");
	return cidr_list_parse("10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,"
			       "169.254.0.0/16,127.0.0.0/8,fc00::/7,fe80::/10,::1",
	    &a->inside);
}

void access_done(struct access *a)
{
	access_forget_tree(a);
	access_forget_wrapper(a);
	access_forget_notation(a);
	a->scratch.secret = true;
	buf_done(&a->scratch);
	sodium_memzero(&a->key, sizeof a->key);
}

const char *access_form_name(enum access_form f)
{
	return forms[f].name;
}

bool access_set_form(struct access *a, const char *name)
{
	for (int i = 0; i < ACCESS_OWN; i++)
		if (strcmp(name, forms[i].name) == 0) {
			a->form = (enum access_form)i;
			return true;
		}
	return false;
}

/* --- addresses */

/* The visitor's address, from the field of the address and what proxies say. Where a list stands in
 * place of the address, nobody says who wrote its last element; then private networks are passed
 * over, too. */
static bool address_of(const struct access *a, const struct access_row *r, char out[ADDRESS_TEXT])
{
	uint8_t b[16];
	struct str s = r->f[F_ADDRESS].n ? r->f[F_ADDRESS] : r->f[F_FORWARDED];
	if (str_find(s, ',') < s.n || str_find(s, '=') < s.n)
		s = cidr_list_client(&a->trusted, &a->inside, s);
	if (!address_read(s, b))
		return false;
	(void)address_asked(&a->trusted, r->f[F_FORWARDED], b);
	return access_written(b, out);
}

/* --- times */

/* Takes n digits. */
static bool digits(struct str *s, unsigned n, unsigned *out)
{
	*out = 0;
	for (unsigned i = 0; i < n; i++) {
		if (i >= s->n || !chr_digit(s->p[i]))
			return false;
		*out = *out * 10 + (unsigned)(s->p[i] - '0');
	}
	*s = str_skip(*s, n);
	return true;
}

/* Takes one sign, if it is there. */
static bool sign(struct str *s, char c)
{
	bool fits = s->n && s->p[0] == c;
	*s = str_skip(*s, fits);
	return fits;
}

/* "10/Oct/2000:13:55:36 -0700" (the common log format) becomes RFC 3339. */
static bool clf_time(struct str s, char *iso, size_t n)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned day, year, h, m, sec, zh = 0, zm = 0, month = 0;
	if (!digits(&s, 2, &day) || !sign(&s, '/') || s.n < 4)
		return false;
	while (month < 12 && memcmp(s.p, months + 3 * (size_t)month, 3) != 0)
		month++;
	s = str_skip(s, 3);
	if (month == 12 || !sign(&s, '/') || !digits(&s, 4, &year) || !sign(&s, ':') ||
	    !digits(&s, 2, &h) || !sign(&s, ':') || !digits(&s, 2, &m) || !sign(&s, ':') ||
	    !digits(&s, 2, &sec))
		return false;
	if (sign(&s, '.'))
		while (s.n && chr_digit(s.p[0]))
			s = str_skip(s, 1);
	s = str_trim(s);
	char zone = s.n ? s.p[0] : '+';
	if (s.n && ((!sign(&s, '+') && !sign(&s, '-')) || !digits(&s, 2, &zh) ||
		       (sign(&s, ':'), !digits(&s, 2, &zm)) || s.n))
		return false;
	snprintf(iso, n, "%04u-%02u-%02uT%02u:%02u:%02u%c%02u:%02u", year, month + 1, day, h, m,
	    sec, zone, zh, zm);
	return true;
}

/* Seconds since 1970, or their thousandths, millionths or milliardths. The size says which: up to
 * 1e11 are seconds (the year 5138), so what is larger is divided by 1000 until it fits. */
static bool number_time(struct str s, int64_t *out)
{
	double v;
	if (!s.n || !chr_digit(s.p[0]) || !number_read(s, &v) || !(v < 1e20))
		return false;
	while (v > 1e11)
		v /= 1000;
	*out = (int64_t)v;
	return true;
}

/* 2000-10-10T13:55:36.5+02:00 and its variants, as RFC 3339: a blank for the T, slashes, a comma
 * before the fraction, +0200, no zone, which is UTC. */
static bool iso_time(struct str s, char *iso, size_t most)
{
	if (s.n < 19 || s.n + 7 > most)
		return false;
	memcpy(iso, s.p, s.n);
	if (iso[4] == '/' && iso[7] == '/')
		iso[4] = iso[7] = '-';
	if (iso[10] == ' ')
		iso[10] = 'T';
	size_t n = s.n, zone = 19;
	while (zone < n && (iso[zone] == '.' || iso[zone] == ',' || chr_digit(iso[zone])))
		zone++;
	if (n > 19 && iso[19] == ',')
		iso[19] = '.';
	struct str z = str_trim(str_make(iso + zone, n - zone));
	char text[8] = "Z";
	if (z.n == 5 && (z.p[0] == '+' || z.p[0] == '-'))
		snprintf(text, sizeof text, "%.3s:%.2s", z.p, z.p + 3);
	else if (z.n && !str_eq(z, STR("UTC")))
		snprintf(text, sizeof text, "%.*s", (int)(z.n < 7 ? z.n : 7), z.p);
	snprintf(iso + zone, most - zone, "%s", text);
	return true;
}

/* A time by a form of strptime(); without a zone in it UTC. */
static bool written_time(struct str s, const char *form, int64_t *out)
{
	char text[80], *end;
	struct tm tm = {.tm_mday = 1};
	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	if (!(end = strptime(text, form, &tm)) || *end)
		return false;
	long east = tm.tm_gmtoff;
	*out = (int64_t)timegm(&tm) - east;
	return true;
}

/* Times of mail, HTTP, C and date(1), and ISO 8601's basic form. */
static bool other_time(struct str s, int64_t *out)
{
	static const char *const usual[] = {"%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S %z",
	    "%a, %d-%b-%y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S UTC", "%a %b %d %H:%M:%S %Y",
	    "%a %b %d %H:%M:%S UTC %Y", "%a %b %d %H:%M:%S %z %Y", "%Y%m%dT%H%M%SZ",
	    "%Y-%m-%d %H:%M:%S %z UTC"};
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (written_time(s, usual[i], out))
			return true;
	return false;
}

/* The time of a line, in the form that a notation gives, or in any that we know. A time of day
 * alone belongs to the line's date, or to the latest #Date. */
static bool row_time(const struct access *a, const struct access_row *r, int64_t *out)
{
	struct str s = str_trim(r->f[F_TIME]), date = r->f[F_DATE];
	char text[40], iso[64];
	if (r->time_form)
		return written_time(s, r->time_form, out);
	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = str_make(s.p + 1, s.n - 2);
	if (number_time(s, out))
		return true;
	if (s.n >= 8 && s.p[2] == ':') {
		if (!date.n)
			date = str_c(a->date);
		if (date.n != 10 || s.n > 20)
			return false;
		snprintf(text, sizeof text, STR_FMT "T" STR_FMT, STR_ARG(date), STR_ARG(s));
		s = str_c(text);
	}
	if ((clf_time(s, iso, sizeof iso) || iso_time(s, iso, sizeof iso)) &&
	    time_parse_rfc3339(iso, strlen(iso), out))
		return true;
	return other_time(s, out);
}

/* --- what was asked for */

static bool static_file(struct str path)
{
	static const char *const ends[] = {".css", ".js", ".mjs", ".map", ".png", ".jpg", ".jpeg",
	    ".gif", ".svg", ".webp", ".avif", ".bmp", ".ico", ".cur", ".woff", ".woff2", ".ttf",
	    ".otf", ".eot", ".mp3", ".mp4", ".webm", ".ogg", ".wav", ".avi", ".mov", ".swf",
	    "/robots.txt", "/ads.txt", ".webmanifest", "/sitemap.xml"};
	path.n = str_find(path, '?');
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t n = strlen(ends[i]);
		if (path.n >= n && str_ieq(str_skip(path, path.n - n), str_c(ends[i])))
			return true;
	}
	return false;
}

/* What was asked for. */
struct asked {
	struct str method, path, query, host;
};

static bool take_method(struct str s, struct asked *to)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	to->method = s;
	return s.n > 0 && s.n <= 24;
}

/* "/path?query", or a whole URL, whose host is then the one that was asked for (RFC 9112 3.2.2). */
static bool take_target(struct str s, struct asked *to)
{
	if (s.n >= 8 && (str_ieq(str_make(s.p, 7), STR("http://")) ||
			    str_ieq(str_make(s.p, 8), STR("https://")))) {
		s = str_skip(s, s.p[4] == ':' ? 7 : 8);
		size_t n = 0;
		while (n < s.n && !chr_one_of(s.p[n], "/?#"))
			n++;
		to->host = str_make(s.p, n);
		size_t at = str_find(to->host, '@');
		if (at < to->host.n)
			to->host = str_skip(to->host, at + 1);
		s = str_skip(s, n);
		if (!s.n || s.p[0] != '/') {
			to->path = STR("/");
			to->query = s.n && s.p[0] == '?' ? s : STR("");
			return true;
		}
	}
	to->path = s;
	return s.n && s.p[0] == '/';
}

/* Takes the request apart, from the request line or from fields of its parts. A target may have
 * blanks in it: the method ends at the first blank, the target before the last, if the protocol
 * follows. CloudFront writes a percent sign as %25, so what came as "%41" stands there as "%2541".
 */
static enum access_kind asked_for(struct access *a, const struct access_row *r, struct asked *to)
{
	struct str request = r->f[F_REQUEST], target = r->f[F_TARGET], query = r->f[F_QUERY],
		   method = r->f[F_METHOD];
	*to = (struct asked){.query = STR("")};
	if (request.n) {
		if (r->escaped)
			request = access_unescaped(a, request);
		request = str_trim(request);
		size_t blank = str_find(request, ' '), end = request.n;
		while (end > blank && request.p[end - 1] != ' ')
			end--;
		if (end > blank + 1 && str_starts(str_skip(request, end), STR("HTTP/")))
			request.n = end;
		method = str_make(request.p, blank);
		target = str_trim(str_skip(request, blank));
	} else if (!target.n) {
		target = r->f[F_STEM];
	}
	if (!take_method(method, to))
		return ACCESS_REQUEST;
	if (!str_eq(method, STR("GET")))
		return ACCESS_METHOD;
	if (r->escaped && !request.n)
		target = access_unescaped(a, target);
	if (a->cloudfront && str_has(target, STR("%25")))
		target = access_unpercent(a, target);
	if (!take_target(target, to))
		return ACCESS_REQUEST;
	if (query.n && !str_eq(query, STR("-")) && str_find(to->path, '?') == to->path.n)
		to->query = a->cloudfront && str_has(query, STR("%25")) ? access_unpercent(a, query)
									: query;
	return ACCESS_EVENT;
}

/* The page's host: of the request's URL, or of the log's field, or what the operator says about all
 * lines. False: the name is no host's. */
static bool host_of(
    const struct access *a, const struct access_row *r, const struct asked *asked, struct str *out)
{
	bool port;
	struct str h = asked->host.n ? asked->host : r->f[F_HOST];
	*out = str_c(a->host);
	if (!h.n || str_eq(h, STR("-")) || str_eq(h, STR("_")))
		return true;
	if (!access_host_like(h, &port))
		return false;
	*out = str_make(h.p, h.p[0] == '[' ? str_find(h, ']') + 1 : str_find(h, ':'));
	return true;
}

/* --- the event */

/* Writes a text into JSON. Bytes that a URL cannot have are percent-encoded; in a text that is not
 * UTF-8, and for control bytes, '?' is written. */
static void put_clean(struct buf *out, struct str s, bool url)
{
	bool text = !url && utf8_valid(s) == s.n;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c == '"' || c == '\\')
			buf_add(out, (char[]){'\\', (char)c}, 2);
		else if (url && (c <= 0x20 || c > 0x7e))
			buf_addf(out, "%%%02X", c);
		else if (c < 0x20 || c == 0x7f || (c > 0x7f && !text))
			buf_c(out, "?");
		else
			buf_add(out, &s.p[i], 1);
	}
}

/* The user agent without the form's escapes. CloudFront encodes it twice. */
static struct str agent_of(struct access *a, const struct access_row *r)
{
	struct str s = r->f[F_AGENT];
	if (r->escaped)
		return access_unescaped(a, s);
	if (a->cloudfront) {
		s = access_unpercent(a, s);
		return str_has(s, STR("%20")) ? access_unpercent(a, s) : s;
	}
	if (!r->plus || str_find(s, ' ') < s.n)
		return s;
	char *to = access_room(a, s.n);
	for (size_t i = 0; to && i < s.n; i++)
		to[i] = s.p[i] == '+' ? ' ' : s.p[i];
	return str_make(to, to ? s.n : 0);
}

/* What a line of an import file calls the field of that row (privacy/hit_rows.h). */
#define KEY_OF(row) hit_rows[HIT_ROW_##row].imported

/* Appends the event. The id is a keyed hash of the address and of the agent as the line has it. */
static void put_event(struct access *a, const struct access_row *r, const char *address, int64_t t,
    const struct asked *asked, struct str host, struct buf *out)
{
	struct buf both = BUF_SECRET;
	char hex[33] = "";
	struct str agent = r->f[F_AGENT], referer = r->f[F_REFERER];
	buf_c(&both, address);
	buf_add(&both, "", 1);
	buf_str(&both, agent);
	struct hash16 h = hash_keyed(&a->key, both.p, both.n);
	out->failed |= both.failed;
	buf_done(&both);
	hex_encode(h.b, sizeof h.b, hex);
	buf_addf(out, "{\"%s\":\"log:%s\",\"%s\":%lld,\"%s\":\"log\",\"%s\":\"https://", KEY_OF(id),
	    hex, KEY_OF(time), (long long)t, KEY_OF(source), KEY_OF(url));
	put_clean(out, host, true);
	put_clean(out, asked->path, true);
	if (asked->query.n) {
		buf_c(out, asked->query.p[0] == '?' ? "" : "?");
		put_clean(out, asked->query, true);
	}
	if (agent.n && !str_eq(agent, STR("-"))) {
		buf_addf(out, "\",\"%s\":\"", KEY_OF(agent));
		put_clean(out, agent_of(a, r), false);
	}
	if (referer.n && !str_eq(referer, STR("-"))) {
		if (r->escaped)
			referer = access_unescaped(a, referer);
		else if (a->cloudfront && str_has(referer, STR("%25")))
			referer = access_unpercent(a, referer);
		buf_addf(out, "\",\"%s\":\"", KEY_OF(referrer));
		put_clean(out, referer, true);
	}
	buf_addf(out, "\",\"%s\":\"%s\"}\n", KEY_OF(ip), address);
}

static enum access_kind malformed(struct access *a, const char *why)
{
	a->why = why;
	return ACCESS_MALFORMED;
}

static enum access_kind judge_row(struct access *a, const struct access_row *r, struct buf *out)
{
	char address[ADDRESS_TEXT];
	struct asked asked;
	struct str host;
	uint64_t status;
	int64_t t;
	if (!address_of(a, r, address))
		return malformed(a, "no address where the visitor's should be");
	if (!row_time(a, r, &t))
		return malformed(a, "no time that can be read");
	if (!str_u64(r->f[F_STATUS], &status))
		return malformed(a, "no status");
	enum access_kind kind = asked_for(a, r, &asked);
	if (kind != ACCESS_EVENT)
		return kind;
	if ((status < 200 || status > 299) && status != 304)
		return ACCESS_STATUS;
	if (static_file(asked.path))
		return ACCESS_STATIC;
	if (!host_of(a, r, &asked, &host))
		return ACCESS_REQUEST;
	put_event(a, r, address, t, &asked, host, out);
	return ACCESS_EVENT;
}

enum access_kind access_line(struct access *a, struct str line, struct buf *out)
{
	struct access_row r = {.nothing = false};
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	buf_clear(&a->scratch);
	if (!buf_reserve(&a->scratch, 4 * line.n + 64)) {
		out->failed = true;
		return malformed(a, "no memory for the line");
	}
	line = access_unwrapped(a, line);
	a->why = "the line is not of that form";
	if (!forms[a->form].read(a, line, &r))
		return ACCESS_MALFORMED;
	return r.nothing ? ACCESS_NOTHING : judge_row(a, &r, out);
}

/* The forms are tried from the last to the first but the notation, which nobody has given. Of two
 * that fit equally the later one is kept. A #Fields line is enough for W3C. */
bool access_detect(struct access *a, struct str lines)
{
	unsigned best = 0;
	int form = -1;
	const char *why = "no line says anything";
	struct buf out = {0};
	for (int f = ACCESS_OWN - 1; f >= 0; f--) {
		struct str rest = lines, line;
		unsigned fit = 0, seen = 0;
		a->form = (enum access_form)f;
		while (seen < SAMPLE && fit < ENOUGH && rest.n && str_cut(&rest, '\n', &line)) {
			line = str_unmarked(line);
			if (!str_trim(line).n)
				continue;
			enum access_kind kind = access_line(a, line, &out);
			seen += kind != ACCESS_NOTHING;
			fit += kind != ACCESS_MALFORMED && kind != ACCESS_NOTHING;
			if (kind == ACCESS_MALFORMED && f == ACCESS_COMBINED)
				why = a->why;
			buf_clear(&out);
		}
		if (fit > best || (f == ACCESS_W3C && !best && a->columns_n)) {
			best = fit;
			form = f;
		}
	}
	buf_done(&out);
	a->form = form < 0 ? ACCESS_COMBINED : (enum access_form)form;
	a->columns_n = 0; /* the caller reads the first lines again */
	a->cloudfront = false;
	a->why = why;
	return form >= 0;
}
