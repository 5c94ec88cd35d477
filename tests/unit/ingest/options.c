/* Options beside each other, and what is told of those that cannot work. */
/* Options that cannot work: a table of values, and what is said of each. */
#include "unit.h"

#include "crumb/ingest/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/crumb-unit-options.XXXXXX";

/* `set`: assignments, with blanks between. `words`: of what is said; NULL: nothing. '~' at the
 * beginning: it is a warning. */
static void look(const char *set, const char *option, const char *words)
{
	struct config c;
	static struct options_found f;
	struct str rest = str_c(set), one;
	char text[300];
	assert_int_equal(config_init(&c), OK);
	snprintf(text, sizeof text, "store.path=%s/store", folder);
	assert_int_equal(config_set(&c, text), OK);
	while (rest.n && str_cut(&rest, '|', &one)) {
		snprintf(text, sizeof text, STR_FMT, STR_ARG(one));
		if (config_set(&c, text) != OK)
			fail_msg("%s: %s", text, err_text());
	}
	options_check(&c, NULL, &f);
	bool warning = words && words[0] == '~';
	if (!words && f.n)
		fail_msg("%s: %s: %s", set, f.list[0].option, f.list[0].text);
	if (words) {
		bool said = false;
		for (unsigned i = 0; i < f.n; i++)
			said |= strcmp(f.list[i].option, option) == 0 &&
				strstr(f.list[i].text, words + warning) &&
				f.list[i].warning == warning;
		if (!said)
			fail_msg("%s: nothing of '%s', but %s: %s", set, words,
			    f.n ? f.list[0].option : "", f.n ? f.list[0].text : "");
		assert_true((f.wrong > 0) == !warning);
	}
	config_done(&c);
}

TEST(networks)
{
	static const char *const fine[] = {"", "127.0.0.1", "10.0.0.0/8,::1/128",
	    "2001:db8::/32 , 192.0.2.1/32", "10.1.2.3/8", "[::1]"};
	static const char *const wrong[][2] = {{"10.0.0.0/33", "from 0 to 32"},
	    {"::1/129", "from 0 to 128"}, {"10.0.0/8", "did you mean '10.0.0.0/8'?"},
	    {"10/8", "did you mean '10.0.0.0/8'?"}, {"10.0.0.0/8 192.168.0.0/16", "commas"},
	    {"300.1.1.1/8", "no network"}, {"proxy.example", "no network"},
	    {"10.0.0.0/", "no network"}, {"10.0.0.0-10.0.0.9", "no network"},
	    {"10.0.0.1:80", "no network"}, {"10.0.0.1:80/8", "no network"},
	    {"10..0/8", "no network"}, {"10/33", "no network"}, {"fe80::1%eth0", "no network"},
	    {"::ffff:0.0.0.0/96x", "no network"}, {"[::1", "no network"}, {"0.0.0.0/0", "~anybody"},
	    {"::/0", "~anybody"}};
	char text[300];
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		snprintf(text, sizeof text, "trusted_proxies=%s", fine[i]);
		look(text, "trusted_proxies", NULL);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, "trusted_proxies=%s", wrong[i][0]);
		look(text, "trusted_proxies", wrong[i][1]);
	}
}

