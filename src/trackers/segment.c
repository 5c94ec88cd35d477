/* Segment's HTTP tracking API, so that sources that send there can send here, too
 * (segmentio/segment-docs, HTTP API and Spec): POST /v1/track, page, screen, identify, group,
 * alias, batch, and the short paths of its browser library.
 *
 *	track, page, screen  events
 *	identify             an audience, if the message is about one
 *	group, alias         answered, not recorded
 *	batch                any of these, up to MESSAGES_MOST
 *
 * The visitor is the cookie's, else the anonymousId, hashed like an imported id. userId, traits and
 * all else that names a person are not read. Audiences of Segment's (Audience Entered and Exited,
 * identify with the audience as a trait) become the attributes that the rules declare with source:
 * segment.
 *
 * post() answers a request: key, coding, JSON, then each message by one(). A message that cannot be
 * recorded is counted by its reason and does not hinder the others; the answer is 200 all the same,
 * for a client would send the whole batch again. */
#include "cdp.h"
#include "cdp_time.h"
#include "crumb/trackers/trackers.h"
#include "crumb/collect/collecting.h"

#include "crumb/base/clock.h"
#include "crumb/base/number.h"
#include "crumb/core/metric.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Limits of Segment's. */
#define MESSAGES_MOST 2500
#define BATCH_BYTES 512000
#define CALL_BYTES 32768

#define SOURCE "segment"
#define NUMBER_TEXT 32 /* bytes of a number as a text */

/* A request. */
struct call {
	struct collect *c;
	struct http_request *r;
	json_t *batch, *context;   /* borrowed: they have what messages lack; NULL: there is none */
	const struct hit *signals; /* of the query */
	bool has_cookie;	   /* the cookie names `known` */
	struct vkey known;
	struct network network; /* of the request; messages may name others */
	struct str agent;
	struct ingest_who refused; /* the latest refusal, for the answer */
	unsigned written, erased;
	uint32_t now;
};

/* --- properties of an event */

/* "Product Viewed" is product_viewed. */
static struct str event_name(struct str s, char out[EVENT_NAME_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < s.n && n < EVENT_NAME_MAX; i++) {
		char ch = chr_lower(s.p[i]);
		bool fits = chr_alpha(ch) || chr_digit(ch) || ch == ':' || ch == '.' || ch == '-';
		if (fits || (n && out[n - 1] != '_'))
			out[n++] = fits ? ch : '_';
	}
	while (n && out[n - 1] == '_')
		n--;
	return str_make(out, n);
}

/* Properties that have a field of their own in a hit. */
static bool skipped(const char *property)
{
	static const char *const names[] = {
	    "url", "title", "referrer", "path", "search", "value", "revenue", "total"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(property, names[i]) == 0)
			return true;
	return false;
}

/* The value of an event: the first of three properties that is a number. One that should be a
 * number and is none is counted as dropped. */
static void put_amount(struct hit *h, const json_t *properties)
{
	static const char *const amounts[] = {"value", "revenue", "total"};
	for (size_t i = 0; i < sizeof amounts / sizeof *amounts && !h->has_v; i++) {
		const json_t *v = json_object_get(properties, amounts[i]);
		if (json_is_number(v)) {
			h->v = json_number_value(v);
			h->has_v = isfinite(h->v);
			metric_add(M_ATTR_DROPPED, !h->has_v);
		} else if (json_is_string(v)) {
			h->has_v = number_read(cdp_text(v), &h->v);
			metric_add(M_ATTR_DROPPED, !h->has_v && json_string_length(v));
		}
	}
}

/* All other properties become attributes. `numbers` holds those that are numbers, as texts. */
static void put_properties(
    struct hit *h, json_t *properties, char numbers[HIT_PARAMS_MAX][NUMBER_TEXT])
{
	const char *name;
	json_t *value;
	put_amount(h, properties);
	json_object_foreach(properties, name, value)
	{
		struct str s = STR("");
		if (skipped(name))
			continue;
		if (h->attrs_n == HIT_PARAMS_MAX) {
			metric_inc(M_ATTR_DROPPED);
			continue;
		}
		if (json_is_string(value)) {
			s = cdp_text(value);
		} else if (json_is_boolean(value)) {
			s = json_is_true(value) ? STR("true") : STR("false");
		} else if (json_is_number(value)) {
			char *to = numbers[h->attrs_n];
			int n = snprintf(to, NUMBER_TEXT, "%.15g", json_number_value(value));
			s = str_make(to, (size_t)n);
		}
		if (s.n)
			h->attrs[h->attrs_n++] = (struct attr){str_c(name), s};
	}
}

