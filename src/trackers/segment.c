/* Segment's HTTP tracking API, so that sources that send there can send here, too
 * (segmentio/segment-docs, HTTP API and Spec): POST /v1/track, page, screen, identify, group,
 * alias, batch, and the short paths of its browser library.
 *
 * track, page and screen are events. The visitor is the cookie's, else the anonymousId, hashed like
 * an imported id. userId, traits and whatever else names a person ends here: nothing of it is read.
 * Audiences of Segment's (Audience Entered and Exited, identify with the audience as a trait)
 * become the attributes that the rules declare with source: segment. */
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

#define MESSAGES_MOST 2500
#define BATCH_BYTES 512000 /* as at Segment */
#define CALL_BYTES 32768
#define SOURCE "segment"

struct texts {
	struct buf b; /* views into it: it must not grow any more once they are taken */
};

struct call {
	struct collect *c;
	struct http_request *r;
	json_t *batch, *context; /* what messages lack */
	struct vkey known;
	bool has_cookie;
	struct network network; /* of the request; messages may name others */
	struct str agent;
	struct ingest_who refused; /* the latest refusal, for the answer */
	unsigned written, erased;
	uint32_t now;
};

static struct str text_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_string(v) ? str_make(json_string_value(v), json_string_length(v)) : STR("");
}

/* --- who may send */

static bool base64(struct str in, char *out, size_t cap, size_t *n)
{
	size_t used;
	return sodium_base642bin((uint8_t *)out, cap, in.p, in.n, NULL, &used, NULL,
		   sodium_base64_VARIANT_ORIGINAL) == 0
		   ? (*n = used, true)
		   : false;
}

static bool key_fits(const struct collect *c, struct str key)
{
	return key_list_has(&c->config->lists.segment_keys, key);
}

/* Behind the quote that begins a text: its end, which is the next quote that is not escaped. */
static size_t text_end(struct str s, size_t at)
{
	while (at < s.n && s.p[at] != '"')
		at += s.p[at] == '\\' ? 2 : 1;
	return at < s.n ? at : s.n;
}

static size_t next_mark(struct str s, size_t at)
{
	while (
	    at < s.n && (s.p[at] == ' ' || s.p[at] == '\t' || s.p[at] == '\r' || s.p[at] == '\n'))
		at++;
	return at;
}

/* The "writeKey" of a body that nobody has parsed: it is no one's yet, and a tree of it may be
 * large. */
static struct str key_of_body(struct str s)
{
	int depth = 0;
	for (size_t at = 0; at < s.n; at++) {
		depth += s.p[at] == '{' || s.p[at] == '[';
		depth -= s.p[at] == '}' || s.p[at] == ']';
		if (s.p[at] != '"')
			continue;
		size_t begin = at + 1, end = text_end(s, begin), colon = next_mark(s, end + 1),
		       value = next_mark(s, colon + 1);
		at = end;
		if (depth != 1 || colon >= s.n || s.p[colon] != ':' ||
		    !str_eq(str_make(s.p + begin, end - begin), STR("writeKey")))
			continue;
		if (value >= s.n || s.p[value] != '"')
			return STR("");
		end = text_end(s, value + 1);
		return end < s.n ? str_make(s.p + value + 1, end - value - 1) : STR("");
	}
	return STR("");
}

enum word { NO, YES, UNSAID };

/* By what the headers say; else the body has to. */
static enum word may_send(const struct collect *c, const struct http_request *r)
{
	char plain[512];
	size_t n;
	struct str auth = r->header[H_AUTHORIZATION], basic = STR("Basic "),
		   bearer = STR("Bearer ");
	if (auth.n > basic.n && str_ieq(str_make(auth.p, basic.n), basic) &&
	    base64(str_trim(str_skip(auth, basic.n)), plain, sizeof plain, &n)) {
		struct str key = str_make(plain, n);
		key.n = str_find(key, ':');
		return key_fits(c, key) ? YES : NO;
	}
	bool borne = auth.n > bearer.n && str_ieq(str_make(auth.p, bearer.n), bearer);
	return borne && key_fits(c, str_trim(str_skip(auth, bearer.n))) ? YES : UNSAID;
}

