/* The k gate: the one function between a count of visitors and anybody who asks about a group.
 * Below k nothing is told; above, the number is rounded to ten. Every list, report, export and
 * metric that speaks of visitors by some property passes here
 * (tests/unit/privacy/kgate.c::the_gate_withholds_below_k_and_rounds_above,
 * tests/functional/test_privacy.py::test_below_k_nothing_is_told).
 *
 * With a memory, a named group that was told and then fell below k is told again only from k + 10
 * on, so that one visitor who comes and goes at the border does not show. All processes at a store
 * have one memory for all their outlets, the file `told`: a line for each change, "+ s ID" for a
 * group that was told and "- s ID" for one that fell, appended by whoever tells and read by all. It
 * has names of groups and nothing of visitors. */
#ifndef CRUMB_PRIVACY_KGATE_H
#define CRUMB_PRIVACY_KGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KGATE_STEP 10 /* numbers are rounded to it */

struct config;
struct kgate_memory; /* any thread */

struct kgate {
	uint32_t k; /* at least K_FLOOR: config.c sees to it, and kgate_show() again */
	struct kgate_memory *memory; /* NULL: none */
};
struct shown {
	bool told;
	uint64_t n; /* rounded; only if told */
};

struct shown kgate_show(const struct kgate *g, uint64_t visitors);
/* The same for a group that has a name: kind 's' segment, 'c' category. */
struct shown kgate_show_group(const struct kgate *g, char kind, const char *id, uint64_t visitors);
/* A group's days, oldest first, the last being now. A day on which it was small and had fallen is
 * withheld like the present, and while it is withheld now, so are the days on which it was as
 * small. */
void kgate_show_days(const struct kgate *g, char kind, const char *id, const uint64_t *visitors,
    size_t n, struct shown *out);
uint32_t kgate_k(const struct kgate *g);
struct kgate kgate_of(const struct config *c); /* k and memory of this process */

struct kgate_memory *kgate_memory_new(void); /* without a file */
/* What other processes told, before and while this one runs, as far as there is a file. Anew: makes
 * it, or writes it anew with what counts; by whoever owns the store. A file that cannot be read or
 * written is no failure: the memory then ends with the process. */
enum kgate_file { KGATE_READ, KGATE_ANEW };
struct kgate_memory *kgate_memory_open(const char *path, enum kgate_file file);
void kgate_memory_free(struct kgate_memory *m);

#endif
