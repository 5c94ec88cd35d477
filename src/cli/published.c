/* rules history, rules undo: what was published, and the way back.
 *
 * A server is asked where one runs, since it has to take the rules. Without one the files are
 * changed all the same (node/publish.h), with the same checks and under the same lock; crumbd reads
 * them when it starts. */
#include "crumb/node/publish.h"

#include "crumb/cli/cli.h"
#include "crumb/node/published.h"
#include "findings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WHY_MOST 100 /* bytes that fit into an address, however they are written there */

static const char *word(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s ? s : "";
}

/* --- history */

/* "2026-11-27 09:30" */
static void print_time(const json_t *row)
{
	time_t t = (time_t)json_integer_value(json_object_get(row, "t"));
	struct tm tm;
	char text[32] = "";
	if (gmtime_r(&t, &tm))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	printf("%5lld  %s UTC  ", (long long)json_integer_value(json_object_get(row, "n")), text);
}

/* A number of visitors; a dash, as in all tables: it is withheld, or nobody has looked since the
 * rules serve. */
static void print_size(const json_t *row, const char *key)
{
	const json_t *n = json_object_get(row, key);
	if (json_is_integer(n))
		printf("%lld", (long long)json_integer_value(n));
	else
		printf("–");
}

/* A line for each publication, and below it one for each segment that it changed:
 *
 *         2  2026-11-27 09:30 UTC  anna         shop.yaml  too narrow  (undoes 1)
 *            coat-fans: 1230 → 4560 */
static void print_history(const json_t *list)
{
	size_t i, k;
	json_t *row, *segment;
	if (json_array_size(list) == 0)
		puts("nothing was published yet");
	json_array_foreach(list, i, row)
	{
		const json_t *undoes = json_object_get(row, "undoes");
		print_time(row);
		printf("%-12s %s  %s", word(row, "who"), word(row, "file"), word(row, "why"));
		if (json_is_integer(undoes))
			printf("  (undoes %lld)", (long long)json_integer_value(undoes));
		puts("");
		json_array_foreach(json_object_get(row, "segments"), k, segment)
		{
			printf("       %s: ", word(segment, "id"));
			print_size(segment, "before");
			printf(" \u2192 ");
			print_size(segment, "after");
			puts("");
		}
	}
}

static int print_patch(struct cli *c, unsigned n)
{
	struct buf out = {0};
	if (published_patch(c->config.store_path, n, &out) != OK)
		return cli_fail("%s", err_text());
	if (out.n)
		fwrite(out.p, 1, out.n, stdout);
	buf_done(&out);
	return EXIT_FINE;
}

/* Page by page, of the server or of the store. NULL: it was said why not. */
static json_t *whole_history(struct cli *c)
{
	json_t *all = json_array(), *page = NULL;
	bool server = client_available(c);
	json_int_t before = 0;
	do {
		char path[64];
		struct reply r;
		snprintf(path, sizeof path, "/v1/rules/history?before=%lld", (long long)before);
		json_decref(page);
		page = server ? client_json(c, path, NULL, &r)
			      : published_list(c->config.store_path, (unsigned)before);
		json_array_extend(all, page);
		before = json_integer_value(
		    json_object_get(json_array_get(all, json_array_size(all) - 1), "n"));
	} while (json_array_size(page) == PUBLISHED_TOLD);
	bool fine = page != NULL;
	json_decref(page);
	if (!fine)
		json_decref(all);
	return fine ? all : NULL;
}

/* Patches are read from the store beside a server, too: they are written once. */
static int history_listed(struct cli *c, int argc, char **argv)
{
	const char *patch = cli_option(argc, argv, "--patch");
	uint64_t n = 0;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (patch && (!str_u64(str_c(patch), &n) || n > 99999999))
		return cli_misuse("--patch wants the number of a publication");
	if (patch)
		return print_patch(c, (unsigned)n);
	json_t *list = whole_history(c);
	if (!list)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(list);
		return EXIT_FINE;
	}
	print_history(list);
	json_decref(list);
	return EXIT_FINE;
}

/* --- undo */

/* What the server says; NULL: it was said why not. Each byte of the reason is escaped, which is
 * right whatever it is.
 *
 * A refusal is {"error", "patch"}: the sentence is for people. The patch is for a file, where the
 * server may not change the rules; so it is what is printed. */
