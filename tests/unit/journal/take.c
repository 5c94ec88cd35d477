/* journal/take: what comes from a log outside is in the journal once, with the mark behind it,
 * whatever fails and wherever a crash falls. */
#include "blocks.h"
#include "calls.h"
#include "followed.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a commit brings to disk comes by here. After `left` calls each call has one of the fates,
 * `bad` times. */
enum fate { FINE, FAILS, FAILS_AND_IS_DONE, ENDS, ENDS_WHEN_DONE };
static int left = -1, bad; /* left -1: never */
static enum fate fate;

static enum fate fate_of_call(void)
{
	if (left < 0 || left-- > 0)
		return FINE;
	enum fate f = fate;
	left = --bad > 0 ? 0 : -1;
	if (f == ENDS)
		_exit(0);
	if (f == FAILS_AND_IS_DONE) /* nor can LMDB write the page of before in its place */
		fate = FAILS;
	return f;
}

static ssize_t write_or_fail(int fd, const void *p, size_t n, off_t at)
{
	enum fate f = fate_of_call();
	ssize_t done = f == FAILS ? -1 : libc_pwrite(fd, p, n, at);
	if (f == ENDS_WHEN_DONE)
		_exit(0);
	if (f != FINE)
		errno = EIO;
	return f == FINE ? done : -1;
}

static int sync_or_fail(int fd, int (*sync)(int))
{
	enum fate f = fate_of_call();
	int done = f == FAILS ? -1 : sync(fd);
	if (f == ENDS_WHEN_DONE)
		_exit(0);
	if (f != FINE)
		errno = EIO;
	return f == FINE ? done : -1;
}

static int fdatasync_or_fail(int fd)
{
	return sync_or_fail(fd, libc_fdatasync);
}

static int fsync_or_fail(int fd)
{
	return sync_or_fail(fd, libc_fsync);
}

static int begin(void **state)
{
	calls = (struct calls){
	    .pwrite = write_or_fail, .fsync = fsync_or_fail, .fdatasync = fdatasync_or_fail};
	left = -1;
	return make_folder(state);
}
#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, begin, drop_folder)

static const uint8_t rules[16] = {1};

/* Takes a block of one partition, up to an offset, by counter `next - 1` of life 7. */
static enum err take(
    struct store *s, uint16_t day, uint32_t partition, uint64_t next, const char *text)
{
	struct log_mark m = {.at = NULL}, has;
	struct log_life l = {.partition = partition, .life = 7};
	struct journal_block b = {.day = day, .count = 1, .records = str_c(text)};
	assert_int_equal(local_log_marks(s->journal, &has), OK);
	struct log_life *known = log_mark_find(&has, partition, 7);
	if (known)
		l = *known;
	(void)window_take(&l.w, next - 1);
	assert_int_equal(log_mark_at(&m, partition, next), OK);
	assert_int_equal(log_mark_life(&m, &l), OK);
	enum err e = local_take(s->journal, &b, text ? 1 : 0, rules, &m);
	log_mark_done(&m);
	log_mark_done(&has);
	return e;
}

static void marks_are(struct store *s, uint64_t first, uint64_t second)
{
	struct log_mark m;
	assert_int_equal(local_log_marks(s->journal, &m), OK);
	assert_int_equal(log_mark_next(&m, 0), first);
	assert_int_equal(log_mark_next(&m, 1), second);
	log_mark_done(&m);
}

static enum window_is counter_is(struct store *s, uint32_t partition, uint64_t counter)
{
	struct log_mark m;
	assert_int_equal(local_log_marks(s->journal, &m), OK);
	struct log_life *l = log_mark_find(&m, partition, 7);
	enum window_is is = l ? window_look(&l->w, counter) : COUNTER_NEW;
	log_mark_done(&m);
	return is;
}

/* Does the file of a day have the table? */
static bool has_table(struct store *s, uint16_t day)
{
	struct local *j = (struct local *)s->journal;
	struct db_txn t;
	db_table table;
	assert_int_equal(db_begin(&journal_writers_day(j, day)->db, DB_READ, &t), OK);
	enum err e = db_find_table(&t, LOG_TABLE, &table);
	assert_true(e == OK || e == ERR_NOT_FOUND);
	assert_int_equal(db_end(&t), OK);
	return e == OK;
}

