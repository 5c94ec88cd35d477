/* Names of destinations and partners that somebody typed. */
#include "crumb/partners/destinations.h"

#include "crumb/base/near.h"

static struct str destination_at(const void *arg, size_t i)
{
	const struct destinations *d = arg;
	return str_c(d->list[i].id);
}

static struct str partner_at(const void *arg, size_t i)
{
	const struct destinations *d = arg;
	return str_c(d->partners[i].id);
}

enum err destinations_find_named(
    const struct destinations *d, struct str id, const struct destination **out)
{
	*out = destinations_find(d, id);
	return *out ? OK : near_missing("destination", id, destination_at, d, d->n);
}

enum err destinations_find_partner(
    const struct destinations *d, struct str id, const struct partner **out)
{
	*out = destinations_partner(d, id);
	return *out ? OK : near_missing("partner", id, partner_at, d, d->partners_n);
}
