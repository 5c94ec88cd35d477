/* Reading rules: what is made of one bundle, while its files are read one after the other. */
#ifndef CRUMB_LOAD_LOADER_H
#define CRUMB_LOAD_LOADER_H

#include "crumb/yaml/yaml.h"
#include "crumb/rules/rules.h"

#define IAB_LAST 1679 /* of Audience Taxonomy 1.1 */

struct loader {
	struct yaml yaml; /* first: loader_of() */
	struct rules *r;
	bool stored;	     /* rules that were taken once: what was no mistake then is none */
	struct map patterns; /* key -> number */
	size_t patterns_cap, categories_cap, segments_cap, vocabularies_cap;
	struct {
		struct str name, text; /* views of the bundle */
	} * models;
	size_t models_n, models_cap;
};

/* The loader whose YAML this is. Only rules and their tests are read with one. */
static inline struct loader *loader_of(struct yaml *y)
{
	return (struct loader *)y;
}

/* --- loader.c */
/* An id: letters, digits, '_' and '-', with dots between parts. Kept in the arena. */
void yaml_id(struct yaml *y, const yaml_node_t *n, char **out);
void load_words(
    struct yaml *y, const yaml_node_t *n, const char *what, char **out); /* a text, kept */
void load_labels(struct yaml *y, const yaml_node_t *n, struct labels *out);
#define ID_PATTERN "^[A-Za-z0-9_][A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+)*$"
#define ID_MOST 128
/* --- category.c, segment.c, vocabulary.c: one entry of a section, and its keys */
extern const struct yaml_table category_table, segment_table, lookalike_table, vocabulary_table;
void load_category(struct yaml *y, const yaml_node_t *n, void *into);
void load_segment(struct yaml *y, const yaml_node_t *n, void *into);
void load_lookalike(struct yaml *y, const yaml_node_t *n, void *into);
void load_vocabulary(struct yaml *y, const yaml_node_t *n, void *into);
/* --- pattern.c */
bool load_clauses(struct yaml *y, const yaml_node_t *n, struct clauses *out);
#endif
