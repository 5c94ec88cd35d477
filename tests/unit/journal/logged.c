/* journal/logged: a record opens with its day's key, under its id, shard and day, and no other. */
#include "unit.h"

#include "src/journal/logged.h"

static const uint8_t day_key[32] = {1, 2, 3}, rules[16] = {9, 8, 7};
static uint8_t key[32];

static struct sealer sealer;
static struct opener opener;

static int begin(void **state)
{
	logged_key(day_key, key);
	return !sealer_init(&sealer) || !opener_init(&opener);
}

static int end(void **state)
{
	sealer_done(&sealer);
	opener_done(&opener);
	return 0;
}

#define ID ((struct logged_id){0x0102030405060708, 77})

static struct buf record(const char *text)
{
	struct buf value = {0};
	struct journal_block b = {.day = 20000, .shard = 5, .count = 3, .records = str_c(text)};
	assert_int_equal(logged_make(&sealer, &b, ID, key, rules, &value), OK);
	return value;
}

static enum err open_as(struct str value, struct logged_id id, const uint8_t k[32], struct buf *out)
{
	uint8_t place[LOGGED_KEY_LEN];
	logged_id_save(id, place);
	return logged_open(&opener, k, sealed_bytes(place, sizeof place), value, out);
}

TEST(a_record_says_what_it_is_and_its_records_are_appended)
{
	struct buf value = record("one two"), out = {0};
	struct logged_head h;
	uint8_t id[LOGGED_KEY_LEN];
	logged_id_save(ID, id);
	assert_memory_equal(id, "\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0\0\0\x4d", sizeof id);
	assert_int_equal(logged_peek(sealed_bytes(id, sizeof id), buf_view(&value), &h), OK);
	assert_true(h.id.life == ID.life && h.id.counter == 77);
	assert_int_equal(h.shard, 5);
	assert_int_equal(h.day, 20000);
	assert_int_equal(h.count, 3);
	assert_memory_equal(h.rules_hash, rules, 16);
	buf_c(&out, "zero ");
	assert_int_equal(open_as(buf_view(&value), ID, key, &out), OK);
	assert_true(str_eq(buf_view(&out), STR("zero one two")));
	buf_done(&value);
	buf_done(&out);
}

TEST(a_record_opens_under_its_own_id_only)
{
	struct buf value = record("one two"), out = {0};
	struct logged_id id = ID, life = {ID.life + 1, ID.counter}, counter = {ID.life, 78};
	assert_int_equal(open_as(buf_view(&value), life, key, &out), ERR_CORRUPT);
	assert_int_equal(open_as(buf_view(&value), counter, key, &out), ERR_CORRUPT);
	assert_int_equal(out.n, 0);
	assert_int_equal(open_as(buf_view(&value), id, key, &out), OK);
	buf_done(&value);
	buf_done(&out);
}

TEST(no_bit_of_a_record_can_be_changed)
{
	struct buf value = record("one two"), out = {0};
	for (size_t i = 0; i < value.n * 8; i++) {
		value.p[i / 8] ^= (char)(1 << i % 8);
		enum err e = open_as(buf_view(&value), ID, key, &out);
		assert_true(e == ERR_CORRUPT || e == ERR_NOMEM); /* a raw length that cannot be */
		value.p[i / 8] ^= (char)(1 << i % 8);
	}
	for (size_t n = 0; n < value.n; n++)
		assert_int_equal(open_as(str_make(value.p, n), ID, key, &out), ERR_CORRUPT);
	assert_int_equal(out.n, 0);
	assert_int_equal(open_as(buf_view(&value), ID, key, &out), OK);
	buf_done(&value);
	buf_done(&out);
}

/* The key of records is not the key of blocks, and the same bytes are not both. */
TEST(the_key_is_not_the_days_own)
{
	struct buf value = record("one two"), out = {0};
	uint8_t other[32], other_day[32] = {1, 2, 4};
	assert_memory_not_equal(key, day_key, 32);
	assert_int_equal(open_as(buf_view(&value), ID, day_key, &out), ERR_CORRUPT);
	logged_key(other_day, other);
	assert_int_equal(open_as(buf_view(&value), ID, other, &out), ERR_CORRUPT);
	uint8_t place[PLACE_LEN];
	uint32_t count;
	sealed_place(5, 77, place);
	struct str block = str_skip(buf_view(&value), LOGGED_HEAD_LEN);
	assert_int_equal(
	    sealed_open(&opener, day_key, sealed_bytes(place, PLACE_LEN), block, &out, &count),
	    ERR_CORRUPT);
	assert_int_equal(
	    sealed_open(&opener, key, sealed_bytes(place, PLACE_LEN), block, &out, &count),
	    ERR_CORRUPT);
	buf_done(&value);
	buf_done(&out);
}

TEST(other_bytes_are_no_record)
{
	struct buf value = record("one two");
	struct logged_head h;
	char id[LOGGED_KEY_LEN + 1] = {0};
	assert_int_equal(
	    logged_peek(str_make(id, LOGGED_KEY_LEN - 1), buf_view(&value), &h), ERR_CORRUPT);
	assert_int_equal(
	    logged_peek(str_make(id, LOGGED_KEY_LEN + 1), buf_view(&value), &h), ERR_CORRUPT);
	assert_int_equal(logged_peek(str_make(id, LOGGED_KEY_LEN), STR("short"), &h), ERR_CORRUPT);
	assert_int_equal(logged_peek(str_make(id, LOGGED_KEY_LEN), STR(""), &h), ERR_CORRUPT);
	value.p[0] = 2; /* a version of tomorrow */
	assert_int_equal(
	    logged_peek(str_make(id, LOGGED_KEY_LEN), buf_view(&value), &h), ERR_CORRUPT);
	buf_done(&value);
}

UNIT_TESTS_BETWEEN(begin, end,
    cmocka_unit_test(a_record_says_what_it_is_and_its_records_are_appended),
    cmocka_unit_test(a_record_opens_under_its_own_id_only),
    cmocka_unit_test(no_bit_of_a_record_can_be_changed),
    cmocka_unit_test(the_key_is_not_the_days_own), cmocka_unit_test(other_bytes_are_no_record))
