/* views/changes: who entered and left, for streams, with a sequence and an end. */
#include "folded.h"

#include "crumb/views/changes.h"

struct heard {
	struct crossing list[600];
	size_t n;
};

static void hear(void *arg, const struct crossing *c)
{
	struct heard *h = arg;
	assert_true(h->n < 600);
	h->list[h->n++] = *c;
}

static void write_changes(struct folded *w, uint8_t from, unsigned n)
{
	struct crossing_list l = {0};
	struct db_txn t;
	assert_int_equal(db_begin(&w->f->shard.db, DB_WRITE, &t), OK);
	for (unsigned i = 0; i < n; i++) {
		struct vkey k = visitor((uint8_t)(from + i));
		changes_note(&l, (uint16_t)(i % 3), &k);
	}
	changes_write(w->f, &t, &l);
	assert_int_equal(l.n, 0);
	assert_int_equal(db_end(&t), OK);
	free(l.list);
}

static struct folded *at(uint32_t now)
{
	struct folded *w = open_folded(SHOP);
	clock_set_offset(0);
	clock_set_offset((int64_t)now - (int64_t)clock_now());
	w->f->stream_keep_h = 48;
	return w;
}

static void done(struct folded *w)
{
	clock_set_offset(0);
	close_folded(w);
}

TEST(changes_come_in_order_behind_a_sequence_and_in_pieces)
{
	struct folded *w = at(NOON);
	struct heard h = {.n = 0};
	uint64_t last;
	bool gap;
	write_changes(w, 1, 5);
	write_changes(w, 6, 2);
	assert_int_equal(changes_read(w->f, 0, 0, 4, hear, &h, &last, &gap), OK);
	assert_true(h.n == 4 && last == 4 && !gap);
	assert_int_equal(changes_read(w->f, last, 0, 100, hear, &h, &last, &gap), OK);
	assert_true(h.n == 7 && last == 7 && !gap);
	for (uint8_t i = 0; i < 7; i++) {
		struct vkey k = visitor((uint8_t)(i + 1));
		assert_memory_equal(&h.list[i].visitor, &k, sizeof k);
		assert_int_equal(h.list[i].segment, (i < 5 ? i : i - 5) % 3);
	}
	assert_int_equal(changes_read(w->f, last, 0, 100, hear, &h, &last, &gap), OK);
	assert_true(h.n == 7 && last == 7 && !gap); /* nothing is new */
	done(w);
}

TEST(what_is_older_than_asked_is_passed_over)
{
	struct folded *w = at(NOON);
	struct heard h = {.n = 0};
	uint64_t last;
	bool gap;
	write_changes(w, 1, 3);
	clock_set_offset(clock_offset() + 3600);
	write_changes(w, 4, 2);
	assert_int_equal(changes_read(w->f, 0, NOON + 1800, 1, hear, &h, &last, &gap), OK);
	assert_true(
	    h.n == 1 && last == 4 && !gap); /* the old ones are no part of how many it may be */
	done(w);
}

TEST(old_changes_go_and_whoever_was_behind_them_hears_of_the_gap)
{
	struct folded *w = at(NOON);
	struct heard h = {.n = 0};
	uint64_t last;
	bool gap;
	write_changes(w, 1, 150);
	clock_set_offset(clock_offset() + 47 * 3600);
	write_changes(w, 1, 1);
	assert_int_equal(changes_read(w->f, 0, 0, 600, hear, &h, &last, &gap), OK);
	assert_true(h.n == 151 && !gap);
	clock_set_offset(clock_offset() + 2 * 3600);
	write_changes(w, 1, 30); /* takes 160 old ones along at most */
	h.n = 0;
	assert_int_equal(changes_read(w->f, 100, 0, 600, hear, &h, &last, &gap), OK);
	assert_true(h.n == 31 && last == 181 && gap);
	h.n = 0;
	assert_int_equal(changes_read(w->f, 150, 0, 600, hear, &h, &last, &gap), OK);
	assert_true(h.n == 31 && last == 181 && !gap);
	done(w);
}

TEST(a_fold_writes_those_of_segments_that_go_somewhere)
{
	struct folded *w = at(NOON);
	struct heard h = {.n = 0};
	struct vkey k = visitor(1);
	uint64_t last;
	bool gap;
	look(w, 1, NOON, "/coats");
	look(w, 1, NOON, "/coats");
	look_worth(w, 1, NOON, "/boots", 500); /* `rich` has no destination */
	fold(w, NOON);
	assert_int_equal(changes_read(w->f, 0, 0, 600, hear, &h, &last, &gap), OK);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.list[0].segment, rules_segment(w->g->rules, STR("keen")));
	assert_memory_equal(&h.list[0].visitor, &k, sizeof k);
	assert_int_equal(atomic_load(&w->f->changes), 1);
	erase(w, 1, NOON);
	fold(w, NOON);
	assert_int_equal(atomic_load(&w->f->changes), 2);
	w->f->stream_keep_h = 0; /* no stream at all */
	look(w, 2, NOON, "/coats");
	look(w, 2, NOON, "/coats");
	fold(w, NOON);
	assert_int_equal(atomic_load(&w->f->changes), 2);
	done(w);
}

UNIT_TESTS(FOLDED(changes_come_in_order_behind_a_sequence_and_in_pieces),
    FOLDED(what_is_older_than_asked_is_passed_over),
    FOLDED(old_changes_go_and_whoever_was_behind_them_hears_of_the_gap),
    FOLDED(a_fold_writes_those_of_segments_that_go_somewhere))