TEST(what_was_taken_is_seen_at_once_and_its_mark_is_there_after_a_restart)
{
	struct config c;
	struct store *s = open_store(&c);
	marks_are(s, 0, 0);
	assert_int_equal(take(s, 100, 0, 3, "one "), OK);
	blocks_are(s, 0, 0, "one ");
	assert_int_equal(journal_unpublished(s->journal), 0);
	assert_int_equal(take(s, 100, 1, 9, "two "), OK);
	marks_are(s, 3, 9);
	s = again(s, &c);
	blocks_are(s, 0, 0, "one two ");
	marks_are(s, 3, 9);
	assert_int_equal(counter_is(s, 0, 2), COUNTER_AGAIN);
	assert_int_equal(counter_is(s, 0, 1), COUNTER_NEW);
	assert_int_equal(counter_is(s, 1, 8), COUNTER_AGAIN);
	assert_int_equal(counter_is(s, 1, 2), COUNTER_NEW);
	close_store(s, &c);
}

TEST(a_journal_that_follows_no_log_has_no_table_and_gets_it_when_it_does)
{
	struct config c;
	struct store *s = open_store(&c);
	put_block(s, 100, 0, "old ");
	s = again(s, &c);
	assert_false(has_table(s, 100));
	assert_int_equal(take(s, 100, 0, 1, "new "), OK);
	assert_true(has_table(s, 100));
	put_block(s, 101, 0, "other ");
	assert_false(has_table(s, 101));
	s = again(s, &c);
	blocks_are(s, 0, 0, "old new other ");
	marks_are(s, 1, 0);
	nothing_is_lost(s);
	close_store(s, &c);
}

TEST(the_highest_mark_of_all_days_counts)
{
	struct config c;
	struct store *s = open_store(&c);
	assert_int_equal(take(s, 100, 0, 5, "a "), OK);
	assert_int_equal(take(s, 101, 1, 9, "b "), OK);
	assert_int_equal(take(s, 100, 0, 6, "c "), OK); /* the older day is further in one */
	s = again(s, &c);
	marks_are(s, 6, 9);
	assert_int_equal(counter_is(s, 0, 4), COUNTER_AGAIN);
	assert_int_equal(counter_is(s, 0, 5), COUNTER_AGAIN);
	blocks_are(s, 0, 0, "a b c ");
	close_store(s, &c);
}

TEST(a_mark_alone_goes_into_the_newest_day)
{
	struct config c;
	struct store *s = open_store(&c);
	assert_int_equal(take(s, 0, 0, 5, NULL), OK); /* there is none: nothing is to be kept */
	marks_are(s, 0, 0);
	assert_int_equal(take(s, 100, 0, 6, "a "), OK);
	assert_int_equal(take(s, 101, 0, 7, "b "), OK);
	assert_int_equal(take(s, 0, 1, 4, NULL), OK);
	s = again(s, &c);
	marks_are(s, 7, 4);
	journal_expire(s->journal, 101);
	s = again(s, &c);
	marks_are(s, 7, 4);
	close_store(s, &c);
}

TEST(blocks_of_several_days_are_refused)
{
	struct config c;
	struct store *s = open_store(&c);
	struct log_mark m = {.at = NULL};
	struct journal_block b[2] = {{.day = 100, .count = 1, .records = STR("a")},
	    {.day = 101, .count = 1, .records = STR("b")}};
	assert_int_equal(local_take(s->journal, b, 2, rules, &m), ERR_USAGE);
	blocks_are(s, 0, 0, "");
	close_store(s, &c);
}

TEST(what_waits_in_the_write_ahead_log_comes_before_what_is_taken)
{
	struct config c;
	struct store *s = open_store(&c);
	struct journal_block b = {.day = 100, .count = 1, .records = STR("first ")};
	assert_int_equal(journal_commit(s->journal, &b, 1, rules), OK);
	assert_int_equal(take(s, 100, 0, 1, "second "), OK);
	blocks_are(s, 0, 0, "first second ");
	store_close(s); /* a crash, to the files */
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "first second ");
	close_store(s, &c);
}

