/* Inside the command line: what several commands about rules share. One thread; JSON that is
 * returned is the caller's. */
#ifndef CRUMB_SRC_CLI_FINDINGS_H
#define CRUMB_SRC_CLI_FINDINGS_H

#include "crumb/cli/cli.h"
#include "crumb/yaml/report.h"

struct json_t;

struct json_t *findings_json(const struct report *r);
/* Prints findings to stderr as a compiler does. `path` is what was read. */
void rules_print_findings(const char *path, const struct report *r);

/* diff.c: compares two folders or files of rules, on live data. `old` NULL: the rules that serve.
 * Returns NULL: it was said why. */
struct json_t *diff_json(struct cli *c, const char *old, const char *fresh);
void diff_print(const struct json_t *diff, uint32_t k);

/* deploy.c: waits until the server's views are made by the newest rules, for as long as the server
 * lives; `what` is shown meanwhile. *status is then what /v1/rules/status says. False: it was said
 * why. */
bool rules_wait_served(struct cli *c, const char *what, struct json_t **status);

#endif
