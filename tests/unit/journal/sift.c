/* journal/sift: what stays of a block's records when some visitors are to go. */
#include "records.h"

#include "src/journal/kind.h"

static const struct vkey keeps = {{1}}, goes = {{2}};

static bool drop(void *arg, const struct vkey *k)
{
	++*(unsigned *)arg;
	return memcmp(k, &goes, sizeof goes) == 0;
}

static void event(struct buf *b, const struct vkey *k, uint8_t aside)
{
	struct event e = {
	    .visitor = *k, .t = 1000, .name = STR("view"), .path = STR("/a"), .aside = aside};
	event_encode(&e, b);
}

TEST(what_is_of_a_visitor_goes_and_what_is_to_be_stays)
{
	struct buf all = {0}, want = {0}, kept = {0};
	struct sifted s;
	unsigned asked = 0;
	event(&all, &goes, ASIDE_NOT);
	event(&all, &goes, ASIDE_CRAWLER);
	record_encode_match(&goes, 1000, STR("ads"), STR("x"), &all);
	record_encode_declared(
	    &goes, 1000, 20000, STR("ads"), &(struct attr){STR("a"), STR("b")}, 1, &all);
	for (int i = 0; i < 2; i++) {
		struct buf *b = i ? &want : &all;
		event(b, &keeps, ASIDE_NOT);
		record_encode_erase(&goes, 1000, b); /* says that he is to be erased */
		for (int kind = RECORD_RULES; kind <= RECORD_TAKEN;
		     kind += RECORD_TAKEN - RECORD_RULES) {
			struct record r = sample((enum record_kind)kind);
			record_encode(&r, b);
		}
	}
	assert_int_equal(journal_sift(buf_view(&all), drop, &asked, &kept, &s), OK);
	assert_true(str_eq(buf_view(&kept), buf_view(&want)));
	assert_int_equal(asked, 5);
	assert_int_equal(s.gone, 4);
	assert_int_equal(s.events, 1); /* what was set aside never counted */
	assert_int_equal(s.left, 4);
	buf_done(&all);
	buf_done(&want);
	buf_done(&kept);
}

TEST(nobody_goes_of_nothing)
{
	struct buf kept = {0};
	struct sifted s = {1, 1, 1};
	unsigned asked = 0;
	assert_int_equal(journal_sift(STR(""), drop, &asked, &kept, &s), OK);
	assert_true(asked == 0 && kept.n == 0 && s.left == 0 && s.gone == 0);
}

TEST(a_record_that_is_none_ends_it)
{
	struct buf all = {0}, kept = {0};
	struct sifted s;
	unsigned asked = 0;
	event(&all, &keeps, ASIDE_NOT);
	size_t whole = all.n;
	for (size_t n = 1; n < whole; n++)
		assert_int_equal(
		    journal_sift(str_make(all.p, n), drop, &asked, &kept, &s), ERR_CORRUPT);
	buf_done(&all);
	buf_done(&kept);
}

UNIT_TESTS(cmocka_unit_test(what_is_of_a_visitor_goes_and_what_is_to_be_stays),
    cmocka_unit_test(nobody_goes_of_nothing), cmocka_unit_test(a_record_that_is_none_ends_it))
