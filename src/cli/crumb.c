/* crumb: main() of the command line. It reads the configuration, finds the row of the command, and
 * runs it; help is made from the rows.
 *
 * The order of main(): the configuration (a command that only tells about the program needs none),
 * then the user (root becomes the store's owner before anything is opened), then the clock of a
 * demo, then the command. Exit status: 0 fine, 1 something is wrong or nothing was found, 2
 * misuse. */
#include "crumb/base/log.h"
#include "crumb/base/near.h"
#include "crumb/base/version.h"
#include "crumb/cli/cli.h"
#include "crumb/core/user.h"
#include "crumb/store/store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command *const tables[] = {
#define X(name) commands_##name,
    COMMAND_TABLES(X)
#undef X
	NULL,
};
#define TABLES (sizeof tables / sizeof *tables - 1)

static bool needs_nothing(const char *word)
{
	for (size_t t = 0; t < TABLES; t++)
		for (const struct command *cmd = tables[t]; cmd->name; cmd++)
			if (cmd->needs == NEEDS_NOTHING && strcmp(cmd->name, word) == 0)
				return true;
	return false;
}

/* Commands that only tell about the program work whatever the configuration is. */
static bool only_tells(int argc, char **argv)
{
	static const char *const words[] = {"--help", "-h", "--version", "help"};
	for (int i = 1; i < argc; i++) {
		for (size_t w = 0; w < sizeof words / sizeof *words; w++)
			if (strcmp(argv[i], words[w]) == 0)
				return true;
		if (needs_nothing(argv[i]))
			return true;
	}
	return argc == 1;
}

/* Takes the file that CRUMB_CONFIG names, or the system's where that is not set. An empty
 * CRUMB_CONFIG means no file. */
static enum err take_default(struct cli *c)
{
	const char *named = getenv("CRUMB_CONFIG");
	if (named && !*named)
		return OK;
	if (!named && access(CONFIG_DEFAULT, F_OK) != 0)
		return OK;
	c->config_path = named ? named : CONFIG_DEFAULT;
	c->config_how = named ? "by CRUMB_CONFIG" : "by default";
	enum err e = config_file(&c->config, c->config_path, NULL, NULL);
	if (e && named)
		return err_wrap(e, "CRUMB_CONFIG");
	return e ? err_wrap(e, "the configuration that is taken without -c and CRUMB_CONFIG") : OK;
}

/* Options before the command. *at becomes the place of the command. A file that is named by -c
 * replaces the default; so all words are looked at before a file is read. */
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
			e = config_file(&c->config, argv[i + 1], NULL, NULL);
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

#define HELP_WIDTH 80 /* columns */

/* Prints paragraphs, with lines of HELP_WIDTH columns where no word is longer. Bytes of UTF-8 that
 * go on with a character take no column. */
static void print_wrapped(FILE *to, int indent, const char *text)
{
	int column = 0;
	while (*text) {
		size_t n = strcspn(text, " \n");
		int width = 0;
		for (size_t i = 0; i < n; i++)
			width += ((uint8_t)text[i] & 0xc0) != 0x80;
		if (column > indent && column + 1 + width > HELP_WIDTH)
			putc('\n', to), column = 0;
		if (n && !column)
			column = fprintf(to, "%*s", indent, "");
		else if (n)
			putc(' ', to), column++;
		fwrite(text, 1, n, to);
		column += width;
		text += n;
		if (*text == '\n') { /* an empty line is between paragraphs */
			putc('\n', to);
			column = 0;
		}
		text += *text != 0;
	}
	putc('\n', to);
}

static void print_usage(FILE *to)
{
	fputs(
	    "crumb - commands for crumb, a data management platform for anonymous audiences\n\n"
	    "usage: crumb [-c FILE] [-o key=value]... COMMAND [--json]\n       crumb --version\n\n"
	    "commands:\n",
	    to);
	for (size_t t = 0; t < TABLES; t++)
		for (const struct command *cmd = tables[t]; cmd->name; cmd++)
			fprintf(to, "  %-19s %s\n", cmd->name, cmd->summary);
	putc('\n', to);
	print_wrapped(to, 0,
	    "'crumb help COMMAND' explains a command. FILE is the configuration that crumbd has. "
	    "Without -c it is the file that CRUMB_CONFIG names (no file where that is empty), "
	    "else " CONFIG_DEFAULT " if there is one. Options are those of crumbd ('crumbd --help' "
	    "lists them); store.path, rules.path and privacy.k matter here. Exit status: 0 fine, 1 "
	    "something is wrong or nothing was found, 2 misuse.");
}

static void print_help(const struct command *cmd)
{
	char synopsis[1000];
	snprintf(synopsis, sizeof synopsis, "crumb [-c FILE] [-o key=value]... %s %s", cmd->name,
	    cmd->args);
	printf("NAME\n  crumb %s - %s\n\nSYNOPSIS\n", cmd->name, cmd->summary);
	print_wrapped(stdout, 2, synopsis);
	printf("\nDESCRIPTION\n");
	print_wrapped(stdout, 2, cmd->help);
}

