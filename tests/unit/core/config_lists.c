/* Lists of the configuration in the forms that hits look at. */
#include "unit.h"

#include "crumb/core/config.h"

static struct config c;

static void set(const char *assignment)
{
	assert_int_equal(config_set(&c, assignment), OK);
}

static int begin(void **state)
{
	(void)state;
	return config_init(&c) != OK;
}

static int end(void **state)
{
	(void)state;
	config_done(&c);
	return 0;
}

TEST(words_stand_between_commas)
{
	const struct word_list *l = &c.lists.keep_query;
	(void)state;
	assert_int_equal(l->n, 0);
	set("privacy.keep_query= q , ,utm_source,");
	assert_int_equal(l->n, 2);
	assert_true(word_list_has(l, STR("q")) && word_list_has(l, STR("UTM_Source")));
	assert_false(word_list_has(l, STR("")) || word_list_has(l, STR("utm")) ||
		     word_list_has(l, STR("q ")));
	set("privacy.keep_query=");
	assert_int_equal(l->n, 0);
	set("segment.consent=C0002, advertising: C0004 ,storage:,a:b:c");
	assert_int_equal(c.lists.segment_consent.n, 3);
	assert_true(word_list_has(&c.lists.segment_consent, STR("c0004")) &&
		    word_list_has(&c.lists.segment_consent, STR("b:c")));
}

TEST(places_are_countries_their_parts_and_the_eea)
{
	const struct place_list *l = &c.lists.consent_require;
	const struct str none = STR("");
	(void)state;
	assert_false(place_list_has(l, STR("DE"), none));
	set("consent.require=eea, br, us-CA");
	assert_true(place_list_has(l, STR("DE"), none) && place_list_has(l, STR("is"), STR("1")) &&
		    place_list_has(l, STR("BR"), none));
	assert_true(place_list_has(l, STR("US"), STR("ca")) && place_list_has(l, STR("US"), none));
	assert_false(place_list_has(l, STR("US"), STR("NY")) ||
		     place_list_has(l, STR("CH"), none) || place_list_has(l, STR("GB"), none));
	assert_false(place_list_has(l, STR("A1"), none) || place_list_has(l, STR("DEU"), none));
	set("consent.require=CH");
	assert_true(place_list_has(l, STR("CH"), none));
	assert_false(place_list_has(l, STR("DE"), none) || place_list_has(l, STR("US"), STR("CA")));
}

TEST(purposes_are_a_set_with_the_first_in_it)
{
	(void)state;
	assert_int_equal(c.lists.tcf_purposes, 1 << 0 | 1 << 2 | 1 << 3);
	set("consent.tcf.purposes=");
	assert_int_equal(c.lists.tcf_purposes, 1);
	set("consent.tcf.purposes= 24 ,2");
	assert_int_equal(c.lists.tcf_purposes, 1 << 0 | 1 << 1 | 1 << 23);
	set("consent.tcf.purposes=3,none");
	assert_int_equal(c.lists.tcf_purposes, (1 << 24) - 1);
}

TEST(keys_are_compared_whole)
{
	const struct key_list *l = &c.lists.segment_keys;
	(void)state;
	assert_false(key_list_has(l, STR("")) || key_list_has(l, STR("a")));
	set("segment.write_keys=one, Two ,");
	assert_int_equal(l->n, 2);
	assert_true(key_list_has(l, STR("one")) && key_list_has(l, STR("Two")));
	assert_false(key_list_has(l, STR("two")) || key_list_has(l, STR("on")) ||
		     key_list_has(l, STR("")) || key_list_has(l, STR("one, Two ,")));
}

TEST(what_is_taken_from_another_configuration_is_read_too)
{
	struct config fresh;
	(void)state;
	assert_int_equal(config_init(&fresh), OK);
	assert_int_equal(config_set(&fresh, "privacy.attributes=color"), OK);
	for (size_t i = 0; i < config_options_n; i++)
		assert_int_equal(config_take(&c, &fresh, &config_options[i]), OK);
	config_done(&fresh);
	assert_true(c.lists.attributes.n == 1 && word_list_has(&c.lists.attributes, STR("Color")));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
UNIT_TESTS(EACH(words_stand_between_commas), EACH(places_are_countries_their_parts_and_the_eea),
    EACH(purposes_are_a_set_with_the_first_in_it), EACH(keys_are_compared_whole),
    EACH(what_is_taken_from_another_configuration_is_read_too))
