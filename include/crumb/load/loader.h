/* Reading YAML, for rules and destinations. One loader reads one bundle; its functions report mistakes and go on, so that one run
 * names them all. A function that could not use a value returns false. */
#ifndef CRUMB_LOAD_LOADER_H
#define CRUMB_LOAD_LOADER_H

#include "crumb/rules/rules.h"

#include <yaml.h>

struct loader {
	struct rules *r;
	struct report *report;
	bool stored; /* rules that were taken once: what was no mistake then is none */
	const char *file; /* kept in the rules' arena */
	struct str text;  /* of the file */
	size_t *lines;	  /* where each line begins */
	size_t lines_n;
	yaml_document_t *doc;
	struct map patterns; /* key -> number */
	size_t patterns_cap, categories_cap, segments_cap, vocabularies_cap;
	struct {
		struct str name, text; /* views of the bundle */
	} * models;
	size_t models_n, models_cap;
};

/* --- yaml.c */

struct rules_at yaml_at(const struct loader *l, const yaml_node_t *n);
/* Where byte `offset` of a scalar's value stands in the file, quotes, folding and blocks considered. */
struct rules_at yaml_at_offset(const struct loader *l, const yaml_node_t *n, size_t offset, size_t length);
void complain(struct loader *l, const yaml_node_t *n, const char *code, const char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void warn(struct loader *l, const yaml_node_t *n, const char *code, const char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
const yaml_node_t *yaml_node(const struct loader *l, int at);
/* A word or a text, not empty, readable. */
bool yaml_text(struct loader *l, const yaml_node_t *n, const char *what, struct str *out);
/* The same for values that other readers of YAML would not take for text when unquoted: NO, yes, null, 012, 1:30. */
bool yaml_value(struct loader *l, const yaml_node_t *n, const char *what, struct str *out);
bool yaml_count(struct loader *l, const yaml_node_t *n, const char *what, long min, long max, long *out);
bool yaml_truth(struct loader *l, const yaml_node_t *n, const char *what, bool *out);
/* A list of words, or one word; kept in the arena. */
bool yaml_words(struct loader *l, const yaml_node_t *n, const char *what, struct str **out, unsigned *out_n);

/* An id: letters, digits, '_' and '-', with dots between parts. Kept in the arena. */
void yaml_id(struct loader *l, const yaml_node_t *n, char **out);

struct yaml_key {
	const char *name;
	void (*load)(struct loader *l, const yaml_node_t *value, void *into);
	const char *instead; /* NULL, or: this key is a usual mistake, and that is the right one */
};
/* Reads a map by its table of keys; unknown and repeated ones are reported. */
bool yaml_map(struct loader *l, const yaml_node_t *n, const char *what, const struct yaml_key *keys, size_t keys_n, void *into);
/* Calls `each` for every item of a list. */
bool yaml_list(
    struct loader *l, const yaml_node_t *n, const char *what, void (*each)(struct loader *l, const yaml_node_t *item, void *into), void *into);
/* Parses the file that `l` is at; false: it is no YAML, which was reported. */
bool yaml_open(struct loader *l, yaml_document_t *doc);

/* --- loader.c */
char *load_kept(struct loader *l, struct str s); /* a copy that lives as long as the rules, with a zero behind it */
void load_words(struct loader *l, const yaml_node_t *n, const char *what, char **out); /* a text, kept */
void load_labels(struct loader *l, const yaml_node_t *n, struct labels *out);
/* --- vocabulary.c */
void load_vocabulary(struct loader *l, const yaml_node_t *n, void *into);
/* --- pattern.c */
bool load_clauses(struct loader *l, const yaml_node_t *n, struct clauses *out);
#endif
