/* privacy/anonymise: the wall. What comes out of a hit, and what does not. */
#include "unit.h"

#include "crumb/core/metric.h"
#include "crumb/privacy/anonymise.h"

#include <stdio.h>

static struct config config;
static struct anonymiser wall;

static int begin(void **state)
{
	if (config_init(&config) != OK)
		return -1;
	struct junk_lists *l;
	anonymiser_init(&wall, &config);
	if (junk_open(&config, &l) != OK)
		return -1;
	anonymiser_lists(&wall, l);
	return 0;
}

static int end(void **state)
{
	anonymiser_done(&wall);
	config_done(&config);
	return 0;
}
#define BEHIND(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct event behind(const struct hit *h)
{
	static struct event e;
	memset(&e, 0, sizeof e);
	anonymise(&wall, h, &e);
	return e;
}

static struct hit at(const char *url)
{
	struct hit h;
	memset(&h, 0, sizeof h);
	h.url = str_c(url);
	return h;
}

#define SAME(got, want) assert_true(str_eq(got, STR(want)))

TEST(of_a_url_host_and_path_stay_without_names_of_persons)
{
	struct hit h = at(
	    "https://jane:secret@Shop.Example:8443/user/jane.doe/orders?session=abc&q=coats#top");
	uint64_t scrubbed = metric_get(M_SCRUBBED);
	struct event e = behind(&h);
	SAME(e.host, "shop.example");
	SAME(e.path, "/user/[name]/orders");
	assert_int_equal(metric_get(M_SCRUBBED) - scrubbed, 1);
	assert_int_equal(e.attrs_n, 0);
	SAME(e.name, "view");
	h = at("https://b\xc3\xbc"
	       "cher.example");
	e = behind(&h);
	SAME(e.host, "xn--bcher-kva.example");
	SAME(e.path, "/");
}

TEST(without_a_url_the_page_that_sent_it_is_meant)
{
	struct hit h = at("");
	h.referer_header = STR("https://shop.example/coats");
	struct event e = behind(&h);
	SAME(e.host, "shop.example");
	SAME(e.path, "/coats");
	uint64_t dropped = metric_get(M_URL_DROPPED);
	h.referer_header = STR("javascript:alert(1)");
	e = behind(&h);
	assert_true(e.host.n == 0 && e.path.n == 0);
	assert_int_equal(metric_get(M_URL_DROPPED) - dropped, 1);
}

TEST(events_have_plain_names_or_are_others)
{
	static const char *const other[] = {
	    "jane doe", "a/b", "jane@example.org", "4917055501234", "\xff"};
	struct hit h = at("https://shop.example/");
	struct event e;
	h.name = STR("add_to.cart:v-2");
	e = behind(&h);
	SAME(e.name, "add_to.cart:v-2");
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		h.name = str_c(other[i]);
		e = behind(&h);
		if (!str_eq(e.name, STR("other")))
			fail_msg("'%s' is kept", other[i]);
	}
}

TEST(attributes_that_name_nobody_are_kept_each_once)
{
	struct hit h = at("https://shop.example/");
	static const struct attr said[] = {{{"size", 4}, {"xl", 2}},
	    {{"email", 5}, {"jane@example.org", 16}}, {{"size", 4}, {"s", 1}},
	    {{"_source", 7}, {"x", 1}}, {{"a b", 3}, {"x", 1}},
	    {{"color", 5}, {"jane@example.org", 16}}, {{"brand", 5}, {"", 0}}};
	uint64_t dropped = metric_get(M_ATTR_DROPPED);
	memcpy(h.attrs, said, sizeof said);
	h.attrs_n = sizeof said / sizeof *said;
	struct event e = behind(&h);
	assert_int_equal(e.attrs_n, 1 + (e.attrs_n > 1));
	SAME(e.attrs[0].name, "size");
	SAME(e.attrs[0].value, "xl"); /* the first one counts */
	for (unsigned i = 0; i < e.attrs_n; i++)
		assert_false(str_has(e.attrs[i].value, STR("jane")) ||
			     str_eq(e.attrs[i].name, STR("email")) ||
			     str_starts(e.attrs[i].name, STR("_")));
	assert_true(metric_get(M_ATTR_DROPPED) - dropped >= 4);
}

