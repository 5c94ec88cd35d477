/* rules diff: what a change of rules would do, and to whom. How it is found out stands in
 * answers/comparison.h; here are the two sides that were named, and the words for people. */
#include "crumb/answers/comparison.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/deploy.h"
#include "findings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the two sides */

static void show_progress(void *arg, double share)
{
	(void)arg;
	cli_progress("replaying the journal", (uint64_t)(share * 100), 100);
}

/* Rules of one side: those of a path, or those that serve. NULL: it was said why. */
static struct rules *load_side(struct cli *c, const char *path)
{
	struct rules *r = NULL;
	struct report report = {0};
	if (!path || strcmp(path, "serving") == 0)
		return rules_ref(c->generation->rules);
	if (deploy_rules(&c->config, path, &report, &r) != OK)
		cli_fail("%s: %s", path, err_text());
	report_done(&report);
	return r;
}

json_t *diff_json(struct cli *c, const char *old, const char *fresh)
{
	const char *where = getenv("TMPDIR");
	json_t *j = NULL;
	if (!cli_open_journal(c))
		return NULL;
	struct comparing how = {.store = c->store,
	    .config = &c->config,
	    .serving = c->generation,
	    .gate = &c->gate,
	    .now = clock_now(),
	    .folder = where && *where ? where : "/tmp",
	    .watch = {.progress = show_progress}};
	struct rules *before = load_side(c, old), *after = before ? load_side(c, fresh) : NULL;
	enum err e = after ? changes_json(&how, before, after, &j) : OK;
	cli_progress_end();
	if (e)
		cli_fail("%s", err_text());
	rules_unref(before);
	rules_unref(after);
	return j;
}

/* --- for people */

static const char *text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s ? s : "none";
}

static const char *number_text(const json_t *row, const char *key, char out[32], uint32_t k)
{
	const json_t *n = json_object_get(row, key);
	if (json_is_integer(n))
		snprintf(out, 32, "%lld", (long long)json_integer_value(n));
	else
		snprintf(out, 32, "fewer than %u", k);
	return out;
}

static void print_names(const json_t *list, const char *what)
{
	size_t i;
	json_t *row;
	json_array_foreach(list, i, row)
	{
		if (json_object_get(row, "was"))
			printf("%s %s is now called %s\n", what, text(row, "was"), text(row, "id"));
		else
			printf("%s %s is %s\n", what, text(row, "id"), text(row, "change"));
	}
}

/* The condition before and after, and how many visitors that moves. Into a segment that is added
 * visitors only enter, out of one that is removed they only leave. */
static void print_move(const json_t *row, uint32_t k)
{
	char a[32], b[32], d[32];
	const char *change = text(row, "change");
	const json_t *like = json_object_get(row, "lookalike");
	if (like && !json_is_true(json_object_get(like, "trained"))) {
		printf("    like  %s; nobody is in it before 'crumb lookalike train %s', or the "
		       "next night\n",
		    text(like, "seed"), text(row, "id"));
		return;
	}
	if (json_object_get(row, "from"))
		printf("    from  %s\n    to    %s\n", text(row, "from"), text(row, "to"));
	else if (json_object_get(row, "when"))
		printf("    when  %s\n", text(row, "when"));
	else
		puts("    its condition reads as before, but something that it refers to has "
		     "changed");
	if (strcmp(change, "added") == 0)
		printf("    enter %s\n", number_text(row, "enter", a, k));
	else if (strcmp(change, "removed") == 0)
		printf("    leave %s\n", number_text(row, "leave", d, k));
	else
		printf("    enter %s, stay %s, leave %s\n", number_text(row, "enter", a, k),
		    number_text(row, "stay", b, k), number_text(row, "leave", d, k));
}

static void print_segment(const json_t *row, uint32_t k)
{
	const char *change = text(row, "change"), *id = text(row, "id");
	size_t i;
	json_t *one;
	if (strcmp(change, "renamed") == 0)
		printf("segment %s is now called %s: the same visitors; pages, exports and "
		       "partners know it by the new name\n",
		    text(row, "was"), id);
	else if (strcmp(change, "same") == 0)
		printf("segment %s: the same visitors\n", id);
	else
		printf("segment %s is %s\n", id, change);
	if (strcmp(change, "renamed") != 0 && strcmp(change, "same") != 0)
		print_move(row, k);
	json_array_foreach(json_object_get(row, "settings"), i, one)
	    printf("    %s: %s \u2192 %s\n", text(one, "what"), text(one, "from"), text(one, "to"));
}

static bool is_same(const json_t *row)
{
	return strcmp(text(row, "change"), "same") == 0 &&
	       json_array_size(json_object_get(row, "settings")) == 0;
}

void diff_print(const json_t *root, uint32_t k)
{
	size_t i, same = 0;
	json_t *row;
	print_names(json_object_get(root, "attributes"), "attribute");
	print_names(json_object_get(root, "categories"), "category");
	json_array_foreach(json_object_get(root, "segments"), i, row)
	{
		same += is_same(row);
		if (!is_same(row))
			print_segment(row, k);
	}
	print_names(json_object_get(root, "journeys"), "journey");
	printf("%zu %s\n", same,
	    cli_plural(same, "segment stays as it is", "segments stay as they are"));
}

static int diff(struct cli *c, int argc, char **argv)
{
	const char *first = cli_word(argc, argv), *second = cli_word(argc, argv);
	if (!first || !cli_all_used(argc, argv))
		return cli_misuse("rules diff wants OLD and NEW: folders or files of rules; one "
				  "alone is compared with what serves");
	json_t *root = second ? diff_json(c, first, second) : diff_json(c, NULL, first);
	if (!root)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(root);
	} else {
		diff_print(root, kgate_k(&c->gate));
		json_decref(root);
	}
	return EXIT_FINE;
}

const struct command commands_diff[] = {
    {.name = "rules diff",
	.args = "[OLD] NEW [--json]",
	.summary = "what a change of rules would do, before it is deployed",
	.help = "OLD and NEW are folders or files of rules. OLD may be left out, or be "
		"'serving', for the rules that serve now. Says which attributes, categories, "
		"journeys and "
		"segments are added, removed, changed or renamed. For each segment it says how "
		"many visitors would enter, stay and leave, on live data. A category is changed "
		"when its own patterns are: its children are told under their own names.\n\n"
		"Changes beside the condition (destinations, owner, alert and the like) are "
		"told, too; in JSON as \"settings\":[{\"what\",\"from\",\"to\"}]. Where "
		"categories change, the journal is replayed into a temporary folder, which takes "
		"as long as a backfill.",
	.run = diff},
    {0},
};
