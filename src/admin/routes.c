/* All routes of the admin listener, and what all of them answer alike. */
#include "routes.h"

const struct route *const admin_routes[] = {
#define X(name) routes_##name,
    ROUTE_TABLES(X)
#undef X
	NULL,
};

const struct route_answer admin_answers[] = {
    {400, .when = "a parameter does not exist, comes twice, is missing or is not of its kind"},
    {401, .when = "there is no token or session, or it is none that is good; in plain text where a "
		  "body of more than 4 KB came with the request"},
    {403, .when = "the role is too low; a page of another origin asks; or a session changes "
		  "something without the header `X-Crumb`. In plain text where a body of more than "
		  "4 KB came with the request"},
    {405, .when = "another method is meant; `Allow` names it"},
    {413, .when = "the body is longer than the route takes: 4 KB where it takes none",
	.type = "text/plain"},
    {415, .when = "the body has a `Content-Encoding`"},
    {421, .when = "`Host` is neither the listener's address nor in `admin.hosts`"},
    {429, .when = "too many wrong tokens came from there within a minute (`Retry-After`)"},
    {503, .when = "there is too much to do, or no memory (`Retry-After`)"},
    {0},
};
