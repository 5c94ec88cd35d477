/* Batches on their way to the journal. */
#include "starve.h"
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/ingest.h"
#include "crumb/ingest/writer.h"

#include <semaphore.h>

static void committed(struct batch *b)
{
	sem_post(b->owner);
}

static void nothing(void *arg)
{
}
static const struct writer_told nobody = {nothing, nothing, NULL};

static void begin(struct config *c, struct store **s, struct writer **w)
{
	char option[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(config_set(c, "store.shards=1"), OK);
	assert_int_equal(store_open(c, STORE_WRITE, s), OK);
	assert_int_equal(writer_start(*s, &nobody, w), OK);
}

static void fill(struct batch *b, uint8_t who, sem_t *done)
{
	struct event e = {.visitor = {{who}},
	    .t = clock_now(),
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/coats/1")};
	batch_init(b, 1, committed, done);
	batch_event(b, &e);
	batch_event(b, &e);
}

TEST(what_there_was_no_memory_for_is_refused_and_the_rest_is_taken)
{
	struct config c;
	struct store *s = NULL;
	struct writer *w;
	struct batch whole, half;
	struct journal_reader *r;
	struct buf records = {0};
	sem_t done;
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	begin(&c, &s, &w);
	sem_init(&done, 0, 0);
	fill(&whole, 1, &done);
	fill(&half, 2, &done);
	half.parts[0].records.failed = true; /* as when the second of its events found no memory */
	writer_submit(w, &half);
	writer_submit(w, &whole);
	for (int i = 0; i < 2; i++)
		while (sem_wait(&done) != 0)
			;
	assert_int_equal(half.result, ERR_NOMEM);
	assert_int_equal(whole.result, OK);
	writer_stop(w);
	assert_int_equal(journal_read(s->journal, 0, JOURNAL_START, &r), OK);
	assert_int_equal(journal_next(r, &records, &pos, &count, &day), OK);
	assert_int_equal(count, 2);
	assert_int_equal(journal_next(r, &records, &pos, &count, &day), ERR_NOT_FOUND);
	journal_read_end(r);
	buf_done(&records);
	batch_clear(&half); /* and the next hits find it as it was before */
	assert_false(half.parts[0].records.failed);
	batch_done(&half);
	batch_done(&whole);
	sem_destroy(&done);
	store_close(s);
	config_done(&c);
}

TEST(only_events_that_count_are_told_as_events)
{
	struct event aside = {
	    .visitor = {{3}}, .t = clock_now(), .name = STR("view"), .aside = ASIDE_CRAWLER};
	struct config c;
	struct store *s = NULL;
	struct writer *w;
	struct batch b;
	sem_t done;
	uint64_t before = metric_get(M_EVENTS);
	begin(&c, &s, &w);
	sem_init(&done, 0, 0);
	fill(&b, 1, &done); /* two events */
	batch_event(&b, &aside);
	batch_erase(&b, &(struct vkey){{2}}, clock_now());
	assert_int_equal(b.count, 4);
	writer_submit(w, &b);
	while (sem_wait(&done) != 0)
		;
	assert_int_equal(b.result, OK);
	assert_int_equal(metric_get(M_EVENTS) - before, 2);
	writer_stop(w);
	batch_done(&b);
	sem_destroy(&done);
	store_close(s);
	config_done(&c);
}

static bool is_nobody(struct store *s, const struct vkey *k)
{
	struct erased_view v;
	erased_view_init(&v, s->erased);
	bool gone = erased_has(&v, k);
	erased_view_done(&v);
	return gone;
}

TEST(a_visitor_whose_erasure_was_refused_is_somebody_again)
{
	struct config c;
	struct store *s = NULL;
	struct writer *w;
	struct batch b;
	sem_t done;
	const struct vkey who = {{7}};
	begin(&c, &s, &w);
	sem_init(&done, 0, 0);
	for (int refused = 1; refused >= 0; refused--) {
		batch_init(&b, 1, committed, &done);
		erased_note(s->erased, &who);
		batch_erase(&b, &who, clock_now());
		assert_true(is_nobody(s, &who)); /* until it is known how it ended */
		b.parts[0].records.failed = refused;
		writer_submit(w, &b);
		while (sem_wait(&done) != 0)
			;
		assert_int_equal(b.result, refused ? ERR_NOMEM : OK);
		assert_true(is_nobody(s, &who) == !refused);
		batch_done(&b);
	}
	writer_stop(w);
	sem_destroy(&done);
	store_close(s);
	config_done(&c);
}

TEST(a_visitor_whose_erasure_there_was_no_memory_to_list_is_somebody_again)
{
	struct config c;
	struct store *s = open_store(&c);
	struct ingest in = {.store = s};
	struct writer *w;
	struct batch b;
	sem_t done;
	const struct vkey other = {{1}}, who = {{7}};
	assert_int_equal(writer_start(s, &nobody, &w), OK);
	sem_init(&done, 0, 0);
	batch_init(&b, s->shards, committed, &done);
	ingest_erase(&in, &other, clock_now(), &b);
	while (b.erased_n < b.erased_cap) /* the next needs memory */
		b.erased[b.erased_n++] = other;
	starve_after(0);
	ingest_erase(&in, &who, clock_now(), &b);
	starve_end();
	writer_submit(w, &b);
	while (sem_wait(&done) != 0)
		;
	assert_int_equal(b.result, ERR_NOMEM);
	assert_false(is_nobody(s, &who));
	assert_false(is_nobody(s, &other));
	batch_done(&b);
	writer_stop(w);
	sem_destroy(&done);
	close_store(s, &c);
}

UNIT_TESTS(IN_FOLDER(only_events_that_count_are_told_as_events),
    IN_FOLDER(a_visitor_whose_erasure_there_was_no_memory_to_list_is_somebody_again),
    IN_FOLDER(a_visitor_whose_erasure_was_refused_is_somebody_again),
    IN_FOLDER(what_there_was_no_memory_for_is_refused_and_the_rest_is_taken))
