/* Addresses and lists of networks: read from text and compared.
 *
 * All are 128 bits wide. IPv4 is in the mapped form, ::ffff:192.0.2.1, so 192.0.2.0/24 has 120
 * bits, and one comparison does for both families. A dual-stack socket tells the same form. */
#include "crumb/privacy/hit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

const uint8_t address_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void widen(const void *v4, uint8_t out[16])
{
	memcpy(out, address_mapped, sizeof address_mapped);
	memcpy(out + sizeof address_mapped, v4, 4);
}

bool address_of_peer(const struct sockaddr *addr, uint8_t out[16])
{
	const void *any = addr;
	if (addr->sa_family == AF_INET)
		widen(&((const struct sockaddr_in *)any)->sin_addr, out);
	else if (addr->sa_family == AF_INET6)
		memcpy(out, &((const struct sockaddr_in6 *)any)->sin6_addr, 16);
	return addr->sa_family == AF_INET || addr->sa_family == AF_INET6;
}

/* The address without anything around it. inet_pton() wants a C string. */
static bool address_bare(struct str text, uint8_t out[16])
{
	char s[64];
	uint8_t v4[4];
	if (text.n == 0 || text.n >= sizeof s || memchr(text.p, 0, text.n))
		return false;
	memcpy(s, text.p, text.n);
	s[text.n] = 0;
	if (inet_pton(AF_INET, s, v4) == 1) {
		widen(v4, out);
		return true;
	}
	return inet_pton(AF_INET6, s, out) == 1;
}

bool address_read(struct str text, uint8_t out[16])
{
	struct str port = STR("");
	uint64_t number;
	text = str_trim(text);
	if (text.n && text.p[0] == '[') {
		size_t end = str_find(text, ']');
		if (end == text.n)
			return false;
		port = str_skip(text, end + 1);
		text = str_make(text.p + 1, end - 1);
	} else if (str_find(text, '.') < str_find(text, ':')) {
		/* 192.0.2.1:80, not ::ffff:192.0.2.1; IPv6 has a port behind brackets only */
		port = str_skip(text, str_find(text, ':'));
		text.n -= port.n;
	}
	if (port.n && (port.p[0] != ':' || !str_u64(str_skip(port, 1), &number) || number > 65535))
		return false;
	text.n = str_find(text, '%'); /* without its zone */
	return address_bare(text, out);
}

enum cidr_said cidr_read(struct str text, struct cidr *out)
{
	size_t slash = str_find(text, '/');
	struct str address = str_make(text.p, slash);
	struct cidr c;
	uint64_t bits;
	if (address.n > 2 && address.p[0] == '[' && address.p[address.n - 1] == ']')
		address = str_make(address.p + 1, address.n - 2);
	bool v4 = str_find(address, ':') == address.n;
	unsigned most = v4 ? 32 : 128;
	if (!address_bare(address, c.b))
		return CIDR_NO_ADDRESS;
	if (slash == text.n)
		bits = most;
	else if (!str_u64(str_skip(text, slash + 1), &bits) || bits > most)
		return v4 ? CIDR_NOT_TO_32 : CIDR_NOT_TO_128;
	c.bits = (uint8_t)(bits + 128 - most);
	*out = c;
	return CIDR_FINE;
}

enum err cidr_list_parse(const char *text, struct cidr_list *out)
{
	struct str rest = str_c(text), item;
	struct cidr_list l = {.n = 0};
	while (rest.n && str_cut(&rest, ',', &item)) {
		item = str_trim(item);
		if (item.n == 0)
			continue;
		if (l.n == sizeof l.net / sizeof l.net[0])
			return err_set(ERR_USAGE, "more than %u networks", l.n);
		if (cidr_read(item, &l.net[l.n++]) != CIDR_FINE)
			return err_set(ERR_USAGE, "'" STR_FMT "' is no network such as 10.0.0.0/8",
			    STR_ARG(item));
	}
	*out = l;
	return OK;
}

/* Whole bytes first, then the bits of the one after them. */
bool cidr_list_has_address(const struct cidr_list *l, const uint8_t a[16])
{
	for (unsigned i = 0; i < l->n; i++) {
		unsigned bits = l->net[i].bits, whole = bits / 8, rest = bits % 8;
		if (memcmp(a, l->net[i].b, whole) == 0 &&
		    (rest == 0 || ((a[whole] ^ l->net[i].b[whole]) >> (8 - rest)) == 0))
			return true;
	}
	return false;
}

bool cidr_list_has(const struct cidr_list *l, const struct sockaddr *addr)
{
	uint8_t a[16];
	return l->n && address_of_peer(addr, a) && cidr_list_has_address(l, a);
}

bool cidr_list_has_text(const struct cidr_list *l, struct str address)
{
	uint8_t a[16];
	return l->n && address_read(address, a) && cidr_list_has_address(l, a);
}
