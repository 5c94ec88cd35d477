/* check/check: what is wrong with rules that load. Each finding has its place and its code. */
#include "unit.h"

#include "crumb/base/mp.h"
#include "crumb/check/check.h"

#include <stdio.h>

static bool scrubs(struct str segment, const char **by)
{
	*by = "[id]";
	return str_eq(segment, STR("4711"));
}

static bool drops(struct str attr)
{
	return str_eq(attr, STR("email"));
}

/* "LINE CODE", of mistakes with '!', a line each. */
static const char *found(const struct rules_policy *p, const char *text)
{
	static char out[2000];
	struct buf bundle = {0};
	struct report report = {0};
	struct rules *r = NULL;
	msgpack_packer pk;
	size_t n = 0;
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("test.yaml"));
	mp_put_str(&pk, str_c(text));
	enum err e = rules_load_checked(buf_view(&bundle), p, &report, &r);
	assert_int_equal(e, report.errors ? ERR_SYNTAX : OK);
	if (!e)
		rules_unref(r);
	report_sort(&report);
	out[0] = 0;
	for (size_t i = 0; i < report.n; i++)
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%zu %s%s", n ? ", " : "",
		    report.list[i].line, report.list[i].code, report.list[i].warning ? "" : "!");
	report_done(&report);
	buf_done(&bundle);
	return out;
}

static const struct rules_policy policy = {.retention_days = 90,
    .k = 20,
    .today = 20780,
    .scrubs = scrubs,
    .drops = drops,
    .regions = REGIONS_NONE};

#define CATEGORIES "version: 1\ncategories:\n"
#define SEGMENTS "version: 1\ncategories: [{id: c, any: [{path: /c}]}]\nsegments:\n"
#define FINDS(text, what) assert_string_equal(found(&policy, text), what)

TEST(rules_in_which_all_is_well_give_no_finding)
{
	FINDS(CATEGORIES "  - {id: a, any: [{path: /a/*}, {title: winter coat}, {host: "
			 "shop.example}]}\nsegments:\n  - {id: s, when: a >= 2 in 90d}\n",
	    "");
}

TEST(without_a_policy_only_what_does_not_load_is_found)
{
	assert_string_equal(found(NULL, CATEGORIES "  - {id: a, any: [{path: /a/4711}]}\n"), "");
}

TEST(a_window_is_not_longer_than_what_is_kept)
{
	struct rules_policy p = policy;
	p.retention_days = 30;
	FINDS(SEGMENTS "  - {id: s, when: c in 90d}\n", "");
	assert_string_equal(found(&p, SEGMENTS "  - {id: s, when: c in 30d}\n"), "");
	assert_string_equal(found(&p, SEGMENTS "  - {id: s, when: c in 31d}\n"), "4 window!");
	assert_string_equal(
	    found(&p,
		"version: 1\ncategories: [{id: c, any: [{path: /c}]}, {id: d, any: [{path: /d}]}]\n"
		"journeys:\n  - {id: j, from: c, steps: d, within: 31d}\n"
		"  - {id: i, from: c, steps: d, within: 30d}\n"),
	    "4 window!");
}

TEST(conditions_that_nobody_meets_are_contradictions)
{
	FINDS(SEGMENTS "  - {id: s, when: c and not c}\n", "4 contradiction!");
	FINDS(SEGMENTS "  - {id: s, when: (c and not c) or device = mobile}\n",
	    "4 contradiction"); /* one way is left */
	FINDS(SEGMENTS "  - {id: s, when: c >= 0 and device = mobile}\n", "4 always");
}

TEST(what_the_wall_replaces_or_drops_is_found_in_no_event)
{
	FINDS(CATEGORIES "  - id: a\n    any:\n      - {path: /a/4711}\n      - {path: /b/*}\n",
	    "5 scrubbed!");
	FINDS(CATEGORIES "  - {id: a, any: [{path: \"/a/x%20y\"}]}\n", "3 never");
	FINDS(CATEGORIES "  - {id: a, any: [{path: \"/a;b\"}]}\n", "3 never");
	FINDS(CATEGORIES "  - {id: a, any: [{host: 4711.example}]}\n", "3 scrubbed!");
	FINDS(CATEGORIES "  - {id: a, any: [{attr.email: x}]}\n", "3 never");
	FINDS(SEGMENTS "  - {id: s, when: attr.email = x}\n", "4 never");
	FINDS(CATEGORIES "  - {id: a, any: [{region: DE-BY}]}\n", "3 no-regions");
	FINDS(SEGMENTS "  - {id: s, when: region = DE-BY}\n", "4 no-regions");
}

