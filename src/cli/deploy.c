/* rules deploy: from files to the rules that serve.
 *
 *     check ─► compare ─► ask ─► put files ─► POST /v1/reload ─► wait ─► "complete since …"
 *       │         │        │         │               │
 *       └─────────┴────────┴─ nothing was changed    │
 *                                    └───────────────┴─ not written, or refused:
 *                                                       the files of before are put back
 *
 * The server says which folder or file it reads (`target`): the configuration of the command line
 * may be another. What would be is made first, as a folder (`stage`), and checked and compared
 * there:
 *
 *     target  a.yaml  b.yaml        what the server reads
 *     fresh   b.yaml' c.yaml        what is to be put there
 *     stage   a.yaml  b.yaml' c.yaml          of a FILE; without a.yaml of a FOLDER (`all`)
 *
 * Each file is replaced as a whole, by rename. A file that is replaced or removed is kept as
 * NAME.before. */
#include "crumb/base/file.h"
#include "crumb/load/put.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/deploy.h"
#include "crumb/store/store.h"
#include "findings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct deploying {
	struct cli *c;
	char *target;		   /* what the server reads */
	struct rule_files now;	   /* its files */
	struct rule_files fresh;   /* what is to be put there */
	struct rule_files wish;	   /* its files as they would be */
	bool put;		   /* there are fresh files */
	bool all;		   /* files of the target that are not among the fresh go */
	char stage[CLI_TEMPORARY]; /* "": the target is what would be */
	json_t *diff;		   /* as rules diff; NULL: nothing changes */
};

/* --- what would be */

/* The files as they would be. */
static enum err make_wish(struct deploying *d)
{
	struct rule_files before = {0};
	enum err e = rule_files_with(&d->now, STR(""), (struct str){NULL, 0}, &d->wish);
	for (unsigned i = 0; i < d->now.n && d->all && !e; i++) {
		struct str name = str_c(d->now.list[i].name);
		if (rule_files_find(&d->fresh, name))
			continue;
		before = d->wish;
		e = rule_files_with(&before, name, (struct str){NULL, 0}, &d->wish);
		rule_files_done(&before);
	}
	for (unsigned i = 0; i < d->fresh.n && !e; i++) {
		before = d->wish;
		e = rule_files_with(
		    &before, str_c(d->fresh.list[i].name), d->fresh.list[i].text, &d->wish);
		rule_files_done(&before);
	}
	return e;
}

/* Makes the folder with these files. */
static enum err make_stage(struct deploying *d)
{
	char path[FILE_PATH_MAX];
	enum err e = make_wish(d);
	if (!e && !cli_temporary("deploy", d->stage))
		return err_set(ERR_IO, "nothing was changed");
	for (unsigned i = 0; i < d->wish.n && !e; i++) {
		snprintf(path, sizeof path, "%s/%s", d->stage, d->wish.list[i].name);
		e = rule_file_write(path, d->wish.list[i].text);
	}
	return e;
}

/* Reads the target and what is to be put there, and refuses what cannot be done before anything is
 * written. */
static enum err read_sides(struct deploying *d, const char *from)
{
	struct stat st;
	if (stat(d->target, &st) != 0)
		return err_sys("%s, which the server reads", d->target);
	d->now.folder = S_ISDIR(st.st_mode);
	if (!from)
		return OK;
	if (stat(from, &st) != 0)
		return err_sys("%s", from);
	d->all = S_ISDIR(st.st_mode);
	d->put = true;
	if (rule_files_writable(d->target) != OK)
		return err_set(ERR_IO,
		    "%s; the server reads it, and this user cannot put files there: put the file "
		    "there yourself, then say 'crumb rules deploy'; nothing was changed",
		    err_text());
	if (d->all && !d->now.folder)
		return err_set(ERR_USAGE,
		    "the server reads one file, %s: deploy a file, not a folder", d->target);
	enum err e = rule_files_read(d->target, &d->now);
	if (!e)
		e = rule_files_read(from, &d->fresh);
	if (!e && d->fresh.n == 0)
		return err_set(
		    ERR_USAGE, "%s holds no rules: files that end in .yaml or .yml", from);
	if (!e && !d->now.folder && d->now.n)
		memcpy(d->fresh.list[0].name, d->now.list[0].name, sizeof d->now.list[0].name);
	for (unsigned i = 0; i < d->fresh.n && d->now.folder && !e; i++)
		if (rule_file_name(str_c(d->fresh.list[i].name)) != OK)
			e = err_set(ERR_USAGE, "%s: %s", d->fresh.list[i].name, err_text());
	return e ? e : make_stage(d);
}

/* The path of the rules as they would be. */
static const char *would_be(const struct deploying *d, char out[FILE_PATH_MAX])
{
	if (!*d->stage)
		snprintf(out, FILE_PATH_MAX, "%.4000s", d->target);
	else if (d->now.folder)
		snprintf(out, FILE_PATH_MAX, "%s", d->stage);
	else
		snprintf(out, FILE_PATH_MAX, "%s/%s", d->stage, d->wish.list[0].name);
	return out;
}

