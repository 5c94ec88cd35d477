/* Sketches never say that two groups are farther apart than they are. */
#include "unit.h"

#include "src/report/sketch.h"

#include <stdbool.h>

#define WORDS 8

static void turn(uint64_t *sketch, unsigned bit)
{
	sketch[bit / 64 % WORDS] ^= 1ull << bit % 64;
}

/* Random groups of visitors who have random bits. */
TEST(sketches_are_never_farther_apart_than_the_groups)
{
	uint32_t x = 3;
	for (int round = 0; round < 2000; round++) {
		uint64_t a[WORDS] = {0}, b[WORDS] = {0};
		unsigned apart = 0;
		for (unsigned i = 0; i < 300; i++) {
			x = x * 1664525 + 1013904223;
			bool in_a = x >> 8 & 1, in_b = (x >> 9) % 300 < (unsigned)round % 300;
			in_b ^= in_a;
			apart += in_a != in_b;
			if (in_a)
				turn(a, x >> 20);
			if (in_b)
				turn(b, x >> 20);
		}
		unsigned found = sketch_apart(a, b, NULL, WORDS, 1, 64 * WORDS);
		assert_true(found <= apart);
		assert_int_equal(found % 2, apart % 2);
		if (apart < 20)
			assert_true(found + 4 >= apart); /* pairs on one bit are rare */
	}
}

TEST(a_third_sketch_is_put_upon_the_two)
{
	uint64_t a[WORDS] = {1, 2}, b[WORDS] = {2, 2}, all[WORDS] = {3, 4};
	assert_int_equal(sketch_apart(a, b, NULL, WORDS, 1, 99), 2);
	assert_int_equal(sketch_apart(a, b, all, WORDS, 1, 99), 1);
}

TEST(the_count_stops_when_it_is_enough)
{
	uint64_t a[WORDS] = {UINT64_MAX, UINT64_MAX, UINT64_MAX}, b[WORDS] = {0};
	assert_int_equal(sketch_apart(a, b, NULL, WORDS, 1, 65), 128);
}

TEST(a_sketch_has_eight_bits_for_each_of_k)
{
	assert_int_equal(sketch_words_least(10), 8);
	assert_int_equal(sketch_words_least(50), 8);
	assert_int_equal(sketch_words_least(65), 16);
	assert_int_equal(sketch_words_least(1000), 128);
}

UNIT_TESTS(cmocka_unit_test(sketches_are_never_farther_apart_than_the_groups),
    cmocka_unit_test(a_third_sketch_is_put_upon_the_two),
    cmocka_unit_test(the_count_stops_when_it_is_enough),
    cmocka_unit_test(a_sketch_has_eight_bits_for_each_of_k))
