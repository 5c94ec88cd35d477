/* The paths of the collect listener. Dispatch goes down the rows, so the path that is asked for
 * most is the first. */
#include "crumb/collect/collect_route.h"

#include "crumb/collect/collecting.h"
#include "crumb/collect/fixed.h"

#define PREFLIGHT "204 with CORS headers for listed origins, 403 for others."

static void fixed(struct collect *c, struct http_request *r)
{
	fixed_answer(c->shared->fixed, r);
}

/* Browsers ask for an icon by themselves: a 404 would count as a mistake of somebody's. */
static void no_icon(struct collect *c, struct http_request *r)
{
	(void)c;
	http_reply(r->ticket, 204, "", STR("Cache-Control: public, max-age=86400\r\n"), STR(""));
}

const struct collect_route collect_routes[] = {
    {
	.path = {"/p.gif", 6},
	.get = collect_pixel,
	.options = cors_preflight,
	.event = true,
	.get_help = "A hit. 200, a transparent GIF of 43 bytes, `Cache-Control: no-store`.",
	.options_help = PREFLIGHT,
    },
    {
	.path = {"/e", 2},
	.post = collect_events,
	.options = cors_preflight,
	.post_help =
	    "Hits. 204. Body: a JSON object, an array of objects, or NDJSON; `application/json`, "
	    "`application/x-ndjson`, `text/plain` or no type. At most 1,000 events and "
	    "`collect.body_bytes`. `Content-Encoding` may be `gzip` or `deflate` (415 with "
	    "`Accept-Encoding` for others): a body that would be longer than `collect.body_bytes` "
	    "when uncompressed, or, beyond 500 kB, longer than 16 times what came, is 413. A body "
	    "that is not what it claims to be is refused whole (400); nothing of it is recorded.",
	.options_help = PREFLIGHT,
    },
    {
	.path = {"/segments", 9},
	.get = collect_segments,
	.options = cors_preflight,
	.get_help =
	    "`{\"segments\":[\"id\",…]}`. `?format=ortb2` gives `{\"user\":{\"data\":[{\"name\":…,"
	    "\"ext\":{\"segtax\":4},\"segment\":[{\"id\":…}]}]}}`: rows of the taxonomy, and "
	    "behind them a second entry without `segtax` for segments that have none; `kv`, "
	    "`pps`, `rtd`: [DESTINATIONS.md](DESTINATIONS.md#pages). `?fresh=1` waits until "
	    "everything this browser has sent is counted, `&wait=MS` no longer than that.",
	.options_help = PREFLIGHT,
    },
    {
	.path = {"/sync", 5},
	.get = collect_sync,
	.options = cors_preflight,
	.event = true,
	.get_help = "User sync: [DESTINATIONS.md](DESTINATIONS.md#user-sync). 200, 302, 400 where "
		    "the redirect is not listed, 404 for an unknown partner.",
	.options_help = PREFLIGHT,
    },
    {
	.path = {"/crumb.js", 9},
	.get = fixed,
	.timeless = true,
	.get_help = "The tag, gzipped for who takes it (`Accept-Encoding` with its weights; "
		    "`Vary`); cached an hour. `ETag` (one for each coding), `Last-Modified`; "
		    "`If-None-Match`, `If-Modified-Since`: 304; `If-Match`, "
		    "`If-Unmodified-Since`: 412 (RFC 9110 13).",
    },
    {
	.path = {"/crumb-debug.js", 15},
	.get = fixed,
	.timeless = true,
	.get_help = "The tag assistant's panel, as `/crumb.js`; the tag loads it where the page's "
		    "address ends in `#crumb-debug`: [sites.md](sites.md#the-tag-assistant).",
    },
    {
	.path = {"/optout", 7},
	.get = collect_optout,
	.post = collect_optout,
	.timeless = true,
	.get_help = "Sets `crumb_optout=1` for 400 days, nothing else. A page; loaded as a "
		    "picture (`Sec-Fetch-Dest: image`, or `?format=gif`) the pixel, so that pages "
		    "of other origins may do that.",
	.post_help = "The same, and as `/me/forget`; same-origin only (403 otherwise).",
    },
    {
	.path = {"/optin", 6},
	.post = collect_optin,
	.post_help = "Removes `crumb_optout`; same-origin, or from a listed origin (403 "
		     "otherwise).",
    },
    {
	.path = {"/me", 3},
	.get = collect_me,
	.get_help = "A page of what is known about this browser and when each part ends, by the "
		    "names that rules give, with what can be done and what opting out leaves; in "
		    "English or German by `Accept-Language` (`Content-Language`, `Vary`); "
		    "`operator.name` and `operator.policy` say whose it is. `?format=json` "
		    "downloads it. 403 to requests of other sites, but for a link that is "
		    "followed.",
    },
    {
	.path = {"/me/forget", 10},
	.post = collect_forget,
	.post_help = "Erases the visitor and expires the cookie; answers when it is gone from "
		     "the views, with a receipt. Same-origin only (403 otherwise); GET is 405.",
    },
    {
	.path = {"/robots.txt", 11},
	.get = fixed,
	.timeless = true,
	.get_help = "Nothing may be crawled.",
    },
    {
	.path = {"/favicon.ico", 12},
	.get = no_icon,
	.timeless = true,
	.get_help = "There is no icon: 204.",
    },
    {
	.path = {"/.well-known/gpc.json", 21},
	.get = fixed,
	.timeless = true,
	.get_help = "`{\"gpc\":true,\"lastUpdate\":…}`; `ETag` and conditions as of `/crumb.js`.",
    },
    {{NULL, 0}, .get = NULL},
};
