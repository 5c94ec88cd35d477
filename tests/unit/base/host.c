/* Hosts as people write them: names and listeners. */
#include "unit.h"

#include "crumb/base/host.h"

TEST(a_name_is_read_as_requests_have_it)
{
	static const struct {
		const char *text, *want; /* NULL: no host */
	} all[] = {{"shop.example", "shop.example"}, {"foo-.shop.example", "foo-.shop.example"},
	    {"SHOP.Example.", "shop.example"}, {"b\u00fccher.example", "xn--bcher-kva.example"},
	    {"BU\u0308CHER.example", "xn--bcher-kva.example"},
	    {"xn--bcher-kva.example", "xn--bcher-kva.example"},
	    {"stra\u00dfe.example", "xn--strae-oqa.example"},
	    {"\u4f8b\u3048.\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"},
	    {"localhost", "localhost"}, {"127.0.0.1", "127.0.0.1"},
	    {"[2001:DB8::1]", "[2001:db8::1]"}, {"a_b.example", "a_b.example"}, {"", NULL},
	    {".", NULL}, {"a..b", NULL}, {".a", NULL}, {"a b", NULL}, {"a/b", NULL}, {"*.a", NULL},
	    {"[::1", NULL}, {"a:1", NULL}, {"\xff.example", NULL}};
	char out[HOST_MOST];
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		size_t n = host_read(str_c(all[i].text), out);
		if (all[i].want ? !str_eq(str_make(out, n), str_c(all[i].want)) : n)
			fail_msg("%s is %.*s", all[i].text, (int)n, out);
	}
	assert_true(str_eq(
	    str_make(out, host_read_glob(STR("*.B\u00fccher.*"), out)), STR("*.xn--bcher-kva.*")));
	assert_true(str_eq(str_make(out, host_read_glob(STR("*"), out)), STR("*")));
	assert_int_equal(host_read_glob(STR("*b\u00fccher.example"), out), 0);
}

TEST(a_listener_is_a_host_and_a_port)
{
	static const struct {
		const char *text, *host; /* NULL: it is none */
		uint16_t port;
	} all[] = {{"127.0.0.1:8080", "127.0.0.1", 8080}, {":80", "", 80}, {"[::1]:0", "::1", 0},
	    {"[::]:65535", "::", 65535}, {"localhost:1", "localhost", 1}, {"", NULL, 0},
	    {"8080", NULL, 0}, {"a:", NULL, 0}, {"a:x", NULL, 0}, {"a:65536", NULL, 0},
	    {"a:-1", NULL, 0}, {"::1:80", NULL, 0}, {"[::1:80", NULL, 0}, {"[]:80", NULL, 0},
	    {"[::1]", NULL, 0}, {"http://a:80", NULL, 0}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct str host = STR("");
		uint16_t port = 0;
		bool fits = host_port(str_c(all[i].text), &host, &port);
		if (fits != !!all[i].host ||
		    (fits && (!str_eq(host, str_c(all[i].host)) || port != all[i].port)))
			fail_msg("'%s': " STR_FMT " %u", all[i].text, STR_ARG(host), port);
	}
}

UNIT_TESTS(cmocka_unit_test(a_name_is_read_as_requests_have_it),
    cmocka_unit_test(a_listener_is_a_host_and_a_port))
