/* A path of the collect listener: one row with the functions that answer (collect/routes.c).
 * Dispatch and the table in docs/PROTOCOL.md are made from the rows. Trackers have paths of their
 * own (trackers/trackers.h). Rows are constant: any thread may read them. */
#ifndef CRUMB_COLLECT_COLLECT_ROUTE_H
#define CRUMB_COLLECT_COLLECT_ROUTE_H

#include "crumb/base/str.h"

struct collect;
struct http_request;

/* Answers, or holds the ticket of the request; on the thread of `c` (collect/collecting.h). */
typedef void collect_answer(struct collect *c, struct http_request *r);

/* A HEAD is answered like a GET, but records nothing: nobody has seen anything. */
struct collect_route {
	struct str path;
	collect_answer *get, *post, *options; /* NULL: 405 */
	bool event;			      /* a GET records something */
	bool timeless; /* a GET records and looks up nothing: answered whatever the clock says */
	/* For documents, of each method that is there: what it does and what it answers. */
	const char *get_help, *post_help, *options_help;
};

extern const struct collect_route collect_routes[]; /* ends with a zero row */

#endif
