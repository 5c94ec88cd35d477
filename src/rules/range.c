/* Numbers and ranges as they are written in rules: 10..50, 10.., ..50, >= 10, < 50. A side that is
 * not written is infinite. */
#include "crumb/rules/rules.h"

#include "crumb/base/number.h"

#include <math.h>

bool rules_number(struct str s, double *out)
{
	return number_read(str_trim(s), out);
}

bool range_parse(struct str s, struct range *out)
{
	struct range r = {-INFINITY, INFINITY, false, false};
	if (s.n > 1 && (s.p[0] == '<' || s.p[0] == '>')) {
		bool equal = s.p[1] == '=';
		double v;
		if (!rules_number(str_skip(s, 1u + equal), &v))
			return false;
		if (s.p[0] == '>')
			r.lo = v, r.lo_out = !equal;
		else
			r.hi = v, r.hi_out = !equal;
		*out = r;
		return true;
	}
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] != '.' || s.p[i + 1] != '.')
			continue;
		struct str lo = str_trim(str_make(s.p, i)), hi = str_trim(str_skip(s, i + 2));
		if ((lo.n == 0 && hi.n == 0) || (lo.n && !rules_number(lo, &r.lo)) ||
		    (hi.n && !rules_number(hi, &r.hi)))
			return false;
		*out = r;
		return true;
	}
	return false;
}
