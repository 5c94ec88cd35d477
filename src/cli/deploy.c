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
#include "crumb/load/load.h"
#include "crumb/base/mp.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/deploy.h"
#include "crumb/store/store.h"
#include "findings.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MOST 10000

struct rule_file {
	char name[256];
	struct str text;
};

struct deploying {
	struct cli *c;
	char *target;		       /* what the server reads */
	bool folder;		       /* the target is a folder */
	struct buf before, wanted;     /* bundles of the target, and of what is to be put there */
	struct rule_file *old, *fresh; /* views of them */
	unsigned old_n, fresh_n;
	bool put;		   /* there are fresh files */
	bool all;		   /* files of the target that are not among the fresh go */
	char stage[CLI_TEMPORARY]; /* "": the target is what would be */
	json_t *diff;		   /* as rules diff; NULL: nothing changes */
};

/* --- sets of files */

/* A bundle is an array of names and texts (rules/rules.h). */
static enum err read_set(const char *path, struct buf *bundle, struct rule_file **out, unsigned *n)
{
	enum err e = rules_read(path, NULL, bundle);
	if (e)
		return e;
	struct mp m = mp_over(buf_view(bundle));
	uint32_t texts = mp_array(&m);
	if (texts / 2 > FILES_MOST)
		return err_set(ERR_USAGE, "%s: more than %d files", path, FILES_MOST);
	*out = calloc(texts / 2 + 1, sizeof **out);
	CHECK(*out);
	for (*n = 0; *n < texts / 2 && !m.bad; (*n)++) {
		struct rule_file *f = &(*out)[*n];
		struct str name = mp_str(&m);
		snprintf(f->name, sizeof f->name, STR_FMT, STR_ARG(name));
		f->text = mp_str(&m);
	}
	return OK;
}