TEST(a_life_is_forgotten_with_its_last_day)
{
	struct config c;
	struct store *s = open_store(&c);
	assert_int_equal(take(s, 100, 0, 5, "a "), OK);
	assert_int_equal(take(s, 100, 1, 5, "b "), OK);
	assert_int_equal(take(s, 101, 1, 6, "c "), OK);
	journal_expire(s->journal, 101);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(counter_is(s, 0, 4), COUNTER_NEW);
		assert_int_equal(counter_is(s, 1, 4), COUNTER_AGAIN);
		s = again(s, &c);
	}
	close_store(s, &c);
}

/* --- cleaning, copies */

/* Events of two visitors, of which cleaning drops the one. */
static void take_events(struct store *s, uint16_t day, uint64_t next)
{
	struct buf b = {0};
	struct log_mark m = {.at = NULL};
	put_number(&b, day, 1);
	put_number(&b, day, NOBODY);
	struct log_life l = {.life = 7};
	struct journal_block block = {.day = day, .count = 2, .records = buf_view(&b), .events = 2};
	(void)window_take(&l.w, next - 1);
	assert_int_equal(log_mark_at(&m, 0, next), OK);
	assert_int_equal(log_mark_life(&m, &l), OK);
	assert_int_equal(local_take(s->journal, &block, 1, rules, &m), OK);
	log_mark_done(&m);
	buf_done(&b);
}

static enum err clean(struct store *s, uint16_t day, struct journal_cleaned **out)
{
	static const _Atomic bool stop;
	uint64_t dropped;
	enum err e = journal_clean(s->journal, day, is_nobody, NULL, &stop, out, &dropped);
	assert_true(e || *out);
	return e;
}

TEST(a_cleaned_day_keeps_its_mark)
{
	struct config c;
	struct store *s = open_store(&c);
	struct journal_cleaned *cleaned;
	uint64_t records;
	take_events(s, 100, 5);
	assert_int_equal(clean(s, 100, &cleaned), OK);
	assert_int_equal(journal_swap(s->journal, cleaned), OK);
	for (int i = 0; i < 2; i++) {
		marks_are(s, 5, 0);
		assert_int_equal(counter_is(s, 0, 4), COUNTER_AGAIN);
		assert_int_equal(
		    journal_count(s->journal, 0, journal_last(s->journal, 0), &records), OK);
		assert_int_equal(records, 1);
		s = again(s, &c);
	}
	nothing_is_lost(s);
	close_store(s, &c);
}

TEST(a_day_whose_mark_was_written_meanwhile_is_not_exchanged)
{
	struct config c;
	struct store *s = open_store(&c);
	struct journal_cleaned *cleaned;
	take_events(s, 100, 5);
	assert_int_equal(clean(s, 100, &cleaned), OK);
	assert_int_equal(take(s, 0, 0, 6, NULL), OK);
	assert_int_equal(journal_swap(s->journal, cleaned), ERR_BUSY);
	s = again(s, &c);
	marks_are(s, 6, 0);
	assert_int_equal(clean(s, 100, &cleaned), OK);
	assert_int_equal(journal_swap(s->journal, cleaned), OK);
	s = again(s, &c);
	marks_are(s, 6, 0);
	close_store(s, &c);
}

/* Copies a day and cuts it, as a backup and its restoring do, then puts it in the day's place. */
static void copy_back(struct store **s, struct config *c, uint16_t day, uint64_t moment)
{
	char to[128], from[200], place[200], name[DAY_TEXT];
	day_text(day, name);
	snprintf(to, sizeof to, "%s/copy", folder);
	assert_int_equal(mkdir(to, 0700), 0);
	assert_int_equal(journal_copy((*s)->journal, day, moment, to), OK);
	snprintf(from, sizeof from, "%s/lock.mdb", to);
	assert_int_not_equal(access(from, F_OK), 0);
	assert_int_equal(journal_cut((*s)->journal, to, moment), OK);
	close_store(*s, c);
	snprintf(from, sizeof from, "%s/data.mdb", to);
	snprintf(place, sizeof place, "%s/store/journal/%s/data.mdb", folder, name);
	assert_int_equal(rename(from, place), 0);
	assert_int_equal(folder_remove(to), OK);
	*s = open_store(c);
}

