/* Names of fields in access logs: of JSON, of W3C's #Fields and of nginx's variables.
 *
 * A name is compared in lower case, by its letters and digits only: cs(User-Agent) is csuseragent,
 * @timestamp is timestamp, request.headers.Referer is requestheadersreferer. Of two names for one
 * field the upper row is taken, so the rows of a field begin with the one that means the visitor's
 * own address, the whole target, and so on. */
#include "access_row.h"

static const struct {
	const char *name;
	enum access_field field;
} names[] = {
    {"requestclientip", F_ADDRESS}, /* Caddy */
    {"requestremoteip", F_ADDRESS},
    {"requestremoteaddr", F_ADDRESS},
    {"cip", F_ADDRESS},	       /* W3C */
    {"remoteaddr", F_ADDRESS}, /* nginx */
    {"clienthost", F_ADDRESS}, /* Traefik */
    {"clientaddr", F_ADDRESS},
    {"clientip", F_ADDRESS},
    {"clientaddress", F_ADDRESS},
    {"downstreamremoteaddress", F_ADDRESS}, /* Envoy */
    {"remoteip", F_ADDRESS},
    {"remoteaddress", F_ADDRESS},
    {"remotehost", F_ADDRESS},
    {"httprequestremoteip", F_ADDRESS}, /* Google's load balancers */
    {"sourceip", F_ADDRESS},		/* ECS */
    {"sourceaddress", F_ADDRESS},
    {"client", F_ADDRESS},
    {"ipaddress", F_ADDRESS},
    {"ip", F_ADDRESS},
    {"httpcfconnectingip", F_ADDRESS},
    {"httptrueclientip", F_ADDRESS},
    {"httpxrealip", F_ADDRESS},
    {"xforwardedfor", F_FORWARDED},
    {"httpxforwardedfor", F_FORWARDED},
    {"csxforwardedfor", F_FORWARDED},
    {"requestxforwardedfor", F_FORWARDED},
    {"requestheadersxforwardedfor", F_FORWARDED},
    {"headersxforwardedfor", F_FORWARDED},
    {"httpforwarded", F_FORWARDED}, /* RFC 7239 */
    {"csforwarded", F_FORWARDED},
    {"requestforwarded", F_FORWARDED},
    {"requestheadersforwarded", F_FORWARDED},
    {"headersforwarded", F_FORWARDED},
    {"forwarded", F_FORWARDED},
    {"startutc", F_TIME},
    {"timeiso8601", F_TIME},
    {"timelocal", F_TIME},
    {"msec", F_TIME},
    {"ts", F_TIME},
    {"timestamp", F_TIME},	    /* also "@timestamp" */
    {"edgestarttimestamp", F_TIME}, /* Cloudflare */
    {"datetime", F_TIME},
    {"time", F_TIME},
    {"starttime", F_TIME},
    {"date", F_DATE},
    {"request", F_REQUEST},
    {"requestline", F_REQUEST},
    {"csmethod", F_METHOD},
    {"requestmethod", F_METHOD},
    {"httprequestrequestmethod", F_METHOD},
    {"clientrequestmethod", F_METHOD},
    {"httprequestmethod", F_METHOD},
    {"httpmethod", F_METHOD},
    {"method", F_METHOD},
    {"verb", F_METHOD},
    {"requesturi", F_TARGET}, /* nginx, Caddy */
    {"csuri", F_TARGET},
    {"requesturl", F_TARGET},
    {"requestpath", F_TARGET}, /* Traefik: with its query */
    {"clientrequesturi", F_TARGET},
    {"httprequestrequesturl", F_TARGET},
    {"urloriginal", F_TARGET},
    {"url", F_TARGET},
    {"requesttarget", F_TARGET},
    {"csuristem", F_STEM},
    {"uri", F_STEM},
    {"documenturi", F_STEM},
    {"urlpath", F_STEM},
    {"path", F_STEM},
    {"csuriquery", F_QUERY},
    {"args", F_QUERY},
    {"querystring", F_QUERY},
    {"requestquery", F_QUERY},
    {"urlquery", F_QUERY},
    {"query", F_QUERY},
    {"scstatus", F_STATUS},
    {"status", F_STATUS},
    {"downstreamstatus", F_STATUS},
    {"edgeresponsestatus", F_STATUS},
    {"httprequeststatus", F_STATUS},
    {"httpresponsestatuscode", F_STATUS},
    {"responsestatus", F_STATUS},
    {"httpstatuscode", F_STATUS}, /* Azure */
    {"statuscode", F_STATUS},
    {"responsecode", F_STATUS},
    {"response", F_STATUS},
    {"code", F_STATUS},
    {"csreferer", F_REFERER},
    {"httpreferer", F_REFERER},
    {"requestreferer", F_REFERER},
    {"requestheadersreferer", F_REFERER},
    {"httprequestreferer", F_REFERER},
    {"httprequestreferrer", F_REFERER},
    {"clientrequestreferer", F_REFERER},
    {"headersreferer", F_REFERER},
    {"httpreferrer", F_REFERER},
    {"referer", F_REFERER},
    {"referrer", F_REFERER},
    {"csuseragent", F_AGENT},
    {"httpuseragent", F_AGENT},
    {"requestuseragent", F_AGENT},
    {"requestheadersuseragent", F_AGENT},
    {"httprequestuseragent", F_AGENT},
    {"clientrequestuseragent", F_AGENT},
    {"useragentoriginal", F_AGENT},
    {"headersuseragent", F_AGENT},
    {"useragent", F_AGENT},
    {"agent", F_AGENT},
    {"ua", F_AGENT},
    {"xhostheader", F_HOST}, /* CloudFront: what the visitor asked for; cs(Host) is its own name */
    {"requesthost", F_HOST},
    {"authority", F_HOST},
    {"httphost", F_HOST},
    {"cshost", F_HOST},
    {"clientrequesthost", F_HOST},
    {"urldomain", F_HOST},
    {"host", F_HOST},
    {"vhost", F_HOST},
    {"virtualhost", F_HOST},
    {"domain", F_HOST},
    {"servername", F_HOST},
};

static enum access_field field_of(struct str plain, unsigned *rank)
{
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(plain, str_c(names[i].name))) {
			*rank = i;
			return names[i].field;
		}
	return F_NONE;
}

/* Objects that collectors put a line's fields into: {"properties":{"clientIp":…}}. */
static const char *const around[] = {
    "properties", "jsonpayload", "fields", "data", "log", "message", "record", "nginx", "access"};

enum access_field access_field_named(struct str name, unsigned *rank)
{
	char plain[64];
	size_t n = 0;
	for (size_t i = 0; i < name.n; i++) {
		if (!chr_alpha(name.p[i]) && !chr_digit(name.p[i]))
			continue;
		if (n == sizeof plain - 1)
			return F_NONE;
		plain[n++] = chr_lower(name.p[i]);
	}
	struct str all = str_make(plain, n);
	enum access_field f = field_of(all, rank);
	for (size_t i = 0; f == F_NONE && i < sizeof around / sizeof *around; i++) {
		if (str_starts(all, str_c(around[i])))
			f = field_of(str_skip(all, strlen(around[i])), rank);
		if (f != F_NONE)
			*rank += sizeof names / sizeof *names; /* behind names that stand alone */
	}
	return f;
}
