/* Bytes become requests.
 *
 * llhttp reads the connection's buffer and calls on_…() below with pieces of it, in whatever
 * portions they came. A piece is kept as a span: an offset and a length. Nothing is copied; the
 * pieces of a chunked body are moved together inside the buffer, and a field that comes again is
 * joined with its earlier line there (join_lines()). When a request is complete, handle() makes
 * views of the spans, the handler runs, and the bytes are wiped.
 *
 * A callback that refuses sets `fail` to the status and stops the parser with -1. */
#include "conn.h"

#include "crumb/base/code.h"
#include "crumb/core/metric.h"

#include <stdlib.h>
#include <strings.h>

static struct http_conn *of(llhttp_t *p)
{
	return p->data;
}

static uint32_t offset(const struct http_conn *c, const char *at)
{
	return (uint32_t)(at - (c->in + c->start));
}

/* A further piece of what the span says. Framing may lie between two pieces. */
static void extend(struct http_conn *c, struct span *s, const char *at, size_t n)
{
	if (s->n == 0)
		s->at = offset(c, at);
	s->n = offset(c, at) + (uint32_t)n - s->at;
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
	extend(of(p), &of(p)->url, at, n);
	return 0;
}

/* The fields that are kept, by the length of their names: first_of[n] is the first whose name has n
 * bytes or more. So "host" is compared with one name, "cookie" with three at most, and a name of
 * eleven bytes with none. */
static const struct {
	const char *name;
	uint8_t n;
} wanted[H_MAX] = {
    [H_DNT] = {"dnt", 3},
    [H_HOST] = {"host", 4},
    [H_COOKIE] = {"cookie", 6},
    [H_ORIGIN] = {"origin", 6},
    [H_EXPECT] = {"expect", 6},
    [H_REFERER] = {"referer", 7},
    [H_SEC_GPC] = {"sec-gpc", 7},
    [H_X_CRUMB] = {"x-crumb", 7},
    [H_IF_MATCH] = {"if-match", 8},
    [H_FORWARDED] = {"forwarded", 9},
    [H_USER_AGENT] = {"user-agent", 10},
    [H_CONTENT_TYPE] = {"content-type", 12},
    [H_AUTHORIZATION] = {"authorization", 13},
    [H_IF_NONE_MATCH] = {"if-none-match", 13},
    [H_LAST_EVENT_ID] = {"last-event-id", 13},
    [H_SEC_FETCH_SITE] = {"sec-fetch-site", 14},
    [H_SEC_FETCH_DEST] = {"sec-fetch-dest", 14},
    [H_FORWARDED_FOR] = {"x-forwarded-for", 15},
    [H_ACCEPT_ENCODING] = {"accept-encoding", 15},
    [H_ACCEPT_LANGUAGE] = {"accept-language", 15},
    [H_FORWARDED_HOST] = {"x-forwarded-host", 16},
    [H_CONTENT_ENCODING] = {"content-encoding", 16},
    [H_TRANSFER_ENCODING] = {"transfer-encoding", 17},
    [H_FORWARDED_PROTO] = {"x-forwarded-proto", 17},
    [H_IF_MODIFIED_SINCE] = {"if-modified-since", 17},
    [H_IF_UNMODIFIED_SINCE] = {"if-unmodified-since", 19},
};
#define NAME_MOST 19
_Static_assert(H_MAX <= 32, "seen has a bit for each");
static const uint8_t first_of[NAME_MOST + 2] = {
    [3] = H_DNT,
    [4] = H_HOST,
    [5] = H_COOKIE,
    [6] = H_COOKIE,
    [7] = H_REFERER,
    [8] = H_IF_MATCH,
    [9] = H_FORWARDED,
    [10] = H_USER_AGENT,
    [11] = H_CONTENT_TYPE,
    [12] = H_CONTENT_TYPE,
    [13] = H_AUTHORIZATION,
    [14] = H_SEC_FETCH_SITE,
    [15] = H_FORWARDED_FOR,
    [16] = H_FORWARDED_HOST,
    [17] = H_TRANSFER_ENCODING,
    [18] = H_IF_UNMODIFIED_SINCE,
    [19] = H_IF_UNMODIFIED_SINCE,
    [20] = H_MAX,
};

static int fail(struct http_conn *c, int status)
{
	c->fail = status;
	return -1;
}

static int on_field(llhttp_t *p, const char *at, size_t n)
{
	if (!of(p)->in_body)
		extend(of(p), &of(p)->field, at, n);
	return 0;
}

