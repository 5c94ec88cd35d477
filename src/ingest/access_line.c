/* Logs whose lines are words and quotes: combined, W3C's, AWS load balancers'. */
#include "access_row.h"

#include <stdio.h>

#define WORDS_MOST 64

static bool say(struct access *a, const char *why)
{
	a->why = why;
	return false;
}

/* --- "combined", httpd.apache.org/docs/2.4/logs.html, which nginx and others write, too:
 *
 *     [HEAD] [HOST[:PORT]] ADDRESS IDENT USER [10/Oct/2000:13:55:36 -0700] "GET /path HTTP/1.0" 200
 * 2326 ["REFERER" ["AGENT" ["FORWARDED"]]]
 *
 * HEAD is what syslog and containers put before a line. A time in brackets is what all have; the
 * address is found from there. */

static bool time_at(struct str s)
{
	size_t i = 1;
	if (s.n < 12 || s.p[0] != '[')
		return false;
	while (i < 5 && chr_digit(s.p[i]))
		i++;
	return (i == 3 && s.p[i] == '/' && chr_alpha(s.p[i + 1])) ||
	       (i == 5 && s.p[i] == '-' && chr_digit(s.p[i + 1]));
}

/* Words, where a list with blanks behind its commas is one. */
static unsigned head_words(struct str s, struct str w[WORDS_MOST])
{
	unsigned n = 0;
	struct str one;
	while (access_word(&s, &one)) {
		bool goes_on = n && (w[n - 1].p[w[n - 1].n - 1] == ',' || one.p[0] == ',');
		if (goes_on)
			w[n - 1].n = (size_t)(one.p + one.n - w[n - 1].p);
		else if (n < WORDS_MOST)
			w[n++] = one;
		else
			return 0;
	}
	return n;
}

/* Between the signs that some put around it. */
static struct str inner(struct str s)
{
	return s.n > 2 && ((s.p[0] == '"' && s.p[s.n - 1] == '"') ||
			      (s.p[0] == '(' && s.p[s.n - 1] == ')'))
		   ? str_make(s.p + 1, s.n - 2)
		   : s;
}

static bool holds_address(struct str list)
{
	char text[ADDRESS_TEXT];
	struct str one;
	list = inner(list);
	while (str_cut(&list, ',', &one))
		if (access_address(one, text))
			return true;
	return false;
}

/* Of RFC 5424: <165>1 TIME HOST APP PROCESS MESSAGE DATA; its words may be dashes and addresses. */
static unsigned syslog_head(const struct str w[], unsigned n)
{
	unsigned end = 6;
	if (n < 7 || w[0].p[0] != '<' || w[0].p[w[0].n - 1] != '1' || w[0].n < 4 ||
	    w[0].p[w[0].n - 2] != '>')
		return 0;
	if (w[end].p[0] == '[') /* it may have blanks in it */
		while (end < n && w[end].p[w[end].n - 1] != ']')
			end++;
	return end + 1;
}

/* Which word is the address: one before the dash of IDENT; or one that two words follow; or the
 * last that can be. -1: none. */
static int find_address(const struct str w[], unsigned from, unsigned n)
{
	int two = -1, last = -1;
	for (unsigned i = from; i + 2 < n; i++) {
		if (!holds_address(w[i]))
			continue;
		if (str_eq(w[i + 1], STR("-")))
			return (int)i;
		if (i + 3 == n)
			two = (int)i;
		last = (int)i;
	}
	return two >= 0 ? two : last;
}

static bool has_letter(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (chr_alpha(s.p[i]) || (uint8_t)s.p[i] >= 0x80)
			return true;
	return false;
}

static struct str host_before(const struct str w[], unsigned from, unsigned at)
{
	bool port;
	if (at == from || !access_host_like(w[at - 1], &port) ||
	    w[at - 1].p[w[at - 1].n - 1] == ':')
		return STR("");
	struct str before = at - 1 > from ? w[at - 2] : STR(":");
	if (port)
		return w[at - 1];
	return str_find(w[at - 1], '.') < w[at - 1].n && before.p[before.n - 1] == ':' &&
		       has_letter(w[at - 1])
		   ? w[at - 1]
		   : STR("");
}

