/* What was set aside, and what was released. */
#include "written.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/quarantine.h"

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
	uint32_t now = clock_now();
	struct event e = {.visitor = {{1}}, .t = now, .name = STR("view"), .aside = ASIDE_CRAWLER, .pattern = STR("bot")};
	batch_init(&b, 1, committed, NULL);
	batch_event(&b, &e);
	commit(s, &b);
	assert_int_equal(quarantine_release(s, ASIDE_CRAWLER, STR("bot"), now, &b, take, NULL, &events), OK);
	assert_int_equal(events, 1);
	struct batch_part *marks = batch_part(&b, day_of(now), 1);
	assert_int_equal(marks->count, 1);
	struct buf mark = {0};
	buf_str(&mark, buf_view(&marks->records));
	buf_str(&marks->records, buf_view(&mark));
	marks->count = 2;
	commit(s, &b);
	assert_int_equal(quarantine_list(s, &rows, &n), OK);
	assert_int_equal(n, 0);
	free(rows);
	batch_event(&b, &e); /* what is set aside later is set aside */
	commit(s, &b);
	assert_int_equal(quarantine_release(s, ASIDE_CRAWLER, STR("bot"), now, &b, take, NULL, &events), OK);
	assert_int_equal(events, 1);
	buf_done(&mark);
	batch_done(&b);
	store_close(s);
	config_done(&c);
}

UNIT_TESTS(IN_FOLDER(what_was_released_is_released_once_however_often_the_journal_says_so))
