/* Who asked, when proxies of ours stand between. */
#include "unit.h"

#include "crumb/privacy/junk.h"

TEST(whoever_wrote_what_is_left_of_him_was_none_of_ours)
{
	static const char *const rows[][3] = {
	    /* list, of X-Forwarded-For, where it stands for the address */
	    {"", "", ""}, {" , ,", "", ""}, {"203.0.113.1", "203.0.113.1", "203.0.113.1"},
	    {"6.6.6.6, 203.0.113.1, 192.0.2.9", "203.0.113.1", "203.0.113.1"},
	    {"203.0.113.1,, 192.0.2.9:80 ,", "203.0.113.1", "203.0.113.1"},
	    {"203.0.113.1, 10.0.0.1, 192.0.2.9", "10.0.0.1", "203.0.113.1"},
	    {"192.0.2.8,192.0.2.9", "192.0.2.8", "192.0.2.8"},
	    {"203.0.113.1, unknown, 192.0.2.9", "unknown", "unknown"},
	    {"unknown, 192.0.2.9", "unknown", "unknown"},
	    /* Forwarded */
	    {"for=203.0.113.1", "203.0.113.1", "203.0.113.1"},
	    {"For=\"203.0.113.1:4711\"; proto=https;by=192.0.2.9", "203.0.113.1:4711",
		"203.0.113.1:4711"},
	    {"for=6.6.6.6, for=203.0.113.1;host=shop.example, for=192.0.2.9", "203.0.113.1",
		"203.0.113.1"},
	    {"proto=http;FOR=\"[2001:db8:cafe::17]:4711\"", "[2001:db8:cafe::17]:4711",
		"[2001:db8:cafe::17]:4711"},
	    {"for=192.0.2.8, for=192.0.2.9", "192.0.2.8", "192.0.2.8"},
	    {"for=203.0.113.1, for=10.0.0.1", "10.0.0.1", "203.0.113.1"},
	    {"for=203.0.113.1, for=unknown, for=192.0.2.9", "unknown", "unknown"},
	    {"for=203.0.113.1, for=_hidden", "_hidden", "_hidden"},
	    {"for=203.0.113.1, proto=https", "", ""},
	    {"for=203.0.113.1,, ,for=192.0.2.9 ,", "203.0.113.1", "203.0.113.1"},
	    {"for=203.0.113.1;ext=\"a, for=6.6.6.6; \\\" for=6.6.6.6\"", "203.0.113.1",
		"203.0.113.1"},
	    {"fort=203.0.113.1", "", ""},
	    {"for=203.0.113.1;ext=\"a, b\", for=192.0.2.9;by=\"c, d\"", "203.0.113.1",
		"203.0.113.1"},
	    /* whoever asks wrote what is left, and would be somebody else, or nobody */
	    {"for=6.6.6.6;ext=\"open, for=203.0.113.1", "203.0.113.1", "203.0.113.1"},
	    {"for=6.6.6.6;ext=\"\\, for=203.0.113.1, for=\"192.0.2.9:80\"", "203.0.113.1",
		"203.0.113.1"},
	    {"\", for=\"[2001:db8::1]:80\", for=\"192.0.2.9\"", "[2001:db8::1]:80",
		"[2001:db8::1]:80"},
	    {"for=6.6.6.6, 203.0.113.1", "203.0.113.1", "203.0.113.1"},
	    {"=, 203.0.113.1, 192.0.2.9", "203.0.113.1", "203.0.113.1"},
	    {"for=6.6.6.6;ext=\"open, 203.0.113.1", "203.0.113.1", "203.0.113.1"}};
	struct cidr_list ours, inside;
	assert_int_equal(cidr_list_parse("192.0.2.0/24", &ours), OK);
	assert_int_equal(cidr_list_parse("10.0.0.0/8", &inside), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str one = cidr_list_client(&ours, NULL, str_c(rows[i][0])),
			   two = cidr_list_client(&ours, &inside, str_c(rows[i][0]));
		if (!str_eq(one, str_c(rows[i][1])) || !str_eq(two, str_c(rows[i][2])))
			fail_msg("'%s': '" STR_FMT "', '" STR_FMT "'", rows[i][0], STR_ARG(one),
			    STR_ARG(two));
	}
}

UNIT_TESTS(cmocka_unit_test(whoever_wrote_what_is_left_of_him_was_none_of_ours))