/* A member of the message's context, or of its batch's. */
static const json_t *of_context(const struct call *k, const json_t *message, const char *key)
{
	const json_t *own = json_object_get(json_object_get(message, "context"), key);
	return own ? own : json_object_get(k->context, key);
}

/* --- the hit */

/* Fills the hit that the message is about. `name` and `numbers` hold texts that are written anew,
 * as long as the hit is used. */
static void fill(struct call *k, const json_t *m, struct str kind, char name[EVENT_NAME_MAX],
    char numbers[HIT_PARAMS_MAX][NUMBER_TEXT])
{
	struct hit *h = &k->c->hit;
	json_t *properties = json_object_get(m, "properties");
	const json_t *page = of_context(k, m, "page"), *ip = of_context(k, m, "ip"),
		     *agent = of_context(k, m, "userAgent");
	if (str_eq(kind, STR("track")))
		h->name = event_name(cdp_member(m, "event"), name);
	else
		h->name = str_eq(kind, STR("screen")) ? STR("screen") : STR("view");
	h->url = cdp_member(properties, "url").n ? cdp_member(properties, "url")
						 : cdp_member(page, "url");
	h->referrer = cdp_member(page, "referrer");
	h->title = cdp_member(page, "title");
	h->network = k->network;
	if (json_is_string(ip))
		(void)network_parse(cdp_text(ip), &h->network);
	h->agent = json_is_string(agent) ? cdp_text(agent) : k->agent;
	put_properties(h, properties, numbers);
	h->categories = cdp_consent(k->c->config, m, k->context);
}

/* When the message happened. False, and counted: that cannot be read, or is too long ago. A time
 * ahead of ours is now: clocks of browsers are wrong at times. */
static bool message_time(const struct call *k, const json_t *m, uint32_t *t)
{
	int64_t when;
	if (!cdp_time(m, k->batch, k->now, &when)) {
		metric_inc(M_CDP_BAD_TIME);
		return false;
	}
	if (when > (int64_t)k->now)
		when = k->now;
	*t = (uint32_t)when;
	if (when >= 0 && day_of(*t) + k->c->config->retention_days > day_of(k->now))
		return true;
	metric_inc(M_CDP_TIME);
	return false;
}

/* --- audiences */

/* The audience that the message is about, and whether the visitor is in it. False: it is about
 * none. Of all traits only the one of the audience's name is read. */
static bool audience_of(
    const struct call *k, const json_t *m, struct str kind, struct str *key, bool *in)
{
	const json_t *personas = of_context(k, m, "personas");
	if (!str_eq(cdp_member(personas, "computation_class"), STR("audience")))
		return false;
	if (str_eq(kind, STR("track"))) {
		struct str event = cdp_member(m, "event");
		*key = cdp_member(json_object_get(m, "properties"), "audience_key").n
			   ? cdp_member(json_object_get(m, "properties"), "audience_key")
			   : cdp_member(personas, "computation_key");
		*in = str_eq(event, STR("Audience Entered"));
		return key->n && (*in || str_eq(event, STR("Audience Exited")));
	}
	*key = cdp_member(personas, "computation_key");
	if (!str_eq(kind, STR("identify")) || !key->n)
		return false;
	char name[256];
	snprintf(name, sizeof name, STR_FMT, STR_ARG(*key));
	const json_t *v = json_object_get(json_object_get(m, "traits"), name);
	*in = json_is_true(v);
	return json_is_boolean(v);
}

/* Writes into the batch that the visitor is in the audience, or is not, if the rules have declared
 * it. */
static void declare(struct call *k, const struct ingest_who *who, struct str key, bool in)
{
	const struct vocabulary *v =
	    k->c->ingest.rules ? rules_partner_segment(k->c->ingest.rules, STR(SOURCE), key) : NULL;
	if (!v) {
		metric_inc(M_CDP_UNDECLARED);
		return;
	}
	struct record r = {.kind = RECORD_DECLARED,
	    .event = {.visitor = who->visitor,
		.t = k->now,
		.attrs = {{str_c(v->id), in ? STR(VOCABULARY_MEMBER) : STR("")}},
		.attrs_n = 1},
	    .until = (uint16_t)(day_of(k->now) + k->c->config->retention_days),
	    .partner = STR(SOURCE)};
	batch_record(collect_batch(k->c), &r);
	k->written++;
}

