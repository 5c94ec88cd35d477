/* Inside the journal: which counters of one life in one partition came before. It is the window
 * against replay of RFC 4303 (appendix A2), kept as a ring of words as in RFC 6479: nothing is
 * shifted when it moves on.
 *
 *     the newest counter that came                 top
 *     WINDOW of them, up to top                    a bit each: it came, or not
 *     behind these                                 counted as if it had come
 *
 *                  behind   │◀──────── WINDOW = 4096 ────────▶│
 *     counters   0 … 5 903  │ 5 904                     9 999 │ 10 000 …
 *                 refused   │ new where its bit is not set    │ always new; moves the window on
 *
 * A word holds counters 64 k to 64 k + 63, in the ring's place k mod WORDS. There is one word more
 * than WINDOW needs, so that the counters of the window never share a word with others.
 *
 * Why 4096: a producer has at most five requests under way in a partition, and sends one again only
 * while these are. So records come late by some tens at most. A window costs 528 bytes of memory.
 * On disk it is 8 bytes and the words in which something is missing, which for a producer whose
 * records all come is one.
 *
 *     on disk   top u64 │ words u64 …, from top's back; big-endian. Those at the end of which each
 *               bit is set are left out
 *
 * Pure functions; a window is one thread's at a time. One of zeros is one that nothing came to. */
#ifndef CRUMB_SRC_JOURNAL_WINDOW_H
#define CRUMB_SRC_JOURNAL_WINDOW_H

#include "crumb/base/str.h"

#define WINDOW 4096
enum { WINDOW_WORDS = WINDOW / 64 + 1, WINDOW_SAVED_MOST = 8 + 8 * WINDOW_WORDS };

struct window {
	uint64_t top;
	uint64_t words[WINDOW_WORDS];
};

/* COUNTER_BEHIND may be new or not: nobody knows any more, so it is to be dropped, too. */
enum window_is { COUNTER_NEW, COUNTER_AGAIN, COUNTER_BEHIND };

/* What a counter is. window_take() also notes that it came. */
enum window_is window_look(const struct window *w, uint64_t counter);
enum window_is window_take(struct window *w, uint64_t counter);
/* Notes in `w` all that came in `other`: then both came before. */
void window_join(struct window *w, const struct window *other);

/* Writes the window, and returns how many bytes these are. */
size_t window_save(const struct window *w, uint8_t out[WINDOW_SAVED_MOST]);
/* False: the bytes are no window. */
bool window_load(struct window *w, struct str saved);

#endif