/* --- a message */

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

static bool skipped(const char *property)
{
	static const char *const names[] = {
	    "url", "title", "referrer", "path", "search", "value", "revenue", "total"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(property, names[i]) == 0)
			return true;
	return false;
}

static void put_properties(struct hit *h, json_t *properties, char numbers[HIT_PARAMS_MAX][32])
{
	static const char *const amounts[] = {"value", "revenue", "total"};
	const char *name;
	json_t *value;
	for (size_t i = 0; i < 3 && !h->has_v; i++) {
		const json_t *v = json_object_get(properties, amounts[i]);
		if (json_is_number(v) || json_is_string(v)) {
			h->v = json_number_value(v);
			h->has_v =
			    json_is_number(v)
				? isfinite(h->v)
				: number_read(
				      str_make(json_string_value(v), json_string_length(v)), &h->v);
			metric_add(M_ATTR_DROPPED,
			    !h->has_v && (json_is_number(v) || json_string_length(v)));
		}
	}
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
			s = str_make(json_string_value(value), json_string_length(value));
		} else if (json_is_boolean(value)) {
			s = json_is_true(value) ? STR("true") : STR("false");
		} else if (json_is_number(value)) {
			char *to = numbers[h->attrs_n];
			s = str_make(
			    to, (size_t)snprintf(to, 32, "%.15g", json_number_value(value)));
		}
		if (s.n)
			h->attrs[h->attrs_n++] = (struct attr){str_c(name), s};
	}
}

static const json_t *of_context(const struct call *k, const json_t *message, const char *key)
{
	const json_t *own = json_object_get(json_object_get(message, "context"), key);
	return own ? own : json_object_get(k->context, key);
}

/* --- consent as Segment's and RudderStack's libraries send it */

static enum categories of_value(const json_t *v)
{
	enum said said = SAID_NOTHING;
	if (json_is_string(v))
		said = consent_said(str_make(json_string_value(v), json_string_length(v)));
	else if (json_is_boolean(v) || json_is_number(v))
		said = json_is_false(v) || (json_is_number(v) && json_number_value(v) == 0)
			   ? SAID_NO
			   : SAID_YES;
	else if (!json_is_null(v))
		return CATEGORIES_UNREADABLE;
	return said == SAID_NOTHING ? CATEGORIES_MISSING
	       : said == SAID_NO    ? CATEGORIES_REFUSED
				    : CATEGORIES_YES;
}

static void strictest(enum categories *all, enum categories one)
{
	if (one > *all)
		*all = one;
}

/* {"Advertising": true, …}: each category that is needed must be there and true. Without
 * segment.consent all that are there are needed. */
static enum categories of_preferences(const struct config *c, json_t *preferences)
{
	const struct word_list *needed = &c->lists.segment_consent;
	enum categories all = CATEGORIES_NONE;
	const char *name;
	json_t *value;
	for (unsigned i = 0; i < needed->n; i++) {
		bool found = false;
		json_object_foreach(preferences, name, value)
		{
			if (str_ieq(str_c(name), needed->word[i])) {
				found = true;
				strictest(&all, of_value(value));
			}
		}
		if (!found)
			strictest(&all, CATEGORIES_MISSING);
	}
	if (!needed->n)
		json_object_foreach(preferences, name, value) strictest(&all, of_value(value));
	return all;
}

static bool listed(const json_t *ids, struct str id)
{
	const json_t *v;
	size_t i;
	json_array_foreach(ids, i, v)
	{
		if (json_is_string(v) &&
		    str_ieq(str_make(json_string_value(v), json_string_length(v)), id))
			return true;
	}
	return false;
}

