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

UNIT_TESTS(cmocka_unit_test(a_bitmap_that_was_changed_is_refused))
