/* partners/labels: whose data a segment is made of, and who may get it. */
#include "loaded.h"

#include "crumb/partners/destinations.h"

#define SHOP                                                                                       \
	"version: 1\nattributes:\n  - {id: club, values: [gold], source: ads, labels: "            \
	"[club-data]}\n"                                                                           \
	"categories:\n  - {id: a, labels: [top], any: [{path: /a}]}\n"                             \
	"  - {id: a.b, labels: [below], any: [{path: /b}]}\n  - {id: c, any: [{path: /c}]}\n"      \
	"  - {id: ab, labels: [neighbour], any: [{path: /ab}]}\n"                                  \
	"segments:\n  - {id: plain, when: c}\n  - {id: own, labels: [mine], when: c}\n"            \
	"  - {id: parent, when: a}\n  - {id: child, when: b}\n  - {id: nested, when: c and "       \
	"segment(own)}\n"                                                                          \
	"  - {id: then, when: c then b within 3d}\n  - {id: member, when: c and attr.club = "      \
	"gold}\n"

static struct rules *rules;
static struct str ads_label = {"ads-data", 8};
static struct partner ads;
static struct destinations all;

static int begin(void **state)
{
	rules = load(SHOP);
	ads = (struct partner){.id = (char *)(uintptr_t) "ads", .labels = {&ads_label, 1}};
	all = (struct destinations){.partners = &ads, .partners_n = 1, .found = true};
	return 0;
}

static int end(void **state)
{
	rules_unref(rules);
	return 0;
}

static bool add(void *arg, struct str label)
{
	buf_str(arg, label);
	buf_c(arg, " ");
	return true;
}

static void labels_are(const char *segment, const char *want)
{
	struct buf b = {0};
	assert_true(segment_labels_each(
	    rules, &rules->segments[rules_segment(rules, str_c(segment))], &all, add, &b));
	buf_add(&b, "", 1);
	assert_string_equal(b.p, want);
	buf_done(&b);
}

TEST(labels_come_of_all_that_a_segment_is_made_of)
{
	labels_are("plain", "");
	labels_are("own", "mine ");
	labels_are("parent", "top below "); /* an event of a child counts for its parents */
	labels_are("child", "below top ");
	labels_are("nested", "mine ");
	labels_are("then", "below top ");
	labels_are("member", "club-data ads-data "); /* the attribute's, and its partner's */
}

TEST(it_goes_where_every_label_may_go)
{
	struct labels some = {(struct str[]){STR("top"), STR("mine")}, 2},
		      both = {(struct str[]){STR("below"), STR("top")}, 2};
	struct destination d = {.id = (char *)(uintptr_t) "lake", .labels = some};
	struct str label = STR("untouched");
	const struct segment *parent = &rules->segments[rules_segment(rules, STR("parent"))],
			     *own = &rules->segments[rules_segment(rules, STR("own"))],
			     *plain = &rules->segments[rules_segment(rules, STR("plain"))];
	assert_true(segment_labels_allowed(rules, own, &all, &d, &label));
	assert_true(str_eq(label, STR("untouched")));
	assert_false(segment_labels_allowed(rules, parent, &all, &d, &label));
	assert_true(str_eq(label, STR("below")));
	d.labels = both;
	assert_true(segment_labels_allowed(rules, parent, &all, &d, &label));
	assert_true(segment_labels_allowed(
	    rules, plain, &all, NULL, &label)); /* without labels it may go anywhere */
	assert_false(segment_labels_allowed(rules, own, &all, NULL, &label));
}

UNIT_TESTS_BETWEEN(begin, end, cmocka_unit_test(labels_come_of_all_that_a_segment_is_made_of),
    cmocka_unit_test(it_goes_where_every_label_may_go))
