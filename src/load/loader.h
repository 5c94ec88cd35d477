/* Reading rules: what is made of one bundle, while its files are read one after the other. One
 * thread for each loader; what is kept goes to the arena of the rules. */
#ifndef CRUMB_SRC_LOAD_LOADER_H
#define CRUMB_SRC_LOAD_LOADER_H

#include "crumb/yaml/yaml.h"
#include "crumb/rules/rules.h"

#define IAB_LAST 1679 /* of Audience Taxonomy 1.1 */

/* A name or a window as it is written, until it can be looked up. */
struct written_text {
	struct str text;
	struct yaml_place at;
};
/* A journey whose categories have no numbers yet. */
struct journey_written {
	struct journey journey;
	struct written_text from, within, steps[JOURNEY_STEPS_MAX];
	unsigned steps_n;
};

struct loader {
	struct yaml yaml; /* first: loader_of() */
	struct rules *r;
	bool stored; /* the rules were in force once: what was no mistake then is none now */
	struct map patterns; /* key (pattern.c) -> number */
	size_t patterns_cap, categories_cap, segments_cap, vocabularies_cap;
	struct {
		struct str name, text; /* views of the bundle */
	} * models;
	size_t models_n, models_cap;
	struct journey_written *journeys;
	size_t journeys_n, journeys_cap;
};

/* The loader whose YAML this is. */
static inline struct loader *loader_of(struct yaml *y)
{
	return (struct loader *)y;
}

/* --- category.c, segment.c, vocabulary.c, journey.c: one entry of a section, and its keys */
extern const struct yaml_table category_table, segment_table, lookalike_table, vocabulary_table,
    journey_table;
void load_category(struct yaml *y, const yaml_node_t *n, void *into);
void load_segment(struct yaml *y, const yaml_node_t *n, void *into);
void load_lookalike(struct yaml *y, const yaml_node_t *n, void *into);
void load_vocabulary(struct yaml *y, const yaml_node_t *n, void *into);
void load_journey(struct yaml *y, const yaml_node_t *n, void *into);
void number_journeys(struct loader *l); /* once categories have their numbers */
/* --- pattern.c */
bool load_clauses(struct yaml *y, const yaml_node_t *n, struct clauses *out);
#endif
