/* The command line: one row of a table for each command; help and usage are made from the row.
 *
 * One thread runs one command and ends. Words of the command line that are given back are argv's;
 * JSON that is given back is the caller's to let go of. */
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
	const char *config_how;	 /* why that one */
	bool json;
	const struct command *const
	    *commands; /* all of them, table by table; NULL behind the last */
	struct kgate gate;
	/* opened by cli_open(), ours until cli_close() */
	struct store *store;
	struct generation *generation;
};

struct command {
	const char *name;    /* one or two words */
	const char *args;    /* synopsis of what follows; flags that are not in it are refused */
	const char *summary; /* one line */
	const char *help;    /* paragraphs of the manual */
	int (*run)(struct cli *c, int argc, char **argv);
	/* NEEDS_NOTHING: it works whatever the configuration says. */
	enum { NEEDS_CONFIGURATION, NEEDS_NOTHING } needs;
};

/* The files that have commands, in the order of --help: X(name) is commands_NAME[], a table of rows
 * with a zero row behind the last. */
#define COMMAND_TABLES(X)                                                                          \
	X(read)                                                                                    \
	X(import) X(lookalike) X(curve) X(data) X(export) X(destinations) X(rules) X(ask) X(diff)  \
	    X(deploy) X(explain) X(signals) X(examples) X(db) X(backup) X(quarantine) X(clock)     \
		X(reference)
#define X(name) extern const struct command commands_##name[];
COMMAND_TABLES(X)
#undef X

#define CONFIG_DEFAULT                                                                             \
	"/etc/crumb/crumb.yaml" /* taken when neither -c nor CRUMB_CONFIG names a file */

/* " (configuration: FILE, by CRUMB_CONFIG)", or that there is none: for words about what it names.
 */
const char *cli_config_taken(const struct cli *c);
/* Opens store and views for reading; complains and returns false if it cannot. */
bool cli_open(struct cli *c, bool journal);
void cli_close(struct cli *c);
#define CLI_TEMPORARY 512
/* Makes a folder below TMPDIR, or /tmp, for us alone; false, with words and "": it cannot. */
bool cli_temporary(const char *what, char out[CLI_TEMPORARY]);
void cli_temporary_end(
    const char *folder); /* removes it with what is in it, or says that it is left; "": nothing */
struct node;
/* Starts a node on a store that no server has open; not while the clock is in doubt. False: said
 * why. */
bool cli_node(struct cli *c, struct node *n);
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* exit 1, with words */
int cli_misuse(const char *fmt, ...)
    __attribute__((format(printf, 1, 2))); /* exit 2, with words, those of the first one */
void cli_fail_json(void); /* what went wrong first, as JSON, unless some was printed: who asked for
			     JSON gets some, whatever the command */
void cli_print_json(struct json_t *root); /* takes the reference */
/* The value behind an option such as --out; NULL when it did not come. Marks both as used by
 * setting them to NULL. */
const char *cli_option(int argc, char **argv, const char *name);
bool cli_flag(int argc, char **argv, const char *name);
const char *cli_word(int argc, char **argv); /* next unused word that is no option; NULL: none */
/* Words about misuse name this command from now on. False, and said: there is a flag that its
 * synopsis does not have. */
bool cli_begins(const struct command *cmd, int argc, char **argv);
/* Complains about anything left. */
bool cli_all_used(int argc, char **argv);
/* The visitor that --cookie, --id or --key names; opens the store. False: said why, *rc is the exit
 * status. */
bool cli_who(struct cli *c, const char *command, int argc, char **argv, struct vkey *out, int *rc);
/* The word for so many of something. */
static inline const char *cli_plural(uint64_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}
/* A number about a group, or JSON's null. */
struct json_t *cli_shown(struct shown n);
void cli_progress(
    const char *what, uint64_t done, uint64_t of); /* on a terminal only; of 0: unknown */
void cli_progress_end(void);
void cli_plain_output(void); /* what is printed from now on commands no terminal (out.c) */

/* --- a running server */
struct reply {
	long status;
	struct buf body;
};
bool client_available(struct cli *c); /* a server has the store open */
/* POSTs to the admin listener and waits for as long as the server lives; false with words when it
 * cannot be reached. Of a refusal that is one sentence the sentence is left, of another the JSON.
 */
bool client_post(struct cli *c, const char *path, struct str body, struct reply *out);
/* The answer's JSON, whatever its status; of *out the status is left. NULL with words: there is
 * none. `body` NULL: GET. */
struct json_t *client_json(
    struct cli *c, const char *path, const struct str *body, struct reply *out);
void client_done(void);

#endif
