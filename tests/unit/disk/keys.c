/* The keys' file under failing writes, crashes between and in the middle of writes, and damage of
 * every byte. */
#include "calls.h"
#include "folder.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIZE_MAX_OF_KEYS 8192

/* --- the disk, as the keys see it: what it is answered in the place of the C library */

static int fail_at, tear_at,
    writes; /* the write of that number fails, or is the last one and comes only so far */
static size_t tear_to;
static bool dead; /* after a torn write nothing more comes */

static ssize_t write_some(int fd, const void *p, size_t n, off_t at)
{
	writes++;
	if (fail_at && writes == fail_at) {
		errno = EIO;
		return -1;
	}
	if (dead) {
		errno = EIO;
		return -1;
	}
	if (tear_at && writes == tear_at) {
		dead = true;
		if (tear_to)
			assert_int_equal(libc_pwrite(fd, p, tear_to < n ? tear_to : n, at),
			    tear_to < n ? tear_to : n);
		errno = EIO;
		return -1;
	}
	return libc_pwrite(fd, p, n, at);
}

/* Nobody takes the power away here. */
static int sync_nothing(int fd)
{
	return fd < 0 ? -1 : 0;
}

static void disk(int fail, int tear, size_t to)
{
	fail_at = fail, tear_at = tear, tear_to = to, writes = 0, dead = false;
}

/* --- */

static char path[128];

static int begin(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	snprintf(path, sizeof path, "%s/keys", folder);
	calls =
	    (struct calls){.pwrite = write_some, .fsync = sync_nothing, .fdatasync = sync_nothing};
	disk(0, 0, 0);
	return 0;
}

static int end(void **state)
{
	disk(0, 0, 0);
	return drop_folder(state);
}

static size_t slurp(const char *name, uint8_t *out, size_t cap)
{
	FILE *f = fopen(name, "rb");
	assert_non_null(f);
	size_t n = fread(out, 1, cap, f);
	fclose(f);
	return n;
}

