/* What crumbd is made of. */
#ifndef CRUMB_SRC_APP_APP_H
#define CRUMB_SRC_APP_APP_H

#include "crumb/ingest/options.h"
#include "crumb/yaml/report.h"

#include <stdio.h>

struct json_t;

struct arguments {
	bool help, version, check, json, test_clock, take_over, verbose;
	struct report mistakes; /* in the configuration file */
	struct buf shown;	/* the same with their lines, to be printed */
};

/* arguments.c */
void arguments_help(FILE *to);
/* The configuration that the words of the command line make; they are read again at SIGHUP. `c` and
 * `a` are to be given back in any case. */
enum err arguments_read(int argc, char **argv, struct config *c, struct arguments *a) MUST_CHECK;
void arguments_done(struct arguments *a);

/* check.c: --check. Looks at everything that a start would look at, opens no store and no port; the
 * exit status. `early`: it could not even be read; where the mistakes of a file are why, `a` has
 * them. */
int check_all(const struct config *c, enum err early, const struct arguments *a);
/* Says what cannot work, to a file, or in the log where that is NULL; how much. */
unsigned options_say(const struct options_found *f, FILE *to);

/* told.c: what became of reading things again. Each sentence goes to the log, and as "MODULE
 * SENTENCE" to whoever asked for it. One thread at a time. */
enum told_kind { TOLD_TAKEN, TOLD_WAITING /* for the next start */, TOLD_REFUSED, TOLD_KINDS };
struct told {
	struct json_t *lists[TOLD_KINDS]; /* of texts; NULL: nobody asked, or there is no memory for
					     it, and the log has it alone */
};
void told_begin(struct told *t);
void told_add(struct told *t, enum told_kind kind, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* {"rules":HASH,"taken":[…],"waiting":[…],"refused":[…]}, and with "error", the first refusal,
 * where there is one. Ends `t`. NULL: no memory. */
struct json_t *told_json(struct told *t, const char *rules) MUST_CHECK;

/* again.c: reads the configuration again. *out: what could be in force from now on; NULL: all is as
 * before. Changes that have to wait for the next start are told, a sentence each, and are not in
 * it. */
enum err again_read(int argc, char **argv, const struct config *now, struct told *told,
    struct config **out) MUST_CHECK;
void again_tell(const struct config *before, const struct config *now,
    struct told *told); /* what is in force now, a sentence each */
void again_free(struct config *c);

#endif
