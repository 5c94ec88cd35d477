/* Destinations and partners by their names. A set has tens of them, and look-ups are rare beside
 * what is done with what they find, so each is a walk over the list.
 *
 * Names that somebody typed are looked for in the same way; where there is none, the error says
 * which may have been meant (base/near.h). */
#include "crumb/partners/destinations.h"

#include "crumb/base/near.h"

const struct partner *destinations_partner(const struct destinations *d, struct str id)
{
	for (size_t i = 0; d && i < d->partners_n; i++)
		if (str_eq(id, str_c(d->partners[i].id)))
			return &d->partners[i];
	return NULL;
}

const struct destination *destinations_find(const struct destinations *d, struct str id)
{
	for (size_t i = 0; d && i < d->n; i++)
		if (str_eq(id, str_c(d->list[i].id)))
			return &d->list[i];
	return NULL;
}

struct str destination_segment(const struct destination *d, struct str segment)
{
	for (unsigned i = 0; i < d->segments_n; i++)
		if (str_eq(d->segments[i].name, segment))
			return d->segments[i].value;
	return STR("");
}

/* --- names that somebody typed */

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
