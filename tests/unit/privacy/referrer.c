/* Of a referrer its kind stays. */
#include "unit.h"

#include "crumb/privacy/referrer.h"

static enum referrer class_of(const struct config *c, const char *referrer, const char *host)
{
	struct str outside;
	enum referrer class = referrer_class(c, str_c(referrer), str_c(host), &outside);
	return outside.n ? referrer_of_host(outside) : class;
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
	    {"android-app://com.google.android.googlequicksearchbox/", "shop.example",
		REFERRER_SEARCH},
	    {"android-app://com.google.android.googlequicksearchbox/https/www.google.com",
		"shop.example", REFERRER_SEARCH},
	    {"android-app://com.google.android.gm/", "shop.example", REFERRER_OTHER},
	    {"android-app://com.linkedin.android/", "shop.example", REFERRER_SOCIAL},
	    {"android-app://com.facebook.katana", "shop.example", REFERRER_SOCIAL},
	    {"android-app://", "shop.example", REFERRER_OTHER},
	};
	struct config c;
	assert_int_equal(config_init(&c), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (class_of(&c, rows[i].referrer, rows[i].host) != rows[i].want)
			fail_msg("%s on %s is not %s", rows[i].referrer, rows[i].host,
			    referrer_names[rows[i].want]);
	assert_int_equal(config_set(&c, "sites=shop.example,partner.example"), OK);
	assert_int_equal(
	    class_of(&c, "https://partner.example/", "shop.example"), REFERRER_INTERNAL);
	config_done(&c);
}

UNIT_TESTS(cmocka_unit_test(of_a_referrer_its_kind_stays))
