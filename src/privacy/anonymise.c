/* The wall, step by step: anonymise() at the end of the file makes an event of a hit, and what
 * stands above it makes its parts.
 *
 * What does not depend on the single visitor is looked up once and remembered: families of an agent
 * and whether it is a crawler, place and label of a network, the class of a referrer, and whether a
 * name of an attribute announces a person. A cache is an array of results by hash modulo size. A
 * hash of 0 marks an empty place, so the lowest bit of each hash is set. With 63 bits of a keyed
 * hash, two texts that are taken for each other do not happen.
 *
 * The event's texts are written one behind the other into `scratch`: a text is scrubbed to
 * scratch + used, and keep() takes it. */
#include "crumb/privacy/anonymise.h"

#include "crumb/base/code.h"
#include "crumb/base/host.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/agent.h"
#include "crumb/privacy/referrer.h"
#include "crumb/privacy/scrub.h"
#include "crumb/privacy/site.h"

#define VALUE_BOUND                                                                                \
	1e9 /* a greater number is no value of an event, but perhaps somebody's number */

void anonymiser_init(struct anonymiser *a, const struct config *c)
{
	memset(a, 0, sizeof *a);
	a->config = c;
	randombytes_buf(&a->key, sizeof a->key);
}

void anonymiser_done(struct anonymiser *a)
{
	place_db_unref(a->places);
	junk_scratch_free(a->scan);
	junk_unref(a->lists);
	sodium_memzero(a, sizeof *a);
}

void anonymiser_places(struct anonymiser *a, struct place_db *db)
{
	place_db_unref(a->places);
	a->places = db;
	memset(a->networks, 0, sizeof a->networks);
}

void anonymiser_lists(struct anonymiser *a, struct junk_lists *l)
{
	if (l == a->lists) {
		junk_unref(l);
		return;
	}
	junk_scratch_free(a->scan);
	a->scan = NULL;
	junk_unref(a->lists);
	a->lists = l;
	memset(a->agents, 0, sizeof a->agents);
	memset(a->networks, 0, sizeof a->networks);
}

/* These two give the place in the cache, and fill it first when another text has it. */
static size_t cached_agent(struct anonymiser *a, struct str ua)
{
	uint64_t h = hash_keyed64(&a->key, ua.p, ua.n) | 1;
	size_t at = (h >> 32) % ANONYMISE_CACHE;
	if (a->agents[at].hash != h) {
		a->agents[at].hash = h;
		a->agents[at].agent = agent_parse(ua);
		a->agents[at].crawler = (int16_t)junk_crawler(a->lists, &a->scan, ua);
	}
	return at;
}

static size_t cached_network(struct anonymiser *a, const struct network *n)
{
	uint64_t h = hash_keyed64(&a->key, n, sizeof *n) | 1;
	size_t at = (h >> 32) % ANONYMISE_CACHE;
	if (a->networks[at].hash != h) {
		a->networks[at].hash = h;
		a->networks[at].place =
		    a->places ? place_db_find(a->places, n) : (struct place){{0}, {0}};
		a->networks[at].label = (int16_t)junk_network(a->lists, n);
	}
	return at;
}

struct place anonymiser_place(struct anonymiser *a, const struct network *n)
{
	return n->family ? a->networks[cached_network(a, n)].place : (struct place){{0}, {0}};
}

/* Counts the hit. True: the network has sent more in this second than it may. */
static bool too_many(struct anonymiser *a, uint32_t now)
{
	size_t at = a->network_at;
	if (a->rates[at].hash != a->networks[at].hash || a->rates[at].second != now) {
		a->rates[at].hash = a->networks[at].hash;
		a->rates[at].second = now;
		a->rates[at].hits = 0;
	}
	return ++a->rates[at].hits > (uint32_t)a->config->network_rate;
}

/* Site, crawler, network, rate, in this order: the reason that says most is given, and only hits
 * that would count use up their network's share. */
