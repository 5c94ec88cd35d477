/* load/vocabulary: attributes are closed lists or ranges, and their names and hashes say what they
 * allow. */
#include "loaded.h"
#include "refused.h"

static void says(const char *attributes, const char *want)
{
	char text[1000];
	snprintf(text, sizeof text, "version: 1\nattributes:\n%s", attributes);
	assert_string_equal(findings(text), want);
}

static uint64_t hash_of(const char *attribute)
{
	char text[1000];
	snprintf(text, sizeof text, "version: 1\nattributes:\n  - %s\n", attribute);
	struct rules *r = load(text);
	assert_int_equal(r->vocabularies_n, 1);
	uint64_t h = r->vocabularies[0].hash;
	rules_unref(r);
	return h;
}

TEST(a_list_or_a_range_is_read)
{
	struct rules *r = load("version: 1\nattributes:\n  - {id: size, values: [m, l], labels: "
			       "[x]}\n  - {id: age, name: Age, range: 0..120}\n"
			       "  - {id: club, source: ads, segment: Gold members}\n");
	const struct vocabulary *size = rules_vocabulary(r, STR("size")),
				*age = rules_vocabulary(r, STR("age"));
	struct str v = STR("l");
	assert_true(size && rules_value(size, &v));
	v = STR("xl");
	assert_false(rules_value(size, &v));
	assert_string_equal(size->name, "size");
	assert_string_equal(age->name, "Age");
	v = STR("120");
	assert_true(rules_value(age, &v));
	v = STR("121");
	assert_false(rules_value(age, &v));
	const struct vocabulary *club = rules_partner_segment(r, STR("ads"), STR("Gold members"));
	assert_ptr_equal(club, rules_vocabulary(r, STR("club")));
	v = STR(VOCABULARY_MEMBER); /* it has one value, unless it says otherwise */
	assert_true(rules_value(club, &v));
	assert_null(rules_vocabulary(r, STR("height")));
	rules_unref(r);
}

TEST(what_cannot_be_an_attribute_is_told)
{
	says("  - {id: size}\n", "3:5 missing: attribute 'size' wants either values or a range ()");
	says("  - {id: size, values: [m], range: 0..1}\n",
	    "3:5 missing: attribute 'size' wants either values or a range ()");
	says("  - {values: [m]}\n", "3:5 missing: an attribute needs an id ()");
	says("  - {id: a-b, values: [m]}\n", "3:5 id: an attribute is named with letters, digits "
					     "and '_', not 'a-b' (pages send it as a.NAME)");
	says("  - {id: age, range: 5..1}\n",
	    "3:22 range: '5..1' is no range of numbers (write it as 0..120, 0.. or ..120)");
	says("  - {id: x, segment: Gold}\n",
	    "3:5 missing: attribute 'x' is a partner's segment, but of which partner? (say source: "
	    "and the partner's id)");
	says("  - {id: x, values: [m]}\n  - {id: x, values: [l]}\n",
	    "4:5 twice: attribute 'x' is declared twice: also at test.yaml:3 ()");
	says("  - {id: x, enum: [m]}\n",
	    "3:13 unknown-key: an attribute has no 'enum' (did you mean 'values'?)");
}

TEST(its_hash_is_of_what_it_allows)
{
	uint64_t h = hash_of("{id: size, values: [m, l]}");
	assert_true(h == hash_of("{id: size, values: [l, m], name: Size, labels: [x]}"));
	assert_true(h != hash_of("{id: size, values: [m, l, xl]}"));
	assert_true(h != hash_of("{id: sizes, values: [m, l]}"));
	assert_true(h != hash_of("{id: size, values: [m, l], source: ads}"));
	assert_true(hash_of("{id: age, range: 0..10}") != hash_of("{id: age, range: 0..11}"));
}

UNIT_TESTS(cmocka_unit_test(a_list_or_a_range_is_read),
    cmocka_unit_test(what_cannot_be_an_attribute_is_told),
    cmocka_unit_test(its_hash_is_of_what_it_allows))
