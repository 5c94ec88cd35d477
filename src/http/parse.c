/* Bytes to requests. llhttp reports spans of our own buffer; nothing is copied but chunked bodies, which are moved together. */
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

static int on_field(llhttp_t *p, const char *at, size_t n)
{
	extend(of(p), &of(p)->field, at, n);
	return 0;
}

static const struct {
	const char *name;
	uint8_t n;
} wanted[H_MAX] = {
    [H_HOST] = {"host", 4},
    [H_COOKIE] = {"cookie", 6},
    [H_USER_AGENT] = {"user-agent", 10},
    [H_REFERER] = {"referer", 7},
    [H_ORIGIN] = {"origin", 6},
    [H_CONTENT_TYPE] = {"content-type", 12},
    [H_AUTHORIZATION] = {"authorization", 13},
    [H_IF_NONE_MATCH] = {"if-none-match", 13},
    [H_FORWARDED_FOR] = {"x-forwarded-for", 15},
    [H_SEC_FETCH_SITE] = {"sec-fetch-site", 14},
    [H_SEC_FETCH_DEST] = {"sec-fetch-dest", 14},
    [H_EXPECT] = {"expect", 6},
    [H_SEC_GPC] = {"sec-gpc", 7},
    [H_DNT] = {"dnt", 3},
    [H_LAST_EVENT_ID] = {"last-event-id", 13},
};

static int on_field_complete(llhttp_t *p)
{
	struct http_conn *c = of(p);
	const char *name = c->in + c->start + c->field.at;
	c->current = -1;
	for (int i = 0; i < H_MAX; i++)
		if (wanted[i].n == c->field.n && (name[0] | 0x20) == wanted[i].name[0] && strncasecmp(name, wanted[i].name, wanted[i].n) == 0)
			c->current = i;
	c->field.n = 0;
	if (c->current >= 0)
		c->header[c->current].n = 0; /* of several, the last */
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http_conn *c = of(p);
	if (c->current >= 0)
		extend(c, &c->header[c->current], at, n);
	return 0;
}

static struct str view(const struct http_conn *c, struct span s)
{
	return str_make(s.n ? c->in + c->start + s.at : "", s.n);
}

static int on_value_complete(llhttp_t *p)
{
	struct http_conn *c = of(p);
	if (c->current == H_SEC_GPC)
		c->gpc |= str_eq(view(c, c->header[H_SEC_GPC]), STR("1"));
	return 0;
}

/* Nothing of a body is kept for whoever may not send it. */
static bool too_long(struct http_conn *c, uint64_t body)
{
	if (c->stranger && body > HTTP_STRANGER_BODY)
		c->fail = 401;
	else if (body > c->server->body_limit)
		c->fail = 413;
	return c->fail != 0;
}

static int on_headers_complete(llhttp_t *p)
{
	struct http_conn *c = of(p);
	if (p->http_major != 1 || (p->http_minor == 1 && c->header[H_HOST].n == 0)) {
		c->fail = 400;
		return -1;
	}
	c->stranger = c->server->admitted && !c->server->admitted(c->server->ctx, view(c, c->header[H_AUTHORIZATION]));
	if (too_long(c, p->content_length))
		return -1;
	conn_phase(c, PHASE_BODY);
	if (c->header[H_EXPECT].n && str_ieq(view(c, c->header[H_EXPECT]), STR("100-continue")) && c->used == 0) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
		if (send(c->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0)
			c->fail = 400;
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
	else /* what lies between is framing that was read already */
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

/* Between requests: nothing of the last one stays in memory. */
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
	c->url.n = c->field.n = c->body.n = 0;
	for (int i = 0; i < H_MAX; i++)
		c->header[i].n = 0;
	c->gpc = false;
	c->current = -1;
}

static enum http_method method_of(const struct http_conn *c)
{
	switch (llhttp_get_method((llhttp_t *)(uintptr_t)&c->parser)) {
	case HTTP_GET:
		return HTTP_M_GET;
	case HTTP_POST:
		return HTTP_M_POST;
	case HTTP_OPTIONS:
		return HTTP_M_OPTIONS;
	default:
		return HTTP_M_OTHER;
	}
}

static void handle(struct http_conn *c)
{
	struct http_request r = {.method = method_of(c), .gpc = c->gpc, .peer = (const struct sockaddr *)&c->peer};
	struct str target = view(c, c->url);
	if (target.n && target.p[0] != '/') { /* absolute form: http://host/path */
		size_t at = str_find(target, ':');
		struct str rest = at + 3 < target.n ? str_skip(target, at + 3) : str_make("", 0);
		target = str_skip(rest, str_find(rest, '/'));
	}
	size_t q = str_find(target, '?');
	r.path = str_make(target.p, q);
	r.query = str_skip(target, q + 1);
	for (int i = 0; i < H_MAX; i++)
		r.header[i] = view(c, c->header[i]);
	r.body = view(c, c->body);
	bool last = !llhttp_should_keep_alive(&c->parser) || c->server->draining;
	struct slot *s = conn_slot(c);
	s->last = last;
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
		if (c->phase == PHASE_IDLE || c->phase == PHASE_ANSWER)
			conn_phase(c, PHASE_HEAD);
		size_t part = c->in_n - c->parsed, most = (size_t)c->server->config->header_bytes + 1, had = c->parsed - c->start;
		if (c->phase == PHASE_HEAD && part > most - had)
			part = most - had; /* one byte over the limit is enough to know */
		llhttp_errno_t rc = llhttp_execute(&c->parser, c->in + c->parsed, part);
		if (rc == HPE_OK) {
			c->parsed += part;
			if (c->phase == PHASE_HEAD && c->parsed - c->start >= most) {
				conn_error(c, c->url.n + 16 > (uint32_t)most ? 414 : 431);
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
			conn_phase(c, c->used ? PHASE_ANSWER : PHASE_IDLE);
	}
}

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
		bool coded = part[i].n && (memchr(part[i].p, '%', part[i].n) || memchr(part[i].p, '+', part[i].n));
		if (!coded)
			continue;
		char *to = q->scratch + q->used;
		size_t n = percent_decode(part[i], to, true);
		q->used += n;
		part[i] = str_make(to, n);
	}
	*key = part[0];
	*value = part[1];
	return true;
}

bool http_cookie(struct str header, struct str name, struct str *value)
{
	struct str pair;
	while (header.n && str_cut(&header, ';', &pair)) {
		pair = str_trim(pair);
		if (pair.n > name.n && pair.p[name.n] == '=' && str_starts(pair, name)) {
			*value = str_skip(pair, name.n + 1);
			return true;
		}
	}
	return false;
}