/* Reads the rules as they would be; their hash. False: they are refused, and it was said why. */
static bool check_wanted(struct deploying *d, const char *path, char hash[RULES_HASH_TEXT])
{
	struct report report = {0};
	struct rules *r = NULL;
	enum err e = deploy_rules(&d->c->config, path, &report, &r);
	if (e && e != ERR_SYNTAX)
		cli_fail("%s", err_text());
	else if (d->c->json && e)
		cli_print_json(json_pack("{s:b,s:s,s:o}", "deployed", false, "error",
		    "these rules are refused", "problems", findings_json(&report)));
	else
		rules_print_findings(path, &report);
	if (e == ERR_SYNTAX)
		cli_fail("%zu %s: these rules are refused, and nothing was changed", report.errors,
		    cli_plural(report.errors, "mistake", "mistakes"));
	else if (!e)
		memcpy(hash, r->hash_text, RULES_HASH_TEXT);
	rules_unref(r);
	report_done(&report);
	return e == OK;
}

/* --- the server */

/* What the server says of its rules; NULL: it was said why not. */
static json_t *status_now(struct cli *c)
{
	struct reply r;
	json_t *j = client_json(c, "/v1/rules/status", NULL, &r);
	if (j && !json_is_string(json_object_get(j, "path"))) {
		cli_fail(
		    "the server is older than this command: it does not say which rules it reads");
		json_decref(j);
		return NULL;
	}
	return j;
}

/* Anything but y is no. */
static bool agreed(const char *target)
{
	char line[16] = "";
	fprintf(stderr, "deploy this to %s? [y/N] ", target);
	return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static void print_list(const json_t *answer, const char *key)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(answer, key), i, one)
	    fprintf(stderr, "crumb: %s\n", json_string_value(one));
}

/* Did the server take the rules? Other refusals, such as of options, are printed and do not
 * count. */
static bool taken(const json_t *answer)
{
	size_t i;
	json_t *one;
	bool fine = json_is_array(json_object_get(answer, "refused"));
	json_array_foreach(json_object_get(answer, "refused"), i, one) fine &=
	    strncmp(json_string_value(one), "rules ", 6) != 0;
	print_list(answer, "refused");
	print_list(answer, "waiting");
	return fine;
}

struct asking {
	struct deploying *d;
	json_t **answer;
	bool asked;
};

/* For rule_files_take(): has the server read the files. */
static enum err ask_reload(void *arg)
{
	struct asking *a = arg;
	struct reply r;
	struct str nothing = STR("");
	a->asked = true;
	*a->answer = client_json(a->d->c, "/v1/reload", &nothing, &r);
	if (!*a->answer)
		return err_set(ERR_IO, "the server gave no answer; the files are as they were, and "
				       "'crumb rules status' says what serves");
	if (taken(*a->answer))
		return OK;
	const char *why = json_string_value(json_object_get(*a->answer, "error"));
	if (!json_object_get(*a->answer, "refused"))
		cli_fail("%s", why ? why : "the server's answer is not understood");
	return err_set(ERR_SYNTAX, "the server refused it: nothing was changed");
}

/* Puts the files and has the server read them. *answer is the server's answer, the caller's. */
static int carry_out(struct deploying *d, json_t **answer)
{
	struct asking asking = {d, answer, false};
	bool changed = false;
	int lock;
	if (!d->put)
		return ask_reload(&asking) == OK ? EXIT_FINE : cli_fail("%s", err_text());
	if (rule_files_lock(d->target, RULE_FILES_WAIT_S, &lock) != OK)
		return cli_fail("%s; nothing was changed", err_text());
	enum err e = rule_files_take(
	    d->target, &d->now, &d->wish, RULE_FILES_BEFORE, ask_reload, &asking, &changed);
	rule_files_unlock(lock);
	if (e && changed)
		return cli_fail(
		    "%s; some of the files are changed, NAME.before is what was there", err_text());
	if (e)
		cli_fail("%s", err_text());
	if (e && !asking.asked)
		cli_fail("nothing was changed");
	return e ? EXIT_WRONG : EXIT_FINE;
}

/* Says once why the views cannot be made now, such as for want of room. */
static void say_trouble(const json_t *status, bool *said)
{
	const char *why = json_string_value(json_object_get(status, "trouble"));
	if (*said || !why)
		return;
	*said = true;
	cli_progress_end();
	fprintf(stderr, "crumb: still waiting, the history cannot be recomputed now: %s\n", why);
}

/* Asks five times a second. There is no time-out: the bar shows that it goes on. */
bool rules_wait_served(struct cli *c, const char *what, json_t **status)
{
	bool said = false;
	for (;;) {
		struct reply r;
		json_t *j = client_json(c, "/v1/rules/status", NULL, &r);
		if (!j)
			return false;
		bool complete = json_is_true(json_object_get(j, "complete"));
		say_trouble(j, &said);
		cli_progress(what,
		    (uint64_t)(100 * json_number_value(
					 json_object_get(json_object_get(j, "backfill"), "done"))),
		    100);
		if (complete) {
			cli_progress_end();
			*status = j;
			return true;
		}
		json_decref(j);
		nanosleep(&(struct timespec){0, 200000000}, NULL);
	}
}

