/* From a hit to a record: who the visitor is, and what becomes of an event. ingest/ingest.h draws
 * the way.
 *
 * Who the visitor is, in ingest_visitor_judged():
 *	consent says no		a refusal; with CONSENT_NO_ERASE a known visitor is erased
 *	a valid cookie		its visitor, unless that one was erased
 *	none, or another	a new visitor with a random id, unless the disk is nearly full
 *
 * What is secret (cookies, ids) is wiped from the stack before a function returns. */
#include "crumb/ingest/ingest.h"

#include "crumb/base/clock.h"
#include "crumb/privacy/scrub.h"

enum err ingest_init(
    struct ingest *in, const struct config *c, struct store *s, const _Atomic bool *disk_low)
{
	memset(in, 0, sizeof *in);
	in->config = c;
	in->store = s;
	in->disk_low = disk_low;
	anonymiser_init(&in->wall, c);
	erased_view_init(&in->erased, s->erased);
	in->keys_day = day_of(clock_now());
	return keys_identity(s->keys, in->keys_day, &in->keys);
}

void ingest_done(struct ingest *in)
{
	anonymiser_done(&in->wall);
	erased_view_done(&in->erased);
	rules_match_end(in->match);
	rules_unref(in->rules);
	sodium_memzero(in, sizeof *in);
}

void ingest_config(struct ingest *in, const struct config *c)
{
	in->config = in->wall.config = c;
}

enum err ingest_rules(struct ingest *in, struct rules *r)
{
	struct match *fresh = NULL;
	enum err e = r && r != in->rules ? rules_match_begin(r, &fresh) : OK;
	if (e || (r && r == in->rules)) {
		rules_unref(r);
		return e;
	}
	rules_match_end(in->match);
	rules_unref(in->rules);
	in->rules = r;
	in->match = fresh;
	return OK;
}

/* A new day may bring a new pseudonym key and end an old one. */
static void refresh_keys(struct ingest *in, uint16_t today)
{
	struct identity_keys fresh;
	if (today == in->keys_day || keys_identity(in->store->keys, today, &fresh) != OK)
		return;
	in->keys = fresh;
	in->keys_day = today;
	sodium_memzero(&fresh, sizeof fresh);
}

bool ingest_known(struct ingest *in, struct str value, uint32_t now, struct vkey *out)
{
	struct cookie c;
	refresh_keys(in, day_of(now));
	bool known = value.n && cookie_read(&in->keys, value, day_of(now), &c) == COOKIE_VALID &&
		     cookie_visitor(&in->keys, &c, out) && !erased_has(&in->erased, out);
	explicit_bzero(&c, sizeof c);
	return known;
}

void ingest_erase(struct ingest *in, const struct vkey *visitor, uint32_t now, struct batch *b)
{
	batch_erase(b, visitor, now);
	/* a starved batch is refused, and may not list the visitor whom the writer has to settle */
	if (!b->starved)
		erased_note(in->store->erased, visitor);
	metric_inc(M_ERASED);
}

/* Does it have this sign and dashes only? */
static bool all_of(struct str id, char sign)
{
	for (size_t i = 0; i < id.n; i++)
		if (chr_lower(id.p[i]) != sign && id.p[i] != '-')
			return false;
	return true;
}

bool ingest_no_id(struct str id)
{
	static const char *const words[] = {"undefined", "null", "(null)", "[object object]", "nil",
	    "none", "nan", "unknown", "n/a"};
	enum { UUID = 32 }; /* signs without dashes; RFC 9562 5.9 and 5.10: all 0 and all f */
	id = str_trim(id);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_ieq(id, str_c(words[i])))
			return true;
	return id.n >= UUID && (all_of(id, '0') || all_of(id, 'f'));
}

/* What partners' programs write for want of an id: 0, -1, a macro that nobody has filled, a truth
 * value. */
static bool stands_for_none(struct str id)
{
	static const char *const words[] = {"-1", "false", "true", "optout", "opt-out", "opt_out"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_ieq(id, str_c(words[i])))
			return true;
	bool macro =
	    id.n > 4 && str_starts(id, STR("__")) && str_starts(str_skip(id, id.n - 2), STR("__"));
	return macro || all_of(id, '0') || ingest_no_id(id);
}

bool ingest_partner_id(struct str id)
{
	if (id.n == 0 || id.n > PARTNER_ID_MAX || stands_for_none(id) ||
	    scrub_look(id) == SCRUB_EMAIL)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!chr_alpha(id.p[i]) && !chr_digit(id.p[i]) &&
		    !chr_one_of(id.p[i], "-_.~+/=:*!"))
			return false;
	return true;
}

/* Makes a new visitor: a random id, its cookie and its visitor key. */
static void introduce(struct ingest *in, uint16_t today, struct ingest_who *who)
{
	struct cookie c;
	if (in->disk_low && atomic_load_explicit(in->disk_low, memory_order_relaxed)) {
		metric_inc(M_REFUSED_DISK);
		who->refused_disk = true;
		return;
	}
	cookie_make(today, &c);
	cookie_write(&in->keys, &c, who->cookie);
	who->write = cookie_visitor(&in->keys, &c, &who->visitor);
	explicit_bzero(&c, sizeof c);
	who->set_cookie = who->write;
	who->flags = EVENT_NEW;
	metric_inc(M_COOKIE_NEW);
}

