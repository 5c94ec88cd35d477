/* What the commands share: failures, arguments, progress, temporary folders, and the store that is
 * opened for reading.
 *
 * Arguments are taken in any order. Each cli_…() that finds its word sets it to NULL in argv, so a
 * command needs no loop, and cli_all_used() at the end finds words that nobody wanted. The synopsis
 * of a row is the list of its flags: a flag that is not in it is refused before run() is called, so
 * that a slip in a flag is not told as a missing argument.
 *
 * The state of this file is of the one command that a process runs. */
#include "crumb/base/code.h"
#include "crumb/base/json.h"
#include "crumb/base/near.h"
#include "crumb/cli/cli.h"
#include "crumb/store/store.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool json_printed;
static const struct command *running; /* NULL: no command was found yet */
static char failed[1024];	      /* the first failure */

int cli_fail(const char *fmt, ...)
{
	char text[sizeof failed];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!*failed)
		memcpy(failed, text, sizeof failed);
	fprintf(stderr, "crumb: %s\n", text);
	return EXIT_WRONG;
}

int cli_misuse(const char *fmt, ...)
{
	static bool said; /* a command complains once: about the flag, not also about the rest */
	va_list ap;
	if (said)
		return EXIT_MISUSE;
	said = true;
	va_start(ap, fmt);
	fputs("crumb: ", stderr);
	vfprintf(stderr, fmt, ap);
	if (running)
		fprintf(stderr, "; see crumb help %s\n", running->name);
	else
		fputs("; see crumb --help\n", stderr);
	va_end(ap);
	return EXIT_MISUSE;
}

void cli_print_json(json_t *root)
{
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_NUMBERS);
	json_printed = true;
	putchar('\n');
	json_decref(root);
}

const char *cli_option(int argc, char **argv, const char *name)
{
	for (int i = 0; i + 1 < argc; i++) {
		if (argv[i] && argv[i + 1] && strcmp(argv[i], name) == 0) {
			const char *value = argv[i + 1];
			argv[i] = argv[i + 1] = NULL;
			return value;
		}
	}
	return NULL;
}

bool cli_flag(int argc, char **argv, const char *name)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i] && strcmp(argv[i], name) == 0) {
			argv[i] = NULL;
			return true;
		}
	}
	return false;
}

const char *cli_word(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i] && (argv[i][0] != '-' || argv[i][1] == 0)) {
			const char *word = argv[i];
			argv[i] = NULL;
			return word;
		}
	}
	return NULL;
}

/* Takes the next flag out of a synopsis. False: there are no more. */
static bool next_flag(struct str *rest, struct str *flag)
{
	size_t at = 0, n = 2;
	while (at + 2 < rest->n && !(rest->p[at] == '-' && rest->p[at + 1] == '-'))
		at++;
	*flag = str_skip(*rest, at);
	if (flag->n < 3)
		return false;
	while (n < flag->n && (flag->p[n] == '-' || (flag->p[n] >= 'a' && flag->p[n] <= 'z')))
		n++;
	*rest = str_skip(*flag, n);
	flag->n = n;
	return true;
}

/* Writes "; did you mean '--json'?", or "". */
static const char *meant_flag(const char *word, char out[200])
{
	char hint[160];
	struct near near = near_begin(str_c(word));
	struct str rest = str_c(running ? running->args : ""), flag;
	while (word[0] == '-' && next_flag(&rest, &flag))
		near_try(&near, flag);
	near_hint(&near, hint, sizeof hint);
	snprintf(out, 200, "%s%s", *hint ? "; " : "", hint);
	return out;
}

/* The first flag that the synopsis does not have; NULL: there is none. A word with a blank in it is
 * a condition, not a flag. */
static const char *strange_flag(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		struct str rest = str_c(running->args), flag;
		bool known = !argv[i] || strncmp(argv[i], "--", 2) != 0 || strchr(argv[i], ' ') ||
			     strlen(argv[i]) < 3;
		while (!known && next_flag(&rest, &flag))
			known = str_eq(flag, str_c(argv[i]));
		if (!known)
			return argv[i];
	}
	return NULL;
}

