/* The gate of reports on made-up groups whose members are known: 1,500 visitors, random sets of
 * them, many of which are a few visitors from others. */
#include "loaded.h"

#include "crumb/base/memory.h"
#include "src/report/making.h"
#include "src/report/told_before.h"

#define VISITORS 1500
#define K 20
#define MOST 1400 /* groups */

#define SHOP                                                                                       \
	"version: 1\ncategories: [{id: a, any: [{path: /a}]}, {id: b, any: [{path: /b}]}, "        \
	"{id: c, any: [{path: /c}]}]\nsegments:\n  - {id: s1, when: a}\n  - {id: s2, when: b}\n"   \
	"  - {id: s3, when: a and b}\njourneys:\n"                                                 \
	"  - {id: j, from: a, steps: [b, c], within: 9d}\n"

static bool in[MOST][VISITORS];

struct made {
	struct making m;
	struct kgate gate;
	struct told_before before;
	uint32_t x; /* of chance */
};

static uint32_t chance(struct made *w, uint32_t n)
{
	w->x = w->x * 1664525 + 1013904223;
	return (w->x >> 8) % n;
}

static void empty(uint32_t group)
{
	memset(in[group], 0, sizeof in[group]);
}

/* A set at random: of some share of all; or an earlier one with a few visitors more or fewer; or
 * all but an earlier one, with a few more or fewer. */
static void any_set(struct made *w, uint32_t group, const bool *within)
{
	uint32_t kind = chance(w, 10), other = chance(w, group), share = 1 + chance(w, 100);
	for (unsigned v = 0; v < VISITORS; v++) {
		bool is = chance(w, 100) < share;
		if (kind < 5)
			is = in[other][v] ^ (chance(w, 80) == 0 && kind < 4);
		else if (kind == 5)
			is = !in[other][v] ^ (chance(w, 100) == 0);
		in[group][v] = is && (!within || within[v]);
	}
}

/* Splits a set into parts; of some parts are very few. */
static void parts(struct made *w, uint32_t first, uint32_t n, const bool *whole)
{
	uint32_t cut[4];
	for (unsigned i = 0; i < 4; i++)
		cut[i] = chance(w, 1000) / (i > 1 ? 41 : 1);
	for (uint32_t i = 0; i < n; i++)
		empty(first + i);
	for (unsigned v = 0; v < VISITORS; v++) {
		uint32_t at = 0, c = chance(w, 1000);
		if (!whole[v])
			continue;
		for (uint32_t i = 1; i < n && i < 4; i++)
			at = c < cut[i] ? i : at;
		in[first + at][v] = at || n > 1;
	}
}

static void lay_out(struct made *w)
{
	struct making *m = &w->m;
	uint32_t n = 1 + (uint32_t)m->r->segments_n;
	m->first_category = n;
	m->first_device = n += (uint32_t)m->r->categories_n;
	m->first_country = n += DEVICE_MAX;
	n += COUNTRIES;
	for (size_t i = 0; i < m->r->segments_n; i++) {
		struct plan *p = &m->plans[i];
		p->first = n;
		p->countries_n = 4;
		p->categories_n = 3;
		p->nearest_n = 2;
		p->clauses_n = 3;
		n = plan_clause(p, p->clauses_n);
	}
	m->first_step[0] = n;
	n += journey_groups(&m->r->journeys[0]);
	m->groups_n = n;
	assert_true(n <= MOST);
}

