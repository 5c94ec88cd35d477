/* ingest/asides: what is kept is what the journal says, whatever came between. */
#include "aside.h"

#define IN_STORE(name) cmocka_unit_test_setup_teardown(name, begin, end)

TEST(it_is_counted_by_reason_and_pattern_most_first)
{
	assert_string_equal(listed(), "");
	set_aside(0, ASIDE_CRAWLER, "few", 2, now);
	set_aside(1, ASIDE_CRAWLER, "many", 3, now);
	set_aside(0, ASIDE_CRAWLER, "many", 2, now - DAY_S);
	set_aside(1, ASIDE_NETWORK, "cloud", 1, now);
	assert_string_equal(listed(), "crawler many 5, crawler few 2, network cloud 1");
	struct aside_row *rows;
	size_t n;
	assert_int_equal(asides_list(store, &rows, &n), OK);
	assert_int_equal(rows[0].first, day_of(now - DAY_S));
	assert_int_equal(rows[0].last, day_of(now));
	free(rows);
}

TEST(more_patterns_than_anybody_reads_are_counted_together)
{
	struct buf b = {0};
	struct event e = {.visitor = {{0}}, .t = now, .name = STR("view"), .aside = ASIDE_SITE};
	char pattern[40];
	for (unsigned i = 0; i < 1200; i++) {
		snprintf(pattern, sizeof pattern, "host-%u.example", i);
		e.pattern = str_c(pattern);
		event_encode(&e, &b);
	}
	commit_block(0, &b, 1200);
	struct aside_row *rows;
	size_t n;
	assert_int_equal(asides_list(store, &rows, &n), OK);
	assert_int_equal(n, 1001);
	assert_string_equal(rows[0].pattern, QUARANTINE_OTHERS);
	assert_int_equal(rows[0].events, 200);
	free(rows);
}

/* --- what is kept */

/* The rows as one text. */
static void rows_text(const struct aside_row *rows, size_t n, struct buf *out)
{
	char line[400];
	buf_clear(out);
	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof line, "%s %s %llu %u-%u\n", aside_names[rows[i].why],
		    rows[i].pattern, (unsigned long long)rows[i].events, rows[i].first,
		    rows[i].last);
		buf_str(out, str_c(line));
	}
	buf_add(out, "", 1);
}

static void kept_text(struct asides *a, struct buf *out)
{
	struct asides_told told;
	assert_int_equal(asides_tell(a, &told), OK);
	rows_text(told.rows, told.n, out);
	free(told.rows);
}

static bool is_erased_one(void *arg, const struct vkey *k)
{
	const uint8_t *who = arg;
	return !who || k->b[0] == *who;
}

/* Takes the visitor, or everybody, out of a day. */
static void clean_day_of(uint16_t day, uint8_t *who)
{
	struct journal_cleaned *cleaned;
	uint64_t dropped;
	static const _Atomic bool stop;
	assert_int_equal(
	    journal_clean(store->journal, day, is_erased_one, who, &stop, &cleaned, &dropped), OK);
	if (cleaned)
		assert_int_equal(journal_swap(store->journal, cleaned), OK);
}

TEST(who_asks_again_reads_only_what_is_new)
{
	struct asides *a = asides_new(store);
	struct asides_told told;
	set_aside(0, ASIDE_CRAWLER, "bot", 3, now);
	assert_int_equal(asides_tell(a, &told), OK);
	assert_int_equal(told.made, 0); /* nothing is told before it was read */
	assert_int_equal(told.n, 0);
	free(told.rows);
	assert_false(asides_due(a)); /* nobody has asked */
	assert_int_equal(asides_follow(a, 0, NULL), OK);
	assert_false(asides_due(a));
	/* the day is exchanged for one in which the visitors are erased: whoever read it again
	 * would see that */
	set_aside(1, ASIDE_CRAWLER, "bot", 2, now);
	clean_day_of(day_of(now), NULL);
	assert_int_equal(asides_follow(a, 0, NULL), OK);
	assert_int_equal(asides_tell(a, &told), OK);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.rows[0].events, 3);
	assert_true(told.made >= now);
	free(told.rows);
	asides_stale(a);
	assert_true(asides_due(a));
	assert_int_equal(asides_follow(a, 0, NULL), OK);
	assert_int_equal(asides_tell(a, &told), OK);
	assert_int_equal(told.n, 0);
	free(told.rows);
	asides_free(a);
}

