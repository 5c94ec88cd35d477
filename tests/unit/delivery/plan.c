/* Who is in a plan, when memory runs out in between. */
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

UNIT_TESTS(cmocka_unit_test(an_id_has_the_rows_of_all_visitors_or_there_is_no_memory))
