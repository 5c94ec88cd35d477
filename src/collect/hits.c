/* The pixel (GET /p.gif) and the event endpoint (POST /e).
 *
 * Both fill the scratch hit: first by the headers, which are the same for all events of a request,
 * then by what the client says about each event. Consent is judged once for a request. Then each
 * event goes through the wall into the batch, and the answer waits for the batch's gate.
 *
 * Most hits are pixels of known visitors, and need no answer of their own: they get the same bytes
 * each time, with the date of this second (ready_pixel()). */
#include "crumb/collect/collecting.h"

#include "crumb/base/memory.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/hit_read.h"

#include <netinet/in.h>

#define EVENTS_PER_BODY 1000
#define COOKIES_TRIED 16 /* cookies of our name that are looked at */

const char collect_gif[] = "GIF89a\x01\x00\x01\x00\x80\x01\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04"
			   "\x01\x00\x00\x01\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02"
			   "\x4c\x01\x00\x3b";
_Static_assert(sizeof collect_gif - 1 == COLLECT_GIF_BYTES, "the length is told in headers");

/* The answer to most hits: made once, then only the date is written into it. */
static struct str ready_pixel(struct collect *c)
{
	static const char first[] = "HTTP/1.1 200 OK\r\n";
	const char *date = http_date(c->server);
	if (c->pixel_n == 0) {
		int n = snprintf(c->pixel, sizeof c->pixel,
		    "%s%sContent-Type: image/gif\r\nContent-Length: %d\r\n" COLLECT_PUBLIC "\r\n",
		    first, date, COLLECT_GIF_BYTES);
		memcpy(c->pixel + n, collect_gif, COLLECT_GIF_BYTES);
		c->pixel_n = (size_t)n + COLLECT_GIF_BYTES;
	}
	memcpy(c->pixel + sizeof first - 1, date, HTTP_DATE_LEN);
	return str_make(c->pixel, c->pixel_n);
}

static bool loopback6(const struct sockaddr *peer)
{
	const void *any = peer;
	return peer->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)any)->sin6_addr);
}

/* Takes `crumb` and `crumb_optout`. Another product may have set a cookie of our name, too, and the
 * order of two says nothing (RFC 6265 4.2.2). So the first that names a visitor counts, or else the
 * first. `found` is beyond COOKIES_TRIED when the search has ended. */
static void read_cookies(struct collect *c, struct str header, struct hit *h)
{
	struct str pair;
	struct vkey visitor;
	unsigned found = 0;
	while (header.n && str_cut(&header, ';', &pair)) {
		pair = str_trim(pair);
		if (!str_starts(pair, STR("crumb")))
			continue;
		struct str value = str_skip(pair, sizeof "crumb=" - 1);
		/* a value may be in quotes (RFC 6265 4.1.1) */
		if (str_eq(pair, STR("crumb_optout=1")) ||
		    str_eq(pair, STR("crumb_optout=\"1\""))) {
			h->optout_cookie = true;
		} else if (value.n && pair.p[sizeof "crumb" - 1] == '=' && found <= COOKIES_TRIED) {
			if (++found == 1)
				h->cookie = value;
			else if (ingest_known(&c->ingest, h->cookie, collect_now(c), &visitor))
				found = COOKIES_TRIED + 1;
			else if (ingest_known(&c->ingest, value, c->now, &visitor))
				h->cookie = value;
		}
	}
}

/* The network of the client: the peer's, or what a trusted proxy says about it. When that is no
 * address, the proxy's network is all that is known. */
static void read_network(const struct collect *c, const struct http_request *r, struct hit *h)
{
	struct str list =
	    r->header[H_FORWARDED_FOR].n ? r->header[H_FORWARDED_FOR] : r->header[H_FORWARDED];
	h->network = network_of(r->peer);
	if (list.n && cidr_list_has(&c->trusted, r->peer))
		(void)network_parse(cidr_list_client(&c->trusted, NULL, list), &h->network);
	else if (h->network.family == 4)
		h->here = h->network.b[0] == 127;
	else
		h->here = h->network.family == 6 && loopback6(r->peer);
}

void collect_hit_headers(struct collect *c, const struct http_request *r, struct hit *h)
{
	read_network(c, r, h);
	h->agent = r->header[H_USER_AGENT];
	h->referer_header = r->header[H_REFERER];
	h->origin = r->header[H_ORIGIN];
	h->fetch_site = r->header[H_SEC_FETCH_SITE];
	h->gpc = r->gpc;
	h->dnt = r->dnt;
	if (r->header[H_COOKIE].n)
		read_cookies(c, r->header[H_COOKIE], h);
}

static void query_params(struct collect *c, const struct http_request *r, struct hit *h)
{
	struct http_query q = {r->query, c->scratch, 0};
	struct str key, value;
	while (http_query_next(&q, &key, &value))
		hit_param(h, key, value);
}