static void spit(const char *name, const uint8_t *p, size_t n)
{
	FILE *f = fopen(name, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

static struct keys *fresh(uint16_t days)
{
	struct keys *k;
	uint8_t key[32];
	struct identity_keys id;
	assert_int_equal(keys_open(path, KEYS_MAKE, &k), OK);
	assert_int_equal(keys_identity(k, 20000, &id), OK);
	for (uint16_t d = 0; d < days; d++)
		assert_int_equal(keys_day(k, (uint16_t)(20000 + d), KEYS_DAY_MAKE, key), OK);
	return k;
}

TEST(a_key_whose_destruction_failed_is_destroyed_by_the_next_try)
{
	uint8_t key[32], bytes[SIZE_MAX_OF_KEYS];
	for (int fail = 1; fail <= 3; fail++) {
		struct keys *k = fresh(3);
		assert_int_equal(keys_day(k, 20000, KEYS_DAY_FIND, key), OK);
		disk(fail, 0, 0);
		assert_int_not_equal(keys_expire(k, 20001, 20003), OK);
		disk(0, 0, 0);
		assert_int_equal(keys_expire(k, 20001, 20003), OK);
		size_t n = slurp(path, bytes, sizeof bytes);
		assert_null(memmem(bytes, n, key, sizeof key));
		assert_int_equal(keys_day(k, 20000, KEYS_DAY_FIND, key), ERR_NOT_FOUND);
		keys_close(k);
		assert_int_equal(keys_open(path, KEYS_WRITE, &k), OK);
		assert_int_equal(keys_day(k, 20000, KEYS_DAY_FIND, key), ERR_NOT_FOUND);
		assert_int_equal(keys_day(k, 20001, KEYS_DAY_FIND, key), OK);
		assert_int_equal(keys_destroyed_before(k), 20001);
		keys_close(k);
		unlink(path);
	}
}

TEST(a_key_that_could_not_be_written_is_not_used_and_its_place_is_emptied)
{
	uint8_t key[32], again[32];
	for (int fail = 1; fail <= 3; fail++) {
		struct keys *k = fresh(2);
		disk(fail, 0, 0);
		assert_int_not_equal(keys_day(k, 20009, KEYS_DAY_MAKE, key), OK);
		disk(0, 0, 0);
		assert_int_equal(keys_day(k, 20009, KEYS_DAY_FIND, key), ERR_NOT_FOUND);
		assert_int_equal(keys_day(k, 20010, KEYS_DAY_MAKE, key), OK);
		keys_close(k);
		assert_int_equal(keys_open(path, KEYS_WRITE, &k), OK);
		assert_int_equal(keys_day(k, 20009, KEYS_DAY_FIND, again), ERR_NOT_FOUND);
		assert_int_equal(keys_day(k, 20010, KEYS_DAY_FIND, again), OK);
		assert_memory_equal(key, again, sizeof key);
		keys_close(k);
		unlink(path);
	}
}

/* One change that a crash ends at any byte of any of its writes. */
static void crash_in(enum err (*what)(struct keys *), uint16_t touched)
{
	uint8_t before[SIZE_MAX_OF_KEYS], want[5][32], key[32], id[STORE_ID_LEN],
	    same[STORE_ID_LEN];
	struct keys *k = fresh(5);
	for (uint16_t d = 0; d < 5; d++)
		assert_int_equal(keys_day(k, (uint16_t)(20000 + d), KEYS_DAY_FIND, want[d]), OK);
	keys_id(k, id);
	uint64_t serial = keys_serial(k);
	keys_close(k);
	size_t n = slurp(path, before, sizeof before);
	for (int write = 1; write <= 3; write++) {
		for (size_t to = 0; to <= 256;
		     to += write == 2 ? 1 : 256) { /* a seal is within a sector */
			spit(path, before, n);
			assert_int_equal(keys_open(path, KEYS_WRITE, &k), OK);
			disk(0, write, to);
			(void)what(k);
			disk(0, 0, 0);
			keys_close(k);
			assert_int_equal(keys_open(path, KEYS_READ, &k), OK);
			keys_close(k);
			for (int again = 0; again < 2; again++) {
				assert_int_equal(keys_open(path, KEYS_WRITE, &k), OK);
				keys_id(k, same);
				assert_memory_equal(id, same, sizeof id);
				assert_true(keys_serial(k) >= serial);
				for (uint16_t d = 0; d < 5; d++)
					if (20000 + d != touched) {
						assert_int_equal(keys_day(k, (uint16_t)(20000 + d),
								     KEYS_DAY_FIND, key),
						    OK);
						assert_memory_equal(key, want[d], sizeof key);
					}
				keys_close(k);
			}
		}
	}
}

static enum err make_one(struct keys *k)
{
	uint8_t key[32];
	return keys_day(k, 20077, KEYS_DAY_MAKE, key);
}

static enum err destroy_one(struct keys *k)
{
	return keys_expire(k, 20001, 20005);
}

TEST(a_crash_at_any_byte_of_a_change_harms_no_other_key)
{
	crash_in(make_one, 20077);
	unlink(path);
	crash_in(destroy_one, 20000);
}

TEST(every_flipped_byte_and_every_cut_is_noticed)
{
	uint8_t bytes[SIZE_MAX_OF_KEYS];
	struct keys *k = fresh(40);
	keys_close(k);
	size_t n = slurp(path, bytes, sizeof bytes);
	int fd = open(path, O_RDWR);
	for (size_t i = 0; i < n; i++) {
		uint8_t flipped = bytes[i] ^ (uint8_t)(1u << i % 8);
		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
		assert_int_equal(keys_open(path, KEYS_WRITE, &k), ERR_CORRUPT);
		assert_int_equal(pwrite(fd, bytes + i, 1, (off_t)i), 1);
	}
	close(fd);
	for (size_t cut = 0; cut < n; cut += 128) {
		spit(path, bytes, cut);
		if (keys_open(path, KEYS_WRITE, &k) ==
		    OK) { /* like one of an older crumb; format knows better */
			assert_false(keys_sealed(k));
			keys_close(k);
		}
	}
	spit(path, bytes, n);
	assert_int_equal(keys_open(path, KEYS_WRITE, &k), OK);
	assert_true(keys_sealed(k));
	keys_close(k);
}

/* --- the store that they belong to */

static void config_for(struct config *c, const char *name)
{
	char option[200];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/%s", folder, name);
	assert_int_equal(config_set(c, option), OK);
}

static uint16_t today(void)
{
	return day_of(clock_now());
}

static void fill(const char *name)
{
	static const uint8_t rules[16] = {1};
	struct config c;
	struct store *s;
	config_for(&c, name);
	assert_int_equal(store_open(&c, STORE_WRITE, &s), OK);
	for (uint16_t d = 0; d < 3; d++) {
		struct journal_block b = {.day = (uint16_t)(today() - d),
		    .shard = 0,
		    .count = 1,
		    .records = STR("record")};
		assert_int_equal(journal_commit(s->journal, &b, 1, rules), OK);
		assert_int_equal(journal_publish(s->journal), OK);
	}
	store_close(s);
	config_done(&c);
}

static enum err opens(const char *name, enum store_mode mode)
{
	struct config c;
	struct store *s;
	config_for(&c, name);
	enum err e = store_open(&c, mode, &s);
	if (!e) {
		uint16_t days[10];
		assert_int_equal(mode == STORE_READ ? 3 : journal_days(s->journal, days, 10), 3);
		store_close(s);
	}
	config_done(&c);
	return e;
}

TEST(keys_that_are_not_the_stores_newest_are_refused)
{
	char a[200], b[200], format[200];
	uint8_t own[SIZE_MAX_OF_KEYS], other[SIZE_MAX_OF_KEYS], old[SIZE_MAX_OF_KEYS], said[300];
	struct keys *k;
	snprintf(a, sizeof a, "%s/a/keys", folder);
	snprintf(b, sizeof b, "%s/b/keys", folder);
	snprintf(format, sizeof format, "%s/a/format", folder);
	fill("a");
	fill("b");
	size_t n = slurp(a, own, sizeof own), m = slurp(b, other, sizeof other);
	assert_int_equal(opens("a", STORE_WRITE), OK);
	spit(a, other, m);
	assert_int_equal(opens("a", STORE_WRITE), ERR_CORRUPT);
	assert_non_null(strstr(err_text(), "another store"));
	assert_int_equal(opens("a", STORE_READ), ERR_CORRUPT);
	spit(a, own, 0);
	assert_int_equal(opens("a", STORE_WRITE), ERR_NOT_FOUND);
	unlink(a);
	assert_int_equal(opens("a", STORE_WRITE), ERR_NOT_FOUND);
	assert_int_equal(symlink("/nowhere/keys", a), 0);
	assert_int_equal(opens("a", STORE_WRITE), ERR_NOT_FOUND);
	assert_non_null(strstr(err_text(), "link"));
	unlink(a);
	spit(a, own, 5376); /* as an older crumb wrote it */
	chmod(a, 0600);
	assert_int_equal(opens("a", STORE_WRITE), ERR_CORRUPT);
	spit(a, own, n);
	assert_int_equal(opens("a", STORE_WRITE), OK);
	/* a copy from before the last change */
	memcpy(old, own, n);
	assert_int_equal(keys_open(a, KEYS_WRITE, &k), OK);
	keys_close(k);
	struct config c;
	struct store *s;
	uint8_t key[32];
	config_for(&c, "a");
	assert_int_equal(store_open(&c, STORE_WRITE, &s), OK);
	assert_int_equal(keys_day(s->keys, (uint16_t)(today() - 7), KEYS_DAY_MAKE, key), OK);
	store_close(s);
	config_done(&c);
	slurp(a, own, sizeof own);
	spit(a, old, n);
	assert_int_equal(opens("a", STORE_WRITE), ERR_CORRUPT);
	assert_non_null(strstr(err_text(), "old copy"));
	spit(a, own, n);
	assert_int_equal(opens("a", STORE_WRITE), OK);
	/* format */
	size_t f = slurp(format, said, sizeof said);
	for (size_t i = 0; i < f; i++) {
		said[i] ^= 1;
		spit(format, said, f);
		assert_int_equal(opens("a", STORE_WRITE), ERR_CORRUPT);
		said[i] ^= 1;
	}
	for (size_t i = 0; i < f; i++) {
		spit(format, said, i);
		if (i != 23) /* as an older crumb wrote it: whole */
			assert_int_equal(opens("a", STORE_WRITE), ERR_CORRUPT);
	}
	unlink(format);
	assert_int_equal(opens("a", STORE_WRITE), ERR_NOT_FOUND);
}

/* As an older crumb left it: neither id nor seal. */
static void make_old(const char *name)
{
	char p[200];
	uint8_t bytes[SIZE_MAX_OF_KEYS];
	snprintf(p, sizeof p, "%s/%s/keys", folder, name);
	slurp(p, bytes, sizeof bytes);
	spit(p, bytes, 5376);
	snprintf(p, sizeof p, "%s/%s/format", folder, name);
	spit(p, (const uint8_t *)"crumb store 1\nshards 4\n", 23);
}

TEST(an_old_store_gets_its_seal_and_one_with_foreign_keys_is_refused)
{
	char a[200], b[200], format[200];
	uint8_t other[SIZE_MAX_OF_KEYS], own[SIZE_MAX_OF_KEYS], said[300];
	snprintf(a, sizeof a, "%s/a/keys", folder);
	snprintf(b, sizeof b, "%s/b/keys", folder);
	snprintf(format, sizeof format, "%s/a/format", folder);
	fill("a");
	fill("b");
	make_old("a");
	assert_int_equal(opens("a", STORE_READ), OK);
	assert_int_equal(slurp(a, own, sizeof own), 5376);
	/* a crash between both files: keys with a seal, format without */
	assert_int_equal(opens("a", STORE_WRITE), OK);
	assert_int_equal(slurp(a, own, sizeof own), 5632);
	assert_true(slurp(format, said, sizeof said) > 60);
	spit(format, (const uint8_t *)"crumb store 1\nshards 4\n", 23);
	assert_int_equal(opens("a", STORE_WRITE), OK);
	assert_true(slurp(format, said, sizeof said) > 60);
	/* foreign keys, sealed and not */
	make_old("a");
	slurp(a, own, sizeof own);
	size_t n = slurp(b, other, sizeof other);
	spit(a, other, n);
	assert_int_equal(opens("a", STORE_WRITE), ERR_CORRUPT);
	spit(a, other, 5376);
	assert_int_equal(opens("a", STORE_WRITE), ERR_CORRUPT);
	assert_int_equal(slurp(a, other, sizeof other), 5376);
	spit(a, own, 5376);
	assert_int_equal(opens("a", STORE_WRITE), OK);
}

TEST(a_store_that_never_began_may_begin)
{
	char store[128], keys[200];
	struct config c;
	struct store *s;
	snprintf(store, sizeof store, "%s/n", folder);
	snprintf(keys, sizeof keys, "%s/keys", store);
	mkdir(store, 0700);
	spit(keys, (const uint8_t *)"", 0);
	chmod(keys, 0600);
	config_for(&c, "n");
	assert_int_equal(store_open(&c, STORE_WRITE, &s), OK);
	store_close(s);
	/* a crash before `format` was there */
	snprintf(keys, sizeof keys, "%s/format", store);
	unlink(keys);
	assert_int_equal(store_open(&c, STORE_WRITE, &s), OK);
	store_close(s);
	config_done(&c);
	config_for(&c, "n");
	char *deep = calloc(1, STORE_PATH_MAX + 100);
	memset(deep, 'x', STORE_PATH_MAX + 50);
	memcpy(deep, "store.path=/", 12);
	assert_int_equal(config_set(&c, deep), OK);
	assert_int_equal(store_open(&c, STORE_WRITE, &s), ERR_USAGE);
	free(deep);
	config_done(&c);
}

TEST(a_reader_of_a_later_month_goes_without_a_key_that_nobody_made)
{
	struct identity_keys id;
	struct keys *k = fresh(1);
	keys_close(k);
	assert_int_equal(keys_open(path, KEYS_READ, &k), OK);
	assert_int_equal(keys_identity(k, 20000 + 3 * GENERATION_DAYS, &id), OK);
	for (int i = 0; i < GENERATIONS_MAX; i++)
		assert_int_not_equal(
		    id.generations[i].first_day, generation_of(20000 + 3 * GENERATION_DAYS));
	keys_close(k);
}

/* --- while the disk is slow */

static sem_t under_way, answered;
static bool in_time;

static void wait_for_answer(void *arg, uint64_t serial)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	sem_post(&under_way);
	in_time = sem_timedwait(&answered, &until) == 0;
}

static void *make_day(void *arg)
{
	uint8_t key[32];
	CHECK(keys_day(arg, 20001, KEYS_DAY_MAKE, key) == OK);
	return NULL;
}

TEST(nobody_who_wants_a_key_waits_for_the_disk_of_whoever_makes_another)
{
	struct keys *k = fresh(1);
	struct identity_keys id;
	uint8_t key[32], again[32];
	pthread_t thread;
	assert_int_equal(keys_identity(k, 20000, &id), OK);
	assert_int_equal(keys_day(k, 20000, KEYS_DAY_MAKE, key), OK);
	sem_init(&under_way, 0, 0);
	sem_init(&answered, 0, 0);
	keys_on_change(k, wait_for_answer, NULL);
	assert_int_equal(pthread_create(&thread, NULL, make_day, k), 0);
	while (sem_wait(&under_way) != 0)
		;
	assert_int_equal(keys_identity(k, 20000, &id), OK);
	assert_int_equal(keys_day(k, 20000, KEYS_DAY_FIND, again), OK);
	assert_memory_equal(key, again, sizeof key);
	sem_post(&answered);
	pthread_join(thread, NULL);
	assert_true(in_time);
	sem_destroy(&under_way);
	sem_destroy(&answered);
	keys_close(k);
}

#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, begin, end)

UNIT_TESTS(ON_DISK(a_key_whose_destruction_failed_is_destroyed_by_the_next_try),
    ON_DISK(a_key_that_could_not_be_written_is_not_used_and_its_place_is_emptied),
    ON_DISK(a_crash_at_any_byte_of_a_change_harms_no_other_key),
    ON_DISK(every_flipped_byte_and_every_cut_is_noticed),
    ON_DISK(keys_that_are_not_the_stores_newest_are_refused),
    ON_DISK(an_old_store_gets_its_seal_and_one_with_foreign_keys_is_refused),
    ON_DISK(a_store_that_never_began_may_begin),
    ON_DISK(a_reader_of_a_later_month_goes_without_a_key_that_nobody_made),
    ON_DISK(nobody_who_wants_a_key_waits_for_the_disk_of_whoever_makes_another))
