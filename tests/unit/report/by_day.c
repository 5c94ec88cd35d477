/* Days of categories: near to their parent on the same day, and to the category on any day. */
#include "viewed.h"

#include "src/report/making.h"

#define K 20

#define CLOTHES                                                                                    \
	"version: 1\ncategories: [{id: a, any: [{path: /a}]}, {id: a.b, any: [{path: /b}]}, "      \
	"{id: a.c, any: [{path: /c}]}]\n"

/* Categories by number: 0 every event, 1 a, 2 a.b, 3 a.c. */
enum { ALL, A, B, C, CATEGORIES };

struct world {
	struct views v;
	struct kgate gate;
	struct making m;
};

static struct world *open_world(void)
{
	struct world *w = calloc(1, sizeof *w);
	w->v = open_views();
	rules_unref(w->v.g->rules);
	w->v.g->rules = load(CLOTHES);
	w->gate = (struct kgate){K, NULL};
	w->m = (struct making){
	    .g = w->v.g, .gate = &w->gate, .now = NOW, .r = w->v.g->rules, .today = TODAY, .k = K};
	w->m.groups = calloc(CATEGORIES, sizeof *w->m.groups);
	w->m.day_events = calloc(CATEGORIES * DAILY_DAYS, sizeof *w->m.day_events);
	w->m.day_visitors = calloc(CATEGORIES * DAILY_DAYS, sizeof *w->m.day_visitors);
	for (unsigned c = 0; c < CATEGORIES; c++)
		w->m.groups[c] = (struct group){.n = 5000 - 1000 * c, .told = 5000 - 1000 * c};
	return w;
}

static void close_world(struct world *w)
{
	making_done(&w->m);
	close_views(&w->v);
	free(w);
}

/* So many days before today. */
static size_t at(unsigned category, unsigned ago)
{
	return category * DAILY_DAYS + DAILY_DAYS - ago;
}

static void put(struct world *w, unsigned category, unsigned ago, uint32_t visitors)
{
	w->m.day_visitors[at(category, ago)] = visitors;
	w->m.day_events[at(category, ago)] = 3 * visitors;
}

static void is_told(
    struct world *w, unsigned category, unsigned ago, int64_t visitors, int64_t events)
{
	assert_int_equal(w->m.told_visitors[at(category, ago)], visitors);
	assert_int_equal(w->m.told_events[at(category, ago)], events);
}

TEST(a_day_near_its_parent_has_the_numbers_of_that)
{
	struct world *w = open_world();
	put(w, ALL, 1, 900);
	put(w, A, 1, 404);
	put(w, B, 1, 404 - K + 1);
	put(w, C, 1, 404 - K - 1);
	assert_int_equal(gate_days(&w->m), OK);
	is_told(w, ALL, 1, 900, 2700);
	is_told(w, A, 1, 400, 1210);
	is_told(w, B, 1, 400, 1210);
	is_told(w, C, 1, 380, 1150);
	close_world(w);
}

TEST(a_day_near_every_day_has_the_number_of_the_category)
{
	struct world *w = open_world();
	put(w, ALL, 1, 2500);
	put(w, A, 1, 2400);
	put(w, B, 1, 1995 - K);
	w->m.groups[B] = (struct group){.n = 1990, .told = 1990};
	assert_int_equal(gate_days(&w->m), OK);
	is_told(w, B, 1, 1990, 5930);
	close_world(w);
}

TEST(a_day_between_two_numbers_is_withheld)
{
	struct world *w = open_world();
	put(w, ALL, 1, 2500);
	put(w, A, 1, 2004);
	put(w, B, 1, 1990);
	w->m.groups[B] = (struct group){.n = 1996, .told = 2010};
	assert_int_equal(gate_days(&w->m), OK);
	is_told(w, A, 1, 2000, 6010);
	is_told(w, B, 1, WITHHELD, WITHHELD);
	close_world(w);
}

TEST(below_k_and_behind_a_fall_a_day_is_withheld)
{
	static const struct {
		uint32_t n;
		int64_t told;
	} days[] = {{K, 20}, {K - 1, WITHHELD}, {K + 9, WITHHELD}, {K + 10, 30}, {K, 20}, {60, 60}};
	struct world *w = open_world();
	for (unsigned i = 0; i < 6; i++) {
		put(w, ALL, 6 - i, 900);
		put(w, A, 6 - i, 500);
		put(w, B, 6 - i, days[i].n);
	}
	assert_int_equal(gate_days(&w->m), OK);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(w->m.told_visitors[at(B, 6 - i)], days[i].told);
	close_world(w);
}

TEST(a_day_that_is_not_retained_is_not_told)
{
	struct world *w = open_world();
	w->v.g->fold[0].retention = 30;
	put(w, ALL, 29, 900);
	put(w, ALL, 30, 900);
	assert_int_equal(gate_days(&w->m), OK);
	is_told(w, ALL, 29, 900, 2700);
	is_told(w, ALL, 30, WITHHELD, WITHHELD);
	close_world(w);
}

UNIT_TESTS(IN_FOLDER(a_day_near_its_parent_has_the_numbers_of_that),
    IN_FOLDER(a_day_near_every_day_has_the_number_of_the_category),
    IN_FOLDER(a_day_between_two_numbers_is_withheld),
    IN_FOLDER(below_k_and_behind_a_fall_a_day_is_withheld),
    IN_FOLDER(a_day_that_is_not_retained_is_not_told))
