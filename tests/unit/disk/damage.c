/* disk/damage: what cannot be read or is gone, noted once for each place. */
#include "said.h"
#include "unit.h"

#include "crumb/disk/damage.h"

static struct damage *notes;

static int begin(void **state)
{
	notes = damage_new();
	return said_begin();
}

static int end(void **state)
{
	damage_free(notes);
	return said_end();
}
#define NOTING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const char *printed(void)
{
	static char text[2000];
	struct buf b = {0};
	damage_print(notes, &b);
	buf_add(&b, "", 1);
	snprintf(text, sizeof text, "%s", b.p);
	buf_done(&b);
	return text;
}

TEST(damage_of_days_and_of_others_is_added_up)
{
	struct damage_sum s;
	damage_sum(notes, &s);
	assert_true(s.days == 0 && s.others == 0 && s.lost_events == 0 && !s.unknown);
	assert_string_equal(printed(), "");
	damage_note(notes, "journal/2026-01-02", 7, "page %d is none", 3);
	damage_note(notes, "journal/2026-01-03", EVENTS_UNKNOWN, "it is gone");
	damage_note(notes, "erased", 0, "it is cut");
	damage_sum(notes, &s);
	assert_true(s.days == 2 && s.others == 1 && s.lost_events == 7 && s.unknown);
	assert_string_equal(printed(),
	    "journal/2026-01-02: page 3 is none; 7 events are lost\n"
	    "journal/2026-01-03: it is gone; nobody knows how many events that is\n"
	    "erased: it is cut; 0 events are lost\n");
	assert_true(damage_noted(notes, "erased") && !damage_noted(notes, "erase"));
}

TEST(a_further_note_takes_the_place_of_the_first_and_is_said_when_it_is_new)
{
	struct damage_sum s;
	damage_note(notes, "journal/2026-01-02", 7, "why");
	assert_string_equal(
	    said(), "error store damaged file=journal/2026-01-02 lost_events=7 why=\"why\"\n");
	damage_note(notes, "journal/2026-01-02", 7, "why");
	assert_string_equal(said(), "");
	damage_note(notes, "journal/2026-01-02", EVENTS_UNKNOWN, "why");
	assert_string_equal(said(),
	    "error store damaged file=journal/2026-01-02 lost_events=unknown why=\"why\"\n");
	damage_note(notes, "journal/2026-01-02", 8, "other");
	(void)said();
	damage_sum(notes, &s);
	assert_true(s.days == 1 && s.lost_events == 8 && !s.unknown);
}

UNIT_TESTS(NOTING(damage_of_days_and_of_others_is_added_up),
    NOTING(a_further_note_takes_the_place_of_the_first_and_is_said_when_it_is_new))
