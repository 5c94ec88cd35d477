/* Fields and facts whose values are known: devices, systems, browsers, kinds of referrer, countries. */
#include "crumb/rules/names.h"

#include <stdio.h>

const char *const field_names[FIELD_MAX] = {
    "path", "host", "site", "event", "campaign", "referrer", "country", "region", "device", "os", "browser", "attr.", "title", "url", "p."};
const char *const fact_names[FACT_MAX] = {"country", "region", "device", "os", "browser"};

/* ISO 3166-1 alpha-2, and XK, which place files use for Kosovo (iso.org/iso-3166-country-codes.html). */
static const char COUNTRIES[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN "
    "CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM "
    "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
    "VN VU WF WS XK YE YT ZA ZM ZW ";

/* What people write instead. */
static const struct {
	enum rule_field field;
	const char *written, *meant;
} slips[] = {{FIELD_COUNTRY, "UK", "GB"}, {FIELD_COUNTRY, "EN", "GB"}, {FIELD_COUNTRY, "USA", "US"}, {FIELD_COUNTRY, "GER", "DE"},
    {FIELD_COUNTRY, "DEU", "DE"}, {FIELD_COUNTRY, "GBR", "GB"}, {FIELD_COUNTRY, "FRA", "FR"}, {FIELD_COUNTRY, "CAN", "CA"},
    {FIELD_COUNTRY, "NOR", "NO"}, {FIELD_COUNTRY, "ESP", "ES"}, {FIELD_COUNTRY, "ITA", "IT"}, {FIELD_COUNTRY, "Germany", "DE"},
    {FIELD_COUNTRY, "France", "FR"}, {FIELD_COUNTRY, "Norway", "NO"}, {FIELD_COUNTRY, "England", "GB"}, {FIELD_COUNTRY, "Canada", "CA"},
    {FIELD_COUNTRY, "Spain", "ES"}, {FIELD_COUNTRY, "Italy", "IT"}, {FIELD_DEVICE, "phone", "mobile"}, {FIELD_DEVICE, "smartphone", "mobile"},
    {FIELD_DEVICE, "pc", "desktop"}, {FIELD_DEVICE, "computer", "desktop"}, {FIELD_DEVICE, "laptop", "desktop"}, {FIELD_DEVICE, "ipad", "tablet"},
    {FIELD_OS, "mac", "macos"}, {FIELD_OS, "osx", "macos"}, {FIELD_OS, "iphone", "ios"}, {FIELD_OS, "win", "windows"},
    {FIELD_BROWSER, "internet explorer", "ie"}, {FIELD_BROWSER, "chromium", "chrome"}, {FIELD_REFERRER, "google", "search"},
    {FIELD_REFERRER, "facebook", "social"}, {FIELD_REFERRER, "direct", "none"}, {FIELD_REFERRER, "self", "internal"},
    {FIELD_REFERRER, "organic", "search"}};

static bool known_country(struct str code)
{
	char up[3];
	if (code.n != 2 || !chr_alpha(code.p[0]) || !chr_alpha(code.p[1]))
		return false;
	up[0] = (char)(code.p[0] & ~0x20);
	up[1] = (char)(code.p[1] & ~0x20);
	up[2] = ' ';
	for (const char *c = COUNTRIES; *c; c += 3)
		if (memcmp(c, up, 3) == 0)
			return true;
	return false;
}

static const char *const *values_of(enum rule_field f, size_t *n)
{
	switch (f) {
	case FIELD_DEVICE:
		*n = DEVICE_MAX;
		return device_names;
	case FIELD_OS:
		*n = OS_MAX;
		return os_names;
	case FIELD_BROWSER:
		*n = BROWSER_MAX;
		return browser_names;
	case FIELD_REFERRER:
		*n = REFERRER_MAX;
		return referrer_names;
	default:
		return NULL;
	}
}

static bool known(enum rule_field f, struct str value)
{
	size_t n;
	const char *const *values = values_of(f, &n);
	if (f == FIELD_COUNTRY)
		return known_country(value);
	if (f == FIELD_REGION) /* ENG, 17, GB-ENG, or a name of a flat place file, as long as it fits */
		return value.n <= 8 || (value.n <= 11 && value.p[2] == '-');
	for (size_t i = 0; values && i < n; i++)
		if (str_ieq(value, str_c(values[i])))
			return true;
	return !values;
}

bool names_check(struct report *report, const struct rules_at *at, enum rule_field f, struct str value)
{
	char hint[200] = "";
	size_t n = 0;
	if (f == FIELD_REGION && value.n > 3 && value.p[2] == '-' && !known_country(str_make(value.p, 2))) {
		report_add(report, at, false, "unknown-value", "a region is ENG, or GB-ENG with the country before it",
		    "region '" STR_FMT "' begins with no country", STR_ARG(value));
		return false;
	}
	if (known(f, value))
		return true;
	struct near near = near_begin(value);
	const char *const *values = values_of(f, &n);
	for (size_t i = 0; i < n; i++)
		near_try(&near, str_c(values[i]));
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
		if (slips[i].field == f && str_ieq(value, str_c(slips[i].written)))
			near.best = str_c(slips[i].meant);
	near_hint(&near, hint, sizeof hint);
	if (!*hint && f == FIELD_COUNTRY)
		snprintf(hint, sizeof hint, "countries are two letters, as in ISO 3166: US, GB, DE");
	if (!*hint && f == FIELD_REGION)
		snprintf(hint, sizeof hint, "a region is ENG, or GB-ENG with the country before it");
	size_t used = strlen(hint);
	for (size_t i = 0; i < n && !near.best.n && used < sizeof hint; i++)
		used += (size_t)snprintf(hint + used, sizeof hint - used, "%s%s%s", i ? ", " : "", values[i], i + 1 == n ? " are known" : "");
	report_add(report, at, false, "unknown-value", hint, "there is no %s '" STR_FMT "'", field_names[f], STR_ARG(value));
	return false;
}
