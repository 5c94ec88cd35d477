/* The summary of today: what an operator or a marketer sees first. Made of the other reports and of
 * lists; every number about visitors went through the k gate.
 *
 * Any thread. What is pointed to is the caller's for as long as the call; *out is for
 * json_decref(). Callers begin with memory_begin(). */
#ifndef CRUMB_REPORT_SUMMARY_H
#define CRUMB_REPORT_SUMMARY_H

#include "crumb/partners/destinations.h"
#include "crumb/report/tally.h"
#include "crumb/views/view.h"

struct json_t;

struct summary_of {
	struct generation *g;
	const struct rules *coming; /* rules on their way into the views; NULL: none */
	struct tally *tally;
	const struct destinations *all;
	const struct kgate *gate;
	uint32_t now;
	double lag_s; /* of the folds; 0 where nobody records */
	const char
	    *trouble;	   /* sentences: why hits cannot be recorded, or the views cannot follow */
	const char *clock; /* why the clock is in doubt; NULL or empty: it is not */
};

#define SUMMARY_ATTENTION 100 /* rows at most */
#define SUMMARY_MOVERS 10

/* {"day","visitors","visitors_complete","hits","events","refused":[{"reason","hits"}],
 * "set_aside":[…],"lag_s","disk_free","attention":[{"what","id","says","link"}],"more":bool,
 * "movers":{"day":[{"id","name","before","size","change"}],"week":[…]}} */
enum err summary_report(const struct summary_of *s, struct json_t **out) MUST_CHECK;

#endif
