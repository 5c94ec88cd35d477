/* node/declare: what partners say of visitors, by their ids, as far as the rules let them. */
#include "folded.h"

#include "crumb/node/declare.h"

#define CLUBS                                                                                      \
	SHOP "attributes:\n  - {id: club, source: ads, values: [gold, silver]}\n"                  \
	     "  - {id: age, source: ads, range: 0..120}\n  - {id: buyer, source: ads, segment: "   \
	     "Buyers}\n"                                                                           \
	     "  - {id: size, values: [m, l]}\n"

static struct folded *world;

static int begin(void **state)
{
	struct vkey one = visitor(1), two = visitor(2);
	struct buf b = {0};
	if (make_medium(state) != 0)
		return -1;
	world = open_folded(CLUBS);
	look(world, 1, NOON, "/coats");
	look(world, 2, NOON, "/coats");
	record_encode_match(&one, NOON, STR("ads"), STR("x1"), &b);
	record_encode_match(&two, NOON, STR("ads"), STR("7"), &b);
	commit(world, NOON, &b, 2);
	fold(world, NOON);
	return 0;
}

static int end(void **state)
{
	close_folded(world);
	return drop_medium(state);
}
#define DECLARING(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* The records that lines make, as "name=value until;…". */
static const char *declared(const char *lines, struct declare_totals *totals)
{
	static char text[1000];
	static struct record r;
	struct batch b;
	size_t n = 0;
	*totals = (struct declare_totals){.read = 0};
	batch_init(&b, 1, NULL, NULL);
	declare_lines(world->g, world->g->rules, 90, STR("ads"), str_c(lines), NOON, &b, totals);
	text[0] = 0;
	for (size_t i = 0; i < b.parts_n; i++) {
		struct mp m = mp_over(buf_view(&b.parts[i].records));
		while (m.p < m.end && record_decode(&m, &r)) {
			assert_int_equal(r.kind, RECORD_DECLARED);
			assert_true(str_eq(r.partner, STR("ads")) &&
				    (r.event.visitor.b[2] == 1 || r.event.visitor.b[2] == 2));
			for (unsigned k = 0; k < r.event.attrs_n; k++)
				n += (size_t)snprintf(text + n, sizeof text - n,
				    STR_FMT "=" STR_FMT " ", STR_ARG(r.event.attrs[k].name),
				    STR_ARG(r.event.attrs[k].value));
			n += (size_t)snprintf(text + n, sizeof text - n, "%u;", r.until);
		}
	}
	batch_done(&b);
	return text;
}

TEST(attributes_are_taken_by_the_partners_id_with_their_end)
{
	struct declare_totals t;
	assert_string_equal(
	    declared(
		"{\"id\":\"x1\",\"attributes\":{\"club\":\"gold\"},\"expires\":\"2026-09-10\"}\n",
		&t),
	    "club=gold 20706;");
	assert_true(t.read == 1 && t.accepted == 1);
	assert_string_equal(declared("{\"id\":7,\"attributes\":{\"age\":41}}\n", &t),
	    "age=41 20790;"); /* numbers are text; as long as an observation */
	assert_string_equal(declared("{\"id\":\"x1\",\"attributes\":{\"club\":null}}", &t),
	    "club= 20790;"); /* it is forgotten */
	assert_string_equal(
	    declared(
		"{\"id\":\"x1\",\"attributes\":{\"club\":\"gold\"},\"expires\":\"2030-01-01\"}",
		&t),
	    "club=gold 20790;");
}

TEST(a_segment_of_the_partners_is_an_attribute)
{
	struct declare_totals t;
	assert_string_equal(declared("{\"id\":\"x1\",\"segment\":\"Buyers\",\"action\":\"add\"}\n{"
				     "\"id\":\"x1\",\"segment\":\"Buyers\",\"action\":\"remove\"}",
				&t),
	    "buyer=member 20790;buyer= 20790;");
	assert_int_equal(t.accepted, 2);
	assert_string_equal(declared("{\"id\":\"x1\",\"segment\":\"Others\"}", &t), "");
	assert_int_equal(t.refused_undeclared, 1);
}

TEST(each_line_is_counted_by_why_it_was_refused)
{
	struct declare_totals t;
	assert_string_equal(
	    declared(
		"no json\n\n"
		"{\"id\":\"x2\",\"attributes\":{\"club\":\"gold\"}}\n"
		"{\"id\":\"x1\",\"attributes\":{\"size\":\"m\"}}\n" /* is nobody's to say */
		"{\"id\":\"x1\",\"attributes\":{\"club\":\"bronze\"}}\n"
		"{\"id\":\"x1\",\"attributes\":{\"club\":\"gold\"},\"expires\":\"2020-01-01\"}\n"
		"{\"id\":\"x1\"}\n",
		&t),
	    "");
	assert_int_equal(t.read, 6);
	assert_int_equal(t.accepted, 0);
	assert_int_equal(t.refused_id, 1);
	assert_int_equal(t.refused_undeclared, 1);
	assert_int_equal(t.refused_value, 1);
	assert_int_equal(t.refused_old, 1);
	assert_int_equal(t.refused_json, 2);
	assert_int_equal(t.first.n, 6);
	assert_int_equal(t.first.at[1].line, 3);
}

UNIT_TESTS(DECLARING(attributes_are_taken_by_the_partners_id_with_their_end),
    DECLARING(a_segment_of_the_partners_is_an_attribute),
    DECLARING(each_line_is_counted_by_why_it_was_refused))
