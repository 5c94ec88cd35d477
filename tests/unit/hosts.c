/* Hosts as people write them: names, options, what stands around them. */
#include "unit.h"

#include "crumb/base/host.h"
#include "crumb/core/config.h"

TEST(a_name_is_read_as_requests_have_it)
{
	static const struct {
		const char *text, *want; /* NULL: no host */
	} all[] = {{"shop.example", "shop.example"}, {"foo-.shop.example", "foo-.shop.example"}, {"SHOP.Example.", "shop.example"}, {"b\u00fccher.example", "xn--bcher-kva.example"}, {"BU\u0308CHER.example", "xn--bcher-kva.example"},
	    {"xn--bcher-kva.example", "xn--bcher-kva.example"}, {"stra\u00dfe.example", "xn--strae-oqa.example"}, {"\u4f8b\u3048.\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"},
	    {"localhost", "localhost"}, {"127.0.0.1", "127.0.0.1"}, {"[2001:DB8::1]", "[2001:db8::1]"}, {"a_b.example", "a_b.example"}, {"", NULL}, {".", NULL},
	    {"a..b", NULL}, {".a", NULL}, {"a b", NULL}, {"a/b", NULL}, {"*.a", NULL}, {"[::1", NULL}, {"a:1", NULL}, {"\xff.example", NULL}};
	char out[HOST_MOST];
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		size_t n = host_read(str_c(all[i].text), out);
		if (all[i].want ? !str_eq(str_make(out, n), str_c(all[i].want)) : n)
			fail_msg("%s is %.*s", all[i].text, (int)n, out);
	}
	assert_true(str_eq(str_make(out, host_read_glob(STR("*.B\u00fccher.*"), out)), STR("*.xn--bcher-kva.*")));
	assert_true(str_eq(str_make(out, host_read_glob(STR("*"), out)), STR("*")));
	assert_int_equal(host_read_glob(STR("*b\u00fccher.example"), out), 0);
}

TEST(options_with_hosts_are_understood_or_refused_with_what_was_meant)
{
	static const struct {
		const char *option, *is, *said; /* said: why it is refused */
	} all[] = {{"sites=shop.example, www.shop.example", "shop.example,www.shop.example", NULL}, {"sites=https://shop.example/", "https://shop.example", NULL},
	    {"sites=HTTPS://Shop.Example:443,http://a.example:80", "https://shop.example,http://a.example", NULL}, {"sites=shop.example.", "shop.example", NULL},
	    {"sites=b\u00fccher.example", "xn--bcher-kva.example", NULL}, {"sites=https://shop.example:8443", "https://shop.example:8443", NULL},
	    {"sites=shop.example/", "shop.example", NULL}, {"sites=shop.example:443", "shop.example", NULL}, {"sites=", "", NULL}, {"sites=[::1]", "[::1]", NULL},
	    {"sites=http://127.0.0.1:8000", "http://127.0.0.1:8000", NULL}, {"sites=*.shop.example", NULL, "list each host"}, {"sites=*", NULL, "leave it empty"},
	    {"sites=https://shop.example/shop", NULL, "write https://shop.example"}, {"sites=shop.example/a?b", NULL, "write shop.example"},
	    {"sites=https://me@shop.example", NULL, "write https://shop.example"}, {"sites=a.example b.example", NULL, "with commas"},
	    {"sites=a.example;b.example", NULL, "with commas"}, {"sites=localhost:3000", NULL, "http://localhost:3000"}, {"sites=ftp://shop.example", NULL, "no origin"},
	    {"sites=https://shop.example:99999", NULL, "65535"}, {"sites=https://shop.example:x", NULL, "65535"}, {"sites=https://", NULL, "no host"}, {"sites=a..b", NULL, "no host"},
	    {"cookie.domain=shop.example", "shop.example", NULL}, {"cookie.domain=https://shop.example/", "shop.example", NULL}, {"cookie.domain=.Shop.Example.", "shop.example", NULL},
	    {"cookie.domain=*.shop.example", "shop.example", NULL}, {"cookie.domain=b\u00fccher.example", "xn--bcher-kva.example", NULL}, {"cookie.domain=", "", NULL},
	    {"cookie.domain=shop.example:8443", NULL, "write shop.example"}, {"cookie.domain=https://shop.example/a", NULL, "write shop.example"},
	    {"cookie.domain=a.example,b.example", NULL, "write one"}, {"cookie.domain=shop.example; Secure", NULL, "write one"}, {"cookie.domain=a*.example", NULL, "no domain"},
	    {"operator.policy=https://shop.example/privacy?a=b#c", "https://shop.example/privacy?a=b#c", NULL}, {"operator.policy=", "", NULL},
	    {"operator.policy=HTTP://B\u00fccher.example:8080", "http://xn--bcher-kva.example:8080", NULL}, {"operator.policy=https://shop.example", "https://shop.example", NULL},
	    {"operator.policy=shop.example/privacy", NULL, "did you mean 'https://shop.example/privacy'"}, {"operator.policy=javascript:alert(1)", NULL, "no address of a page"},
	    {"operator.policy=javascript://shop.example/%0aalert(1)", NULL, "no address of a page"}, {"operator.policy=/privacy", NULL, "no address of a page"},
	    {"operator.policy=data:text/html,x.y", NULL, "no address"}, {"operator.policy=https://a@shop.example/", NULL, "no address"},
	    {"operator.policy=https://shop.example/a b", NULL, "%20"}, {"operator.policy=https://shop.example/\">x", NULL, "%20"}, {"operator.policy=https://shop.example/\u00fc", NULL, "%20"},
	    {"operator.policy=https://shop.example:0/", NULL, "65535"}, {"operator.policy=https://", NULL, "no address"}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct config c;
		assert_int_equal(config_init(&c), OK);
		enum err e = config_set(&c, all[i].option);
		const char *is = all[i].option[0] == 's' ? c.sites : all[i].option[0] == 'o' ? c.operator_policy : c.cookie_domain;
		if (all[i].said ? !e || !strstr(err_text(), all[i].said) : e || strcmp(is, all[i].is) != 0)
			fail_msg("%s: %s", all[i].option, e ? err_text() : is);
		config_done(&c);
	}
}

TEST(a_listener_is_a_host_and_a_port)
{
	static const struct {
		const char *text, *host; /* NULL: it is none */
		uint16_t port;
	} all[] = {{"127.0.0.1:8080", "127.0.0.1", 8080}, {":80", "", 80}, {"[::1]:0", "::1", 0}, {"[::]:65535", "::", 65535}, {"localhost:1", "localhost", 1}, {"", NULL, 0}, {"8080", NULL, 0},
	    {"a:", NULL, 0}, {"a:x", NULL, 0}, {"a:65536", NULL, 0}, {"a:-1", NULL, 0}, {"::1:80", NULL, 0}, {"[::1:80", NULL, 0}, {"[]:80", NULL, 0}, {"[::1]", NULL, 0}, {"http://a:80", NULL, 0}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct str host = STR("");
		uint16_t port = 0;
		bool fits = host_port(str_c(all[i].text), &host, &port);
		if (fits != !!all[i].host || (fits && (!str_eq(host, str_c(all[i].host)) || port != all[i].port)))
			fail_msg("'%s': " STR_FMT " %u", all[i].text, STR_ARG(host), port);
	}
}

RUN(cmocka_unit_test(a_listener_is_a_host_and_a_port), cmocka_unit_test(a_name_is_read_as_requests_have_it), cmocka_unit_test(options_with_hosts_are_understood_or_refused_with_what_was_meant))
