/* Which hosts and origins are ours. */
#include "unit.h"

#include "crumb/core/config.h"
#include "crumb/privacy/site.h"

static struct config c;

static void set(const char *assignment)
{
	assert_int_equal(config_set(&c, assignment), OK);
}

static int begin(void **state)
{
	(void)state;
	return config_init(&c) != OK;
}

static int end(void **state)
{
	(void)state;
	config_done(&c);
	return 0;
}

TEST(a_bare_host_is_its_https_origin_and_an_origin_is_itself)
{
	(void)state;
	assert_true(site_is_ours(&c, STR("any.example")));
	assert_false(origin_is_ours(&c, STR("https://any.example")) || origin_is_ours(&c, STR("")));
	set("sites=shop.example, http://old.example:8080, [::1], https://[2001:db8::1]:8443");
	assert_int_equal(c.lists.sites.n, 4);
	assert_true(site_is_ours(&c, STR("SHOP.example")) && site_is_ours(&c, STR("old.example")) &&
		    site_is_ours(&c, STR("[::1]")));
	assert_true(site_is_ours(&c, STR("[2001:db8::1]")));
	assert_false(site_is_ours(&c, STR("www.shop.example")) ||
		     site_is_ours(&c, STR("old.example:8080")) || site_is_ours(&c, STR("")));
	assert_true(origin_is_ours(&c, STR("https://shop.example")) &&
		    origin_is_ours(&c, STR("HTTPS://Shop.Example")));
	assert_true(origin_is_ours(&c, STR("http://old.example:8080")) &&
		    origin_is_ours(&c, STR("https://[2001:db8::1]:8443")));
	assert_false(origin_is_ours(&c, STR("http://shop.example")) ||
		     origin_is_ours(&c, STR("https://shop.example:8443")));
	assert_false(origin_is_ours(&c, STR("http://old.example")) ||
		     origin_is_ours(&c, STR("https://[::1]")) || origin_is_ours(&c, STR("")));
}

UNIT_TESTS(cmocka_unit_test_setup_teardown(
    a_bare_host_is_its_https_origin_and_an_origin_is_itself, begin, end))