/* Who is in which group. */
static void fill(struct made *w)
{
	struct making *m = &w->m;
	for (unsigned v = 0; v < VISITORS; v++)
		in[0][v] = true;
	for (uint32_t g = 1; g < m->first_device; g++)
		any_set(w, g, NULL);
	memcpy(in[m->first_category], in[0], sizeof in[0]);
	parts(w, m->first_device, DEVICE_MAX, in[0]);
	parts(w, m->first_country, COUNTRIES, in[0]);
	for (size_t i = 0; i < m->r->segments_n; i++) {
		const struct plan *p = &m->plans[i];
		const bool *whole = in[group_of_segment(i)];
		parts(w, plan_device(p, 0), DEVICE_MAX, whole);
		parts(w, plan_country(p, 0), p->countries_n, whole);
		for (uint32_t g = plan_category(p, 0); g < plan_clause(p, 0); g++)
			any_set(w, g, whole);
		for (uint32_t g = plan_clause(p, 0); g < plan_clause(p, p->clauses_n); g++)
			any_set(w, g, g > plan_clause(p, 0) ? in[g - 1] : NULL);
	}
	uint32_t begun = m->first_step[0];
	any_set(w, begun, NULL);
	for (uint32_t whole = begun, at = begun + 1; at < m->groups_n; whole++, at += 2) {
		parts(w, at, 2, in[whole]);
		for (unsigned v = 0; v < VISITORS; v++) /* some stop */
			in[at][v] &= chance(w, 9) != 0;
	}
}

static void draw(struct made *w)
{
	struct making *m = &w->m;
	memset(m->sketches, 0, m->groups_n * m->sketch_words * sizeof *m->sketches);
	memset(m->groups, 0, m->groups_n * sizeof *m->groups);
	for (unsigned v = 0; v < VISITORS; v++) {
		uint32_t bit = chance(w, 64 * m->sketch_words);
		for (size_t g = 0; g < m->groups_n; g++) {
			m->groups[g].n += in[g][v];
			m->groups[g].name = g + 1;
			m->sketches[bit / 64 * m->groups_n + g] ^= (uint64_t)in[g][v] << bit % 64;
		}
	}
}

static struct made *made_new(void)
{
	struct made *w = calloc(1, sizeof *w);
	memory_begin();
	w->gate = (struct kgate){K, NULL};
	w->m = (struct making){.gate = &w->gate, .r = load(SHOP), .k = K, .sketch_words = 64};
	w->m.plans = calloc(w->m.r->segments_n, sizeof *w->m.plans);
	w->m.first_step = calloc(1, sizeof *w->m.first_step);
	lay_out(w);
	w->m.groups = calloc(w->m.groups_n, sizeof *w->m.groups);
	w->m.sketches = calloc(w->m.groups_n * 64, sizeof *w->m.sketches);
	return w;
}

static void made_free(struct made *w)
{
	told_before_done(&w->before);
	rules_unref((struct rules *)(uintptr_t)w->m.r);
	making_done(&w->m);
	free(w);
}

static unsigned apart(uint32_t a, uint32_t b)
{
	unsigned n = 0;
	for (unsigned v = 0; v < VISITORS; v++)
		n += in[a][v] != in[b][v];
	return n;
}

/* Everybody, segments and categories: their numbers are told by lists, and stand. */
static bool is_named(const struct making *m, uint32_t group)
{
	return group < m->first_device;
}

static int64_t as_itself(const struct making *m, uint32_t g)
{
	return m->groups[g].n < K ? WITHHELD : (int64_t)(m->groups[g].n + 5) / 10 * 10;
}

/* No two numbers that differ belong to groups that are near, nor to one and to all but another. */
static void no_pair_is_near(const struct making *m)
{
	for (uint32_t a = 0; a < m->groups_n; a++) {
		if (m->groups[a].told == WITHHELD)
			continue;
		assert_true(m->groups[a].n >= K);
		assert_true(m->groups[a].told >= K);
		for (uint32_t b = is_named(m, a) ? m->first_device : a + 1; b < m->groups_n; b++) {
			if (m->groups[b].told == WITHHELD)
				continue;
			unsigned n = apart(a, b);
			if (n < K && m->groups[a].told != m->groups[b].told)
				fail_msg("%u and %u are %u apart", a, b, n);
			if (VISITORS - n < K &&
			    m->groups[a].told + m->groups[b].told != m->groups[0].told)
				fail_msg("%u and all but %u are %u apart", a, b, VISITORS - n);
		}
	}
}

