/* Options that hold hosts: read as people write them, written as requests have them.
 *
 * People paste what an address bar shows. host_around() (base/host.h) takes such a text apart into
 * scheme, user, host, port and rest. Each part that the option cannot have is refused, with the
 * text to write instead; what is left is written in one form: small letters, xn-- for other
 * alphabets, no port that the scheme implies. */
#include "crumb/core/hosts.h"

#include "crumb/base/host.h"

static bool no_path(struct str rest)
{
	return rest.n == 0 || str_eq(rest, STR("/"));
}

/* Blanks, and other signs that people separate hosts with. */
static bool has_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] <= ' ' || s.p[i] == ';' || s.p[i] == '|')
			return true;
	return false;
}

/* The checks stand from what is surely meant otherwise to what is only too much. */
static enum err one_site(const char *option, struct str word, struct buf *out)
{
	struct host_around a = host_around(word);
	char host[HOST_MOST];
	uint64_t port = 0;
	bool secure = str_ieq(a.scheme, STR("https")),
	     known = secure || str_ieq(a.scheme, STR("http"));
	if (has_blank(word))
		return err_set(ERR_USAGE, "%s: '" STR_FMT "': separate hosts with commas", option,
		    STR_ARG(word));
	if (str_find(a.host, '*') < a.host.n)
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT "' has a '*', which is not understood here: list each host, or "
		    "leave it empty to count every host",
		    option, STR_ARG(word));
	/* "//shop.example", "http:/shop.example", "https:shop.example": the host is behind it. */
	struct str tail = word;
	bool slip = str_starts(word, STR("//")) || str_ieq(a.host, STR("http")) ||
		    str_ieq(a.host, STR("https"));
	while (slip && tail.n &&
	       (chr_one_of(tail.p[0], "/:") || str_find(tail, '/') < tail.n ||
		   str_find(tail, ':') < tail.n))
		tail = str_skip(tail, 1);
	if (slip && tail.n && host_read(tail, host))
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT "' is no origin; did you mean 'https://" STR_FMT "'?", option,
		    STR_ARG(word), STR_ARG(tail));
	size_t n = host_read(a.host, host);
	if (!n || (a.scheme.n && !known))
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT
		    "' is no host (shop.example) and no origin (https://shop.example)",
		    option, STR_ARG(word));
	if (a.user.n || !no_path(a.rest))
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT "' is more than a host; write " STR_FMT "%s%.*s%s" STR_FMT,
		    option, STR_ARG(word), STR_ARG(a.scheme), a.scheme.n ? "://" : "", (int)n, host,
		    a.port.n ? ":" : "", STR_ARG(a.port));
	if (a.port.p && a.host.p + a.host.n < word.p + word.n && a.host.p[a.host.n] == ':' &&
	    (!str_u64(a.port, &port) || port < 1 || port > 65535))
		return err_set(ERR_USAGE, "%s: '" STR_FMT "': a port is a number from 1 to 65535",
		    option, STR_ARG(word));
	if (port && !a.scheme.n && port != 443)
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT
		    "' has a port and no scheme: write https://%.*s:%u, or http://%.*s:%u",
		    option, STR_ARG(word), (int)n, host, (unsigned)port, (int)n, host,
		    (unsigned)port);
	if (out->n)
		buf_add(out, ",", 1);
	if (a.scheme.n)
		buf_c(out, secure ? "https://" : "http://");
	buf_add(out, host, n);
	if (port && port != (a.scheme.n && !secure ? 80 : 443))
		buf_addf(out, ":%u", (unsigned)port);
	return OK;
}

enum err hosts_sites(const char *option, struct str value, struct buf *out)
{
	struct str word;
	enum err e = OK;
	while (!e && value.n && str_cut(&value, ',', &word)) {
		word = str_trim(word);
		if (word.n)
			e = one_site(option, word, out);
	}
	return e;
}

enum err hosts_names(const char *option, struct str value, struct buf *out)
{
	if (str_find(value, '*') < value.n)
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT "' has a '*', which is not understood here: list each host",
		    option, STR_ARG(value));
	return hosts_sites(option, value, out);
}

enum err hosts_domain(const char *option, struct str value, struct buf *out)
{
	struct host_around a = host_around(value);
	struct str name = a.host;
	char host[HOST_MOST];
	bool known =
	    !a.scheme.n || str_ieq(a.scheme, STR("https")) || str_ieq(a.scheme, STR("http"));
	if (value.n == 0)
		return OK;
	if (str_starts(name, STR("*.")))
		name = str_skip(name, 2);
	if (str_starts(name, STR("."))) /* as older specifications wrote it; it means the same */
		name = str_skip(name, 1);
	/* A cookie has one domain, and an IPv6 address is none. */
	bool one = !has_blank(value) && str_find(value, ',') == value.n && name.p[0] != '[';
	size_t n = one ? host_read(name, host) : 0;
	if (!n || !known)
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT "' is no domain; write one, such as shop.example", option,
		    STR_ARG(value));
	if (a.user.n || !no_path(a.rest) || a.port.p)
		return err_set(ERR_USAGE,
		    "%s: a cookie's domain has no port and no path; write %.*s instead of '" STR_FMT
		    "'",
		    option, (int)n, host, STR_ARG(value));
	buf_add(out, host, n);
	return OK;
}

/* RFC 3986: visible ASCII, without the signs that end a link in a text. */
static bool url_byte(char c)
{
	return (uint8_t)c > ' ' && (uint8_t)c < 0x7f && !chr_one_of(c, "\"'<>\\^`{|}");
}

enum err hosts_page(const char *option, struct str value, struct buf *out)
{
	struct host_around a = host_around(value);
	char host[HOST_MOST];
	uint64_t port = 443;
	bool secure = str_ieq(a.scheme, STR("https"));
	if (value.n == 0)
		return OK;
	size_t n = host_read(a.host, host);
	if (n && !a.scheme.n && !a.user.n && strchr(host, '.'))
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT "' is no address of a page; did you mean 'https://" STR_FMT
		    "'?",
		    option, STR_ARG(value), STR_ARG(value));
	if (!n || a.user.n || (!secure && !str_ieq(a.scheme, STR("http"))))
		return err_set(ERR_USAGE,
		    "%s: '" STR_FMT
		    "' is no address of a page such as https://shop.example/privacy",
		    option, STR_ARG(value));
	if (a.port.p && (!str_u64(a.port, &port) || port < 1 || port > 65535))
		return err_set(ERR_USAGE, "%s: '" STR_FMT "': a port is a number from 1 to 65535",
		    option, STR_ARG(value));
	for (size_t i = 0; i < a.rest.n; i++)
		if (!url_byte(a.rest.p[i]))
			return err_set(ERR_USAGE,
			    "%s: '" STR_FMT "': blanks, quotes and letters of other alphabets are "
			    "written as %%20 and the like in an address",
			    option, STR_ARG(value));
	buf_addf(out, "%s%.*s", secure ? "https://" : "http://", (int)n, host);
	if (a.port.p)
		buf_addf(out, ":%u", (unsigned)port);
	buf_str(out, a.rest);
	return OK;
}
