/* The steps of a publication, with a loader that takes rules or refuses them. */
#include "../folder.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/node/publish.h"
#include "crumb/node/published.h"

#include <jansson.h>
#include <unistd.h>

#define ONE "version: 1\nsegments:\n  - {id: a, when: visits}\n"
#define TWO "version: 1\nsegments:\n  - {id: a, when: visits >= 2}\n"

static struct config config;
static enum err says; /* the loader */
static unsigned reads;

static enum err reload(void *arg)
{
	(void)arg;
	reads++;
	return says ? err_set(says, "it says no") : OK;
}

static const char *text_of(const char *name)
{
	static char text[400];
	char path[200];
	snprintf(path, sizeof path, "%s/%s", config.rules_path, name);
	return file_read_text(path, text, sizeof text) == OK ? text : "(none)";
}

static void put(const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", config.rules_path, name);
	assert_int_equal(file_replace(path, str_c(text)), OK);
}

static int begin_shop(void **state)
{
	char option[200];
	make_folder(state);
	assert_int_equal(config_init(&config), OK);
	snprintf(option, sizeof option, "store.path=%s", folder);
	assert_int_equal(config_set(&config, option), OK);
	snprintf(option, sizeof option, "rules.path=%s/rules", folder);
	assert_int_equal(config_set(&config, option), OK);
	assert_int_equal(config_set(&config, "destinations.path=/none"), OK);
	assert_int_equal(mkdir(config.rules_path, 0700), 0);
	put("a.yaml", ONE);
	says = OK;
	reads = 0;
	return 0;
}

static int end_shop(void **state)
{
	config_done(&config);
	return drop_folder(state);
}
#define IN_SHOP(name) cmocka_unit_test_setup_teardown(name, begin_shop, end_shop)

static struct publishing anna(void)
{
	return (struct publishing){.config = &config,
	    .who = "anna",
	    .role = "marketer",
	    .why = STR("why"),
	    .reload = reload};
}

static void hash_now(char out[RULE_FILES_HASH])
{
	struct rule_files f;
	assert_int_equal(rule_files_read(config.rules_path, &f), OK);
	rule_files_hash(&f, out);
	rule_files_done(&f);
}

/* Publishes by the hash of now. `errors`, unless NULL: how many mistakes were told. */
static enum outcome publish(const char *name, const char *text, size_t *errors)
{
	struct publishing p = anna();
	struct published done;
	char hash[RULE_FILES_HASH];
	hash_now(hash);
	assert_int_equal(publish_file(&p, str_c(name), str_c(text), str_c(hash), &done), OK);
	if (errors)
		*errors = done.report.errors;
	enum outcome outcome = done.outcome;
	published_end(&done);
	return outcome;
}

static enum outcome undo(void)
{
	struct publishing p = anna();
	struct published done;
	assert_int_equal(publish_undo(&p, &done), OK);
	enum outcome outcome = done.outcome;
	published_end(&done);
	return outcome;
}

TEST(a_file_is_published_undone_and_redone)
{
	char was[RULE_FILES_HASH], is[RULE_FILES_HASH];
	hash_now(was);
	assert_int_equal(publish("a.yaml", TWO, NULL), PUBLISHED);
	assert_string_equal(text_of("a.yaml"), TWO);
	assert_int_equal(undo(), PUBLISHED);
	hash_now(is);
	assert_string_equal(is, was);
	assert_int_equal(undo(), PUBLISHED);
	assert_string_equal(text_of("a.yaml"), TWO);
	assert_int_equal(reads, 3);
	assert_int_equal(published_newest(folder), 3);
}

TEST(a_new_file_goes_when_it_is_undone_and_comes_again)
{
	assert_int_equal(publish("b.yaml", "version: 1\n", NULL), PUBLISHED);
	assert_int_equal(undo(), PUBLISHED);
	assert_string_equal(text_of("b.yaml"), "(none)");
	assert_int_equal(undo(), PUBLISHED);
	assert_string_equal(text_of("b.yaml"), "version: 1\n");
}

TEST(what_the_loader_refuses_was_never_there)
{
	says = ERR_SYNTAX;
	assert_int_equal(publish("a.yaml", TWO, NULL), PUBLISH_REFUSED);
	assert_string_equal(text_of("a.yaml"), ONE);
	assert_int_equal(published_newest(folder), 0);
	says = ERR_IO;
	struct publishing p = anna();
	struct published done;
	char hash[RULE_FILES_HASH];
	hash_now(hash);
	assert_int_equal(publish_file(&p, STR("a.yaml"), STR(TWO), str_c(hash), &done), ERR_IO);
	published_end(&done);
	assert_string_equal(text_of("a.yaml"), ONE);
	assert_int_equal(published_newest(folder), 0);
}

TEST(mistakes_are_found_before_anything_is_written)
{
	size_t errors = 0;
	assert_int_equal(
	    publish("a.yaml", "version: 1\nsegments:\n  - {id: a, when: x}\n  - {}\n", &errors),
	    PUBLISH_REFUSED);
	assert_int_equal(errors, 2);
	assert_int_equal(publish("../b.yaml", TWO, NULL), PUBLISH_REFUSED);
	assert_int_equal(publish("a.yaml", ONE, NULL), PUBLISH_NOTHING);
	assert_int_equal(undo(), PUBLISH_NOTHING);
	assert_int_equal(reads, 0);
	assert_string_equal(text_of("a.yaml"), ONE);
}

TEST(who_comes_later_hears_that_somebody_was_faster)
{
	struct publishing p = anna();
	struct published done;
	char hash[RULE_FILES_HASH];
	hash_now(hash);
	assert_int_equal(publish("a.yaml", TWO, NULL), PUBLISHED);
	assert_int_equal(publish_file(&p, STR("a.yaml"), STR(ONE), str_c(hash), &done), OK);
	assert_int_equal(done.outcome, PUBLISH_STALE);
	assert_true(done.patch.n > 0);
	published_end(&done);
	put("a.yaml", TWO "# by hand\n");
	assert_int_equal(undo(), PUBLISH_STALE);
	assert_string_equal(text_of("a.yaml"), TWO "# by hand\n");
}

TEST(a_server_that_is_not_to_publish_says_what_to_do)
{
	char why[500];
	assert_true(publish_editable(&config, why));
	assert_int_equal(config_set(&config, "rules.editable=no"), OK);
	assert_false(publish_editable(&config, why));
	assert_non_null(strstr(why, "rules.editable is no): take the patch"));
}

UNIT_TESTS(IN_SHOP(a_file_is_published_undone_and_redone),
    IN_SHOP(a_new_file_goes_when_it_is_undone_and_comes_again),
    IN_SHOP(what_the_loader_refuses_was_never_there),
    IN_SHOP(mistakes_are_found_before_anything_is_written),
    IN_SHOP(who_comes_later_hears_that_somebody_was_faster),
    IN_SHOP(a_server_that_is_not_to_publish_says_what_to_do))
