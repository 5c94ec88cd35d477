/* Who is in a plan, when memory runs out in between, and why somebody is not. */
#include "starve.h"
#include "unit.h"

#include "src/delivery/planning.h"
#include "crumb/base/memory.h"

#define ROWS 40

/* Two visitors who have one id: the second is in every other segment, and for longer. */
static struct plan two_of_one_id(struct member *members, struct member_row *rows)
{
	static char id[] = "somebody";
	for (uint16_t i = 0; i < ROWS; i++)
		rows[i] = (struct member_row){i, 100};
	for (uint16_t i = 0; i < ROWS / 2; i++)
		rows[ROWS + i] = (struct member_row){(uint16_t)(2 * i), 200};
	members[0] = (struct member){.rows_n = ROWS, .id_n = sizeof id - 1};
	members[1] = (struct member){.rows_at = ROWS, .rows_n = ROWS / 2, .id_n = sizeof id - 1};
	return (struct plan){
	    .members = members, .members_n = 2, .rows = rows, .ids = {.p = id, .n = sizeof id - 1}};
}

TEST(an_id_has_the_rows_of_all_visitors_or_there_is_no_memory)
{
	struct member members[2];
	struct member_row rows[ROWS + ROWS / 2];
	bool whole = false;
	for (long granted = 0; !whole; granted++) {
		struct plan p = two_of_one_id(members, rows);
		struct held_item item = {.id_n = 0};
		struct out_item facts;
		memory_begin();
		assert_true(granted < 20);
		starve_after(granted);
		whole = plan_next(&p, &item, &facts);
		starve_end();
		assert_int_equal(whole, !memory_short());
		if (whole) {
			assert_int_equal(item.rows_n, ROWS);
			for (uint16_t i = 0; i < ROWS; i++) {
				assert_int_equal(item.rows[i].segment, i);
				assert_int_equal(item.rows[i].until, i % 2 ? 100 : 200);
			}
			assert_false(plan_next(&p, &item, &facts));
		}
		held_item_done(&item);
	}
	memory_begin();
}

TEST(the_first_reason_that_holds_is_told)
{
	struct str labels[] = {STR("own"), STR("crm")};
	struct destination d = {.purposes = 1 << 3 | 1 << 0, .labels = {.n = 2}};
	struct profile v = {.consent_day = 1, .purposes = 1 << 3 | 1 << 0};
	d.labels.list = labels;
	assert_int_equal(plan_stays(&d, &v), STAYS_NOT);
	v.attrs[v.attrs_n++] = (struct profile_attr){.name = STR(ATTR_SOURCE), .value = STR("crm")};
	assert_int_equal(plan_stays(&d, &v), STAYS_NOT);
	assert_int_equal(plan_stays(NULL, &v), STAYS_OTHER_SOURCE);
	v.attrs[0].value = STR("till");
	assert_int_equal(plan_stays(&d, &v), STAYS_OTHER_SOURCE);
	assert_false(plan_may_go(&d, &v));
	v.purposes = 1 << 3;
	assert_int_equal(plan_stays(&d, &v), STAYS_NO_CONSENT);
	v.consent_day = 0; /* no TC string came: the law of that place asks for none */
	v.attrs_n = 0;
	assert_int_equal(plan_stays(&d, &v), STAYS_NOT);
	assert_true(plan_may_go(&d, &v));
}

UNIT_TESTS(cmocka_unit_test(the_first_reason_that_holds_is_told),
    cmocka_unit_test(an_id_has_the_rows_of_all_visitors_or_there_is_no_memory))