void collect_query_signals(struct collect *c, const struct http_request *r, struct hit *h)
{
	struct http_query q = {r->query, c->scratch, 0};
	struct str key, value;
	hit_clear(h);
	while (http_query_next(&q, &key, &value))
		hit_param_signal(h, key, value);
}

void collect_cookie_end_lines(struct collect *c, const struct ingest_who *who, struct buf *headers)
{
	c->stack_used |= who->set_cookie;
	if (who->expire_cookie) {
		buf_c(headers, "Set-Cookie: crumb=");
		buf_c(headers, c->expire_tail);
	}
}

void collect_cookie_lines(struct collect *c, const struct ingest_who *who, struct buf *headers)
{
	if (!who->set_cookie) {
		collect_cookie_end_lines(c, who, headers);
		return;
	}
	c->stack_used = true;
	buf_c(headers, "Set-Cookie: crumb=");
	buf_add(headers, who->cookie, COOKIE_LEN);
	buf_c(headers, c->cookie_tail);
}

/* Crumb-Refused: the reason of the consent gate, or why the hit was set aside. */
void collect_why_lines(const struct collect *c, const struct ingest_who *who, struct buf *headers)
{
	if (!who->refused && !(who->write && c->ingest.aside))
		return;
	buf_c(headers, "Crumb-Refused: ");
	buf_str(
	    headers, who->refused ? metric_reason(who->why) : str_c(aside_names[c->ingest.aside]));
	buf_c(headers, "\r\n");
}

void collect_answer_disk(struct http_request *r)
{
	http_reply(r->ticket, 503, "text/plain", STR("Retry-After: 60\r\n" COLLECT_PUBLIC),
	    STR("no new visitors: the disk is nearly full\n"));
}

void collect_answer_hit(struct collect *c, struct http_request *r, const struct ingest_who *who,
    unsigned written, int status, const char *type, struct str body)
{
	struct buf *headers = &c->body;
	if (who->refused_disk) {
		collect_answer_disk(r);
		return;
	}
	buf_clear(headers);
	cors_headers(c, r, headers);
	buf_c(headers, COLLECT_PUBLIC);
	if (written)
		collect_cookie_lines(c, who, headers);
	else
		collect_cookie_end_lines(c, who, headers);
	collect_why_lines(c, who, headers);
	http_reply_whole(r->ticket, status, type, headers, &BUF_OF(body));
	if (written || who->erase)
		http_wait_gate(r->ticket, c->gate);
}

void collect_blank(struct collect *c, struct http_request *r)
{
	cors_headers(c, r, &c->body);
	buf_c(&c->body, COLLECT_PUBLIC);
	http_reply_whole(r->ticket, 200, "image/gif", &c->body, &BUF_OF(COLLECT_GIF));
}

/* Only a hit that counts, of a visitor who has the cookie, from no page that may read answers, can
 * get the ready answer: it has none of the lines that others need. */
void collect_pixel(struct collect *c, struct http_request *r)
{
	struct hit *h = &c->hit;
	collect_hit_headers(c, r, h);
	query_params(c, r, h);
	struct batch *b = collect_batch(c);
	struct ingest_who who = ingest_visitor(&c->ingest, h, collect_now(c), b);
	bool written = who.write && ingest_event(&c->ingest, &who, h, c->now, b);
	if (written && !c->ingest.aside && !who.set_cookie && r->header[H_ORIGIN].n == 0) {
		http_reply_ready(r->ticket, ready_pixel(c));
		http_wait_gate(r->ticket, c->gate);
	} else {
		collect_answer_hit(c, r, &who, written, 200, "image/gif", COLLECT_GIF);
	}
}

/* --- POST /e */

static void bad_body(struct http_request *r, enum metric why, int status, const char *text)
{
	metric_inc(why);
	http_reply(r->ticket, status, "text/plain", STR(COLLECT_PUBLIC), str_c(text));
}

static void no_memory(struct http_request *r)
{
	http_reply(r->ticket, 503, "text/plain",
	    STR("Retry-After: 5\r\nCache-Control: no-store\r\n"), STR("no memory for this now\n"));
}

static bool type_is_fine(struct str type)
{
	type.n = str_find(type, ';');
	type = str_trim(type);
	return type.n == 0 || str_ieq(type, STR("text/plain")) ||
	       str_ieq(type, STR("application/json")) ||
	       str_ieq(type, STR("application/x-ndjson")) ||
	       str_ieq(type, STR("application/ndjson"));
}

/* A body is read twice. The first time shows that all of it is well formed, how many events there
 * are, and what their consent signals say: nothing is recorded of a body that is refused. The
 * second time writes the events. When there is only one, the scratch hit is still full of it, and
 * it is written without being read again. */
