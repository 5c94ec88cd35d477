/* ask/scan: members of some segments, one after the other, in pieces. */
#include "viewed.h"

#include "crumb/ask/scan.h"

struct handed {
	char ids[30];
	unsigned n, matched;
	enum err then;
};

static enum err note(
    void *arg, const struct vkey *k, const struct profile *p, const struct match_row *match)
{
	struct handed *s = arg;
	assert_true(p->segments_n == 1 && p->segments[0] == 0);
	s->ids[s->n++] = (char)k->b[0];
	s->ids[s->n] = 0;
	s->matched += match && match->id_n == 2;
	return s->then;
}

static const uint64_t fans = 1, nobody = 0;

static struct scan asking(struct handed *s)
{
	return (struct scan){
	    .segments = &fans, .partner = STR("ads"), .now = NOW, .each = note, .arg = s};
}

static struct views with_visitors(const char *members, const char *others)
{
	struct views v = open_views();
	for (; *members; members++)
		put_visitor(&v, (uint8_t)*members, TODAY);
	for (; *others; others++)
		put_visitor(&v, (uint8_t)*others, TODAY - 8);
	return v;
}

TEST(members_of_now_come_in_order)
{
	struct views v = with_visitors("dba", "ce");
	struct handed s = {.n = 0};
	struct scan q = asking(&s);
	assert_int_equal(scan_members(v.g, &q), OK);
	assert_string_equal(s.ids, "abd");
	s.n = 0;
	q.now = NOW + 7 * DAY_S; /* nobody is a fan any more */
	assert_int_equal(scan_members(v.g, &q), OK);
	assert_int_equal(s.n, 0);
	q = asking(&s);
	q.segments = &nobody;
	assert_int_equal(scan_members(v.g, &q), OK);
	assert_int_equal(s.n, 0);
	close_views(&v);
}

TEST(pieces_make_up_the_whole)
{
	struct views v = with_visitors("abcdefg", "xy");
	for (size_t most = 1; most < 9; most++) {
		struct handed s = {.n = 0};
		struct scan q = asking(&s);
		struct scan_place at = {.begun = false};
		bool more = true;
		unsigned pieces = 0;
		while (more) {
			unsigned before = s.n;
			assert_int_equal(scan_piece(v.g, &q, most, &at, &more), OK);
			assert_true(s.n - before <= most);
			pieces++;
		}
		assert_string_equal(s.ids, "abcdefg");
		assert_true(pieces >= 7 / most);
	}
	close_views(&v);
}

TEST(a_partners_id_comes_with_whoever_has_one)
{
	struct views v = with_visitors("ab", "");
	struct handed s = {.n = 0};
	struct scan q = asking(&s);
	struct vkey b = key_of('b');
	struct db_txn t;
	assert_int_equal(db_begin(&shard_of(&v)->db, true, &t), OK);
	shard_match_put(shard_of(&v), &t, &b, STR("ads"), STR("x1"), NOW);
	assert_int_equal(db_end(&t), OK);
	assert_int_equal(scan_members(v.g, &q), OK);
	assert_int_equal(s.matched, 1);
	q.partner = STR("");
	assert_int_equal(scan_members(v.g, &q), OK);
	assert_int_equal(s.matched, 1); /* nobody's are wanted */
	close_views(&v);
}

TEST(who_does_not_want_more_ends_it_with_his_error)
{
	struct views v = with_visitors("abc", "");
	struct handed s = {.then = ERR_FULL};
	struct scan q = asking(&s);
	assert_int_equal(scan_members(v.g, &q), ERR_FULL);
	assert_string_equal(s.ids, "a");
	close_views(&v);
}

UNIT_TESTS(IN_FOLDER(members_of_now_come_in_order), IN_FOLDER(pieces_make_up_the_whole),
    IN_FOLDER(a_partners_id_comes_with_whoever_has_one),
    IN_FOLDER(who_does_not_want_more_ends_it_with_his_error))
