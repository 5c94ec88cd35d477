/* partners/format_csv: one row a change, as RFC 4180 has it. */
#include "encoded.h"

static const struct destination lake = {
    .id = (char *)(uintptr_t) "lake", .format = &format_csv, .partner = -1};

TEST(a_change_is_a_row_and_what_stays_is_none)
{
	IS(ENCODED(&lake, FORMAT_DELTA, ITEM("v1", ADD(coats, 30), KEEP(boots, 30)),
	       ITEM("v2", REMOVE(coats), ADD(boots, 1))),
	    "id,segment,expires,action\n"
	    "v1,101,2026-12-23,add\n"
	    "v2,101,,remove\n"
	    "v2,102,2026-11-24,add\n");
}

TEST(a_file_without_a_row_has_its_head)
{
	IS(encoded(&lake, FORMAT_FULL, NULL, 0, NULL), "id,segment,expires,action\n");
}

TEST(ids_and_names_are_exact_whatever_is_in_them)
{
	static const struct out_segment odd = {S("odd"), S("a,\"b\"\nc"), S(""), 0};
	IS(ENCODED(&lake, FORMAT_FULL, ITEM("=1+1", ADD(odd, 1)), ITEM("-", ADD(coats, 1))),
	    "id,segment,expires,action\n"
	    "=1+1,\"a,\"\"b\"\"\nc\",2026-11-24,add\n"
	    "-,101,2026-11-24,add\n");
}

UNIT_TESTS(cmocka_unit_test(a_change_is_a_row_and_what_stays_is_none),
    cmocka_unit_test(a_file_without_a_row_has_its_head),
    cmocka_unit_test(ids_and_names_are_exact_whatever_is_in_them))