bool cli_begins(const struct command *cmd, int argc, char **argv)
{
	char hint[200];
	running = cmd;
	const char *strange = strange_flag(argc, argv);
	if (strange)
		cli_misuse("'%s' is not understood here%s", strange, meant_flag(strange, hint));
	return !strange;
}

bool cli_all_used(int argc, char **argv)
{
	char hint[200];
	for (int i = 0; i < argc; i++) {
		if (argv[i]) {
			cli_misuse(
			    "'%s' is not understood here%s", argv[i], meant_flag(argv[i], hint));
			return false;
		}
	}
	return true;
}

json_t *cli_shown(struct shown n)
{
	return n.told ? json_integer((json_int_t)n.n) : json_null();
}

static bool drawn;

/* The bar is written past stderr's stream, which would escape the terminal's own commands. */
void cli_progress(const char *what, uint64_t done, uint64_t of)
{
	if (!isatty(STDERR_FILENO))
		return;
	drawn = true;
	if (of) {
		int filled = (int)(done * 30 / of);
		dprintf(STDERR_FILENO, "\r%s [%.*s%.*s] %3d %%", what, filled,
		    "##############################", 30 - filled, "..............................",
		    (int)(done * 100 / of));
	} else {
		dprintf(STDERR_FILENO, "\r%s %llu", what, (unsigned long long)done);
	}
}

void cli_progress_end(void)
{
	if (drawn)
		dprintf(STDERR_FILENO, "\r\033[K");
	drawn = false;
}

/* mkdtemp() makes the folder for this user alone: profiles are written into it. */
bool cli_temporary(const char *what, char out[CLI_TEMPORARY])
{
	const char *where = getenv("TMPDIR");
	int n = snprintf(
	    out, CLI_TEMPORARY, "%s/crumb-%s.XXXXXX", where && *where ? where : "/tmp", what);
	if (n < CLI_TEMPORARY && mkdtemp(out))
		return true;
	*out = 0;
	cli_fail("no temporary folder in %s", where && *where ? where : "/tmp");
	return false;
}

void cli_temporary_end(const char *folder)
{
	if (*folder && folder_remove(folder) != OK)
		fprintf(stderr, "crumb: %s is left: %s\n", folder, err_text());
}

void cli_close(struct cli *c)
{
	generation_unref(c->generation);
	store_close(c->store);
	c->generation = NULL;
	c->store = NULL;
}

/* The gate remembers from here on what was told at this store, by whatever process. */
static bool open_as(struct cli *c, enum store_mode mode)
{
	enum err e = store_open(&c->config, mode, &c->store);
	if (!e)
		e = generation_open(c->store, &c->config, &c->generation);
	if (e) {
		cli_fail("%s%s", err_text(), cli_config_taken(c));
	} else if (!c->config.told) {
		char told[4200];
		snprintf(told, sizeof told, "%s/told", c->config.store_path);
		c->gate.memory = c->config.told = kgate_memory_open(told, KGATE_READ);
	}
	return e == OK;
}

bool cli_open(struct cli *c)
{
	return open_as(c, STORE_READ);
}

bool cli_open_journal(struct cli *c)
{
	return open_as(c, STORE_READ_JOURNAL);
}

void cli_fail_json(void)
{
	if (*failed && !json_printed)
		cli_print_json(
		    json_pack("{s:o}", "error", json_stringn(failed, utf8_valid(str_c(failed)))));
}

const char *cli_config_taken(const struct cli *c)
{
	static char text[4300];
	if (c->config_path)
		snprintf(text, sizeof text, " (configuration: %.4096s, %s)", c->config_path,
		    c->config_how);
	else
		snprintf(text, sizeof text,
		    " (no configuration was taken: -c FILE or CRUMB_CONFIG names one, and there is "
		    "no " CONFIG_DEFAULT ")");
	return text;
}
