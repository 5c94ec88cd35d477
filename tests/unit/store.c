#include "unit.h"

#include "crumb/audience/members.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/ingest/writer.h"
#include "crumb/store/store.h"
#include "../../src/store/wal.h"

#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <semaphore.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

/* What LMDB brings to disk comes by here: the flush of each commit, and the page that makes it count. */
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

int fdatasync(int fd)
{
	static int (*real)(int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	return fails() ? -1 : real(fd);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/crumb-unit.XXXXXX");
	return sodium_init() < 0 || !mkdtemp(folder) ? -1 : 0;
}

static int drop_folder(void **state)
{
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct store *open_store(struct config *c)
{
	struct store *s = NULL;
	char option[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(store_open(c, STORE_WRITE, &s), OK);
	return s;
}

static void put_block(struct store *s, uint16_t day, uint16_t shard, const char *text)
{
	static const uint8_t rules[16] = {1};
	struct journal_block b = {.day = day, .shard = shard, .count = 1, .records = str_c(text)};
	assert_int_equal(journal_commit(s->journal, &b, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
}

/* All blocks of a shard after a sequence, joined. */
static void blocks_are(struct store *s, unsigned shard, uint64_t after, const char *want)
{
	struct journal_reader *r;
	struct buf got = {0};
	uint64_t seq, last = after;
	uint32_t count;
	uint16_t day;
	enum err e;
	assert_int_equal(journal_read(s->journal, shard, after, &r), OK);
	while ((e = journal_next(r, &got, &seq, &count, &day)) == OK) {
		assert_true(seq > last);
		last = seq;
	}
	assert_int_equal(e, ERR_NOT_FOUND);
	assert_int_equal(got.n, strlen(want));
	if (got.n)
		assert_memory_equal(got.p, want, got.n);
	journal_read_end(r);
	buf_done(&got);
}

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
	store_close(s);
	config_done(&c);
	s = open_store(&c);
	assert_int_equal(journal_last(s->journal, 0), 4);
	put_block(s, 101, 0, "four");
	blocks_are(s, 0, 2, "three four");
	assert_int_equal(journal_oldest_day(s->journal), 100);
	store_close(s);
	config_done(&c);
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
	assert_int_equal(journal_last(s->journal, 0), 0);
	assert_int_equal(journal_committed(s->journal, 0), 3);
	store_close(s); /* which publishes nothing: to the files it is a crash */
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "one two ");
	blocks_are(s, 1, 0, "other ");
	commit_block(s, 100, 0, "three ");
	store_close(s);
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "one two three "); /* what the log still has of before is not taken twice */
	assert_int_equal(journal_last(s->journal, 0), 4);
	store_close(s);
	config_done(&c);
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
	assert_int_equal(journal_last(s->journal, 0), 3);
	much[60000] = 0;
	for (int i = 0; i < 300; i++) /* more than the log holds */
		commit_block(s, 101, 1, much);
	assert_true(journal_last(s->journal, 1) > 0);
	assert_int_equal(journal_publish(s->journal), OK);
	struct journal_reader *r;
	struct buf got = {0};
	uint64_t seq;
	uint32_t count, sum = 0;
	uint16_t day;
	assert_int_equal(journal_read(s->journal, 1, 0, &r), OK);
	while (journal_next(r, &got, &seq, &count, &day) == OK)
		sum += count;
	assert_int_equal(sum, 300);
	assert_int_equal(got.n, 300 * 60000);
	journal_read_end(r);
	buf_done(&got);
	store_close(s);
	config_done(&c);
}

TEST(a_torn_end_of_the_log_loses_only_what_was_not_answered)
{
	struct config c;
	struct store *s = open_store(&c);
	commit_block(s, 100, 0, "one ");
	commit_block(s, 100, 0, "two ");
	store_close(s);
	config_done(&c);
	char path[128];
	snprintf(path, sizeof path, "%s/store/wal", folder);
	FILE *f = fopen(path, "r+b");
	uint8_t head[4];
	assert_int_equal(fread(head, 1, 4, f), 4);
	fseek(f, (long)get_u32(head) + 70, SEEK_SET); /* within what the second frame seals */
	fputc(0x55, f);
	fclose(f);
	s = open_store(&c);
	blocks_are(s, 0, 0, "one ");
	commit_block(s, 100, 0, "three ");
	assert_int_equal(journal_publish(s->journal), OK);
	blocks_are(s, 0, 0, "one three ");
	store_close(s);
	config_done(&c);
}

TEST(an_expired_day_is_gone_and_its_key_is_overwritten)
{
	struct config c;
	struct store *s = open_store(&c);
	uint8_t key[32];
	put_block(s, 100, 0, "old");
	put_block(s, 101, 0, "new");
	assert_int_equal(keys_day(s->keys, 100, false, key), OK);
	assert_int_equal(keys_expire(s->keys, 101, 190), OK);
	journal_expire(s->journal, 101);
	blocks_are(s, 0, 0, "new");
	uint8_t again[32];
	assert_int_equal(keys_day(s->keys, 100, false, again), ERR_NOT_FOUND);
	char path[128];
	snprintf(path, sizeof path, "%s/store/keys", folder);
	FILE *f = fopen(path, "rb");
	char bytes[16384];
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	assert_null(memmem(bytes, n, key, sizeof key));
	store_close(s);
	config_done(&c);
}

TEST(a_reader_keeps_an_expired_day_until_it_ends)
{
	struct config c;
	struct store *s = open_store(&c);
	struct journal_reader *r;
	struct buf got = {0};
	uint64_t seq;
	uint32_t count;
	uint16_t day;
	put_block(s, 100, 0, "old");
	assert_int_equal(journal_read(s->journal, 0, 0, &r), OK);
	journal_expire(s->journal, 101);
	assert_int_equal(journal_next(r, &got, &seq, &count, &day), OK);
	assert_int_equal(got.n, 3);
	journal_read_end(r);
	assert_int_equal(journal_oldest_day(s->journal), 0);
	buf_done(&got);
	store_close(s);
	config_done(&c);
}

static enum err commit_three_days(struct store *s, const char *text)
{
	static const uint8_t rules[16] = {1};
	struct journal_block b[4] = {{.day = 100, .shard = 0, .count = 1, .records = str_c(text)}, {101, 0, 1, str_c(text), 0, 0},
	    {101, 1, 1, str_c(text), 0, 0}, {102, 0, 1, str_c(text), 0, 0}};
	enum err e = journal_commit(s->journal, b, 4, rules);
	return e ? e : journal_publish(s->journal);
}

TEST(a_commit_of_several_days_that_fails_leaves_nothing)
{
	struct config c;
	struct store *s = open_store(&c);
	put_block(s, 100, 0, "a ");
	put_block(s, 101, 0, "b ");
	put_block(s, 102, 0, "c ");
	bool done = false;
	for (int at = 0; !done; at++) { /* each flush in turn: those of the days, and of taking back */
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
	store_close(s);
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "a b c x x x d");
	blocks_are(s, 1, 0, "x ");
	store_close(s);
	config_done(&c);
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
	commit_block(s, 102, 0, "in the log"); /* which a full disk does not keep from being written */
	assert_int_not_equal(journal_publish(s->journal), OK);
	blocks_are(s, 0, 0, "a b c ");
	calls_left = -1;
	store_close(s);
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "a b c in the log");
	store_close(s);
	config_done(&c);
}

TEST(a_commit_of_several_days_that_a_crash_cuts_off_is_whole_or_not_there)
{
	struct config c;
	struct store *s = open_store(&c);
	put_block(s, 100, 0, "a ");
	put_block(s, 101, 0, "b ");
	put_block(s, 102, 0, "c ");
	store_close(s);
	config_done(&c);
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
		struct store *r = NULL;
		assert_int_equal(config_init(&c), OK);
		char option[128];
		snprintf(option, sizeof option, "store.path=%s/store", folder);
		assert_int_equal(config_set(&c, option), OK);
		assert_int_equal(store_open(&c, STORE_READ_JOURNAL, &r), OK); /* who only reads does not see it either */
		blocks_are(r, 0, 0, "a b c ");
		store_close(r);
		config_done(&c);
		s = open_store(&c);
		blocks_are(s, 0, 0, "a b c ");
		blocks_are(s, 1, 0, "");
		store_close(s);
		config_done(&c);
	}
	assert_true(cut >= 3);
	s = open_store(&c);
	blocks_are(s, 0, 0, "a b c x x x ");
	blocks_are(s, 1, 0, "x ");
	store_close(s);
	config_done(&c);
}

