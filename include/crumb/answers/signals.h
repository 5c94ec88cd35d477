/* What pages send often and no rule uses, and rules that hardly anybody matches, as JSON: the same
 * for `rules signals` and for the API. Every number went through the k gate.
 *
 * The journal of 30 days is read twice, which takes some seconds for millions of events. Any
 * thread; what is pointed to is the caller's for as long as the call. Callers begin with
 * memory_begin(). */
#ifndef CRUMB_ANSWERS_SIGNALS_H
#define CRUMB_ANSWERS_SIGNALS_H

#include "crumb/views/view.h"

#include <stdatomic.h>

struct json_t;

struct signals_of {
	struct store *store; /* its journal is open */
	struct generation *g;
	const struct kgate *gate;
	uint32_t now;
	const _Atomic bool *stop; /* becomes true: ERR_BUSY; NULL */
	void (*progress)(const char *what, uint64_t n, uint64_t of); /* NULL: nobody looks */
};
/* {"days","unused":[{"kind","value","events","visitors"}],"idle_categories","idle_segments"}; *out
 * is for json_decref(). */
enum err answer_signals(const struct signals_of *of, struct json_t **out) MUST_CHECK;

#endif
