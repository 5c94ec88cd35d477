/* One file of a delivery as one request: signed, bounded in time, and what the partner answered read for what it says of single rows. Blocks. */
#ifndef CRUMB_DELIVERY_PUSH_H
#define CRUMB_DELIVERY_PUSH_H

#include "crumb/base/buf.h"
#include "crumb/partners/destinations.h"

enum push_verdict {
	PUSH_TAKEN,	/* acknowledged, but for the rows in `refused` */
	PUSH_UNCERTAIN, /* acknowledged, but rows were refused that the answer does not name: they count as neither */
	PUSH_LATER,	/* try again: no answer, a wrong one, or the partner says so */
	PUSH_NEVER	/* trying again will not help */
};
struct push_answer {
	enum push_verdict verdict;
	uint32_t after_s;   /* LATER: the partner wants to be left alone for so long; 0: it does not say */
	struct buf refused; /* lines: id TAB segment or * TAB code TAB message */
	unsigned refused_n;
	char why[300];
};

/* `stop` becoming true ends it at once, as LATER; it may be NULL. */
void push_file(
    const struct destination *d, struct str body, const char *idempotency_key, uint32_t now, const _Atomic bool *stop, struct push_answer *out);
void push_answer_done(struct push_answer *a);

/* --- inside, for fuzzing: reads what a partner answered with a success */
void push_read_ttd(struct str answer, struct push_answer *out);
void push_read_google(struct str answer, struct push_answer *out);

#endif
