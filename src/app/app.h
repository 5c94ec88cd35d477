/* What crumbd is made of. */
#ifndef CRUMB_APP_APP_H
#define CRUMB_APP_APP_H

#include "crumb/ingest/options.h"

#include <stdio.h>

struct arguments {
	bool help, version, check, json, test_clock, take_over, verbose;
};

/* arguments.c */
void arguments_help(FILE *to);
/* The configuration that the words of the command line make; they are read again at SIGHUP. `c` is to be given back in any case. */
enum err arguments_read(int argc, char **argv, struct config *c, struct arguments *a) MUST_CHECK;

/* check.c: --check. Looks at everything that a start would look at, opens no store and no port; the exit status. `early`: it could not even be read. */
int check_all(const struct config *c, enum err early, bool json);
/* Says what cannot work, to a file, or in the log where that is NULL; how much. */
unsigned options_say(const struct options_found *f, FILE *to);

/* again.c: reads the configuration again. *out: what could be in force from now on; NULL: all is as before. Changes that have to wait for the next start
 * are said in the log, a line each, and are not in it. */
enum err again_read(int argc, char **argv, const struct config *now, struct config **out) MUST_CHECK;
void again_tell(const struct config *before, const struct config *now); /* what is in force now, a line each */
void again_free(struct config *c);

#endif
