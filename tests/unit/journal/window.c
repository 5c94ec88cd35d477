/* journal/window: a counter is new once, whatever the order, as long as it is in the window. */
#include "unit.h"

#include "src/journal/window.h"

#include <stdlib.h>

/* xorshift64*: the same numbers for the same seed, on any machine. */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed >> 12, *seed ^= *seed << 25, *seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1d;
}

/* What is saved comes back as the same window. */
static void saved_and_loaded(struct window *w)
{
	uint8_t bytes[WINDOW_SAVED_MOST];
	size_t n = window_save(w, bytes);
	struct window got;
	assert_true(window_load(&got, str_make((const char *)bytes, n)));
	assert_int_equal(got.top, w->top);
	for (uint64_t c = w->top < WINDOW ? 0 : w->top - WINDOW - 70; c <= w->top + 70; c++)
		assert_int_equal(window_look(&got, c), window_look(w, c));
	*w = got;
}

TEST(a_counter_is_new_once)
{
	struct window w = {0};
	assert_int_equal(window_take(&w, 0), COUNTER_NEW);
	assert_int_equal(window_take(&w, 0), COUNTER_AGAIN);
	assert_int_equal(window_look(&w, 1), COUNTER_NEW); /* looking notes nothing */
	assert_int_equal(window_take(&w, 1), COUNTER_NEW);
	assert_int_equal(window_take(&w, 1), COUNTER_AGAIN);
}

TEST(what_is_behind_the_window_is_refused_and_what_is_at_its_edge_is_known)
{
	struct window w = {0};
	assert_int_equal(window_take(&w, 9999), COUNTER_NEW);
	assert_int_equal(window_take(&w, 9999 - WINDOW), COUNTER_BEHIND);
	assert_int_equal(window_take(&w, 9999 - WINDOW + 1), COUNTER_NEW);
	assert_int_equal(window_take(&w, 9999 - WINDOW + 1), COUNTER_AGAIN);
	assert_int_equal(window_take(&w, 10000), COUNTER_NEW);
	assert_int_equal(window_take(&w, 10000 - WINDOW), COUNTER_BEHIND);
}

TEST(a_jump_of_any_width_leaves_nothing_of_before_in_the_ring)
{
	for (uint64_t jump = 1; jump < 3 * WINDOW; jump += 61) {
		struct window w = {0};
		for (uint64_t c = 0; c < 200; c++)
			assert_int_equal(window_take(&w, c), COUNTER_NEW);
		assert_int_equal(window_take(&w, 199 + jump), COUNTER_NEW);
		for (uint64_t c = 0; c < 199 + jump; c++) {
			enum window_is want = c < 200 ? COUNTER_AGAIN : COUNTER_NEW;
			if (199 + jump - c >= WINDOW)
				want = COUNTER_BEHIND;
			assert_int_equal(window_look(&w, c), want);
		}
		saved_and_loaded(&w);
	}
}

#define MANY 40000
/* Counters in an order that is shuffled by up to half a window, each once to three times: each is
 * taken as new exactly once, and none is behind. */
static void shuffled(uint64_t seed)
{
	struct window w = {0};
	uint8_t *taken = calloc(MANY, 1);
	uint64_t at = seed % 7 ? 0 : seed / 2, dropped = 0;
	unsigned reach = 1 + (unsigned)(next(&seed) % (WINDOW / 2));
	assert_non_null(taken);
	for (unsigned i = 0; i < MANY; i += 1 + reach) {
		unsigned n = i + 1 + reach < MANY ? 1 + reach : MANY - i;
		for (unsigned k = 0; k < 3 * n; k++) { /* some of this stretch, again and again */
			unsigned c = i + (unsigned)(next(&seed) % n);
			enum window_is is = window_take(&w, at + c);
			assert_int_equal(is, taken[c] ? COUNTER_AGAIN : COUNTER_NEW);
			dropped += taken[c];
			taken[c] = 1;
		}
		for (unsigned k = i; k < i + n; k++) /* and what was left out */
			assert_int_equal(
			    window_take(&w, at + k), taken[k] ? COUNTER_AGAIN : COUNTER_NEW);
		if (next(&seed) % 4 == 0)
			saved_and_loaded(&w);
		memset(taken + i, 1, n);
	}
	assert_true(dropped > 0);
	free(taken);
}

