/* What the gate makes of the signals of a hit. */
#include "unit.h"

#include "crumb/privacy/consent.h"
#include "crumb/privacy/iab.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* purposes 1, 3, 4, 9, 10; vendors 1, 3, …, 33 */
#define GRANTED "CQtAQoAQtAQoAAfACBENBkFgALDAAAAAAAYgAQqqoAACAAAAAAAA.IAQqqoAACAAA"
/* no disclosed vendors; 2, 10, 755; of 2026-02-27T23:59:59Z */
#define OLD_FORM "CQgVd_2QgVd_2AfACBENBkFgALDAAAAAAAYgF5wAwABAAKAXmAAAAAAA.YAAAAAAAAAAA"
/* the same, a second later */
#define UNDISCLOSED "CQgVeAAQgVeAAAfACBENBkFgALDAAAAAAAYgF5wAwABAAKAXmAAAAAAA.YAAAAAAAAAAA"
#define NO_PURPOSE_1 "CQtAQoAQtAQoAAfACBENBkFgADAAAAAAAAYgAQgAAAACAAAAAAAA.IAQgAAAACAAA"
#define NOTHING "CQtAQoAQtAQoAAfACBENBkFgAAAAAAAAAAYgAAAAAAAA.IAAA"
/* purpose 3 forbidden to 33 */
#define RESTRICTED "CQtAQoAQtAQoAAfACBENBkFgALAAAAAAAAYgAQgAAAACAAAAEMABABCA.IAQgAAAACAAA"

static struct config config;

struct signals {
	const char *what;
	struct hit h;
	enum consent_verdict verdict;
	const char *reason;  /* "": yes */
	const char *options; /* "key=value key=value" */
};

static void check(const struct signals *s, const struct place *where)
{
	char options[256];
	config_done(&config);
	assert_int_equal(config_init(&config), OK);
	assert_int_equal(config_set(&config, "consent.tcf.vendor=33"), OK);
	snprintf(options, sizeof options, "%s", s->options ? s->options : "");
	for (char *at = strtok(options, " "); at; at = strtok(NULL, " "))
		assert_int_equal(config_set(&config, at), OK);
	struct consent c = consent_judge(&config, &s->h, where);
	struct str reason = c.verdict == CONSENT_YES ? STR("") : metric_reason(c.why);
	if (c.verdict != s->verdict || !str_eq(reason, str_c(s->reason)))
		fail_msg(
		    "%s: verdict %d, reason '" STR_FMT "'", s->what, c.verdict, STR_ARG(reason));
}

#define HIT(...) ((struct hit){__VA_ARGS__})
#define TC(s) .gdpr = true, .gdpr_consent = STR(s)