TEST(options_beside_each_other)
{
	static const char *const rows[][3] = {
	    {"cookie.domain=shop.example", "", NULL},
	    {"cookie.domain=localhost", "cookie.domain", "no cookie for"},
	    {"cookie.domain=192.0.2.1", "cookie.domain", "no cookie for"},
	    {"cookie.domain=com", "cookie.domain", "no cookie for"},
	    {"cookie.domain=co.uk", "cookie.domain", "anybody may have a site"},
	    {"cookie.domain=github.io", "cookie.domain", "anybody may have a site"},
	    {"cookie.domain=xn--55qx5d.cn", "cookie.domain", "anybody may have a site"},
	    {"cookie.domain=shop.co.uk", "", NULL},
	    {"cookie.secure=no", "cookie.secure", "cookie.samesite=none"},
	    {"cookie.secure=no|cookie.samesite=lax", "", NULL},
	    {"cookie.partitioned=yes", "", NULL},
	    {"cookie.partitioned=yes|cookie.samesite=lax", "cookie.partitioned",
		"cookie.samesite=lax"},
	    {"cookie.partitioned=yes|cookie.samesite=strict", "cookie.partitioned",
		"cookie.samesite=strict"},
	    {"cookie.partitioned=yes|cookie.secure=no", "cookie.secure", "cookie.partitioned=yes"},
	    {"admin.listen=0.0.0.0:8081", "admin.listen", "set one, or listen on 127.0.0.1"},
	    {"admin.listen=:8081", "admin.listen", "can be reached"},
	    {"admin.listen=[::]:8081", "admin.listen", "can be reached"},
	    {"admin.listen=192.0.2.1:8081|admin.token=short", "admin.token", "~short"},
	    {"admin.listen=192.0.2.1:8081|admin.token=0123456789abcdef", "", NULL},
	    {"admin.listen=[::1]:8081", "", NULL},
	    {"admin.listen=localhost:8081", "", NULL},
	    {"admin.listen=LOCALHOST:8081", "", NULL},
	    {"admin.listen=127.0.0.1.shop.example:8081", "admin.listen", "can be reached"},
	    {"admin.listen=127.0.0.1:8080", "admin.listen", "the same port"},
	    {"collect.listen=0.0.0.0:8081", "admin.listen", "the same port"},
	    {"collect.listen=127.0.0.1:0|admin.listen=127.0.0.1:0", "", NULL},
	    {"collect.listen=8080", "collect.listen", "did you mean '127.0.0.1:8080'?"},
	    {"collect.listen=http://0.0.0.0:8080/", "collect.listen",
		"did you mean '0.0.0.0:8080'?"},
	    {"collect.listen=http://[::1]:8080/", "collect.listen", "did you mean '[::1]:8080'?"},
	    {"collect.listen=nowhere", "collect.listen", "HOST:PORT"},
	    {"collect.listen=127.0.0.1:http", "collect.listen", "HOST:PORT"},
	    {"collect.listen=127.0.0.1:65536", "collect.listen", "HOST:PORT"},
	    {"collect.listen=::1:8080", "collect.listen", "HOST:PORT"},
	    {"collect.listen=", "collect.listen", "HOST:PORT"},
	    {"admin.token=two words", "admin.token", "without blanks"},
	    {"admin.token=grün", "admin.token", "ASCII"},
	    {"privacy.keep_query=q,utm_source", "", NULL},
	    {"privacy.keep_query=?q", "privacy.keep_query", "did you mean 'q'?"},
	    {"privacy.keep_query=utm_source=news", "privacy.keep_query",
		"did you mean 'utm_source'?"},
	    {"privacy.keep_query=a b", "privacy.keep_query", "did you mean 'a'?"},
	    {"privacy.keep_query=utm_*", "privacy.keep_query", "list each name"},
	    {"privacy.keep_query=utm_source;utm_medium", "privacy.keep_query",
		"commas stand between names"},
	    {"privacy.keep_query=\"q\"", "privacy.keep_query", "no key"},
	    {"collect.listen=*:8080", "collect.listen", "did you mean '0.0.0.0:8080'?"},
	    {"consent.require=DE FR|consent.tcf.vendor=3", "consent.require",
		"commas stand between places"},
	    {"consent.require=DE;FR|consent.tcf.vendor=3", "consent.require",
		"commas stand between places"},
	    {"trusted_proxies=10.0.0.0/255.0.0.0", "trusted_proxies", "did you mean '10.0.0.0/8'?"},
	    {"trusted_proxies=10.*", "trusted_proxies", "did you mean '10.0.0.0/8'?"},
	    {"trusted_proxies=192.168.*.*", "trusted_proxies", "did you mean '192.168.0.0/16'?"},
	    {"trusted_proxies=10.0.0.1:8080", "trusted_proxies", "did you mean '10.0.0.1'?"},
	    {"trusted_proxies=https://[::1]/", "trusted_proxies", "no network"},
	    {"trusted_proxies=https://10.0.0.1", "trusted_proxies", "did you mean '10.0.0.1'?"},
	    {"trusted_proxies=localhost", "trusted_proxies", "did you mean '127.0.0.0/8,::1'?"},
	    {"trusted_proxies=private", "trusted_proxies", "172.16.0.0/12"},
	    {"trusted_proxies=10.0.0.0/8;127.0.0.1", "trusted_proxies",
		"commas stand between networks"},
	    {"trusted_proxies=fe80::1%eth0", "trusted_proxies", "did you mean 'fe80::1'?"},
	    {"trusted_proxies=10.0.0.0/0.255.0.0", "trusted_proxies", "no network"},
	    {"privacy.keep_query=email", "privacy.keep_query", "~never kept"},
	    {"privacy.attributes=a_name_that_is_longer_than_thirty_two", "privacy.attributes",
		"longer than 32"},
	    {"privacy.attributes=size,color", "", NULL},
	    {"segment.write_keys=a b", "segment.write_keys", "commas"},
	    {"page.key=", "page.key", "no key"},
	    {"page.key=a=b", "page.key", "no key"},
	    {"ortb2.name=", "ortb2.name", "a name"},
	    {"consent.require=GERMANY", "consent.require", "no country"},
	    {"consent.tcf.purposes=1,25", "consent.tcf.purposes", "no purpose"},
	    {"consent.require=DE", "consent.require", "~consent.tcf.vendor"},
	    {"consent.require=DE|consent.tcf.vendor=33", "", NULL},
	    {"junk.crawl=count|junk.crawlers=/tmp/x", "junk.crawlers", "~not read"},
	    {"segment.consent=1", "segment.consent", "~segment.write_keys"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		look(rows[i][0], rows[i][1], rows[i][2]);
}

TEST(folders)
{
	char text[300], file[100];
	snprintf(file, sizeof file, "%s/file", folder);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	snprintf(text, sizeof text, "store.path=%s", file);
	look(text, "store.path", "no folder");
	snprintf(text, sizeof text, "store.path=%s/below", file);
	look(text, "store.path", "no folder");
	look("store.path=", "store.path", "a folder is meant");
	snprintf(text, sizeof text, "store.path=%s/a/b/c", folder);
	look(text, "", NULL);
	snprintf(text, sizeof text, "rules.path=%s", file);
	look(text, "rules.path", "the folder that it lies in");
	snprintf(text, sizeof text, "destinations.path=%s", folder);
	look(text, "destinations.path", "is a folder");
	snprintf(text, sizeof text, "destinations.path=%s/none/d.yaml", folder);
	look(text, "destinations.path", "No such file");
	snprintf(text, sizeof text, "destinations.path=%s/d.yaml", folder);
	look(text, "", NULL);
	if (geteuid() != 0) {
		look("store.path=/proc/crumb", "store.path", "cannot be made");
	}
	unlink(file);
}

TEST(values_that_are_none_are_told_with_what_was_meant)
{
	static const char *const rows[][2] = {{"retention=30d", "'30'"},
	    {"retention=30 days", "'30'"}, {"collect.body_bytes=64k", "'65536'"},
	    {"collect.body_bytes=64 KiB", "'65536'"}, {"collect.body_bytes=1M", "'1048576'"},
	    {"privacy.k=1e3", "'1000'"}, {"privacy.k=20.0", "'20'"}, {"privacy.k=1_000", "'1000'"},
	    {"privacy.k=1,000", "'1000'"}, {"privacy.k=+30", "'30'"},
	    {"store.reserve_percent=5%", "'5'"}, {"collect.idle_s=5s", "'5'"},
	    {"consent.dnt=y", "'yes'"}, {"consent.dnt=disabled", "'no'"},
	    {"log.level=warning", "'warn'"}, {"cookie.samesite=none;", "'none'"},
	    {"consent.default=alow", "'allow'"}, {"sites=//shop.example", "'https://shop.example'"},
	    {"sites=http//shop.example", "'https://shop.example'"},
	    {"sites=https:shop.example", "'https://shop.example'"},
	    /* nothing like it */
	    {"privacy.k=", NULL}, {"privacy.k=-5", NULL}, {"privacy.k=many", NULL},
	    {"privacy.k=0x20", NULL}, {"store.map_gb=0.5", NULL}, {"retention=91", NULL},
	    {"retention=e", NULL}, {"log.level=loud", NULL}, {"sites=shop..example", NULL}};
	struct config c;
	assert_int_equal(config_init(&c), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum err e = config_set(&c, rows[i][0]);
		const char *hint = strstr(err_text(), "did you mean ");
		if (e != ERR_USAGE ||
		    (rows[i][1] ? !hint || !strstr(hint, rows[i][1]) : hint != NULL))
			fail_msg("%s: %s", rows[i][0], e ? err_text() : "taken");
	}
	config_done(&c);
}

TEST(names_that_are_none_are_told_with_what_was_meant)
{
	static const char *const rows[][2] = {{"smaesite=lax", "cookie.samesite"},
	    {"cookies.samesite=lax", "cookie.samesite"}, {"store.pth=x", "store.path"},
	    {"SITES=x", "sites"}, {"site=x", "sites"}, {"trusted_proxy=x", "trusted_proxies"},
	    {"retension=3", "retention"}, {"privacy.keepquery=q", "privacy.keep_query"},
	    {"token=x", "admin.token"}};
	struct config c;
	assert_int_equal(config_init(&c), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (config_set(&c, rows[i][0]) != ERR_USAGE ||
		    !strstr(err_text(), "did you mean '") || !strstr(err_text(), rows[i][1]))
			fail_msg("%s: %s", rows[i][0], err_text());
	assert_int_equal(config_set(&c, "xyzzyxyzzy=1"), ERR_USAGE);
	assert_null(strstr(err_text(), "did you mean"));
	config_done(&c);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return rmdir(folder);
}

UNIT_TESTS_BETWEEN(begin, end, cmocka_unit_test(networks),
    cmocka_unit_test(options_beside_each_other), cmocka_unit_test(folders),
    cmocka_unit_test(values_that_are_none_are_told_with_what_was_meant),
    cmocka_unit_test(names_that_are_none_are_told_with_what_was_meant))