TEST(what_was_told_is_told_until_all_is_read)
{
	struct asides *a = asides_new(store);
	struct buf before = {0}, text = {0};
	for (int i = 0; i < 20; i++)
		set_aside(0, ASIDE_CRAWLER, "bot", 1, now);
	unsigned tries = 0;
	while (asides_follow(a, 1, NULL) == ERR_BUSY)
		assert_true(++tries < 100);
	assert_true(tries > 10); /* a block at a time */
	kept_text(a, &before);
	assert_non_null(strstr(before.p, "bot 20 "));
	set_aside(0, ASIDE_CRAWLER, "bot", 1, now);
	set_aside(0, ASIDE_CRAWLER, "bot", 1, now);
	assert_int_equal(asides_follow(a, 1, NULL), ERR_BUSY);
	kept_text(a, &text);
	assert_string_equal(text.p, before.p);
	asides_pause(a);
	assert_int_equal(asides_follow(a, 0, NULL), ERR_BUSY);
	asides_resume(a);
	assert_int_equal(asides_follow(a, 0, NULL), OK);
	kept_text(a, &text);
	assert_non_null(strstr(text.p, "bot 22 "));
	buf_done(&before);
	buf_done(&text);
	asides_free(a);
}

TEST(others_get_a_name_when_there_is_room_again)
{
	struct asides *a = asides_new(store);
	struct asides_told told;
	char host[40];
	for (unsigned i = 0; i < 1001; i++) {
		snprintf(host, sizeof host, "host-%u.example", i);
		set_aside(0, ASIDE_SITE, host, 1, now);
	}
	assert_int_equal(asides_follow(a, 0, NULL), OK);
	assert_int_equal(asides_tell(a, &told), OK);
	assert_int_equal(told.n, 1001);
	assert_string_equal(told.rows[0].pattern, QUARANTINE_OTHERS);
	free(told.rows);
	assert_int_equal(release(ASIDE_SITE, "host-7.example"), 1);
	assert_int_equal(release(ASIDE_SITE, "host-1000.example"), 1); /* one of the others */
	set_aside(0, ASIDE_SITE, "new.example", 1, now);
	while (asides_follow(a, 0, NULL) == ERR_BUSY)
		;
	assert_int_equal(asides_tell(a, &told), OK);
	assert_int_equal(told.n, 1000);
	for (size_t i = 0; i < told.n; i++)
		assert_string_not_equal(told.rows[i].pattern, QUARANTINE_OTHERS);
	free(told.rows);
	asides_free(a);
}

/* --- the property: kept = counted from the journal = what a list of events says */

#define EVENTS_MOST 20000
#define DAYS_KEPT 5

static const char *const patterns[] = {"", "bot", "spider", "a.example", "b.example"};
enum { PATTERNS = sizeof patterns / sizeof *patterns, VISITORS = 6, SHARDS = 2 };

/* What was set aside and is still. */
struct seen_aside {
	uint8_t who;
	unsigned shard, why, pattern;
	uint32_t t;
	bool gone;
};
static struct seen_aside seen[EVENTS_MOST];
static size_t seen_n;
/* Marks of older versions, which cover by time what comes later, too. */
static struct {
	unsigned why, pattern;
	uint32_t t;
} old_marks[100];
static size_t old_marks_n;

static uint64_t dice;

static unsigned roll(unsigned sides)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(dice >> 33) % sides;
}

static bool is_named(const struct seen_aside *s, unsigned why, unsigned pattern)
{
	return !s->gone && s->why == why && (pattern == 0 || s->pattern == pattern);
}

