/* What is no visit of a person. */
#include "unit.h"

#include "crumb/privacy/junk.h"

#define ANDROID(device)                                                                            \
	"Mozilla/5.0 (Linux; Android 10; " device                                                  \
	") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"

TEST(devices_with_names_of_crawlers_are_none)
{
	static const char *const
	    people[] = {ANDROID("CUBOT_P20"), ANDROID("CUBOT J9"), ANDROID("CUBOT"),
		ANDROID("cubot note s Build/X"), ANDROID("FOSSiBOT F101"),
		ANDROID("XBot_Senior Build/O1"), ANDROID("M bot 51"), ANDROID("VR bot 552 Plus"),
		ANDROID("POWER BOT"), ANDROID("Spider 8"), ANDROID("Spider X"),
		ANDROID("Crawler Pro Build/QP1A.1"), ANDROID("de-de; my robot; wv"),
		"Mozilla/5.0 (ANDERSSON; MB185) AppleWebKit",
		"Mozilla/5.0 (Trident/7.0; Banca Caboto s.p.a.; rv:11)", ANDROID("Pixel 8"),
		"QwantMobile/2.0 (iPhone; CPU iPhone OS 11) AppleWebKit"},
	    *const crawlers[] = {
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		ANDROID("CUBOT_P20") " (compatible; Googlebot/2.1)",
		"Mozilla/5.0 (compatible; bingbot/2.0)", "Baiduspider+(x)", "CCBot/2.0",
		"SemrushBot-SI", "robot", "Screaming Frog SEO Spider/20", "Qwantify/1.0",
		"Qwant-news/2.0", "FreshRSS/1.2", "RSSOwl/2", "mycrawler", "spider", "xbot/1.0",
		"Power Bot/2.0", ANDROID("Nexus 5X Build/M") " (compatible; Bytespider; x)",
		ANDROID("Spider X; spider@x.example"),
		"Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 (compatible; PetalBot)",
		"Mybot/1.0 (Linux; Android 10; K)"};
	struct config c;
	struct junk_lists *l;
	struct hs_scratch *scratch = NULL;
	(void)state;
	assert_int_equal(config_init(&c), OK);
	assert_int_equal(junk_open(&c, &l), OK);
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		int n = junk_crawler(l, &scratch, str_c(people[i]));
		if (n >= 0)
			fail_msg(
			    "%s is taken for a crawler by %s", people[i], junk_crawler_name(l, n));
	}
	for (size_t i = 0; i < sizeof crawlers / sizeof *crawlers; i++)
		if (junk_crawler(l, &scratch, str_c(crawlers[i])) < 0)
			fail_msg("%s is not taken for a crawler", crawlers[i]);
	junk_scratch_free(scratch);
	junk_unref(l);
	config_done(&c);
}

UNIT_TESTS(cmocka_unit_test(devices_with_names_of_crawlers_are_none))
