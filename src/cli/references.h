/* Tables of rows that `crumb reference` tells, each as an array of objects, which is the caller's.
 * One thread. Where memory is missing the program ends: half a table would become half a page. */
#ifndef CRUMB_SRC_CLI_REFERENCES_H
#define CRUMB_SRC_CLI_REFERENCES_H

#include "crumb/cli/cli.h"

#include <jansson.h>

/* Adds an object to an array, and takes it. */
static inline void reference_add(json_t *rows, json_t *row)
{
	CHECK(json_array_append_new(rows, row) == 0);
}

/* reference_records.c: records of the journal */
json_t *reference_records(const struct cli *c);

/* reference_routes.c: routes of the admin listener, and what each of them may answer besides */
json_t *reference_routes(const struct cli *c);
json_t *reference_route_answers(const struct cli *c);
json_t *reference_collect_routes(const struct cli *c); /* of the collect listener */

/* reference_partners.c: what audiences are written in, and how they go */
json_t *reference_formats(const struct cli *c);
json_t *reference_ways(const struct cli *c);
json_t *reference_signings(const struct cli *c);
/* reference_trackers.c */
json_t *reference_trackers(const struct cli *c);
/* reference_rules.c: fields that rules look at, keys of the maps in a file of rules, forms of
 * conditions */
json_t *reference_fields(const struct cli *c);
json_t *reference_maps(const struct cli *c);
json_t *reference_forms(const struct cli *c);

#endif
