/* What crumbd is made of: its arguments, --check, and reading the configuration again.
 *
 *     crumbd.c     main(), start and stop        reload.c     reads things again while it runs
 *     arguments.c  the command line              again.c      the options among them
 *     check.c      --check                       told.c       what was taken and refused
 *     takeover.c   two processes at one store    sockets.c    sockets that others opened
 *     notify.c     the service manager
 *
 * Functions are for one thread at a time: main() at a start, the reloading thread afterwards. */
#ifndef CRUMB_SRC_APP_APP_H
#define CRUMB_SRC_APP_APP_H

#include "crumb/base/file.h"
#include "crumb/ingest/options.h"
#include "crumb/yaml/report.h"

#include <stdio.h>

struct json_t;

struct arguments {
	bool help, version, check, json, test_clock, take_over, verbose;
	struct report mistakes; /* in the configuration file */
	struct buf shown;	/* the mistakes with their lines, to be printed */
};

/* --- arguments.c */
void arguments_help(FILE *to);
/* Reads the command line, and the file that it names, into `c`. The same words are read again at
 * SIGHUP. arguments_done() and config_done() come afterwards, also after a failure. */
enum err arguments_read(int argc, char **argv, struct config *c, struct arguments *a) MUST_CHECK;
void arguments_done(struct arguments *a);

/* --- check.c: --check. Looks at everything that a start would look at; opens no store and no port.
 * `early` is what arguments_read() returned; `a` has the mistakes of the file. Returns the exit
 * status. */
int check_all(const struct config *c, enum err early, const struct arguments *a);
/* Prints what cannot work; NULL: to the log. Returns how many of them are no warnings. */
unsigned options_say(const struct options_found *f, FILE *to);

/* --- told.c: what was taken and refused when things were read again. Each sentence goes to the
 * log, and as "MODULE SENTENCE" to whoever asked for it. */
enum told_kind { TOLD_TAKEN, TOLD_WAITING /* for the next start */, TOLD_REFUSED, TOLD_KINDS };
struct told {
	struct json_t *lists[TOLD_KINDS]; /* of texts. NULL: only the log gets them, because nobody
					     asked or memory is missing */
};
void told_begin(struct told *t);
void told_add(struct told *t, enum told_kind kind, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* {"rules":HASH,"taken":[…],"waiting":[…],"refused":[…]}, and "error" with the first refusal where
 * something was refused. Ends `t`. NULL: no memory. */
struct json_t *told_json(struct told *t, const char *rules) MUST_CHECK;

/* --- again.c: reads the configuration again. *out is the configuration that can be in force from
 * now on; NULL: nothing has changed. Changes that have to wait for the next start are told, a
 * sentence each, and are not in *out. */
enum err again_read(int argc, char **argv, const struct config *now, struct told *told,
    struct config **out) MUST_CHECK;
/* Tells which options have changed, a sentence each. */
void again_tell(const struct config *before, const struct config *now, struct told *told);
void again_free(struct config *c);

#endif