TEST(the_mark_in_a_copy_says_what_the_copy_has)
{
	struct config c;
	struct store *s = open_store(&c);
	assert_int_equal(take(s, 100, 0, 5, "a "), OK);
	assert_int_equal(take(s, 101, 0, 6, "b "), OK);
	uint64_t moment = journal_moment(s->journal);
	assert_int_equal(take(s, 101, 0, 7, "c "), OK);
	assert_int_equal(take(s, 100, 1, 3, "d "), OK);
	copy_back(&s, &c, 101, moment);
	marks_are(s, 6, 3);
	assert_int_equal(counter_is(s, 0, 6), COUNTER_NEW);
	blocks_are(s, 0, 0, "a b d ");
	/* the journal begins a moment of its own, and d was taken before it */
	moment = journal_moment(s->journal);
	assert_int_equal(take(s, 100, 0, 7, "c "), OK);
	copy_back(&s, &c, 100, moment);
	marks_are(s, 6, 3);
	blocks_are(s, 0, 0, "a b d ");
	close_store(s, &c);
}

TEST(a_copy_for_an_older_moment_is_refused)
{
	struct config c;
	struct store *s = open_store(&c);
	char to[128];
	assert_int_equal(take(s, 100, 0, 5, "a "), OK);
	uint64_t moment = journal_moment(s->journal);
	assert_int_equal(take(s, 100, 0, 6, "b "), OK);
	(void)journal_moment(s->journal);
	snprintf(to, sizeof to, "%s/copy", folder);
	assert_int_equal(mkdir(to, 0700), 0);
	assert_int_equal(journal_copy(s->journal, 100, moment, to), ERR_BUSY);
	close_store(s, &c);
}

/* --- any log, any fault */

TEST(a_log_is_taken_once_whatever_comes_twice)
{
	static struct made_log l;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct config c;
		struct store *s = open_store(&c);
		uint64_t dice = seed * 77;
		make_log(&l, seed, journal_control(s->journal));
		assert_true(l.twice > 5);
		while (!followed(s->journal, &l))
			assert_int_equal(follow_once(s->journal, &l, &dice), OK);
		blocks_are_as_marked(s, &l);
		s = again(s, &c);
		blocks_are_as_marked(s, &l);
		nothing_is_lost(s);
		close_store(s, &c);
		assert_int_equal(folder_remove(folder), OK);
		assert_int_equal(mkdir(folder, 0700), 0);
	}
}

/* Is the number in one of the partition's records before `end`? */
static bool is_before(const struct logged_part *p, uint64_t end, unsigned number)
{
	for (uint64_t i = 0; i < end; i++)
		if (p->r[i].number == number)
			return true;
	return false;
}

