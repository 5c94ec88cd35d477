/* Inside the command line: what several commands about rules share. */
#ifndef CRUMB_CLI_RULES_INSIDE_H
#define CRUMB_CLI_RULES_INSIDE_H

#include "crumb/cli/cli.h"
#include "crumb/rules/report.h"

struct json_t *findings_json(const struct report *r);

#endif
