/* The k gate: the one function between a count of visitors and anybody who asks about a group.
 * Below k nothing is told; from k on the number is rounded to ten. Every list, report, export and
 * metric that speaks of visitors by some property passes here
 * (tests/unit/privacy/kgate.c::the_gate_withholds_below_k_and_rounds_above,
 * tests/functional/test_privacy.py::test_below_k_nothing_is_told).
 *
 * The memory. Without one, a group of k members and one of k - 1 differ by being told: who sees a
 * group vanish and come back knows that one visitor left and came back. With a memory, a named
 * group that was told and then fell below k is told again only from k + 10 on. With k = 20:
 *
 *	members   25   20   19   22   29   30   26
 *	told      30   20   -    -    -    30   30
 *	state     TOLD TOLD FELL FELL FELL TOLD TOLD
 *
 * All processes at a store have one memory for all their outlets, the file `told`. It has a line
 * for each change of a state, appended by the process that told:
 *
 *	+ s shoes      segment "shoes" was told
 *	- c sports     category "sports" fell
 *
 * Before each answer about a named group, a process reads what others have appended (one fstat()
 * when there is nothing new). The server writes the file anew when it starts, with one line for
 * each group; the others see that and change to the new file. The file has names of groups and
 * nothing about visitors. A line has some 30 bytes; the file is read up to 16 MB.
 *
 * Any thread may call everything below. A memory has a lock of its own. */
#ifndef CRUMB_PRIVACY_KGATE_H
#define CRUMB_PRIVACY_KGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KGATE_STEP 10 /* numbers are rounded to it */

struct config;
struct kgate_memory;

struct kgate {
	uint32_t k; /* at least K_FLOOR: config.c sees to it, and kgate_k() again */
	struct kgate_memory *memory; /* borrowed; NULL: none */
};
struct shown {
	bool told;
	uint64_t n; /* rounded; only if told */
};

/* For a group without a name: the answer depends on the number alone. */
struct shown kgate_show(const struct kgate *g, uint64_t visitors);
/* For a count of events or rows: nothing happened is told as 0, for it speaks of nobody. From 1 to
 * k - 1 nothing is told. */
struct shown kgate_show_count(const struct kgate *g, uint64_t n);
/* For a group with a name: kind 's' segment, 'c' category, 'd' a category's days, each apart.
 * Withheld, too, when the memory cannot
 * note that it was told. */
struct shown kgate_show_group(const struct kgate *g, char kind, const char *id, uint64_t visitors);
/* A group's days, oldest first, the last being now. The states of earlier days follow from their
 * numbers as above. While the group is withheld now, its days below k + 10 are withheld, too. */
void kgate_show_days(const struct kgate *g, char kind, const char *id, const uint64_t *visitors,
    size_t n, struct shown *out);
uint32_t kgate_k(const struct kgate *g);
struct kgate kgate_of(const struct config *c); /* k and memory of this process */

struct kgate_memory *kgate_memory_new(void); /* without a file */
/* KGATE_READ: takes part in the file as it is, if there is one. KGATE_ANEW, for the owner of the
 * store: writes the file anew with one line for each group, or makes it. A file that cannot be read
 * or written is a warning and no failure: the memory then ends with the process. */
enum kgate_file { KGATE_READ, KGATE_ANEW };
struct kgate_memory *kgate_memory_open(const char *path, enum kgate_file file);
void kgate_memory_free(struct kgate_memory *m);

#endif
