#include "convert.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/export/format.h"

#include <arpa/inet.h>
#include <stdio.h>

#define COLUMNS_MOST 64

/* --- access logs in the "combined" form of httpd.apache.org/docs/2.4/logs.html, which nginx and others write, too:
 *     ADDRESS IDENT USER [10/Oct/2000:13:55:36 -0700] "GET /path HTTP/1.0" 200 2326 "REFERER" "AGENT" */

static bool word(struct str *rest, struct str *out)
{
	while (rest->n && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	size_t n = str_find(*rest, ' ');
	*out = str_make(rest->p, n);
	*rest = str_skip(*rest, n);
	return out->n > 0;
}

/* Between an opening and a closing sign; a backslash keeps the next one from closing. */
static bool quoted(struct str *rest, char open, char close, struct str *out)
{
	while (rest->n && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	if (!rest->n || rest->p[0] != open)
		return false;
	size_t n = 1;
	while (n < rest->n && rest->p[n] != close)
		n += rest->p[n] == '\\' && n + 1 < rest->n ? 2 : 1;
	if (n >= rest->n)
		return false;
	*out = str_make(rest->p + 1, n - 1);
	*rest = str_skip(*rest, n + 1);
	return true;
}

static bool log_time(struct str s, int64_t *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[40], iso[40], name[4];
	unsigned day, year, h, m, sec;
	char sign = '+';
	unsigned zh = 0, zm = 0;
	if (s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	int fields = sscanf(text, "%2u/%3[A-Za-z]/%4u:%2u:%2u:%2u %c%2u%2u", &day, name, &year, &h, &m, &sec, &sign, &zh, &zm);
	const char *month = fields >= 6 && strlen(name) == 3 ? strstr(months, name) : NULL;
	if (!month || (month - months) % 3 || (sign != '+' && sign != '-'))
		return false;
	snprintf(iso, sizeof iso, "%04u-%02u-%02uT%02u:%02u:%02u%c%02u:%02u", year, (unsigned)(month - months) / 3 + 1, day, h, m, sec, sign, zh, zm);
	return time_parse_rfc3339(iso, strlen(iso), out);
}

static bool ends_with(struct str s, const char *end)
{
	size_t n = strlen(end);
	return s.n >= n && str_ieq(str_skip(s, s.n - n), str_c(end));
}

static bool static_file(struct str path)
{
	static const char *const ends[] = {".css", ".js", ".mjs", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".bmp", ".ico",
	    ".cur", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp3", ".mp4", ".webm", ".ogg", ".wav", ".avi", ".mov", ".swf", "/robots.txt",
	    "/ads.txt", ".webmanifest", "/sitemap.xml"};
	path.n = str_find(path, '?');
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (ends_with(path, ends[i]))
			return true;
	return false;
}

/* Bytes that JSON or URLs do not have are written as they may be. */
static void put_clean(struct buf *out, struct str s, bool url)
{
	struct buf clean = {0};
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c == '\\' && i + 1 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			c = (uint8_t)s.p[++i];
		if (c < 0x20 || c > 0x7e)
			buf_addf(&clean, url ? "%%%02X" : "?", c);
		else
			buf_add(&clean, &(char){(char)c}, 1);
	}
	format_json(out, clean.n ? buf_view(&clean) : STR(""));
	buf_done(&clean);
}

static bool is_address(struct str s)
{
	char text[64];
	uint8_t b[16];
	if (s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	return inet_pton(AF_INET, text, b) == 1 || inet_pton(AF_INET6, text, b) == 1;
}

static void put_event(struct convert *c, struct str who, struct str agent, int64_t t, struct str path, struct str referer, struct buf *out)
{
	struct buf both = {0};
	char hex[33];
	buf_str(&both, who);
	buf_add(&both, "", 1);
	buf_str(&both, agent);
	struct hash16 h = hash_keyed(&c->key, both.p, both.n);
	buf_done(&both);
	hex_encode(h.b, sizeof h.b, hex);
	hex[32] = 0;
	buf_addf(out, "{\"id\":\"log:%s\",\"t\":%lld,\"source\":\"log\",\"u\":", hex, (long long)t);
	struct buf url = {0};
	buf_addf(&url, "https://%s", c->host);
	buf_str(&url, path);
	put_clean(out, buf_view(&url), true);
	buf_done(&url);
	if (agent.n && !str_eq(agent, STR("-"))) {
		buf_c(out, ",\"ua\":");
		put_clean(out, agent, false);
	}
	if (referer.n && !str_eq(referer, STR("-"))) {
		buf_c(out, ",\"r\":");
		put_clean(out, referer, true);
	}
	if (is_address(who)) {
		buf_c(out, ",\"ip\":");
		format_json(out, who);
	}
	buf_c(out, "}\n");
}

static bool combined_line(struct convert *c, struct str line, struct buf *out)
{
	struct str rest = line, who, skip, when, request, status, bytes, referer = STR("-"), agent = STR("-"), method, path;
	uint64_t code;
	int64_t t;
	if (!word(&rest, &who) || !word(&rest, &skip) || !word(&rest, &skip))
		return false;
	while (rest.n && !quoted(&rest, '[', ']', &when)) /* names of users may have blanks, and some put the host before the address */
		if (!word(&rest, &skip))
			return false;
	if (!rest.n || !quoted(&rest, '"', '"', &request) || !word(&rest, &status) || !word(&rest, &bytes) || !log_time(when, &t) ||
	    !str_u64(status, &code))
		return false;
	if (quoted(&rest, '"', '"', &referer))
		(void)quoted(&rest, '"', '"', &agent);
	struct str parts = request;
	if (!word(&parts, &method) || !word(&parts, &path) || path.p[0] != '/')
		return false;
	if (!str_eq(method, STR("GET")))
		c->method++;
	else if ((code < 200 || code > 299) && code != 304)
		c->status++;
	else if (static_file(path))
		c->static_files++;
	else
		put_event(c, who, agent, t, path, referer, out);
	return true;
}

void convert_combined(struct convert *c, const char *host)
{
	*c = (struct convert){.line = combined_line};
	randombytes_buf(&c->key, sizeof c->key);
	snprintf(c->host, sizeof c->host, "%s", host);
}

/* --- CSV (RFC 4180), one line a row */

/* The next field into `scratch`. */
static bool field(struct str *rest, struct buf *scratch, struct str *out)
{
	if (!rest->p)
		return false;
	size_t from = scratch->n;
	if (rest->n && rest->p[0] == '"') {
		size_t i = 1;
		for (; i < rest->n; i++) {
			if (rest->p[i] == '"' && i + 1 < rest->n && rest->p[i + 1] == '"')
				i++;
			else if (rest->p[i] == '"')
				break;
			buf_add(scratch, &rest->p[i], 1);
		}
		*rest = str_skip(*rest, i + 1);
		size_t comma = str_find(*rest, ',');
		*rest = comma < rest->n ? str_skip(*rest, comma + 1) : str_make(NULL, 0);
	} else {
		struct str plain;
		str_cut(rest, ',', &plain);
		buf_str(scratch, str_trim(plain));
	}
	*out = str_make(scratch->n > from ? scratch->p + from : "", scratch->n - from);
	return true;
}

static const char *name_of(const struct convert *c, unsigned column)
{
	const char *p = c->names.p;
	while (column-- > 0)
		p += strlen(p) + 1;
	return p;
}

static bool read_header(struct convert *c, struct str line)
{
	struct buf scratch = {0};
	struct str f;
	c->id = c->segment = c->expires = c->action = -1;
	CHECK(buf_reserve(&scratch, line.n + 1)); /* nothing moves: the fields are views */
	while (c->columns < COLUMNS_MOST && field(&line, &scratch, &f)) {
		int at = (int)c->columns++;
		buf_str(&c->names, f);
		buf_add(&c->names, "", 1);
		if (str_eq(f, STR("id")))
			c->id = at;
		else if (str_eq(f, STR("segment")))
			c->segment = at;
		else if (str_eq(f, STR("expires")))
			c->expires = at;
		else if (str_eq(f, STR("action")))
			c->action = at;
	}
	buf_done(&scratch);
	return c->id >= 0 && (c->attributes || c->segment >= 0);
}

static void put_pair(struct buf *out, const char *name, struct str value)
{
	buf_c(out, ",");
	format_json(out, str_c(name));
	buf_c(out, ":");
	format_json(out, value);
}

static bool csv_line(struct convert *c, struct str line, struct buf *out)
{
	struct buf scratch = {0};
	struct str f[COLUMNS_MOST];
	unsigned n = 0;
	if (!c->header) {
		c->header = true;
		c->read--;
		return read_header(c, line);
	}
	if (c->id < 0)
		return false;
	CHECK(buf_reserve(&scratch, line.n + 1));
	while (n < c->columns && field(&line, &scratch, &f[n]))
		n++;
	bool fine = n == c->columns && !line.p;
	if (fine) {
		buf_c(out, "{\"id\":");
		format_json(out, f[c->id]);
		if (c->segment >= 0 && !c->attributes)
			put_pair(out, "segment", f[c->segment]);
		if (c->expires >= 0 && f[c->expires].n)
			put_pair(out, "expires", f[c->expires]);
		if (c->action >= 0 && f[c->action].n)
			put_pair(out, "action", f[c->action]);
		if (c->attributes)
			buf_c(out, ",\"attributes\":{");
		for (unsigned i = 0, any = 0; c->attributes && i < n; i++) {
			if ((int)i == c->id || (int)i == c->expires || (int)i == c->action)
				continue;
			if (any++)
				buf_c(out, ",");
			format_json(out, str_c(name_of(c, i)));
			buf_c(out, ":");
			format_json(out, f[i]);
		}
		buf_c(out, c->attributes ? "}}\n" : "}\n");
	}
	buf_done(&scratch);
	return fine;
}

void convert_csv(struct convert *c, bool attributes)
{
	*c = (struct convert){.line = csv_line, .attributes = attributes, .id = -1};
}

void convert_done(struct convert *c)
{
	buf_done(&c->names);
	sodium_memzero(&c->key, sizeof c->key);
}
