/* Contradictions: what a condition can never be, and what it always is. A pure function; any
 * thread. */
#ifndef CRUMB_CONDITION_LOGIC_H
#define CRUMB_CONDITION_LOGIC_H

#include "crumb/rules/rules.h"

/* Can the condition ever hold? On NEVER, *a and *b are nodes that exclude each other (b -1: a alone
 * is impossible; both -1: more than two are needed). UNDECIDED: too many cases. A *dead part is one
 * of several "or" cases that can never hold. */
enum logic_verdict { LOGIC_CAN, LOGIC_NEVER, LOGIC_UNDECIDED };
struct logic {
	enum logic_verdict verdict;
	int a, b;
	bool a_not, b_not; /* it is their opposites that exclude each other */
	bool dead;	   /* LOGIC_CAN, but a case is impossible: a and b say why */
	int always;	   /* a test that holds of everybody; -1: none */
};
struct logic rules_logic(const struct rules *r, int root);

#endif
