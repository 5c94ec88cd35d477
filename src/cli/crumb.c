/* crumb: the command line. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/base/near.h"
#include "crumb/base/version.h"
#include "crumb/cli/cli.h"
#include "crumb/core/user.h"
#include "crumb/store/store.h"

#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command *const tables[] = {commands_read, commands_import, commands_lookalike, commands_curve, commands_data, commands_export, commands_destinations, commands_rules,
    commands_ask, commands_diff, commands_deploy, commands_explain, commands_signals, commands_examples, commands_db, commands_backup, commands_quarantine, commands_clock};
#define TABLES (sizeof tables / sizeof *tables)

/* --- helpers for commands */

static bool json_printed;
static const struct command *running; /* NULL: none was found yet */
static char failed[1024]; /* what went wrong first */

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
	va_list ap;
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
	json_dumpf(root, stdout, JSON_INDENT(2));
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

/* The flags in a synopsis, one after the other. */
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

/* "; did you mean '--json'?", or "". */
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

bool cli_all_used(int argc, char **argv)
{
	char hint[200];
	for (int i = 0; i < argc; i++) {
		if (argv[i]) {
			cli_misuse("'%s' is not understood here%s", argv[i], meant_flag(argv[i], hint));
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

void cli_progress(const char *what, uint64_t done, uint64_t of)
{
	if (!isatty(STDERR_FILENO))
		return;
	drawn = true;
	if (of) {
		int filled = (int)(done * 30 / of);
		dprintf(STDERR_FILENO, "\r%s [%.*s%.*s] %3d %%", what, filled, "##############################", 30 - filled,
		    "..............................", (int)(done * 100 / of));
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

void cli_close(struct cli *c)
{
	generation_unref(c->generation);
	store_close(c->store);
	c->generation = NULL;
	c->store = NULL;
}

bool cli_open(struct cli *c, bool journal)
{
	enum err e = store_open(&c->config, journal ? STORE_READ_JOURNAL : STORE_READ, &c->store);
	if (!e)
		e = generation_open(c->store, &c->config, &c->generation);
	if (e) {
		cli_fail("%s%s", err_text(), cli_config_taken(c));
	} else if (!c->config.told) {
		char told[4200];
		snprintf(told, sizeof told, "%s/told", c->config.store_path);
		c->gate.memory = c->config.told = kgate_memory_open(told, false);
	}
	return e == OK;
}

/* --- configuration */

#define CONFIG_DEFAULT "/etc/crumb/crumb.yaml"

const char *cli_config_taken(const struct cli *c)
{
	static char text[4300];
	if (c->config_path)
		snprintf(text, sizeof text, " (configuration: %.4096s, %s)", c->config_path, c->config_how);
	else
		snprintf(text, sizeof text, " (no configuration was taken: -c FILE or CRUMB_CONFIG names one, and there is no " CONFIG_DEFAULT ")");
	return text;
}

/* Commands that only tell about themselves work whatever the configuration is. */
static bool only_tells(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "help") == 0)
			return true;
	return argc == 1;
}

/* Where no -c names a file: that of CRUMB_CONFIG, where it is empty none, else that of the system. */
static enum err take_default(struct cli *c)
{
	const char *named = getenv("CRUMB_CONFIG");
	if (named && !*named)
		return OK;
	if (!named && access(CONFIG_DEFAULT, F_OK) != 0)
		return OK;
	c->config_path = named ? named : CONFIG_DEFAULT;
	c->config_how = named ? "by CRUMB_CONFIG" : "by default";
	enum err e = config_file(&c->config, c->config_path);
	return e ? err_wrap(e, named ? "CRUMB_CONFIG" : "the configuration that is taken without -c and CRUMB_CONFIG") : OK;
}

/* Options before the command; *at is where it begins. */
static enum err read_options(struct cli *c, int argc, char **argv, int *at)
{
	bool named = only_tells(argc, argv);
	int i = 1;
	for (int k = 1; k + 1 < argc && argv[k][0] == '-'; k += 2)
		named |= strcmp(argv[k], "-c") == 0 || strcmp(argv[k], "--config") == 0;
	enum err e = named ? OK : take_default(c);
	for (; !e && i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) {
			c->config_path = argv[i + 1];
			c->config_how = "by -c";
			e = config_file(&c->config, argv[i + 1]);
		} else if (strcmp(argv[i], "-o") == 0) {
			e = config_set(&c->config, argv[i + 1]);
		} else {
			break;
		}
	}
	*at = i;
	return e;
}

/* --- help */

static void print_usage(FILE *to)
{
	fputs("crumb - commands for crumb, a data management platform for anonymous audiences\n\n"
	      "usage: crumb [-c FILE] [-o key=value]... COMMAND [--json]\n       crumb --version\n\n"
	      "commands:\n",
	    to);
	for (size_t t = 0; t < TABLES; t++)
		for (const struct command *cmd = tables[t]; cmd->name; cmd++)
			fprintf(to, "  %-19s %s\n", cmd->name, cmd->summary);
	fputs("\n'crumb help COMMAND' explains one. FILE is the configuration that crumbd has; without -c it is the file that CRUMB_CONFIG names\n"
	      "(none where that is empty), else " CONFIG_DEFAULT " if there is one. Options are those of crumbd ('crumbd --help' lists them); the ones that matter\n"
	      "here are store.path, rules.path and privacy.k. Exit status: 0 fine, 1 something is wrong or nothing was found, 2 misuse.\n",
	    to);
}

static void print_help(const struct command *cmd)
{
	printf("NAME\n  crumb %s - %s\n\nSYNOPSIS\n  crumb [-c FILE] [-o key=value]... %s %s\n\nDESCRIPTION\n%s\n", cmd->name, cmd->summary,
	    cmd->name, cmd->args, cmd->help);
}

/* Finds the command that the first one or two words name; *words says how many. */
static const struct command *find(int argc, char **argv, int *words)
{
	for (size_t t = 0; t < TABLES; t++) {
		for (const struct command *cmd = tables[t]; cmd->name; cmd++) {
			const char *space = strchr(cmd->name, ' ');
			size_t first = space ? (size_t)(space - cmd->name) : strlen(cmd->name);
			if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], cmd->name, first) != 0)
				continue;
			if (!space || (argc > 1 && strcmp(argv[1], space + 1) == 0)) {
				*words = space ? 2 : 1;
				return cmd;
			}
		}
	}
	return NULL;
}

