/* Questions about groups that no rule defines: rules preview, segments overlap.
 *
 * A running server answers where there is one, since its gate remembers the questions of a day
 * (ask/ask.h). Without a server there is no memory of questions; whoever can read the store's keys
 * can read its profiles, too. */
#include "crumb/ask/ask.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/answers/answers.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

/* --- both questions */

/* The condition has mistakes: shows them with carets, or as JSON. Takes the reference. */
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
	*rc = EXIT_WRONG;
	if (j)
		*rc = r.status == 200 ? EXIT_FINE : fail_with(c, j);
	return *rc ? NULL : j;
}

/* Who asks, without a server. When views of changed rules are being made, the numbers are still by
 * the old rules; store_building() tells. */
static struct asker alone(struct cli *c)
{
	return (struct asker){
	    c->generation, &c->gate, NULL, clock_now(), store_building(c->store) != 0};
}

static json_t *answered(struct cli *c, enum err e, json_t *j, int *rc)
{
	*rc = EXIT_FINE;
	if (e == ERR_SYNTAX && j)
		*rc = fail_with(c, j);
	else if (e)
		*rc = cli_fail("%s", err_text());
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
	printf(" (%.0f ms)", json_real_value(json_object_get(j, "ms")));
	if (json_is_true(json_object_get(j, "pending")))
		printf("; changed rules are on their way: this is by the old rules");
	putchar('\n');
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
	} else if (cli_open(c)) {
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

/* A row for each segment, and one for the visitors in both, with their share of each. */
static void print_overlap(struct cli *c, const char *a, const char *b, const json_t *j)
{
	char of_a[300], of_b[300];
	const char *const heads[] = {"> visitors", of_a, of_b, "who", NULL};
	struct table t;
	uint32_t k = kgate_k(&c->gate);
	snprintf(of_a, sizeof of_a, "> of %s", a);
	snprintf(of_b, sizeof of_b, "> of %s", b);
	table_begin(&t, heads);
	table_number(&t, json_object_get(json_object_get(j, "a"), "size"), k);
	table_text(&t, NULL);
	table_text(&t, NULL);
	table_cell(&t, "in %s", a);
	table_number(&t, json_object_get(json_object_get(j, "b"), "size"), k);
	table_text(&t, NULL);
	table_text(&t, NULL);
	table_cell(&t, "in %s", b);
	table_number(&t, json_object_get(j, "both"), k);
	table_share(&t, json_object_get(j, "of_a"));
	table_share(&t, json_object_get(j, "of_b"));
	table_text(&t, "in both");
	table_print(&t);
	table_end(&t);
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
	} else if (cli_open(c)) {
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
	print_overlap(c, a_id, b_id, j);
	json_decref(j);
	return EXIT_FINE;
}

const struct command commands_ask[] = {
    {.name = "rules preview",
	.args = "'CONDITION' [--json]",
	.summary = "how many visitors a condition would reach now",
	.help = "Evaluates the condition over every profile, exactly, by the serving rules: "
		"{\"size\",\"visitors\",\"ms\",\"pending\"}. Sizes below privacy.k are withheld, "
		"and the others are rounded to ten. A group that differs by fewer than privacy.k "
		"visitors from a defined segment, or from a group that was asked about within a "
		"day, is told with the number of that group. A running server answers, and "
		"remembers the question.",
	.run = preview},
    {.name = "segments overlap",
	.args = "A B [--json]",
	.summary = "how many visitors are in both of two segments",
	.help = "{\"a\":{\"id\",\"size\"},\"b\":{…},\"both\",\"of_a\",\"of_b\"}. Shares are of "
		"1, and of the numbers as they are told. Like every number about a group they "
		"are withheld below privacy.k and rounded to ten.",
	.run = overlap},
    {0},
};
