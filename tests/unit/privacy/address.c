/* Addresses: how they are read, cut, listed. */
#include "unit.h"

#include "crumb/privacy/anonymise.h"
#include "crumb/privacy/junk.h"

#include <arpa/inet.h>

TEST(addresses_are_cut)
{
	struct network n;
	struct sockaddr_in in = {.sin_family = AF_INET};
	inet_pton(AF_INET, "192.0.2.77", &in.sin_addr);
	n = network_of((struct sockaddr *)&in);
	assert_int_equal(n.family, 4);
	assert_memory_equal(
	    n.b, "\xc0\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
	assert_true(network_parse(STR("[2001:db8:1:2:3::4]:443"), &n));
	assert_int_equal(n.family, 6);
	assert_memory_equal(
	    n.b, "\x20\x01\x0d\xb8\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
	assert_true(network_parse(STR("::ffff:192.0.2.77"), &n));
	assert_int_equal(n.family, 4);
	assert_true(network_parse(STR("192.0.2.77:80"), &n));
	static const char *const mapped[] = {"::ffff:192.0.2.77", "0:0:0:0:0:ffff:192.0.2.77",
	    "::ffff:c000:24d", "[::ffff:192.0.2.77]:80",
	    "0000:0000:0000:0000:0000:FFFF:192.0.2.77"};
	for (size_t i = 0; i < sizeof mapped / sizeof *mapped; i++)
		assert_true(network_parse(str_c(mapped[i]), &n) && n.family == 4 && n.b[0] == 192 &&
			    n.b[2] == 2);
	assert_true(network_parse(STR("2002:c000:24d:1:2::3"), &n) && n.family == 4 &&
		    n.b[0] == 192 && n.b[2] == 2 && n.b[3] == 0); /* 6to4 */
	assert_true(
	    network_parse(STR("64:ff9b::192.0.2.77"), &n) && n.family == 6 && n.b[1] == 0x64);
	assert_false(network_parse(STR("not an address"), &n));
	assert_false(network_parse(STR(""), &n));
}

TEST(an_address_is_read_with_what_may_stand_around_it)
{
	static const char *const fine[] = {"192.0.2.77", " 192.0.2.77 ", "192.0.2.77:443",
	    "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "fe80::1%eth0",
	    "[fe80::1%25eth0]:443", "::ffff:192.0.2.77", "64:ff9b::192.0.2.77", "0.0.0.0"};
	static const char *const none[] = {"", "-", "unknown", "_hidden", "192.0.2", "192.0.2.256",
	    "192.0.2.077.1", "192.0.2.77:", "192.0.2.77:x", "192.0.2.77:65536", "192.0.2.77/8",
	    "[2001:db8::1", "[]", "[", "[2001:db8::1]443", "[2001:db8::1]:", "2001:db8::1::2",
	    "%eth0", "0x7f.0.0.1", "192.0.2.77 x"};
	uint8_t b[16];
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (!address_read(str_c(fine[i]), b))
			fail_msg("%s is none", fine[i]);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (address_read(str_c(none[i]), b))
			fail_msg("'%s' is one", none[i]);
	assert_false(address_read(str_make("192.0.2.77\0x", 12), b));
}

UNIT_TESTS(cmocka_unit_test(addresses_are_cut),
    cmocka_unit_test(an_address_is_read_with_what_may_stand_around_it))