TEST(duplicates_and_reorderings_within_the_window_are_dropped_exactly)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		shuffled(seed * 0x9e3779b97f4a7c15);
}

/* Against a list of all that came. Steps of any width, backwards and on. */
TEST(any_order_gives_what_a_list_of_all_counters_gives)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		uint64_t s = seed, top = 0;
		uint8_t *came = calloc(MANY, 1);
		struct window w = {0};
		assert_non_null(came);
		for (unsigned i = 0; i < 20000; i++) {
			uint64_t back = next(&s) % (WINDOW + WINDOW / 2), c = top;
			c = next(&s) % 3 ? (c > back ? c - back : 0) : c + next(&s) % (1 + i % 9);
			if (c >= MANY)
				break;
			enum window_is want = came[c] ? COUNTER_AGAIN : COUNTER_NEW;
			if (c < top && top - c >= WINDOW)
				want = COUNTER_BEHIND;
			assert_int_equal(window_take(&w, c), want);
			came[c] |= want == COUNTER_NEW;
			top = c > top ? c : top;
		}
		saved_and_loaded(&w);
		free(came);
	}
}

TEST(a_window_without_gaps_takes_sixteen_bytes_on_disk)
{
	struct window w = {0};
	uint8_t bytes[WINDOW_SAVED_MOST];
	for (uint64_t c = 0; c < 3 * WINDOW + 17; c++)
		assert_int_equal(window_take(&w, c), COUNTER_NEW);
	assert_int_equal(window_save(&w, bytes), 16);
	saved_and_loaded(&w);
	assert_int_equal(
	    window_take(&w, 3 * WINDOW + 17 + 100), COUNTER_NEW); /* a gap of two words */
	assert_in_range(window_save(&w, bytes), 24, 32);
	saved_and_loaded(&w);
}

TEST(joined_windows_know_what_either_knew)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t s = seed, from[2] = {next(&s) % 9000, next(&s) % 9000};
		struct window w[2] = {{0}, {0}}, both;
		for (unsigned i = 0; i < 4000; i++)
			(void)window_take(&w[i % 2], from[i % 2] + next(&s) % 5000);
		both = w[0];
		window_join(&both, &w[1]);
		assert_int_equal(both.top, w[0].top > w[1].top ? w[0].top : w[1].top);
		for (uint64_t c = 0; c <= both.top + 1; c++) {
			bool came = window_look(&w[0], c) == COUNTER_AGAIN ||
				    window_look(&w[1], c) == COUNTER_AGAIN;
			enum window_is want = came ? COUNTER_AGAIN : COUNTER_NEW;
			if (c < both.top && both.top - c >= WINDOW)
				want = COUNTER_BEHIND;
			assert_int_equal(window_look(&both, c), want);
		}
	}
}

TEST(other_bytes_are_no_window)
{
	struct window w = {.top = 5};
	char bytes[WINDOW_SAVED_MOST + 8] = {0};
	assert_false(window_load(&w, STR("")));
	assert_false(window_load(&w, str_make(bytes, 7)));
	assert_false(window_load(&w, str_make(bytes, 9)));
	assert_false(window_load(&w, str_make(bytes, 24))); /* counter 0 has one word */
	memset(bytes, 0xff, 8);
	assert_true(window_load(&w, str_make(bytes, WINDOW_SAVED_MOST)));
	assert_false(window_load(&w, str_make(bytes, WINDOW_SAVED_MOST + 8)));
	assert_int_equal(window_look(&w, UINT64_MAX), COUNTER_NEW);
	assert_int_equal(window_take(&w, UINT64_MAX), COUNTER_NEW);
	assert_int_equal(window_take(&w, UINT64_MAX), COUNTER_AGAIN);
}

UNIT_TESTS(cmocka_unit_test(a_counter_is_new_once),
    cmocka_unit_test(what_is_behind_the_window_is_refused_and_what_is_at_its_edge_is_known),
    cmocka_unit_test(a_jump_of_any_width_leaves_nothing_of_before_in_the_ring),
    cmocka_unit_test(duplicates_and_reorderings_within_the_window_are_dropped_exactly),
    cmocka_unit_test(any_order_gives_what_a_list_of_all_counters_gives),
    cmocka_unit_test(a_window_without_gaps_takes_sixteen_bytes_on_disk),
    cmocka_unit_test(joined_windows_know_what_either_knew),
    cmocka_unit_test(other_bytes_are_no_window))