/* {"allowedConsentIds": [ID, …], "deniedConsentIds": [ID, …]}. */
static enum categories of_management(const struct config *c, const json_t *m)
{
	const json_t *allowed = json_object_get(m, "allowedConsentIds"),
		     *denied = json_object_get(m, "deniedConsentIds");
	const struct word_list *needed = &c->lists.segment_consent;
	enum categories all = CATEGORIES_NONE;
	if ((allowed && !json_is_array(allowed)) || (denied && !json_is_array(denied)))
		return CATEGORIES_UNREADABLE;
	for (unsigned i = 0; i < needed->n; i++) {
		struct str id = needed->word[i];
		strictest(&all, listed(denied, id)    ? CATEGORIES_REFUSED
				: listed(allowed, id) ? CATEGORIES_YES
						      : CATEGORIES_MISSING);
	}
	return needed->n		  ? all
	       : json_array_size(denied)  ? CATEGORIES_REFUSED
	       : json_array_size(allowed) ? CATEGORIES_YES
					  : CATEGORIES_NONE;
}

/* What the message and its batch say; of both the stricter holds. */
static enum categories consent_of(const struct call *k, const json_t *message)
{
	const json_t *contexts[2] = {json_object_get(message, "context"), k->context};
	enum categories all = CATEGORIES_NONE;
	for (int i = 0; i < 2; i++) {
		const json_t *consent = json_object_get(contexts[i], "consent"),
			     *management = json_object_get(contexts[i], "consentManagement");
		json_t *preferences = json_object_get(consent, "categoryPreferences");
		if (json_is_object(preferences))
			strictest(&all, of_preferences(k->c->config, preferences));
		else if ((consent && !json_is_null(consent) && !json_is_object(consent)) ||
			 (preferences && !json_is_null(preferences)))
			strictest(&all, CATEGORIES_UNREADABLE);
		if (json_is_object(management))
			strictest(&all, of_management(k->c->config, management));
		else if (management && !json_is_null(management))
			strictest(&all, CATEGORIES_UNREADABLE);
	}
	return all;
}

/* The hit that the message tells of. */
static void fill(struct call *k, const json_t *m, struct str kind, char name[EVENT_NAME_MAX],
    char numbers[HIT_PARAMS_MAX][32])
{
	struct hit *h = &k->c->hit;
	json_t *properties = json_object_get(m, "properties");
	const json_t *page = of_context(k, m, "page"), *ip = of_context(k, m, "ip"),
		     *agent = of_context(k, m, "userAgent");
	h->name = str_eq(kind, STR("track"))	? event_name(text_of(m, "event"), name)
		  : str_eq(kind, STR("screen")) ? STR("screen")
						: STR("view");
	h->url = text_of(properties, "url").n ? text_of(properties, "url") : text_of(page, "url");
	h->referrer = text_of(page, "referrer");
	h->title = text_of(page, "title");
	h->network = k->network;
	if (json_is_string(ip))
		(void)network_parse(
		    str_make(json_string_value(ip), json_string_length(ip)), &h->network);
	h->agent = json_is_string(agent)
		       ? str_make(json_string_value(agent), json_string_length(agent))
		       : k->agent;
	put_properties(h, properties, numbers);
	h->categories = consent_of(k, m);
}

/* False, and counted: when it happened cannot be read, or is too long ago. */
static bool time_of(const struct call *k, const json_t *m, uint32_t *t)
{
	int64_t when;
	if (!cdp_time(m, k->batch, k->now, &when)) {
		metric_inc(M_CDP_BAD_TIME);
		return false;
	}
	if (when > (int64_t)k->now) /* clocks of browsers */
		when = k->now;
	*t = (uint32_t)when;
	if (when >= 0 && day_of(*t) + k->c->config->retention_days > day_of(k->now))
		return true;
	metric_inc(M_CDP_TIME);
	return false;
}

/* The audience that the message speaks of, and whether the visitor is in it. */
static bool audience_of(
    const struct call *k, const json_t *m, struct str kind, struct str *key, bool *in)
{
	const json_t *personas = of_context(k, m, "personas");
	if (!str_eq(text_of(personas, "computation_class"), STR("audience")))
		return false;
	if (str_eq(kind, STR("track"))) {
		struct str event = text_of(m, "event");
		*key = text_of(json_object_get(m, "properties"), "audience_key").n
			   ? text_of(json_object_get(m, "properties"), "audience_key")
			   : text_of(personas, "computation_key");
		*in = str_eq(event, STR("Audience Entered"));
		return key->n && (*in || str_eq(event, STR("Audience Exited")));
	}
	*key = text_of(personas, "computation_key");
	if (!str_eq(kind, STR("identify")) || !key->n)
		return false;
	char name[256];
	snprintf(name, sizeof name, STR_FMT, STR_ARG(*key));
	const json_t *v = json_object_get(json_object_get(m, "traits"),
	    name); /* of all traits only the audience's own is looked at */
	*in = json_is_true(v);
	return json_is_boolean(v);
}

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

