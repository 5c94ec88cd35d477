/* The k gate: the one function between a count of visitors and anybody who asks about a group. Below k nothing is told;
 * above, the number is rounded to ten. Every list, report, export and metric that speaks of visitors by some property
 * passes here (tests/unit/privacy.c::the_gate_withholds_below_k_and_rounds_above,
 * tests/functional/test_privacy.py::test_below_k_nothing_is_told). */
#ifndef CRUMB_PRIVACY_KGATE_H
#define CRUMB_PRIVACY_KGATE_H

#include <stdbool.h>
#include <stdint.h>

struct kgate {
	uint32_t k; /* at least K_FLOOR: config.c sees to it, and kgate_show() again */
};
struct shown {
	bool told;
	uint64_t n; /* rounded; only if told */
};

struct shown kgate_show(const struct kgate *g, uint64_t visitors);
uint32_t kgate_k(const struct kgate *g);

#endif