bool access_read_combined(struct access *a, struct str line, struct access_row *r)
{
	struct str w[WORDS_MOST], rest, bytes, more;
	size_t at = 0, end;
	while (at < line.n && !time_at(str_skip(line, at)))
		at++;
	if (at == line.n)
		return say(a, "no time in brackets");
	rest = str_skip(line, at + 1);
	end = str_find(rest, ']');
	r->f[F_TIME] = str_make(rest.p, end);
	rest = str_skip(rest, end + 1);
	unsigned n = head_words(str_make(line.p, at), w), from = syslog_head(w, n);
	int address = find_address(w, from, n);
	if (address < 0)
		return say(a, "no address where the visitor's should be");
	r->f[F_ADDRESS] = inner(w[address]);
	r->f[F_HOST] = host_before(w, from, (unsigned)address);
	r->escaped = true;
	if (!access_quoted(&rest, &r->f[F_REQUEST]))
		return say(a, "no request in quotes");
	if (!access_word(&rest, &r->f[F_STATUS]) || !access_word(&rest, &bytes))
		return say(a, "no status and size behind the request");
	if (!r->f[F_REQUEST].n)
		r->f[F_REQUEST] = STR("-");
	if (access_quoted(&rest, &r->f[F_REFERER]) && access_quoted(&rest, &r->f[F_AGENT]) &&
	    access_quoted(&rest, &more) && (holds_address(more) || str_ihas(more, STR("for="))))
		r->f[F_FORWARDED] = more;
	if (!r->f[F_AGENT].n)
		r->f[F_AGENT] = STR("-");
	return true;
}

/* --- W3C's extended form (www.w3.org/TR/WD-logfile): "#Fields:" names the columns, and may come
 * again */

/* The next column: by tabs where there are some, else by blanks; quotes may hold blanks, and are
 * doubled inside. */