/* What the mark that is left has not seen is there once; what it has seen, once or lost. */
TEST(of_a_lost_day_what_is_behind_the_mark_that_is_left_is_taken_anew)
{
	static struct made_log l;
	static unsigned has[2][PARTS * PART_MOST];
	unsigned anew = 0;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct config c;
		struct store *s = open_store(&c);
		uint64_t dice = seed * 77;
		struct log_mark then;
		char day[100];
		make_log(&l, seed, journal_control(s->journal));
		while (!followed(s->journal, &l))
			assert_int_equal(follow_once(s->journal, &l, &dice), OK);
		close_store(s, &c);
		snprintf(day, sizeof day, "%s/store/journal/1970-04-12", folder);
		assert_int_equal(folder_remove(day), OK);
		s = open_store(&c);
		assert_int_equal(local_log_marks(s->journal, &then), OK);
		while (!followed(s->journal, &l))
			assert_int_equal(follow_once(s->journal, &l, &dice), OK);
		memset(has, 0, sizeof has);
		for (unsigned lane = 0; lane < PARTS; lane++)
			count_numbers(s->journal, lane, has);
		count_numbers(s->journal, journal_control(s->journal), has);
		for (uint32_t p = 0; p < PARTS; p++)
			for (unsigned i = 0; i < l.part[p].n; i++) {
				const struct logged_record *r = &l.part[p].r[i];
				unsigned times = has[r->day - FOLLOWED_DAY][r->number];
				if (r->day == FOLLOWED_DAY ||
				    !is_before(&l.part[p], log_mark_next(&then, p), r->number))
					assert_int_equal(times, 1);
				else
					assert_in_range(times, 0, 1);
				anew += r->day != FOLLOWED_DAY && times == 1;
			}
		log_mark_done(&then);
		close_store(s, &c);
		assert_int_equal(folder_remove(folder), OK);
		assert_int_equal(mkdir(folder, 0700), 0);
	}
	assert_true(anew > 20);
}

/* A row that is no mark: the day is set aside, as one whose pages are damaged. */
TEST(a_mark_that_makes_no_sense_is_damage_of_its_day)
{
	struct config c;
	struct store *s = open_store(&c);
	struct damage_sum sum;
	assert_int_equal(take(s, 100, 0, 5, "a "), OK);
	assert_int_equal(take(s, 101, 0, 6, "b "), OK);
	struct journal_day *d = journal_writers_day((struct local *)s->journal, 101);
	struct db_txn t;
	assert_int_equal(db_begin(&d->db, DB_WRITE, &t), OK);
	db_put(&t, d->log, STR("p"), STR("no mark"));
	assert_int_equal(db_end(&t), OK);
	s = again(s, &c);
	marks_are(s, 5, 0);
	blocks_are(s, 0, 0, "a ");
	damage_sum(s->damage, &sum);
	assert_int_equal(sum.days, 1);
	assert_int_equal(take(s, 101, 0, 6, "b "), OK); /* the log has it still */
	s = again(s, &c);
	marks_are(s, 6, 0);
	blocks_are(s, 0, 0, "a b ");
	close_store(s, &c);
}

/* Each write and flush of the first take in turn, which makes the table. */
TEST(a_table_that_could_not_be_made_is_made_by_the_next_take)
{
	bool through = false;
	for (int at = 0; !through; at++)
		for (int n = 1; n < 3 && !through; n++) {
			struct config c;
			struct store *s = open_store(&c);
			put_block(s, 100, 0, "old ");
			left = at, bad = n, fate = FAILS;
			through = take(s, 100, 0, 1, "new ") == OK;
			left = -1;
			if (!through)
				assert_int_equal(take(s, 100, 0, 1, "new "), OK);
			blocks_are(s, 0, 0, "old new ");
			s = again(s, &c);
			blocks_are(s, 0, 0, "old new ");
			marks_are(s, 1, 0);
			close_store(s, &c);
			assert_int_equal(folder_remove(folder), OK);
			assert_int_equal(mkdir(folder, 0700), 0);
			assert_true(at < 20);
		}
}

/* Some arrivals are taken, or a day is cleaned. */
static enum err one_step(struct journal *j, const struct made_log *l, uint64_t *dice)
{
	if (any_of(dice, 4))
		return follow_once(j, l, dice);
	return clean_once(j, (uint16_t)(FOLLOWED_DAY + any_of(dice, 2)));
}

/* The disk fails now and then: what readers see and what the mark says agree after each failure,
 * and after a restart that comes then. */
