/* What a user agent is of, by words that occur in it.
 *
 * Three tables, and in each the first row whose word occurs decides. The order matters: most agents
 * carry the words of those they imitate. Edge says "Chrome/120.0 Safari/537.36 Edg/120.0", so "Edg"
 * stands before "Chrome", and "Chrome" before "Safari". */
#include "crumb/privacy/agent.h"

struct row {
	struct str word;
	uint8_t value;
};
#define ROW(text, value)                                                                           \
	{                                                                                          \
		{text, sizeof(text) - 1}, value                                                    \
	}

static const struct row os_rows[] = {
    ROW("Windows", OS_WINDOWS),
    ROW("Android", OS_ANDROID),
    ROW("iPhone", OS_IOS),
    ROW("iPad", OS_IOS),
    ROW("iPod", OS_IOS),
    ROW("CrOS", OS_CHROMEOS),
    ROW("Mac OS X", OS_MACOS),
    ROW("Macintosh", OS_MACOS),
    ROW("Tizen", OS_OTHER),
    ROW("Web0S", OS_OTHER),
    ROW("PlayStation", OS_OTHER),
    ROW("Nintendo", OS_OTHER),
    ROW("Linux", OS_LINUX),
    ROW("X11", OS_LINUX),
};
static const struct row browser_rows[] = {
    ROW("Edg", BROWSER_EDGE),
    ROW("OPR/", BROWSER_OPERA),
    ROW("Opera", BROWSER_OPERA),
    ROW("SamsungBrowser", BROWSER_SAMSUNG),
    ROW("Firefox", BROWSER_FIREFOX),
    ROW("FxiOS", BROWSER_FIREFOX),
    ROW("CriOS", BROWSER_CHROME),
    ROW("Chrome", BROWSER_CHROME),
    ROW("Chromium", BROWSER_CHROME),
    ROW("Trident", BROWSER_IE),
    ROW("MSIE", BROWSER_IE),
    ROW("Safari", BROWSER_SAFARI),
};
static const struct row device_rows[] = {
    ROW("SMART-TV", DEVICE_TV),
    ROW("SmartTV", DEVICE_TV),
    ROW("Tizen", DEVICE_TV),
    ROW("Web0S", DEVICE_TV),
    ROW("AppleTV", DEVICE_TV),
    ROW("BRAVIA", DEVICE_TV),
    ROW("Roku", DEVICE_TV),
    ROW("CrKey", DEVICE_TV),
    ROW("PlayStation", DEVICE_CONSOLE),
    ROW("Xbox", DEVICE_CONSOLE),
    ROW("Nintendo", DEVICE_CONSOLE),
    ROW("iPad", DEVICE_TABLET),
    ROW("Tablet", DEVICE_TABLET),
    ROW("iPhone", DEVICE_MOBILE),
    ROW("iPod", DEVICE_MOBILE),
    ROW("Mobile", DEVICE_MOBILE),
};

static uint8_t first_row(const struct row *rows, size_t n, struct str ua)
{
	for (size_t i = 0; i < n; i++)
		if (str_has(ua, rows[i].word))
			return rows[i].value;
	return 0;
}

struct agent agent_parse(struct str ua)
{
	struct agent a = {DEVICE_UNKNOWN, OS_UNKNOWN, BROWSER_UNKNOWN};
	if (ua.n == 0)
		return a;
	a.os = first_row(os_rows, sizeof os_rows / sizeof *os_rows, ua);
	a.browser = first_row(browser_rows, sizeof browser_rows / sizeof *browser_rows, ua);
	a.device = first_row(device_rows, sizeof device_rows / sizeof *device_rows, ua);
	if (a.device == DEVICE_UNKNOWN && a.os == OS_ANDROID)
		a.device = DEVICE_TABLET; /* telephones with Android say "Mobile", too */
	if (a.device == DEVICE_UNKNOWN &&
	    (a.os == OS_WINDOWS || a.os == OS_MACOS || a.os == OS_LINUX || a.os == OS_CHROMEOS))
		a.device = DEVICE_DESKTOP;
	if (a.browser == BROWSER_UNKNOWN)
		a.browser = BROWSER_OTHER;
	if (a.os == OS_UNKNOWN)
		a.os = OS_OTHER;
	return a;
}
