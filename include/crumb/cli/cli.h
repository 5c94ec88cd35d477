/* The command line: one row of a table for each command. Help, usage, manual and completion are
 * made from the row; docs/add-a-command.md adds one.
 *
 *     crumb [-c FILE] [-o key=value]… COMMAND ARGUMENTS
 *
 *     crumb.c     the configuration; the row of COMMAND; its run()
 *     run()       takes its arguments out of argv one by one: a taken word becomes NULL
 *                 cli_all_used() complains about what is left
 *                 a server has the store open: it is asked (client_…())
 *                 no server: cli_open() for reading, cli_node() for writing
 *                 prints, and returns the exit status
 *
 * The k gate. All processes at a store have one memory of what was told, the file `told`
 * (privacy/kgate.h). A command that finds a server asks the server, which has that memory; a
 * command without a server reads the file when it opens the store, and adds to it what it tells. So
 * asking in two ways tells no more than asking in one.
 *
 * One thread runs one command and ends. Words of the command line that are returned are argv's;
 * JSON that is returned is the caller's. */
#ifndef CRUMB_CLI_CLI_H
#define CRUMB_CLI_CLI_H

#include "crumb/views/view.h"
#include "crumb/core/config.h"
#include "crumb/privacy/kgate.h"

struct json_t;
struct command;

enum { EXIT_FINE = 0, EXIT_WRONG = 1, EXIT_MISUSE = 2 };

struct cli {
	struct config config;
	const char *config_path; /* the file of configuration that was taken; NULL: none */
	const char *config_how;	 /* why that file: "by -c" */
	bool json;		 /* --json came */
	/* tables of all commands; NULL behind the last */
	const struct command *const *commands;
	struct kgate gate; /* its memory is there when cli_open() has opened the store */
	/* opened by cli_open(), until cli_close() */
	struct store *store;
	struct generation *generation;
};

struct command {
	const char *name;    /* one or two words */
	const char *args;    /* synopsis of what follows; flags that are not in it are refused */
	const char *summary; /* one line */
	const char *help;    /* paragraphs, an empty line between them; wrapped when printed */
	/* Returns the exit status. argv has what stands behind the name. */
	int (*run)(struct cli *c, int argc, char **argv);
	/* NEEDS_NOTHING: it works whatever the configuration says. */
	enum { NEEDS_CONFIGURATION, NEEDS_NOTHING } needs;
};

/* The files that have commands, in the order of --help: X(name) is commands_NAME[], a table of rows
 * with a zero row behind the last. */
#define COMMAND_TABLES(X)                                                                          \
	X(read)                                                                                    \
	X(report)                                                                                  \
	X(import)                                                                                  \
	X(lookalike)                                                                               \
	X(lookalike_rows)                                                                          \
	X(curve)                                                                                   \
	X(data)                                                                                    \
	X(export)                                                                                  \
	X(destinations) X(rules) X(ask) X(diff) X(deploy) X(published) X(explain) X(signals)       \
	    X(examples) X(db) X(log) X(backup) X(quarantine) X(clock) X(cluster) X(token)          \
		X(reference)
#define X(name) extern const struct command commands_##name[];
COMMAND_TABLES(X)
#undef X

/* Taken when neither -c nor CRUMB_CONFIG names a file. */
#define CONFIG_DEFAULT "/etc/crumb/crumb.yaml"

/* --- failures: words go to stderr, the exit status is returned */
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* EXIT_WRONG */
/* EXIT_MISUSE. Only the first call of a command prints. */
int cli_misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints the first failure as JSON, unless JSON was printed: whoever asks for JSON gets some. */
void cli_fail_json(void);

/* --- the store */
/* " (configuration: FILE, by CRUMB_CONFIG)", or that no file was taken. For messages about what the
 * configuration names. */
const char *cli_config_taken(const struct cli *c);
/* Opens store and views for reading. False: it was said why. */
bool cli_open(struct cli *c);
/* The same, and the journal. */
bool cli_open_journal(struct cli *c);
void cli_close(struct cli *c);
/* Rules whose history is being recomputed beside those that serve, of an open store; NULL: none.
 * rules_unref() them. */
struct rules *cli_coming_rules(struct cli *c);
struct node;
/* Starts a node on a store that no server has open. False: it was said why, such as a clock in
 * doubt. node_stop() ends it. */
bool cli_node(struct cli *c, struct node *n);
#define CLI_TEMPORARY 512
/* Makes a folder below TMPDIR, or /tmp, that only this user can read. False: it was said why, and
 * `out` is "". */
bool cli_temporary(const char *what, char out[CLI_TEMPORARY]);
/* Removes the folder with its files, or says that it is left. "": does nothing. */
void cli_temporary_end(const char *folder);

/* --- arguments: what is taken becomes NULL in argv */
/* The value behind an option such as --out; NULL: the option did not come. */
const char *cli_option(int argc, char **argv, const char *name);
bool cli_flag(int argc, char **argv, const char *name);
/* The next word that is no option; NULL: there is none. */
const char *cli_word(int argc, char **argv);
/* Words about misuse name this command from now on. False: there is a flag that its synopsis does
 * not have, and it was said. */
bool cli_begins(const struct command *cmd, int argc, char **argv);
/* False: a word is left, and it was said. */
bool cli_all_used(int argc, char **argv);
/* The visitor that --cookie, --id or --key names; opens the store. False: it was said why, and *rc
 * is the exit status. */
bool cli_who(struct cli *c, const char *command, int argc, char **argv, struct vkey *out, int *rc);

/* --- output */
void cli_print_json(struct json_t *root); /* takes the reference */
/* "visitor" or "visitors", by the number. */
static inline const char *cli_plural(uint64_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}
/* A number about a group, or JSON's null. */
struct json_t *cli_shown(struct shown n);
/* Draws a bar on stderr, if that is a terminal. `of` 0: the end is not known. */
void cli_progress(const char *what, uint64_t done, uint64_t of);
void cli_progress_end(void); /* removes the bar */
/* From now on nothing that is printed can command the terminal (out.c). */
void cli_plain_output(void);

/* --- a running server */
struct reply {
	long status;	 /* of HTTP */
	struct buf body; /* the caller's */
};
bool client_available(struct cli *c); /* does a server have the store open? */
/* From now on requests are sent with this token; NULL: with that of the environment's CRUMB_TOKEN,
 * or else the server's own. Borrowed. */
void client_token(const char *token);
/* POSTs to the admin listener, and waits for as long as the server lives. A refusal that is only
 * {"error":"a sentence"} becomes the sentence. False: the server cannot be reached, and it was
 * said. */
bool client_post(struct cli *c, const char *path, struct str body, struct reply *out);
/* The answer as JSON, whatever its status is; of *out only the status is left. `body` NULL: GET.
 * NULL: there is no JSON, and it was said why. */
struct json_t *client_json(
    struct cli *c, const char *path, const struct str *body, struct reply *out);
void client_done(void);
#define CLIENT_AGAIN "&again=1" /* in a path of /v1/import; such a piece is sent only once */

#endif
