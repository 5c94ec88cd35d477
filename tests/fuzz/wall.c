/* What comes from outside on its way through the wall: URLs, values, cookies, addresses, lists of proxies, agents, query strings, JSON.
 * Whatever comes out holds no e-mail address, is valid UTF-8 and fits. */
#include "crumb/base/code.h"
#include "crumb/base/text.h"
#include "crumb/core/hash.h"
#include "crumb/http/accept.h"
#include "crumb/http/server.h"
#include "crumb/ingest/ingest.h"
#include "crumb/model/record.h"
#include "crumb/privacy/agent.h"
#include "crumb/privacy/iab.h"
#include "crumb/privacy/scrub.h"

#include <stdlib.h>

static void urls(struct str s)
{
	struct url_parts u;
	char out[EVENT_PATH_MAX];
	unsigned scrubbed = 0;
	if (url_split(s, &u)) {
		size_t host = scrub_host(u.host, out, EVENT_HOST_MAX);
		CHECK(host <= EVENT_HOST_MAX);
	}
	size_t n = scrub_path(s, out, sizeof out, &scrubbed);
	CHECK(n > 0 && n <= sizeof out && out[0] == '/' && utf8_valid(str_make(out, n)) == n);
	for (size_t i = 1; i + 1 < n; i++) /* x@y within a segment would be an address */
		CHECK(out[i] != '@' || out[i - 1] == '/' || out[i + 1] == '/');
	n = scrub_value(s, out, EVENT_VALUE_MAX);
	CHECK(n <= EVENT_VALUE_MAX && utf8_valid(str_make(out, n)) == n);
}

static void anonymous(struct str s)
{
	static struct config config;
	static struct anonymiser *wall;
	static struct event e;
	static struct hit h;
	if (!wall) {
		CHECK(config_init(&config) == OK && config_set(&config, "privacy.keep_query=q,color") == OK);
		wall = calloc(1, sizeof *wall);
		anonymiser_init(wall, &config);
	}
	hit_clear(&h);
	h.url = h.title = h.agent = h.name = s;
	h.attrs_n = 1;
	h.attrs[0] = (struct attr){STR("note"), s};
	anonymise(wall, &h, &e);
	{
		struct buf b = {0};
		static struct record r;
		event_encode(&e, &b);
		struct mp m = mp_over(buf_view(&b));
		CHECK(record_decode(&m, &r));
		buf_done(&b);
	}
}

static void begin(void *arg, struct hit *h)
{
	(void)arg;
	hit_clear(h);
}

static bool views(void *arg, struct json_reader *r)
{
	uint64_t sum = 0;
	struct str all[] = {r->hit->name, r->hit->url, r->hit->title, r->hit->referrer, r->hit->gpp, r->hit->gpp_sid, r->hit->gdpr_consent, r->hit->us_privacy, r->id, r->cookie, r->time};
	(void)arg;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		sum += hash_plain64(all[i].p, all[i].n);
	for (unsigned i = 0; i < r->hit->attrs_n; i++)
		sum +=
		    hash_plain64(r->hit->attrs[i].name.p, r->hit->attrs[i].name.n) + hash_plain64(r->hit->attrs[i].value.p, r->hit->attrs[i].value.n);
	CHECK(sum != 1); /* so that the bytes are really read */
	return true;
}

static void json(struct str s)
{
	static struct hit h;
	for (int import = 0; import < 2; import++) {
		struct buf scratch = {0};
		struct json_reader r = {.import = import, .hit = &h, .scratch = &scratch, .begin = begin, .event = views};
		(void)json_read(&r, s);
		buf_done(&scratch);
	}
}

static void queries(struct str s)
{
	struct http_query q = {s, malloc(s.n + 1), 0};
	struct str key, value;
	while (http_query_next(&q, &key, &value))
		CHECK(key.n + value.n <= s.n);
	CHECK(q.used <= s.n);
	free(q.scratch);
}

static void consent(struct str s)
{
	struct tcf t;
	struct gpp g;
	for (unsigned vendor = 0; vendor < 3; vendor++) {
		(void)tcf_read(s, vendor * 700, &t);
		(void)tcf_canada_read(s, vendor * 700, &t);
	}
	(void)us_privacy_read(s);
	for (unsigned id = 5; id < 29; id++)
		(void)gpp_us_read(id, s);
	if (gpp_read(s, &g))
		for (unsigned i = 0; i < g.n; i++)
			CHECK(g.section[i].text.p >= s.p && g.section[i].text.p + g.section[i].text.n <= s.p + s.n);
}

/* Whoever asks has written what he likes, and proxies of ours wrote behind it from whom it came. */
static void asked(struct str s)
{
	static const char *const rows[][2] = {{", 203.0.113.9", "203.0.113.9"}, {", 203.0.113.9, 10.0.0.1", "203.0.113.9"}, {", for=203.0.113.9;proto=https", "203.0.113.9"},
	    {",for=\"[2001:db8::1]:80\", for=\"10.0.0.1:80\";by=10.0.0.2", "[2001:db8::1]:80"}};
	static const char *const tags[] = {"en", "de", "fr"};
	struct cidr_list ours;
	CHECK(cidr_list_parse("10.0.0.0/8", &ours) == OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf list = {0};
		buf_str(&list, s);
		buf_c(&list, rows[i][0]);
		CHECK(str_eq(cidr_list_client(&ours, NULL, buf_view(&list)), str_c(rows[i][1])));
		buf_done(&list);
	}
	CHECK(accept_language(s, tags, 3) < 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_make((const char *)data, n);
	static const struct identity_keys keys;
	struct cookie c;
	struct network net;
	char folded[64];
	urls(s);
	anonymous(s);
	json(s);
	queries(s);
	consent(s);
	asked(s);
	CHECK(cookie_read(&keys, s, 20000, &c) != COOKIE_VALID || n == COOKIE_LEN);
	network_parse(s, &net);
	agent_parse(s);
	CHECK(text_words(s, folded, sizeof folded) <= sizeof folded);
	size_t m = text_fold(s, folded, sizeof folded);
	CHECK(m <= sizeof folded && utf8_valid(str_make(folded, m)) == m);
	CHECK(text_fold_regex(s, folded, sizeof folded) <= sizeof folded && text_eq(s, s));
	return 0;
}
