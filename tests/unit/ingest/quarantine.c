/* ingest/quarantine: what was set aside is counted, and taken back once. */
#include "aside.h"
#include "written.h"

static enum err take(void *arg)
{
	(void)arg;
	return OK;
}

TEST(what_was_released_is_released_once_however_often_the_journal_says_so)
{
	struct config c;
	struct store *s = open_it(&c);
	struct batch b;
	struct aside_row *rows;
	size_t n;
	uint64_t events;
	now = clock_now();
	struct event e = {.visitor = {{1}},
	    .t = now,
	    .name = STR("view"),
	    .aside = ASIDE_CRAWLER,
	    .pattern = STR("bot")};
	batch_init(&b, 1, committed, NULL);
	batch_event(&b, &e);
	commit(s, &b);
	assert_int_equal(
	    quarantine_release(s, ASIDE_CRAWLER, STR("bot"), now, &b, take, NULL, &events), OK);
	assert_int_equal(events, 1);
	struct batch_part *marks = batch_part(&b, day_of(now), 1);
	assert_int_equal(marks->count, 1);
	struct buf mark = {0};
	buf_str(&mark, buf_view(&marks->records));
	buf_str(&marks->records, buf_view(&mark));
	marks->count = 2;
	commit(s, &b);
	assert_int_equal(asides_list(s, &rows, &n), OK);
	assert_int_equal(n, 0);
	free(rows);
	batch_event(&b, &e); /* what is set aside later is set aside */
	commit(s, &b);
	assert_int_equal(
	    quarantine_release(s, ASIDE_CRAWLER, STR("bot"), now, &b, take, NULL, &events), OK);
	assert_int_equal(events, 1);
	buf_done(&mark);
	batch_done(&b);
	store_close(s);
	config_done(&c);
}

#define IN_STORE(name) cmocka_unit_test_setup_teardown(name, begin, end)

TEST(what_is_released_counts_once_and_is_aside_no_more)
{
	set_aside(0, ASIDE_CRAWLER, "bot", 3, now);
	set_aside(1, ASIDE_CRAWLER, "bot", 2, now);
	set_aside(1, ASIDE_CRAWLER, "spider", 4, now);
	set_aside(1, ASIDE_RATE, "", 1, now);
	assert_int_equal(release(ASIDE_CRAWLER, "bot"), 5);
	assert_string_equal(listed(), "crawler spider 4, rate  1");
	assert_int_equal(release(ASIDE_CRAWLER, "bot"), 0);
	set_aside(0, ASIDE_CRAWLER, "bot", 1, now); /* it goes on to be set aside */
	assert_string_equal(listed(), "crawler spider 4, crawler bot 1, rate  1");
	assert_int_equal(release(ASIDE_CRAWLER, ""), 5); /* all of the reason */
	assert_string_equal(listed(), "rate  1");
	/* and all that was released is there as events */
	struct journal_reader *r;
	struct buf records = {0};
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	static struct record record;
	unsigned events = 0;
	for (unsigned shard = 0; shard < 2; shard++) {
		assert_int_equal(journal_read(store->journal, shard, JOURNAL_START, &r), OK);
		while (journal_next(r, &records, &pos, &count, &day) == OK)
			;
		journal_read_end(r);
	}
	struct mp m = mp_over(buf_view(&records));
	while (m.p < m.end && record_decode(&m, &record))
		events += record.kind == RECORD_EVENT;
	assert_int_equal(events, 10);
	buf_done(&records);
}

UNIT_TESTS(IN_FOLDER(what_was_released_is_released_once_however_often_the_journal_says_so),
    IN_STORE(what_is_released_counts_once_and_is_aside_no_more))
