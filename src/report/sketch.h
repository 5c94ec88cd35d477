/* Odd sketches: how far two groups of visitors are apart at least, from 512 bytes of each.
 *
 * Each visitor has one bit of a sketch, by chance; a member of the group turns it over. Two groups'
 * sketches then differ, bit by bit, where an odd number of visitors of that bit are in one group
 * and not in both. So the bits that differ are never more than the visitors who make the
 * difference:
 *
 *     visitor            a    b    c    d    e    f
 *     bit                2    5    2    0    7    5
 *     group A            x    x         x                bits 2, 5, 0       10100100
 *     group B            x    x    x                x    bits 2 2 5 5       00000000
 *     differ                       c    d         f      3 visitors, and A xor B has 3 bits: 0, 2,
 * 5 group C            x         x    x                bits 2 2 0         10000000 A and C differ
 * b    c                     2 visitors, 2 bits: 2, 5
 *
 * Where two visitors of the difference share a bit it is too few by two. So: k bits differ → at
 * least k visitors make the difference, for sure. Fewer bits differ → perhaps fewer than k do, and
 * the groups count as near. With 4,096 bits, 60 visitors who make a difference show as 59 bits on
 * average (Mitzenmacher, Pagh, Pham, "Efficient estimation for high similarities using odd
 * sketches", 2014, has the arithmetic).
 *
 * 64 visitors at a time are marked with one exclusive or: a block of 64 has one word of the sketch,
 * and its visitors the bits of that word, turned by some places. Word and turn are drawn by a key
 * of this making, so nobody can choose whom they share a bit with. Each shard has words of its own
 * (as long as there are enough), so threads write beside each other. */
#ifndef CRUMB_SRC_REPORT_SKETCH_H
#define CRUMB_SRC_REPORT_SKETCH_H

#include <stddef.h>
#include <stdint.h>

/* Functions that count bits are compiled more than once, for processors that have instructions for
 * it; __builtin_cpu_supports() says which to call. */
#define ALWAYS __attribute__((always_inline))
#define COUNTS_BITS __attribute__((target("popcnt")))
#if defined __clang__
#define COUNTS_MANY_BITS __attribute__((target("avx512f,avx512vpopcntdq")))
#else
#define COUNTS_MANY_BITS __attribute__((target("avx512f,avx512vpopcntdq"), optimize("O3")))
#endif

#define SKETCH_WORDS 64 /* 4,096 bits, where there is room */

/* The smallest sketch in which k bits can be told from chance: eight for each. */
unsigned sketch_words_least(uint64_t k);
/* Bits that differ between a and b, or, once that many are found, some number of at least `most`.
 * `c` is a third sketch that is put upon the two; NULL: none. The words of each are `stride` words
 * apart. */
unsigned sketch_apart(const uint64_t *a, const uint64_t *b, const uint64_t *c, unsigned words,
    size_t stride, unsigned most);

#endif