struct consent ingest_consent(struct ingest *in, const struct hit *h)
{
	if (!*in->config->consent_require)
		return consent_judge(in->config, h, NULL);
	struct place where = anonymiser_place(&in->wall, &h->network);
	return consent_judge(in->config, h, &where);
}

struct ingest_who ingest_visitor(
    struct ingest *in, const struct hit *h, uint32_t now, struct batch *b)
{
	struct consent consent = ingest_consent(in, h);
	return ingest_visitor_judged(in, h, &consent, now, b);
}

struct ingest_who ingest_visitor_judged(struct ingest *in, const struct hit *h,
    const struct consent *consent, uint32_t now, struct batch *b)
{
	struct ingest_who who = {.write = false};
	uint16_t today = day_of(now);
	refresh_keys(in, today);
	who.purposes = (uint16_t)consent->purposes;
	if (consent->verdict != CONSENT_YES) {
		metric_inc(consent->why);
		who.refused = true;
		who.why = consent->why;
		who.expire_cookie = h->cookie.n && consent->verdict != CONSENT_NO;
		if (consent->verdict == CONSENT_NO_ERASE &&
		    ingest_known(in, h->cookie, now, &who.visitor)) {
			ingest_erase(in, &who.visitor, now, b);
			who.erase = true;
		}
		return who;
	}
	struct cookie c;
	enum cookie_state state =
	    h->cookie.n ? cookie_read(&in->keys, h->cookie, today, &c) : COOKIE_FORGED;
	bool named = state == COOKIE_VALID && cookie_visitor(&in->keys, &c, &who.visitor);
	explicit_bzero(&c, sizeof c);
	if (named && !erased_has(&in->erased, &who.visitor)) {
		metric_inc(M_COOKIE_KNOWN);
		who.write = true;
		return who;
	}
	if (h->cookie.n && named)
		metric_inc(M_COOKIE_ERASED);
	else if (h->cookie.n)
		metric_inc(state == COOKIE_FORGED ? M_COOKIE_FORGED : M_COOKIE_OVERDUE);
	introduce(in, today, &who);
	return who;
}

/* Rules see the raw title, URL and parameters here and nowhere else: what they find is in the
 * event's leaves. Values outside a declared vocabulary are dropped. */
static void apply_rules(struct ingest *in, const struct hit *h, struct event *e)
{
	struct leaf_input fields = {h->title, h->url, h->params, h->params_n};
	e->leaves_n = in->match ? rules_leaves(in->match, &fields, e->leaves) : 0;
	if (in->rules)
		metric_add(M_VALUE_DROPPED, rules_close(in->rules, e));
}

/* May this thread set one more event aside today? */
static bool room_aside(struct ingest *in, uint16_t day)
{
	if (in->aside_day != day) {
		in->aside_day = day;
		in->aside_n = 0;
	}
	return in->aside_n++ < (uint64_t)in->config->junk_per_day;
}

bool ingest_event(struct ingest *in, const struct ingest_who *who, const struct hit *h, uint32_t t,
    struct batch *b)
{
	static const enum metric counters[ASIDE_MAX] = {
	    0, M_ASIDE_CRAWLER, M_ASIDE_NETWORK, M_ASIDE_RATE, M_ASIDE_SITE};
	struct event *e = &in->event;
	metric_inc(M_HITS);
	anonymise(&in->wall, h, e);
	in->aside = anonymiser_judge(&in->wall, h, e, t, &e->pattern);
	/* An imported event without a host happened elsewhere, in a shop or on the telephone. */
	if (in->aside == ASIDE_SITE && !e->host.n && (who->flags & EVENT_IMPORTED))
		in->aside = ASIDE_NOT;
	if (in->aside == ASIDE_SITE) {
		metric_inc(M_REFUSED_SITE);
		if (!e->host.n || (who->flags & EVENT_IMPORTED))
			return false;
	}
	e->aside = (uint8_t)in->aside;
	e->purposes = who->purposes;
	e->visitor = who->visitor;
	e->flags = who->flags;
	e->t = t;
	if (in->aside) {
		metric_inc(counters[in->aside]);
		if (!room_aside(in, day_of(t))) {
			metric_inc(M_ASIDE_FULL);
			return false;
		}
	}
	apply_rules(in, h, e);
	/* Labels, and so who may get the visitor, depend on the source: it has a place before other
	 * attributes. */
	if (in->source.n && e->attrs_n == EVENT_ATTRS_MAX) {
		e->attrs_n--;
		metric_inc(M_ATTR_DROPPED);
	}
	if (in->source.n)
		e->attrs[e->attrs_n++] = (struct attr){STR(ATTR_SOURCE), in->source};
	batch_event(b, e);
	return true;
}
