/* ingest/quarantine: what was set aside is counted, and taken back once. */
#include "stored.h"
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
	assert_int_equal(quarantine_list(s, &rows, &n), OK);
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

static struct config config;
static struct store *store;
static uint32_t now;
static uint8_t visitor_byte; /* of whom the next events are */

static int begin(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	store = open_store(&config);
	now = clock_now();
	return 0;
}

static int end(void **state)
{
	close_store(store, &config);
	return drop_folder(state);
}
#define IN_STORE(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void commit_block(uint16_t shard, struct buf *b, uint32_t n)
{
	static const uint8_t rules[16] = {1};
	struct journal_block block = {
	    .day = day_of(now), .shard = shard, .count = n, .records = buf_view(b)};
	assert_int_equal(journal_commit(store->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(store->journal), OK);
	buf_done(b);
}

static void set_aside(uint16_t shard, enum aside why, const char *pattern, unsigned n, uint32_t t)
{
	struct buf b = {0};
	struct event e = {.visitor = {{visitor_byte, (uint8_t)shard}},
	    .t = t,
	    .name = STR("view"),
	    .path = STR("/a"),
	    .aside = (uint8_t)why,
	    .pattern = str_c(pattern)};
	for (unsigned i = 0; i < n; i++)
		event_encode(&e, &b);
	if (n)
		commit_block(shard, &b, n);
}

/* The rows as "reason pattern events, …". */
static void rows_text(const struct aside_row *rows, size_t n, char *out, size_t cap)
{
	*out = 0;
	for (size_t i = 0, at = 0; i < n && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s %s %llu", i ? ", " : "",
		    aside_names[rows[i].why], rows[i].pattern, (unsigned long long)rows[i].events);
}

static const char *listed(void)
{
	static char text[4000];
	struct aside_row *rows;
	size_t n;
	assert_int_equal(quarantine_list(store, &rows, &n), OK);
	rows_text(rows, n, text, sizeof text);
	free(rows);
	return text;
}

static enum err to_journal(void *arg)
{
	struct batch *b = arg;
	static const uint8_t rules[16] = {1};
	struct journal_block blocks[16];
	size_t n = 0;
	for (size_t i = 0; i < b->parts_n; i++)
		if (b->parts[i].count)
			blocks[n++] = (struct journal_block){.day = b->parts[i].day,
			    .shard = b->parts[i].shard,
			    .count = b->parts[i].count,
			    .records = buf_view(&b->parts[i].records),
			    .events = b->parts[i].events};
	assert_true(n <= 16);
	enum err e = journal_commit(store->journal, blocks, n, rules);
	batch_clear(b);
	return e ? e : journal_publish(store->journal);
}

static uint64_t release(enum aside why, const char *pattern)
{
	struct batch b;
	uint64_t events = 99;
	batch_init(&b, store->shards, NULL, NULL);
	assert_int_equal(
	    quarantine_release(store, why, str_c(pattern), now, &b, to_journal, &b, &events), OK);
	batch_done(&b);
	return events;
}

TEST(it_is_counted_by_reason_and_pattern_most_first)
{
	assert_string_equal(listed(), "");
	set_aside(0, ASIDE_CRAWLER, "few", 2, now);
	set_aside(1, ASIDE_CRAWLER, "many", 3, now);
	set_aside(0, ASIDE_CRAWLER, "many", 2, now - DAY_S);
	set_aside(1, ASIDE_NETWORK, "cloud", 1, now);
	assert_string_equal(listed(), "crawler many 5, crawler few 2, network cloud 1");
	struct aside_row *rows;
	size_t n;
	assert_int_equal(quarantine_list(store, &rows, &n), OK);
	assert_int_equal(rows[0].first, day_of(now - DAY_S));
	assert_int_equal(rows[0].last, day_of(now));
	free(rows);
}

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

TEST(more_patterns_than_anybody_reads_are_counted_together)
{
	struct buf b = {0};
	struct event e = {.visitor = {{0}}, .t = now, .name = STR("view"), .aside = ASIDE_SITE};
	char pattern[40];
	for (unsigned i = 0; i < 1200; i++) {
		snprintf(pattern, sizeof pattern, "host-%u.example", i);
		e.pattern = str_c(pattern);
		event_encode(&e, &b);
	}
	commit_block(0, &b, 1200);
	struct aside_row *rows;
	size_t n;
	assert_int_equal(quarantine_list(store, &rows, &n), OK);
	assert_int_equal(n, 1001);
	assert_string_equal(rows[0].pattern, QUARANTINE_OTHERS);
	assert_int_equal(rows[0].events, 200);
	free(rows);
}

/* --- kept counts */

static const char *kept_listed(struct aside_kept *k)
{
	static char text[4000];
	struct aside_row *rows;
	size_t n;
	assert_int_equal(aside_kept_list(k, &rows, &n), OK);
	rows_text(rows, n, text, sizeof text);
	free(rows);
	return text;
}

static uint32_t random_state = 11;

static unsigned below(unsigned n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 16) % n;
}

static bool is_third(void *arg, const struct vkey *visitor)
{
	(void)arg;
	return visitor->b[0] == 3;
}

/* Erased visitors leave a day's bytes, as by night. */
static void clean(struct aside_kept *k, uint16_t day)
{
	static const _Atomic bool stop;
	struct journal_cleaned *cleaned;
	uint64_t dropped;
	assert_int_equal(
	    journal_clean(store->journal, day, is_third, NULL, &stop, &cleaned, &dropped), OK);
	if (!cleaned)
		return;
	assert_int_equal(journal_swap(store->journal, cleaned), OK);
	aside_kept_forget(k);
}

static void something_happens(struct aside_kept *k)
{
	static const char *const patterns[] = {"bot", "spider", "cloud", "a.example", "b.example"};
	enum aside why = (enum aside)(1 + below(ASIDE_MAX - 1));
	const char *pattern = patterns[below(5)];
	uint32_t ago = below(6);
	visitor_byte = (uint8_t)below(5);
	switch (below(8)) {
	case 0:
		release(why, below(3) ? pattern : "");
		break;
	case 1:
		clean(k, day_of(now - ago * DAY_S));
		break;
	case 2:
		now += DAY_S;
		journal_expire(store->journal, (uint16_t)(day_of(now) - 7));
		break;
	case 3:
		assert_int_equal(aside_kept_warm(k), OK);
		break;
	default:
		set_aside((uint16_t)below(2), why, pattern, 1 + below(9), now - ago * DAY_S);
	}
}

/* The same rows as those that are counted from the beginning, whatever happened in between. */
TEST(what_is_kept_is_what_is_there)
{
	struct aside_kept *k;
	assert_int_equal(aside_kept_new(store, &k), OK);
	for (unsigned i = 0; i < 400; i++) {
		something_happens(k);
		if (below(3) == 0)
			assert_string_equal(kept_listed(k), listed());
	}
	aside_kept_free(k);
}

UNIT_TESTS(IN_FOLDER(what_was_released_is_released_once_however_often_the_journal_says_so),
    IN_STORE(it_is_counted_by_reason_and_pattern_most_first),
    IN_STORE(what_is_released_counts_once_and_is_aside_no_more),
    IN_STORE(what_is_kept_is_what_is_there),
    IN_STORE(more_patterns_than_anybody_reads_are_counted_together))
