/* ask/by_members: who satisfies a condition, by memberships and by a walk over the profiles, is the
 * same. */
#include "folded.h"

#include "crumb/condition/eval.h"
#include "crumb/condition/parse.h"
#include "src/ask/asking.h"

#define PEOPLE 150u
#define GROUPED                                                                                    \
	"version: 1\ncategories:\n  - {id: coats, any: [{path: /coats}]}\n"                        \
	"  - {id: boots, any: [{path: /boots}]}\n"                                                 \
	"segments:\n  - {id: keen, when: coats >= 2 in 7d}\n"                                      \
	"  - {id: warm, when: boots in 3d}\n"                                                      \
	"  - {id: few, when: coats >= 4 in 2d}\n"                                                  \
	"  - {id: ending, when: coats or boots >= 2, until: 2026-09-09}\n"                         \
	"  - {id: left, when: segment(keen) and not segment(warm)}\n"
/* The same ids, other meanings. */
#define REGROUPED                                                                                  \
	"version: 1\ncategories:\n  - {id: coats, any: [{path: /coats}]}\n"                        \
	"  - {id: boots, any: [{path: /boots}]}\n"                                                 \
	"segments:\n  - {id: warm, when: boots >= 2 in 14d}\n"                                     \
	"  - {id: ending, when: boots, until: 2026-09-06}\n"                                       \
	"  - {id: keen, when: coats >= 2 in 7d}\n"                                                 \
	"  - {id: few, when: coats in 1d}\n"                                                       \
	"  - {id: left, when: segment(warm) or segment(few)}\n"

static const char *const in_bits[] = {"segment(keen)", "segment(ending)",
    "segment(keen) and segment(warm)", "segment(keen) or segment(warm)",
    "segment(keen) and not segment(warm)", "not segment(warm) and segment(keen)",
    "segment(few) and segment(few)", "coats >= 2 in 7d", "coats >= 2 in 7d and segment(ending)",
    "segment(keen) and not (segment(warm) or segment(few)) and segment(ending)",
    "(segment(left) or segment(few)) and not segment(ending)"};
/* `coats or boots >= 2` is what `ending` asks, which ends. */
static const char *const in_profiles[] = {"coats >= 3 in 7d", "coats or boots >= 2",
    "segment(keen) and boots in 9d", "segment(keen) or not segment(warm) and visits >= 1",
    "visits >= 1 and not segment(keen)"};

static uint32_t dice = 1;

static uint32_t roll(uint32_t sides)
{
	dice = dice * 1664525u + 1013904223u;
	return (dice >> 16) % sides;
}

static void some_look(struct folded *w, uint32_t from)
{
	for (unsigned i = 1; i <= PEOPLE; i++)
		for (uint32_t n = roll(5); n; n--)
			look(w, (uint8_t)i, from + roll(6) * DAY_S, roll(2) ? "/coats" : "/boots");
}

/* The condition, in rules that are a copy of those that serve. */
static struct sizing ask_of(
    struct generation *g, const char *rules, const char *condition, uint32_t now)
{
	struct rules *copy = load(rules);
	struct sizing a = {.g = g, .rules = copy, .now = now, .segments = g->rules->segments_n};
	if (rules_condition(copy, str_c(condition), NULL, &a.root) != OK)
		fail_msg("%s: %s", condition, err_text());
	a.nodes = copy->nodes;
	a.wanted = calloc(PROFILE_NUMBERS / 64, sizeof *a.wanted);
	a.sets = calloc(g->shards, sizeof *a.sets);
	a.sum = calloc(2 + 2 * a.segments, sizeof *a.sum);
	rules_asks(copy, a.root, a.wanted);
	assert_int_equal(by_members_find(&a), OK);
	return a;
}

static void answered(struct sizing *a)
{
	rules_unref((struct rules *)a->rules);
	sets_free(a->sets, a->g->shards);
	free(a->wanted);
	free(a->stands);
	free(a->sum);
}

static void same_sets(const struct set *a, const struct set *b)
{
	for (size_t w = 0; w < a->n || w < b->n; w++)
		assert_int_equal(w < a->n ? a->words[w] : 0, w < b->n ? b->words[w] : 0);
}

/* Within `k` the counts are equal; beyond, both say that it is beyond. */
static void same_sums(const struct sizing *a, const struct sizing *b, uint64_t k)
{
	for (size_t i = 0; i < 2 + 2 * a->segments; i += i < 2 ? 1 : 2)
		assert_int_equal(a->sum[i], b->sum[i]);
	for (size_t i = 3; i < 2 + 2 * a->segments; i += 2) {
		uint64_t sizes = a->sum[1] + a->sum[i - 1];
		uint64_t apart = sizes - 2 * a->sum[i], said = sizes - 2 * b->sum[i];
		assert_true(apart == said || (apart >= k && said >= k));
	}
}