enum aside anonymiser_judge(struct anonymiser *a, const struct hit *h, const struct event *e,
    uint32_t now, struct str *pattern)
{
	int n;
	*pattern = str_make("", 0);
	if (!site_is_ours(a->config, e->host)) {
		*pattern = e->host;
		return ASIDE_SITE;
	}
	if (h->agent.n && (n = a->agents[a->agent_at].crawler) >= 0) {
		*pattern = str_c(junk_crawler_name(a->lists, n));
		return ASIDE_CRAWLER;
	}
	if (h->network.family && (n = a->networks[a->network_at].label) >= 0) {
		*pattern = str_c(junk_network_name(a->lists, n));
		return ASIDE_NETWORK;
	}
	if (a->config->network_rate && h->network.family && !h->here && too_many(a, now))
		return ASIDE_RATE;
	return ASIDE_NOT;
}

/* Only what is outside our sites is looked for in the lists, and remembered. */
static enum referrer cached_referrer(struct anonymiser *a, struct str referrer, struct str host)
{
	struct str outside;
	enum referrer class = referrer_class(a->config, referrer, host, &outside);
	if (!outside.n)
		return class;
	uint64_t h = hash_keyed64(&a->key, outside.p, outside.n) | 1;
	size_t at = (h >> 32) % ANONYMISE_CACHE;
	if (a->referrers[at].hash != h) {
		a->referrers[at].hash = h;
		a->referrers[at].class = referrer_of_host(outside);
	}
	return a->referrers[at].class;
}

/* Takes n bytes that were written to scratch + used. */
static struct str keep(struct anonymiser *a, size_t n)
{
	struct str s = str_make(a->scratch + a->used, n);
	a->used += n;
	return s;
}

static size_t room(const struct anonymiser *a, size_t most)
{
	size_t left = sizeof a->scratch - a->used;
	return left < most ? left : most;
}

/* May an event go by this name? */
static bool event_name(struct str s)
{
	if (s.n == 0 || s.n > EVENT_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!chr_alpha(c) && !chr_digit(c) && c != '_' && c != '.' && c != ':' && c != '-')
			return false;
	}
	return scrub_look(s) == SCRUB_NONE;
}

/* Sites send the same few names again and again. */
static bool cached_personal(struct anonymiser *a, struct str name)
{
	uint64_t h = hash_keyed64(&a->key, name.p, name.n) | 1;
	size_t at = (h >> 32) % (sizeof a->names / sizeof *a->names);
	if (a->names[at].hash != h) {
		a->names[at].hash = h;
		a->names[at].personal = scrub_name_is_personal(name);
	}
	return a->names[at].personal;
}

