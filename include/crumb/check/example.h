/* Marketers' own examples: what a visitor did, and which segments that should mean. Run without a
 * server or a store.
 *
 *     version: 1
 *     tests:
 *       - name: three looks make a fan
 *         visitor: {country: US, device: mobile, attr.size: xl}
 *         did:
 *           - {path: /coats/parka, times: 3, ago: 2d}
 *           - {event: purchase, v: 49.90, ago: 40d}
 *         expect: [coat-fans]
 *         not: [customers]
 *
 * Paths are as crumb keeps them: nothing is scrubbed here. */
#ifndef CRUMB_CHECK_EXAMPLE_H
#define CRUMB_CHECK_EXAMPLE_H

#include "crumb/rules/rules.h"

struct example_result {
	const char *name;
	struct yaml_place at;
	bool passed;
	struct str *missing; /* expected, and the visitor is not in */
	unsigned missing_n;
	struct str *unwanted; /* excluded, and the visitor is in */
	unsigned unwanted_n;
};
/* Runs every example of a file. Mistakes of the file go to `report`; then nothing is run
 * (ERR_SYNTAX). `each` hears of every result. */
enum err examples_run(struct rules *r, struct str file, struct str text, uint16_t today,
    unsigned retention, struct report *report,
    void (*each)(void *arg, const struct example_result *result), void *arg) MUST_CHECK;

#endif