TEST(the_strongest_signal_decides)
{
	const struct signals all[] = {
	    {"nothing came", HIT(.gpc = false), CONSENT_YES, "", NULL},
	    {"nothing came, but it must", HIT(.gpc = false), CONSENT_NO, "consent_missing",
		"consent.default=require"},
	    {"GPC", HIT(.gpc = true, TC(GRANTED)), CONSENT_NO_ERASE, "gpc", NULL},
	    {"opt-out cookie", HIT(.optout_cookie = true, TC(GRANTED)), CONSENT_NO_EXPIRE, "optout",
		NULL},
	    {"a refusal is stronger than the opt-out cookie",
		HIT(.optout_cookie = true, TC(NOTHING)), CONSENT_NO_ERASE, "tcf", NULL},
	    {"DNT is an option", HIT(.dnt = true), CONSENT_YES, "", NULL},
	    {"DNT", HIT(.dnt = true), CONSENT_NO_EXPIRE, "dnt", "consent.dnt=yes"},
	    {"anon", HIT(.anon = true, TC(GRANTED)), CONSENT_NO, "anon", NULL},
	    {"granted", HIT(TC(GRANTED)), CONSENT_YES, "", "consent.default=require"},
	    {"granted, where strings are said not to apply",
		HIT(.gdpr_no = true, .gdpr_consent = STR(NOTHING)), CONSENT_YES, "", NULL},
	    {"that does not make a yes", HIT(.gdpr_no = true, .gdpr_consent = STR(GRANTED)),
		CONSENT_NO, "consent_missing", "consent.default=require"},
	    {"the older form", HIT(TC(OLD_FORM)), CONSENT_YES, "", "consent.tcf.vendor=10"},
	    {"the older form, another vendor", HIT(TC(OLD_FORM)), CONSENT_NO_ERASE, "tcf",
		"consent.tcf.vendor=11"},
	    {"the older form, made when it may be no more", HIT(TC(UNDISCLOSED)), CONSENT_NO,
		"tcf_vendor", "consent.tcf.vendor=10"},
	    {"purpose 1 is missing", HIT(TC(NO_PURPOSE_1)), CONSENT_NO_ERASE, "tcf", NULL},
	    {"purpose 1 cannot be configured away", HIT(TC(NO_PURPOSE_1)), CONSENT_NO_ERASE, "tcf",
		"consent.tcf.purposes=3,4"},
	    {"nor by an empty list", HIT(TC(NO_PURPOSE_1)), CONSENT_NO_ERASE, "tcf",
		"consent.tcf.purposes="},
	    {"a list that cannot be read asks for everything", HIT(TC(GRANTED)), CONSENT_NO_ERASE,
		"tcf", "consent.tcf.purposes=1,none"},
	    {"one more purpose", HIT(TC(GRANTED)), CONSENT_NO_ERASE, "tcf",
		"consent.tcf.purposes=1,3,4,7"},
	    {"the publisher forbids", HIT(TC(RESTRICTED)), CONSENT_NO, "tcf_vendor", NULL},
	    {"we were not disclosed", HIT(TC(GRANTED)), CONSENT_NO, "tcf_vendor",
		"consent.tcf.vendor=34"},
	    {"we have no number", HIT(TC(GRANTED)), CONSENT_NO, "tcf_vendor",
		"consent.tcf.vendor=0"},
	    {"gdpr without a string", HIT(.gdpr = true), CONSENT_NO, "consent_missing", NULL},
	    {"gdpr with junk", HIT(TC("CPXXX")), CONSENT_NO, "consent_unreadable", NULL},
	    {"a string without gdpr", HIT(.gdpr_consent = STR(NOTHING)), CONSENT_NO_ERASE, "tcf",
		NULL},
	    {"us_privacy, sale opted out", HIT(.us_privacy = STR("1YYN")), CONSENT_NO_ERASE,
		"us_privacy", NULL},
	    {"us_privacy, in small letters", HIT(.us_privacy = STR("1yyn")), CONSENT_NO_ERASE,
		"us_privacy", NULL},
	    {"us_privacy, not opted out", HIT(.us_privacy = STR("1YNN")), CONSENT_YES, "",
		"consent.default=require"},
	    {"us_privacy that does not apply says nothing", HIT(.us_privacy = STR("1---")),
		CONSENT_NO, "consent_missing", "consent.default=require"},
	    {"us_privacy, junk", HIT(.us_privacy = STR("1Y")), CONSENT_NO, "consent_unreadable",
		NULL},
	    {"us_privacy does not grant what TCF asks",
		HIT(.us_privacy = STR("1YNN"), .gdpr = true), CONSENT_NO, "consent_missing", NULL},
	    {"GPP, opted out", HIT(.gpp = STR("DBABLA~CVQZAAAAAACA.YA"), .gpp_sid = STR("7")),
		CONSENT_NO_ERASE, "gpp", NULL},
	    {"GPP, its GPC part alone", HIT(.gpp = STR("DBABLA~BVQqAAAAAgA.YA")), CONSENT_NO_ERASE,
		"gpp", NULL},
	    {"GPP without sid: all sections", HIT(.gpp = STR("DBABTA~1YYN")), CONSENT_NO_ERASE,
		"us_privacy", NULL},
	    {"GPP, the section does not apply",
		HIT(.gpp = STR("DBABTA~1YYN"), .gpp_sid = STR("-1")), CONSENT_YES, "", NULL},
	    {"GPP, the section is missing", HIT(.gpp = STR("DBABTA~1YNN"), .gpp_sid = STR("7")),
		CONSENT_NO, "consent_missing", NULL},
	    {"GPP, sid alone", HIT(.gpp_sid = STR("2")), CONSENT_NO, "consent_missing", NULL},
	    {"GPP, sids by underscores", HIT(.gpp = STR("DBABTA~1YYN"), .gpp_sid = STR("-1_6")),
		CONSENT_NO_ERASE, "us_privacy", NULL},
	    {"GPP, sids as an array is printed",
		HIT(.gpp = STR("DBABTA~1YYN"), .gpp_sid = STR("[ 0, \"6\" ]")), CONSENT_NO_ERASE,
		"us_privacy", NULL},
	    {"GPP, sids that need a TC string", HIT(.gpp_sid = STR("[6_2]")), CONSENT_NO,
		"consent_missing", NULL},
	    {"GPP, empty sids", HIT(.gpp = STR("DBABTA~1YYN"), .gpp_sid = STR("[]")), CONSENT_YES,
		"", NULL},
	    {"GPP, sid is junk", HIT(.gpp = STR("DBABTA~1YNN"), .gpp_sid = STR("6,x")), CONSENT_NO,
		"consent_unreadable", NULL},
	    {"GPP with a TC string", HIT(.gpp = STR("DBABMA~" GRANTED), .gpp_sid = STR("2")),
		CONSENT_YES, "", "consent.default=require"},
	    {"GPP with a TC string that refuses",
		HIT(.gpp = STR("DBABMA~" NOTHING), .gpp_sid = STR("2"), TC(GRANTED)),
		CONSENT_NO_ERASE, "tcf", NULL},
	    {"GPP, unreadable", HIT(.gpp = STR("DBABLA")), CONSENT_NO, "consent_unreadable", NULL},
	    {"GPP, Maryland as the library writes it",
		HIT(.gpp = STR("DBABEYA~BQBg.QA"), .gpp_sid = STR("24")), CONSENT_NO_ERASE, "gpp",
		NULL},
	    {"GPP, Rhode Island with a header", HIT(.gpp = STR("DBABSYA~bBABY.BZWg.VVU")),
		CONSENT_YES, "", "consent.default=require"},
	    {"GPP, a state that is not there yet",
		HIT(.gpp = STR("DBABMYA~BAAA"), .gpp_sid = STR("28")), CONSENT_NO,
		"consent_missing", NULL},
	    {"a category is refused", HIT(.categories = CATEGORIES_REFUSED, TC(GRANTED)),
		CONSENT_NO_ERASE, "category", NULL},
	    {"a category is not told of", HIT(.categories = CATEGORIES_MISSING), CONSENT_NO,
		"consent_missing", NULL},
	    {"categories that cannot be read", HIT(.categories = CATEGORIES_UNREADABLE), CONSENT_NO,
		"consent_unreadable", NULL},
	    {"all categories are granted", HIT(.categories = CATEGORIES_YES), CONSENT_YES, "",
		"consent.default=require"},
	    {"they do not grant what TCF asks", HIT(.categories = CATEGORIES_YES, .gdpr = true),
		CONSENT_NO, "consent_missing", NULL},
	    {"gdpr both ways: it applies",
		HIT(.gdpr = true, .gdpr_no = true, .gdpr_consent = STR(NOTHING)), CONSENT_NO_ERASE,
		"tcf", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		check(&all[i], NULL);
	struct consent c = consent_judge(&config, &HIT(TC(GRANTED)), NULL);
	assert_int_equal(c.purposes, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 8 | 1 << 9);
}

TEST(what_is_not_plainly_a_no_is_a_yes)
{
	static const struct {
		const char *text;
		enum said said;
	} all[] = {{"", SAID_NOTHING}, {" ", SAID_NOTHING}, {"null", SAID_NOTHING},
	    {"undefined", SAID_NOTHING}, {"0", SAID_NO}, {" 0 ", SAID_NO}, {"false", SAID_NO},
	    {"False", SAID_NO}, {"FALSE", SAID_NO}, {"no", SAID_NO}, {"off", SAID_NO},
	    {"1", SAID_YES}, {"true", SAID_YES}, {"TRUE", SAID_YES}, {"yes", SAID_YES},
	    {"on", SAID_YES}, {"2", SAID_YES}, {"-1", SAID_YES}, {"00", SAID_YES}, {"01", SAID_YES},
	    {"{{GDPR}}", SAID_YES}, {"${GDPR}", SAID_YES}, {"unknown", SAID_YES},
	    {"0,1", SAID_YES}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct hit h = {.gpc = false};
		if (consent_said(str_c(all[i].text)) != all[i].said)
			fail_msg("'%s' says %d", all[i].text, consent_said(str_c(all[i].text)));
		consent_take_flag(&h.gdpr, &h.gdpr_no, str_c(all[i].text));
		consent_take_flag(&h.anon, &h.anon_no, str_c(all[i].text));
		assert_true(h.gdpr == (all[i].said == SAID_YES) &&
			    h.gdpr_no == (all[i].said == SAID_NO) && h.anon == h.gdpr);
		consent_take_flag(&h.gdpr, &h.gdpr_no, STR("1"));
		consent_take_flag(&h.gdpr, &h.gdpr_no, STR("0"));
		assert_true(h.gdpr); /* a yes stays */
	}
}

TEST(of_two_strings_that_differ_nothing_can_be_read)
{
	static const char *const all[][3] = {{"1YYN", "1YYN", "1YYN"}, {"1YYN", "", "1YYN"},
	    {"1YYN", " 1YYN\t", "1YYN"}, {" ", "1YYN", "1YYN"}, {"", "1YYN", "1YYN"},
	    {"1YYN", "1YNN", "?"}, {"1YNN", "1YYN", "?"}, {"", "", ""}};
	struct tcf t;
	struct gpp g;
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct str s = STR("");
		consent_take_string(&s, str_c(all[i][0]));
		consent_take_string(&s, str_c(all[i][1]));
		assert_true(str_eq(s, str_c(all[i][2])));
		consent_take_string(&s, str_c(all[i][2])); /* and it stays so */
		assert_true(str_eq(s, str_c(all[i][2])));
		consent_take_string(&s, STR("1N--"));
		assert_true(str_eq(s, *all[i][2] ? STR("?") : STR("1N--")));
	}
	assert_true(us_privacy_read(STR("?")) == US_UNREADABLE && !tcf_read(STR("?"), 33, &t) &&
		    !gpp_read(STR("?"), &g));
	const struct signals sid = {"gpp_sid", HIT(.gpp = STR("DBABTA~1YNN"), .gpp_sid = STR("?")),
	    CONSENT_NO, "consent_unreadable", NULL};
	check(&sid, NULL);
}

TEST(some_places_require_a_string)
{
	const struct place de = {{'D', 'E'}, "BE"}, ca = {{'U', 'S'}, "CA"},
			   ny = {{'U', 'S'}, "NY"}, unknown = {{0}, {0}};
	const struct signals none = {"no", HIT(.gpc = false), CONSENT_NO, "consent_missing",
				 "consent.require=EEA,US-CA"},
			     fine = {"yes", HIT(.gpc = false), CONSENT_YES, "",
				 "consent.require=EEA,US-CA"},
			     us = {"no TC string", HIT(.us_privacy = STR("1YNN")), CONSENT_NO,
				 "consent_missing", "consent.require=DE"},
			     tc = {"TC", HIT(.gdpr_consent = STR(GRANTED)), CONSENT_YES, "",
				 "consent.require=EEA"},
			     denied = {"gdpr=0 does not help there", HIT(.gdpr_no = true),
				 CONSENT_NO, "consent_missing", "consent.require=EEA"};
	(void)state;
	check(&none, &de), check(&none, &ca), check(&fine, &ny), check(&none, &unknown),
	    check(&us, &de), check(&tc, &de), check(&denied, &de);
}

TEST(a_place_that_could_be_one_of_them_counts_as_one)
{
	const struct place unknown = {{0}, {0}}, us = {{'U', 'S'}, {0}}, fr = {{'F', 'R'}, {0}};
	const struct signals anywhere = {"unknown", HIT(.gpc = false), CONSENT_NO,
				 "consent_missing", "consent.require=DE"},
			     part = {"a country without its part", HIT(.gpc = false), CONSENT_NO,
				 "consent_missing", "consent.require=DE,us-CA"},
			     other = {"another country", HIT(.gpc = false), CONSENT_YES, "",
				 "consent.require=DE,US-CA"},
			     nowhere = {"none required", HIT(.gpc = false), CONSENT_YES, "", NULL},
			     granted = {"unknown with a string", HIT(.gdpr_consent = STR(GRANTED)),
				 CONSENT_YES, "", "consent.require=DE"};
	(void)state;
	check(&anywhere, &unknown), check(&part, &us), check(&other, &fr),
	    check(&nowhere, &unknown), check(&granted, &unknown);
}

TEST(options_that_cannot_work_are_refused_with_a_hint)
{
	static const struct {
		const char *option, *said; /* NULL: fine */
	} all[] = {{"consent.require=EEA", NULL}, {"consent.require=de, us-CA,eea", NULL},
	    {"consent.require=US-Texas", NULL}, {"consent.require=GERMANY", "did you mean DE?"},
	    {"consent.require=DEU", "did you mean DE?"},
	    {"consent.require=EEA,UK", "did you mean GB?"},
	    {"consent.require=EU", "did you mean EEA?"},
	    {"consent.require=germ", "did you mean DE?"},
	    {"consent.require=USA-CA", "did you mean US?"},
	    {"consent.require=XX", "'XX' is no country"}, {"consent.require=DE;FR", "'DE;FR'"},
	    {"consent.require=DE FR", "'DE FR'"}, {"consent.require=US-", "'US-'"},
	    {"consent.require=*", "'*'"}, {"consent.require=ZZ-CA", "'ZZ-CA'"},
	    {"consent.tcf.purposes=1,3", NULL}, {"consent.tcf.purposes=1,x", "'x' is no purpose"},
	    {"consent.tcf.purposes=0", "'0' is no purpose"}, {"consent.tcf.purposes=25", "'25'"}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct config c;
		assert_int_equal(config_init(&c), OK);
		assert_int_equal(config_set(&c, all[i].option), OK);
		enum err e = consent_check(&c);
		if (!all[i].said != !e || (e && !strstr(err_text(), all[i].said)))
			fail_msg("%s: %s", all[i].option, e ? err_text() : "is taken");
		config_done(&c);
	}
}

TEST(categories_are_a_list_or_a_map)
{
	char path[] = "/tmp/crumb-unit-XXXXXX";
	static const char *const all[] = {
	    "segment:\n  consent: {advertising: C0004, storage: C0002}\n",
	    "advertising: C0004,storage: C0002", "segment: {consent: [Advertising, C0002]}\n",
	    "Advertising,C0002", "segment.consent: Advertising\n", "Advertising"};
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof all / sizeof *all; i += 2) {
		struct config c;
		assert_true(ftruncate(fd, 0) == 0 && pwrite(fd, all[i], strlen(all[i]), 0) > 0);
		assert_int_equal(config_init(&c), OK);
		assert_int_equal(config_file(&c, path, NULL, NULL), OK);
		assert_string_equal(c.segment_consent, all[i + 1]);
		config_done(&c);
	}
	close(fd);
	unlink(path);
}

