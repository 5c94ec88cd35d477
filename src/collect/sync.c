/* GET /sync: partners' ids for a browser, in both directions.
 *
 *	?partner=P&uid=ID        the partner's id is matched with this browser's visitor; the answer
 *	                         is the pixel
 *	?partner=P&redirect=URL  302 to URL, with our id for the partner in place of its macro; URL
 *	                         must begin as the partner's list says
 *	without a partner        JSON: which syncs the tag is to start now
 *
 * Where consent says no, nothing is kept, and the redirect carries no id. A match goes through the
 * journal like an event. The only cookie is the visitor's own. */
#include "crumb/collect/collecting.h"

#include "crumb/base/json.h"
#include "crumb/base/memory.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/hit_read.h"

#include <jansson.h>

#define SYNCS_MAX 5 /* syncs that a page is asked to start at a time */

/* --- macros */

/* The visitor's pseudonym for a partner, as macros want it. Empty: nobody who is known. */
struct ids {
	char hex[33], base64[24 + 1];
};

static void ids_for(
    const struct collect *c, const struct partner *p, const struct ingest_who *who, struct ids *out)
{
	*out = (struct ids){.hex = ""};
	if (!who->write)
		return;
	struct vkey name = visitor_for_partner(&c->ingest.keys, str_c(p->id), &who->visitor);
	hex_encode(name.b, sizeof name.b, out->hex);
	b64url_encode(name.b, sizeof name.b, out->base64);
}

/* Percent-encoded, as a value of a query. */
static void put_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		if (chr_alpha(ch) || chr_digit(ch) || chr_one_of(ch, "-_.~"))
			buf_add(out, &ch, 1);
		else
			buf_addf(out, "%%%02X", (uint8_t)ch);
	}
}

/* ${GDPR}, ${GDPR_CONSENT_123} and other macros of the IAB's (privacy/hit_rows.h): puts what came
 * with this call. False: there is no such macro. */
static bool put_signal(struct buf *out, struct str name, struct hit *h)
{
	const struct hit_row *row = hit_row_of_macro(name);
	if (!row)
		return false;
	if (row->kind == HIT_IS_FLAG)
		buf_c(out, hit_flag_text(h, row));
	else
		put_escaped(out, *hit_text_at(h, row));
	return true;
}

/* The length of the macro at the beginning of `s`, plain or percent-encoded, and the name in its
 * braces. 0: there is none. */
static size_t braced_macro(struct str s, struct str *name)
{
	const struct {
		struct str open, close;
	} forms[] = {{STR("${"), STR("}")}, {STR("%24%7B"), STR("%7D")}, {STR("$%7B"), STR("%7D")},
	    {STR("%24{"), STR("}")}};
	for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
		if (s.n < forms[f].open.n ||
		    !str_ieq(str_make(s.p, forms[f].open.n), forms[f].open))
			continue;
		size_t at = forms[f].open.n;
		while (at < s.n && (chr_alpha(s.p[at]) || chr_digit(s.p[at]) || s.p[at] == '_'))
			at++;
		*name = str_make(s.p + forms[f].open.n, at - forms[f].open.n);
		struct str rest = str_skip(s, at);
		if (name->n && rest.n >= forms[f].close.n &&
		    str_ieq(str_make(rest.p, forms[f].close.n), forms[f].close))
			return at + forms[f].close.n;
	}
	return 0;
}

/* The length of $UID or $$visitor_cookie$$ at the beginning of `s`, plain or percent-encoded. 0:
 * there is none. */
static size_t bare_macro(struct str s)
{
	static const char *const words[] = {
	    "$UID", "%24UID", "$$visitor_cookie$$", "%24%24visitor_cookie%24%24"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i]);
		if (s.n >= n && str_ieq(str_make(s.p, n), str_c(words[i])))
			return n;
	}
	return 0;
}

