/* Names of segments and journeys that somebody typed: on a command line, in a request. What is not
 * there is answered with the name that is nearest. */
#include "crumb/base/near.h"
#include "crumb/rules/like.h"

static struct str segment_at(const void *arg, size_t i)
{
	const struct rules *r = arg;
	return str_c(r->segments[i].id);
}

/* Of what is no lookalike an empty name, which is like nothing. */
static struct str lookalike_at(const void *arg, size_t i)
{
	const struct rules *r = arg;
	return r->segments[i].like ? str_c(r->segments[i].id) : STR("");
}

enum err rules_find_segment(const struct rules *r, struct str id, uint16_t *out)
{
	int at = rules_segment(r, id);
	if (at < 0)
		return near_missing("segment", id, segment_at, r, r->segments_n);
	*out = (uint16_t)at;
	return OK;
}

enum err rules_find_lookalike(const struct rules *r, struct str id, uint16_t *out)
{
	int at = rules_segment(r, id);
	if (at >= 0 && r->segments[at].like) {
		*out = (uint16_t)at;
		return OK;
	}
	if (at >= 0)
		return err_set(ERR_NOT_FOUND,
		    "there is no lookalike '" STR_FMT "': a segment is called so", STR_ARG(id));
	return near_missing("lookalike", id, lookalike_at, r, r->segments_n);
}

static struct str journey_at(const void *arg, size_t i)
{
	const struct rules *r = arg;
	return str_c(r->journeys[i].id);
}

/* There are few, so that they need no map. */
enum err rules_find_journey(const struct rules *r, struct str id, uint16_t *out)
{
	for (size_t i = 0; i < r->journeys_n; i++)
		if (str_eq(id, journey_at(r, i))) {
			*out = (uint16_t)i;
			return OK;
		}
	return near_missing("journey", id, journey_at, r, r->journeys_n);
}
