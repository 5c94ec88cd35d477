/* The visitor's own page: what is known of this browser, and the ways to end it. Plain HTML without script. Only the holder of the cookie
 * sees or erases anything, and only from here: other sites' pages are refused by Sec-Fetch-Site and Origin. */
#include "collect.h"

#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "crumb/export/visitor.h"

#include <jansson.h>
#include <stdlib.h>

#define OPTOUT_DAYS 400 /* browsers keep no cookie for longer (RFC 6265bis) */

/* Referrer-Policy: with no-referrer the page's own forms would send "Origin: null". */
static const char PAGE_HEADERS[] =
    "Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'\r\nX-Frame-Options: DENY\r\nCross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: same-origin\r\nX-Content-Type-Options: nosniff\r\n";
static const char STYLE[] = "body{font:16px/1.5 sans-serif;max-width:40em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
			    "td,th{text-align:left;padding:.1em 1em .1em 0}form{display:inline}";

static void html_text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			buf_c(out, "&lt;");
		else if (s.p[i] == '&')
			buf_c(out, "&amp;");
		else if (s.p[i] == '"')
			buf_c(out, "&quot;");
		else
			buf_add(out, s.p + i, 1);
	}
}

static void html_json(struct buf *out, const json_t *v)
{
	html_text(out, str_c(json_string_value(v) ? json_string_value(v) : ""));
}

static void page_begin(struct buf *out, const char *title)
{
	buf_addf(out,
	    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>"
	    "<style>%s</style>\n<h1>%s</h1>\n",
	    title, STYLE, title);
}

static void form(struct buf *out, const char *action, const char *label)
{
	buf_addf(out, "<form method=\"post\" action=\"%s\"><button>%s</button></form>\n", action, label);
}

/* A page that says what was done. */
static void done_page(struct buf *out, const char *title, const char *text)
{
	page_begin(out, title);
	buf_addf(out, "<p>%s\n<p><a href=\"/me\">What is known about this browser</a>\n", text);
}

static const char *name_of(const struct rules *r, const char *category)
{
	for (size_t i = 1; i < r->categories_n; i++)
		if (strcmp(r->categories[i].id, category) == 0)
			return r->categories[i].name;
	return category;
}

static void rows(struct buf *out, const struct rules *r, json_t *v)
{
	json_t *ends = json_object_get(v, "ends");
	size_t i;
	const char *key;
	json_t *row, *value;
	static const char *const facts[] = {"country", "region", "device", "os", "browser"};
	buf_c(out, "<h2>Interests</h2>\n<table><tr><th>what<th>times<th>days<th>forgotten on\n");
	json_array_foreach(json_object_get(v, "categories"), i, row)
	{
		buf_c(out, "<tr><td>");
		const char *id = json_string_value(json_object_get(row, "id"));
		html_text(out, str_c(name_of(r, id)));
		buf_addf(out, "<td>%lld<td>%lld<td>", (long long)json_integer_value(json_object_get(row, "count")),
		    (long long)json_integer_value(json_object_get(row, "days")));
		html_json(out, json_object_get(json_object_get(ends, "categories"), id));
		buf_c(out, "\n");
	}
	buf_c(out, "</table>\n<h2>Audiences</h2>\n<table><tr><th>name<th>left on, if nothing more is seen\n");
	json_object_foreach(json_object_get(ends, "segments"), key, value)
	{
		buf_c(out, "<tr><td>");
		html_text(out, str_c(key));
		buf_c(out, "<td>");
		html_json(out, value);
		buf_c(out, "\n");
	}
	buf_c(out, "</table>\n<h2>Browser and place</h2>\n<table>\n");
	for (size_t f = 0; f < sizeof facts / sizeof *facts; f++) {
		if (!json_object_get(v, facts[f]))
			continue;
		buf_addf(out, "<tr><td>%s<td>", facts[f]);
		html_json(out, json_object_get(v, facts[f]));
		buf_c(out, "\n");
	}
	json_object_foreach(json_object_get(v, "attributes"), key, value)
	{
		buf_c(out, "<tr><td>");
		html_text(out, str_c(key));
		buf_c(out, "<td>");
		html_json(out, value);
		buf_c(out, "\n");
	}
	json_array_foreach(json_object_get(v, "partners"), i, row)
	{
		if (i == 0)
			buf_c(out, "</table>\n<h2>Others who know this browser</h2>\n<table><tr><th>who<th>by what<th>since\n");
		buf_c(out, "<tr><td>");
		html_json(out, json_object_get(row, "partner"));
		buf_c(out, "<td>");
		html_json(out, json_object_get(row, "id"));
		buf_c(out, "<td>");
		html_json(out, json_object_get(row, "since"));
		buf_c(out, "\n");
	}
	buf_c(out, "</table>\n");
}