/* Finds the command that the first word, or the first two, name. *words says how many they were. */
static const struct command *find_command(int argc, char **argv, int *words)
{
	for (size_t t = 0; t < TABLES; t++) {
		for (const struct command *cmd = tables[t]; cmd->name; cmd++) {
			const char *space = strchr(cmd->name, ' ');
			size_t first = space ? (size_t)(space - cmd->name) : strlen(cmd->name);
			if (argc < 1 || strlen(argv[0]) != first ||
			    strncmp(argv[0], cmd->name, first) != 0)
				continue;
			if (!space || (argc > 1 && strcmp(argv[1], space + 1) == 0)) {
				*words = space ? 2 : 1;
				return cmd;
			}
		}
	}
	return NULL;
}

/* Prints the commands whose first word it is. False: there are none. */
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

/* Writes which command may have been meant: one that is nearly called so, or one whose first or
 * second word it is. "": none is near. */
static const char *meant_command(int argc, char **argv, char hint[200])
{
	char typed[200];
	if (argc > 1 && argv[1][0] != '-')
		snprintf(typed, sizeof typed, "%s %s", argv[0], argv[1]);
	else
		snprintf(typed, sizeof typed, "%s", argv[0]);
	struct near whole = near_begin(str_c(typed)), first = near_begin(str_c(argv[0]));
	const char *by_second = NULL;
	bool right = false; /* the first word is one */
	for (size_t t = 0; t < TABLES; t++)
		for (const struct command *cmd = tables[t]; cmd->name; cmd++) {
			const char *space = strchr(cmd->name, ' ');
			near_try(&whole, str_c(cmd->name));
			struct str group = space ? str_make(cmd->name, (size_t)(space - cmd->name))
						 : str_c(cmd->name);
			right |= str_eq(group, first.word);
			if (!str_eq(group, first.word)) /* that is no slip */
				near_try(&first, group);
			if (space && strcmp(space + 1, argv[0]) == 0)
				by_second = cmd->name;
		}
	near_hint(whole.best.n ? &whole : &first, hint, 200);
	if (!whole.best.n && by_second && !right)
		snprintf(hint, 200, "did you mean '%s'?", by_second);
	return hint;
}

/* There is no such command. The first word of a group gets the list of the group. */
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
					fprintf(stderr,
					    "crumb: there is no command '%s %s'%s%s; '%s' wants "
					    "one of:\n",
					    argv[0], argv[1], *hint ? ": " : "", hint, argv[0]);
				else if (!group)
					fprintf(stderr, "crumb: '%s' wants one of:\n", argv[0]);
				fprintf(stderr, "  %-19s %s\n", cmd->name, cmd->summary);
				group = true;
			}
		}
	return group ? EXIT_MISUSE
		     : cli_misuse("there is no command '%s'%s%s", argv[0], *hint ? ": " : "", hint);
}

/* From the words behind the options to an exit status. --help counts wherever it stands. */
static int run_command(struct cli *c, int argc, char **argv)
{
	int words = 0;
	if (argc == 0) {
		print_usage(stderr);
		return EXIT_MISUSE;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    (strcmp(argv[0], "help") == 0 && argc == 1)) {
		print_usage(stdout);
		return EXIT_FINE;
	}
	bool help = strcmp(argv[0], "help") == 0;
	if (help)
		argc--, argv++;
	const struct command *cmd = find_command(argc, argv, &words);
	if (!cmd && help && argc == 1 && print_group(argv[0]))
		return EXIT_FINE;
	if (!cmd)
		return unknown(argc, argv);
	argc -= words, argv += words;
	if (help || cli_flag(argc, argv, "--help") || cli_flag(argc, argv, "-h")) {
		print_help(cmd);
		return EXIT_FINE;
	}
	c->json = cli_flag(argc, argv, "--json");
	return cli_begins(cmd, argc, argv) ? cmd->run(c, argc, argv) : EXIT_MISUSE;
}

int main(int argc, char **argv)
{
	static struct cli c = {.commands = tables};
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
	c.gate.k = (uint32_t)c.config.k; /* cli_open() gives the gate its memory */
	store_load_clock(&c.config);
	rc = run_command(&c, argc - i, argv + i);
	if (rc == EXIT_WRONG && *who)
		fprintf(stderr,
		    "crumb: started by root, this worked as %s, whose store it is: what it reads "
		    "and writes must be open to %s\n",
		    who, who);
	if (rc == EXIT_WRONG && c.json)
		cli_fail_json();
	cli_close(&c);
	kgate_memory_free(c.config.told);
	config_done(&c.config);
	client_done();
	return rc;
}
