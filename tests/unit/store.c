#include "stored.h"

#include "crumb/views/members.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

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
	close_store(s, &c);
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
	close_store(s, &c);
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
		s = again(s, &c);
		damage_sum(s->damage, &sum);
		assert_int_equal(sum.others, 0);
		close_store(s, &c);
	}
	buf_done(&b);
}

RUN(IN_FOLDER(a_second_writer_is_refused), cmocka_unit_test(a_profile_comes_back_as_it_was), cmocka_unit_test(a_count_saturates),
    cmocka_unit_test(a_bitmap_that_was_changed_is_refused), IN_FOLDER(an_ordinal_rests_a_day_before_it_is_used_again),
    IN_FOLDER(an_erasure_counts_from_when_it_is_noted_and_not_if_it_could_not_be_written),
    IN_FOLDER(whoever_looks_meanwhile_sees_what_was_noted_before), cmocka_unit_test(a_profile_of_every_segment_comes_back),
    IN_FOLDER(a_list_of_the_erased_that_is_lost_is_found_again))
