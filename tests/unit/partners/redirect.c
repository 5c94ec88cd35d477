/* partners/redirect: where /sync may lead, by whole segments of the path, however it is written. */
#include "unit.h"

#include "crumb/partners/destinations.h"

static struct str listed[4];
static struct partner partner = {.redirects = listed};

static bool leads(const char *beginning, const char *url)
{
	listed[0] = str_c(beginning);
	partner.redirects_n = 1;
	return partner_redirects_to(&partner, str_c(url));
}

TEST(a_beginning_covers_whole_segments)
{
	assert_true(leads("https://ads.example/match", "https://ads.example/match"));
	assert_true(leads("https://ads.example/match", "https://ads.example/match?id=1#x"));
	assert_true(leads("https://ads.example/match", "https://ads.example/match/deeper"));
	assert_true(leads("https://ads.example/", "https://ads.example/anything"));
	assert_true(leads("https://ads.example", "https://ads.example/anything"));
	assert_false(leads("https://ads.example/match", "https://ads.example/matching"));
	assert_false(leads("https://ads.example/match", "https://ads.example/"));
	assert_false(leads("https://ads.example/match", "https://ads.example/other/match"));
}

TEST(another_origin_is_another_place)
{
	assert_true(leads("https://ads.example/m", "https://ADS.example:443/m"));
	assert_true(leads("https://ads.example/m", "https://ads.example./m"));
	assert_false(leads("https://ads.example/m", "http://ads.example/m"));
	assert_false(leads("https://ads.example/m", "https://ads.example:8443/m"));
	assert_false(leads("https://ads.example/m", "https://ads.example.evil.test/m"));
	assert_false(leads("https://ads.example/m", "https://evil.test/https://ads.example/m"));
	assert_false(leads("https://ads.example/m", "https://ads.example@evil.test/m"));
	assert_false(leads("https://ads.example/m", "//ads.example/m"));
	assert_false(leads("https://ads.example/m", "javascript:alert(1)"));
}

TEST(dots_lead_out_of_a_folder_and_are_followed)
{
	assert_true(leads("https://ads.example/a/b", "https://ads.example/a/x/../b"));
	assert_true(leads("https://ads.example/a", "https://ads.example/./a"));
	assert_false(leads("https://ads.example/a/b", "https://ads.example/a/b/../c"));
	assert_false(leads("https://ads.example/a/b", "https://ads.example/a/b/%2E%2e/c"));
	assert_false(
	    leads("https://ads.example/a", "https://ads.example/../a")); /* above the top */
	assert_false(leads("https://ads.example/a", "https://ads.example/a/..;x/c"));
}

TEST(what_two_servers_read_differently_is_refused)
{
	assert_false(leads("https://ads.example/a", "https://ads.example/a/..%2f..%2fc"));
	assert_false(leads("https://ads.example/a", "https://ads.example/a/%5C..%5Cc"));
	assert_false(leads("https://ads.example/a", "https://ads.example/a/%252e%252e/c"));
	assert_false(leads("https://ads.example/a", "https://ads.example/a/%00"));
	assert_false(leads("https://ads.example/a", "https://ads.example/a\\b"));
	assert_false(leads("https://ads.example/a", "https://ads.example/a b"));
}

TEST(a_query_that_is_begun_belongs_to_its_path)
{
	assert_true(leads("https://ads.example/m?to=", "https://ads.example/m?to=shop"));
	assert_false(leads("https://ads.example/m?to=", "https://ads.example/m?from=shop"));
	assert_false(leads("https://ads.example/m?to=", "https://ads.example/m/x?to=shop"));
	assert_false(leads("https://ads.example/m?to=", "https://ads.example/m"));
}

TEST(nobody_leads_anywhere_without_a_list)
{
	partner.redirects_n = 0;
	assert_false(partner_redirects_to(&partner, STR("https://ads.example/")));
	listed[0] = STR("https://a.example/");
	listed[1] = STR("https://b.example/");
	partner.redirects_n = 2;
	assert_true(partner_redirects_to(&partner, STR("https://b.example/x")));
}

UNIT_TESTS(cmocka_unit_test(a_beginning_covers_whole_segments),
    cmocka_unit_test(another_origin_is_another_place),
    cmocka_unit_test(dots_lead_out_of_a_folder_and_are_followed),
    cmocka_unit_test(what_two_servers_read_differently_is_refused),
    cmocka_unit_test(a_query_that_is_begun_belongs_to_its_path),
    cmocka_unit_test(nobody_leads_anywhere_without_a_list))
