/* Where a page came from, beside where it asks. */
#include "crumb/http/origin.h"

struct str origin_authority(struct str origin)
{
	size_t at = str_find(origin, '/');
	return at + 1 < origin.n && origin.p[at + 1] == '/' ? str_skip(origin, at + 2)
							    : str_make("", 0);
}

bool origin_at(struct str host, struct str origin)
{
	struct str port = str_starts(origin, STR("https:")) ? STR(":443") : STR(":80"),
		   here = origin_authority(origin);
	if (str_ieq(here, host))
		return here.n > 0;
	return here.n && host.n == here.n + port.n && str_eq(str_skip(host, here.n), port) &&
	       str_ieq(str_make(host.p, here.n), here);
}
