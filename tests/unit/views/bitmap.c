/* Sets of members, stored with a check. */
#include "unit.h"

#include "crumb/views/bitmap.h"

TEST(a_bitmap_that_was_changed_is_refused)
{
	struct bitmap *b;
	struct buf bytes = {0};
	assert_int_equal(bitmap_read(STR(""), &b), OK);
	for (unsigned i = 0; i < 3000; i++)
		bitmap_set(b, (uint16_t)(i * i), BITMAP_IN);
	uint32_t size = bitmap_size(b);
	bitmap_write(b, &bytes);
	bitmap_free(b);
	assert_int_equal(bitmap_stored_size(buf_view(&bytes)), size);
	assert_int_equal(bitmap_read(buf_view(&bytes), &b), OK);
	assert_int_equal(bitmap_size(b), size);
	bitmap_free(b);
	for (size_t i = 0; i < bytes.n; i += 7) {
		bytes.p[i] ^= 1;
		assert_int_equal(bitmap_read(buf_view(&bytes), &b), ERR_CORRUPT);
		bytes.p[i] ^= 1;
	}
	buf_done(&bytes);
}

static uint32_t listed[BITMAP_MOST];

/* Every `step`th of the ordinals from `from` on, `n` of them, is what comes back. */
static void comes_back(uint32_t from, uint32_t step, uint32_t n)
{
	struct bitmap *b;
	struct buf bytes = {0};
	uint32_t got = 1;
	assert_int_equal(bitmap_read(STR(""), &b), OK);
	for (uint32_t i = 0; i < n; i++)
		bitmap_set(b, (uint16_t)(from + i * step), BITMAP_IN);
	bitmap_write(b, &bytes);
	bitmap_free(b);
	assert_int_equal(bitmap_stored_list(buf_view(&bytes), listed, &got), OK);
	assert_int_equal(got, n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(listed[i], from + i * step);
	for (size_t i = 0; i < bytes.n; i += bytes.n / 100 + 1) {
		bytes.p[i] ^= 1;
		assert_int_equal(bitmap_stored_list(buf_view(&bytes), listed, &got), ERR_CORRUPT);
		bytes.p[i] ^= 1;
	}
	buf_done(&bytes);
}

TEST(a_stored_set_is_listed_whatever_its_form)
{
	uint32_t got = 1;
	assert_int_equal(bitmap_stored_list(STR(""), listed, &got), OK);
	assert_int_equal(got, 0);
	comes_back(0, 1, 0);
	comes_back(7, 1, 1);
	comes_back(65535, 1, 1);
	comes_back(3, 13, 4096);  /* an array */
	comes_back(3, 13, 4097);  /* bits */
	comes_back(1, 2, 32767);  /* bits */
	comes_back(0, 1, 65536);  /* one run */
	comes_back(100, 1, 5000); /* one run */
}

TEST(a_set_of_runs_and_single_ordinals_is_listed)
{
	struct bitmap *b;
	struct buf bytes = {0};
	uint32_t got, n = 0;
	assert_int_equal(bitmap_read(STR(""), &b), OK);
	for (uint32_t i = 0; i < BITMAP_MOST; i++)
		if (i % 1000 < 700 || i % 1000 == 800)
			bitmap_set(b, (uint16_t)i, BITMAP_IN);
	bitmap_write(b, &bytes);
	bitmap_free(b);
	assert_int_equal(bitmap_stored_list(buf_view(&bytes), listed, &got), OK);
	for (uint32_t i = 0; i < BITMAP_MOST; i++)
		if (i % 1000 < 700 || i % 1000 == 800)
			assert_int_equal(listed[n++], i);
	assert_int_equal(got, n);
	buf_done(&bytes);
}

UNIT_TESTS(cmocka_unit_test(a_bitmap_that_was_changed_is_refused),
    cmocka_unit_test(a_stored_set_is_listed_whatever_its_form),
    cmocka_unit_test(a_set_of_runs_and_single_ordinals_is_listed))