/* Of parts of a whole nobody can say that 1 to k - 1 visitors are left. */
static void no_rest_is_small(const struct making *m, uint32_t whole, uint32_t first, uint32_t n)
{
	int64_t least = m->groups[whole].told - 5;
	uint32_t rest = m->groups[whole].n;
	for (uint32_t i = first; i < first + n; i++)
		if (m->groups[i].told != WITHHELD) {
			least -= m->groups[i].told + 4;
			rest -= m->groups[i].n;
		}
	if (m->groups[whole].told != WITHHELD && rest < K && least >= 1)
		fail_msg("of %u, %u are left, and the numbers say %lld at least", whole, rest,
		    (long long)least);
}

static void no_sum_tells(const struct making *m)
{
	no_rest_is_small(m, 0, m->first_device, DEVICE_MAX);
	no_rest_is_small(m, 0, m->first_country, COUNTRIES);
	for (size_t i = 0; i < m->r->segments_n; i++) {
		const struct plan *p = &m->plans[i];
		no_rest_is_small(m, group_of_segment(i), plan_device(p, 0), DEVICE_MAX);
		no_rest_is_small(m, group_of_segment(i), plan_country(p, 0), p->countries_n);
	}
	uint32_t whole = m->first_step[0];
	for (uint32_t at = whole + 1; at < m->groups_n; whole++, at += 2)
		no_rest_is_small(m, whole, at, 2);
}

/* Is any group that lists or the report know of near to it, or to all but it? */
static bool is_alone(const struct making *m, uint32_t g)
{
	for (uint32_t b = 0; b < m->groups_n; b++) {
		unsigned n = b == g || m->groups[b].n < K ? VISITORS / 2 : apart(g, b);
		if (n < K + 4 || VISITORS - n < K + 4)
			return false;
	}
	return true;
}

TEST(no_two_different_numbers_are_of_groups_that_are_near)
{
	struct made *w = made_new();
	unsigned told = 0, alone = 0;
	for (w->x = 1; w->x < 12; w->x++) {
		uint32_t seed = w->x;
		fill(w);
		draw(w);
		assert_int_equal(gate_groups(&w->m, &w->before), OK);
		told_before_done(&w->before);
		no_pair_is_near(&w->m);
		no_sum_tells(&w->m);
		for (uint32_t g = w->m.first_device; g < w->m.groups_n; g++) {
			told += w->m.groups[g].told != WITHHELD;
			if (w->m.groups[g].told == WITHHELD || !is_alone(&w->m, g))
				continue;
			alone++;
			assert_int_equal(w->m.groups[g].told, as_itself(&w->m, g));
		}
		w->x = seed;
	}
	assert_true(told > 150);
	assert_true(alone > 20);
	made_free(w);
}

/* The first group of the first segment's categories, of that many members of the segment. */
static uint32_t only(struct made *w, unsigned segment_n, unsigned n)
{
	struct making *m = &w->m;
	uint32_t g = plan_category(&m->plans[0], 0);
	for (uint32_t i = 1; i < m->groups_n; i++)
		empty(i);
	for (unsigned v = 0; v < VISITORS; v++) {
		in[0][v] = true;
		in[m->first_category][v] = true;
		in[group_of_segment(0)][v] = v < segment_n;
		in[g][v] = v < n;
	}
	draw(w);
	return g;
}

TEST(a_group_near_a_segment_has_its_number)
{
	struct made *w = made_new();
	uint32_t g = only(w, 304, 304 - K + 1);
	assert_int_equal(gate_groups(&w->m, &w->before), OK);
	assert_int_equal(w->m.groups[g].told, 300);
	told_before_done(&w->before);
	g = only(w, 304, 304 - K - 6);
	assert_int_equal(gate_groups(&w->m, &w->before), OK);
	assert_int_equal(w->m.groups[g].told, 280);
	made_free(w);
}

