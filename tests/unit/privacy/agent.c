/* Of an agent its family stays. */
#include "unit.h"

#include "crumb/privacy/agent.h"

TEST(agents_are_families)
{
	static const struct {
		const char *ua;
		enum device device;
		enum os os;
		enum browser browser;
	} rows[] = {
	    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	     "Chrome/130.0.0.0 Safari/537.36",
		DEVICE_DESKTOP, OS_WINDOWS, BROWSER_CHROME},
	    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	     "Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
		DEVICE_DESKTOP, OS_WINDOWS, BROWSER_EDGE},
	    {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	     "like Gecko) Version/17.5 Mobile/15E148 "
	     "Safari/604.1",
		DEVICE_MOBILE, OS_IOS, BROWSER_SAFARI},
	    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0",
		DEVICE_DESKTOP, OS_MACOS, BROWSER_FIREFOX},
	    {"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
	     "Chrome/130.0.0.0 Mobile Safari/537.36",
		DEVICE_MOBILE, OS_ANDROID, BROWSER_CHROME},
	    {"Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko) "
	     "SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36",
		DEVICE_TABLET, OS_ANDROID, BROWSER_SAMSUNG},
	    {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
	     "Chrome/130.0.0.0 Safari/537.36",
		DEVICE_DESKTOP, OS_CHROMEOS, BROWSER_CHROME},
	    {"Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) "
	     "94.0.4606.31/7.0 TV Safari/537.36",
		DEVICE_TV, OS_OTHER, BROWSER_SAFARI},
	    {"curl/8.0", DEVICE_UNKNOWN, OS_OTHER, BROWSER_OTHER},
	    {"", DEVICE_UNKNOWN, OS_UNKNOWN, BROWSER_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct agent a = agent_parse(str_c(rows[i].ua));
		assert_int_equal(a.device, rows[i].device);
		assert_int_equal(a.os, rows[i].os);
		assert_int_equal(a.browser, rows[i].browser);
	}
}

UNIT_TESTS(cmocka_unit_test(agents_are_families))
