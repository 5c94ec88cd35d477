/* The visitor's own page: what is known about this browser (/me), and the ways to end that
 * (/me/forget, /optout, /optin). Only the holder of the cookie sees or erases anything, and only
 * from here: pages of other sites are refused by Sec-Fetch-Site and Origin (cors.c).
 *
 * Most answers come later: when all that the visitor has sent, or the erasure, is in the views
 * (lookup.c). Then one of show_page(), show_json(), forgotten() and opted_out() answers. */
#include "crumb/collect/me_page.h"

#include "crumb/base/json.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/base/memory.h"
#include "crumb/core/metric.h"
#include "crumb/answers/visitor.h"
#include "crumb/http/accept.h"
#include "crumb/privacy/site.h"

/* No script, no frame, no other origin. With Referrer-Policy no-referrer the page's own forms would
 * send "Origin: null". */
static const char PAGE_HEADERS[] =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: same-origin\r\n"
    "X-Content-Type-Options: nosniff\r\n";

/* Does the query say ?format=FORMAT? */
static bool wants(struct collect *c, const struct http_request *r, const char *format)
{
	struct http_query q = {r->query, c->scratch, 0};
	struct str key, value;
	bool found = false;
	while (http_query_next(&q, &key, &value))
		found |= str_eq(key, STR("format")) && str_eq(value, str_c(format));
	return found;
}

/* The language of words.h that the visitor reads best. It is not recorded. */
static unsigned language_of(const struct http_request *r)
{
	return accept_language(r->header[H_ACCEPT_LANGUAGE], words_tags, WORDS_LANGUAGES);
}

static void language_headers(struct buf *headers, unsigned language)
{
	buf_addf(
	    headers, "Vary: Accept-Language\r\nContent-Language: %s\r\n", words_tags[language]);
}

/* To pages of other sites. */
static void refuse(struct http_request *r)
{
	metric_inc(M_BAD_ORIGIN);
	http_reply(r->ticket, 403, "text/plain", str_c(PAGE_HEADERS),
	    STR("this works from this site's own pages only\n"));
}

/* --- GET /me */

/* Answers with what is known, as a page or as JSON. `visitor` NULL: nobody who is known. */
static void show(struct collect *c, struct http_ticket t, const struct vkey *visitor, bool json,
    const struct lookup_form *form, struct buf *headers)
{
	struct generation *g = engine_serving(c->shared->engine);
	struct buf out = BUF_SECRET;
	json_t *v = NULL;
	memory_begin();
	enum err e =
	    visitor ? visitor_json(g, (unsigned)c->config->retention_days, visitor, clock_now(), &v)
		    : OK;
	metric_inc(M_LOOKUPS);
	if (e) {
		http_reply_whole(t, e == ERR_NOMEM ? 503 : 500, "text/plain", headers,
		    &BUF_OF(STR("the look-up failed\n")));
		generation_unref(g);
		return;
	}
	if (json) {
		char *text = v ? json_whole(v, JSON_INDENT(2)) : NULL;
		buf_c(headers,
		    "Content-Disposition: attachment; filename=\"what-is-known.json\"\r\n");
		buf_c(&out, text ? text : "{}");
		buf_c(&out, "\n");
		out.failed |= v && !text;
		collect_text_free(text);
	} else {
		language_headers(headers, form->language);
		me_page(
		    &out, &(struct me){c->config, g->rules, v, form->opted_out, form->language});
	}
	json_decref(v);
	if (out.failed || memory_short())
		http_reply_whole(
		    t, 503, "text/plain", headers, &BUF_OF(STR("no memory for an answer\n")));
	else
		http_reply_whole(
		    t, 200, json ? "application/json" : "text/html; charset=utf-8", headers, &out);
	generation_unref(g);
	buf_done(&out);
}

static void show_page(struct collect *c, struct lookup *l)
{
	show(c, l->ticket, &l->visitor, false, &l->form, &l->headers);
}

static void show_json(struct collect *c, struct lookup *l)
{
	show(c, l->ticket, &l->visitor, true, &l->form, &l->headers);
}

void collect_me(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET;
	struct vkey visitor;
	/* A link on another site may lead here; a script of another site may not look inside. */
	bool followed =
	    str_eq(r->header[H_SEC_FETCH_DEST], STR("document")) && r->header[H_ORIGIN].n == 0;
	if (!cors_same_origin(c, r) && !followed) {
		refuse(r);
		return;
	}
	bool json = wants(c, r, "json");
	collect_hit_headers(c, r, &c->hit);
	buf_c(&headers, PAGE_HEADERS);
	struct lookup_form form = {.language = language_of(r), .opted_out = c->hit.optout_cookie};
	if (ingest_known(&c->ingest, c->hit.cookie, collect_now(c), &visitor)) {
		collect_lookup(c, r->ticket, &visitor, json ? show_json : show_page, &form, headers,
		    LOOKUP_READS);
		return;
	}
	show(c, r->ticket, NULL, json, &form, &headers);
	buf_done(&headers);
}

/* --- erasing */

/* A number that the visitor can quote, and the same number in the log. It names the erasure, not
 * the visitor. */
