/* A growable byte buffer on the heap. A failure to grow sets a sticky flag, `failed`: callers write
 * straight on and check once.
 *
 * A zeroed buffer is empty. Its room doubles, from 256 bytes. What a *secret* buffer held is wiped
 * from every place where it was: when the buffer grows, is cleared and is done. One thread at a
 * time for each buffer, which belongs to whoever declared it. */
#ifndef CRUMB_BASE_BUF_H
#define CRUMB_BASE_BUF_H

#include "crumb/base/str.h"

struct buf {
	char *p;
	size_t n, cap;
	bool failed, secret;
};
#define BUF_SECRET ((struct buf){.secret = true})

bool buf_grow(struct buf *b, size_t more); /* what buf_reserve() calls */
/* Room for `more` bytes behind n. */
static inline bool buf_reserve(struct buf *b, size_t more)
{
	return b->cap - b->n >= more || buf_grow(b, more);
}
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Frees. The buffer is empty and usable again, and as secret as before. */
void buf_done(struct buf *b);

static inline void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}
static inline void buf_c(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}
static inline struct str buf_view(const struct buf *b)
{
	return (struct str){b->p, b->n};
}
void buf_wipe(struct buf *b); /* overwrites what is in it, and empties it */
static inline void buf_clear(struct buf *b)
{
	if (b->secret && b->n)
		buf_wipe(b);
	b->n = 0;
	b->failed = false;
}

#endif
