/* The room doubles until what is to be added fits. A secret buffer is never given to realloc(),
 * which leaves a copy of the bytes where they were: its bytes are copied and wiped here. */
#include "crumb/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool buf_grow(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;
	while (cap - b->n < more)
		cap *= 2;
	char *p = b->secret ? malloc(cap) : realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	if (b->secret && b->p) {
		memcpy(p, b->p, b->n);
		explicit_bzero(b->p, b->n);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* Formats twice: first to learn the length, then into the room that was made for it. */
void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !buf_reserve(b, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void buf_wipe(struct buf *b)
{
	if (b->n)
		explicit_bzero(b->p, b->n);
	b->n = 0;
}

void buf_done(struct buf *b)
{
	if (b->secret)
		buf_wipe(b);
	free(b->p);
	*b = (struct buf){.secret = b->secret};
}
