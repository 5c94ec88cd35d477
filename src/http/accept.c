/* Reads the weights of Accept fields: "de-AT, de;q=0.9, *;q=0.1". */
#include "crumb/http/accept.h"

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ): five characters at most (RFC 9110
 * 12.4.2). */
unsigned accept_weight(struct str parameters)
{
	struct str one;
	while (parameters.n && str_cut(&parameters, ';', &one)) {
		one = str_trim(one);
		if (one.n < 2 || chr_lower(one.p[0]) != 'q' || one.p[1] != '=')
			continue;
		one = str_skip(one, 2);
		if (one.n == 0 || one.n > 5 || (one.p[0] != '0' && one.p[0] != '1') ||
		    (one.n > 1 && one.p[1] != '.'))
			return 0;
		unsigned q = one.p[0] == '1' ? 1000 : 0, unit = 100;
		for (size_t i = 2; i < one.n; i++, unit /= 10) {
			if (!chr_digit(one.p[i]))
				return 0;
			q += (unsigned)(one.p[i] - '0') * unit;
		}
		return q > 1000 ? 0 : q;
	}
	return 1000;
}

/* The ranges "de-AT" and "de" both ask for "de"; "den" does not. */
static bool asks_for(struct str range, const char *tag)
{
	struct str wanted = str_c(tag);
	struct str first = str_make(range.p, str_find(range, '-'));
	return str_ieq(first, wanted);
}

unsigned accept_language(struct str list, const char *const *tags, unsigned n)
{
	enum { UNSAID = 2000 }; /* no weight is as great */
	unsigned best = 0, best_q = 0, others = UNSAID, found[ACCEPT_LANGUAGES] = {0};
	struct str one;
	bool named[ACCEPT_LANGUAGES] = {false};
	n = n < ACCEPT_LANGUAGES ? n : ACCEPT_LANGUAGES;
	while (list.n && str_cut(&list, ',', &one)) {
		size_t at = str_find(one, ';');
		struct str range = str_trim(str_make(one.p, at));
		unsigned q = accept_weight(str_skip(one, at + 1));
		if (str_eq(range, STR("*")))
			others = q;
		for (unsigned i = 0; i < n; i++) {
			if (!asks_for(range, tags[i]))
				continue;
			named[i] = true;
			found[i] = q > found[i] ? q : found[i];
			if (found[i] > best_q) {
				best_q = found[i];
				best = i;
			}
		}
	}
	for (unsigned i = 0; i < n && others != UNSAID; i++) {
		if (!named[i] && others > best_q) {
			best_q = others;
			best = i;
		}
	}
	return best;
}
