/* Memory that is freed all at once: what is kept in an arena stays where it is, zeroed and aligned,
 * however much follows. */
#include "unit.h"

#include "crumb/base/arena.h"

#include <stddef.h>
#include <stdio.h>

TEST(what_is_kept_stays_where_it_is)
{
	enum { MANY = 20000 };
	struct arena a = {NULL};
	static struct str kept[MANY];
	char text[32];
	for (int i = 0; i < MANY; i++) { /* more than one block holds */
		int n = snprintf(text, sizeof text, "text %d", i);
		kept[i] = arena_keep(&a, str_make(text, (size_t)n));
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "text %d", i);
		assert_string_equal(kept[i].p, text); /* with a zero behind it */
		assert_int_equal(kept[i].n, strlen(text));
	}
	assert_string_equal(arena_keep(&a, STR("")).p, "");
	arena_done(&a);
	assert_null(a.newest);
}

TEST(memory_is_zeroed_and_aligned_at_any_size)
{
	static const size_t sizes[] = {1, 15, 16, 17, 65535, 65536, 65537, 1 << 20, 3};
	struct arena a = {NULL};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		unsigned char *p = arena_alloc(&a, sizes[i]);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, sizes[i]); /* what comes next lies beside it, not in it */
	}
	arena_done(&a);
	arena_done(&a);
}

UNIT_TESTS(cmocka_unit_test(what_is_kept_stays_where_it_is),
    cmocka_unit_test(memory_is_zeroed_and_aligned_at_any_size))