TEST(a_foreign_page_cannot_erase_by_a_string)
{
	const struct signals all[] = {
	    {"cross-site, no sites listed",
		HIT(.us_privacy = STR("1YYN"), .fetch_site = STR("cross-site"),
		    .referer_header = STR("https://evil.example/")),
		CONSENT_NO, "us_privacy", NULL},
	    {"cross-site, listed",
		HIT(TC(NOTHING), .fetch_site = STR("cross-site"),
		    .referer_header = STR("https://shop.example/x")),
		CONSENT_NO_ERASE, "tcf", "sites=shop.example"},
	    {"cross-site, listed by Origin",
		HIT(TC(NOTHING), .fetch_site = STR("cross-site"),
		    .origin = STR("https://shop.example")),
		CONSENT_NO_ERASE, "tcf", "sites=https://shop.example"},
	    {"cross-site, not listed",
		HIT(TC(NOTHING), .fetch_site = STR("cross-site"),
		    .referer_header = STR("https://evil.example/")),
		CONSENT_NO, "tcf", "sites=shop.example"},
	    {"cross-site, no page named", HIT(TC(NOTHING), .fetch_site = STR("cross-site")),
		CONSENT_NO, "tcf", "sites=shop.example"},
	    {"an old browser, not listed",
		HIT(TC(NOTHING), .referer_header = STR("https://evil.example/")), CONSENT_NO, "tcf",
		"sites=shop.example"},
	    {"same site", HIT(TC(NOTHING), .fetch_site = STR("same-site")), CONSENT_NO_ERASE, "tcf",
		NULL},
	    {"GPC comes from the browser", HIT(.gpc = true, .fetch_site = STR("cross-site")),
		CONSENT_NO_ERASE, "gpc", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		check(&all[i], NULL);
}

UNIT_TESTS(cmocka_unit_test(the_strongest_signal_decides),
    cmocka_unit_test(what_is_not_plainly_a_no_is_a_yes),
    cmocka_unit_test(of_two_strings_that_differ_nothing_can_be_read),
    cmocka_unit_test(some_places_require_a_string),
    cmocka_unit_test(a_place_that_could_be_one_of_them_counts_as_one),
    cmocka_unit_test(options_that_cannot_work_are_refused_with_a_hint),
    cmocka_unit_test(categories_are_a_list_or_a_map),
    cmocka_unit_test(a_foreign_page_cannot_erase_by_a_string))
