/* Inside the command line: what several commands about rules share. */
#ifndef CRUMB_SRC_CLI_FINDINGS_H
#define CRUMB_SRC_CLI_FINDINGS_H

#include "crumb/cli/cli.h"
#include "crumb/yaml/report.h"

struct json_t;

struct json_t *findings_json(const struct report *r);
void rules_print_findings(const char *path,
    const struct report *r); /* as a compiler does, to stderr; `path` is what was read */

/* diff.c: what differs between two folders or files of rules, on live data, the caller's; `old`
 * NULL: what serves. NULL: said why. */
struct json_t *diff_json(struct cli *c, const char *old, const char *fresh);
void diff_print(const struct json_t *diff, uint32_t k);

/* deploy.c: waits for as long as the server lives until its views are made by the newest rules;
 * `what` is shown meanwhile. *status, the caller's, is what /v1/rules/status says then. False: said
 * why. */
bool rules_wait_served(struct cli *c, const char *what, struct json_t **status);

#endif