/* The commands that begin with the word; false: none do. */
static bool print_group(const char *first)
{
	size_t n = strlen(first);
	bool any = false;
	for (size_t t = 0; t < TABLES; t++)
		for (const struct command *cmd = tables[t]; cmd->name; cmd++)
			if (strncmp(cmd->name, first, n) == 0 && cmd->name[n] == ' ') {
				printf("  %-19s %s\n", cmd->name, cmd->summary);
				any = true;
			}
	return any;
}

/* The command that was meant by one or two words; "" in the hint: none is like them. */
static const char *meant_command(int argc, char **argv, char hint[200])
{
	char typed[200];
	bool two = argc > 1 && argv[1][0] != '-';
	snprintf(typed, sizeof typed, "%s%s%s", argv[0], two ? " " : "", two ? argv[1] : "");
	struct near whole = near_begin(str_c(typed)), first = near_begin(str_c(argv[0]));
	const char *by_second = NULL;
	for (size_t t = 0; t < TABLES; t++)
		for (const struct command *cmd = tables[t]; cmd->name; cmd++) {
			const char *space = strchr(cmd->name, ' ');
			near_try(&whole, str_c(cmd->name));
			near_try(&first, space ? str_make(cmd->name, (size_t)(space - cmd->name)) : str_c(cmd->name));
			if (space && strcmp(space + 1, argv[0]) == 0)
				by_second = cmd->name;
		}
	near_hint(whole.best.n ? &whole : &first, hint, 200);
	if (!whole.best.n && by_second)
		snprintf(hint, 200, "did you mean '%s'?", by_second);
	return hint;
}

