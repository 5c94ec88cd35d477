#include "crumb/privacy/kgate.h"

#include "crumb/core/config.h"

uint32_t kgate_k(const struct kgate *g)
{
	return g->k < K_FLOOR ? K_FLOOR : g->k;
}

struct shown kgate_show(const struct kgate *g, uint64_t visitors)
{
	if (visitors < kgate_k(g))
		return (struct shown){false, 0};
	return (struct shown){true, (visitors + 5) / 10 * 10};
}
