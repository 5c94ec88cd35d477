/* Inside the command line: what several commands about lookalikes share. */
#ifndef CRUMB_SRC_CLI_LOOKALIKES_H
#define CRUMB_SRC_CLI_LOOKALIKES_H

#include "crumb/cli/cli.h"

/* Opens the views; the lookalike's number, and its model's file, which is the caller's. An exit
 * status: EXIT_FINE, or it was said why not. */
int like_open(struct cli *c, const char *id, uint16_t *segment, struct json_t **model);

#endif