static int unknown(int argc, char **argv)
{
	char hint[200];
	meant_command(argc, argv, hint);
	bool group = false;
	for (size_t t = 0; t < TABLES; t++)
		for (const struct command *cmd = tables[t]; cmd->name; cmd++) {
			size_t n = strlen(argv[0]);
			if (strncmp(cmd->name, argv[0], n) == 0 && cmd->name[n] == ' ') {
				if (!group && argc > 1)
					fprintf(stderr, "crumb: there is no command '%s %s'%s%s; '%s' wants one of:\n", argv[0], argv[1], *hint ? ": " : "", hint, argv[0]);
				else if (!group)
					fprintf(stderr, "crumb: '%s' wants one of:\n", argv[0]);
				fprintf(stderr, "  %-19s %s\n", cmd->name, cmd->summary);
				group = true;
			}
		}
	return group ? EXIT_MISUSE : cli_misuse("there is no command '%s'%s%s", argv[0], *hint ? ": " : "", hint);
}

/* A flag that the synopsis does not have, which would else be told of as if something were missing; NULL: there is none. */
static const char *strange_flag(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		struct str rest = str_c(running->args), flag;
		bool known = !argv[i] || strncmp(argv[i], "--", 2) != 0 || strchr(argv[i], ' ') || strlen(argv[i]) < 3;
		while (!known && next_flag(&rest, &flag))
			known = str_eq(flag, str_c(argv[i]));
		if (!known)
			return argv[i];
	}
	return NULL;
}

static int run(struct cli *c, int argc, char **argv)
{
	int words = 0;
	if (argc == 0) {
		print_usage(stderr);
		return EXIT_MISUSE;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 || (strcmp(argv[0], "help") == 0 && argc == 1)) {
		print_usage(stdout);
		return EXIT_FINE;
	}
	bool help = strcmp(argv[0], "help") == 0;
	if (help)
		argc--, argv++;
	const struct command *cmd = find(argc, argv, &words);
	if (!cmd && help && argc == 1 && print_group(argv[0]))
		return EXIT_FINE;
	if (!cmd)
		return unknown(argc, argv);
	argc -= words, argv += words;
	if (help || cli_flag(argc, argv, "--help") || cli_flag(argc, argv, "-h")) {
		print_help(cmd);
		return EXIT_FINE;
	}
	running = cmd;
	c->json = cli_flag(argc, argv, "--json");
	const char *strange = strange_flag(argc, argv);
	if (strange) {
		char hint[200];
		return cli_misuse("'%s' is not understood here%s", strange, meant_flag(strange, hint));
	}
	return cmd->run(c, argc, argv);
}

int main(int argc, char **argv)
{
	static struct cli c;
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	log_threshold(LOG_WARN);
	cli_plain_output();
	if (sodium_init() < 0 || config_init(&c.config) != OK)
		return cli_fail("cannot start");
	int i = 1, rc = EXIT_FINE;
	if (read_options(&c, argc, argv, &i) != OK)
		return cli_misuse("%s", err_text());
	if (i < argc && strcmp(argv[i], "--version") == 0) {
		puts("crumb " CRUMB_VERSION);
		return EXIT_FINE;
	}
	char who[USER_NAME];
	if (user_of_command(&c.config, who) != OK)
		return cli_fail("%s", err_text());
	c.gate.k = (uint32_t)c.config.k;
	store_load_clock(&c.config);
	rc = run(&c, argc - i, argv + i);
	if (rc == EXIT_WRONG && *who)
		fprintf(stderr, "crumb: started by root, this worked as %s, whose store it is: what it reads and writes must be open to %s\n", who, who);
	if (rc == EXIT_WRONG && c.json && *failed && !json_printed) /* who asked for JSON gets some, whatever the command */
		cli_print_json(json_pack("{s:o}", "error", utf8_valid(str_c(failed)) == strlen(failed) ? json_string(failed) : json_null()));
	cli_close(&c);
	kgate_memory_free(c.config.told);
	config_done(&c.config);
	client_done();
	return rc;
}
