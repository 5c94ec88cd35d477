/* Where a page came from, beside where it asks. */
#include "unit.h"

#include "crumb/http/origin.h"

TEST(an_origin_is_at_its_host_with_and_without_the_port_of_its_scheme)
{
	static const struct {
		const char *host, *origin;
		bool at;
	} rows[] = {
	    {"shop.example", "https://shop.example", true},
	    {"Shop.example", "https://shop.EXAMPLE", true},
	    {"shop.example:443", "https://shop.example", true},
	    {"shop.example:80", "http://shop.example", true},
	    {"shop.example:80", "https://shop.example", false},
	    {"127.0.0.1:8081", "http://127.0.0.1:8081", true},
	    {"127.0.0.1:8081", "http://127.0.0.1:9000", false},
	    {"127.0.0.1:8081", "http://127.0.0.1", false},
	    {"[::1]:8081", "http://[::1]:8081", true},
	    {"shop.example", "https://evil.example", false},
	    {"shop.example", "https://shop.example.evil", false},
	    {"shop.example", "shop.example", false},
	    {"", "null", false},
	    {"null", "null", false},
	    {"", "https://", false},
	    {"", "", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(origin_at(str_c(rows[i].host), str_c(rows[i].origin)), rows[i].at);
}

UNIT_TESTS(cmocka_unit_test(an_origin_is_at_its_host_with_and_without_the_port_of_its_scheme))
