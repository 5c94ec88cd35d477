/* Who may read an answer. Credentialed CORS names one origin, never '*' (Fetch standard,
 * section 3.2.5). */
#include "crumb/collect/collecting.h"

#include "crumb/core/metric.h"
#include "crumb/privacy/site.h"

/* "scheme://host[:port]" without scheme. */
static struct str authority(struct str origin)
{
	size_t at = str_find(origin, '/');
	return at + 1 < origin.n && origin.p[at + 1] == '/' ? str_skip(origin, at + 2)
							    : str_make("", 0);
}

/* An origin does not name the port that its scheme has anyway; a host may. */
static bool names(struct str host, struct str origin)
{
	struct str port = str_starts(origin, STR("https:")) ? STR(":443") : STR(":80"),
		   here = authority(origin);
	if (str_ieq(here, host))
		return here.n > 0;
	return here.n && host.n == here.n + port.n && str_eq(str_skip(host, here.n), port) &&
	       str_ieq(str_make(host.p, here.n), here);
}

/* The host that the browser has asked, as we heard it, or as a proxy that is trusted says. Of
 * several proxies each has written what it was asked for. No page can write the field: it would
 * need a preflight. */
static bool origin_is_host(const struct collect *c, const struct http_request *r)
{
	struct str origin = r->header[H_ORIGIN], rest = r->header[H_FORWARDED_HOST],
		   pairs = r->header[H_FORWARDED], host;
	if (names(r->header[H_HOST], origin))
		return true;
	if ((!rest.n && !pairs.n) || !cidr_list_has(&c->trusted, r->peer))
		return false;
	while (rest.n && str_cut(&rest, ',', &host))
		if (names(str_trim(host), origin))
			return true;
	while (
	    !r->header[H_FORWARDED_HOST].n && pairs.n && forwarded_next(&pairs, STR("host"), &host))
		if (names(host, origin))
			return true;
	return false;
}

static bool by_browser(const struct http_request *r)
{
	return str_eq(r->header[H_SEC_FETCH_SITE], STR("same-origin"));
}

bool cors_same_origin(const struct collect *c, const struct http_request *r)
{
	struct str site = r->header[H_SEC_FETCH_SITE], origin = r->header[H_ORIGIN];
	if (by_browser(r)) /* its own word, which no page can write; behind a proxy Host may be
			      another name */
		return true;
	if (site.n && !str_eq(site, STR("none")))
		return false;
	/* an older browser says less, and a proxy may have changed Host: then a page of the
	 * operator's own sites is believed, too */
	return origin.n == 0 || origin_is_host(c, r) ||
	       (site.n == 0 && origin_is_ours(c->config, origin));
}

bool cors_headers(struct collect *c, const struct http_request *r, struct buf *headers)
{
	struct str origin = r->header[H_ORIGIN];
	if (origin.n == 0)
		return true;
	if (!origin_is_ours(c->config, origin))
		return by_browser(r) || origin_is_host(c, r);
	if (str_find(origin, '\r') < origin.n || str_find(origin, '\n') < origin.n)
		return false;
	buf_c(headers, "Access-Control-Allow-Origin: ");
	buf_str(headers, origin);
	buf_c(headers, "\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n");
	return true;
}

void cors_preflight(struct collect *c, struct http_request *r)
{
	struct buf headers = {0};
	if (!cors_headers(c, r, &headers)) {
		metric_inc(M_BAD_ORIGIN);
		http_reply(r->ticket, 403, "text/plain", STR("Vary: Origin\r\n"),
		    STR("this origin is not listed under sites\n"));
	} else {
		buf_c(&headers, "Access-Control-Allow-Methods: GET, POST, "
				"OPTIONS\r\nAccess-Control-Allow-Headers: authorization, "
				"content-encoding, content-type\r\n"
				"Access-Control-Max-Age: 3600\r\n");
		http_reply_whole(r->ticket, 204, "", &headers, &BUF_OF(STR("")));
	}
	buf_done(&headers);
}
