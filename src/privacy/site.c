/* Sites that are ours: the option `sites` is a list of hosts and origins, which hits, pages and referrers are held against. */
#include "crumb/privacy/site.h"

#include "crumb/privacy/scrub.h"

/* Splits a configured site, which is a host or an origin, into host and scheme. */
static struct str site_host(struct str site)
{
	struct url_parts u;
	return url_split(site, &u) ? u.host : site;
}

bool site_is_ours(const struct config *c, struct str host)
{
	struct str rest = str_c(c->sites), site;
	if (!*c->sites)
		return true;
	while (str_cut(&rest, ',', &site))
		if (str_ieq(site_host(str_trim(site)), host))
			return true;
	return false;
}

bool origin_is_ours(const struct config *c, struct str origin)
{
	struct str rest = str_c(c->sites), site;
	struct url_parts u;
	while (*c->sites && str_cut(&rest, ',', &site)) {
		site = str_trim(site);
		if (str_ieq(site, origin))
			return true;
		/* a bare host stands for its https origin */
		if (!str_has(site, STR("://")) && str_find(site, ':') == site.n && url_split(origin, &u) && str_ieq(u.scheme, STR("https")) &&
		    origin.n == u.scheme.n + 3 + u.host.n && str_ieq(u.host, site))
			return true;
	}
	return false;
}
