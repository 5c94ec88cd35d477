/* Fields and facts as rows, and those whose values are known: devices, systems, browsers, kinds of
 * referrer, countries. */
#include "crumb/rules/fields.h"

#include "crumb/base/near.h"

#include <stdio.h>

/* ISO 3166-1 alpha-2, and XK, which place files use for Kosovo
 * (iso.org/iso-3166-country-codes.html). */
static const char COUNTRIES[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO "
    "BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ "
    "DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP "
    "GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG "
    "KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML "
    "MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE "
    "PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL "
    "SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM "
    "US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW ";

/* What people write instead. */
static const struct slip country_slips[] = {{"UK", "GB"}, {"EN", "GB"}, {"USA", "US"},
    {"GER", "DE"}, {"DEU", "DE"}, {"GBR", "GB"}, {"FRA", "FR"}, {"CAN", "CA"}, {"NOR", "NO"},
    {"ESP", "ES"}, {"ITA", "IT"}, {"Germany", "DE"}, {"France", "FR"}, {"Norway", "NO"},
    {"England", "GB"}, {"Canada", "CA"}, {"Spain", "ES"}, {"Italy", "IT"}, {0}};
static const struct slip device_slips[] = {{"phone", "mobile"}, {"smartphone", "mobile"},
    {"pc", "desktop"}, {"computer", "desktop"}, {"laptop", "desktop"}, {"ipad", "tablet"}, {0}};
static const struct slip os_slips[] = {
    {"mac", "macos"}, {"osx", "macos"}, {"iphone", "ios"}, {"win", "windows"}, {0}};
static const struct slip browser_slips[] = {
    {"internet explorer", "ie"}, {"chromium", "chrome"}, {0}};
static const struct slip referrer_slips[] = {{"google", "search"}, {"facebook", "social"},
    {"direct", "none"}, {"self", "internal"}, {"organic", "search"}, {0}};

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

/* ENG, 17, GB-ENG, or a name of a flat place file, as long as it fits. */
static bool known_region(struct str value)
{
	return value.n <= 8 || (value.n <= 11 && value.p[2] == '-');
}

const struct field rule_fields[FIELD_MAX] = {
#define FIELD(NAME, ...) [FIELD_##NAME] = {__VA_ARGS__},
#include "crumb/rules/field_rows.h"
#undef FIELD
};

const struct fact_row rule_facts[FACT_MAX] = {
#define FACT_ROW(NAME, LEARNS) [FACT_##NAME] = {.field = FIELD_##NAME, .learned = LEARNS},
    RULE_FACTS(FACT_ROW)
#undef FACT_ROW
};

/* "attr." and "p." are followed by a name of their own; of the others the whole key is the name. */
enum rule_field field_named(struct str key, struct str *name)
{
	*name = STR("");
	for (int f = 0; f < FIELD_MAX; f++) {
		struct str row = str_c(rule_fields[f].name);
		bool named = rule_fields[f].named != NULL;
		if (named ? key.n > row.n && str_starts(key, row) : str_eq(key, row)) {
			*name = named ? str_skip(key, row.n) : STR("");
			return (enum rule_field)f;
		}
	}
	return FIELD_MAX;
}

const char *field_text(enum rule_field f, char out[FIELD_TEXT])
{
	snprintf(out, FIELD_TEXT, "%s%s", rule_fields[f].name, rule_fields[f].named ? "NAME" : "");
	return out;
}

/* Is it a value of the field, of one whose values are known? */
static bool known(const struct field *row, struct str value)
{
	if (row->known)
		return row->known(value);
	for (unsigned i = 0; i < row->words_n; i++)
		if (str_ieq(value, str_c(row->words[i])))
			return true;
	return !row->words;
}

/* Of a field without near words: what there is. */
static void hint_words(const struct field *row, char *hint, size_t cap)
{
	size_t used = 0;
	for (unsigned i = 0; i < row->words_n && used < cap; i++)
		used += (size_t)snprintf(hint + used, cap - used, "%s%s%s", i ? ", " : "",
		    row->words[i], i + 1 == row->words_n ? " are known" : "");
}

/* What may have been meant: a value that looks like it, or one that people usually confuse with it;
 * else what the row says, or all values. */
bool field_check(
    struct report *report, const struct yaml_place *at, enum rule_field f, struct str value)
{
	const struct field *row = &rule_fields[f];
	char hint[200] = "";
	bool prefix = row->from == FROM_REGION && value.n > 3 && value.p[2] == '-';
	if (prefix && !known_country(str_make(value.p, 2))) {
		report_add(report, at, SEVERITY_ERROR, "unknown-value", row->hint,
		    "region '" STR_FMT "' begins with no country", STR_ARG(value));
		return false;
	}
	if (known(row, value))
		return true;
	struct near near = near_begin(value);
	for (unsigned i = 0; i < row->words_n; i++)
		near_try(&near, str_c(row->words[i]));
	for (const struct slip *s = row->slips; s && s->written; s++)
		if (str_ieq(value, str_c(s->written)))
			near.best = str_c(s->meant);
	near_hint(&near, hint, sizeof hint);
	if (!*hint && row->hint)
		snprintf(hint, sizeof hint, "%s", row->hint);
	else if (!*hint)
		hint_words(row, hint, sizeof hint);
	report_add(report, at, SEVERITY_ERROR, "unknown-value", hint,
	    "there is no %s '" STR_FMT "'", row->name, STR_ARG(value));
	return false;
}
