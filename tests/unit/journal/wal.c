/* journal/wal: frames are there after a crash, in order, and damage between them is counted. */
#include "folder.h"

#include "src/journal/wal.h"

#include "crumb/disk/keys.h"

#include <fcntl.h>
#include <unistd.h>

#define DAY 20000

static struct keys *keys;
static char path[100];

static int begin(void **state)
{
	char name[100];
	if (make_folder(state) != 0)
		return -1;
	snprintf(name, sizeof name, "%s/keys", folder);
	snprintf(path, sizeof path, "%s/wal", folder);
	return keys_open(name, KEYS_MAKE, &keys) != OK;
}

static int end(void **state)
{
	keys_close(keys);
	return drop_folder(state);
}
#define ON_LOG(name) cmocka_unit_test_setup_teardown(name, begin, end)

static enum err append(struct wal *w, uint64_t seq, const char *text)
{
	uint8_t key[32];
	struct wal_head h = {.seq = seq, .day = DAY, .rules_hash = {7}};
	struct journal_block b[2] = {{.shard = 3, .count = 1, .records = str_c(text)},
	    {.shard = 9, .count = 2, .records = STR("!")}};
	assert_int_equal(keys_day(keys, DAY, true, key), OK);
	return wal_append(w, &h, key, b, 2);
}

static struct wal *open_log(void)
{
	struct wal *w;
	assert_int_equal(wal_open(path, &w), OK);
	return w;
}

/* The records of all frames behind `after`, joined. */
static const char *frames(uint64_t after, uint64_t *lost, bool *torn)
{
	static char out[1000];
	struct wal *w = open_log();
	struct wal_head h;
	struct str parts;
	size_t n = 0;
	wal_after(w, after);
	while (wal_next(w, keys, &h, &parts)) {
		struct journal_block b;
		assert_int_equal(h.day, DAY);
		assert_int_equal(h.rules_hash[0], 7);
		assert_true(wal_part(&parts, &b) && b.shard == 3 && b.count == 1);
		n += (size_t)snprintf(out + n, sizeof out - n, STR_FMT, STR_ARG(b.records));
		assert_true(wal_part(&parts, &b) && b.shard == 9 && str_eq(b.records, STR("!")));
		assert_false(wal_part(&parts, &b));
	}
	*lost = wal_lost(w, torn);
	wal_close(w);
	out[n] = 0;
	return out;
}

/* Writes over bytes of the file. */
static void scribble(off_t at, size_t n)
{
	uint8_t b[64];
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0 && n <= sizeof b);
	memset(b, 0x5a, n);
	assert_int_equal(pwrite(fd, b, n, at), n);
	close(fd);
}

/* Where the frame begins that has this number among all. */
static off_t frame_at(unsigned number)
{
	uint8_t head[4];
	off_t at = 0;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	while (number-- > 0) {
		assert_int_equal(pread(fd, head, 4, at), 4);
		at += head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
	}
	close(fd);
	return at;
}

static void write_five(void)
{
	struct wal *w = open_log();
	for (uint64_t i = 1; i <= 5; i++)
		assert_int_equal(append(w, 10 + i, (char[]){(char)('a' + i - 1), 0}), OK);
	wal_close(w);
}

TEST(frames_are_there_in_order_and_the_file_has_its_size_from_the_start)
{
	struct stat st;
	uint64_t lost;
	bool torn;
	struct wal *w = open_log();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, WAL_BYTES);
	wal_close(w);
	assert_string_equal(frames(0, &lost, &torn), "");
	write_five();
	assert_string_equal(frames(0, &lost, &torn), "abcde");
	assert_true(lost == 0 && !torn);
	assert_string_equal(
	    frames(13, &lost, &torn), "de"); /* the others are in their days already */
}

TEST(after_a_rewind_older_frames_do_not_come_back)
{
	uint64_t lost;
	bool torn;
	write_five();
	struct wal *w = open_log();
	wal_rewind(w);
	assert_int_equal(append(w, 16, "x"), OK);
	wal_close(w);
	assert_string_equal(frames(15, &lost, &torn), "x");
	assert_true(lost == 0 && !torn);
}

TEST(a_frame_that_does_not_open_is_passed_over_and_counted)
{
	uint64_t lost;
	bool torn;
	write_five();
	scribble(frame_at(1) + 60, 4);
	assert_string_equal(frames(0, &lost, &torn), "acde");
	assert_true(lost == 1 && !torn);
	scribble(frame_at(2), 30); /* two, one of them without its head */
	assert_string_equal(frames(0, &lost, &torn), "ade");
	assert_true(lost == 2 && !torn);
}

TEST(a_torn_end_is_no_loss_of_what_was_answered)
{
	uint64_t lost;
	bool torn;
	write_five();
	scribble(frame_at(4) + 60, 4);
	assert_string_equal(frames(0, &lost, &torn), "abcd");
	assert_true(lost == 0 && torn);
}

TEST(what_does_not_fit_is_refused_and_writes_nothing)
{
	static char big[WAL_BYTES / 2];
	uint64_t lost;
	bool torn;
	struct wal *w = open_log();
	memset(big, 'x', sizeof big - 1);
	assert_int_equal(append(w, 1, "a"), OK);
	assert_int_equal(append(w, 2, big), OK);
	assert_int_equal(append(w, 3, big), ERR_FULL);
	assert_int_equal(append(w, 3, "b"), OK); /* something smaller does */
	assert_int_equal(wal_wipe(w), ERR_BUSY); /* it is needed */
	wal_rewind(w);
	assert_int_equal(wal_wipe(w), OK);
	wal_close(w);
	assert_string_equal(frames(0, &lost, &torn), "");
}

TEST(a_day_whose_key_is_gone_is_noise)
{
	uint64_t lost;
	bool torn;
	write_five();
	assert_int_equal(keys_expire(keys, DAY + 1, DAY + 1), OK);
	assert_string_equal(frames(0, &lost, &torn), "");
	assert_true(torn);
}

TEST(its_end_says_whose_it_is)
{
	static const uint8_t id[STORE_ID_LEN] = {1, 2, 3}, other[STORE_ID_LEN] = {1, 2, 4};
	uint64_t lost;
	bool torn;
	assert_false(wal_marked(path, id)); /* it is not there */
	write_five();
	assert_false(wal_marked(path, id));
	struct wal *w = open_log();
	assert_int_equal(wal_mark(w, id), OK);
	assert_int_equal(wal_mark(w, id), OK);
	wal_close(w);
	assert_true(wal_marked(path, id) && !wal_marked(path, other));
	assert_string_equal(frames(0, &lost, &torn), "abcde");
	w = open_log();
	assert_int_equal(wal_wipe(w), OK); /* the mark stays */
	wal_close(w);
	assert_true(wal_marked(path, id));
}

UNIT_TESTS(ON_LOG(frames_are_there_in_order_and_the_file_has_its_size_from_the_start),
    ON_LOG(after_a_rewind_older_frames_do_not_come_back),
    ON_LOG(a_frame_that_does_not_open_is_passed_over_and_counted),
    ON_LOG(a_torn_end_is_no_loss_of_what_was_answered),
    ON_LOG(what_does_not_fit_is_refused_and_writes_nothing),
    ON_LOG(a_day_whose_key_is_gone_is_noise), ON_LOG(its_end_says_whose_it_is))
