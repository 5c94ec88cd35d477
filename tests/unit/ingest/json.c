/* ingest/json: events of a body or a line, read in one pass, and what is no event. */
#include "unit.h"

#include "starve.h"

#include "crumb/base/memory.h"
#include "crumb/ingest/ingest.h"

#include <stdio.h>

static struct hit hit;
static struct buf scratch;
static char said[2000];
static size_t said_n;
static unsigned wanted; /* events that are taken before the reading is ended */

static void begin_event(void *arg, struct hit *h)
{
	hit_clear(h);
}

static void say(const char *name, struct str s)
{
	if (s.n)
		said_n += (size_t)snprintf(
		    said + said_n, sizeof said - said_n, " %s=" STR_FMT, name, STR_ARG(s));
}

/* All that an event said, in a line. */
static bool note(void *arg, struct json_reader *r)
{
	say("e", r->hit->name);
	say("u", r->hit->url);
	say("r", r->hit->referrer);
	say("t", r->hit->title);
	if (r->hit->has_v)
		said_n += (size_t)snprintf(said + said_n, sizeof said - said_n, " v=%g", r->hit->v);
	for (unsigned i = 0; i < r->hit->attrs_n; i++) {
		char name[40];
		snprintf(name, sizeof name, "a." STR_FMT, STR_ARG(r->hit->attrs[i].name));
		say(name, r->hit->attrs[i].value);
	}
	say("id", r->id);
	say("time", r->time);
	said_n += (size_t)snprintf(said + said_n, sizeof said - said_n, ";");
	return r->events < wanted;
}

static bool read_as(const char *text, bool import)
{
	struct json_reader r = {.import = import,
	    .hit = &hit,
	    .scratch = &scratch,
	    .begin = begin_event,
	    .event = note};
	said_n = 0;
	said[0] = 0;
	memory_begin();
	return json_read(&r, str_c(text));
}

static void reads(const char *text, const char *want)
{
	if (!read_as(text, false))
		fail_msg("%s is none", text);
	assert_string_equal(said, want);
}

static int begin(void **state)
{
	wanted = 1000;
	return 0;
}

static int end(void **state)
{
	buf_done(&scratch);
	return 0;
}
#define READING(name) cmocka_unit_test_setup_teardown(name, begin, end)

TEST(an_object_is_an_event_and_an_array_is_many)
{
	reads("{\"e\":\"view\",\"u\":\"https://a.example/\"}", " e=view u=https://a.example/;");
	reads("[{\"e\":\"a\"},{\"u\":\"x\"}, {}]", " e=a; u=x;;");
	reads("[]", "");
	reads(" {\"e\":\"a\"} ", " e=a;");
}

TEST(values_are_texts_numbers_and_truths)
{
	reads("{\"v\":12.5}", " v=12.5;");
	reads("{\"v\":\"12.5\"}", " v=12.5;");
	reads("{\"v\":null,\"e\":null}", ";");
	reads("{\"a.size\":\"xl\",\"a.n\":3,\"a.is\":true}", " a.size=xl a.n=3 a.is=true;");
	reads("{\"a\":{\"size\":\"xl\",\"n\":3.50}}", " a.size=xl a.n=3.5;");
}

TEST(escapes_are_read_and_unknown_keys_passed_over_whole)
{
	reads("{\"t\":\"gr\\u00fcn \\\"x\\\" \\ud83e\\udde5\"}",
	    " t=gr\xc3\xbcn \"x\" \xf0\x9f\xa7\xa5;");
	reads("{\"x\":{\"e\":\"no\",\"deep\":[{\"e\":\"no\"}]},\"e\":\"yes\"}", " e=yes;");
	reads("{\"E\":\"no\"}", ";");
}

TEST(what_is_no_json_or_holds_something_else_is_none)
{
	static const char *const none[] = {"", "x", "{", "[{}", "{\"e\":\"a\"", "1", "\"text\"",
	    "null", "[1]", "[[{}]]", "{\"e\":\"a\"} x", "{\"e\":\"a\"}{}", "{'e':'a'}",
	    "{\"e\":\"\xff\"}", "{\"e\":\"a\",}"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (read_as(none[i], false))
			fail_msg("'%s' is taken", none[i]);
}

TEST(in_an_import_t_is_the_time_and_the_visitor_has_a_name)
{
	assert_true(
	    read_as("{\"id\":\"v1\",\"t\":1700000000,\"title\":\"Coats\",\"e\":\"view\"}", true));
	assert_string_equal(said, " e=view t=Coats id=v1 time=1700000000;");
	assert_true(read_as("{\"id\":7,\"t\":\"2026-11-23T12:00:00Z\"}", true));
	assert_string_equal(said, " id=7 time=2026-11-23T12:00:00Z;");
	assert_true(read_as("{\"id\":\"v1\",\"t\":\"Coats\"}",
	    false)); /* of a page it is the title, and there is no id */
	assert_string_equal(said, " t=Coats;");
}

TEST(who_has_enough_ends_the_reading)
{
	wanted = 2;
	assert_false(read_as("[{\"e\":\"a\"},{\"e\":\"b\"},{\"e\":\"c\"}]", false));
	assert_string_equal(said, " e=a; e=b;");
}

TEST(without_memory_it_is_none_and_that_is_said)
{
	bool fine = false;
	for (long granted = 0; !fine; granted++) { /* whichever request is the first to fail */
		assert_true(granted < 100);
		buf_done(&scratch);
		starve_after(granted);
		fine = read_as("{\"t\":\"\\u00fc\"}", false);
		starve_end();
		assert_int_equal(memory_short(), !fine);
	}
	assert_string_equal(said, " t=\xc3\xbc;");
}

UNIT_TESTS(READING(an_object_is_an_event_and_an_array_is_many),
    READING(values_are_texts_numbers_and_truths),
    READING(escapes_are_read_and_unknown_keys_passed_over_whole),
    READING(what_is_no_json_or_holds_something_else_is_none),
    READING(in_an_import_t_is_the_time_and_the_visitor_has_a_name),
    READING(who_has_enough_ends_the_reading), READING(without_memory_it_is_none_and_that_is_said))