static void follow_on_bad_disk(uint64_t seed)
{
	static struct made_log l;
	struct config c;
	struct store *s = open_store(&c);
	uint64_t dice = seed * 77;
	unsigned failed = 0;
	make_log(&l, seed, journal_control(s->journal));
	while (!followed(s->journal, &l)) {
		left = (int)any_of(&dice, 12);
		bad = 1 + (int)any_of(&dice, 3);
		fate = any_of(&dice, 2) ? FAILS : FAILS_AND_IS_DONE;
		enum err e = one_step(s->journal, &l, &dice);
		failed += e != OK;
		if (e)
			blocks_are_as_marked(s, &l);
		left = -1;
		if (e && any_of(&dice, 3) == 0)
			s = again(s, &c);
		if (e && any_of(&dice, 3) == 0) {
			assert_int_equal(journal_publish(s->journal), OK);
			assert_int_equal(journal_unpublished(s->journal), 0);
		}
		blocks_are_as_marked(s, &l);
	}
	assert_true(failed > 0);
	s = again(s, &c);
	assert_true(followed(s->journal, &l));
	blocks_are_as_marked(s, &l);
	nothing_is_lost(s);
	close_store(s, &c);
}

TEST(a_disk_that_fails_loses_nothing_and_brings_nothing_twice)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		follow_on_bad_disk(seed);
		assert_int_equal(folder_remove(folder), OK);
		assert_int_equal(mkdir(folder, 0700), 0);
	}
}

/* In a process of its own, which ends at any write or flush, before it or behind it. */
static bool follow_until_a_crash(const struct made_log *l, uint64_t *dice)
{
	int status;
	left = (int)any_of(dice, 40);
	bad = 1;
	fate = any_of(dice, 2) ? ENDS : ENDS_WHEN_DONE;
	uint64_t childs = *dice;
	pid_t child = fork();
	if (child == 0) {
		struct config c;
		int until = left;
		left = -1;
		struct store *s = open_store(&c);
		left = until;
		while (!followed(s->journal, l))
			if (one_step(s->journal, l, &childs) != OK)
				_exit(2);
		_exit(1);
	}
	left = -1;
	(void)any_of(dice, 2);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 2);
	return WEXITSTATUS(status) == 0;
}

TEST(after_a_crash_between_any_two_writes_blocks_and_mark_agree)
{
	static struct made_log l;
	unsigned crashes = 0;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct config c;
		struct store *s = open_store(&c);
		uint64_t dice = seed * 77;
		make_log(&l, seed, journal_control(s->journal));
		close_store(s, &c);
		for (bool crashed = true; crashed;) {
			crashed = follow_until_a_crash(&l, &dice);
			crashes += crashed;
			s = open_store(&c);
			blocks_are_as_marked(s, &l);
			nothing_is_lost(s);
			close_store(s, &c);
		}
		s = open_store(&c);
		assert_true(followed(s->journal, &l));
		close_store(s, &c);
		assert_int_equal(folder_remove(folder), OK);
		assert_int_equal(mkdir(folder, 0700), 0);
	}
	assert_true(crashes > 10);
}

UNIT_TESTS(ON_DISK(what_was_taken_is_seen_at_once_and_its_mark_is_there_after_a_restart),
    ON_DISK(a_journal_that_follows_no_log_has_no_table_and_gets_it_when_it_does),
    ON_DISK(the_highest_mark_of_all_days_counts), ON_DISK(a_mark_alone_goes_into_the_newest_day),
    ON_DISK(blocks_of_several_days_are_refused),
    ON_DISK(what_waits_in_the_write_ahead_log_comes_before_what_is_taken),
    ON_DISK(a_life_is_forgotten_with_its_last_day), ON_DISK(a_cleaned_day_keeps_its_mark),
    ON_DISK(a_day_whose_mark_was_written_meanwhile_is_not_exchanged),
    ON_DISK(the_mark_in_a_copy_says_what_the_copy_has),
    ON_DISK(a_copy_for_an_older_moment_is_refused),
    ON_DISK(a_log_is_taken_once_whatever_comes_twice),
    ON_DISK(of_a_lost_day_what_is_behind_the_mark_that_is_left_is_taken_anew),
    ON_DISK(a_mark_that_makes_no_sense_is_damage_of_its_day),
    ON_DISK(a_table_that_could_not_be_made_is_made_by_the_next_take),
    ON_DISK(a_disk_that_fails_loses_nothing_and_brings_nothing_twice),
    ON_DISK(after_a_crash_between_any_two_writes_blocks_and_mark_agree))