static void roll_hits(void)
{
	struct buf b = {0};
	uint32_t t = clock_now() - (roll(3) ? 0 : roll(DAYS_KEPT - 1)) * DAY_S;
	unsigned shard = roll(SHARDS), n = 1 + roll(5);
	for (unsigned i = 0; i < n; i++) {
		struct seen_aside s = {.who = (uint8_t)(1 + roll(VISITORS)),
		    .shard = shard,
		    .why = 1 + roll(ASIDE_MAX - 1),
		    .pattern = roll(PATTERNS),
		    .t = t};
		struct event e = {.visitor = {{s.who}},
		    .t = t,
		    .name = STR("view"),
		    .aside = (uint8_t)s.why,
		    .pattern = str_c(patterns[s.pattern])};
		event_encode(&e, &b);
		for (size_t k = 0; k < old_marks_n; k++)
			s.gone |= is_named(&s, old_marks[k].why, old_marks[k].pattern) &&
				  t <= old_marks[k].t;
		assert_true(seen_n < EVENTS_MOST);
		seen[seen_n++] = s;
	}
	now = t; /* the day of the block */
	commit_block((uint16_t)shard, &b, n);
	now = clock_now();
}

static void roll_release(void)
{
	unsigned why = 1 + roll(ASIDE_MAX - 1), pattern = roll(PATTERNS);
	uint64_t events = 0;
	for (size_t i = 0; i < seen_n; i++)
		if (is_named(&seen[i], why, pattern)) {
			seen[i].gone = true;
			events++;
		}
	assert_int_equal(release((enum aside)why, patterns[pattern]), events);
}

static void follow_whole(struct asides *a, uint64_t budget_us)
{
	enum err e;
	while ((e = asides_follow(a, budget_us, NULL)) == ERR_BUSY)
		;
	assert_int_equal(e, OK);
}

/* The mark of a release that was cut off, or overtaken by hits that are counted already: it ends
 * within the shard. */
static void roll_half_release(struct asides *a)
{
	struct record mark = {.kind = RECORD_TAKEN,
	    .event = {.t = clock_now(), .aside = (uint8_t)(1 + roll(ASIDE_MAX - 1))},
	    .shard = (uint16_t)roll(SHARDS)};
	unsigned pattern = roll(PATTERNS);
	struct buf b = {0};
	mark.event.pattern = str_c(patterns[pattern]);
	mark.seq = journal_pos_save(journal_last(store->journal, mark.shard));
	size_t upto = seen_n;
	for (unsigned i = 0; i < 3; i++)
		roll_hits();
	for (size_t i = 0; i < upto; i++)
		if (seen[i].shard == mark.shard && is_named(&seen[i], mark.event.aside, pattern))
			seen[i].gone = true;
	if (roll(3))
		follow_whole(a, 0);
	record_encode(&mark, &b);
	commit_block((uint16_t)journal_control(store->journal), &b, 1);
}

static void roll_old_release(void)
{
	struct record mark = {.kind = RECORD_RELEASED,
	    .event = {.t = clock_now(), .aside = (uint8_t)(1 + roll(ASIDE_MAX - 1))}};
	unsigned pattern = roll(PATTERNS);
	struct buf b = {0};
	mark.event.pattern = str_c(patterns[pattern]);
	for (size_t i = 0; i < seen_n; i++)
		seen[i].gone |=
		    is_named(&seen[i], mark.event.aside, pattern) && seen[i].t <= mark.event.t;
	assert_true(old_marks_n < 100);
	old_marks[old_marks_n].why = mark.event.aside;
	old_marks[old_marks_n].pattern = pattern;
	old_marks[old_marks_n++].t = mark.event.t;
	record_encode(&mark, &b);
	commit_block(0, &b, 1);
}

/* A visitor is erased, and the days that are over are cleaned. */
static void roll_night(struct asides *a)
{
	uint8_t who = (uint8_t)(1 + roll(VISITORS));
	uint16_t today = day_of(clock_now());
	for (unsigned i = 1; i < DAYS_KEPT; i++)
		clean_day_of((uint16_t)(today - i), &who);
	for (size_t i = 0; i < seen_n; i++)
		seen[i].gone |= seen[i].who == who && day_of(seen[i].t) < today;
	asides_stale(a);
}

