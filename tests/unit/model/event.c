/* model/event: an event comes back from the journal as it went, and nothing else is taken for one.
 */
#include "unit.h"

#include "crumb/model/record.h"

static struct event full(void)
{
	struct event e = {.visitor = {{1, 2, 3}},
	    .t = 1788220800,
	    .flags = EVENT_NEW,
	    .agent = {DEVICE_MOBILE, OS_IOS, BROWSER_SAFARI},
	    .place = {"GB", "ENG"},
	    .host = STR("shop.example"),
	    .path = STR("/coats"),
	    .name = STR("view"),
	    .campaign = STR("spring"),
	    .referrer = REFERRER_SEARCH,
	    .attrs = {{STR("size"), STR("xl")}, {STR("color"), STR("")}},
	    .attrs_n = 2,
	    .leaves = {7, UINT64_MAX},
	    .leaves_n = 2,
	    .v = 12.5,
	    .has_v = true};
	return e;
}

static void same(const struct event *a, const struct event *b)
{
	assert_memory_equal(&a->visitor, &b->visitor, sizeof a->visitor);
	assert_int_equal(a->t, b->t);
	assert_int_equal(a->flags, b->flags);
	assert_memory_equal(&a->agent, &b->agent, sizeof a->agent);
	assert_memory_equal(&a->place, &b->place, sizeof a->place);
	assert_true(str_eq(a->host, b->host) && str_eq(a->path, b->path) &&
		    str_eq(a->name, b->name) && str_eq(a->campaign, b->campaign));
	assert_int_equal(a->referrer, b->referrer);
	assert_int_equal(a->attrs_n, b->attrs_n);
	for (unsigned i = 0; i < a->attrs_n; i++)
		assert_true(str_eq(a->attrs[i].name, b->attrs[i].name) &&
			    str_eq(a->attrs[i].value, b->attrs[i].value));
	assert_int_equal(a->leaves_n, b->leaves_n);
	assert_memory_equal(a->leaves, b->leaves, a->leaves_n * sizeof *a->leaves);
	assert_true(a->has_v == b->has_v && !(a->v < b->v) && !(a->v > b->v));
	assert_int_equal(a->purposes, b->purposes);
	assert_int_equal(a->aside, b->aside);
	assert_true(str_eq(a->pattern, b->pattern));
}

static struct record decoded(struct buf *b)
{
	struct record r = {.kind = RECORD_EVENT};
	struct mp in = mp_over(buf_view(b));
	assert_true(record_decode(&in, &r));
	assert_ptr_equal(in.p, in.end); /* all of it was taken */
	return r;
}

TEST(an_event_comes_back_as_it_went)
{
	struct event all[4] = {full(), full(), full(), {.name = STR("view")}};
	all[1].purposes = 0x3ff;
	all[2].aside = ASIDE_CRAWLER;
	all[2].pattern = STR("bot");
	all[2].has_v = false;
	all[2].v = 0;
	for (int i = 0; i < 4; i++) {
		struct buf b = {0};
		event_encode(&all[i], &b);
		struct record r = decoded(&b);
		assert_int_equal(r.kind, i == 2 ? RECORD_ASIDE : RECORD_EVENT);
		same(&r.event, &all[i]);
		buf_done(&b);
	}
}

TEST(the_same_page_is_the_same_about_whoever_saw_it)
{
	struct event one = full(), two = full(), three = full();
	struct buf a = {0}, b = {0}, c = {0};
	two.visitor = (struct vkey){{9}};
	two.t++;
	two.flags = 0;
	two.has_v = false;
	memcpy(two.place.country, "DE", 2);
	three.path = STR("/boots");
	event_encode(&one, &a);
	event_encode(&two, &b);
	event_encode(&three, &c);
	struct record x = decoded(&a), y = decoded(&b), z = decoded(&c);
	assert_true(str_eq(x.about, y.about));
	assert_false(str_eq(x.all, y.all)); /* with place and device it is another */
	assert_false(str_eq(x.about, z.about));
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
}

TEST(no_cut_and_no_foreign_byte_is_read_beyond_its_end)
{
	struct event e = full();
	struct buf b = {0};
	static struct record r;
	event_encode(&e, &b);
	for (size_t n = 0; n < b.n; n++) {
		struct mp in = mp_over(str_make(b.p, n));
		assert_false(record_decode(&in, &r));
	}
	for (size_t i = 0; i < b.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			b.p[i] ^= (char)(1 << bit);
			struct mp in = mp_over(buf_view(&b));
			if (record_decode(&in, &r) &&
			    (r.kind == RECORD_EVENT || r.kind == RECORD_ASIDE)) {
				assert_true(r.event.referrer < REFERRER_MAX &&
					    r.event.agent.device < DEVICE_MAX &&
					    r.event.agent.os < OS_MAX);
				assert_true(r.event.agent.browser < BROWSER_MAX &&
					    r.event.attrs_n <= EVENT_ATTRS_MAX);
				assert_true(r.event.leaves_n <= EVENT_LEAVES_MAX &&
					    r.event.aside < ASIDE_MAX);
			}
			b.p[i] ^= (char)(1 << bit);
		}
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(an_event_comes_back_as_it_went),
    cmocka_unit_test(the_same_page_is_the_same_about_whoever_saw_it),
    cmocka_unit_test(no_cut_and_no_foreign_byte_is_read_beyond_its_end))
