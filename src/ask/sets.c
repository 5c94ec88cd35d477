/* Sets of the visitors of a shard, as bits by ordinal (asking.h says what they cost). */
#include "asking.h"

#include "crumb/base/array.h"

#include <stdlib.h>

void set_word_add(struct set *s, size_t word, uint64_t bits)
{
	if (array_room_zeroed(s->words, s->n, word + 1))
		s->words[word] |= bits;
}

void set_add(struct set *s, uint32_t ordinal)
{
	set_word_add(s, ordinal / 64, 1ull << ordinal % 64);
}

void set_join(struct set *a, const struct set *b)
{
	for (size_t w = 0; w < b->n; w++)
		if (b->words[w])
			set_word_add(a, w, b->words[w]);
}

void set_meet(struct set *a, const struct set *b)
{
	for (size_t w = 0; w < a->n; w++)
		a->words[w] &= w < b->n ? b->words[w] : 0;
}

void set_without(struct set *a, const struct set *b)
{
	for (size_t w = 0; w < a->n && w < b->n; w++)
		a->words[w] &= ~b->words[w];
}

uint64_t set_size(const struct set *s)
{
	uint64_t n = 0;
	for (size_t w = 0; w < s->n; w++)
		n += (uint64_t)__builtin_popcountll(s->words[w]);
	return n;
}

bool set_has(const struct set *s, uint32_t ordinal)
{
	return ordinal / 64 < s->n && s->words[ordinal / 64] >> ordinal % 64 & 1;
}

static uint64_t set_word(const struct set *s, size_t word)
{
	return word < s->n ? s->words[word] : 0;
}

/* Visitors who are in one of two groups and not in both. */
uint64_t sets_apart(const struct set *a, const struct set *b, unsigned shards)
{
	uint64_t apart = 0;
	for (unsigned i = 0; i < shards; i++) {
		size_t n = a[i].n > b[i].n ? a[i].n : b[i].n;
		for (size_t w = 0; w < n; w++)
			apart +=
			    (uint64_t)__builtin_popcountll(set_word(&a[i], w) ^ set_word(&b[i], w));
	}
	return apart;
}

void sets_free(struct set *s, unsigned shards)
{
	for (unsigned i = 0; s && i < shards; i++)
		free(s[i].words);
	free(s);
}