static void receipt(struct buf *out, unsigned language)
{
	uint8_t bytes[8];
	char hex[17], day[DAY_TEXT], at[8];
	uint32_t now = clock_now();
	randombytes_buf(bytes, sizeof bytes);
	hex_encode(bytes, sizeof bytes, hex);
	hex[16] = 0;
	day_text(day_of(now), day);
	snprintf(at, sizeof at, "%02u:%02u", now % DAY_S / 3600, now % 3600 / 60);
	log_info("erase", "by the visitor receipt=%s", hex);
	me_say(out, language, W_RECEIPT, (struct str[]){str_c(hex), str_c(day), str_c(at)}, 3);
}

/* A page that says what was done. */
static void answer_page(struct collect *c, struct http_ticket t, unsigned language,
    struct buf *headers, enum word title, const struct buf *text)
{
	struct buf page = BUF_SECRET;
	if (text->failed)
		page.failed = true;
	else
		me_done_page(&page, c->config, language, title, buf_view(text));
	buf_c(headers, PAGE_HEADERS);
	language_headers(headers, language);
	http_reply_whole(t, 200, "text/html; charset=utf-8", headers, &page);
	buf_done(&page);
}

static void forgotten(struct collect *c, struct lookup *l)
{
	struct buf text = BUF_SECRET;
	receipt(&text, l->form.language);
	answer_page(c, l->ticket, l->form.language, &l->headers, W_FORGOTTEN, &text);
	buf_done(&text);
}

static void opted_out(struct collect *c, struct lookup *l)
{
	struct buf text = BUF_SECRET;
	buf_c(&text, words[l->form.language][W_IS_OUT]);
	buf_c(&text, " ");
	receipt(&text, l->form.language);
	answer_page(c, l->ticket, l->form.language, &l->headers, W_OUT, &text);
	buf_done(&text);
}

/* A page with one text of the table. */
static void answer_words(struct collect *c, const struct http_request *r, struct buf *headers,
    enum word title, enum word w)
{
	unsigned language = language_of(r);
	struct buf text = BUF_SECRET;
	buf_c(&text, words[language][w]);
	answer_page(c, r->ticket, language, headers, title, &text);
	buf_done(&text);
}

static void expire_cookie(struct collect *c, struct buf *headers)
{
	buf_c(headers, "Set-Cookie: crumb=");
	buf_c(headers, c->expire_tail);
}

/* Puts the erasure of the cookie's visitor into the batch. False: the cookie names nobody. */
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
	struct buf headers = BUF_SECRET;
	struct vkey visitor;
	if (!cors_same_origin(c, r)) {
		refuse(r);
		return;
	}
	struct lookup_form form = {.language = language_of(r)};
	expire_cookie(c, &headers);
	if (erase(c, r, &visitor)) {
		collect_lookup(c, r->ticket, &visitor, forgotten, &form, headers, LOOKUP_ERASES);
		return;
	}
	answer_words(c, r, &headers, W_NOT_KNOWN, W_WAS_NOTHING);
	buf_done(&headers);
}

/* A GET sets the opt-out cookie only; a POST, from our own pages, erases as well. A page of another
 * site may have the GET loaded as a picture. Browsers would refuse it a page there and complain, so
 * it gets the pixel. */
void collect_optout(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET, text = BUF_SECRET;
	struct vkey visitor;
	if (r->method == HTTP_M_POST && !cors_same_origin(c, r)) {
		refuse(r);
		return;
	}
	struct lookup_form form = {.language = language_of(r)};
	buf_addf(&headers, "Set-Cookie: crumb_optout=1; Max-Age=%d%s", OPTOUT_DAYS * DAY_S,
	    strchr(c->cookie_tail + 2, ';'));
	if (r->method == HTTP_M_POST) {
		expire_cookie(c, &headers);
		if (erase(c, r, &visitor)) {
			collect_lookup(
			    c, r->ticket, &visitor, opted_out, &form, headers, LOOKUP_ERASES);
			return;
		}
	}
	if (r->method == HTTP_M_GET &&
	    (wants(c, r, "gif") || str_eq(r->header[H_SEC_FETCH_DEST], STR("image")))) {
		buf_c(&headers, COLLECT_PUBLIC "X-Content-Type-Options: nosniff\r\n");
		http_reply_whole(r->ticket, 200, "image/gif", &headers, &BUF_OF(COLLECT_GIF));
		buf_done(&headers);
		return;
	}
	char days[16];
	snprintf(days, sizeof days, "%d", OPTOUT_DAYS);
	struct str value = str_c(days);
	buf_c(&text, words[form.language][W_IS_OUT]);
	buf_c(&text, " ");
	me_say(&text, form.language, W_COOKIE_SAYS, &value, 1);
	answer_page(c, r->ticket, form.language, &headers, W_OUT, &text);
	buf_done(&text);
	buf_done(&headers);
}

void collect_optin(struct collect *c, struct http_request *r)
{
	struct buf headers = BUF_SECRET;
	/* A listed site may offer its visitors the way back in; that erases nobody. */
	if (!cors_same_origin(c, r) && !origin_is_ours(c->config, r->header[H_ORIGIN])) {
		refuse(r);
		return;
	}
	cors_headers(c, r, &headers);
	buf_c(&headers, "Set-Cookie: crumb_optout=");
	buf_c(&headers, c->expire_tail);
	answer_words(c, r, &headers, W_IN, W_IS_IN);
	buf_done(&headers);
}