static const struct rule_file *find_rule_file(
    const struct rule_file *list, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

/* A file keeps its permissions and its group, whoever writes it. */
static enum err write_file(const char *path, struct str text)
{
	struct file_new f;
	struct stat st;
	bool there = stat(path, &st) == 0;
	enum err e = file_begin(&f, path, 0600);
	if (e)
		return e;
	if (there && fchown(fileno(f.file), (uid_t)-1, st.st_gid) != 0)
		errno = 0; /* a group that we are not in */
	if (fchmod(fileno(f.file), there ? st.st_mode & 0777 : 0644) != 0 ||
	    (text.n && fwrite(text.p, 1, text.n, f.file) != text.n)) {
		e = err_sys("%s", path);
		file_drop(&f);
		return e;
	}
	return file_finish(&f);
}

/* Where a file of the target lies, with a tail such as ".before". A link stays a link: the file to
 * which it leads is replaced. */
static void place(
    const struct deploying *d, const char *name, const char *tail, char out[FILE_PATH_MAX])
{
	char path[FILE_PATH_MAX];
	if (d->folder)
		snprintf(path, sizeof path, "%.3800s/%s", d->target, name);
	else
		snprintf(path, sizeof path, "%.4000s", d->target);
	char *real = realpath(path, NULL);
	snprintf(out, FILE_PATH_MAX, "%.4060s%s", real ? real : path, tail);
	free(real);
}

/* Puts the files `to` in place of the files `from`: copies first (with `keep`, NAME.before), then
 * what is new or different, then what goes. A failure leaves some files changed; the caller knows
 * how to go back. */
static enum err swap_files(const struct deploying *d, const struct rule_file *from, unsigned from_n,
    const struct rule_file *to, unsigned to_n, bool keep)
{
	enum err e = OK;
	char path[FILE_PATH_MAX];
	for (unsigned i = 0; i < from_n && keep && !e; i++) {
		const struct rule_file *now = find_rule_file(to, to_n, from[i].name);
		place(d, from[i].name, ".before", path);
		if ((now && !str_eq(now->text, from[i].text)) || (!now && d->all))
			e = write_file(path, from[i].text);
	}
	for (unsigned i = 0; i < to_n && !e; i++) {
		const struct rule_file *was = find_rule_file(from, from_n, to[i].name);
		place(d, to[i].name, "", path);
		if (!was || !str_eq(was->text, to[i].text))
			e = write_file(path, to[i].text);
	}
	for (unsigned i = 0; i < from_n && !e; i++) {
		place(d, from[i].name, "", path);
		bool goes = !find_rule_file(to, to_n, from[i].name) && (d->all || !keep);
		if (goes && unlink(path) != 0 && errno != ENOENT)
			e = err_sys("%s", path);
	}
	return e;
}

static enum err put_files(struct deploying *d)
{
	return d->put ? swap_files(d, d->old, d->old_n, d->fresh, d->fresh_n, true) : OK;
}

/* Files that were put in place of others go back. Files that were not touched are not written. */
static enum err put_back(struct deploying *d)
{
	struct rule_file *now = calloc(d->old_n + d->fresh_n + 1, sizeof *now);
	unsigned n = 0;
	if (!d->put) {
		free(now);
		return OK;
	}
	CHECK(now);
	for (unsigned i = 0; i < d->fresh_n; i++)
		now[n++] = d->fresh[i];
	enum err e = swap_files(d, now, n, d->old, d->old_n, false);
	free(now);
	return e;
}

/* --- what would be */

/* Makes the folder with the files as they would be. */
static enum err make_stage(struct deploying *d)
{
	char path[FILE_PATH_MAX];
	enum err e = OK;
	if (!cli_temporary("deploy", d->stage))
		return err_set(ERR_IO, "nothing was changed");
	for (unsigned i = 0; i < d->fresh_n && !e; i++) {
		snprintf(path, sizeof path, "%s/%s", d->stage, d->fresh[i].name);
		e = write_file(path, d->fresh[i].text);
	}
	for (unsigned i = 0; i < d->old_n && !e && !d->all; i++) {
		snprintf(path, sizeof path, "%s/%s", d->stage, d->old[i].name);
		if (!find_rule_file(d->fresh, d->fresh_n, d->old[i].name))
			e = write_file(path, d->old[i].text);
	}
	return e;
}

static bool is_yaml(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Reads the target and what is to be put there, and refuses what cannot be done before anything is
 * written. */
static enum err read_sides(struct deploying *d, const char *from)
{
	struct stat st;
	if (stat(d->target, &st) != 0)
		return err_sys("%s, which the server reads", d->target);
	d->folder = S_ISDIR(st.st_mode);
	if (!from)
		return OK;
	if (stat(from, &st) != 0)
		return err_sys("%s", from);
	d->all = S_ISDIR(st.st_mode);
	d->put = true;
	char folder[FILE_PATH_MAX];
	snprintf(folder, sizeof folder, "%.4000s", d->target);
	if (!d->folder && strrchr(folder, '/'))
		*strrchr(folder, '/') = 0;
	if (access(folder, W_OK) != 0)
		return err_set(ERR_IO,
		    "%s, which the server reads, cannot be written to by this user: put the file "
		    "there yourself, then say 'crumb rules deploy'; nothing was changed",
		    folder);
	if (d->all && !d->folder)
		return err_set(ERR_USAGE,
		    "the server reads one file, %s: deploy a file, not a folder", d->target);
	enum err e = read_set(d->target, &d->before, &d->old, &d->old_n);
	if (!e)
		e = read_set(from, &d->wanted, &d->fresh, &d->fresh_n);
	if (!e && d->fresh_n == 0)
		return err_set(
		    ERR_USAGE, "%s holds no rules: files that end in .yaml or .yml", from);
	if (!e && d->folder && !d->all && !is_yaml(d->fresh[0].name))
		return err_set(
		    ERR_USAGE, "%s: only files that end in .yaml or .yml are read as rules", from);
	if (!e && !d->folder && d->old_n)
		memcpy(d->fresh[0].name, d->old[0].name, sizeof d->fresh[0].name);
	return e ? e : make_stage(d);
}

/* The path of the rules as they would be. */
static const char *would_be(const struct deploying *d, char out[FILE_PATH_MAX])
{
	if (!*d->stage)
		snprintf(out, FILE_PATH_MAX, "%.4000s", d->target);
	else if (d->folder)
		snprintf(out, FILE_PATH_MAX, "%s", d->stage);
	else
		snprintf(out, FILE_PATH_MAX, "%s/%s", d->stage, d->fresh[0].name);
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

static int fail_half(void)
{
	return cli_fail(
	    "%s; some of the files are changed, NAME.before is what was there", err_text());
}

/* Puts the files and has the server read them. *answer is the server's answer, the caller's. */
static int carry_out(struct deploying *d, json_t **answer)
{
	struct reply r;
	struct str nothing = STR("");
	if (put_files(d) != OK) {
		cli_fail("%s", err_text());
		return put_back(d) == OK ? cli_fail("nothing was changed") : fail_half();
	}
	*answer = client_json(d->c, "/v1/reload", &nothing, &r);
	if (*answer && taken(*answer))
		return EXIT_FINE;
	const char *why = json_string_value(json_object_get(*answer, "error"));
	if (*answer && !json_object_get(*answer, "refused"))
		cli_fail("%s", why ? why : "the server's answer is not understood");
	if (put_back(d) != OK)
		return fail_half();
	if (*answer)
		return cli_fail("the server refused it: nothing was changed");
	return cli_fail("the server gave no answer; the files are as they were, and 'crumb rules "
			"status' says what serves");
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
	buf_done(&d.before);
	buf_done(&d.wanted);
	free(d.old);
	free(d.fresh);
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
