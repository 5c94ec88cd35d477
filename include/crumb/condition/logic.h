/* Contradictions: what a condition can never be, and what it always is. A pure function; any
 * thread.
 *
 * It is sound and not complete: what it calls impossible no visitor can be, but it does not find
 * every contradiction. How it works stands in condition/logic.c. */
#ifndef CRUMB_CONDITION_LOGIC_H
#define CRUMB_CONDITION_LOGIC_H

#include "crumb/rules/rules.h"

enum logic_verdict {
	LOGIC_CAN,	/* nothing is known against it */
	LOGIC_NEVER,	/* nobody can ever satisfy it */
	LOGIC_UNDECIDED /* too many cases */
};
struct logic {
	enum logic_verdict verdict;
	/* The nodes that exclude each other. b -1: `a` alone is impossible; both -1: more than two
	 * are needed for it. */
	int a, b;
	bool a_not, b_not; /* it is the opposite of the node that excludes */
	bool dead;  /* LOGIC_CAN, but one of several "or" cases is impossible: a and b say why */
	int always; /* a test that holds of everybody; -1: none */
};
struct logic rules_logic(const struct rules *r, int root);

#endif
