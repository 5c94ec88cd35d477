/* Which host was asked, and which page asks.
 *
 * A page of somebody else may let its own name point to our address (DNS rebinding). Then a browser
 * takes us for that page's server, and lets it read our answers. But it sends the name as Host, so
 * only names that are ours are answered:
 *
 *     what admin.listen says              127.0.0.1, crumb.internal, any port
 *     our address of this connection      192.0.2.7, when it listens at 0.0.0.0
 *     localhost                           where that address is one of loopback
 *     admin.hosts                         a proxy's name
 *
 * A page of another origin may send requests that it cannot read. It cannot write Origin, so only
 * the page of the host that was asked, and origins of admin.hosts, are listened to. */
#include "job.h"

#include "crumb/base/host.h"
#include "crumb/http/origin.h"

#include <arpa/inet.h>

/* The address in the text, 128 bits; an IPv6 address is in brackets. */
static bool is_address(struct str host, const uint8_t address[16])
{
	uint8_t read[16];
	return address_read(host, read) && memcmp(read, address, sizeof read) == 0;
}

static bool is_loopback(const uint8_t address[16])
{
	static const uint8_t one[16] = {[15] = 1};
	bool v4 = memcmp(address, address_mapped, sizeof address_mapped) == 0;
	return (v4 && address[12] == 127) || memcmp(address, one, sizeof one) == 0;
}

/* The part of HOST:PORT before the port is the host. */
static bool listens_as(struct str host, const char *listen)
{
	struct str ours;
	uint16_t port;
	if (host.n > 2 && host.p[0] == '[')
		host = str_make(host.p + 1, host.n - 2);
	return host_port(str_c(listen), &ours, &port) && ours.n && str_ieq(host, ours);
}

static const struct site_list *hosts_of(const struct admin *a)
{
	const struct config *now = atomic_load(&a->shared->config);
	return &now->lists.admin_hosts;
}

static bool is_named(const struct admin *a, struct str host)
{
	const struct site_list *names = hosts_of(a);
	for (unsigned i = 0; i < names->n; i++)
		if (str_ieq(names->site[i].host, host))
			return true;
	return false;
}

bool asked_at_us(const struct admin *a, const struct http_request *r)
{
	struct str host = host_around(r->header[H_HOST]).host;
	struct sockaddr_storage local;
	uint8_t address[16];
	char bound[128];
	if (!r->header[H_HOST].n)
		return true;
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (is_named(a, host) || listens_as(host, a->config->admin_listen))
		return true;
	http_server_address(a->server, bound, sizeof bound);
	if (listens_as(host, bound))
		return true;
	if (!http_local(r->ticket, &local) ||
	    !address_of_peer((const struct sockaddr *)&local, address))
		return false;
	return is_address(host, address) ||
	       (str_ieq(host, STR("localhost")) && is_loopback(address));
}

/* A bare name of admin.hosts stands for both schemes, each with its own port. */
static bool is_named_origin(const struct admin *a, struct str origin)
{
	const struct site_list *names = hosts_of(a);
	for (unsigned i = 0; i < names->n; i++) {
		const struct site *s = &names->site[i];
		if (str_ieq(s->text, origin) || str_ieq(s->text, origin_authority(origin)))
			return true;
	}
	return false;
}

/* A form of a page that gives no referrer has no origin either (Fetch standard, 3.1); then the
 * browser's Sec-Fetch-Site, which no page can write, says whose page it is. */
bool asked_from_us(const struct admin *a, const struct http_request *r)
{
	struct str origin = r->header[H_ORIGIN];
	if (str_eq(origin, STR("null")))
		return str_eq(r->header[H_SEC_FETCH_SITE], STR("same-origin"));
	return !origin.n || origin_at(r->header[H_HOST], origin) || is_named_origin(a, origin);
}
