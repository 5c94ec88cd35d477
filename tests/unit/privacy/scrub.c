/* What names people is replaced, and what is ordinary stays. */
#include "unit.h"

#include "crumb/model/event.h"
#include "crumb/privacy/scrub.h"

static void path_becomes(const char *path, const char *want)
{
	char out[EVENT_PATH_MAX + 1];
	unsigned scrubbed = 0;
	size_t n = scrub_path(str_c(path), out, EVENT_PATH_MAX, &scrubbed);
	out[n] = 0;
	assert_string_equal(out, want);
}

TEST(what_names_people_is_replaced)
{
	path_becomes("/u/jane.doe@example.org/x", "/u/[email]/x");
	path_becomes("/u/jane.doe%40example.org", "/u/[email]");
	path_becomes("/u/jane%2540example.org", "/u/[email]");
	path_becomes("/u/jane%252540example.org", "/u/[email]");
	path_becomes("/u/@jane@example.org", "/u/[email]");
	path_becomes("/c/+49 170 5550123", "/c/[number]");
	path_becomes("/c/0170-555-0123", "/c/[number]");
	path_becomes("/c/(415)555-2671", "/c/[number]");
	path_becomes("/c/4915755501234", "/c/[number]");
	path_becomes("/c/12345678", "/c/[number]");
	path_becomes("/c/20240131-4915", "/c/20240131-4915");
	path_becomes("/c/20249931", "/c/[number]");
	path_becomes("/c/2024-01-31-12-30", "/c/2024-01-31-12-30");
	path_becomes("/c/DE89370400440532013000", "/c/[number]");
	path_becomes("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0", "/t/[token]");
	path_becomes("/t/deadbeefcafe0a1b2c3d4e5f6a7b8c9d", "/t/[token]");
	path_becomes("/t/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/t/[token]");
	path_becomes("/t/5d41402abc4b2a76b9719d911017c592", "/t/[token]");
	path_becomes("/t/AKIAIOSFODNN7EXAMPLEKEY",
	    "/t/AKIAIOSFODNN7EXAMPLEKEY"); /* one digit among letters: a word to us */
	path_becomes("/t/amFuZUBleGFtcGxlLmNvbQ==", "/t/[email]"); /* jane@example.com */
	path_becomes("/t/jane(at)example.org", "/t/[email]");
	path_becomes("/t/jane-at-example-dot-org", "/t/[email]");
	path_becomes("/t/jane%EF%BC%A0example.org", "/t/[email]");
	path_becomes("/t/jane&#64;example.org", "/t/[email]");
	path_becomes("/t/10.0.0.1", "/t/[number]");
	path_becomes("/t/2001:db8::1", "/t/[number]");
	path_becomes("/t/00:1a:2b:3c:4d:5e", "/t/[number]");
	path_becomes("/t/x-00-1A-2b-3c-4d-5e", "/t/[number]");
	path_becomes("/t/52.5200,13.4050,15z", "/t/[number]");
	path_becomes("/t/email=jane", "/t/[token]");
	path_becomes("/user/jane.doe/edit", "/user/[name]/edit");
	path_becomes("/users/4711", "/users/[name]");
	/* however the segment before is written */
	path_becomes("/us%65r/jane", "/user/[name]");
	path_becomes("/user;v=1/jane", "/user/[name]");
	path_becomes("/user//jane", "/user//[name]");
	path_becomes("/user/me/coats", "/user/me/coats");
	path_becomes("/account/orders", "/account/orders");
	path_becomes("/u/@jane", "/u/[name]");
	path_becomes("/cart;jsessionid=1A530637289A03B07199A44E8D531427/x", "/cart/x");
	path_becomes("/a?q=1#f", "/a?q=1#f"); /* url_split() took query and fragment before */
}

TEST(ordinary_paths_stay)
{
	static const char *const same[] = {"/", "/coats/winter-parka", "/news/politics/article-123",
	    "/2024/05/06/some-long-headline-of-a-story", "/2024-05-06", "/item-123456",
	    "/checkout/thank-you", "/de/produkte/winterjacken/herren",
	    "/p/nike-air-max-90-essential-2015", "/c++/tutorial",
	    "/wiki/Internationalization_and_localization",
	    "/presentations/logstash-monitorama-2013/images/kibana-search.png",
	    "/blog/geekery/ssl-latency.html", "/files/lumberjack-0.3.1.tar.gz", "/look-at-the-dots",
	    "/iPhone-15-Pro-Max-256GB-Blue-Titanium", "/v1.2.3/x", "/color=red", "/12:30",
	    "/account/login", "/@handle", "/a/b/", "/blog/xdotool-2.20110530.html",
	    "/images/photo-20070222.png", "/api/TransportMasterNodeOperationAction.html",
	    "/files/patch-CURRENT-Apr.13.06.newmoused+newpsm"};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		path_becomes(same[i], same[i]);
	path_becomes("/caf%C3%A9/%E2%82%AC", "/caf\xc3\xa9/\xe2\x82\xac");
	path_becomes("", "/");
	path_becomes("/a%2Fb", "/a_b");
	path_becomes("/a%00%0Ab", "/ab");
	path_becomes("/x[email]", "/x_email_");
}

TEST(urls_are_split_without_user_and_port)
{
	struct url_parts u;
	assert_true(url_split(STR("https://user:pass@Shop.Example:8443/a/b?q=1#f"), &u));
	assert_true(str_eq(u.host, STR("Shop.Example")) && str_eq(u.path, STR("/a/b")) &&
		    str_eq(u.query, STR("q=1")));
	assert_true(url_split(STR("http://x"), &u) && u.path.n == 0);
	assert_true(url_split(STR("http://[::1]:80/"), &u) && str_eq(u.host, STR("[::1]")));
	assert_true(url_split(STR("http://a?x@b/c"), &u) && str_eq(u.host, STR("a")));
	static const char *const none[] = {"", "/path", "ftp://x/", "javascript:alert(1)",
	    "http://", "http:///x", "data:text/html,x", "about:blank"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(url_split(str_c(none[i]), &u));
}

TEST(names_of_persons_are_no_attributes)
{
	static const char *const personal[] = {"email", "e_mail", "user_email", "phone",
	    "telephone", "first_name", "lastname", "user_id", "name", "ip", "password", "firstName",
	    "e-mail", "customer", "PatientID", "fbclid", "credit_card_number", "geo_location",
	    "nickname"};
	static const char *const fine[] = {"department", "size", "color", "price", "age_band",
	    "gender", "category", "brand", "product_name", "from", "to", "campaign", "passengers",
	    "members_only"};
	for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
		assert_true(scrub_name_is_personal(str_c(personal[i])));
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		assert_false(scrub_name_is_personal(str_c(fine[i])));
}

UNIT_TESTS(cmocka_unit_test(what_names_people_is_replaced), cmocka_unit_test(ordinary_paths_stay),
    cmocka_unit_test(urls_are_split_without_user_and_port),
    cmocka_unit_test(names_of_persons_are_no_attributes))