static void since_text(const json_t *status, char out[64])
{
	time_t t = (time_t)json_integer_value(json_object_get(status, "serving_since"));
	struct tm tm;
	if (!t || !gmtime_r(&t, &tm) ||
	    strftime(out, 64, "complete since %Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(out, 64, "complete");
}

/* --- the command */

static void say_done(struct deploying *d, bool deployed, json_t *answer, json_t *status)
{
	char since[64];
	const char *hash = json_string_value(json_object_get(status, "hash"));
	since_text(status, since);
	if (!d->c->json) {
		if (deployed)
			printf("deployed to %s: the rules %s serve, %s\n", d->target, hash, since);
		else
			printf("nothing to deploy: %s serves as it is, rules %s, %s\n", d->target,
			    hash, since);
		return;
	}
	json_t *j =
	    json_pack("{s:b,s:s,s:s,s:b,s:O,s:o}", "deployed", deployed, "path", d->target, "rules",
		hash, "complete", true, "serving_since", json_object_get(status, "serving_since"),
		"changes", d->diff ? json_incref(d->diff) : json_null());
	json_object_update_missing(j, answer);
	cli_print_json(j);
}

/* The steps of the drawing. Rules whose hash is that of the newest need no step but waiting. */
static int run_deploy(struct deploying *d, const char *from, bool yes)
{
	char path[FILE_PATH_MAX], hash[RULES_HASH_TEXT] = "";
	json_t *status = status_now(d->c), *answer = NULL;
	if (!status)
		return EXIT_WRONG;
	d->target = strdup(json_string_value(json_object_get(status, "path")));
	CHECK(d->target);
	if (read_sides(d, from) != OK || !would_be(d, path)) {
		json_decref(status);
		return cli_fail("%s", err_text());
	}
	bool same = check_wanted(d, path, hash) &&
		    strcmp(hash, json_string_value(json_object_get(status, "newest"))) == 0;
	if (*hash && !same)
		d->diff = diff_json(d->c, NULL, path);
	json_decref(status);
	cli_close(d->c);
	if (!*hash || (!same && !d->diff))
		return EXIT_WRONG;
	if (!d->c->json && !same)
		diff_print(d->diff, kgate_k(&d->c->gate));
	fflush(stdout);
	if (!same && !yes && !agreed(d->target)) {
		puts("nothing was changed");
		return EXIT_WRONG;
	}
	int rc = same ? EXIT_FINE : carry_out(d, &answer);
	status = NULL;
	if (!rc && !rules_wait_served(d->c, "applying the rules", &status))
		rc = cli_fail("the rules are deployed, but it is not known whether they serve yet: "
			      "'crumb rules status' says");
	if (!rc)
		say_done(d, !same, answer, status);
	json_decref(answer);
	json_decref(status);
	return rc;
}

static int deploy(struct cli *c, int argc, char **argv)
{
	bool yes = cli_flag(argc, argv, "--yes");
	const char *from = cli_word(argc, argv);
	struct deploying d = {.c = c};
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!yes && (c->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)))
		return cli_misuse("rules deploy asks before it changes anything; where nobody can "
				  "answer it wants --yes");
	if (!client_available(c))
		return cli_fail("no server has %s open: nothing was changed; crumbd reads the "
				"rules when it starts%s",
		    c->config.store_path, cli_config_taken(c));
	int rc = run_deploy(&d, from, yes);
	cli_temporary_end(d.stage);
	json_decref(d.diff);
	rule_files_done(&d.now);
	rule_files_done(&d.fresh);
	rule_files_done(&d.wish);
	free(d.target);
	return rc;
}

const struct command commands_deploy[] = {
    {.name = "rules deploy",
	.args = "[FILE | FOLDER] [--yes] [--json]",
	.summary = "check rules, show what they change, and have the server take them",
	.help = "Checks the rules as 'rules check' does, says what would change as 'rules diff' "
		"does, and asks. Then it has the running server read the rules, waits until "
		"everybody's history is computed by them, and says since when. The old rules "
		"serve until then.\n\n"
		"Without FILE it deploys the server's own folder (rules.path of its "
		"configuration), in which you have changed something. FILE is put into that "
		"folder under its own name, beside the files there or in place of one. Of a "
		"FOLDER all rules are put there, and rules that it does not have go. Each file "
		"is replaced as a whole, and the file before is kept as NAME.before.\n\n"
		"--yes does not ask; it is wanted with --json and where there is no terminal. "
		"The server reads destinations and options again, too, and the command says "
		"which of those were refused. Where the rules serve already nothing is read; "
		"SIGHUP or POST /v1/reload do that.\n\n"
		"Exit status 0: these rules serve, even if they did before. 1, and nothing was "
		"changed: there are mistakes, no server runs, the server refuses them, or you "
		"said no.\n\n"
		"JSON: "
		"{\"deployed\",\"path\",\"rules\",\"complete\",\"serving_since\",\"changes\":as "
		"rules diff, or null,\"taken\",\"waiting\",\"refused\"}.",
	.run = deploy},
    {0},
};
