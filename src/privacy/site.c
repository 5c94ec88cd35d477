/* Sites that are ours: hosts of hits, pages and referrers are compared with the option `sites`, as
 * core/config_lists.h has made it ready. */
#include "crumb/privacy/site.h"

bool site_is_ours(const struct config *c, struct str host)
{
	const struct site_list *l = &c->lists.sites;
	for (unsigned i = 0; i < l->n; i++)
		if (str_ieq(l->site[i].host, host))
			return true;
	return !l->n;
}

/* A bare host stands for its https origin. */
bool origin_is_ours(const struct config *c, struct str origin)
{
	const struct site_list *l = &c->lists.sites;
	for (unsigned i = 0; i < l->n; i++)
		if (str_ieq(l->site[i].text, origin) ||
		    (origin.n && str_ieq(l->site[i].secure, origin)))
			return true;
	return false;
}
