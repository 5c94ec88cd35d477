/* journal/sealed: a block opens with its day's key and at its place, and nowhere else. */
#include "unit.h"

#include "src/journal/sealed.h"

static const uint8_t key[32] = {1, 2, 3}, other_key[32] = {1, 2, 4}, rules[16] = {9, 8, 7};

static struct sealer sealer;
static struct opener opener;

static int begin(void **state)
{
	return !sealer_init(&sealer) || !opener_init(&opener);
}

static int end(void **state)
{
	sealer_done(&sealer);
	opener_done(&opener);
	return 0;
}

static struct str seal(const char *text, uint16_t shard, uint64_t seq)
{
	struct journal_block b = {.shard = shard, .seq = seq, .count = 3, .records = str_c(text)};
	uint8_t place[PLACE_LEN];
	sealed_place(shard, seq, place);
	assert_int_equal(sealed_make(&sealer, &b, key, sealed_bytes(place, PLACE_LEN), rules), OK);
	return buf_view(&sealer.sealed);
}

static enum err open_at(
    struct str block, const uint8_t k[32], unsigned shard, uint64_t seq, struct buf *out)
{
	uint8_t place[PLACE_LEN];
	uint32_t count = 0;
	sealed_place(shard, seq, place);
	enum err e = sealed_open(&opener, k, sealed_bytes(place, PLACE_LEN), block, out, &count);
	assert_int_equal(count, e ? 0 : 3);
	return e;
}

TEST(what_was_sealed_is_appended_when_it_opens)
{
	struct buf out = {0};
	struct str block = seal("one two", 5, 77);
	buf_c(&out, "zero ");
	assert_int_equal(open_at(block, key, 5, 77, &out), OK);
	assert_true(str_eq(buf_view(&out), STR("zero one two")));
	assert_memory_equal(sealed_rules(block), rules, 16);
	assert_int_equal(sealed_count(block), 3);
	buf_clear(&out);
	assert_int_equal(
	    open_at(seal("", 5, 78), key, 5, 78, &out), OK); /* nothing is a block, too */
	assert_int_equal(out.n, 0);
	buf_done(&out);
}

TEST(the_same_bytes_are_never_written_twice)
{
	struct buf first = {0};
	buf_str(&first, seal("one two", 5, 77));
	struct str second = seal("one two", 5, 77);
	assert_int_equal(first.n, second.n);
	assert_memory_not_equal(first.p + HEADER_LEN, second.p + HEADER_LEN, NONCE_LEN);
	buf_done(&first);
}

TEST(another_key_or_another_place_opens_nothing)
{
	struct buf out = {0};
	struct str block = seal("one two", 5, 77);
	assert_int_equal(open_at(block, other_key, 5, 77, &out), ERR_CORRUPT);
	assert_int_equal(open_at(block, key, 4, 77, &out), ERR_CORRUPT);
	assert_int_equal(open_at(block, key, 5, 78, &out), ERR_CORRUPT);
	assert_int_equal(out.n, 0);
	buf_done(&out);
}

TEST(each_changed_byte_and_each_cut_is_noticed)
{
	struct buf out = {0}, block = {0};
	buf_str(&block, seal("one two three", 5, 77));
	for (size_t i = 0; i < block.n; i++) {
		block.p[i] ^= 1;
		assert_int_not_equal(open_at(buf_view(&block), key, 5, 77, &out), OK);
		block.p[i] ^= 1;
	}
	for (size_t n = 0; n < block.n; n++)
		assert_int_equal(open_at(str_make(block.p, n), key, 5, 77, &out), ERR_CORRUPT);
	assert_int_equal(out.n, 0);
	assert_null(sealed_rules(str_make(block.p, HEADER_LEN - 1)));
	assert_int_equal(sealed_count(str_make(block.p, HEADER_LEN - 1)), 0);
	buf_done(&block);
	buf_done(&out);
}

TEST(what_says_it_is_huge_is_refused_before_memory_is_asked_for)
{
	struct buf out = {0}, block = {0};
	buf_str(&block, seal("one", 5, 77));
	memset(block.p + 5, 0xff, 4);
	assert_int_equal(open_at(buf_view(&block), key, 5, 77, &out), ERR_CORRUPT);
	assert_null(out.p);
	buf_done(&block);
}

UNIT_TESTS_BETWEEN(begin, end, cmocka_unit_test(what_was_sealed_is_appended_when_it_opens),
    cmocka_unit_test(the_same_bytes_are_never_written_twice),
    cmocka_unit_test(another_key_or_another_place_opens_nothing),
    cmocka_unit_test(each_changed_byte_and_each_cut_is_noticed),
    cmocka_unit_test(what_says_it_is_huge_is_refused_before_memory_is_asked_for))
