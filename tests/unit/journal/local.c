/* The journal in files: order, crashes, damage, days that expire, cleaning. */
#include "blocks.h"
#include "calls.h"

#include "crumb/base/clock.h"
#include "crumb/model/record.h"
#include "crumb/base/code.h"
#include "crumb/ingest/writer.h"
#include "src/journal/local.h"

#include <errno.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

/* What LMDB brings to disk comes by here: the flush of each commit, and the page that makes it
 * count. */
static int calls_left = -1; /* then it fails (or the process ends); -1: never */
static int fails_n;	    /* so many times */
static bool ends;

static bool fails(void)
{
	if (calls_left < 0 || calls_left-- > 0)
		return false;
	if (ends)
		_exit(0);
	calls_left = --fails_n > 0 ? 0 : -1;
	errno = ENOSPC;
	return true;
}

static int syncs_left =
    -1; /* fsync() of files that are replaced, and of folders: then the process ends */

static int sync_or_end(int fd)
{
	if (syncs_left >= 0 && syncs_left-- == 0)
		_exit(0);
	return libc_fsync(fd);
}

static int flush_or_fail(int fd)
{
	return fails() ? -1 : libc_fdatasync(fd);
}

static int begin(void **state)
{
	calls = (struct calls){.fsync = sync_or_end, .fdatasync = flush_or_fail};
	return make_folder(state);
}
#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, begin, drop_folder)

TEST(blocks_come_back_in_order_over_days_and_restarts)
{
	struct config c;
	struct store *s = open_store(&c);
	put_block(s, 100, 0, "one ");
	put_block(s, 101, 0, "two ");
	put_block(s, 100, 1, "other ");
	put_block(s, 100, 0, "three ");
	blocks_are(s, 0, 0, "one two three ");
	blocks_are(s, 1, 0, "other ");
	blocks_are(s, 2, 0, "");
	blocks_are(s, 0, 1, "two three ");
	s = again(s, &c);
	assert_int_equal(journal_pos_save(journal_last(s->journal, 0)), 4);
	put_block(s, 101, 0, "four");
	blocks_are(s, 0, 2, "three four");
	assert_int_equal(journal_oldest_day(s->journal), 100);
	close_store(s, &c);
}

static void commit_block(struct store *s, uint16_t day, uint16_t shard, const char *text)
{
	static const uint8_t rules[16] = {1};
	struct journal_block b = {.day = day, .shard = shard, .count = 1, .records = str_c(text)};
	assert_int_equal(journal_commit(s->journal, &b, 1, rules), OK);
}

TEST(what_was_committed_is_there_after_a_crash_though_nothing_was_published)
{
	struct config c;
	struct store *s = open_store(&c);
	commit_block(s, 100, 0, "one ");
	commit_block(s, 100, 1, "other ");
	commit_block(s, 100, 0, "two ");
	blocks_are(s, 0, 0, "");
	assert_int_equal(journal_pos_save(journal_last(s->journal, 0)), 0);
	assert_int_equal(journal_pos_save(journal_committed(s->journal, 0)), 3);
	store_close(s); /* which publishes nothing: to the files it is a crash */
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "one two ");
	blocks_are(s, 1, 0, "other ");
	commit_block(s, 100, 0, "three ");
	s = again(s, &c);
	blocks_are(
	    s, 0, 0, "one two three "); /* what the log still has of before is not taken twice */
	assert_int_equal(journal_pos_save(journal_last(s->journal, 0)), 4);
	close_store(s, &c);
}

