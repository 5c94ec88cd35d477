/* journal/count: what the blocks of a day hold, and what is wrong with a journal. */
#include "blocks.h"
#include "records.h"

#include "crumb/base/clock.h"
#include "src/journal/local.h"

#define DAY 100

static void tell(void *arg, const char *text)
{
	snprintf(arg, 300, "%s", text);
}

TEST(events_are_counted_and_nothing_else)
{
	struct buf b = {0};
	assert_int_equal(ledger_events(STR("")), 0);
	EACH_KIND(kind)
	{
		struct record r = sample(kind);
		record_encode(&r, &b);
	}
	assert_int_equal(ledger_events(buf_view(&b)), 1);
	assert_int_equal(ledger_events(str_make(b.p, 3)), 0); /* what is cut is none */
	buf_done(&b);
}

static void put_events(struct store *s, unsigned n)
{
	static const uint8_t rules[16] = {1};
	struct buf b = {0};
	for (unsigned i = 0; i < n; i++) {
		struct record r = sample(i % 2 ? RECORD_EVENT : RECORD_ERASE);
		record_encode(&r, &b);
	}
	struct journal_block block = {
	    .day = DAY, .shard = 0, .count = n, .records = buf_view(&b), .events = n / 2};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	buf_done(&b);
}

TEST(a_day_is_counted_from_a_sequence_on_and_opened_or_by_its_heads)
{
	struct config c;
	struct store *s = open_store(&c);
	struct local *j = (struct local *)s->journal;
	struct day_count n;
	put_events(s, 4);
	uint64_t after = journal_pos_save(journal_last(s->journal, 0));
	put_events(s, 2);
	struct journal_day *d = journal_day_hold(j, DAY, NULL);
	assert_non_null(d);
	assert_int_equal(ledger_count(j, d, 0, true, &n), OK);
	assert_true(n.events == 3 && n.blocks == 2 && n.bad_blocks == 0);
	assert_int_equal(ledger_count(j, d, 0, false, &n), OK);
	assert_int_equal(n.events, 6); /* heads count other records, too */
	assert_int_equal(ledger_count(j, d, after, true, &n), OK);
	assert_true(n.events == 1 && n.blocks == 1);
	journal_day_let_go(j, d);
	close_store(s, &c);
}

TEST(a_block_that_does_not_open_is_told)
{
	struct config c;
	struct store *s = open_store(&c);
	struct local *j = (struct local *)s->journal;
	struct day_count n;
	struct db_txn t;
	char said[300] = "";
	put_events(s, 4);
	assert_int_equal(journal_verify(s->journal, tell, said), OK);
	assert_string_equal(said, "");
	struct journal_day *d = journal_day_hold(j, DAY, NULL);
	uint8_t place[PLACE_LEN];
	sealed_place(0, 1000, place);
	assert_int_equal(db_begin(&d->db, true, &t), OK);
	db_put(&t, d->table, sealed_bytes(place, PLACE_LEN), STR("no block"));
	assert_int_equal(db_end(&t), OK);
	assert_int_equal(ledger_count(j, d, 0, true, &n), OK);
	assert_true(n.events == 2 && n.blocks == 2 && n.bad_blocks == 1);
	journal_day_let_go(j, d);
	assert_int_equal(journal_verify(s->journal, tell, said), OK);
	assert_string_equal(said, "journal/1970-04-11: 1 of 2 blocks cannot be read");
	close_store(s, &c);
}

UNIT_TESTS(cmocka_unit_test(events_are_counted_and_nothing_else),
    IN_FOLDER(a_day_is_counted_from_a_sequence_on_and_opened_or_by_its_heads),
    IN_FOLDER(a_block_that_does_not_open_is_told))
