#include "unit.h"

#include "crumb/privacy/junk.h"
#include "crumb/privacy/agent.h"
#include "crumb/privacy/anonymise.h"
#include "crumb/privacy/cookie.h"
#include "crumb/privacy/kgate.h"
#include "crumb/privacy/referrer.h"
#include "crumb/privacy/scrub.h"
#include "crumb/privacy/split.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

static struct identity_keys keys(void)
{
	struct identity_keys k = {.cookie = {"cookie key 16 b"}, .imported = {"import key 16 b"}, .exported = {"export key 16 b"}};
	k.generations[0].first_day = generation_of(20780);
	k.generations[1].first_day = (uint16_t)(generation_of(20780) - GENERATION_DAYS);
	return k;
}

static enum referrer class_of(const struct config *c, const char *referrer, const char *host)
{
	struct str outside;
	enum referrer class = referrer_class(c, str_c(referrer), str_c(host), &outside);
	return outside.n ? referrer_of_host(outside) : class;
}

TEST(a_cookie_is_read_back_and_any_changed_byte_is_forged)
{
	struct identity_keys k = keys();
	struct cookie c, d;
	char text[COOKIE_LEN];
	cookie_make(20780, &c);
	cookie_write(&k, &c, text);
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780, &d), COOKIE_VALID);
	assert_memory_equal(c.id, d.id, sizeof c.id);
	assert_int_equal(d.day, 20780);
	for (size_t i = 0; i < COOKIE_LEN; i++) {
		char was = text[i];
		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780, &d), COOKIE_FORGED);
		text[i] = was;
	}
	k.cookie.b[0] ^= 1;
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780, &d), COOKIE_FORGED);
}

TEST(a_cookie_lives_ninety_days)
{
	struct identity_keys k = keys();
	struct cookie c;
	char text[COOKIE_LEN];
	cookie_make(20780, &c);
	cookie_write(&k, &c, text);
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780 + 89, &c), COOKIE_VALID);
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20780 + 90, &c), COOKIE_OVERDUE);
	assert_int_equal(cookie_read(&k, str_make(text, COOKIE_LEN), 20770, &c), COOKIE_OVERDUE); /* issued in the future */
}

TEST(a_visitor_is_hashed_under_the_generation_of_the_issue_day)
{
	struct identity_keys k = keys();
	struct cookie c;
	struct vkey a, b;
	cookie_make(20780, &c);
	k.generations[0].key.b[0] = 1;
	assert_true(cookie_visitor(&k, &c, &a));
	c.day = (uint16_t)(c.day - GENERATION_DAYS);
	assert_true(cookie_visitor(&k, &c, &b));
	assert_memory_not_equal(&a, &b, sizeof a);
	c.day = (uint16_t)(c.day - GENERATION_DAYS);
	assert_false(cookie_visitor(&k, &c, &b)); /* that key is gone */
}

TEST(partners_see_permutations_that_differ)
{
	struct identity_keys k = keys();
	struct vkey v, a, b, seen[2000];
	for (size_t i = 0; i < 2000; i++) {
		memset(&v, 0, sizeof v);
		memcpy(v.b, &i, sizeof i);
		a = visitor_for_partner(&k, STR("a"), &v);
		b = visitor_for_partner(&k, STR("b"), &v);
		assert_memory_not_equal(&a, &b, sizeof a);
		assert_memory_not_equal(&a, &v, sizeof a);
		seen[i] = a;
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&seen[j], &a, sizeof a);
	}
}

TEST(the_gate_withholds_below_k_and_rounds_above)
{
	struct kgate g = {50, NULL};
	for (uint64_t n = 0; n < 500; n++) {
		struct shown s = kgate_show(&g, n);
		assert_int_equal(s.told, n >= 50);
		if (s.told)
			assert_true(s.n % 10 == 0 && llabs((long long)s.n - (long long)n) <= 5);
	}
	g.k = 3;
	assert_false(kgate_show(&g, 19).told);
	assert_true(kgate_show(&g, 20).told);
}

