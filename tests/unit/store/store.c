/* A store and who may write to it. */
#include "stored.h"

TEST(a_second_writer_is_refused)
{
	struct config c;
	struct store *s = open_store(&c), *second = NULL;
	assert_int_equal(store_open(&c, STORE_WRITE, &second), ERR_BUSY);
	assert_true(store_locked(&c));
	store_close(s);
	assert_false(store_locked(&c));
	config_done(&c);
}

UNIT_TESTS(IN_FOLDER(a_second_writer_is_refused))
