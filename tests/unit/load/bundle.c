/* load/bundle: files of rules as one bundle, and what lies beside them unread. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/base/mp.h"
#include "crumb/load/load.h"

static void put(const char *name, const char *text)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(file_replace(path, str_c(text)), OK);
}

static void make(const char *name)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* The names in a bundle, in order. */
static const char *names(const struct buf *bundle)
{
	static char text[500];
	size_t n = 0;
	struct mp m = mp_over(buf_view(bundle));
	text[0] = 0;
	for (uint32_t left = mp_array(&m); left >= 2; left -= 2) {
		struct str name = mp_str(&m);
		(void)mp_str(&m);
		n += (size_t)snprintf(
		    text + n, sizeof text - n, "%s" STR_FMT, n ? " " : "", STR_ARG(name));
	}
	assert_false(m.bad);
	return text;
}

TEST(files_are_in_order_of_their_names_and_no_others)
{
	struct buf b = {0};
	put("b.yaml", "two");
	put("a.YML", "one");
	put("c.txt", "no rules");
	put(".hidden.yaml", "no rules");
	put("notes.yaml.bak", "no rules");
	assert_int_equal(rules_read(folder, NULL, &b), OK);
	assert_string_equal(names(&b), "a.YML b.yaml");
	assert_true(str_eq(rules_file(buf_view(&b), STR("b.yaml")), STR("two")));
	assert_int_equal(rules_file(buf_view(&b), STR("c.txt")).n, 0);
	buf_done(&b);
}

TEST(the_same_files_make_the_same_bytes_whatever_their_folder)
{
	struct buf one = {0}, two = {0};
	char path[100];
	make("x");
	make("y");
	put("x/a.yaml", "text");
	put("y/a.yaml", "text");
	snprintf(path, sizeof path, "%s/x", folder);
	assert_int_equal(rules_read(path, NULL, &one), OK);
	snprintf(path, sizeof path, "%s/y", folder);
	assert_int_equal(rules_read(path, NULL, &two), OK);
	assert_true(str_eq(buf_view(&one), buf_view(&two)));
	buf_done(&one);
	buf_done(&two);
}

TEST(one_file_is_a_bundle_and_models_follow_the_rules)
{
	struct buf b = {0};
	char path[100], models[100];
	put("rules.conf", "whatever it is called");
	make("models");
	put("models/twins.json", "{}");
	put("models/notes.txt", "no model");
	snprintf(path, sizeof path, "%s/rules.conf", folder);
	snprintf(models, sizeof models, "%s/models", folder);
	assert_int_equal(rules_read(path, models, &b), OK);
	assert_non_null(strstr(names(&b), "rules.conf model:twins"));
	assert_null(strstr(names(&b), "notes"));
	buf_clear(&b);
	assert_int_equal(rules_read(path, "/nowhere/at/all", &b), OK); /* no models are none */
	assert_string_equal(names(&b), "rules.conf");
	buf_clear(&b);
	assert_int_not_equal(rules_read("/nowhere/at/all", NULL, &b), OK);
	buf_done(&b);
}

TEST(rules_that_nobody_reads_are_warned_of)
{
	struct report r = {0};
	rules_left_out(folder, &r);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.list[0].code, "no-rules");
	assert_true(r.list[0].warning && r.errors == 0);
	report_done(&r);
	put("a.yaml", "rules");
	make("empty");
	make("old");
	make("old/deeper");
	put("old/deeper/b.yml", "rules");
	make(".git");
	put(".git/c.yaml", "rules");
	rules_left_out(folder, &r);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.list[0].message, "rules in the sub-folder 'old' are not read");
	report_done(&r);
}

UNIT_TESTS(IN_FOLDER(files_are_in_order_of_their_names_and_no_others),
    IN_FOLDER(the_same_files_make_the_same_bytes_whatever_their_folder),
    IN_FOLDER(one_file_is_a_bundle_and_models_follow_the_rules),
    IN_FOLDER(rules_that_nobody_reads_are_warned_of))