TEST(a_group_that_fell_below_k_stays_withheld_for_a_while)
{
	struct kgate g = {50, kgate_memory_new()}, bare = {50, NULL};
	assert_false(kgate_show_group(&g, 's', "a", 49).told);
	assert_true(kgate_show_group(&g, 's', "a", 50).told); /* it never was told before */
	assert_false(kgate_show_group(&g, 's', "a", 49).told);
	for (int i = 0; i < 10; i++) { /* one visitor comes and goes */
		assert_false(kgate_show_group(&g, 's', "a", (uint64_t)(50 + i % 2)).told);
		assert_false(kgate_show_group(&g, 's', "a", 49).told);
	}
	assert_true(kgate_show_group(&bare, 's', "a", 50).told && kgate_show_group(&g, 'c', "a", 50).told && kgate_show_group(&g, 's', "b", 50).told);
	assert_false(kgate_show_group(&g, 's', "a", 59).told);
	assert_true(kgate_show_group(&g, 's', "a", 60).told && kgate_show_group(&g, 's', "a", 50).told);
	kgate_memory_free(g.memory);
}

TEST(days_of_a_group_that_fell_are_withheld_like_the_present)
{
	struct kgate g = {50, kgate_memory_new()};
	struct shown out[6];
	uint64_t at_the_border[] = {50, 49, 50, 59, 60, 50}, fallen[] = {70, 55, 50, 49}, small[] = {10, 20, 50, 51};
	kgate_show_days(&g, 's', "a", at_the_border, 6, out);
	assert_true(out[0].told && !out[1].told && !out[2].told && !out[3].told && out[4].told && out[5].told);
	kgate_show_group(&g, 's', "b", 50);
	kgate_show_days(&g, 's', "b", fallen, 4, out); /* small now: so are the days on which it was */
	assert_true(out[0].told && !out[1].told && !out[2].told && !out[3].told);
	kgate_show_days(&g, 's', "c", small, 4, out);
	assert_true(!out[0].told && !out[1].told && out[2].told && out[3].told);
	kgate_memory_free(g.memory);
}

TEST(processes_know_what_each_other_told)
{
	char path[] = "/tmp/crumb-unit-told-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	struct kgate server = {20, kgate_memory_open(path, true)}, command = {20, kgate_memory_open(path, false)}, later = {20, NULL};
	assert_true(kgate_show_group(&command, 's', "a", 25).told);
	assert_false(kgate_show_group(&server, 's', "a", 19).told);
	assert_false(kgate_show_group(&server, 's', "a", 25).told || kgate_show_group(&command, 's', "a", 25).told);
	later.memory = kgate_memory_open(path, true); /* the file is another one now, and whoever has the old one finds it */
	assert_true(kgate_show_group(&server, 's', "a", 30).told && kgate_show_group(&server, 's', "b", 25).told);
	assert_false(kgate_show_group(&command, 's', "b", 19).told);
	assert_true(kgate_show_group(&later, 's', "a", 25).told);
	assert_false(kgate_show_group(&later, 's', "b", 29).told);
	kgate_memory_free(server.memory);
	kgate_memory_free(command.memory);
	kgate_memory_free(later.memory);
	close(fd);
	unlink(path);
}

TEST(a_line_that_a_full_disk_cut_off_does_not_swallow_the_next)
{
	char path[] = "/tmp/crumb-unit-told-XXXXXX";
	int fd = mkstemp(path);
	struct kgate g = {20, kgate_memory_open(path, false)};
	assert_true(kgate_show_group(&g, 's', "a", 25).told);
	assert_int_equal(pwrite(fd, "- s", 3, lseek(fd, 0, SEEK_END)), 3);
	assert_false(kgate_show_group(&g, 's', "a", 19).told);
	kgate_memory_free(g.memory);
	g.memory = kgate_memory_open(path, false);
	assert_false(kgate_show_group(&g, 's', "a", 29).told);
	kgate_memory_free(g.memory);
	close(fd);
	unlink(path);
}

