/* Questions about groups: rules preview, segments overlap, rules diff. */
#include "crumb/audience/adopt.h"
#include "crumb/audience/ask.h"
#include "crumb/audience/trial.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/export/answers.h"
#include "crumb/ingest/deploy.h"
#include "rules.h"

#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* --- questions: a running server answers, since its gate remembers what it told */

static int fail_with(struct cli *c, json_t *problems)
{
	const char *text = json_string_value(json_object_get(problems, "text"));
	if (!c->json && text)
		fputs(text, stderr);
	json_object_del(problems, "text");
	if (c->json)
		cli_print_json(problems);
	else
		json_decref(problems);
	return EXIT_WRONG;
}

static json_t *ask_server(struct cli *c, const char *path, struct str body, int *rc)
{
	struct reply r;
	json_t *j = client_json(c, path, &body, &r);
	*rc = !j ? EXIT_WRONG : r.status == 200 ? EXIT_FINE : fail_with(c, j);
	return *rc ? NULL : j;
}

/* Without a server: is a change of rules on its way into the views? Then today's numbers are still those of the old ones. */
static struct asker alone(struct cli *c)
{
	return (struct asker){c->generation, &c->gate, NULL, clock_now(), store_building(c->store) != 0};
}

static json_t *answered(struct cli *c, enum err e, json_t *j, int *rc)
{
	*rc = !e ? EXIT_FINE : e == ERR_SYNTAX && j ? fail_with(c, j) : cli_fail("%s", err_text());
	return e ? NULL : j;
}

/* --- rules preview */

static void print_preview(const struct cli *c, const json_t *j)
{
	const json_t *size = json_object_get(j, "size"), *visitors = json_object_get(j, "visitors");
	if (json_is_integer(size))
		printf("%lld visitors", (long long)json_integer_value(size));
	else
		printf("fewer than %u visitors", kgate_k(&c->gate));
	if (json_is_integer(visitors))
		printf(" of %lld", (long long)json_integer_value(visitors));
	printf(" (%.0f ms)%s\n", json_real_value(json_object_get(j, "ms")),
	    json_is_true(json_object_get(j, "pending")) ? "; changed rules are on their way: this is by the old ones" : "");
}

static int preview(struct cli *c, int argc, char **argv)
{
	const char *condition = cli_word(argc, argv);
	json_t *j = NULL;
	int rc = EXIT_WRONG;
	if (!condition || !cli_all_used(argc, argv))
		return cli_misuse("rules preview wants one condition, in quotes");
	if (client_available(c)) {
		j = ask_server(c, "/v1/ask/preview", str_c(condition), &rc);
	} else if (cli_open(c, false)) {
		struct asker a = alone(c);
		enum err e = answer_preview(&a, str_c(condition), &j);
		j = answered(c, e, j, &rc);
	}
	if (!j)
		return rc;
	if (c->json) {
		cli_print_json(j);
	} else {
		print_preview(c, j);
		json_decref(j);
	}
	return EXIT_FINE;
}

/* --- segments overlap */

static void print_size(const char *name, const json_t *n, uint32_t k)
{
	if (json_is_integer(n))
		printf("%10lld  %s\n", (long long)json_integer_value(n), name);
	else
		printf("     < %-3u  %s\n", k, name);
}

static int overlap(struct cli *c, int argc, char **argv)
{
	const char *a_id = cli_word(argc, argv), *b_id = cli_word(argc, argv);
	char body[400];
	json_t *j = NULL;
	int rc = EXIT_WRONG;
	if (!a_id || !b_id || !cli_all_used(argc, argv))
		return cli_misuse("segments overlap wants the ids of two segments");
	if (client_available(c)) {
		snprintf(body, sizeof body, "%s %s", a_id, b_id);
		j = ask_server(c, "/v1/ask/overlap", str_c(body), &rc);
	} else if (cli_open(c, false)) {
		struct asker a = alone(c);
		enum err e = answer_overlap(&a, str_c(a_id), str_c(b_id), &j);
		j = answered(c, e, j, &rc);
	}
	if (!j)
		return rc;
	if (c->json) {
		cli_print_json(j);
		return EXIT_FINE;
	}
	print_size(a_id, json_object_get(json_object_get(j, "a"), "size"), kgate_k(&c->gate));
	print_size(b_id, json_object_get(json_object_get(j, "b"), "size"), kgate_k(&c->gate));
	print_size("both", json_object_get(j, "both"), kgate_k(&c->gate));
	json_decref(j);
	return EXIT_FINE;
}