TEST(another_day_or_much_at_once_is_published_in_order)
{
	struct config c;
	struct store *s = open_store(&c);
	static char much[WAL_FRAME_MOST + 10];
	commit_block(s, 100, 0, "a ");
	commit_block(s, 101, 0, "b "); /* the day before is published first */
	blocks_are(s, 0, 0, "a ");
	memset(much, 'x', sizeof much - 1);
	commit_block(s, 101, 0, much);
	assert_int_equal(journal_unpublished(s->journal), 0);
	assert_int_equal(journal_pos_save(journal_last(s->journal, 0)), 3);
	much[60000] = 0;
	for (int i = 0; i < 300; i++) /* more than the log holds */
		commit_block(s, 101, 1, much);
	assert_true(journal_pos_before(JOURNAL_START, journal_last(s->journal, 1)));
	assert_int_equal(journal_publish(s->journal), OK);
	struct journal_reader *r;
	struct buf got = {0};
	struct journal_pos pos;
	uint32_t count, sum = 0;
	uint16_t day;
	assert_int_equal(journal_read(s->journal, 1, JOURNAL_START, &r), OK);
	while (journal_next(r, &got, &pos, &count, &day) == OK)
		sum += count;
	assert_int_equal(sum, 300);
	assert_int_equal(got.n, 300 * 60000);
	journal_read_end(r);
	buf_done(&got);
	close_store(s, &c);
}

static void damage_second_frame(long from, int bytes)
{
	FILE *f = open_file("wal", "r+b");
	uint8_t head[4];
	assert_int_equal(fread(head, 1, 4, f), 4);
	fseek(f, (long)get_u32(head) + from, SEEK_SET);
	while (bytes-- > 0)
		fputc(0x55, f);
	fclose(f);
}

TEST(a_torn_end_of_the_log_loses_only_what_was_not_answered)
{
	struct config c;
	struct store *s = open_store(&c);
	commit_block(s, 100, 0, "one ");
	commit_block(s, 100, 0, "two ");
	close_store(s, &c);
	damage_second_frame(60, 16); /* within what it seals */
	s = open_store(&c);
	blocks_are(s, 0, 0, "one ");
	commit_block(s, 100, 0, "three ");
	assert_int_equal(journal_publish(s->journal), OK);
	blocks_are(s, 0, 0, "one three ");
	close_store(s, &c);
}

/* A log that is damaged in the middle: what is behind is found, and what was there is counted. */
TEST(a_damaged_commit_in_the_log_is_counted_and_those_behind_it_are_read)
{
	struct config c;
	struct store *s = open_store(&c);
	commit_block(s, 100, 0, "one ");
	commit_block(s, 100, 0, "two ");
	commit_block(s, 100, 0, "three ");
	close_store(s, &c);
	damage_second_frame(0, 60);
	s = open_store(&c);
	blocks_are(s, 0, 0, "one three ");
	struct damage_sum sum;
	damage_sum(s->damage, &sum);
	assert_true(sum.unknown);
	assert_int_equal(sum.others, 1);
	close_store(s, &c);
}

TEST(an_expired_day_is_gone_and_its_key_is_overwritten)
{
	struct config c;
	struct store *s = open_store(&c);
	uint8_t key[32];
	put_block(s, 100, 0, "old");
	put_block(s, 101, 0, "new");
	assert_int_equal(keys_day(s->keys, 100, KEYS_DAY_FIND, key), OK);
	assert_int_equal(keys_expire(s->keys, 101, 190), OK);
	journal_expire(s->journal, 101);
	blocks_are(s, 0, 0, "new");
	uint8_t again[32];
	assert_int_equal(keys_day(s->keys, 100, KEYS_DAY_FIND, again), ERR_NOT_FOUND);
	FILE *f = open_file("keys", "rb");
	char bytes[16384];
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	assert_null(memmem(bytes, n, key, sizeof key));
	close_store(s, &c);
}

TEST(a_reader_keeps_an_expired_day_until_it_ends)
{
	struct config c;
	struct store *s = open_store(&c);
	struct journal_reader *r;
	struct buf got = {0};
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	put_block(s, 100, 0, "old");
	assert_int_equal(journal_read(s->journal, 0, JOURNAL_START, &r), OK);
	journal_expire(s->journal, 101);
	assert_int_equal(journal_next(r, &got, &pos, &count, &day), OK);
	assert_int_equal(got.n, 3);
	journal_read_end(r);
	assert_int_equal(journal_oldest_day(s->journal), 0);
	buf_done(&got);
	close_store(s, &c);
}