TEST(addresses_are_cut)
{
	struct network n;
	struct sockaddr_in in = {.sin_family = AF_INET};
	inet_pton(AF_INET, "192.0.2.77", &in.sin_addr);
	n = network_of((struct sockaddr *)&in);
	assert_int_equal(n.family, 4);
	assert_memory_equal(n.b, "\xc0\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
	assert_true(network_parse(STR("[2001:db8:1:2:3::4]:443"), &n));
	assert_int_equal(n.family, 6);
	assert_memory_equal(n.b, "\x20\x01\x0d\xb8\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
	assert_true(network_parse(STR("::ffff:192.0.2.77"), &n));
	assert_int_equal(n.family, 4);
	assert_true(network_parse(STR("192.0.2.77:80"), &n));
	static const char *const mapped[] = {"::ffff:192.0.2.77", "0:0:0:0:0:ffff:192.0.2.77", "::ffff:c000:24d", "[::ffff:192.0.2.77]:80", "0000:0000:0000:0000:0000:FFFF:192.0.2.77"};
	for (size_t i = 0; i < sizeof mapped / sizeof *mapped; i++)
		assert_true(network_parse(str_c(mapped[i]), &n) && n.family == 4 && n.b[0] == 192 && n.b[2] == 2);
	assert_true(network_parse(STR("2002:c000:24d:1:2::3"), &n) && n.family == 4 && n.b[0] == 192 && n.b[2] == 2 && n.b[3] == 0); /* 6to4 */
	assert_true(network_parse(STR("64:ff9b::192.0.2.77"), &n) && n.family == 6 && n.b[1] == 0x64);
	assert_false(network_parse(STR("not an address"), &n));
	assert_false(network_parse(STR(""), &n));
}

TEST(an_address_is_read_with_what_may_stand_around_it)
{
	static const char *const fine[] = {"192.0.2.77", " 192.0.2.77 ", "192.0.2.77:443", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "fe80::1%eth0", "[fe80::1%25eth0]:443",
	    "::ffff:192.0.2.77", "64:ff9b::192.0.2.77", "0.0.0.0"};
	static const char *const none[] = {"", "-", "unknown", "_hidden", "192.0.2", "192.0.2.256", "192.0.2.077.1", "192.0.2.77:", "192.0.2.77:x", "192.0.2.77:65536", "192.0.2.77/8", "[2001:db8::1",
	    "[]", "[", "[2001:db8::1]443", "[2001:db8::1]:", "2001:db8::1::2", "%eth0", "0x7f.0.0.1", "192.0.2.77 x"};
	uint8_t b[16];
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (!address_read(str_c(fine[i]), b))
			fail_msg("%s is none", fine[i]);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (address_read(str_c(none[i]), b))
			fail_msg("'%s' is one", none[i]);
	assert_false(address_read(str_make("192.0.2.77\0x", 12), b));
}

TEST(whoever_wrote_what_is_left_of_him_was_none_of_ours)
{
	static const char *const rows[][3] = {/* list, of X-Forwarded-For, where it stands for the address */
	    {"", "", ""}, {" , ,", "", ""}, {"203.0.113.1", "203.0.113.1", "203.0.113.1"}, {"6.6.6.6, 203.0.113.1, 192.0.2.9", "203.0.113.1", "203.0.113.1"},
	    {"203.0.113.1,, 192.0.2.9:80 ,", "203.0.113.1", "203.0.113.1"}, {"203.0.113.1, 10.0.0.1, 192.0.2.9", "10.0.0.1", "203.0.113.1"}, {"192.0.2.8,192.0.2.9", "192.0.2.8", "192.0.2.8"},
	    {"203.0.113.1, unknown, 192.0.2.9", "unknown", "unknown"}, {"unknown, 192.0.2.9", "unknown", "unknown"},
	    /* Forwarded */
	    {"for=203.0.113.1", "203.0.113.1", "203.0.113.1"}, {"For=\"203.0.113.1:4711\"; proto=https;by=192.0.2.9", "203.0.113.1:4711", "203.0.113.1:4711"},
	    {"for=6.6.6.6, for=203.0.113.1;host=shop.example, for=192.0.2.9", "203.0.113.1", "203.0.113.1"}, {"proto=http;FOR=\"[2001:db8:cafe::17]:4711\"", "[2001:db8:cafe::17]:4711", "[2001:db8:cafe::17]:4711"},
	    {"for=192.0.2.8, for=192.0.2.9", "192.0.2.8", "192.0.2.8"}, {"for=203.0.113.1, for=10.0.0.1", "10.0.0.1", "203.0.113.1"}, {"for=203.0.113.1, for=unknown, for=192.0.2.9", "unknown", "unknown"},
	    {"for=203.0.113.1, for=_hidden", "_hidden", "_hidden"}, {"for=203.0.113.1, proto=https", "", ""}, {"for=203.0.113.1,, ,for=192.0.2.9 ,", "203.0.113.1", "203.0.113.1"},
	    {"for=203.0.113.1;ext=\"a, for=6.6.6.6; \\\" for=6.6.6.6\"", "203.0.113.1", "203.0.113.1"}, {"fort=203.0.113.1", "", ""},
	    {"for=203.0.113.1;ext=\"a, b\", for=192.0.2.9;by=\"c, d\"", "203.0.113.1", "203.0.113.1"},
	    /* whoever asks wrote what is left, and would be somebody else, or nobody */
	    {"for=6.6.6.6;ext=\"open, for=203.0.113.1", "203.0.113.1", "203.0.113.1"}, {"for=6.6.6.6;ext=\"\\, for=203.0.113.1, for=\"192.0.2.9:80\"", "203.0.113.1", "203.0.113.1"},
	    {"\", for=\"[2001:db8::1]:80\", for=\"192.0.2.9\"", "[2001:db8::1]:80", "[2001:db8::1]:80"}, {"for=6.6.6.6, 203.0.113.1", "203.0.113.1", "203.0.113.1"},
	    {"=, 203.0.113.1, 192.0.2.9", "203.0.113.1", "203.0.113.1"}, {"for=6.6.6.6;ext=\"open, 203.0.113.1", "203.0.113.1", "203.0.113.1"}};
	struct cidr_list ours, inside;
	assert_int_equal(cidr_list_parse("192.0.2.0/24", &ours), OK);
	assert_int_equal(cidr_list_parse("10.0.0.0/8", &inside), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str one = cidr_list_client(&ours, NULL, str_c(rows[i][0])), two = cidr_list_client(&ours, &inside, str_c(rows[i][0]));
		if (!str_eq(one, str_c(rows[i][1])) || !str_eq(two, str_c(rows[i][2])))
			fail_msg("'%s': '" STR_FMT "', '" STR_FMT "'", rows[i][0], STR_ARG(one), STR_ARG(two));
	}
}

TEST(networks_are_listed_and_found)
{
	struct cidr_list l;
	assert_int_equal(cidr_list_parse("10.0.0.0/8, 192.168.1.0/25, 2001:db8::/33, 127.0.0.1", &l), OK);
	assert_true(cidr_list_has_text(&l, STR("10.255.1.2")));
	assert_true(cidr_list_has_text(&l, STR("192.168.1.127")));
	assert_false(cidr_list_has_text(&l, STR("192.168.1.128")));
	assert_true(cidr_list_has_text(&l, STR("2001:db8:7fff::1")));
	assert_false(cidr_list_has_text(&l, STR("2001:db8:8000::1")));
	assert_true(cidr_list_has_text(&l, STR("127.0.0.1")));
	assert_false(cidr_list_has_text(&l, STR("127.0.0.2")));
	assert_int_equal(cidr_list_parse("10.0.0.0/33", &l), ERR_USAGE);
	assert_int_equal(cidr_list_parse("x", &l), ERR_USAGE);
	assert_int_equal(cidr_list_parse("10.0.0.1:80/8", &l), ERR_USAGE); /* and not ::/8, in which all of IPv4 lies */
	assert_int_equal(cidr_list_parse("[2001:db8::]/32,[::1]", &l), OK);
	assert_true(cidr_list_has_text(&l, STR("2001:db8::7")) && cidr_list_has_text(&l, STR("::1")) && !cidr_list_has_text(&l, STR("203.0.113.1")));
}

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
	path_becomes("/t/AKIAIOSFODNN7EXAMPLEKEY", "/t/AKIAIOSFODNN7EXAMPLEKEY"); /* one digit among letters: a word to us */
	path_becomes("/t/amFuZUBleGFtcGxlLmNvbQ==", "/t/[email]");		  /* jane@example.com */
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
	path_becomes("/account/orders", "/account/orders");
	path_becomes("/u/@jane", "/u/[name]");
	path_becomes("/cart;jsessionid=1A530637289A03B07199A44E8D531427/x", "/cart/x");
	path_becomes("/a?q=1#f", "/a?q=1#f"); /* url_split() took query and fragment before */
}

TEST(ordinary_paths_stay)
{
	static const char *const same[] = {"/", "/coats/winter-parka", "/news/politics/article-123", "/2024/05/06/some-long-headline-of-a-story",
	    "/2024-05-06", "/item-123456", "/checkout/thank-you", "/de/produkte/winterjacken/herren", "/p/nike-air-max-90-essential-2015",
	    "/c++/tutorial", "/wiki/Internationalization_and_localization", "/presentations/logstash-monitorama-2013/images/kibana-search.png",
	    "/blog/geekery/ssl-latency.html", "/files/lumberjack-0.3.1.tar.gz", "/look-at-the-dots", "/iPhone-15-Pro-Max-256GB-Blue-Titanium",
	    "/v1.2.3/x", "/color=red", "/12:30", "/account/login", "/@handle", "/a/b/", "/blog/xdotool-2.20110530.html", "/images/photo-20070222.png",
	    "/api/TransportMasterNodeOperationAction.html", "/files/patch-CURRENT-Apr.13.06.newmoused+newpsm"};
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
	assert_true(str_eq(u.host, STR("Shop.Example")) && str_eq(u.path, STR("/a/b")) && str_eq(u.query, STR("q=1")));
	assert_true(url_split(STR("http://x"), &u) && u.path.n == 0);
	assert_true(url_split(STR("http://[::1]:80/"), &u) && str_eq(u.host, STR("[::1]")));
	assert_true(url_split(STR("http://a?x@b/c"), &u) && str_eq(u.host, STR("a")));
	static const char *const none[] = {"", "/path", "ftp://x/", "javascript:alert(1)", "http://", "http:///x", "data:text/html,x", "about:blank"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(url_split(str_c(none[i]), &u));
}

TEST(names_of_persons_are_no_attributes)
{
	static const char *const personal[] = {"email", "e_mail", "user_email", "phone", "telephone", "first_name", "lastname", "user_id", "name",
	    "ip", "password", "firstName", "e-mail", "customer", "PatientID", "fbclid", "credit_card_number", "geo_location", "nickname"};
	static const char *const fine[] = {"department", "size", "color", "price", "age_band", "gender", "category", "brand", "product_name", "from",
	    "to", "campaign", "passengers", "members_only"};
	for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
		assert_true(scrub_name_is_personal(str_c(personal[i])));
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		assert_false(scrub_name_is_personal(str_c(fine[i])));
}

TEST(agents_are_families)
{
	static const struct {
		const char *ua;
		enum device device;
		enum os os;
		enum browser browser;
	} rows[] = {
	    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36", DEVICE_DESKTOP,
		OS_WINDOWS, BROWSER_CHROME},
	    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
		DEVICE_DESKTOP, OS_WINDOWS, BROWSER_EDGE},
	    {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 "
	     "Safari/604.1",
		DEVICE_MOBILE, OS_IOS, BROWSER_SAFARI},
	    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0", DEVICE_DESKTOP, OS_MACOS, BROWSER_FIREFOX},
	    {"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36", DEVICE_MOBILE,
		OS_ANDROID, BROWSER_CHROME},
	    {"Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36",
		DEVICE_TABLET, OS_ANDROID, BROWSER_SAMSUNG},
	    {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36", DEVICE_DESKTOP,
		OS_CHROMEOS, BROWSER_CHROME},
	    {"Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) 94.0.4606.31/7.0 TV Safari/537.36", DEVICE_TV, OS_OTHER,
		BROWSER_SAFARI},
	    {"curl/8.0", DEVICE_UNKNOWN, OS_OTHER, BROWSER_OTHER},
	    {"", DEVICE_UNKNOWN, OS_UNKNOWN, BROWSER_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct agent a = agent_parse(str_c(rows[i].ua));
		assert_int_equal(a.device, rows[i].device);
		assert_int_equal(a.os, rows[i].os);
		assert_int_equal(a.browser, rows[i].browser);
	}
}

TEST(of_a_referrer_its_kind_stays)
{
	static const struct {
		const char *referrer, *host;
		enum referrer want;
	} rows[] = {
	    {"", "shop.example", REFERRER_NONE},
	    {"https://www.google.com/search?q=x", "shop.example", REFERRER_SEARCH},
	    {"https://www.google.co.uk/", "shop.example", REFERRER_SEARCH},
	    {"https://google.de", "shop.example", REFERRER_SEARCH},
	    {"https://duckduckgo.com/", "shop.example", REFERRER_SEARCH},
	    {"https://google.com.evil.example.net/", "shop.example", REFERRER_OTHER},
	    {"https://notgoogle.com/", "shop.example", REFERRER_OTHER},
	    {"https://plus.google.com/", "shop.example", REFERRER_SOCIAL},
	    {"https://m.facebook.com/story", "shop.example", REFERRER_SOCIAL},
	    {"https://t.co/abc", "shop.example", REFERRER_SOCIAL},
	    {"https://nott.co/abc", "shop.example", REFERRER_OTHER},
	    {"https://shop.example/a", "shop.example", REFERRER_INTERNAL},
	    {"https://www.shop.example/a", "shop.example", REFERRER_INTERNAL},
	    {"https://shop.example/a", "www.shop.example", REFERRER_INTERNAL},
	    {"https://blog.shop.example/a", "shop.example", REFERRER_INTERNAL},
	    {"https://othershop.example/a", "shop.example", REFERRER_OTHER},
	    {"https://partner.example/", "shop.example", REFERRER_OTHER},
	    {"android-app://com.example", "shop.example", REFERRER_OTHER},
	    {"rubbish", "shop.example", REFERRER_OTHER},
	    /* what belongs to a search engine and is none */
	    {"https://accounts.google.com/", "shop.example", REFERRER_OTHER},
	    {"https://mail.google.com/", "shop.example", REFERRER_OTHER},
	    {"https://docs.google.com/d", "shop.example", REFERRER_OTHER},
	    {"https://accounts.youtube.com/", "shop.example", REFERRER_OTHER},
	    {"https://www.pinterest.co.uk/", "shop.example", REFERRER_SOCIAL},
	    {"https://accounts.google.de/", "shop.example", REFERRER_OTHER},
	    {"https://mail.yahoo.com/", "shop.example", REFERRER_OTHER},
	    {"https://de.mail.yahoo.com/", "shop.example", REFERRER_OTHER},
	    {"https://passport.yandex.ru/", "shop.example", REFERRER_OTHER},
	    {"https://tieba.baidu.com/p/1", "shop.example", REFERRER_OTHER},
	    {"https://mail.aol.com/", "shop.example", REFERRER_OTHER},
	    {"https://developers.facebook.com/", "shop.example", REFERRER_OTHER},
	    {"https://images.google.co.uk/", "shop.example", REFERRER_SEARCH},
	    {"https://news.google.de/", "shop.example", REFERRER_SEARCH},
	    {"https://de.search.yahoo.com/", "shop.example", REFERRER_SEARCH},
	    {"https://WWW.GOOGLE.COM./", "shop.example", REFERRER_SEARCH},
	    {"https://cn.bing.com/", "shop.example", REFERRER_SEARCH},
	    {"https://yandex.com.tr/search", "shop.example", REFERRER_SEARCH},
	    {"https://html.duckduckgo.com/", "shop.example", REFERRER_SEARCH},
	    {"https://l.facebook.com/l.php", "shop.example", REFERRER_SOCIAL},
	    {"android-app://com.google.android.googlequicksearchbox/", "shop.example", REFERRER_SEARCH},
	    {"android-app://com.google.android.googlequicksearchbox/https/www.google.com", "shop.example", REFERRER_SEARCH},
	    {"android-app://com.google.android.gm/", "shop.example", REFERRER_OTHER},
	    {"android-app://com.linkedin.android/", "shop.example", REFERRER_SOCIAL},
	    {"android-app://com.facebook.katana", "shop.example", REFERRER_SOCIAL},
	    {"android-app://", "shop.example", REFERRER_OTHER},
	};
	struct config c;
	assert_int_equal(config_init(&c), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (class_of(&c, rows[i].referrer, rows[i].host) != rows[i].want)
			fail_msg("%s on %s is not %s", rows[i].referrer, rows[i].host, referrer_names[rows[i].want]);
	assert_int_equal(config_set(&c, "sites=shop.example,partner.example"), OK);
	assert_int_equal(class_of(&c, "https://partner.example/", "shop.example"), REFERRER_INTERNAL);
	config_done(&c);
}

#define ANDROID(device) "Mozilla/5.0 (Linux; Android 10; " device ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"

TEST(devices_with_names_of_crawlers_are_none)
{
	static const char *const people[] = {ANDROID("CUBOT_P20"), ANDROID("CUBOT J9"), ANDROID("CUBOT"), ANDROID("cubot note s Build/X"), ANDROID("FOSSiBOT F101"),
	    ANDROID("XBot_Senior Build/O1"), ANDROID("M bot 51"), ANDROID("VR bot 552 Plus"), ANDROID("POWER BOT"), ANDROID("Spider 8"), ANDROID("Spider X"), ANDROID("Crawler Pro Build/QP1A.1"), ANDROID("de-de; my robot; wv"),
	    "Mozilla/5.0 (ANDERSSON; MB185) AppleWebKit", "Mozilla/5.0 (Trident/7.0; Banca Caboto s.p.a.; rv:11)", ANDROID("Pixel 8"),
	    "QwantMobile/2.0 (iPhone; CPU iPhone OS 11) AppleWebKit"},
			       *const crawlers[] = {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ANDROID("CUBOT_P20") " (compatible; Googlebot/2.1)",
				   "Mozilla/5.0 (compatible; bingbot/2.0)", "Baiduspider+(x)", "CCBot/2.0", "SemrushBot-SI", "robot", "Screaming Frog SEO Spider/20",
				   "Qwantify/1.0", "Qwant-news/2.0", "FreshRSS/1.2", "RSSOwl/2", "mycrawler", "spider", "xbot/1.0", "Power Bot/2.0", ANDROID("Nexus 5X Build/M") " (compatible; Bytespider; x)",
				   ANDROID("Spider X; spider@x.example"), "Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 (compatible; PetalBot)", "Mybot/1.0 (Linux; Android 10; K)"};
	struct config c;
	struct junk_lists *l;
	struct hs_scratch *scratch = NULL;
	(void)state;
	assert_int_equal(config_init(&c), OK);
	assert_int_equal(junk_open(&c, &l), OK);
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		int n = junk_crawler(l, &scratch, str_c(people[i]));
		if (n >= 0)
			fail_msg("%s is taken for a crawler by %s", people[i], junk_crawler_name(l, n));
	}
	for (size_t i = 0; i < sizeof crawlers / sizeof *crawlers; i++)
		if (junk_crawler(l, &scratch, str_c(crawlers[i])) < 0)
			fail_msg("%s is not taken for a crawler", crawlers[i]);
	junk_scratch_free(scratch);
	junk_unref(l);
	config_done(&c);
}

TEST(a_hold_out_is_a_stable_share_and_another_one_for_each_segment)
{
	struct identity_keys k = {.exported = {"0123456789abcde"}}, other = {.exported = {"another key 123"}};
	unsigned out = 0, both = 0, elsewhere = 0;
	for (uint32_t i = 0; i < 20000; i++) {
		struct vkey v = {{0}};
		memcpy(v.b, &i, sizeof i);
		bool a = split_held_out(&k, STR("a"), 90, &v);
		assert_int_equal(a, split_held_out(&k, STR("a"), 90, &v));
		assert_false(split_held_out(&k, STR("a"), 100, &v));
		out += a;
		both += a && split_held_out(&k, STR("b"), 90, &v);
		elsewhere += a && split_held_out(&other, STR("a"), 90, &v);
		if (a) /* a larger share holds out fewer, and only of the same */
			assert_true(split_held_out(&k, STR("a"), 80, &v));
	}
	assert_in_range(out, 1800, 2200);
	assert_in_range(both, 120, 290);
	assert_in_range(elsewhere, 120, 290);
}

RUN(cmocka_unit_test(a_cookie_is_read_back_and_any_changed_byte_is_forged), cmocka_unit_test(a_cookie_lives_ninety_days),
    cmocka_unit_test(a_visitor_is_hashed_under_the_generation_of_the_issue_day), cmocka_unit_test(partners_see_permutations_that_differ),
    cmocka_unit_test(the_gate_withholds_below_k_and_rounds_above), cmocka_unit_test(a_group_that_fell_below_k_stays_withheld_for_a_while), cmocka_unit_test(days_of_a_group_that_fell_are_withheld_like_the_present),
    cmocka_unit_test(processes_know_what_each_other_told), cmocka_unit_test(a_line_that_a_full_disk_cut_off_does_not_swallow_the_next),
    cmocka_unit_test(addresses_are_cut), cmocka_unit_test(an_address_is_read_with_what_may_stand_around_it), cmocka_unit_test(whoever_wrote_what_is_left_of_him_was_none_of_ours),
    cmocka_unit_test(networks_are_listed_and_found), cmocka_unit_test(what_names_people_is_replaced),
    cmocka_unit_test(ordinary_paths_stay), cmocka_unit_test(urls_are_split_without_user_and_port),
    cmocka_unit_test(names_of_persons_are_no_attributes), cmocka_unit_test(agents_are_families), cmocka_unit_test(of_a_referrer_its_kind_stays),
    cmocka_unit_test(devices_with_names_of_crawlers_are_none),
    cmocka_unit_test(a_hold_out_is_a_stable_share_and_another_one_for_each_segment))
