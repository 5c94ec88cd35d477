/* The file of tokens: names, hashes, damage, how many. */
#include "folder.h"

#include "crumb/admin/tokens.h"
#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/disk/checked.h"

#include <pthread.h>

static char made[TOKEN_TEXT];

static enum err add(const char *name, enum route_role role)
{
	return tokens_add(folder, str_c(name), role, 20000, made);
}

static struct tokens all(void)
{
	struct tokens t = {0};
	assert_int_equal(tokens_read(folder, &t), OK);
	return t;
}

TEST(a_token_is_found_by_its_hash_with_its_role)
{
	uint8_t hash[TOKEN_HASH];
	struct tokens t = all();
	assert_int_equal(t.n, 0);
	assert_int_equal(add("anna", ROLE_MARKETER), OK);
	token_hash(str_c(made), hash);
	assert_int_equal(add("bert", ROLE_VIEWER), OK);
	assert_int_equal(tokens_read(folder, &t), OK);
	assert_int_equal(t.n, 2);
	const struct token *found = tokens_find(&t, hash);
	assert_string_equal(found->name, "anna");
	assert_int_equal(found->role, ROLE_MARKETER);
	assert_int_equal(found->day, 20000);
	assert_string_equal(tokens_named(&t, STR("ANNA"))->name, "anna");
	hash[31] ^= 1;
	assert_null(tokens_find(&t, hash));
	tokens_done(&t);
	assert_int_equal(tokens_remove(folder, STR("anna")), OK);
	assert_int_equal(tokens_remove(folder, STR("anna")), ERR_NOT_FOUND);
	t = all();
	assert_int_equal(t.n, 1);
	tokens_done(&t);
}

TEST(a_name_is_one_word_and_nobody_elses)
{
	static const char *const wrong[] = {"", "two words", "-a", ".a", "operator", "Operator",
	    "a\n", "a\tb", "gr\xc3\xbcn", "a/b", "a\"b", "a,b"};
	char longest[WHO_MOST + 2];
	memset(longest, 'x', sizeof longest);
	longest[WHO_MOST + 1] = 0;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(add(wrong[i], ROLE_VIEWER), ERR_USAGE);
	assert_int_equal(add(longest, ROLE_VIEWER), ERR_USAGE);
	longest[WHO_MOST] = 0;
	assert_int_equal(add(longest, ROLE_VIEWER), OK);
	assert_int_equal(add("a.b_c@d-e", ROLE_VIEWER), OK);
	assert_int_equal(add("A.B_C@d-e", ROLE_OPERATOR), ERR_USAGE);
	assert_int_equal(
	    tokens_add("/nowhere/at/all", STR("a"), ROLE_VIEWER, 1, made), ERR_NOT_FOUND);
}

TEST(roles_are_words)
{
	enum route_role role = ROLE_VIEWER;
	for (int i = 0; i < ROLES; i++) {
		assert_true(role_read(str_c(role_name((enum route_role)i)), &role));
		assert_int_equal(role, i);
	}
	assert_false(role_read(STR(""), &role) || role_read(STR("Viewer"), &role) ||
		     role_read(STR("boss"), &role));
}

/* Every byte of the file, changed, and every place where it may be cut off. */
TEST(a_file_that_is_not_as_it_was_written_has_no_tokens)
{
	char path[4096];
	struct buf whole = {0};
	struct tokens t = {0};
	assert_int_equal(add("anna", ROLE_VIEWER), OK);
	tokens_path(folder, path);
	assert_int_equal(file_read(path, 10000, &whole), OK);
	for (size_t i = 0; i < whole.n; i++) {
		whole.p[i] ^= 1;
		assert_int_equal(file_replace(path, buf_view(&whole)), OK);
		assert_int_equal(tokens_read(folder, &t), ERR_CORRUPT);
		whole.p[i] ^= 1;
		assert_int_equal(file_replace(path, str_make(whole.p, i)), OK);
		assert_int_equal(tokens_read(folder, &t), ERR_CORRUPT);
	}
	assert_int_equal(add("bert", ROLE_VIEWER), ERR_CORRUPT);
	assert_int_equal(file_replace(path, buf_view(&whole)), OK);
	assert_int_equal(tokens_read(folder, &t), OK);
	assert_int_equal(t.n, 1);
	tokens_done(&t);
	buf_done(&whole);
}

/* The file as it is with n tokens: to add them one by one takes a flush of the disk each. */
static void write_tokens(int n)
{
	char path[4096], hash[2 * TOKEN_HASH];
	struct buf text = {0};
	memset(hash, 'a', sizeof hash);
	tokens_path(folder, path);
	buf_c(&text, "crumb tokens 1\n");
	for (int i = 0; i < n; i++)
		buf_addf(&text, "t%d viewer 2026-11-27 %.*s\n", i, (int)sizeof hash, hash);
	assert_int_equal(checked_write(path, &text), OK);
	buf_done(&text);
}

TEST(a_thousand_tokens_and_no_more)
{
	write_tokens(TOKENS_MOST);
	assert_int_equal(add("more", ROLE_VIEWER), ERR_FULL);
	assert_int_equal(tokens_remove(folder, STR("t500")), OK);
	assert_int_equal(add("more", ROLE_VIEWER), OK);
	struct tokens t = all();
	assert_int_equal(t.n, TOKENS_MOST);
	tokens_done(&t);
	write_tokens(TOKENS_MOST + 1);
	assert_int_equal(tokens_read(folder, &t), ERR_CORRUPT);
}

static void *add_some(void *arg)
{
	char name[20], text[TOKEN_TEXT];
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "%s%d", (const char *)arg, i);
		assert_int_equal(tokens_add(folder, str_c(name), ROLE_VIEWER, 20000, text), OK);
	}
	return NULL;
}

TEST(of_two_who_add_at_a_time_none_is_lost)
{
	pthread_t other;
	assert_int_equal(pthread_create(&other, NULL, add_some, (void *)(uintptr_t) "a"), 0);
	add_some((void *)(uintptr_t) "b");
	pthread_join(other, NULL);
	struct tokens t = all();
	assert_int_equal(t.n, 20);
	tokens_done(&t);
}

UNIT_TESTS(IN_FOLDER(a_token_is_found_by_its_hash_with_its_role),
    IN_FOLDER(a_name_is_one_word_and_nobody_elses), IN_FOLDER(roles_are_words),
    IN_FOLDER(a_file_that_is_not_as_it_was_written_has_no_tokens),
    IN_FOLDER(a_thousand_tokens_and_no_more), IN_FOLDER(of_two_who_add_at_a_time_none_is_lost))