static void next_day(void)
{
	clock_set_offset(clock_offset() + DAY_S);
	now = clock_now();
	uint16_t oldest = (uint16_t)(day_of(now) - DAYS_KEPT + 1);
	journal_expire(store->journal, oldest);
	for (size_t i = 0; i < seen_n; i++)
		seen[i].gone |= day_of(seen[i].t) < oldest;
}

static int as_listed(const void *a, const void *b)
{
	const struct aside_row *x = a, *y = b;
	if (x->why != y->why)
		return x->why < y->why ? -1 : 1;
	if (x->events != y->events)
		return x->events > y->events ? -1 : 1;
	return strcmp(x->pattern, y->pattern);
}

static void expected(struct buf *out)
{
	struct aside_row rows[ASIDE_MAX * PATTERNS];
	size_t n = 0;
	for (unsigned why = 1; why < ASIDE_MAX; why++)
		for (unsigned p = 0; p < PATTERNS; p++) {
			struct aside_row r = {
			    .why = (enum aside)why, .pattern = patterns[p], .first = UINT16_MAX};
			for (size_t i = 0; i < seen_n; i++) {
				uint16_t day = day_of(seen[i].t);
				if (seen[i].gone || seen[i].why != why || seen[i].pattern != p)
					continue;
				r.events++;
				r.first = day < r.first ? day : r.first;
				r.last = day > r.last ? day : r.last;
			}
			if (r.events)
				rows[n++] = r;
		}
	if (n)
		qsort(rows, n, sizeof *rows, as_listed);
	rows_text(rows, n, out);
}

static void all_are_alike(struct asides *a)
{
	struct aside_row *rows;
	size_t n;
	struct buf kept = {0}, listed = {0}, model = {0};
	follow_whole(a, roll(2)); /* in small steps, as for somebody who waits, or in one */
	kept_text(a, &kept);
	assert_int_equal(asides_list(store, &rows, &n), OK);
	rows_text(rows, n, &listed);
	free(rows);
	expected(&model);
	assert_string_equal(listed.p, model.p);
	assert_string_equal(kept.p, model.p);
	buf_done(&kept);
	buf_done(&listed);
	buf_done(&model);
}

static void roll_one(struct asides **a)
{
	switch (roll(20)) {
	case 0:
		next_day();
		break;
	case 1:
		roll_night(*a);
		break;
	case 2:
	case 3:
		roll_release();
		break;
	case 4:
		roll_half_release(*a);
		break;
	case 5:
		if (roll(4) == 0)
			roll_old_release();
		break;
	case 6:
		asides_free(*a);
		if (roll(8) == 0) {
			store_close(store);
			open_again();
		}
		*a = asides_new(store);
		break;
	case 7:
	case 8:
		(void)!asides_follow(*a, 1, NULL); /* one step */
		break;
	case 9:
	case 10:
	case 11:
		all_are_alike(*a);
		break;
	default:
		roll_hits();
	}
}

static void life_of(uint64_t seed)
{
	struct asides *a = asides_new(store);
	dice = seed;
	for (int i = 0; i < 400; i++)
		roll_one(&a);
	all_are_alike(a);
	asides_free(a);
}

TEST(kept_counts_are_those_of_the_journal_whatever_comes_between)
{
	for (uint64_t seed = 1; seed <= 12; seed++) {
		seen_n = old_marks_n = 0;
		life_of(seed);
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

UNIT_TESTS(IN_STORE(it_is_counted_by_reason_and_pattern_most_first),
    IN_STORE(more_patterns_than_anybody_reads_are_counted_together),
    IN_STORE(who_asks_again_reads_only_what_is_new),
    IN_STORE(what_was_told_is_told_until_all_is_read),
    IN_STORE(others_get_a_name_when_there_is_room_again),
    IN_STORE(kept_counts_are_those_of_the_journal_whatever_comes_between))