/* May an attribute of this name be kept? Names that begin with '_' are our own. */
static bool attr_name(struct anonymiser *a, struct str s)
{
	const struct config *c = a->config;
	if (s.n == 0 || s.n > ATTR_NAME_MAX || cached_personal(a, s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!chr_alpha(s.p[i]) && !chr_digit(s.p[i]) && (s.p[i] != '_' || i == 0))
			return false;
	return !*c->attributes || word_list_has(&c->lists.attributes, s);
}

/* Adds a scrubbed attribute, or counts it as dropped. Of several with one name the first counts. */
static void add_attr(struct anonymiser *a, struct event *e, struct str name, struct str value)
{
	bool known = false;
	for (unsigned i = 0; i < e->attrs_n; i++)
		known |= str_eq(e->attrs[i].name, name);
	if (known)
		return;
	if (e->attrs_n == EVENT_ATTRS_MAX || !attr_name(a, name) ||
	    room(a, ATTR_NAME_MAX + EVENT_VALUE_MAX) < ATTR_NAME_MAX + EVENT_VALUE_MAX) {
		metric_inc(M_ATTR_DROPPED);
		return;
	}
	memcpy(a->scratch + a->used, name.p, name.n);
	struct str kept_name = keep(a, name.n);
	size_t n = scrub_value(value, a->scratch + a->used, EVENT_VALUE_MAX);
	if (n == 0) {
		metric_inc(M_ATTR_DROPPED);
		return;
	}
	e->attrs[e->attrs_n++] = (struct attr){kept_name, keep(a, n)};
}

/* utm_campaign, which says where an advertisement ran; scrubbed like an attribute. */
static struct str campaign(struct anonymiser *a, struct str query)
{
	struct str pair, prefix = STR("utm_campaign=");
	while (query.n && str_cut(&query, '&', &pair)) {
		char text[3 * EVENT_CAMPAIGN_MAX];
		if (!str_starts(pair, prefix))
			continue;
		if (pair.n - prefix.n > sizeof text) {
			metric_inc(M_ATTR_DROPPED);
			break;
		}
		size_t n = form_decode(str_skip(pair, prefix.n), text);
		size_t had = n;
		n = n > EVENT_CAMPAIGN_MAX
			? 0
			: scrub_value(str_make(text, n), a->scratch + a->used, EVENT_CAMPAIGN_MAX);
		metric_add(M_ATTR_DROPPED, had && !n);
		return keep(a, n);
	}
	return str_make("", 0);
}

/* Keys of the page's query that the operator declared harmless (`privacy.keep_query`) become
 * attributes. */
static void keep_query(struct anonymiser *a, struct event *e, struct str query)
{
	const struct word_list *kept = &a->config->lists.keep_query;
	struct str pair;
	if (!kept->n)
		return;
	while (str_cut(&query, '&', &pair)) {
		size_t eq = str_find(pair, '=');
		struct str key = str_make(pair.p, eq), value = str_skip(pair, eq + 1);
		char text[3 * EVENT_VALUE_MAX];
		if (eq == pair.n || !word_list_has(kept, key))
			continue;
		if (value.n > sizeof text)
			metric_inc(M_ATTR_DROPPED);
		else
			add_attr(a, e, key, str_make(text, form_decode(value, text)));
	}
}

/* Browsers write hosts of other alphabets as xn--…; servers and files may not, and then we do. */
static size_t host_kept(struct str host, char out[EVENT_HOST_MAX])
{
	char ascii[HOST_MOST];
	for (size_t i = 0; i < host.n; i++)
		if ((uint8_t)host.p[i] >= 0x80)
			return scrub_host(
			    str_make(ascii, host_read(host, ascii)), out, EVENT_HOST_MAX);
	return scrub_host(host, out, EVENT_HOST_MAX);
}

void anonymise(struct anonymiser *a, const struct hit *h, struct event *e)
{
	struct url_parts u = {0};
	struct str url = h->url.n ? h->url : h->referer_header;
	a->used = 0;
	e->attrs_n = 0;
	e->host = e->path = str_make("", 0);
	if (url.n && !url_split(url, &u))
		metric_inc(M_URL_DROPPED);
	if (u.host.n) {
		e->host = keep(a, host_kept(u.host, a->scratch + a->used));
		unsigned scrubbed = 0;
		e->path =
		    keep(a, scrub_path(u.path, a->scratch + a->used, EVENT_PATH_MAX, &scrubbed));
		metric_add(M_SCRUBBED, scrubbed);
	}
	e->name = h->name.n ? h->name : STR("view");
	if (!event_name(e->name)) {
		metric_inc(M_EVENT_OTHER);
		e->name = STR("other");
	}
	e->campaign = campaign(a, u.query);
	e->referrer = (uint8_t)cached_referrer(a, h->referrer, e->host);
	for (unsigned i = 0; i < h->attrs_n; i++)
		add_attr(a, e, h->attrs[i].name, h->attrs[i].value);
	keep_query(a, e, u.query);
	a->agent_at = cached_agent(a, h->agent);
	a->network_at = cached_network(a, &h->network);
	e->place = h->network.family ? a->networks[a->network_at].place : (struct place){{0}, {0}};
	e->agent = a->agents[a->agent_at].agent;
	e->has_v = h->has_v && h->v > -VALUE_BOUND && h->v < VALUE_BOUND;
	e->v = e->has_v ? h->v : 0;
	if (h->has_v && !e->has_v)
		metric_inc(M_ATTR_DROPPED);
}
