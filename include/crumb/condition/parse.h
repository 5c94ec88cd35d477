/* The language of conditions: its parser, and what is derived from what was parsed. One thread,
 * before the rules are shared. */
#ifndef CRUMB_CONDITION_PARSE_H
#define CRUMB_CONDITION_PARSE_H

#include "crumb/rules/rules.h"

/* Parses a condition into nodes of r, which nobody else may use yet; `root` is the index of its
 * top. A sum that no segment asks for is refused, for it cannot be counted. */
enum err rules_condition(
    struct rules *r, struct str text, struct report *report, int *root) MUST_CHECK;
/* The same for a condition that is not counted: it may ask for any sum. */
enum err rules_condition_said(
    struct rules *r, struct str text, struct report *report, int *root) MUST_CHECK;

struct condition_place {
	struct yaml_place (*locate)(const void *arg, size_t offset, size_t length);
	const void *arg;
};
bool condition_parse(struct rules *r, struct str text, const struct condition_place *place,
    struct report *report, int *root);
/* One category in full or by a last part, and a window such as "14d", where they stand alone: found
 * or refused as they are in conditions. */
bool condition_category(struct rules *r, struct str text, const struct condition_place *place,
    struct report *report, uint16_t *category);
bool condition_days(struct rules *r, struct str text, const struct condition_place *place,
    struct report *report, uint8_t *days);
/* Joins a parsed condition with the model of a lookalike. */
int condition_and_like(struct rules *r, int root, uint16_t segment);

void rules_link(struct rules *r, struct report *report);
void rules_link_nodes(
    struct rules *r, int root); /* windows and sums of a condition that no segment has */
/* What a condition means: the `definition` of a segment that had it and no end. Any thread. */
struct hash16 rules_definition(const struct rules *r, int root);

#endif
