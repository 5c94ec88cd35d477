/* Groups are counted, days too, and journeys are followed, as by hand. */
#include "crowded.h"

enum { S1, S2, S3, S4, S5 };

static bool in_segment(unsigned v, unsigned segment)
{
	bool a = crowd_has(v, 'a'), b = crowd_has(v, 'b'), c = crowd_has(v, 'c');
	const bool in[] = {a, b, a && b, c || crowd_has(v, 'd'), crowd_mobile(v) && a && !c};
	return in[segment];
}

static struct crowded *counted(void)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	assert_int_equal(count_groups(&w->m), OK);
	return w;
}

TEST(groups_have_the_members_that_they_have)
{
	struct crowded *w = counted();
	const struct making *m = &w->m;
	assert_int_equal(m->groups[0].n, CROWD);
	for (unsigned s = S1; s <= S5; s++) {
		const struct plan *p = &m->plans[s];
		unsigned size = 0, mobile = 0, german = 0;
		for (unsigned v = 0; v < CROWD; v++) {
			size += in_segment(v, s);
			mobile += in_segment(v, s) && crowd_mobile(v);
			german += in_segment(v, s) && crowd_german(v);
		}
		assert_int_equal(m->groups[group_of_segment(s)].n, size);
		assert_int_equal(m->groups[plan_device(p, DEVICE_MOBILE)].n, mobile);
		assert_int_equal(m->groups[plan_device(p, DEVICE_DESKTOP)].n, size - mobile);
		char code[8];
		for (unsigned i = 0; i < p->countries_n; i++) {
			country_code(p->countries[i], code);
			assert_int_equal(m->groups[plan_country(p, i)].n,
			    strcmp(code, "DE") == 0 ? german : size - german);
		}
		for (unsigned i = 0; i < p->categories_n; i++) {
			unsigned n = 0;
			for (unsigned v = 0; v < CROWD; v++)
				n += in_segment(v, s) &&
				     crowd_has(v, (char)('a' + p->categories[i] - 1));
			assert_int_equal(m->groups[plan_category(p, i)].n, n);
		}
		for (unsigned i = 0; i < p->nearest_n; i++) {
			unsigned n = 0;
			for (unsigned v = 0; v < CROWD; v++)
				n += in_segment(v, s) && in_segment(v, p->nearest[i]);
			assert_int_equal(m->groups[plan_near(p, i)].n, n);
		}
	}
	close_crowd(w);
}

TEST(each_clause_counts_those_before_it)
{
	struct crowded *w = counted();
	const struct plan *p = &w->m.plans[S5];
	unsigned mobile = 0, both = 0;
	for (unsigned v = 0; v < CROWD; v++) {
		mobile += crowd_mobile(v);
		both += crowd_mobile(v) && crowd_has(v, 'a');
	}
	assert_int_equal(w->m.groups[plan_clause(p, 0)].n, mobile);
	assert_int_equal(w->m.groups[plan_clause(p, 1)].n, both);
	close_crowd(w);
}

/* Sketches of one walk: of a segment and of those of its members who are not in a group, the group
 * has the difference. */
TEST(sketches_are_those_of_the_members)
{
	struct crowded *w = counted();
	const struct making *m = &w->m;
	const struct plan *p = &m->plans[S1];
	for (unsigned i = 0; i < m->sketch_words; i++) {
		const uint64_t *words = &m->sketches[i * m->groups_n];
		uint64_t devices = 0;
		for (unsigned d = 0; d < DEVICE_MAX; d++)
			devices ^= words[plan_device(p, d)];
		assert_true(devices == words[group_of_segment(S1)]);
	}
	unsigned bits = sketch_apart(&m->sketches[0], &m->sketches[group_of_segment(S1)], NULL,
	    m->sketch_words, m->groups_n, 10000);
	/* two who share a bit are not seen; with a random key a few pairs do, and never so many */
	assert_true(bits <= CROWD / 2 && bits > CROWD / 4);
	close_crowd(w);
}

TEST(days_have_their_events_and_visitors)
{
	struct crowded *w = counted();
	for (uint16_t ago = 1; ago <= 8; ago++) {
		unsigned n = 0;
		for (unsigned v = 0; v < CROWD; v++)
			n += crowd_has(v, 'b') && crowd_day(v, 'b') == TODAY - ago;
		assert_int_equal(w->m.day_visitors[2 * DAILY_DAYS + DAILY_DAYS - ago], n);
		assert_int_equal(w->m.day_events[2 * DAILY_DAYS + DAILY_DAYS - ago], 2 * n);
	}
	close_crowd(w);
}

/* Is the category within seven days of a, on that day or later? Its day, or 0. */
static uint16_t goes_on(unsigned v, char category)
{
	uint16_t begun = crowd_day(v, 'a'), day = crowd_day(v, category);
	return crowd_has(v, category) && day >= begun && day < begun + 7 ? day : 0;
}

/* Paths: b, c, b b (nobody), b c, c b, c c (nobody) … at 1, 2, 3, 4, 5, 6. */
TEST(journeys_are_followed_by_day_and_then_by_the_list)
{
	struct crowded *w = counted();
	unsigned begun = 0, b_first = 0, c_first = 0, b_c = 0, c_b = 0;
	for (unsigned v = 0; v < CROWD; v++) {
		if (!crowd_has(v, 'a'))
			continue;
		uint16_t b = goes_on(v, 'b'), c = goes_on(v, 'c');
		begun++;
		bool is_b = b && (!c || b <= c), is_c = c && !is_b;
		b_first += is_b;
		c_first += is_c;
		b_c += is_b && c;
		c_b += is_c && b;
	}
	const struct group *g = &w->m.groups[w->m.first_step[0]];
	assert_int_equal(g[0].n, begun);
	assert_int_equal(g[1].n, b_first);
	assert_int_equal(g[2].n, c_first);
	assert_int_equal(g[3].n, 0);
	assert_int_equal(g[4].n, b_c);
	assert_int_equal(g[5].n, c_b);
	assert_int_equal(g[6].n, 0);
	assert_true(b_first && c_first);
	uint64_t took = 0;
	for (unsigned d = 0; d < STEP_DAYS; d++)
		took += w->m.step_days[STEP_DAYS + d];
	assert_int_equal(took, b_first);
	close_crowd(w);
}

UNIT_TESTS(IN_FOLDER(groups_have_the_members_that_they_have),
    IN_FOLDER(each_clause_counts_those_before_it), IN_FOLDER(sketches_are_those_of_the_members),
    IN_FOLDER(days_have_their_events_and_visitors),
    IN_FOLDER(journeys_are_followed_by_day_and_then_by_the_list))
