/* Which pages may read an answer, and which may change something.
 *
 * CORS: a page of an origin under `sites` may read answers with credentials. Such an answer names
 * that one origin, never '*' (Fetch standard, 3.2.5).
 *
 * Same origin: only our own pages may erase and opt out. Browsers say so by Sec-Fetch-Site, a field
 * that no page can write. Older ones send Origin, which is compared with the host that was asked.
 * Behind a proxy Host may be another name, so what trusted proxies say about the host counts, too.
 * No page can write X-Forwarded-Host or Forwarded either: the browser would ask by a preflight. */
#include "crumb/collect/collecting.h"

#include "crumb/core/metric.h"
#include "crumb/http/origin.h"
#include "crumb/privacy/site.h"

/* Is the origin at the host that the browser asked, by Host or by what a trusted proxy says? Each
 * of several proxies has written the host that it was asked for; any of them will do. */
static bool origin_is_host(const struct collect *c, const struct http_request *r)
{
	struct str origin = r->header[H_ORIGIN], rest = r->header[H_FORWARDED_HOST],
		   pairs = r->header[H_FORWARDED], host;
	if (origin_at(r->header[H_HOST], origin))
		return true;
	if ((!rest.n && !pairs.n) || !cidr_list_has(&c->trusted, r->peer))
		return false;
	while (rest.n && str_cut(&rest, ',', &host))
		if (origin_at(str_trim(host), origin))
			return true;
	while (
	    !r->header[H_FORWARDED_HOST].n && pairs.n && forwarded_next(&pairs, STR("host"), &host))
		if (origin_at(host, origin))
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
	if (by_browser(r))
		return true;
	if (site.n && !str_eq(site, STR("none")))
		return false;
	/* An older browser says no site, and a proxy may have changed Host: then the operator's own
	 * sites are believed, too. */
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

bool cors_of_ours(const struct collect *c, const struct http_request *r)
{
	struct str origin = r->header[H_ORIGIN];
	return origin.n &&
	       (origin_is_ours(c->config, origin) || by_browser(r) || origin_is_host(c, r));
}

void cors_refuse(struct http_request *r)
{
	metric_inc(M_BAD_ORIGIN);
	http_reply(r->ticket, 403, "text/plain", STR("Vary: Origin\r\n"),
	    STR("this origin is not listed under sites\n"));
}

void cors_preflight(struct collect *c, struct http_request *r)
{
	struct buf headers = {0};
	if (!cors_headers(c, r, &headers)) {
		cors_refuse(r);
	} else {
		buf_c(&headers, "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
				"Access-Control-Allow-Headers: authorization, content-encoding, "
				"content-type\r\n"
				"Access-Control-Max-Age: 3600\r\n");
		http_reply_whole(r->ticket, 204, "", &headers, &BUF_OF(STR("")));
	}
	buf_done(&headers);
}