/* Sets `current` to the field of this name. First and last letter tell most names apart. */
static int on_field_complete(llhttp_t *p)
{
	struct http_conn *c = of(p);
	const char *name = c->in + c->start + c->field.at;
	uint32_t n = c->field.n;
	c->current = -1;
	c->field.n = c->value.n = 0;
	if (c->in_body)
		return 0;
	if (n == 0)
		return fail(c, 400);
	if (n <= NAME_MOST)
		for (int i = first_of[n]; i < first_of[n + 1]; i++) {
			const char *one = wanted[i].name;
			if ((name[0] | 32) != one[0] || (name[n - 1] | 32) != one[n - 1] ||
			    strncasecmp(name, one, n) != 0)
				continue;
			c->current = i;
			break;
		}
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http_conn *c = of(p);
	if (c->current < 0)
		return 0;
	if (c->value.n && offset(c, at) != c->value.at + c->value.n)
		return fail(c, 400); /* folded over two lines (RFC 9112 5.2) */
	extend(c, &c->value, at, n);
	return 0;
}

static struct str span_view(const struct http_conn *c, struct span s)
{
	return str_make(s.n ? c->in + c->start + s.at : "", s.n);
}

static void reverse(char *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		char x = p[i];
		p[i] = p[n - 1 - i];
		p[n - 1 - i] = x;
	}
}

/* The field came before, and this is another line of it. The two values become one list without
 * memory of their own: the earlier value changes places with what lies between the two, which are
 * other fields and this line's name and colon. The last two bytes of that make room for the comma.
 *
 *	before	│ earlier │ others │ name: │ value │
 *	after	│ others │ name │ earlier │, │ value │
 *
 * Two neighbours change places by three reversals: of each, and of both together. Fields that moved
 * to the left have their spans corrected. The cost is the length of the head for each line, so
 * there are AGAIN_MOST of them at most. */
