/* The window: see window.h for the picture. `k` is the number of a word, whatever its place. */
#include "window.h"

#include "crumb/base/code.h"

#define ALL UINT64_MAX

static uint64_t *ring_word(struct window *w, uint64_t k)
{
	return &w->words[k % WINDOW_WORDS];
}

/* The lowest word that is in the ring. */
static uint64_t lowest(const struct window *w)
{
	uint64_t k = w->top / 64;
	return k < WINDOW_WORDS ? 0 : k - (WINDOW_WORDS - 1);
}

static uint64_t bit(uint64_t counter)
{
	return (uint64_t)1 << (counter % 64);
}

enum window_is window_look(const struct window *w, uint64_t counter)
{
	if (counter > w->top)
		return COUNTER_NEW;
	if (w->top - counter >= WINDOW)
		return COUNTER_BEHIND;
	bool came = w->words[counter / 64 % WINDOW_WORDS] & bit(counter);
	return came ? COUNTER_AGAIN : COUNTER_NEW;
}

/* Moves the window on. Words that come into the ring are empty. */
static void move_on(struct window *w, uint64_t top)
{
	uint64_t from = w->top / 64, to = top / 64;
	if (to - from >= WINDOW_WORDS)
		from = to - WINDOW_WORDS;
	while (from < to)
		*ring_word(w, ++from) = 0;
	w->top = top;
}

enum window_is window_take(struct window *w, uint64_t counter)
{
	enum window_is is = window_look(w, counter);
	if (is != COUNTER_NEW)
		return is;
	if (counter > w->top)
		move_on(w, counter);
	*ring_word(w, counter / 64) |= bit(counter);
	return is;
}

/* Words that only the lower one has are behind the joined window. */
void window_join(struct window *w, const struct window *other)
{
	if (other->top > w->top)
		move_on(w, other->top);
	uint64_t from = lowest(w) > lowest(other) ? lowest(w) : lowest(other);
	for (uint64_t k = from; k <= other->top / 64; k++)
		*ring_word(w, k) |= other->words[k % WINDOW_WORDS];
}

size_t window_save(const struct window *w, uint8_t out[WINDOW_SAVED_MOST])
{
	size_t n = 8;
	uint8_t *p = out + 8;
	put_u64(out, w->top);
	for (uint64_t k = w->top / 64 + 1; k-- > lowest(w); p += 8) {
		uint64_t bits = w->words[k % WINDOW_WORDS];
		put_u64(p, bits);
		if (bits != ALL)
			n = (size_t)(p + 8 - out);
	}
	return n;
}

bool window_load(struct window *w, struct str saved)
{
	const uint8_t *p = (const uint8_t *)saved.p;
	struct window got;
	if (saved.n < 8 || saved.n % 8)
		return false;
	got.top = get_u64(p);
	size_t n = saved.n / 8 - 1;
	if (n > got.top / 64 - lowest(&got) + 1)
		return false;
	memset(got.words, 0xff, sizeof got.words);
	for (size_t i = 0; i < n; i++)
		*ring_word(&got, got.top / 64 - i) = get_u64(p + 8 + 8 * i);
	/* what is above the top has not come */
	uint64_t above = ~(bit(got.top) | (bit(got.top) - 1));
	*ring_word(&got, got.top / 64) &= ~above;
	*w = got;
	return true;
}