/* Writes the URL with its macros replaced. An outgoing URL is one of ours that leads to the
 * partner: there ${CRUMB_ID} and ${CRUMB_ID_BASE64} are our id, and $UID is left, for it is a macro
 * of the partner's. In a URL that the partner gave for a redirect, $UID, ${UID}, ${DI_USER_ID} and
 * $$visitor_cookie$$ are our id. What is no macro stays as it is. */
static void expand(
    struct buf *out, struct str url, const struct ids *ids, struct hit *h, bool outgoing)
{
	while (url.n) {
		struct str name;
		size_t n = url.p[0] == '$' || url.p[0] == '%' ? braced_macro(url, &name) : 0;
		if (n && outgoing && str_eq(name, STR("CRUMB_ID")))
			buf_c(out, ids->hex);
		else if (n && outgoing && str_eq(name, STR("CRUMB_ID_BASE64")))
			buf_c(out, ids->base64);
		else if (n && !outgoing &&
			 (str_eq(name, STR("UID")) || str_eq(name, STR("DI_USER_ID"))))
			buf_c(out, ids->hex);
		else if (n && put_signal(out, name, h))
			;
		else if (!outgoing && (url.p[0] == '$' || url.p[0] == '%') && (n = bare_macro(url)))
			buf_c(out, ids->hex);
		else
			buf_add(out, url.p, n = n ? n : 1);
		url = str_skip(url, n);
	}
}

/* --- the list for the tag */

/* Was the match made less than the partner's number of days ago? */
static bool match_is_fresh(const struct partner *p, const struct match_row *m, uint32_t now)
{
	return m->t + p->every_days * (uint32_t)DAY_S > now;
}

/* Is the tag to start a sync with the partner? */
static bool sync_due(
    struct generation *g, const struct partner *p, const struct vkey *v, uint32_t now)
{
	struct match_row m;
	return p->sync_url.n &&
	       !(view_match(g, v, str_c(p->id), now, &m) && match_is_fresh(p, &m, now));
}

/* Answers the tag with URLs of partners that it is to load. A visitor who is not known, or has not
 * consented, gets an empty list. */
static void sync_list(struct collect *c, struct http_request *r, struct hit *h)
{
	struct buf headers = BUF_SECRET, url = BUF_SECRET;
	struct ingest_who who = {.write = false};
	memory_begin();
	json_t *syncs = json_array();
	if (!cors_headers(c, r, &headers)) {
		cors_refuse(r);
		goto out;
	}
	uint32_t now = collect_now(c);
	who.write = ingest_consent(&c->ingest, h).verdict == CONSENT_YES &&
		    ingest_known(&c->ingest, h->cookie, now, &who.visitor);
	struct generation *g =
	    who.write && c->destinations ? engine_serving(c->shared->engine) : NULL;
	for (size_t i = 0;
	     g && i < c->destinations->partners_n && json_array_size(syncs) < SYNCS_MAX; i++) {
		const struct partner *p = &c->destinations->partners[i];
		struct ids ids;
		if (!sync_due(g, p, &who.visitor, now))
			continue;
		ids_for(c, p, &who, &ids);
		buf_clear(&url);
		expand(&url, p->sync_url, &ids, h, true);
		if (url.failed)
			memory_none();
		json_array_append_new(
		    syncs, json_pack("{s:s,s:s#,s:s}", "partner", p->id, "url", url.p, (int)url.n,
			       "type", p->iframe ? "iframe" : "image"));
	}
	generation_unref(g);
	json_t *root = json_pack("{s:O}", "syncs", syncs);
	char *text = json_whole(root, JSON_COMPACT);
	buf_c(&headers, "Cache-Control: no-store\r\n");
	if (text && !memory_short())
		http_reply_whole(
		    r->ticket, 200, "application/json", &headers, &BUF_OF(str_c(text)));
	else
		http_reply_whole(r->ticket, 503, "text/plain", &headers,
		    &BUF_OF(STR("no memory for an answer\n")));
	collect_text_free(text);
	json_decref(root);
out:
	json_decref(syncs);
	buf_done(&headers);
	buf_done(&url);
}

/* --- a call */

struct call {
	struct str partner, redirect, uid;
};