static void me_page(struct buf *out, const struct rules *r, json_t *v, bool opted_out)
{
	page_begin(out, "What is known about this browser");
	if (opted_out)
		buf_c(out, "<p>This browser is opted out: nothing new is recorded.\n");
	if (!v) {
		buf_c(out, "<p>Nothing is known about this browser.\n");
	} else if (json_is_true(json_object_get(v, "provisional"))) {
		buf_c(out, "<p>This browser was seen once. That is forgotten within a day, unless it comes back.\n");
	} else {
		buf_c(out, "<p>Known by a random number in a cookie, not by name. Seen from ");
		html_json(out, json_object_get(v, "first_day"));
		buf_c(out, " to ");
		html_json(out, json_object_get(v, "last_day"));
		buf_c(out, "; if it is not seen again, everything is forgotten on ");
		html_json(out, json_object_get(v, "expires"));
		buf_c(out, ".\n");
		rows(out, r, v);
	}
	buf_c(out, "<p><a href=\"/me?format=json\">Download</a>\n");
	form(out, "/me/forget", "Forget me");
	if (opted_out)
		form(out, "/optin", "Opt in again");
	else
		form(out, "/optout", "Opt out and forget me");
}

static bool wants(struct collect *c, const struct http_request *r, const char *format)
{
	struct http_query q = {r->query, c->scratch, 0};
	struct str key, value;
	bool found = false;
	while (http_query_next(&q, &key, &value))
		found |= str_eq(key, STR("format")) && str_eq(value, str_c(format));
	return found;
}

static void refuse(struct http_request *r)
{
	metric_inc(M_BAD_ORIGIN);
	http_reply(r->ticket, 403, "text/plain", str_c(PAGE_HEADERS), STR("this works from this site's own pages only\n"));
}

/* --- GET /me */

static void show(struct collect *c, struct http_ticket t, const struct vkey *visitor, bool json, bool opted_out, struct buf *headers)
{
	struct generation *g = engine_serving(c->shared->engine);
	struct buf out = BUF_SECRET;
	json_t *v = NULL;
	memory_begin();
	enum err e = visitor ? visitor_json(g, (unsigned)c->config->retention_days, visitor, clock_now(), &v) : OK;
	metric_inc(M_LOOKUPS);
	if (e) {
		http_reply_whole(t, e == ERR_NOMEM ? 503 : 500, "text/plain", headers, &BUF_OF(STR("the look-up failed\n")));
		generation_unref(g);
		return;
	}
	if (json) {
		char *text = v ? json_dumps(v, JSON_INDENT(2)) : NULL;
		buf_c(headers, "Content-Disposition: attachment; filename=\"what-is-known.json\"\r\n");
		buf_c(&out, text ? text : "{}");
		buf_c(&out, "\n");
		out.failed |= v && !text;
		collect_text_free(text);
	} else {
		me_page(&out, g->rules, v, opted_out);
	}
	json_decref(v);
	if (out.failed || memory_short())
		http_reply_whole(t, 503, "text/plain", headers, &BUF_OF(STR("no memory for an answer\n")));
	else
		http_reply_whole(t, 200, json ? "application/json" : "text/html; charset=utf-8", headers, &out);
	generation_unref(g);
	buf_done(&out);
}

static void show_page(struct collect *c, struct lookup *l)
{
	show(c, l->ticket, &l->visitor, false, false, &l->headers);
}

static void show_page_opted_out(struct collect *c, struct lookup *l)
{
	show(c, l->ticket, &l->visitor, false, true, &l->headers);
}

static void show_json(struct collect *c, struct lookup *l)
{
	show(c, l->ticket, &l->visitor, true, false, &l->headers);
}

void collect_me(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET;
	struct vkey visitor;
	/* a link on another site may lead here; nothing of another site may look inside */
	bool followed = str_eq(r->header[H_SEC_FETCH_DEST], STR("document")) && r->header[H_ORIGIN].n == 0;
	if (!cors_same_origin(c, r) && !followed) {
		refuse(r);
		return;
	}
	bool json = wants(c, r, "json");
	collect_hit_headers(c, r, &c->hit);
	buf_c(&headers, PAGE_HEADERS);
	if (ingest_known(&c->ingest, c->hit.cookie, collect_now(c), &visitor)) {
		collect_lookup(c, r->ticket, &visitor,
		    json		   ? show_json
		    : c->hit.optout_cookie ? show_page_opted_out
					   : show_page,
		    NULL, headers, false);
		return;
	}
	show(c, r->ticket, NULL, json, c->hit.optout_cookie, &headers);
	buf_done(&headers);
}

/* --- erasing */

