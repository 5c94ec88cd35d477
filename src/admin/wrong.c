/* How often wrong tokens came from an address: places that are searched one after the other. */
#include "wrong.h"

#include <string.h>

static const uint8_t v4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Its place, a free one, or the one that is oldest. */
static struct wrong_place *place_of_network(struct wrong *w, const uint8_t network[16])
{
	struct wrong_place *other = &w->v[0];
	for (int i = 0; i < WRONG_PLACES; i++) {
		struct wrong_place *p = &w->v[i];
		if (p->n && memcmp(p->address, network, sizeof p->address) == 0)
			return p;
		if (other->n && (!p->n || p->since < other->since))
			other = p;
	}
	memcpy(other->address, network, sizeof other->address);
	other->n = 0;
	return other;
}

enum wrong_how wrong_note(struct wrong *w, const uint8_t address[16], uint32_t now_s)
{
	uint8_t network[16];
	memcpy(network, address, sizeof network);
	if (memcmp(network, v4, sizeof v4) != 0)
		memset(network + 8, 0, 8);
	struct wrong_place *p = place_of_network(w, network);
	if (p->n == 0 || now_s - p->since >= WRONG_WINDOW_S) {
		p->since = now_s;
		p->n = 0;
	}
	p->n++;
	if (p->n <= WRONG_FREE)
		return WRONG_AT_ONCE;
	return p->n <= WRONG_MOST ? WRONG_LATER : WRONG_TOO_OFTEN;
}