/* Reads the query twice: the name of the parameter with the partner's id is the partner's choice,
 * so the partner has to be known first. The second reading decodes the same values to the same
 * bytes of scratch, so views of the first stay right. */
static void read_call(struct collect *c, struct http_request *r, struct call *call, struct hit *h)
{
	struct str key, value;
	struct http_query q = {r->query, c->scratch, 0};
	const struct partner *p = NULL;
	while (http_query_next(&q, &key, &value))
		if (str_eq(key, STR("partner")))
			call->partner = value;
	p = destinations_partner(c->destinations, call->partner);
	q = (struct http_query){r->query, c->scratch, 0};
	while (http_query_next(&q, &key, &value)) {
		if (str_eq(key, STR("redirect")))
			call->redirect = value;
		else if (p && str_eq(key, p->uid_param))
			call->uid = value;
		else
			hit_param(h, key, value);
	}
}

/* Puts the match into the batch, unless it is known and fresh. True: something was written. */
static bool note_match(
    struct collect *c, const struct partner *p, const struct ingest_who *who, struct str uid)
{
	struct match_row m;
	uint32_t now = collect_now(c);
	if (!who->write || uid.n == 0)
		return false;
	if (!ingest_partner_id(uid)) {
		metric_inc(M_SYNC_BAD_ID);
		return false;
	}
	struct generation *g = engine_serving(c->shared->engine);
	bool known = view_match(g, &who->visitor, str_c(p->id), now, &m) &&
		     str_eq(uid, str_make(m.id, m.id_n)) && match_is_fresh(p, &m, now);
	generation_unref(g);
	metric_inc(known ? M_SYNC_KNOWN : M_SYNC_MATCHED);
	if (!known)
		batch_record(collect_batch(c), &(struct record){.kind = RECORD_MATCH,
						   .event = {.visitor = who->visitor, .t = now},
						   .partner = str_c(p->id),
						   .partner_id = uid});
	return !known;
}

void collect_sync(struct collect *c, struct http_request *r)
{
	struct hit *h = &c->hit;
	struct call call = {.partner = {NULL, 0}};
	collect_hit_headers(c, r, h);
	read_call(c, r, &call, h);
	if (call.partner.n == 0) {
		sync_list(c, r, h);
		return;
	}
	const struct partner *p = destinations_partner(c->destinations, call.partner);
	if (!p) {
		metric_inc(M_SYNC_BAD_PARTNER);
		http_reply(r->ticket, 404, "text/plain", STR(COLLECT_PUBLIC),
		    STR("there is no such partner\n"));
		return;
	}
	if (call.redirect.n && !partner_redirects_to(p, call.redirect)) {
		metric_inc(M_SYNC_BAD_TARGET);
		http_reply(r->ticket, 400, "text/plain", STR(COLLECT_PUBLIC),
		    STR("redirect is not on the partner's list\n"));
		return;
	}
	struct ingest_who who = ingest_visitor(&c->ingest, h, collect_now(c), collect_batch(c));
	if (who.refused_disk) {
		collect_answer_disk(r);
		return;
	}
	bool written = note_match(c, p, &who, call.uid);
	struct buf *headers = &c->body;
	buf_clear(headers);
	c->ingest.aside = ASIDE_NOT;
	buf_c(headers, COLLECT_PUBLIC);
	collect_cookie_lines(c, &who, headers);
	collect_why_lines(c, &who, headers);
	if (call.redirect.n) {
		struct ids ids;
		ids_for(c, p, &who, &ids);
		buf_c(headers, "Location: ");
		expand(headers, call.redirect, &ids, h, false);
		buf_c(headers, "\r\n");
		metric_inc(M_SYNC_REDIRECT);
		http_reply_whole(r->ticket, 302, "", headers, &BUF_OF(STR("")));
	} else {
		http_reply_whole(r->ticket, 200, "image/gif", headers, &BUF_OF(COLLECT_GIF));
	}
	if (written || who.erase)
		http_wait_gate(r->ticket, c->gate);
}