/* --- a message */

/* Consent and visitor, as for a hit; but without a cookie the anonymousId names the visitor, and no
 * cookie is made. A visitor who was erased stays so: an anonymousId cannot be replaced by another
 * id as a cookie can. False: the message is not recorded, and why was counted. */
static bool message_visitor(struct call *k, const json_t *m, struct ingest_who *who)
{
	struct collect *c = k->c;
	struct str id = cdp_member(m, "anonymousId");
	*who = (struct ingest_who){.flags = 0};
	if (k->has_cookie) {
		who->visitor = k->known;
	} else if (id.n && id.n <= INGEST_ID_MOST && !ingest_no_id(id)) {
		who->visitor = imported_visitor(&c->ingest.keys, id);
		who->flags = EVENT_IMPORTED;
	} else {
		metric_inc(M_CDP_NO_ID);
		return false;
	}
	if (erased_has(&c->ingest.erased, &who->visitor)) {
		metric_inc(M_CDP_ERASED);
		return false;
	}
	struct consent consent = ingest_consent(&c->ingest, &c->hit);
	who->purposes = (uint16_t)consent.purposes;
	who->write = consent.verdict == CONSENT_YES;
	if (who->write)
		return true;
	metric_inc(consent.why);
	who->refused = true;
	who->why = consent.why;
	k->refused = *who;
	if (consent.verdict == CONSENT_NO_ERASE) {
		ingest_erase(&c->ingest, &who->visitor, k->now, collect_batch(c));
		k->erased++;
	}
	return false;
}

/* Records a message, or counts why not. A message that comes again within the latest ids is counted
 * once (collect/recent.h). */
static void one(struct call *k, const json_t *m, struct str kind)
{
	struct collect *c = k->c;
	struct ingest_who who;
	char name[EVENT_NAME_MAX], numbers[HIT_PARAMS_MAX][NUMBER_TEXT];
	struct str audience;
	bool event = str_eq(kind, STR("track")) || str_eq(kind, STR("page")) ||
		     str_eq(kind, STR("screen")),
	     in = false;
	uint32_t t;
	hit_begin_event(&c->hit, k->signals);
	bool of_audience = audience_of(k, m, kind, &audience, &in);
	if (!event && !of_audience) {
		metric_inc(M_CDP_KIND);
		return;
	}
	fill(k, m, kind, name, numbers);
	if (!message_visitor(k, m, &who) || !message_time(k, m, &t))
		return;
	struct str id = cdp_member(m, "messageId");
	if (id.n && !recent_add(c->shared->recent, id)) {
		metric_inc(M_CDP_TWICE);
		return;
	}
	if (of_audience)
		declare(k, &who, audience, in);
	else
		k->written += ingest_event(&c->ingest, &who, &c->hit, t, collect_batch(c));
}

/* --- a request */

static void answer(struct call *k, int status, const char *text)
{
	struct buf *headers = &k->c->body;
	buf_clear(headers);
	cors_headers(k->c, k->r, headers);
	buf_c(headers, status == 415 ? COLLECT_CODINGS COLLECT_PUBLIC : COLLECT_PUBLIC);
	k->c->ingest.aside = ASIDE_NOT;
	if (k->refused.refused)
		collect_why_lines(k->c, &k->refused, headers);
	http_reply_whole(k->r->ticket, status, "application/json", headers, &BUF_OF(str_c(text)));
}

/* Records the messages of a body, and answers when they are on disk. A message by itself lacks
 * nothing that a batch could have. */
static void take_messages(struct call *k, json_t *root, const json_t *batch, struct str kind)
{
	struct collect *c = k->c;
	const json_t *m;
	size_t i;
	struct hit signals;
	k->signals = &signals;
	collect_query_signals(c, k->r, &signals);
	collect_hit_headers(c, k->r, &c->hit);
	c->hit.referer_header = STR(""); /* the message says which page it was */
	k->network = c->hit.network;
	k->agent = c->hit.agent;
	k->has_cookie = ingest_known(&c->ingest, c->hit.cookie, k->now, &k->known);
	if (batch) {
		k->batch = root;
		k->context = json_object_get(root, "context");
		json_array_foreach(batch, i, m) one(k, m, cdp_member(m, "type"));
	} else {
		one(k, root, kind);
	}
	answer(k, 200, "{\"success\":true}\n");
	if (k->written || k->erased)
		http_wait_gate(k->r->ticket, c->gate);
}