/* --- rules diff */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static void show_progress(double share)
{
	cli_progress("replaying the journal", (uint64_t)(share * 100), 100);
}

/* Rules of one side: a path, or what serves. */
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

/* Finds profiles that have what the rules ask for: the serving ones, or others made from the journal. */
static bool prepare(struct cli *c, struct rules *r, struct trial *trial, char folder[64], struct ask_side *side)
{
	side->rules = r;
	side->generation = c->generation;
	if (adopt_possible(c->generation->rules, r))
		return true;
	snprintf(folder, 64, "/tmp/crumb-diff.XXXXXX");
	if (!mkdtemp(folder)) {
		cli_fail("no temporary folder");
		return false;
	}
	enum err e = trial_open(c->store, &c->config, r, folder, clock_now(), show_progress, trial);
	cli_progress_end();
	if (e)
		cli_fail("%s", err_text());
	else
		side->generation = trial->generation;
	return e == OK;
}

static void clean_up(struct trial *trial, const char *folder)
{
	if (trial->generation)
		trial_close(trial);
	if (*folder)
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *change_of(bool was, bool will, bool same)
{
	return !was ? "added" : !will ? "removed" : same ? "same" : "changed";
}

static json_t *category_changes(const struct rules *old, const struct rules *fresh)
{
	json_t *list = json_array();
	for (size_t i = 1; i < fresh->categories_n; i++) {
		const struct category *c = &fresh->categories[i];
		int was = rules_category(old, str_c(c->id));
		bool same = was >= 0 && memcmp(&old->categories[was].definition, &c->definition, sizeof c->definition) == 0;
		if (!same)
			json_array_append_new(list, json_pack("{s:s,s:s}", "id", c->id, "change", change_of(was >= 0, true, false)));
	}
	for (size_t i = 1; i < old->categories_n; i++)
		if (rules_category(fresh, str_c(old->categories[i].id)) < 0)
			json_array_append_new(list, json_pack("{s:s,s:s}", "id", old->categories[i].id, "change", "removed"));
	return list;
}

static json_t *move_json(const struct rules *old, const struct rules *fresh, const struct move *m)
{
	const struct segment *a = m->was >= 0 ? &old->segments[m->was] : NULL, *b = m->will >= 0 ? &fresh->segments[m->will] : NULL;
	json_t *j = json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "id", m->id, "change", change_of(a, b, m->same), "before", cli_shown(m->before),
	    "after", cli_shown(m->after), "enter", cli_shown(m->enter), "stay", cli_shown(m->stay), "leave", cli_shown(m->leave));
	if (a && b && strcmp(a->when, b->when) != 0) {
		json_object_set_new(j, "from", json_string(a->when));
		json_object_set_new(j, "to", json_string(b->when));
	} else if (!a || !b) {
		json_object_set_new(j, "when", json_string(a ? a->when : b->when));
	}
	return j;
}

static const char *number(const json_t *row, const char *key, char out[32], uint32_t k)
{
	const json_t *n = json_object_get(row, key);
	if (json_is_integer(n))
		snprintf(out, 32, "%lld", (long long)json_integer_value(n));
	else
		snprintf(out, 32, "fewer than %u", k);
	return out;
}

