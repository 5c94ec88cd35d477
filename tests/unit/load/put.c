/* load/put: one set of files in the place of another, whole or not at all. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/load/load.h"
#include "crumb/load/put.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static void put(const char *name, const char *text)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(file_replace(path, str_c(text)), OK);
}

static const char *text_of(const char *name)
{
	static char text[400];
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return file_read_text(path, text, sizeof text) == OK ? text : "(none)";
}

static const struct str none = {NULL, 0};

/* What the server says when it is asked to read the files; `seen` is a file as it was then. */
static enum err says;
static char seen[400];
static enum err reload(void *arg)
{
	snprintf(seen, sizeof seen, "%s", text_of(arg));
	return says ? err_set(says, "refused: says who") : OK;
}

static enum err take(const char *name, struct str text, enum rule_files_keep keep)
{
	struct rule_files now, wish;
	bool changed = true;
	int lock;
	assert_int_equal(rule_files_read(folder, &now), OK);
	assert_int_equal(rule_files_with(&now, str_c(name), text, &wish), OK);
	assert_int_equal(rule_files_lock(folder, RULE_FILES_WAIT_S, &lock), OK);
	enum err e =
	    rule_files_take(folder, &now, &wish, keep, reload, (char *)(uintptr_t)name, &changed);
	rule_files_unlock(lock);
	assert_false(changed);
	rule_files_done(&now);
	rule_files_done(&wish);
	return e;
}

TEST(a_file_is_replaced_added_and_taken_away)
{
	says = OK;
	put("a.yaml", "one");
	assert_int_equal(take("a.yaml", STR("two"), RULE_FILES_BEFORE), OK);
	assert_string_equal(text_of("a.yaml"), "two");
	assert_string_equal(text_of("a.yaml.before"), "one");
	assert_string_equal(seen, "two");
	assert_int_equal(take("b.yml", STR(""), RULE_FILES_NOTHING), OK);
	assert_string_equal(text_of("b.yml"), "");
	assert_int_equal(take("a.yaml", none, RULE_FILES_NOTHING), OK);
	assert_string_equal(text_of("a.yaml"), "(none)");
	assert_string_equal(text_of("b.yml"), "");
}

TEST(what_is_refused_is_put_back)
{
	says = ERR_SYNTAX;
	put("a.yaml", "one");
	assert_int_equal(take("a.yaml", STR("two"), RULE_FILES_NOTHING), ERR_SYNTAX);
	assert_string_equal(err_text(), "refused: says who");
	assert_string_equal(seen, "two");
	assert_string_equal(text_of("a.yaml"), "one");
	assert_int_equal(take("b.yaml", STR("two"), RULE_FILES_NOTHING), ERR_SYNTAX);
	assert_string_equal(text_of("b.yaml"), "(none)");
	assert_int_equal(take("a.yaml", none, RULE_FILES_NOTHING), ERR_SYNTAX);
	assert_string_equal(text_of("a.yaml"), "one");
}

TEST(a_file_keeps_its_mode_and_a_link_stays_a_link)
{
	char path[160], to[160];
	struct stat st;
	says = OK;
	put("target", "one");
	snprintf(to, sizeof to, "%s/target", folder);
	snprintf(path, sizeof path, "%s/a.yaml", folder);
	assert_int_equal(chmod(to, 0640), 0);
	assert_int_equal(symlink("target", path), 0);
	assert_int_equal(take("a.yaml", STR("two"), RULE_FILES_NOTHING), OK);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_string_equal(text_of("target"), "two");
}

TEST(the_hash_is_of_names_and_texts)
{
	struct rule_files a, b, c;
	char ha[RULE_FILES_HASH], hb[RULE_FILES_HASH];
	put("a.yaml", "one");
	put("c.yaml", "three");
	assert_int_equal(rule_files_read(folder, &a), OK);
	assert_int_equal(rule_files_with(&a, STR("b.yaml"), STR("two"), &b), OK);
	put("b.yaml", "two");
	assert_int_equal(rule_files_read(folder, &c), OK);
	rule_files_hash(&a, ha);
	rule_files_hash(&b, hb);
	assert_string_not_equal(ha, hb);
	rule_files_hash(&c, ha);
	assert_string_equal(ha, hb);
	assert_string_equal(b.list[1].name, "b.yaml");
	rule_files_done(&a), rule_files_done(&b), rule_files_done(&c);
}

TEST(names_are_those_of_files_in_the_folder_that_are_read)
{
	static const char *const wrong[] = {"", "../x.yaml", "/etc/x.yaml", "a/b.yaml", ".yaml",
	    ".hidden.yaml", "x", "x.json", "x.yaml.before", "model:x.yaml", "a\nb.yaml",
	    "a\x7f.yaml", "\xff.yaml", "x.yaml "};
	static const char *const right[] = {"a.yaml", "a.YML", "x y.yaml", "\xe5\xa4\x96.yaml"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(rule_file_name(str_c(wrong[i])), ERR_USAGE);
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		assert_int_equal(rule_file_name(str_c(right[i])), OK);
	assert_int_equal(rule_file_name(STR("a.yaml\0.yaml")), ERR_USAGE);
}

TEST(a_folder_that_is_not_there_cannot_be_written_to)
{
	char path[160];
	assert_int_equal(rule_files_writable(folder), OK);
	put("a.yaml", "");
	snprintf(path, sizeof path, "%s/a.yaml", folder);
	assert_int_equal(rule_files_writable(path), OK);
	assert_int_equal(rule_files_writable("/proc/self"), ERR_IO);
	assert_non_null(strstr(err_text(), "cannot be written to"));
}

TEST(a_set_has_the_files_and_the_models)
{
	struct rule_files f;
	struct buf bundle = {0}, read = {0};
	put("a.yaml", "one");
	put("like.json", "{}");
	assert_int_equal(rule_files_read(folder, &f), OK);
	assert_int_equal(rule_files_bundle(&f, folder, &bundle), OK);
	assert_int_equal(rules_read(folder, folder, &read), OK);
	assert_true(str_eq(buf_view(&bundle), buf_view(&read)));
	buf_done(&bundle), buf_done(&read);
	rule_files_done(&f);
}

UNIT_TESTS(IN_FOLDER(a_file_is_replaced_added_and_taken_away),
    IN_FOLDER(what_is_refused_is_put_back),
    IN_FOLDER(a_file_keeps_its_mode_and_a_link_stays_a_link),
    IN_FOLDER(the_hash_is_of_names_and_texts),
    cmocka_unit_test(names_are_those_of_files_in_the_folder_that_are_read),
    IN_FOLDER(a_folder_that_is_not_there_cannot_be_written_to),
    IN_FOLDER(a_set_has_the_files_and_the_models))
