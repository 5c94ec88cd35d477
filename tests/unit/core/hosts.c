/* Options that name hosts. */
#include "unit.h"

#include "crumb/core/config.h"

TEST(options_with_hosts_are_understood_or_refused_with_what_was_meant)
{
	static const struct {
		const char *option, *is, *said; /* said: why it is refused */
	} all[] = {{"sites=shop.example, www.shop.example", "shop.example,www.shop.example", NULL},
	    {"sites=https://shop.example/", "https://shop.example", NULL},
	    {"sites=HTTPS://Shop.Example:443,http://a.example:80",
		"https://shop.example,http://a.example", NULL},
	    {"sites=shop.example.", "shop.example", NULL},
	    {"sites=b\u00fccher.example", "xn--bcher-kva.example", NULL},
	    {"sites=https://shop.example:8443", "https://shop.example:8443", NULL},
	    {"sites=shop.example/", "shop.example", NULL},
	    {"sites=shop.example:443", "shop.example", NULL}, {"sites=", "", NULL},
	    {"sites=[::1]", "[::1]", NULL},
	    {"sites=http://127.0.0.1:8000", "http://127.0.0.1:8000", NULL},
	    {"sites=*.shop.example", NULL, "list each host"}, {"sites=*", NULL, "leave it empty"},
	    {"sites=https://shop.example/shop", NULL, "write https://shop.example"},
	    {"sites=shop.example/a?b", NULL, "write shop.example"},
	    {"sites=https://me@shop.example", NULL, "write https://shop.example"},
	    {"sites=a.example b.example", NULL, "with commas"},
	    {"sites=a.example;b.example", NULL, "with commas"},
	    {"sites=localhost:3000", NULL, "http://localhost:3000"},
	    {"sites=ftp://shop.example", NULL, "no origin"},
	    {"sites=https://shop.example:99999", NULL, "65535"},
	    {"sites=https://shop.example:x", NULL, "65535"}, {"sites=https://", NULL, "no host"},
	    {"sites=a..b", NULL, "no host"}, {"cookie.domain=shop.example", "shop.example", NULL},
	    {"cookie.domain=https://shop.example/", "shop.example", NULL},
	    {"cookie.domain=.Shop.Example.", "shop.example", NULL},
	    {"cookie.domain=*.shop.example", "shop.example", NULL},
	    {"cookie.domain=b\u00fccher.example", "xn--bcher-kva.example", NULL},
	    {"cookie.domain=", "", NULL},
	    {"cookie.domain=shop.example:8443", NULL, "write shop.example"},
	    {"cookie.domain=https://shop.example/a", NULL, "write shop.example"},
	    {"cookie.domain=a.example,b.example", NULL, "write one"},
	    {"cookie.domain=shop.example; Secure", NULL, "write one"},
	    {"cookie.domain=a*.example", NULL, "no domain"},
	    {"operator.policy=https://shop.example/privacy?a=b#c",
		"https://shop.example/privacy?a=b#c", NULL},
	    {"operator.policy=", "", NULL},
	    {"operator.policy=HTTP://B\u00fccher.example:8080", "http://xn--bcher-kva.example:8080",
		NULL},
	    {"operator.policy=https://shop.example", "https://shop.example", NULL},
	    {"operator.policy=shop.example/privacy", NULL,
		"did you mean 'https://shop.example/privacy'"},
	    {"operator.policy=javascript:alert(1)", NULL, "no address of a page"},
	    {"operator.policy=javascript://shop.example/%0aalert(1)", NULL, "no address of a page"},
	    {"operator.policy=/privacy", NULL, "no address of a page"},
	    {"operator.policy=data:text/html,x.y", NULL, "no address"},
	    {"operator.policy=https://a@shop.example/", NULL, "no address"},
	    {"operator.policy=https://shop.example/a b", NULL, "%20"},
	    {"operator.policy=https://shop.example/\">x", NULL, "%20"},
	    {"operator.policy=https://shop.example/\u00fc", NULL, "%20"},
	    {"operator.policy=https://shop.example:0/", NULL, "65535"},
	    {"operator.policy=https://", NULL, "no address"}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct config c;
		assert_int_equal(config_init(&c), OK);
		enum err e = config_set(&c, all[i].option);
		const char *is = all[i].option[0] == 's'   ? c.sites
				 : all[i].option[0] == 'o' ? c.operator_policy
							   : c.cookie_domain;
		if (all[i].said ? !e || !strstr(err_text(), all[i].said)
				: e || strcmp(is, all[i].is) != 0)
			fail_msg("%s: %s", all[i].option, e ? err_text() : is);
		config_done(&c);
	}
}

UNIT_TESTS(cmocka_unit_test(options_with_hosts_are_understood_or_refused_with_what_was_meant))