TEST(a_pattern_that_another_covers_is_said_where_it_stands)
{
	FINDS(CATEGORIES "  - id: a\n    any:\n      - {path: /a/x}\n      - {path: /a/*}\n",
	    "5 shadowed");
	FINDS(CATEGORIES "  - id: a\n    any:\n      - {path: /a/**}\n      - {path: /a/x/**}\n",
	    "6 shadowed");
	FINDS(CATEGORIES
	    "  - id: a\n    any:\n      - {title: winter coat}\n      - {title: coat}\n",
	    "5 shadowed"); /* fewer words match more */
	FINDS(CATEGORIES "  - id: a\n    any:\n      - {path: /a/*}\n      - {path: /a/x, title: "
			 "coat}\n      - {path: /b, title: coat}\n",
	    "6 shadowed");
	FINDS(CATEGORIES "  - {id: a, any: [{path: /a/**}, {path: /b/x/**}]}\n", "");
	FINDS(CATEGORIES "  - {id: a, any: [{path: [/a/x, /a/x]}]}\n", "3 shadowed");
	FINDS(CATEGORIES "  - id: a\n    any:\n      - {path: /a/x}\n      - {path: /a/x}\n",
	    "6 shadowed");
}

TEST(no_event_is_two_things_and_what_is_taken_away_whole_never_counts)
{
	FINDS(CATEGORIES "  - id: a\n    all:\n      - {path: /a}\n      - {path: /b}\n",
	    "6 contradiction!");
	FINDS(CATEGORIES "  - {id: a, all: [{path: /a}, {event: b}]}\n", "");
	FINDS(CATEGORIES "  - id: a\n    all:\n      - {path: /a*}\n      - {path: /*b}\n", "");
	FINDS(CATEGORIES
	    "  - id: a\n    any:\n      - {path: /a/x}\n    none:\n      - {path: /a/*}\n",
	    "5 never");
}

TEST(values_that_are_not_declared_are_mistakes)
{
	static const char *const rules =
	    "version: 1\nattributes: [{id: size, values: [small, large]}]\ncategories:\n"
	    "  - {id: a, any: [{attr.size: %s}]}\n";
	char text[300];
	snprintf(text, sizeof text, rules, "large");
	FINDS(text, "");
	snprintf(text, sizeof text, rules, "larg");
	FINDS(text, "4 vocabulary!");
	snprintf(text, sizeof text, rules, "\"x*\"");
	FINDS(text, "4 never");
	FINDS("version: 1\nattributes: [{id: size, values: [small]}]\ncategories:\n"
	      "  - {id: a, any: [{attr.sise: small}]}\n",
	    "4 undeclared");
}

TEST(a_segment_that_is_over_or_alerts_of_what_nobody_is_told_is_named)
{
	FINDS(SEGMENTS "  - {id: s, when: c, until: 2026-11-22}\n", "4 over");
	FINDS(SEGMENTS "  - {id: s, when: c, until: 2026-11-23}\n", "");
	FINDS(SEGMENTS "  - {id: s, when: c, alert: size < 20}\n", "4 alert");
	FINDS(SEGMENTS "  - {id: s, when: c, alert: size < 21}\n", "");
}

TEST(sensitive_audiences_go_only_where_the_operator_lets_them)
{
	static const char *const text =
	    "version: 1\ncategories: [{id: c, sensitive: true, any: [{path: /c}]}]\nsegments:\n"
	    "  - {id: s, when: c, destinations: [lake]}\n";
	struct rules_policy p = policy;
	FINDS(text, "4 sensitive!");
	p.sensitive_destinations = "other,lake";
	assert_string_equal(found(&p, text), "");
}

TEST(an_expression_that_does_not_compile_is_a_mistake)
{
	FINDS(CATEGORIES "  - {id: a, any: [{url: '/a(?=b)/'}]}\n", "3 regex!");
}

UNIT_TESTS(cmocka_unit_test(rules_in_which_all_is_well_give_no_finding),
    cmocka_unit_test(without_a_policy_only_what_does_not_load_is_found),
    cmocka_unit_test(a_window_is_not_longer_than_what_is_kept),
    cmocka_unit_test(conditions_that_nobody_meets_are_contradictions),
    cmocka_unit_test(what_the_wall_replaces_or_drops_is_found_in_no_event),
    cmocka_unit_test(a_pattern_that_another_covers_is_said_where_it_stands),
    cmocka_unit_test(no_event_is_two_things_and_what_is_taken_away_whole_never_counts),
    cmocka_unit_test(values_that_are_not_declared_are_mistakes),
    cmocka_unit_test(a_segment_that_is_over_or_alerts_of_what_nobody_is_told_is_named),
    cmocka_unit_test(sensitive_audiences_go_only_where_the_operator_lets_them),
    cmocka_unit_test(an_expression_that_does_not_compile_is_a_mistake))