TEST(as_many_attributes_stay_as_an_event_has_room_for)
{
	struct hit h = at("https://shop.example/");
	static char names[HIT_PARAMS_MAX][8];
	uint64_t dropped = metric_get(M_ATTR_DROPPED);
	for (unsigned i = 0; i < HIT_PARAMS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "a%u", i);
		h.attrs[i] = (struct attr){str_c(names[i]), STR("x")};
	}
	h.attrs_n = HIT_PARAMS_MAX;
	assert_int_equal(behind(&h).attrs_n, EVENT_ATTRS_MAX);
	assert_int_equal(metric_get(M_ATTR_DROPPED) - dropped, HIT_PARAMS_MAX - EVENT_ATTRS_MAX);
}

TEST(of_the_query_stays_what_its_owner_named_and_the_campaign)
{
	struct hit h =
	    at("https://shop.example/"
	       "?utm_campaign=spring%20sale&dept=coats&session=abc&mail=jane%40example.org");
	struct event e = behind(&h);
	SAME(e.campaign, "spring sale");
	assert_int_equal(e.attrs_n, 0);
	assert_int_equal(config_set(&config, "privacy.keep_query=dept,mail"), OK);
	e = behind(&h);
	SAME(e.attrs[0].name, "dept");
	SAME(e.attrs[0].value, "coats");
	for (unsigned i = 0; i < e.attrs_n; i++)
		assert_false(str_has(e.attrs[i].value, STR("jane")));
}

TEST(a_value_is_a_sum_of_money_and_no_number_of_somebody)
{
	struct hit h = at("https://shop.example/");
	h.has_v = true;
	h.v = 129.95;
	struct event e = behind(&h);
	assert_true(e.has_v && e.v > 129.9 && e.v < 130);
	h.v = 4917055501;
	e = behind(&h);
	assert_true(!e.has_v && !(e.v > 0));
}

TEST(what_is_no_visit_of_a_person_is_set_aside_with_its_reason)
{
	struct hit h = at("https://shop.example/");
	struct str pattern;
	h.agent = STR("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
	struct event e = behind(&h);
	assert_int_equal(anonymiser_judge(&wall, &h, &e, 1000, &pattern), ASIDE_CRAWLER);
	assert_true(pattern.n > 0);
	h.agent = STR("Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0");
	e = behind(&h);
	assert_int_equal(anonymiser_judge(&wall, &h, &e, 1000, &pattern), ASIDE_NOT);
	assert_int_equal(config_set(&config, "sites=other.example"), OK);
	assert_int_equal(anonymiser_judge(&wall, &h, &e, 1000, &pattern), ASIDE_SITE);
	SAME(pattern, "shop.example");
}

TEST(a_networks_share_of_a_second_has_an_end)
{
	struct hit h = at("https://shop.example/"), other = h;
	struct str pattern;
	assert_int_equal(config_set(&config, "junk.per_network=3"), OK);
	assert_true(network_parse(STR("192.0.2.1"), &h.network) &&
		    network_parse(STR("198.51.100.1"), &other.network));
	for (int second = 0; second < 2; second++)
		for (int i = 0; i < 5; i++) {
			struct event e = behind(&h);
			assert_int_equal(
			    anonymiser_judge(&wall, &h, &e, (uint32_t)(1000 + second), &pattern),
			    i < 3 ? ASIDE_NOT : ASIDE_RATE);
		}
	struct event e = behind(&other);
	assert_int_equal(anonymiser_judge(&wall, &other, &e, 1001, &pattern), ASIDE_NOT);
	h.here = true; /* from this machine: no limits */
	e = behind(&h);
	assert_int_equal(anonymiser_judge(&wall, &h, &e, 1001, &pattern), ASIDE_NOT);
}

UNIT_TESTS(BEHIND(of_a_url_host_and_path_stay_without_names_of_persons),
    BEHIND(without_a_url_the_page_that_sent_it_is_meant),
    BEHIND(events_have_plain_names_or_are_others),
    BEHIND(attributes_that_name_nobody_are_kept_each_once),
    BEHIND(as_many_attributes_stay_as_an_event_has_room_for),
    BEHIND(of_the_query_stays_what_its_owner_named_and_the_campaign),
    BEHIND(a_value_is_a_sum_of_money_and_no_number_of_somebody),
    BEHIND(what_is_no_visit_of_a_person_is_set_aside_with_its_reason),
    BEHIND(a_networks_share_of_a_second_has_an_end))
