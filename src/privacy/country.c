/* Codes of countries, looked for line by line in a text that is compiled in: "DE DEU Germany". Some
 * 250 lines; options and files of places ask, hits do not. */
#include "crumb/privacy/country.h"

/* Made at build from etc/countries.txt. */
extern const char countries_txt[];
extern const unsigned long countries_txt_n;

struct row {
	struct str two, three, name;
};

static bool next_country(struct str *rest, struct row *out)
{
	struct str line;
	while (str_cut(rest, '\n', &line)) {
		if (line.n < 8 || line.p[0] == '#')
			continue;
		*out =
		    (struct row){str_make(line.p, 2), str_make(line.p + 3, 3), str_skip(line, 7)};
		return true;
	}
	return false;
}

bool country_known(struct str code)
{
	struct str rest = str_make(countries_txt, countries_txt_n);
	struct row r;
	while (next_country(&rest, &r))
		if (str_ieq(code, r.two))
			return true;
	return false;
}

/* Of names that begin with the text the last counts, but an exact code or name comes first. */
struct str country_meant(struct str text)
{
	static const struct {
		const char *said, *meant;
	} common[] = {{"UK", "GB"}, {"EL", "GR"}, {"EU", "EEA"}, {"EWR", "EEA"}, {"England", "GB"},
	    {"Great Britain", "GB"}, {"America", "US"}, {"Deutschland", "DE"}, {"Holland", "NL"}};
	struct str rest = str_make(countries_txt, countries_txt_n), begins = str_make("", 0);
	struct row r;
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (str_ieq(text, str_c(common[i].said)))
			return str_c(common[i].meant);
	while (next_country(&rest, &r)) {
		if (str_ieq(text, r.three) || str_ieq(text, r.name))
			return r.two;
		if (text.n >= 4 && text.n < r.name.n && str_ieq(text, str_make(r.name.p, text.n)))
			begins = r.two;
	}
	return begins;
}