static int join_lines(struct http_conn *c, int field)
{
	struct span *had = &c->header[field], *value = &c->value;
	char *in = c->in + c->start;
	if (++c->again_n > AGAIN_MOST)
		return fail(c, 431);
	if (value->n == 0)
		return 0;
	if (had->n == 0) {
		*had = *value;
		return 0;
	}
	uint32_t at = had->at, n = had->n, end = value->at - 2;
	reverse(in + at, n);
	reverse(in + at + n, end - at - n);
	reverse(in + at, end - at);
	for (int i = 0; i < H_MAX; i++)
		if (c->header[i].n && c->header[i].at > at && c->header[i].at < end)
			c->header[i].at -= n;
	memcpy(in + end, field == H_COOKIE ? "; " : ", ", 2);
	*had = (struct span){end - n, n + 2 + value->n};
	return 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Keeps the value, without blanks around it. A second Host is refused (RFC 9112 3.2). */
static int on_value_complete(llhttp_t *p)
{
	struct http_conn *c = of(p);
	struct span *v = &c->value;
	const char *text = c->in + c->start + v->at;
	int field = c->current;
	if (field < 0)
		return 0;
	c->current = -1;
	while (v->n && blank(text[v->n - 1]))
		v->n--;
	while (v->n && blank(text[0]))
		text++, v->at++, v->n--;
	if (v->n == 1 && text[0] == '1') {
		c->gpc |= field == H_SEC_GPC;
		c->dnt |= field == H_DNT;
	}
	if (c->seen & 1u << field)
		return field == H_HOST ? fail(c, 400) : join_lines(c, field);
	c->seen |= 1u << field;
	c->header[field] = *v;
	return 0;
}

/* Sets `fail` when the body may not be so long. The length is known from Content-Length before the
 * body comes, or grows chunk by chunk. */
static bool too_long(struct http_conn *c, uint64_t body)
{
	if (c->stranger && body > HTTP_STRANGER_BODY)
		c->fail = c->stranger;
	else if (body > c->body_most)
		c->fail = 413;
	return c->fail != 0;
}

/* A name or an address, and perhaps a port (RFC 9110 7.2, RFC 3986 3.2.2). */
static bool host_fits(struct str s)
{
	enum { NAME = 1, ADDRESS = 2 };
#define RANGE(a, b, what) [a... b] = (what)
	static const uint8_t table[256] = {RANGE('0', '9', NAME | ADDRESS),
	    RANGE('a', 'f', NAME | ADDRESS), RANGE('A', 'F', NAME | ADDRESS), RANGE('g', 'z', NAME),
	    RANGE('G', 'Z', NAME), ['.'] = NAME | ADDRESS, [':'] = ADDRESS, ['-'] = NAME,
	    ['_'] = NAME, ['~'] = NAME, ['%'] = NAME, ['!'] = NAME, ['$'] = NAME, ['&'] = NAME,
	    ['\''] = NAME, ['('] = NAME, [')'] = NAME, ['*'] = NAME, ['+'] = NAME, [';'] = NAME,
	    ['='] = NAME};
#undef RANGE
	size_t i = 0;
	if (s.n && s.p[0] == '[') {
		for (i = 1; i < s.n && table[(uint8_t)s.p[i]] & ADDRESS;)
			i++;
		if (i == 1 || i == s.n || s.p[i++] != ']')
			return false;
	} else {
		while (i < s.n && table[(uint8_t)s.p[i]] & NAME)
			i++;
	}
	if (i == s.n)
		return i > 0;
	if (i == 0 || s.p[i] != ':')
		return false;
	while (++i < s.n)
		if (!chr_digit(s.p[i]))
			return false;
	return true;
}

static void split_target(struct str target, struct str *path, struct str *query)
{
	if (target.n && target.p[0] != '/') { /* absolute form: http://host/path */
		size_t at = str_find(target, ':');
		struct str rest = at + 3 < target.n ? str_skip(target, at + 3) : str_make("", 0);
		target = str_skip(rest, str_find(rest, '/'));
	}
	size_t q = str_find(target, '?');
	*path = str_make(target.p, q);
	*query = str_skip(target, q + 1);
}

static enum http_method method_of(const struct http_conn *c)
{
	switch (llhttp_get_method((llhttp_t *)(uintptr_t)&c->parser)) {
	case HTTP_GET:
		return HTTP_M_GET;
	case HTTP_HEAD:
		return HTTP_M_HEAD;
	case HTTP_POST:
		return HTTP_M_POST;
	case HTTP_OPTIONS:
		return HTTP_M_OPTIONS;
	default:
		return HTTP_M_OTHER;
	}
}

/* Views of what has come so far. */
static void request_of(const struct http_conn *c, struct http_request *r)
{
	r->method = method_of(c);
	r->gpc = c->gpc;
	r->dnt = c->dnt;
	r->peer = (const struct sockaddr *)&c->peer;
	r->ticket.conn = (struct http_conn *)(uintptr_t)c;
	split_target(span_view(c, c->url), &r->path, &r->query);
	for (int i = 0; i < H_MAX; i++)
		r->header[i] = span_view(c, c->header[i]);
	r->body = span_view(c, c->body);
}

/* The head is complete: what is wrong with its framing is refused before a body is read, and the
 * server is asked how long the body may be. */
static int on_headers_complete(llhttp_t *p)
{
	struct http_conn *c = of(p);
	bool named = c->seen & 1u << H_HOST;
	if (p->http_major != 1 || (p->http_minor > 0 && !named) ||
	    (named && !host_fits(span_view(c, c->header[H_HOST]))))
		return fail(c, 400);
	if (c->seen & 1u << H_TRANSFER_ENCODING) {
		/* A message of HTTP/1.0 with this field has faulty framing; codings that we do not
		 * know are answered with 501 (RFC 9112 6.1). */
		if (p->http_minor == 0)
			return fail(c, 400);
		if (!str_ieq(span_view(c, c->header[H_TRANSFER_ENCODING]), STR("chunked")))
			return fail(c, 501);
	}
	c->stranger = 0;
	if (c->server->stranger) {
		struct http_request head = {0};
		request_of(c, &head);
		c->stranger = c->server->stranger(c->server->ctx, &head);
	}
	if (c->server->body_of && (p->content_length || c->seen & 1u << H_TRANSFER_ENCODING)) {
		struct str path, query;
		split_target(span_view(c, c->url), &path, &query);
		c->body_most = c->server->body_of(c->server->ctx, path);
	}
	if (too_long(c, p->content_length))
		return -1;
	p->upgrade = 0; /* we speak HTTP/1.1 and ignore Upgrade, as RFC 9110 7.8 allows */
	c->in_body = true;
	conn_phase(c, PHASE_BODY);
	/* HTTP/1.0 knows no 100 (RFC 9110 10.1.1). Behind unsent answers it would come too early;
	 * the peer sends its body after a while anyway. */
	if (p->http_minor > 0 && c->header[H_EXPECT].n &&
	    str_ieq(span_view(c, c->header[H_EXPECT]), STR("100-continue")) && c->used == 0) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
		if (send(c->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return fail(c, 400);
	}
	return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http_conn *c = of(p);
	if (too_long(c, c->body.n + n))
		return -1;
	if (c->body.n == 0)
		c->body.at = offset(c, at);
	else /* over the framing between two chunks, which was read already */
		memmove(c->in + c->start + c->body.at + c->body.n, at, n);
	c->body.n += (uint32_t)n;
	return 0;
}

static int on_complete(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

void conn_callbacks(llhttp_settings_t *s)
{
	llhttp_settings_init(s);
	s->on_url = on_url;
	s->on_header_field = on_field;
	s->on_header_field_complete = on_field_complete;
	s->on_header_value = on_value;
	s->on_header_value_complete = on_value_complete;
	s->on_headers_complete = on_headers_complete;
	s->on_body = on_body;
	s->on_message_complete = on_complete;
}

/* Between requests: wipes the last one, and begins the next where it ended. */
static void next_request(struct http_conn *c)
{
	memset(c->in + c->start, 0, c->parsed - c->start);
	c->start = c->parsed;
	if (c->start == c->in_n) {
		c->start = c->parsed = c->in_n = 0;
		if (c->in_cap > IN_KEEP) { /* a long body does not keep its memory */
			char *smaller = realloc(c->in, IN_FIRST);
			if (smaller) {
				c->in = smaller;
				c->in_cap = IN_FIRST;
			}
		}
	}
	c->url.n = c->field.n = c->value.n = c->body.n = 0;
	memset(c->header, 0, sizeof c->header);
	c->seen = c->again_n = 0;
	c->body_most = c->server->body_limit;
	c->in_body = c->gpc = c->dnt = false;
	c->current = -1;
}

/* Calls the handler with the complete request. The slot is taken before, so that answers have the
 * order of requests. */
static void handle(struct http_conn *c)
{
	struct http_request r;
	request_of(c, &r);
	bool last =
	    !llhttp_should_keep_alive(&c->parser) || (c->server->draining && !c->server->give);
	struct slot *s = conn_slot(c);
	s->last = last;
	s->bodyless = r.method == HTTP_M_HEAD;
	s->stays = !last && c->parser.http_minor == 0;
	c->closing = last;
	r.ticket = (struct http_ticket){c, (unsigned)(s - c->slots)};
	metric_inc(M_REQUESTS);
	c->busy = true;
	c->server->handler(c->server->ctx, &r);
	c->busy = false;
}

void conn_parse(struct http_conn *c)
{
	while (c->parsed < c->in_n && c->used < SLOTS && !c->closing && !c->closed) {
		if (c->phase == PHASE_IDLE || c->phase == PHASE_ANSWER || c->phase == PHASE_SEND)
			conn_phase(c, PHASE_HEAD);
		size_t part = c->in_n - c->parsed,
		       most = (size_t)c->server->config->header_bytes + 1,
		       had = c->parsed - c->start;
		if (c->phase == PHASE_HEAD && part > most - had)
			part = most - had; /* one byte too many is enough to know */
		llhttp_errno_t rc = llhttp_execute(&c->parser, c->in + c->parsed, part);
		if (rc == HPE_OK) {
			c->parsed += part;
			if (c->phase == PHASE_HEAD && c->parsed - c->start >= most) {
				/* the request line alone: 16 bytes are method and version */
				bool line = c->url.n + 16 > (uint32_t)most;
				conn_error(c, line ? 414 : 431);
				return;
			}
			continue;
		}
		if (rc != HPE_PAUSED || c->fail) {
			conn_error(c, c->fail ? c->fail : 400);
			return;
		}
		c->parsed = (size_t)(llhttp_get_error_pos(&c->parser) - c->in);
		llhttp_resume(&c->parser);
		handle(c);
		next_request(c);
		if (c->phase == PHASE_BODY)
			conn_phase(c, c->want_write ? PHASE_SEND : PHASE_ANSWER);
	}
}

/* --- query strings */

/* Empty pairs are passed over. A pair without '=' is a key with an empty value. Only parts with '%'
 * or '+' are decoded, into scratch. */
bool http_query_next(struct http_query *q, struct str *key, struct str *value)
{
	struct str pair;
	do {
		if (!q->rest.n || !str_cut(&q->rest, '&', &pair))
			return false;
	} while (pair.n == 0);
	size_t eq = str_find(pair, '=');
	struct str part[2] = {str_make(pair.p, eq), str_skip(pair, eq + 1)};
	for (int i = 0; i < 2; i++) {
		bool coded = part[i].n && (memchr(part[i].p, '%', part[i].n) ||
					      memchr(part[i].p, '+', part[i].n));
		if (!coded)
			continue;
		char *to = q->scratch + q->used;
		size_t n = form_decode(part[i], to);
		q->used += n;
		part[i] = str_make(to, n);
	}
	*key = part[0];
	*value = part[1];
	return true;
}