TEST(a_commit_of_several_days_that_fails_leaves_nothing)
{
	struct config c;
	struct store *s = open_store(&c);
	put_block(s, 100, 0, "a ");
	put_block(s, 101, 0, "b ");
	put_block(s, 102, 0, "c ");
	bool done = false;
	for (int at = 0; !done;
	     at++) { /* each flush in turn: those of the days, and of taking back */
		assert_true(at < 50);
		for (int n = 1; n < 4; n++) {
			calls_left = at, fails_n = n;
			enum err e = commit_three_days(s, "x ");
			calls_left = -1;
			if ((done = !e)) /* so far did it not come */
				break;
			assert_int_equal(journal_publish(s->journal), OK);
			blocks_are(s, 0, 0, "a b c ");
			blocks_are(s, 1, 0, "");
			assert_int_equal(journal_unpublished(s->journal), 0);
		}
		if (done)
			break;
		blocks_are(s, 0, 0, "a b c ");
	}
	blocks_are(s, 0, 0, "a b c x x x ");
	put_block(s, 101, 0, "d");
	s = again(s, &c);
	blocks_are(s, 0, 0, "a b c x x x d");
	blocks_are(s, 1, 0, "x ");
	close_store(s, &c);
}

TEST(nothing_more_is_stored_before_a_failed_commit_was_taken_back)
{
	struct config c;
	struct store *s = open_store(&c);
	put_block(s, 100, 0, "a ");
	put_block(s, 101, 0, "b ");
	put_block(s, 102, 0, "c ");
	calls_left = 1, fails_n = 1000;
	assert_int_not_equal(commit_three_days(s, "x "), OK);
	assert_true(journal_unpublished(s->journal) > 0);
	commit_block(
	    s, 102, 0, "in the log"); /* which a full disk does not keep from being written */
	assert_int_not_equal(journal_publish(s->journal), OK);
	blocks_are(s, 0, 0, "a b c ");
	calls_left = -1;
	s = again(s, &c);
	blocks_are(s, 0, 0, "a b c in the log");
	close_store(s, &c);
}