static void print_diff(const json_t *root, uint32_t k)
{
	size_t i, same = 0;
	json_t *row;
	char a[32], b[32], d[32];
	json_array_foreach(json_object_get(root, "categories"), i, row)
	    printf("category %s is %s\n", json_string_value(json_object_get(row, "id")), json_string_value(json_object_get(row, "change")));
	json_array_foreach(json_object_get(root, "segments"), i, row)
	{
		const char *change = json_string_value(json_object_get(row, "change"));
		if (strcmp(change, "same") == 0) {
			same++;
			continue;
		}
		printf("segment %s is %s\n", json_string_value(json_object_get(row, "id")), change);
		if (json_object_get(row, "from"))
			printf("    from  %s\n    to    %s\n", json_string_value(json_object_get(row, "from")),
			    json_string_value(json_object_get(row, "to")));
		else if (json_object_get(row, "when"))
			printf("    when  %s\n", json_string_value(json_object_get(row, "when")));
		else
			puts("    its condition reads as before, but something that it refers to has changed");
		printf("    enter %s, stay %s, leave %s\n", number(row, "enter", a, k), number(row, "stay", b, k), number(row, "leave", d, k));
	}
	printf("%zu segments stay as they are\n", same);
}

static int diff(struct cli *c, int argc, char **argv)
{
	const char *first = cli_word(argc, argv), *second = cli_word(argc, argv);
	struct rules *old = NULL, *fresh = NULL;
	struct trial trials[2] = {{.generation = NULL}, {.generation = NULL}};
	char folders[2][64] = {"", ""};
	struct ask_side before, after;
	struct move *moves;
	size_t n;
	int rc = EXIT_WRONG;
	if (!first || !cli_all_used(argc, argv))
		return cli_misuse("rules diff wants OLD and NEW: folders or files of rules; one alone is compared with what serves");
	if (!cli_open(c, true))
		return EXIT_WRONG;
	old = load_side(c, second ? first : NULL);
	fresh = old ? load_side(c, second ? second : first) : NULL;
	if (!old || !fresh || !prepare(c, old, &trials[0], folders[0], &before) || !prepare(c, fresh, &trials[1], folders[1], &after))
		goto out;
	if (ask_diff(&before, &after, &c->gate, clock_now(), &moves, &n) != OK) {
		cli_fail("%s", err_text());
		goto out;
	}
	json_t *segments = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(segments, move_json(old, fresh, &moves[i]));
	free(moves);
	json_t *root = json_pack("{s:o,s:o,s:b}", "categories", category_changes(old, fresh), "segments", segments, "from_journal",
	    trials[0].generation || trials[1].generation);
	if (c->json) {
		cli_print_json(root);
	} else {
		print_diff(root, kgate_k(&c->gate));
		json_decref(root);
	}
	rc = EXIT_FINE;
out:
	clean_up(&trials[0], folders[0]);
	clean_up(&trials[1], folders[1]);
	rules_unref(old);
	rules_unref(fresh);
	return rc;
}

const struct command commands_ask[] = {
    {"rules preview", "'CONDITION' [--json]", "how many visitors a condition would reach now",
	"  Evaluates the condition over every profile, exactly, by the serving rules: {\"size\",\"visitors\",\"ms\",\"pending\"}. Sizes below\n"
	"  privacy.k are withheld, others rounded to ten. A group that differs from a defined segment, or from what was asked\n"
	"  within a day, by fewer than privacy.k visitors is told as that one's number. A running server answers, and remembers.",
	preview},
    {"segments overlap", "A B [--json]", "how many visitors are in both of two segments",
	"  {\"a\":{\"id\",\"size\"},\"b\":{…},\"both\"}. Withheld and rounded like every number about a group.", overlap},
    {"rules diff", "[OLD] NEW [--json]", "what a change of rules would do, before it is deployed",
	"  OLD and NEW are folders or files of rules; OLD may be left out, or 'serving', for what serves now. Says which categories\n"
	"  and segments are added, removed or changed, and for each segment how many visitors enter, stay and leave on live data.\n"
	"  Where categories change, the journal is replayed into a temporary folder, which takes as long as a backfill.",
	diff},
    {0},
};
