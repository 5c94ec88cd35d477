/* Inside the command line: what several commands about lookalikes share. One thread. */
#ifndef CRUMB_SRC_CLI_LOOKALIKES_H
#define CRUMB_SRC_CLI_LOOKALIKES_H

#include "crumb/cli/cli.h"

/* Opens the views. *segment is the lookalike's number, *model the file of its model, the caller's.
 * Returns an exit status; one that is not EXIT_FINE was said. */
int like_open(struct cli *c, const char *id, uint16_t *segment, struct json_t **model);

#endif