static void nothing(void *arg, bool asked)
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
	assert_int_equal(writer_start(s, nothing, NULL, &w), OK);
	writer_rules(w, hash, STR("the rules"));
	calls_left = 0, fails_n = 1;
	assert_int_not_equal(submit(w, &b, &done), OK);
	assert_int_equal(submit(w, &b, &done), OK);
	assert_int_equal(submit(w, &b, &done), OK);
	writer_stop(w);
	for (unsigned shard = 0; shard < s->shards; shard++) {
		struct journal_reader *r;
		struct buf got = {0};
		uint64_t seq;
		uint32_t count;
		uint16_t day;
		unsigned said = 0;
		assert_int_equal(journal_read(s->journal, shard, 0, &r), OK);
		while (journal_next(r, &got, &seq, &count, &day) == OK)
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
	store_close(s);
	config_done(&c);
}

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

TEST(a_profile_comes_back_as_it_was)
{
	struct profile p = {0}, q = {0};
	struct buf bytes = {0};
	p.ordinal = 7;
	p.due_hour = 20780 * 24;
	p.evaluated_day = 20779;
	p.place = (struct place){"GB", "ENG"};
	p.place_day = 20000;
	p.agent = (struct agent){DEVICE_MOBILE, OS_IOS, BROWSER_SAFARI};
	p.agent_day = 20001;
	struct event e = {.t = 20002u * DAY_S, .attrs_n = 1, .attrs = {{STR("size"), STR("xl")}}};
	profile_observe(&p, day_of(e.t), &e.place, &e.agent, e.attrs, e.attrs_n);
	for (uint16_t i = 0; i < 500; i++)
		profile_add(&p, (uint16_t)(i * 7919 % 97), (uint16_t)(20000 + i * 31 % 90), i + 1u);
	profile_save(&p, &bytes);
	assert_true(profile_load(&q, buf_view(&bytes)));
	assert_int_equal(q.rows_n, p.rows_n);
	assert_memory_equal(q.rows, p.rows, p.rows_n * sizeof *p.rows);
	assert_int_equal(q.ordinal, 7);
	assert_memory_equal(&q.place, &p.place, sizeof p.place);
	assert_true(str_eq(profile_attr(&q, STR("size"))->value, STR("xl")));
	for (size_t cut = 0; cut < bytes.n; cut++)
		(void)!profile_load(&q, str_make(bytes.p, cut)); /* anything but a crash */
	profile_expire(&p, 20040);
	for (size_t i = 0; i < p.rows_n; i++)
		assert_true(p.rows[i].day >= 20040);
	assert_int_equal(p.attrs_n, 0);
	assert_int_equal(p.place_day, 0);
	profile_done(&p);
	profile_done(&q);
	buf_done(&bytes);
}