static bool column(struct str *rest, bool tabs, struct str *out)
{
	if (tabs)
		return str_cut(rest, '\t', out);
	while (rest->n && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	if (!rest->n)
		return false;
	if (rest->p[0] != '"')
		return access_word(rest, out);
	size_t i = 1;
	while (i < rest->n && (rest->p[i] != '"' || (i + 1 < rest->n && rest->p[i + 1] == '"')))
		i += rest->p[i] == '"' ? 2 : 1;
	*out = str_make(rest->p + 1, i - 1);
	*rest = str_skip(*rest, i + 1);
	return true;
}

static void read_names(struct access *a, struct str names)
{
	unsigned best[FIELDS], rank;
	struct str name;
	bool tabs = str_find(names, '\t') < names.n;
	for (unsigned i = 0; i < FIELDS; i++)
		best[i] = UINT32_MAX;
	a->columns_n = 0;
	a->cloudfront = false;
	names = str_trim(names);
	while (a->columns_n < ACCESS_COLUMNS && column(&names, tabs, &name)) {
		enum access_field f = access_field_named(name, &rank);
		if (f != F_NONE && rank < best[f]) {
			best[f] = rank;
			for (unsigned i = 0; i < a->columns_n; i++)
				if (a->columns[i] == f)
					a->columns[i] = F_NONE;
		} else {
			f = F_NONE;
		}
		a->cloudfront |= str_starts(name, STR("x-edge-"));
		a->columns[a->columns_n++] = (uint8_t)f;
	}
}

static bool directive(struct access *a, struct str line)
{
	if (line.n > 8 && str_ieq(str_make(line.p, 8), STR("#Fields:"))) {
		read_names(a, str_skip(line, 8));
	} else if (line.n > 6 && str_ieq(str_make(line.p, 6), STR("#Date:"))) {
		struct str date = str_trim(str_skip(line, 6));
		snprintf(a->date, sizeof a->date, "%.*s", (int)(date.n < 10 ? date.n : 10), date.p);
	}
	return true;
}

bool access_read_w3c(struct access *a, struct str line, struct access_row *r)
{
	bool tabs = str_find(line, '\t') < line.n;
	struct str value;
	unsigned n = 0;
	r->nothing = line.n && line.p[0] == '#';
	if (r->nothing)
		return directive(a, line);
	if (!a->columns_n)
		return say(a, "no #Fields before it");
	for (; column(&line, tabs, &value); n++) {
		if (n >= a->columns_n)
			return say(a, "more columns than #Fields names");
		if (a->columns[n] != F_NONE && !str_eq(value, STR("-")))
			r->f[a->columns[n]] = value;
	}
	if (n < a->columns_n && a->columns_n < ACCESS_COLUMNS)
		return say(a, "fewer columns than #Fields names");
	r->plus = !a->cloudfront;
	struct str *list = &r->f[F_FORWARDED];
	char *to = r->plus && str_find(*list, '+') < list->n ? access_room(a, list->n) : NULL;
	for (size_t i = 0; to && i < list->n; i++)
		to[i] = list->p[i] == '+' ? ' ' : list->p[i];
	if (to)
		list->p = to;
	else if (a->cloudfront)
		*list = access_unpercent(a, *list);
	return true;
}

/* Where there always is a port, also behind a bare address of IPv6. */
static struct str without_port(struct str client)
{
	size_t colon = client.n;
	while (colon > 0 && client.p[colon - 1] != ':')
		colon--;
	if (colon && client.p[0] != '[')
		client.n = colon - 1;
	return client;
}

/* --- AWS: Application Load Balancers, and Classic ones, which leave the first word out:
 *
 *     TYPE TIME NAME CLIENT:PORT TARGET:PORT three durations STATUS TARGET'S RECEIVED SENT
 * "REQUEST" "AGENT" … */

bool access_read_alb(struct access *a, struct str line, struct access_row *r)
{
	static const char *const types[] = {"http", "https", "h2", "grpcs", "ws", "wss"};
	struct str w[16], first = line;
	unsigned n = 0, from = 0;
	while (n < 14 && line.n) {
		if (!access_quoted(&line, &w[n]) && !access_word(&line, &w[n]))
			break;
		n++;
	}
	access_word(&first, &first);
	for (size_t i = 0; n && i < sizeof types / sizeof *types; i++)
		from |= str_eq(w[0], str_c(types[i]));
	if (n < from + 12 || w[from].n < 20 || w[from].p[10] != 'T')
		return say(a, "not the words of a load balancer's line");
	r->f[F_TIME] = w[from];
	r->f[F_ADDRESS] = without_port(w[from + 2]);
	r->f[F_STATUS] = w[from + 7];
	r->f[F_REQUEST] = w[from + 11];
	r->f[F_AGENT] = n > from + 12 ? w[from + 12] : STR("-");
	r->escaped = true;
	return true;
}

/* --- HAProxy's "httplog" (configuration manual, 8.2.3), which the head of a syslog line stands
 * before:
 *
 *     ADDRESS:PORT [10/Oct/2000:13:55:36.655] FRONTEND BACKEND/SERVER five times STATUS BYTES two
 * cookies, how it ended, connections, queues {HEADERS OF THE REQUEST} {OF THE ANSWER} "REQUEST" */

bool access_read_haproxy(struct access *a, struct str line, struct access_row *r)
{
	struct str w[WORDS_MOST], rest, times;
	size_t at = 0, slashes = 0;
	while (at < line.n && !time_at(str_skip(line, at)))
		at++;
	unsigned n = head_words(str_make(line.p, at), w);
	if (n)
		r->f[F_ADDRESS] = without_port(w[n - 1]);
	rest = str_skip(line, at + 1);
	r->f[F_TIME] = str_make(rest.p, str_find(rest, ']'));
	rest = str_skip(rest, r->f[F_TIME].n + 1);
	if (!n || !access_word(&rest, &w[0]) || !access_word(&rest, &w[0]) ||
	    !access_word(&rest, &times) || !access_word(&rest, &r->f[F_STATUS]))
		return say(a, "not the words of HAProxy's line");
	for (size_t i = 0; i < times.n; i++)
		slashes += times.p[i] == '/';
	if (slashes != 4)
		return say(a, "no five times behind the server");
	rest = str_skip(rest, str_find(rest, '"'));
	r->escaped = true;
	return access_quoted(&rest, &r->f[F_REQUEST]) || say(a, "no request in quotes");
}

/* --- names of fields: lower case, letters and digits only. Of two for the same the upper one is
 * taken. */

static const struct {
	const char *name;
	enum access_field field;
} names[] = {
    {"requestclientip", F_ADDRESS}, /* Caddy */
    {"requestremoteip", F_ADDRESS},
    {"requestremoteaddr", F_ADDRESS},
    {"cip", F_ADDRESS},	       /* W3C */
    {"remoteaddr", F_ADDRESS}, /* nginx */
    {"clienthost", F_ADDRESS}, /* Traefik */
    {"clientaddr", F_ADDRESS},
    {"clientip", F_ADDRESS},
    {"clientaddress", F_ADDRESS},
    {"downstreamremoteaddress", F_ADDRESS}, /* Envoy */
    {"remoteip", F_ADDRESS},
    {"remoteaddress", F_ADDRESS},
    {"remotehost", F_ADDRESS},
    {"httprequestremoteip", F_ADDRESS}, /* Google's load balancers */
    {"sourceip", F_ADDRESS},		/* ECS */
    {"sourceaddress", F_ADDRESS},
    {"client", F_ADDRESS},
    {"ipaddress", F_ADDRESS},
    {"ip", F_ADDRESS},
    {"httpcfconnectingip", F_ADDRESS},
    {"httptrueclientip", F_ADDRESS},
    {"httpxrealip", F_ADDRESS},
    {"xforwardedfor", F_FORWARDED},
    {"httpxforwardedfor", F_FORWARDED},
    {"csxforwardedfor", F_FORWARDED},
    {"requestxforwardedfor", F_FORWARDED},
    {"requestheadersxforwardedfor", F_FORWARDED},
    {"headersxforwardedfor", F_FORWARDED},
    {"httpforwarded", F_FORWARDED}, /* RFC 7239 */
    {"csforwarded", F_FORWARDED},
    {"requestforwarded", F_FORWARDED},
    {"requestheadersforwarded", F_FORWARDED},
    {"headersforwarded", F_FORWARDED},
    {"forwarded", F_FORWARDED},
    {"startutc", F_TIME},
    {"timeiso8601", F_TIME},
    {"timelocal", F_TIME},
    {"msec", F_TIME},
    {"ts", F_TIME},
    {"timestamp", F_TIME},	    /* also "@timestamp" */
    {"edgestarttimestamp", F_TIME}, /* Cloudflare */
    {"datetime", F_TIME},
    {"time", F_TIME},
    {"starttime", F_TIME},
    {"date", F_DATE},
    {"request", F_REQUEST},
    {"requestline", F_REQUEST},
    {"csmethod", F_METHOD},
    {"requestmethod", F_METHOD},
    {"httprequestrequestmethod", F_METHOD},
    {"clientrequestmethod", F_METHOD},
    {"httprequestmethod", F_METHOD},
    {"httpmethod", F_METHOD},
    {"method", F_METHOD},
    {"verb", F_METHOD},
    {"requesturi", F_TARGET}, /* nginx, Caddy */
    {"csuri", F_TARGET},
    {"requesturl", F_TARGET},
    {"requestpath", F_TARGET}, /* Traefik: with its query */
    {"clientrequesturi", F_TARGET},
    {"httprequestrequesturl", F_TARGET},
    {"urloriginal", F_TARGET},
    {"url", F_TARGET},
    {"requesttarget", F_TARGET},
    {"csuristem", F_STEM},
    {"uri", F_STEM},
    {"documenturi", F_STEM},
    {"urlpath", F_STEM},
    {"path", F_STEM},
    {"csuriquery", F_QUERY},
    {"args", F_QUERY},
    {"querystring", F_QUERY},
    {"requestquery", F_QUERY},
    {"urlquery", F_QUERY},
    {"query", F_QUERY},
    {"scstatus", F_STATUS},
    {"status", F_STATUS},
    {"downstreamstatus", F_STATUS},
    {"edgeresponsestatus", F_STATUS},
    {"httprequeststatus", F_STATUS},
    {"httpresponsestatuscode", F_STATUS},
    {"responsestatus", F_STATUS},
    {"httpstatuscode", F_STATUS}, /* Azure */
    {"statuscode", F_STATUS},
    {"responsecode", F_STATUS},
    {"response", F_STATUS},
    {"code", F_STATUS},
    {"csreferer", F_REFERER},
    {"httpreferer", F_REFERER},
    {"requestreferer", F_REFERER},
    {"requestheadersreferer", F_REFERER},
    {"httprequestreferer", F_REFERER},
    {"httprequestreferrer", F_REFERER},
    {"clientrequestreferer", F_REFERER},
    {"headersreferer", F_REFERER},
    {"httpreferrer", F_REFERER},
    {"referer", F_REFERER},
    {"referrer", F_REFERER},
    {"csuseragent", F_AGENT},
    {"httpuseragent", F_AGENT},
    {"requestuseragent", F_AGENT},
    {"requestheadersuseragent", F_AGENT},
    {"httprequestuseragent", F_AGENT},
    {"clientrequestuseragent", F_AGENT},
    {"useragentoriginal", F_AGENT},
    {"headersuseragent", F_AGENT},
    {"useragent", F_AGENT},
    {"agent", F_AGENT},
    {"ua", F_AGENT},
    {"xhostheader", F_HOST}, /* CloudFront: what the visitor asked for; cs(Host) is its own name */
    {"requesthost", F_HOST},
    {"authority", F_HOST},
    {"httphost", F_HOST},
    {"cshost", F_HOST},
    {"clientrequesthost", F_HOST},
    {"urldomain", F_HOST},
    {"host", F_HOST},
    {"vhost", F_HOST},
    {"virtualhost", F_HOST},
    {"domain", F_HOST},
    {"servername", F_HOST},
};

static enum access_field named(struct str plain, unsigned *rank)
{
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(plain, str_c(names[i].name))) {
			*rank = i;
			return names[i].field;
		}
	return F_NONE;
}

/* What collectors put a line's fields into: {"properties":{"clientIp":…}}. */
static const char *const around[] = {
    "properties", "jsonpayload", "fields", "data", "log", "message", "record", "nginx", "access"};

enum access_field access_field_named(struct str name, unsigned *rank)
{
	char plain[64];
	size_t n = 0;
	for (size_t i = 0; i < name.n; i++) {
		if (!chr_alpha(name.p[i]) && !chr_digit(name.p[i]))
			continue;
		if (n == sizeof plain - 1)
			return F_NONE;
		plain[n++] = chr_lower(name.p[i]);
	}
	struct str all = str_make(plain, n);
	enum access_field f = named(all, rank);
	for (size_t i = 0; f == F_NONE && i < sizeof around / sizeof *around; i++) {
		if (str_starts(all, str_c(around[i])))
			f = named(str_skip(all, strlen(around[i])), rank);
		if (f != F_NONE)
			*rank +=
			    sizeof names / sizeof *names; /* what stands by itself goes before it */
	}
	return f;
}