static uint64_t same(struct generation *g, const char *rules, const char *condition, uint32_t now)
{
	struct sizing a = ask_of(g, rules, condition, now);
	assert_true(by_members_can(&a));
	assert_int_equal(by_profiles_shard(&a, 0, a.sum), OK);
	for (uint64_t k = 1; k <= 100000; k *= 10) {
		struct sizing b = ask_of(g, rules, condition, now);
		b.k = k;
		assert_int_equal(by_members_shard(&b, 0, b.sum), OK);
		same_sets(&a.sets[0], &b.sets[0]);
		same_sums(&a, &b, k);
		answered(&b);
	}
	uint64_t size = a.sum[1];
	answered(&a);
	return size;
}

static uint64_t all_same(struct generation *g, const char *rules, uint32_t now)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < sizeof in_bits / sizeof *in_bits; i++)
		sum += same(g, rules, in_bits[i], now);
	return sum;
}

/* Today, and on days to which no sweep has come. */
static void same_for_days(struct generation *g, const char *rules, uint32_t now)
{
	uint64_t first = all_same(g, rules, now), last = first;
	for (uint32_t day = 1; day < 16; day += 2)
		last = all_same(g, rules, now + day * DAY_S);
	assert_true(first > PEOPLE && last < first);
}

TEST(memberships_and_profiles_count_the_same)
{
	struct folded *w = open_folded(GROUPED);
	some_look(w, NOON - 5 * DAY_S);
	fold(w, NOON);
	same_for_days(w->g, GROUPED, NOON);
	for (unsigned i = 3; i < PEOPLE; i += 7)
		erase(w, (uint8_t)i, NOON + 60);
	fold(w, NOON + 60);
	same_for_days(w->g, GROUPED, NOON + 60);
	fold(w, NOON + 3 * DAY_S);
	some_look(w, NOON - 2 * DAY_S);
	fold(w, NOON + 3 * DAY_S);
	same_for_days(w->g, GROUPED, NOON + 3 * DAY_S);
	assert_int_equal(all_same(w->g, GROUPED, NOON + 100 * DAY_S), 0); /* everybody is gone */
	close_folded(w);
}

TEST(memberships_by_changed_rules_count_the_same)
{
	struct folded *w = open_folded(GROUPED);
	some_look(w, NOON - 5 * DAY_S);
	fold(w, NOON);
	struct generation *g = beside(w, 2, REGROUPED);
	struct folded changed = {.s = w->s, .g = g, .f = &g->fold[0]};
	fold(&changed, NOON);
	uint64_t all = 0;
	for (size_t i = 0; i < sizeof in_bits / sizeof *in_bits; i++)
		if (strstr(in_bits[i], "segment") == in_bits[i])
			all += same(g, REGROUPED, in_bits[i], NOON) +
			       same(g, REGROUPED, in_bits[i], NOON + 5 * DAY_S);
	assert_true(all > PEOPLE);
	generation_unref(g);
	close_folded(w);
}

TEST(what_no_segment_asks_is_looked_up_in_profiles)
{
	struct folded *w = open_folded(GROUPED);
	for (size_t i = 0; i < sizeof in_profiles / sizeof *in_profiles; i++) {
		struct sizing a = ask_of(w->g, GROUPED, in_profiles[i], NOON);
		assert_false(by_members_can(&a));
		answered(&a);
	}
	close_folded(w);
}

static void same_shown(struct shown a, struct shown b)
{
	assert_true(a.told == b.told);
	assert_true(!a.told || a.n == b.n);
}

TEST(both_are_told_as_the_question_would_be)
{
	struct folded *w = open_folded(GROUPED);
	struct kgate gate = {20, NULL};
	struct ask_memory *m = ask_memory_new();
	struct group_sizes sizes;
	some_look(w, NOON - 5 * DAY_S);
	fold(w, NOON);
	assert_int_equal(view_sizes(w->g, &gate, NOON + DAY_S, &sizes), OK);
	for (uint16_t i = 0; i < w->g->rules->segments_n; i++)
		for (uint16_t j = 0; j < w->g->rules->segments_n; j++) {
			const uint16_t pair[] = {i, j};
			struct rules *copy = load(GROUPED);
			char condition[100];
			struct both n;
			struct answer whole;
			int root;
			assert_int_equal(ask_both(w->g, &gate, m, pair, NOON + DAY_S, &n), OK);
			same_shown(n.size[0], sizes.segments[i]);
			same_shown(n.size[1], sizes.segments[j]);
			snprintf(condition, sizeof condition,
			    "visits >= 1 and segment(%s) and segment(%s)", copy->segments[i].id,
			    copy->segments[j].id);
			assert_int_equal(rules_condition(copy, str_c(condition), NULL, &root), OK);
			assert_int_equal(
			    ask_size(w->g, copy, &gate, m, root, NOON + DAY_S, &whole), OK);
			same_shown(n.both, whole.size);
			rules_unref(copy);
		}
	view_sizes_done(&sizes);
	ask_memory_free(m);
	close_folded(w);
}

UNIT_TESTS(FOLDED(memberships_and_profiles_count_the_same),
    FOLDED(memberships_by_changed_rules_count_the_same),
    FOLDED(what_no_segment_asks_is_looked_up_in_profiles),
    FOLDED(both_are_told_as_the_question_would_be))