TEST(a_count_saturates)
{
	struct profile p = {0};
	profile_add(&p, 1, 1, UINT32_MAX - 1);
	profile_add(&p, 1, 1, 5);
	assert_int_equal(p.rows[0].count, UINT32_MAX);
	profile_done(&p);
}

TEST(a_bitmap_that_was_changed_is_refused)
{
	struct bitmap *b;
	struct buf bytes = {0};
	assert_int_equal(bitmap_read(STR(""), &b), OK);
	for (unsigned i = 0; i < 3000; i++)
		bitmap_set(b, (uint16_t)(i * i), true);
	uint32_t size = bitmap_size(b);
	bitmap_write(b, &bytes);
	bitmap_free(b);
	assert_int_equal(bitmap_stored_size(buf_view(&bytes)), size);
	assert_int_equal(bitmap_read(buf_view(&bytes), &b), OK);
	assert_int_equal(bitmap_size(b), size);
	bitmap_free(b);
	for (size_t i = 0; i < bytes.n; i += 7) {
		bytes.p[i] ^= 1;
		assert_int_equal(bitmap_read(buf_view(&bytes), &b), ERR_CORRUPT);
		bytes.p[i] ^= 1;
	}
	buf_done(&bytes);
}

TEST(an_ordinal_rests_a_day_before_it_is_used_again)
{
	struct config c;
	struct store *s = open_store(&c);
	struct shard sh;
	struct db_txn t;
	struct vkey a = {"a"}, b = {"b"}, found;
	assert_int_equal(store_shard(s, 1, 0, &sh), OK);
	assert_int_equal(db_begin(&sh.db, true, &t), OK);
	uint32_t first = shard_ordinal_take(&sh, &t, 1000, &a);
	shard_ordinal_free(&sh, &t, 1000, first);
	assert_false(shard_ordinal_key(&sh, &t, first, &found));
	assert_int_not_equal(shard_ordinal_take(&sh, &t, 1023, &b), first);
	assert_int_equal(shard_ordinal_take(&sh, &t, 1024, &b), first);
	assert_true(shard_ordinal_key(&sh, &t, first, &found));
	assert_int_equal(db_end(&t), OK);
	shard_close(&sh);
	store_close(s);
	config_done(&c);
}

