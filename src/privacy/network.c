/* Networks: what is kept of an address. */
#include "crumb/privacy/hit.h"

static struct network cut(const uint8_t a[16])
{
	struct network n = {{0}, 0};
	bool v4 = true;
	if (a[0] == 0x20 &&
	    a[1] == 0x02) { /* 6to4 (RFC 3056): an IPv4 address is in the first 48 bits, whole */
		n.family = 4;
		memcpy(n.b, a + 2, 3);
		return n;
	}
	for (int i = 0; i < 10; i++)
		v4 &= a[i] == 0;
	v4 &= a[10] == 0xff && a[11] == 0xff;
	n.family = v4 ? 4 : 6;
	memcpy(n.b, v4 ? a + 12 : a, v4 ? 3 : 6);
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