/* The key comes first: nothing of a body is uncompressed or parsed for a source that may not send.
 * A key in the body is sought without parsing. */
static void post(struct collect *c, struct http_request *r, const struct tracker_path *at)
{
	json_error_t error;
	r->body = str_unmarked(r->body);
	struct call k = {.c = c, .r = r, .now = collect_now(c)};
	if (!*c->config->segment_keys) {
		metric_inc(M_BAD_PATH);
		http_reply(r->ticket, 404, "text/plain", STR(""),
		    STR("no source may send here: set segment.write_keys\n"));
		return;
	}
	enum cdp_key key = cdp_key_of_header(c->config, r->header[H_AUTHORIZATION]);
	const char *why;
	int undecoded = key == CDP_KEY_WRONG ? 0 : collect_decode(c, r, at->most, &why);
	if (undecoded) {
		buf_addf(&c->numbers,
		    "{\"success\":false,\"message\":\"%s; nothing was recorded\"}\n", why);
		buf_add(&c->numbers, "", 1);
		answer(&k, undecoded, c->numbers.p);
		return;
	}
	if (key == CDP_KEY_UNSAID)
		key = cdp_key_of_body(c->config, r->body);
	if (key == CDP_KEY_WRONG) {
		metric_inc(M_UNAUTHORIZED);
		answer(&k, 401,
		    "{\"success\":false,\"message\":\"this write key may not send here\"}\n");
		return;
	}
	c->stack_used = true;
	json_t *root = json_loadb(r->body.n ? r->body.p : "", r->body.n, 0, &error);
	const json_t *batch = json_object_get(root, "batch");
	struct str kind = str_c(at->kind);
	bool many = str_eq(kind, STR("batch"));
	if (!json_is_object(root) || (many && !json_is_array(batch))) {
		metric_inc(M_BAD_BODY);
		answer(&k, 400,
		    "{\"success\":false,\"message\":\"the body is not what it claims to be; "
		    "nothing was recorded\"}\n");
	} else if (many && json_array_size(batch) > MESSAGES_MOST) {
		metric_inc(M_BAD_BODY_SIZE);
		answer(&k, 413,
		    "{\"success\":false,\"message\":\"more than 2500 messages in one batch; "
		    "nothing was recorded\"}\n");
	} else {
		take_messages(&k, root, many ? batch : NULL, kind);
	}
	json_decref(root);
}

static bool on(const struct config *config)
{
	return *config->segment_keys;
}

static const struct tracker_path paths[] = {
    {"/v1/track", "track", CALL_BYTES},
    {"/v1/page", "page", CALL_BYTES},
    {"/v1/screen", "screen", CALL_BYTES},
    {"/v1/identify", "identify", CALL_BYTES},
    {"/v1/group", "group", CALL_BYTES},
    {"/v1/alias", "alias", CALL_BYTES},
    {"/v1/batch", "batch", BATCH_BYTES},
    {"/v1/t", "track", CALL_BYTES},
    {"/v1/p", "page", CALL_BYTES},
    {"/v1/s", "screen", CALL_BYTES},
    {"/v1/i", "identify", CALL_BYTES},
    {"/v1/g", "group", CALL_BYTES},
    {"/v1/a", "alias", CALL_BYTES},
    {"/v1/b", "batch", BATCH_BYTES},
    {.path = NULL},
};

static const char *const options[] = {"segment.write_keys", "segment.consent", NULL};

const struct tracker tracker_segment = {
    .name = "Segment",
    .says = "track, page and screen are events; the visitor is the cookie's, else the hashed "
	    "anonymousId. Of identify only audiences are read; group "
	    "and alias are answered and not recorded. userId, traits and addresses end at the wall",
    .source = "github.com/segmentio/segment-docs, HTTP API and Spec",
    .paths = paths,
    .options = options,
    .on = on,
    .post = post,
};