struct posted {
	struct collect *c;
	struct http_request *r;
	const struct hit *signals; /* of the query */
	struct ingest_who who;
	unsigned events, written;
	struct consent consent; /* the strictest so far, if there were events */
};

/* As one JSON text, or with `lines` as NDJSON. False: it is none. One broken object on a single
 * line is no NDJSON. */
static bool read_body(struct posted *p, struct json_reader *r, struct str body, bool lines)
{
	struct str line;
	unsigned found = 0;
	p->events = 0;
	if (!lines)
		return json_read(r, body);
	while (body.n && str_cut(&body, '\n', &line)) {
		line = str_trim(str_unmarked(line));
		if (line.n && (line.p[0] != '{' || !json_read(r, line)))
			return false;
		found += line.n > 0;
	}
	return found > 1;
}

/* The query's signals hold for each event, unless the event says more. The query is read once: it
 * may be as long as a thousand events. */
static void begin_event(void *arg, struct hit *h)
{
	const struct posted *p = arg;
	hit_begin_event(h, p->signals);
}

/* Consent signals of any event hold for the whole body: the strictest verdict decides. */
static bool judge_event(void *arg, struct json_reader *r)
{
	struct posted *p = arg;
	struct consent consent = ingest_consent(&p->c->ingest, r->hit);
	if (!p->events++ || consent.verdict > p->consent.verdict)
		p->consent = consent;
	return true;
}

static bool write_event(void *arg, struct json_reader *r)
{
	struct posted *p = arg;
	metric_add(M_ATTR_DROPPED, r->dropped);
	if (r->hit->live.n)
		p->written += collect_live_event(p->c, p->r, &p->who, r);
	else
		p->written +=
		    ingest_event(&p->c->ingest, &p->who, r->hit, p->c->now, collect_batch(p->c));
	return true;
}

/* Reads a body for the first time. False: it was refused, and answered. */
static bool read_first(struct posted *p, struct json_reader *in, bool *lines)
{
	struct http_request *r = p->r;
	memory_begin();
	r->body = str_unmarked(r->body);
	*lines = !read_body(p, in, r->body, false);
	if (*lines && !read_body(p, in, r->body, true) && !memory_short()) {
		bad_body(r, M_BAD_BODY, 400,
		    "the body is no event, array of events or NDJSON; nothing was recorded\n");
		return false;
	}
	if (memory_short()) {
		no_memory(r);
		return false;
	}
	if (p->events > EVENTS_PER_BODY) {
		bad_body(r, M_BAD_BODY_SIZE, 413,
		    "more than 1000 events in one body; nothing was recorded\n");
		return false;
	}
	return true;
}

void collect_events(struct collect *c, struct http_request *r)
{
	if (!type_is_fine(r->header[H_CONTENT_TYPE])) {
		bad_body(r, M_BAD_TYPE, 415,
		    "send application/json, application/x-ndjson or text/plain\n");
		return;
	}
	const char *why;
	int refused = collect_decode(c, r, (size_t)c->config->body_bytes, &why);
	if (refused) {
		buf_c(&c->body, refused == 415 ? COLLECT_CODINGS COLLECT_PUBLIC : COLLECT_PUBLIC);
		buf_addf(&c->numbers, "%s; nothing was recorded\n", why);
		http_reply_whole(r->ticket, refused, "text/plain", &c->body, &c->numbers);
		return;
	}
	struct hit signals;
	struct posted p = {.c = c, .r = r, .signals = &signals};
	collect_hit_headers(c, r, &c->hit);
	collect_query_signals(c, r, &signals);
	struct json_reader in = {.hit = &c->hit,
	    .scratch = &c->numbers,
	    .begin = begin_event,
	    .event = judge_event,
	    .arg = &p};
	bool lines;
	if (!read_first(&p, &in, &lines))
		return;
	if (!p.events) { /* an empty array: what the query and the headers say counts */
		begin_event(&p, &c->hit);
		p.consent = ingest_consent(&c->ingest, &c->hit);
	}
	p.who = ingest_visitor_judged(
	    &c->ingest, &c->hit, &p.consent, collect_now(c), collect_batch(c));
	c->ingest.aside = ASIDE_NOT;
	if (p.who.write && p.events == 1) {
		(void)write_event(&p, &in);
	} else if (p.who.write) {
		in.event = write_event;
		(void)read_body(&p, &in, r->body, lines);
	}
	if (!p.who.write && p.events && c->hit.live.n)
		collect_live_unwritten(c, r, &p.who);
	/* Some events may be in the batch: the client sends all again, and twice is better than not
	 * at all. */
	if (!p.who.refused_disk && memory_short()) {
		no_memory(r);
		return;
	}
	collect_answer_hit(c, r, &p.who, p.written, 204, "", STR(""));
}