/* Consent, and whose it is: as for a hit, but without a cookie the anonymousId names the visitor.
 */
static bool visitor_of(struct call *k, const json_t *m, struct ingest_who *who)
{
	struct collect *c = k->c;
	struct str id = text_of(m, "anonymousId");
	*who = (struct ingest_who){.flags = 0};
	if (k->has_cookie) {
		who->visitor = k->known;
	} else if (id.n && id.n <= 1024 && !ingest_no_id(id)) {
		who->visitor = imported_visitor(&c->ingest.keys, id);
		who->flags = EVENT_IMPORTED;
	} else {
		metric_inc(M_CDP_NO_ID);
		return false;
	}
	/* who was erased stays so: the id says nothing that could replace it */
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

static void one(struct call *k, const json_t *m, struct str kind)
{
	struct collect *c = k->c;
	struct ingest_who who;
	char name[EVENT_NAME_MAX], numbers[HIT_PARAMS_MAX][32];
	struct str audience;
	bool event = str_eq(kind, STR("track")) || str_eq(kind, STR("page")) ||
		     str_eq(kind, STR("screen")),
	     in = false;
	uint32_t t;
	hit_clear_said(&c->hit);
	collect_query_signals(c, k->r, &c->hit);
	bool of_audience = audience_of(k, m, kind, &audience, &in);
	if (!event && !of_audience) {
		metric_inc(M_CDP_KIND);
		return;
	}
	fill(k, m, kind, name, numbers);
	if (!visitor_of(k, m, &who))
		return;
	if (!time_of(k, m, &t))
		return;
	struct str id = text_of(m, "messageId");
	if (id.n && !recent_add(c->shared->recent, id)) {
		metric_inc(M_CDP_TWICE);
		return;
	}
	if (of_audience)
		declare(k, &who, audience, in);
	else
		k->written += ingest_event(&c->ingest, &who, &c->hit, t, collect_batch(c));
}

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
	enum word may = may_send(c, r);
	const char *why;
	int undecoded = may == NO ? 0 : collect_decode(c, r, at->most, &why);
	if (undecoded) {
		buf_addf(&c->numbers,
		    "{\"success\":false,\"message\":\"%s; nothing was recorded\"}\n", why);
		buf_add(&c->numbers, "", 1);
		answer(&k, undecoded, c->numbers.p);
		return;
	}
	if (may == NO || (may == UNSAID && !key_fits(c, key_of_body(r->body)))) {
		metric_inc(M_UNAUTHORIZED);
		answer(&k, 401,
		    "{\"success\":false,\"message\":\"this write key may not send here\"}\n");
		return;
	}
	c->stack_used = true;
	json_t *root = json_loadb(r->body.n ? r->body.p : "", r->body.n, 0, &error),
	       *batch = json_object_get(root, "batch"), *m;
	struct str kind = str_c(at->kind);
	size_t i;
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
		collect_hit_headers(c, r, &c->hit);
		c->hit.referer_header = STR(""); /* the page is what the message says */
		k.network = c->hit.network;
		k.agent = c->hit.agent;
		k.has_cookie = ingest_known(&c->ingest, c->hit.cookie, k.now, &k.known);
		k.batch = root;
		k.context = json_object_get(root, "context");
		if (many) {
			json_array_foreach(batch, i, m) one(&k, m, text_of(m, "type"));
		} else {
			k.batch = k.context = NULL;
			one(&k, root, kind);
		}
		answer(&k, 200, "{\"success\":true}\n");
		if (k.written || k.erased)
			http_wait_gate(r->ticket, c->gate);
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