static json_t *undo_at_server(struct cli *c, const char *why)
{
	char path[512] = "/v1/rules/undo?why=";
	struct str nothing = STR("");
	struct reply r;
	for (size_t n = strlen(path); *why; why++, n += 3)
		snprintf(path + n, sizeof path - n, "%%%02x", (unsigned)(uint8_t)*why);
	json_t *j = client_json(c, path, &nothing, &r);
	if (!j || r.status == 200)
		return j;
	if (r.status == 403)
		fputs(word(j, "patch"), stdout);
	cli_fail("%s", word(j, "error"));
	json_decref(j);
	return NULL;
}

/* Nobody has rules in memory who would have to read them. */
static enum err nobody_reads(void *arg)
{
	(void)arg;
	return OK;
}

/* Sizes are not told: there are no views that anybody keeps up to date. The name is what the system
 * calls this user, for there is no token. */
static json_t *undo_alone(struct cli *c, const char *why)
{
	const char *me = getenv("LOGNAME");
	struct publishing p = {.config = &c->config,
	    .who = me && *me ? me : "operator",
	    .role = "operator",
	    .why = str_c(why),
	    .reload = nobody_reads};
	struct published done;
	json_t *j = NULL;
	char closed[sizeof done.why];
	bool editable = publish_editable(&c->config, closed);
	enum err e = editable ? publish_undo(&p, &done) : publish_undo_patch(&p, &done);
	if (!e && done.patch.n && done.outcome == PUBLISH_CLOSED)
		fwrite(done.patch.p, 1, done.patch.n, stdout);
	if (e)
		cli_fail("%s", err_text());
	else if (done.outcome != PUBLISHED)
		cli_fail("%s", done.why);
	else
		j = json_pack("{s:s,s:i,s:s,s:b}", "hash", done.hash, "n", (int)done.n, "file",
		    done.file, "backfill", false);
	published_end(&done);
	return j;
}

/* The answer comes when the server has taken the rules; the views follow, and are waited for. */
static int undone(struct cli *c, int argc, char **argv)
{
	const char *why = cli_option(argc, argv, "--why");
	bool server = client_available(c);
	json_t *status = NULL;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (why && strlen(why) > WHY_MOST)
		return cli_misuse("--why wants at most %d bytes", WHY_MOST);
	why = why ? why : "";
	json_t *j = server ? undo_at_server(c, why) : undo_alone(c, why);
	if (!j)
		return EXIT_WRONG;
	bool waits = json_is_true(json_object_get(j, "backfill"));
	if (waits && !rules_wait_served(c, "applying the rules", &status)) {
		json_decref(j);
		return cli_fail("the rules are as they were before, but it is not known whether "
				"they serve yet: 'crumb rules status' says");
	}
	json_decref(status);
	if (c->json) {
		cli_print_json(j);
		return EXIT_FINE;
	}
	printf("%s is as it was before; this is publication %lld, and undoing it takes it back\n",
	    word(j, "file"), (long long)json_integer_value(json_object_get(j, "n")));
	json_decref(j);
	return EXIT_FINE;
}

const struct command commands_published[] = {
    {.name = "rules history",
	.args = "[--patch N] [--json]",
	.summary = "what was published in the last 90 days, by whom and why",
	.help = "Lists what was published from the dashboard or undone, newest first: when, by "
		"whom, which file and why, and the sizes of the segments that it changed, before "
		"and after. '?' is a size that is withheld or not known. --patch prints what "
		"publication N changed, as a unified patch.\n\n"
		"What 'rules deploy' does, or somebody with an editor, is not in this list.\n\n"
		"JSON: [{\"n\",\"t\",\"who\",\"role\",\"why\",\"hash\",\"file\",\"segments\":"
		"[{\"id\",\"before\",\"after\"}],\"undoes\":n or null}].",
	.run = history_listed},
    {.name = "rules undo",
	.args = "[--why TEXT] [--json]",
	.summary = "publish what was before the newest publication",
	.help = "Puts the file of rules that was published last back as it was, has the server "
		"take it, and waits until it serves. That is a publication of its own: said once "
		"more, it takes itself back. --why is for the history.\n\n"
		"It is refused when the files were changed since, by hand or by 'rules deploy'. "
		"Where rules are not published (rules.editable: no, or a folder that cannot be "
		"written to), nothing is changed: the patch that would undo it is printed, for "
		"whoever keeps the rules. "
		"Without a server the file is changed, and crumbd reads it when it starts.\n\n"
		"JSON: {\"hash\",\"n\",\"file\",\"backfill\"}.",
	.run = undone},
    {0},
};
