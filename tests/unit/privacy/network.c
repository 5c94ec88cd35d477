/* Lists of networks. */
#include "unit.h"

#include "crumb/privacy/junk.h"

TEST(networks_are_listed_and_found)
{
	struct cidr_list l;
	assert_int_equal(
	    cidr_list_parse("10.0.0.0/8, 192.168.1.0/25, 2001:db8::/33, 127.0.0.1", &l), OK);
	assert_true(cidr_list_has_text(&l, STR("10.255.1.2")));
	assert_true(cidr_list_has_text(&l, STR("192.168.1.127")));
	assert_false(cidr_list_has_text(&l, STR("192.168.1.128")));
	assert_true(cidr_list_has_text(&l, STR("2001:db8:7fff::1")));
	assert_false(cidr_list_has_text(&l, STR("2001:db8:8000::1")));
	assert_true(cidr_list_has_text(&l, STR("127.0.0.1")));
	assert_false(cidr_list_has_text(&l, STR("127.0.0.2")));
	assert_int_equal(cidr_list_parse("10.0.0.0/33", &l), ERR_USAGE);
	assert_int_equal(cidr_list_parse("x", &l), ERR_USAGE);
	assert_int_equal(cidr_list_parse("10.0.0.1:80/8", &l),
	    ERR_USAGE); /* and not ::/8, in which all of IPv4 lies */
	assert_int_equal(cidr_list_parse("[2001:db8::]/32,[::1]", &l), OK);
	assert_true(cidr_list_has_text(&l, STR("2001:db8::7")) &&
		    cidr_list_has_text(&l, STR("::1")) &&
		    !cidr_list_has_text(&l, STR("203.0.113.1")));
}

UNIT_TESTS(cmocka_unit_test(networks_are_listed_and_found))