/* A number to quote, and the same number in the log: it names the erasure, nobody. */
static void receipt(struct buf *out)
{
	uint8_t bytes[8];
	char hex[17], day[DAY_TEXT];
	uint32_t now = clock_now();
	randombytes_buf(bytes, sizeof bytes);
	hex_encode(bytes, sizeof bytes, hex);
	hex[16] = 0;
	day_text(day_of(now), day);
	log_info("erase", "by the visitor receipt=%s", hex);
	buf_addf(out,
	    "Receipt %s, %s %02u:%02u UTC: what was known about this browser is erased. It is gone from everything that answers, is not taken up "
	    "again when the old cookie comes back, and its sealed record is rewritten within a day.",
	    hex, day, now % DAY_S / 3600, now % 3600 / 60);
}

static void answer_page(struct http_ticket t, struct buf *headers, const char *title, const struct buf *text)
{
	struct buf page = BUF_SECRET, copy = BUF_SECRET;
	buf_str(&copy, buf_view(text));
	buf_add(&copy, "", 1);
	if (copy.failed || text->failed)
		page.failed = true;
	else
		done_page(&page, title, copy.p);
	buf_c(headers, PAGE_HEADERS);
	http_reply_whole(t, 200, "text/html; charset=utf-8", headers, &page);
	buf_done(&copy);
	buf_done(&page);
}

static void forgotten(struct collect *c, struct lookup *l)
{
	struct buf text = BUF_SECRET;
	(void)c;
	receipt(&text);
	answer_page(l->ticket, &l->headers, "Forgotten", &text);
	buf_done(&text);
}

static void opted_out(struct collect *c, struct lookup *l)
{
	struct buf text = BUF_SECRET;
	(void)c;
	buf_c(&text, "You are opted out: this browser is no longer recorded. ");
	receipt(&text);
	answer_page(l->ticket, &l->headers, "Opted out", &text);
	buf_done(&text);
}

static void expire_cookie(struct collect *c, struct buf *headers)
{
	buf_c(headers, "Set-Cookie: crumb=");
	buf_c(headers, c->expire_tail);
}

static bool erase(struct collect *c, struct http_request *r, struct vkey *visitor)
{
	collect_hit_headers(c, r, &c->hit);
	if (!ingest_known(&c->ingest, c->hit.cookie, collect_now(c), visitor))
		return false;
	ingest_erase(&c->ingest, visitor, c->now, collect_batch(c));
	return true;
}

void collect_forget(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET, text = BUF_SECRET;
	struct vkey visitor;
	if (!cors_same_origin(c, r)) {
		refuse(r);
		return;
	}
	expire_cookie(c, &headers);
	if (erase(c, r, &visitor)) {
		collect_lookup(c, r->ticket, &visitor, forgotten, NULL, headers, true);
		return;
	}
	buf_c(&text, "Nothing was known about this browser.");
	answer_page(r->ticket, &headers, "Nothing to forget", &text);
	buf_done(&text);
	buf_done(&headers);
}

/* GET sets the cookie only; what erases is a POST from our own pages. */
void collect_optout(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET, text = BUF_SECRET;
	struct vkey visitor;
	if (r->method == HTTP_M_POST && !cors_same_origin(c, r)) {
		refuse(r);
		return;
	}
	buf_addf(&headers, "Set-Cookie: crumb_optout=1; Max-Age=%d%s", OPTOUT_DAYS * DAY_S, strchr(c->cookie_tail + 2, ';'));
	if (r->method == HTTP_M_POST) {
		expire_cookie(c, &headers);
		if (erase(c, r, &visitor)) {
			collect_lookup(c, r->ticket, &visitor, opted_out, NULL, headers, true);
			return;
		}
	}
	/* a page that has it loaded as a picture: browsers refuse it another site's page there, and complain */
	if (r->method == HTTP_M_GET && (wants(c, r, "gif") || str_eq(r->header[H_SEC_FETCH_DEST], STR("image")))) {
		buf_c(&headers, COLLECT_PUBLIC "X-Content-Type-Options: nosniff\r\n");
		http_reply_whole(r->ticket, 200, "image/gif", &headers, &BUF_OF(str_make(collect_gif, 43)));
		buf_done(&headers);
		return;
	}
	buf_addf(&text, "You are opted out: this browser is no longer recorded. A cookie says so for %d days.", OPTOUT_DAYS);
	answer_page(r->ticket, &headers, "Opted out", &text);
	buf_done(&text);
	buf_done(&headers);
}

void collect_optin(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET, text = BUF_SECRET;
	/* a listed site may offer its visitors the way back in; it can erase nobody by that */
	if (!cors_same_origin(c, r) && !origin_is_ours(c->config, r->header[H_ORIGIN])) {
		refuse(r);
		return;
	}
	cors_headers(c, r, &headers);
	buf_c(&headers, "Set-Cookie: crumb_optout=");
	buf_c(&headers, c->expire_tail);
	buf_c(&text, "You are opted in: this browser may be recorded again.");
	answer_page(r->ticket, &headers, "Opted in", &text);
	buf_done(&text);
	buf_done(&headers);
}