TEST(a_group_near_all_but_a_segment_has_the_difference)
{
	struct made *w = made_new();
	uint32_t g = only(w, 304, 0);
	for (unsigned v = 304 + 7; v < VISITORS; v++)
		in[g][v] = true;
	draw(w);
	assert_int_equal(gate_groups(&w->m, &w->before), OK);
	assert_int_equal(w->m.groups[g].told, 1500 - 300);
	made_free(w);
}

TEST(a_group_between_two_numbers_is_withheld)
{
	struct made *w = made_new();
	uint32_t g = only(w, 304, 295);
	for (unsigned v = 0; v < 280; v++)
		in[group_of_segment(1)][v] = true;
	draw(w);
	assert_int_equal(gate_groups(&w->m, &w->before), OK);
	assert_int_equal(w->m.groups[g].told, WITHHELD);
	made_free(w);
}

TEST(a_group_that_fell_comes_back_from_k_and_ten)
{
	static const struct {
		unsigned n;
		int64_t told;
	} days[] = {{K, 20}, {K + 9, 30}, {K - 1, WITHHELD}, {K, WITHHELD}, {K + 9, WITHHELD},
	    {K + 10, 30}, {K + 1, 20}};
	struct made *w = made_new();
	struct told_name name = {0};
	for (uint32_t i = 0; i < sizeof days / sizeof *days; i++) {
		uint32_t g = only(w, 304, days[i].n);
		w->before = (struct told_before){.names = &name, .names_n = i > 0, .report = i};
		assert_int_equal(gate_groups(&w->m, &w->before), OK);
		assert_int_equal(w->m.groups[g].told, days[i].told);
		name.name = g + 1;
		if (days[i].told != WITHHELD)
			name.report = i + 1;
		w->before.names = NULL;
		told_before_done(&w->before);
	}
	made_free(w);
}

/* 300 members: 200, 74 and 26 of three kinds of device, or 1, or nobody of the third. */
static void three_kinds(struct made *w, unsigned third, int64_t second_told)
{
	only(w, 300, 0);
	uint32_t first = plan_device(&w->m.plans[0], 0);
	for (unsigned v = 0; v < 300; v++)
		in[first + (v < 200 ? 1 : v < 300 - third ? 2 : 3)][v] = true;
	draw(w);
	assert_int_equal(gate_groups(&w->m, &w->before), OK);
	assert_int_equal(w->m.groups[first + 1].told, 200);
	assert_int_equal(w->m.groups[first + 2].told, second_told);
	assert_int_equal(w->m.groups[first + 3].told, WITHHELD);
	told_before_done(&w->before);
}

TEST(the_smallest_part_is_withheld_where_the_numbers_say_that_few_are_left)
{
	struct made *w = made_new();
	three_kinds(w, K - 1, WITHHELD);
	made_free(w);
}

/* So nobody sees whether the first visitor of a kind has come. */
TEST(nothing_is_withheld_because_one_visitor_is_left)
{
	struct made *w = made_new();
	three_kinds(w, 0, 100);
	three_kinds(w, 1, 100);
	made_free(w);
}

UNIT_TESTS(cmocka_unit_test(no_two_different_numbers_are_of_groups_that_are_near),
    cmocka_unit_test(a_group_near_a_segment_has_its_number),
    cmocka_unit_test(a_group_near_all_but_a_segment_has_the_difference),
    cmocka_unit_test(a_group_between_two_numbers_is_withheld),
    cmocka_unit_test(a_group_that_fell_comes_back_from_k_and_ten),
    cmocka_unit_test(the_smallest_part_is_withheld_where_the_numbers_say_that_few_are_left),
    cmocka_unit_test(nothing_is_withheld_because_one_visitor_is_left))