/* --- who was erased */

static struct vkey numbered(unsigned i)
{
	struct vkey k;
	struct hash16 h = hash_keyed(&(struct key16){{7}}, &i, sizeof i);
	memcpy(k.b, h.b, sizeof k.b);
	return k;
}

static bool gone(struct erased *e, unsigned i)
{
	struct erased_view v;
	struct vkey k = numbered(i);
	erased_view_init(&v, e);
	bool has = erased_has(&v, &k);
	erased_view_done(&v);
	return has;
}

TEST(an_erasure_counts_from_when_it_is_noted_and_not_if_it_could_not_be_written)
{
	struct erased *e;
	struct vkey a = numbered(1), b = numbered(2), *all;
	char path[128];
	snprintf(path, sizeof path, "%s/erased", folder);
	assert_int_equal(erased_open(path, true, &e), OK);
	assert_false(gone(e, 1));
	erased_note(e, &a);
	erased_note(e, &b);
	assert_true(gone(e, 1) && gone(e, 2) && !gone(e, 3));
	assert_false(erased_since(e, &a, 0)); /* the file has nothing yet */
	assert_int_equal(erased_add(e, &a, 1, 20000), OK);
	erased_settle(e, &a, 1, true);
	erased_settle(e, &b, 1, false);
	assert_true(gone(e, 1) && !gone(e, 2));
	/* again, and this time it fails: it stays erased */
	erased_note(e, &a);
	erased_settle(e, &a, 1, false);
	assert_true(gone(e, 1));
	assert_true(erased_since(e, &a, 20000) && !erased_since(e, &a, 20001));
	assert_int_equal(erased_count_since(e, 0), 1);
	assert_int_equal(erased_all(e, &all), 1);
	assert_memory_equal(all, &a, sizeof a);
	free(all);
	erased_close(e);
	assert_int_equal(erased_open(path, true, &e), OK);
	assert_true(gone(e, 1) && !gone(e, 2));
	assert_int_equal(erased_expire(e, 20001), OK);
	assert_false(gone(e, 1));
	erased_close(e);
}

struct adding {
	struct erased *e;
	unsigned n;
	_Atomic unsigned done; /* numbers below it are on the list */
};

static void *add_many(void *arg)
{
	struct adding *a = arg;
	for (unsigned i = 0; i < a->n; i++) {
		struct vkey k = numbered(i);
		erased_note(a->e, &k);
		if (i % 512 == 0)
			CHECK(erased_add(a->e, &k, 1, 20000) == OK);
		erased_settle(a->e, &k, 1, true);
		if (i % 512 == 511)
			CHECK(erased_expire(a->e, 1) == OK);
		atomic_store(&a->done, i + 1);
	}
	return NULL;
}

TEST(whoever_looks_meanwhile_sees_what_was_noted_before)
{
	struct adding a = {.n = 4096};
	char path[128];
	pthread_t thread;
	struct erased_view v;
	snprintf(path, sizeof path, "%s/erased", folder);
	assert_int_equal(erased_open(path, true, &a.e), OK);
	erased_view_init(&v, a.e);
	assert_int_equal(pthread_create(&thread, NULL, add_many, &a), 0);
	for (unsigned seen = 0, i = 0; seen < a.n; i = i * 5 + 3) {
		seen = atomic_load(&a.done);
		if (!seen)
			continue;
		struct vkey k = numbered(i % seen), not = numbered(a.n + i % 1000);
		CHECK(erased_has(&v, &k) && !erased_has(&v, &not));
	}
	pthread_join(thread, NULL);
	erased_view_done(&v);
	erased_close(a.e);
}

TEST(a_profile_of_every_segment_comes_back)
{
	struct profile p = {.ordinal = 7, .due_hour = 24}, q = {0};
	struct buf bytes = {0};
	static uint16_t all[65000];
	for (unsigned i = 0; i < 65000; i++)
		all[i] = (uint16_t)i;
	p.segments = all;
	p.segments_n = 65000;
	profile_add(&p, 1, 20000, 3);
	profile_save(&p, &bytes);
	assert_true(profile_load(&q, buf_view(&bytes)));
	assert_int_equal(q.segments_n, 65000);
	assert_memory_equal(q.segments, all, sizeof all);
	assert_int_equal(q.rows_n, 1);
	p.segments = NULL;
	profile_done(&p);
	profile_done(&q);
	buf_done(&bytes);
}