TEST(a_commit_of_several_days_that_a_crash_cuts_off_is_whole_or_not_there)
{
	struct config c;
	struct store *s = open_store(&c);
	put_block(s, 100, 0, "a ");
	put_block(s, 101, 0, "b ");
	put_block(s, 102, 0, "c ");
	close_store(s, &c);
	unsigned cut = 0;
	for (int at = 0, status = 0; WEXITSTATUS(status) == 0; at++) {
		pid_t child = fork();
		if (child == 0) {
			s = open_store(&c);
			calls_left = at, ends = true;
			_exit(commit_three_days(s, "x ") == OK ? 1 : 2);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		cut += WEXITSTATUS(status) == 0;
		if (WEXITSTATUS(status))
			break;
		s = NULL;
		struct store *r = open_store_as(
		    &c, STORE_READ_JOURNAL); /* who only reads does not see it either */
		blocks_are(r, 0, 0, "a b c ");
		close_store(r, &c);
		s = open_store(&c);
		blocks_are(s, 0, 0, "a b c ");
		blocks_are(s, 1, 0, "");
		close_store(s, &c);
	}
	assert_true(cut >= 3);
	s = open_store(&c);
	blocks_are(s, 0, 0, "a b c x x x ");
	blocks_are(s, 1, 0, "x ");
	close_store(s, &c);
}

static void nothing(void *arg)
{
}

static void note_done(struct batch *b)
{
	sem_post(b->owner);
}

static enum err submit(struct writer *w, struct batch *b, sem_t *done)
{
	static char path[300000];
	memset(path, 'a', sizeof path); /* large: stored in its day at once */
	struct event e = {.t = 100u * DAY_S, .path = str_make(path, sizeof path)};
	batch_clear(b);
	batch_event(b, &e);
	writer_submit(w, b);
	while (sem_wait(done) != 0)
		;
	return b->result;
}

TEST(a_day_has_its_rules_only_when_they_were_committed)
{
	struct config c;
	struct store *s = open_store(&c);
	struct writer *w;
	struct batch b;
	sem_t done;
	static struct record record;
	uint8_t hash[16] = {7};
	put_block(s, 100, 0, "");
	sem_init(&done, 0, 0);
	batch_init(&b, s->shards, note_done, &done);
	assert_int_equal(writer_start(s, &(struct writer_told){nothing, nothing, NULL}, &w), OK);
	writer_rules(w, hash, STR("the rules"));
	calls_left = 0, fails_n = 1;
	assert_int_not_equal(submit(w, &b, &done), OK);
	assert_int_equal(submit(w, &b, &done), OK);
	assert_int_equal(submit(w, &b, &done), OK);
	writer_stop(w);
	for (unsigned shard = 0; shard < s->shards; shard++) {
		struct journal_reader *r;
		struct buf got = {0};
		struct journal_pos pos;
		uint32_t count;
		uint16_t day;
		unsigned said = 0;
		assert_int_equal(journal_read(s->journal, shard, JOURNAL_START, &r), OK);
		while (journal_next(r, &got, &pos, &count, &day) == OK)
			;
		struct mp m = mp_over(got.n ? buf_view(&got) : STR(""));
		while (m.p < m.end && record_decode(&m, &record))
			said += record.kind == RECORD_RULES;
		assert_int_equal(said, 1);
		journal_read_end(r);
		buf_done(&got);
	}
	batch_done(&b);
	sem_destroy(&done);
	close_store(s, &c);
}

/* --- cleaning */

#define CLEANED_DAY 100

static bool is_first(void *arg, const struct vkey *k)
{
	return k->b[0] == 0;
}

/* Events and hits that were set aside, half of them the first visitor's. */
static void encode_events(uint16_t day, unsigned events, unsigned aside, struct buf *b)
{
	for (unsigned i = 0; i < events + aside; i++) {
		struct event e = {.t = day * (uint32_t)DAY_S,
		    .visitor = {{(uint8_t)(i % 2)}},
		    .aside = i < events ? ASIDE_NOT : ASIDE_RATE};
		event_encode(&e, b);
	}
}

static void commit_events(struct store *s, uint16_t day, unsigned events, unsigned aside)
{
	struct buf b = {0};
	encode_events(day, events, aside, &b);
	struct journal_block block = {
	    .day = day, .count = events + aside, .records = buf_view(&b), .events = events};
	static const uint8_t rules[16] = {1};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	buf_done(&b);
}

static void put_events(struct store *s, uint16_t day, unsigned events, unsigned aside)
{
	commit_events(s, day, events, aside);
	assert_int_equal(journal_publish(s->journal), OK);
}

static enum err clean_first(struct store *s)
{
	struct journal_cleaned *cleaned;
	uint64_t dropped;
	static const _Atomic bool stop;
	enum err e =
	    journal_clean(s->journal, CLEANED_DAY, is_first, NULL, &stop, &cleaned, &dropped);
	return e || !cleaned ? e : journal_swap(s->journal, cleaned);
}

TEST(what_was_cleaned_and_takes_nobodys_place_leaves_nothing)
{
	struct config c;
	struct store *s = open_store(&c);
	struct journal_cleaned *cleaned;
	uint64_t dropped;
	static const _Atomic bool stop;
	char path[128];
	put_events(s, CLEANED_DAY, 10, 0);
	assert_int_equal(
	    journal_clean(s->journal, CLEANED_DAY, is_first, NULL, &stop, &cleaned, &dropped), OK);
	assert_non_null(cleaned);
	snprintf(path, sizeof path, "%s/store/journal/1970-04-11.new", folder);
	assert_int_equal(access(path, F_OK), 0);
	journal_discard(s->journal, cleaned);
	assert_int_not_equal(access(path, F_OK), 0);
	close_store(s, &c);
}

static uint64_t events_of(struct store *s)
{
	const struct ledger_day *l = ledger_find((struct local *)s->journal, CLEANED_DAY);
	assert_non_null(l);
	assert_true(l->known);
	assert_int_equal(l->events, l->readable);
	return l->events;
}

TEST(what_is_cleaned_out_of_a_day_is_no_loss)
{
	struct config c;
	struct store *s = open_store(&c);
	put_events(s, CLEANED_DAY, 10, 6);
	assert_int_equal(events_of(s), 10);
	assert_int_equal(clean_first(s), OK);
	assert_int_equal(events_of(s), 5); /* what was set aside is none of its events */
	s = again(s, &c);
	assert_int_equal(events_of(s), 5);
	nothing_is_lost(s);
	close_store(s, &c);
}

TEST(a_crash_while_a_day_is_exchanged_is_no_loss)
{
	struct config c;
	struct store *s;
	bool through = false;
	for (int at = 0; !through; at++) {
		int status;
		s = open_store(&c);
		put_events(s, CLEANED_DAY, 10, 0);
		close_store(s, &c);
		pid_t child = fork();
		if (child == 0) {
			s = open_store(&c);
			syncs_left = at;
			_exit(clean_first(s) == OK ? 1 : 2);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		through = WEXITSTATUS(status) != 0;
		assert_int_not_equal(WEXITSTATUS(status), 2);
		s = open_store(&c);
		nothing_is_lost(s);
		uint64_t left = events_of(s);
		assert_true(left == 10 || left == 5);
		assert_int_equal(clean_first(s), OK);
		assert_int_equal(events_of(s), 5);
		close_store(s, &c);
		assert_true(at < 50);
		assert_int_equal(folder_remove(folder), OK);
		assert_int_equal(mkdir(folder, 0700), 0);
	}
}

TEST(a_commit_that_cannot_be_taken_back_yet_is_not_counted)
{
	struct config c;
	struct store *s = open_store(&c);
	static const uint8_t rules[16] = {1};
	struct buf b = {0};
	put_events(s, CLEANED_DAY, 10, 0);
	put_events(s, CLEANED_DAY + 1, 10, 0);
	close_store(s, &c);
	encode_events(CLEANED_DAY, 4, 0, &b);
	pid_t child = fork();
	if (child == 0) {
		struct journal_block blocks[2] = {{CLEANED_DAY, 0, 4, buf_view(&b), 0, 4},
		    {CLEANED_DAY + 1, 0, 4, buf_view(&b), 0, 4}};
		s = open_store(&c);
		calls_left = 1, ends = true; /* the first day has its part */
		_exit(1 + (journal_commit(s->journal, blocks, 2, rules) == OK));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	calls_left = 0, fails_n = 1000; /* a full disk: LMDB cannot take anything away */
	s = open_store(&c);
	assert_true(journal_unpublished(s->journal) > 0);
	assert_int_equal(events_of(s), 10);
	nothing_is_lost(s);
	calls_left = -1;
	assert_int_equal(journal_publish(s->journal), OK);
	assert_int_equal(journal_unpublished(s->journal), 0);
	s = again(s, &c);
	assert_int_equal(events_of(s), 10);
	nothing_is_lost(s);
	close_store(s, &c);
	buf_done(&b);
}

TEST(what_a_crash_left_in_the_log_is_counted_and_waits_for_room)
{
	struct config c;
	struct store *s = open_store(&c);
	put_events(s, CLEANED_DAY, 10, 0);
	commit_events(s, CLEANED_DAY, 4, 3);
	for (int starts = 0; starts < 3; starts++) {
		close_store(s, &c); /* which publishes nothing: to the files it is a crash */
		calls_left = 0, fails_n = 1000;
		s = open_store(&c);
		assert_true(journal_unpublished(s->journal) > 0);
		assert_int_equal(journal_pos_save(journal_last(s->journal, 0)), 1);
		assert_int_equal(
		    journal_pos_save(journal_committed(s->journal, 0)), 2u + (unsigned)starts);
		assert_int_not_equal(journal_publish(s->journal), OK);
		commit_events(s, CLEANED_DAY, 1, 0); /* the log has room */
		calls_left = -1;
	}
	assert_int_equal(events_of(s), 10);
	s = again(s, &c);
	assert_int_equal(events_of(s), 17);
	nothing_is_lost(s);
	s = again(s, &c);
	assert_int_equal(events_of(s), 17);
	nothing_is_lost(s);
	close_store(s, &c);
}

static void copy_day(const char *to)
{
	char text[400], day[DAY_TEXT];
	day_text(CLEANED_DAY, day);
	snprintf(
	    text, sizeof text, "cp %s/store/journal/%s/data.mdb %s/%s", folder, day, folder, to);
	assert_int_equal(system(text), 0);
}

TEST(a_day_that_an_older_copy_replaced_while_it_was_in_use_is_told)
{
	struct config c;
	struct store *s = open_store(&c);
	char from[128], to[128], day[DAY_TEXT];
	struct damage_sum sum;
	put_events(s, CLEANED_DAY, 10, 0);
	s = again(s, &c);
	copy_day("older");
	put_events(s, CLEANED_DAY, 4, 0);
	day_text(CLEANED_DAY, day);
	snprintf(from, sizeof from, "%s/older", folder);
	snprintf(to, sizeof to, "%s/store/journal/%s/data.mdb", folder, day);
	assert_int_equal(rename(from, to), 0);
	put_events(s, CLEANED_DAY, 3, 0);
	s = again(s, &c);
	damage_sum(s->damage, &sum);
	assert_int_equal(sum.days, 1);
	assert_int_equal(sum.lost_events, 7);
	close_store(s, &c);
}

static int full_for; /* so many writes fail */

static ssize_t write_or_fail(int fd, const void *p, size_t n, off_t at)
{
	if (full_for <= 0)
		return libc_pwrite(fd, p, n, at);
	full_for--;
	errno = ENOSPC;
	return -1;
}

TEST(a_log_that_cannot_be_made_is_refused_and_made_when_there_is_room)
{
	struct config c;
	struct store *s = open_store(&c);
	char wal[300];
	put_block(s, 100, 0, "a ");
	store_close(s);
	snprintf(wal, sizeof wal, "%s/wal", c.store_path);
	assert_int_equal(unlink(wal), 0);
	calls.pwrite = write_or_fail;
	full_for = 1;
	assert_int_equal(store_open(&c, STORE_WRITE, &s), ERR_FULL);
	assert_int_equal(full_for, 0);
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "a ");
	close_store(s, &c);
}

UNIT_TESTS(ON_DISK(blocks_come_back_in_order_over_days_and_restarts),
    ON_DISK(what_was_committed_is_there_after_a_crash_though_nothing_was_published),
    ON_DISK(another_day_or_much_at_once_is_published_in_order),
    ON_DISK(a_torn_end_of_the_log_loses_only_what_was_not_answered),
    ON_DISK(a_damaged_commit_in_the_log_is_counted_and_those_behind_it_are_read),
    ON_DISK(an_expired_day_is_gone_and_its_key_is_overwritten),
    ON_DISK(a_reader_keeps_an_expired_day_until_it_ends),
    ON_DISK(a_commit_of_several_days_that_fails_leaves_nothing),
    ON_DISK(nothing_more_is_stored_before_a_failed_commit_was_taken_back),
    ON_DISK(a_commit_of_several_days_that_a_crash_cuts_off_is_whole_or_not_there),
    ON_DISK(a_day_has_its_rules_only_when_they_were_committed),
    ON_DISK(what_was_cleaned_and_takes_nobodys_place_leaves_nothing),
    ON_DISK(what_is_cleaned_out_of_a_day_is_no_loss),
    ON_DISK(a_crash_while_a_day_is_exchanged_is_no_loss),
    ON_DISK(a_commit_that_cannot_be_taken_back_yet_is_not_counted),
    ON_DISK(what_a_crash_left_in_the_log_is_counted_and_waits_for_room),
    ON_DISK(a_log_that_cannot_be_made_is_refused_and_made_when_there_is_room),
    ON_DISK(a_day_that_an_older_copy_replaced_while_it_was_in_use_is_told))
