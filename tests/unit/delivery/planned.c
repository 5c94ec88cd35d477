/* delivery/planned: who is in a plan, by the id that the partner knows. */
#include "unit.h"

#include "src/delivery/planning.h"

#include "crumb/base/memory.h"

#include <stdlib.h>

static struct plan plan;

static int begin(void **state)
{
	memory_begin();
	plan = (struct plan){.n = 3};
	return 0;
}

static int end(void **state)
{
	free(plan.members);
	free(plan.rows);
	buf_done(&plan.ids);
	return 0;
}
#define PLANNED(name) cmocka_unit_test_setup_teardown(name, begin, end)

static uint64_t prefix_of(const char *id)
{
	uint8_t b[8] = {0};
	uint64_t v = 0;
	memcpy(b, id, strnlen(id, 8));
	for (int i = 0; i < 8; i++)
		v = v << 8 | b[i];
	return v;
}

/* A visitor of that id who is in the segments [from, to) until a day. */
static void member(const char *id, uint16_t from, uint16_t to, uint16_t until)
{
	plan.members = realloc(plan.members, (plan.members_n + 1) * sizeof *plan.members);
	plan.members[plan.members_n++] = (struct member){.prefix = prefix_of(id),
	    .id_at = (uint32_t)plan.ids.n,
	    .id_n = (uint8_t)strlen(id),
	    .rows_at = (uint32_t)plan.rows_n,
	    .rows_n = (uint16_t)(to - from)};
	buf_c(&plan.ids, id);
	for (uint16_t s = from; s < to; s++) {
		plan.rows = realloc(plan.rows, (plan.rows_n + 1) * sizeof *plan.rows);
		plan.rows[plan.rows_n++] = (struct member_row){s, until};
	}
}

static void sort(void)
{
	qsort_r(plan.members, plan.members_n, sizeof *plan.members, plan_by_id, plan.ids.p);
}

TEST(ids_come_in_order_each_once)
{
	struct held_item out = {.id_n = 0};
	struct out_item facts;
	static const char *const order[] = {"a", "aaaaaaaaa", "aaaaaaaab", "b"};
	member("b", 0, 1, 20010);
	member("aaaaaaaab", 0, 1, 20010);
	member("a", 0, 1, 20010);
	member("aaaaaaaaa", 0, 1, 20010);
	sort();
	for (size_t i = 0; i < 4; i++) {
		assert_true(plan_next(&plan, &out, &facts));
		assert_int_equal(out.id_n, strlen(order[i]));
		assert_memory_equal(out.id, order[i], out.id_n);
	}
	assert_false(plan_next(&plan, &out, &facts));
	held_item_done(&out);
}

TEST(two_visitors_of_one_id_are_in_what_either_is_in_for_as_long)
{
	struct held_item out = {.id_n = 0};
	struct out_item facts;
	member("x", 1, 3, 20010);
	member("x", 0, 2, 20020);
	sort();
	assert_true(plan_next(&plan, &out, &facts));
	assert_int_equal(out.rows_n, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(out.rows[i].segment, i);
	assert_int_equal(out.rows[0].until, 20020);
	assert_int_equal(out.rows[1].until, 20020);
	assert_int_equal(out.rows[2].until, 20010);
	assert_false(plan_next(&plan, &out, &facts));
	held_item_done(&out);
}

TEST(what_both_consented_to_is_what_the_id_did)
{
	struct held_item out = {.id_n = 0};
	struct out_item facts;
	member("x", 0, 1, 20010);
	member("x", 0, 1, 20010);
	plan.members[0].consent = plan.members[1].consent = true;
	plan.members[0].purposes = 7;
	plan.members[1].purposes = 12;
	assert_true(plan_next(&plan, &out, &facts));
	assert_true(facts.consent && facts.purposes == 4);
	held_item_done(&out);
}

UNIT_TESTS(PLANNED(ids_come_in_order_each_once),
    PLANNED(two_visitors_of_one_id_are_in_what_either_is_in_for_as_long),
    PLANNED(what_both_consented_to_is_what_the_id_did))
