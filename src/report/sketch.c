/* Comparing sketches. Groups that have little to do with each other differ in the first words
 * already, so the count stops as soon as it is enough; the processor's own instruction for counting
 * bits is used where it has one. */
#include "sketch.h"

#include <stdbool.h>

unsigned sketch_words_least(uint64_t k)
{
	unsigned words = 8;
	while (words * 64ull < 8 * k)
		words *= 2;
	return words;
}

static inline ALWAYS unsigned count_apart(const uint64_t *a, const uint64_t *b, const uint64_t *c,
    unsigned words, size_t stride, unsigned most)
{
	unsigned n = 0;
	for (unsigned i = 0; i < words && n < most; i++)
		n += (unsigned)__builtin_popcountll(
		    a[i * stride] ^ b[i * stride] ^ (c ? c[i * stride] : 0));
	return n;
}

#if defined __x86_64__
static COUNTS_BITS unsigned count_fast(const uint64_t *a, const uint64_t *b, const uint64_t *c,
    unsigned words, size_t stride, unsigned most)
{
	return count_apart(a, b, c, words, stride, most);
}

unsigned sketch_apart(const uint64_t *a, const uint64_t *b, const uint64_t *c, unsigned words,
    size_t stride, unsigned most)
{
	return __builtin_cpu_supports("popcnt") ? count_fast(a, b, c, words, stride, most)
						: count_apart(a, b, c, words, stride, most);
}
#else
unsigned sketch_apart(const uint64_t *a, const uint64_t *b, const uint64_t *c, unsigned words,
    size_t stride, unsigned most)
{
	return count_apart(a, b, c, words, stride, most);
}
#endif
