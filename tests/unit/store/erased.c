/* Who was erased: from when it counts, and what is left of a list that was lost. */
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/model/record.h"
#include "crumb/base/code.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

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
	assert_int_equal(erased_open(path, ERASED_WRITE, &e), OK);
	assert_false(gone(e, 1));
	erased_note(e, &a);
	erased_note(e, &b);
	assert_true(gone(e, 1) && gone(e, 2) && !gone(e, 3));
	assert_false(erased_since(e, &a, 0)); /* the file has nothing yet */
	assert_int_equal(erased_add(e, &a, 1, 20000), OK);
	erased_settle(e, &a, 1, ERASED_DONE);
	erased_settle(e, &b, 1, ERASED_FAILED);
	assert_true(gone(e, 1) && !gone(e, 2));
	/* again, and this time it fails: it stays erased */
	erased_note(e, &a);
	erased_settle(e, &a, 1, ERASED_FAILED);
	assert_true(gone(e, 1));
	assert_true(erased_since(e, &a, 20000) && !erased_since(e, &a, 20001));
	assert_int_equal(erased_count_since(e, 0), 1);
	assert_int_equal(erased_all(e, &all), 1);
	assert_memory_equal(all, &a, sizeof a);
	free(all);
	erased_close(e);
	assert_int_equal(erased_open(path, ERASED_WRITE, &e), OK);
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
		erased_settle(a->e, &k, 1, ERASED_DONE);
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
	assert_int_equal(erased_open(path, ERASED_WRITE, &a.e), OK);
	erased_view_init(&v, a.e);
	assert_int_equal(pthread_create(&thread, NULL, add_many, &a), 0);
	for (unsigned seen = 0, i = 0; seen < a.n; i = i * 5 + 3) {
		seen = atomic_load(&a.done);
		if (!seen)
			continue;
		struct vkey k = numbered(i % seen), not = numbered(a.n + i % 1000);
		CHECK(erased_has(&v, &k) && !erased_has(&v, &not ));
	}
	pthread_join(thread, NULL);
	erased_view_done(&v);
	erased_close(a.e);
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
	record_encode(
	    &(struct record){.kind = RECORD_ERASE, .event = {.visitor = k, .t = now}}, &b);
	struct journal_block block = {
	    .day = day_of(now), .shard = 0, .count = 1, .records = buf_view(&b)};
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

UNIT_TESTS(IN_FOLDER(an_erasure_counts_from_when_it_is_noted_and_not_if_it_could_not_be_written),
    IN_FOLDER(whoever_looks_meanwhile_sees_what_was_noted_before),
    IN_FOLDER(a_list_of_the_erased_that_is_lost_is_found_again))
