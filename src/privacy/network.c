/* Networks: what is kept of an address, cut here as soon as it is read. */
#include "crumb/privacy/hit.h"

/* The whole address is a parameter and goes no further. An address of 6to4 (RFC 3056) has an IPv4
 * address in its first 48 bits, 2002:c000:0201:: for 192.0.2.1. It counts as that one, or cutting
 * it to 48 bits would keep it whole. */
static struct network cut(const uint8_t a[16])
{
	struct network n = {{0}, 0};
	if (a[0] == 0x20 && a[1] == 0x02) {
		n.family = 4;
		memcpy(n.b, a + 2, NETWORK_BITS_4 / 8);
	} else if (memcmp(a, address_mapped, sizeof address_mapped) == 0) {
		n.family = 4;
		memcpy(n.b, a + sizeof address_mapped, NETWORK_BITS_4 / 8);
	} else {
		n.family = 6;
		memcpy(n.b, a, NETWORK_BITS_6 / 8);
	}
	return n;
}

struct network network_of(const struct sockaddr *addr)
{
	uint8_t a[16];
	return address_of_peer(addr, a) ? cut(a) : (struct network){{0}, 0};
}

bool network_parse(struct str text, struct network *out)
{
	uint8_t a[16];
	if (!address_read(text, a))
		return false;
	*out = cut(a);
	return true;
}
