/* The journal in memory, with its failures. */
#include "stored.h"

#include "crumb/journal/in_memory.h"
#include "crumb/base/clock.h"
#include "crumb/model/record.h"

#include <pthread.h>
#include <semaphore.h>

static struct journal_memory *medium;
static enum memory_fate next_fate; /* of acts of this kind: */
static enum memory_act next_act;

static enum memory_fate fate(void *arg, enum memory_act act)
{
	return act == next_act ? next_fate : MEMORY_WORKS;
}

static void acts(enum memory_act act, enum memory_fate f)
{
	next_act = act;
	next_fate = f;
}

static struct store *open_it(struct config *c)
{
	struct store *s = NULL;
	char option[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(store_open_on(c, STORE_WRITE, medium, NULL, &s), OK);
	return s;
}

static int begin(void **state)
{
	acts(MEMORY_COMMIT, MEMORY_WORKS);
	if (make_folder(state) != 0 || journal_memory_new(&medium) != OK)
		return -1;
	journal_memory_fate(medium, fate, NULL);
	return 0;
}

static int end(void **state)
{
	journal_memory_free(medium);
	return drop_folder(state);
}
#define ON_MEMORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const uint8_t rules[16] = {1};

static enum err commit_two(
    struct store *s, uint16_t day, const char *one, uint16_t other_day, const char *other)
{
	struct journal_block b[2] = {{.day = day, .shard = 0, .count = 1, .records = str_c(one)},
	    {.day = other_day, .shard = 0, .count = 1, .records = str_c(other)}};
	return journal_commit(s->journal, b, other ? 2 : 1, rules);
}

static void shard_is(struct store *s, struct journal_pos after, const char *want)
{
	struct journal_reader *r;
	struct buf got = {0};
	struct journal_pos pos, last = after;
	uint32_t count;
	uint16_t day;
	enum err e;
	assert_int_equal(journal_read(s->journal, 0, after, &r), OK);
	while ((e = journal_next(r, &got, &pos, &count, &day)) == OK) {
		assert_true(journal_pos_before(last, pos));
		last = pos;
	}
	assert_int_equal(e, ERR_NOT_FOUND);
	assert_int_equal(got.n, strlen(want));
	assert_true(got.n == 0 || memcmp(got.p, want, got.n) == 0);
	journal_read_end(r);
	buf_done(&got);
}

TEST(what_is_committed_is_read_when_it_is_published_and_outlives_the_journal)
{
	struct config c;
	struct store *s = open_it(&c);
	assert_int_equal(commit_two(s, 100, "one ", 101, "two "), OK);
	shard_is(s, JOURNAL_START, "");
	assert_true(journal_unpublished(s->journal) > 0);
	assert_int_equal(journal_publish(s->journal), OK);
	struct journal_pos behind = journal_last(s->journal, 0);
	shard_is(s, JOURNAL_START, "one two ");
	assert_int_equal(commit_two(s, 101, "three ", 0, NULL), OK);
	close_store(s, &c); /* nothing more is published: a crash */
	s = open_it(&c);
	shard_is(s, JOURNAL_START, "one two three ");
	shard_is(s, behind, "three ");
	close_store(s, &c);
}

TEST(what_fails_leaves_nothing_and_what_is_torn_is_taken_back_before_anything_else)
{
	struct config c;
	struct store *s = open_it(&c);
	struct journal_memory_sum sum;
	acts(MEMORY_COMMIT, MEMORY_FAILS);
	assert_int_equal(commit_two(s, 100, "no ", 0, NULL), ERR_IO);
	acts(MEMORY_COMMIT, MEMORY_TORN);
	assert_int_equal(commit_two(s, 100, "half ", 101, "other half "), ERR_IO);
	journal_memory_sum(medium, &sum);
	assert_int_equal(sum.torn, 1);
	acts(MEMORY_UNDO, MEMORY_FAILS);
	assert_int_equal(commit_two(s, 100, "not yet ", 0, NULL), ERR_IO);
	assert_int_equal(journal_publish(s->journal), ERR_IO);
	acts(MEMORY_COMMIT, MEMORY_WORKS);
	assert_int_equal(commit_two(s, 100, "whole ", 0, NULL), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	shard_is(s, JOURNAL_START, "whole ");
	journal_memory_sum(medium, &sum);
	assert_int_equal(sum.torn, 0);
	close_store(s, &c);
}

TEST(what_is_torn_when_the_machine_goes_down_is_not_there_afterwards)
{
	struct config c;
	struct store *s = open_it(&c);
	struct journal_memory_sum sum;
	assert_int_equal(commit_two(s, 100, "whole ", 0, NULL), OK);
	acts(MEMORY_COMMIT, MEMORY_TORN);
	assert_int_equal(commit_two(s, 100, "half ", 101, "other half "), ERR_IO);
	close_store(s, &c);
	acts(MEMORY_COMMIT, MEMORY_WORKS);
	s = open_it(&c);
	shard_is(s, JOURNAL_START, "whole ");
	journal_memory_sum(medium, &sum);
	assert_int_equal(sum.torn, 0);
	close_store(s, &c);
}

TEST(an_expired_day_is_gone_whether_its_blocks_went_or_only_its_key)
{
	struct config c;
	struct store *s = open_it(&c);
	assert_int_equal(commit_two(s, 100, "old ", 200, "new "), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	assert_int_equal(keys_expire(s->keys, 150, 200), OK);
	acts(MEMORY_EXPIRE, MEMORY_FAILS);
	journal_expire(s->journal, 150);
	assert_int_equal(journal_oldest_day(s->journal), 100);
	struct journal_reader *r;
	struct buf got = {0};
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	assert_int_equal(journal_read(s->journal, 0, JOURNAL_START, &r), OK);
	assert_int_equal(journal_next(r, &got, &pos, &count, &day), ERR_CORRUPT);
	assert_int_equal(journal_next(r, &got, &pos, &count, &day), OK);
	journal_read_end(r);
	buf_done(&got);
	close_store(s, &c);
	s = open_it(&c);
	assert_int_equal(journal_oldest_day(s->journal), 200);
	shard_is(s, JOURNAL_START, "new ");
	close_store(s, &c);
}

static bool is_seven(void *arg, const struct vkey *k)
{
	return k->b[0] == 7;
}

static void put_event(struct store *s, uint8_t who)
{
	struct event e = {.visitor = {{who}},
	    .t = 100 * DAY_S,
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/")};
	struct buf b = {0};
	event_encode(&e, &b);
	struct journal_block block = {
	    .day = 100, .shard = 0, .count = 1, .records = buf_view(&b), .events = 1};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	buf_done(&b);
}

TEST(a_cleaned_day_takes_the_place_of_the_old_one_unless_that_has_grown)
{
	struct config c;
	struct store *s = open_it(&c);
	struct journal_cleaned *cleaned;
	static const _Atomic bool never = false;
	uint64_t dropped, records;
	put_event(s, 7);
	put_event(s, 8);
	assert_int_equal(
	    journal_clean(s->journal, 100, is_seven, NULL, &never, &cleaned, &dropped), OK);
	assert_int_equal(dropped, 1);
	put_event(s, 9);
	assert_int_equal(journal_swap(s->journal, cleaned), ERR_BUSY);
	assert_int_equal(
	    journal_clean(s->journal, 100, is_seven, NULL, &never, &cleaned, &dropped), OK);
	journal_discard(s->journal, cleaned);
	assert_int_equal(
	    journal_clean(s->journal, 100, is_seven, NULL, &never, &cleaned, &dropped), OK);
	assert_int_equal(journal_swap(s->journal, cleaned), OK);
	assert_int_equal(journal_count(s->journal, 0, journal_last(s->journal, 0), &records), OK);
	assert_int_equal(records, 2);
	assert_int_equal(
	    journal_clean(s->journal, 100, is_seven, NULL, &never, &cleaned, &dropped), OK);
	assert_null(cleaned);
	close_store(s, &c);
}

static sem_t in_commit, go_on;

static enum memory_fate slow(void *arg, enum memory_act act)
{
	if (act == MEMORY_COMMIT) {
		sem_post(&in_commit);
		sem_wait(&go_on);
	}
	return MEMORY_WORKS;
}

static void *write_slowly(void *store)
{
	assert_int_equal(commit_two(store, 100, "late ", 0, NULL), OK);
	return NULL;
}

TEST(readers_do_not_wait_for_a_slow_commit)
{
	struct config c;
	struct store *s = open_it(&c);
	pthread_t thread;
	assert_int_equal(commit_two(s, 100, "early ", 0, NULL), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	sem_init(&in_commit, 0, 0);
	sem_init(&go_on, 0, 0);
	journal_memory_fate(medium, slow, NULL);
	assert_int_equal(pthread_create(&thread, NULL, write_slowly, s), 0);
	sem_wait(&in_commit);
	shard_is(s, JOURNAL_START, "early ");
	sem_post(&go_on);
	pthread_join(thread, NULL);
	journal_memory_fate(medium, NULL, NULL);
	assert_int_equal(journal_publish(s->journal), OK);
	shard_is(s, JOURNAL_START, "early late ");
	close_store(s, &c);
}

UNIT_TESTS(ON_MEMORY(what_is_committed_is_read_when_it_is_published_and_outlives_the_journal),
    ON_MEMORY(what_fails_leaves_nothing_and_what_is_torn_is_taken_back_before_anything_else),
    ON_MEMORY(what_is_torn_when_the_machine_goes_down_is_not_there_afterwards),
    ON_MEMORY(an_expired_day_is_gone_whether_its_blocks_went_or_only_its_key),
    ON_MEMORY(a_cleaned_day_takes_the_place_of_the_old_one_unless_that_has_grown),
    ON_MEMORY(readers_do_not_wait_for_a_slow_commit))