/* A log that is damaged in the middle: what is behind is found, and what was there is counted. */
TEST(a_damaged_commit_in_the_log_is_counted_and_those_behind_it_are_read)
{
	struct config c;
	struct store *s = open_store(&c);
	commit_block(s, 100, 0, "one ");
	commit_block(s, 100, 0, "two ");
	commit_block(s, 100, 0, "three ");
	store_close(s);
	config_done(&c);
	char path[128];
	snprintf(path, sizeof path, "%s/store/wal", folder);
	FILE *f = fopen(path, "r+b");
	uint8_t head[4];
	assert_int_equal(fread(head, 1, 4, f), 4);
	fseek(f, (long)get_u32(head), SEEK_SET);
	for (int i = 0; i < 60; i++)
		fputc(0x55, f);
	fclose(f);
	s = open_store(&c);
	blocks_are(s, 0, 0, "one three ");
	struct damage_sum sum;
	damage_sum(s->damage, &sum);
	assert_true(sum.unknown);
	assert_int_equal(sum.others, 1);
	store_close(s);
	config_done(&c);
}

TEST(a_list_of_the_erased_that_is_lost_is_found_again)
{
	struct config c;
	struct store *s = open_store(&c);
	struct vkey k = {"somebody"}, other = {"somebody else"};
	struct buf b = {0};
	static const uint8_t rules[16] = {1};
	char path[128];
	uint32_t now = clock_now();
	record_encode_erase(&k, now, &b);
	struct journal_block block = {.day = day_of(now), .shard = 0, .count = 1, .records = buf_view(&b)};
	assert_int_equal(erased_add(s->erased, &k, 1, day_of(now)), OK);
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	store_close(s);
	config_done(&c);
	snprintf(path, sizeof path, "%s/store/erased", folder);
	for (int how = 0; how < 3; how++) {
		if (how == 0)
			assert_int_equal(unlink(path), 0);
		else if (how == 1)
			assert_int_equal(truncate(path, 0), 0);
		FILE *f = how == 2 ? fopen(path, "r+b") : NULL;
		if (f) {
			fputc(0x55, f);
			fclose(f);
		}
		s = open_store(&c);
		assert_true(erased_since(s->erased, &k, day_of(now)));
		assert_false(erased_since(s->erased, &other, day_of(now)));
		struct damage_sum sum;
		damage_sum(s->damage, &sum);
		assert_int_equal(sum.others, 1);
		store_close(s);
		config_done(&c);
		s = open_store(&c);
		damage_sum(s->damage, &sum);
		assert_int_equal(sum.others, 0);
		store_close(s);
		config_done(&c);
	}
	buf_done(&b);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)
RUN(IN_FOLDER(blocks_come_back_in_order_over_days_and_restarts), IN_FOLDER(an_expired_day_is_gone_and_its_key_is_overwritten),
    IN_FOLDER(what_was_committed_is_there_after_a_crash_though_nothing_was_published), IN_FOLDER(another_day_or_much_at_once_is_published_in_order),
    IN_FOLDER(a_torn_end_of_the_log_loses_only_what_was_not_answered), IN_FOLDER(a_reader_keeps_an_expired_day_until_it_ends),
    IN_FOLDER(a_commit_of_several_days_that_fails_leaves_nothing), IN_FOLDER(nothing_more_is_stored_before_a_failed_commit_was_taken_back),
    IN_FOLDER(a_day_has_its_rules_only_when_they_were_committed),
    IN_FOLDER(a_commit_of_several_days_that_a_crash_cuts_off_is_whole_or_not_there), IN_FOLDER(a_second_writer_is_refused), cmocka_unit_test(a_profile_comes_back_as_it_was),
    cmocka_unit_test(a_profile_of_every_segment_comes_back), IN_FOLDER(a_damaged_commit_in_the_log_is_counted_and_those_behind_it_are_read),
    IN_FOLDER(a_list_of_the_erased_that_is_lost_is_found_again), cmocka_unit_test(a_count_saturates),
    cmocka_unit_test(a_bitmap_that_was_changed_is_refused), IN_FOLDER(an_ordinal_rests_a_day_before_it_is_used_again),
    IN_FOLDER(an_erasure_counts_from_when_it_is_noted_and_not_if_it_could_not_be_written), IN_FOLDER(whoever_looks_meanwhile_sees_what_was_noted_before))
