/* YAML that people wrote: values with their places, and mistakes told where they are. Rules, tests
 * of rules, destinations and the configuration are read with these functions.
 *
 * A function that reads a value reports what is wrong with it and goes on, so that one run names
 * every mistake; it returns false when the value could not be used. A struct yaml belongs to one
 * thread. Values that are read are views of the document until yaml_close(), unless it is said that
 * they are kept in the arena. */
#ifndef CRUMB_YAML_YAML_H
#define CRUMB_YAML_YAML_H

#include "crumb/base/arena.h"
#include "crumb/yaml/report.h"

#include <yaml.h>

/* A file that is being read. Whoever reads it sets the first four fields; the others belong to
 * yaml_open() and yaml_close(). */
struct yaml {
	struct arena *arena;   /* keeps what is taken from it; not owned */
	struct report *report; /* takes the mistakes; not owned */
	const char *file;      /* its name in reports; lives as long as what is kept */
	struct str text;       /* of the file */
	size_t *lines;	       /* where each line begins, in bytes */
	size_t lines_n;
	size_t *characters; /* where every 128th character begins, in bytes */
	size_t characters_n;
	yaml_document_t document;
	bool open; /* there is a document */
};

/* Parses the text. NULL: nothing is in it, or it is no YAML, which was reported. Nodes live until
 * yaml_close(), which is called in any case. */
const yaml_node_t *yaml_open(struct yaml *y);
void yaml_close(struct yaml *y);

struct yaml_place yaml_at(const struct yaml *y, const yaml_node_t *n);
/* Where byte `offset` of a scalar's value stands in the file, quotes, folding and blocks
 * considered. */
struct yaml_place yaml_at_offset(
    const struct yaml *y, const yaml_node_t *n, size_t offset, size_t length);
/* The bytes of the file in which the node stands, quotes and brackets included. The end of a block
 * (lines below a key, '|', '>') may lie beyond its last line. */
void yaml_span(const struct yaml *y, const yaml_node_t *n, size_t *from, size_t *to);
void yaml_complain(struct yaml *y, const yaml_node_t *n, const char *code, const char *hint,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void yaml_warn(struct yaml *y, const yaml_node_t *n, const char *code, const char *hint,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
const yaml_node_t *yaml_node(const struct yaml *y, int at);
/* A word or a text, not empty, readable. */
bool yaml_text(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out);
/* The same, but it may be empty. */
bool yaml_plain(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out);
/* As yaml_text(), for values that other readers of YAML would not take for text when unquoted: NO,
 * yes, null, 012, 1:30. */
bool yaml_value(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out);
/* What readers of YAML 1.1 take an unquoted word for, if not for text: "true", "an octal number";
 * NULL: for text. */
const char *yaml_taken_for(struct str s);
bool yaml_count(
    struct yaml *y, const yaml_node_t *n, const char *what, long min, long max, long *out);
bool yaml_truth(struct yaml *y, const yaml_node_t *n, const char *what, bool *out);
char *yaml_kept(struct yaml *y, struct str s); /* a copy in the arena, with a zero behind it */
/* As yaml_text(), kept. *out stays as it is where there is none. */
void yaml_keep(struct yaml *y, const yaml_node_t *n, const char *what, char **out);
/* An id: letters, digits, '_' and '-', with dots between parts. Kept likewise. */
void yaml_id(struct yaml *y, const yaml_node_t *n, char **out);
#define YAML_ID_PATTERN "^[A-Za-z0-9_][A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+)*$"
#define YAML_ID_MOST 128 /* bytes of an id */
/* The version of rules, of their tests and of destinations. Anything but YAML_VERSION is reported.
 */
void yaml_version(struct yaml *y, const yaml_node_t *n);
#define YAML_VERSION "1"
/* A list of words, or one word; kept in the arena. */
bool yaml_words(
    struct yaml *y, const yaml_node_t *n, const char *what, struct str **out, unsigned *out_n);

/* What a value is, for whoever makes a schema or a table of the rows. */
enum yaml_shape {
	KEY_ANY,     /* nothing is said of it */
	KEY_TEXT,    /* a text; `pattern` and `max` characters, where they are given, bound it */
	KEY_COUNT,   /* a whole number from `min` to `max` */
	KEY_NUMBER,  /* any number */
	KEY_TRUTH,   /* true or false */
	KEY_CHOICE,  /* one of `words` */
	KEY_WORDS,   /* a word, or a list of words; at most `max`, where it is given */
	KEY_VALUES,  /* a list of words and numbers, one at least */
	KEY_MAPS,    /* a list of maps like `of`, or nothing */
	KEY_MATCHES, /* a list of maps from fields that rules look at to their patterns */
	KEY_PARTS,   /* a text, a list of words, or a map like `of` */
	KEY_MAX
};

struct yaml_table;
struct yaml_key {
	const char *name;
	void (*load)(struct yaml *y, const yaml_node_t *value, void *into);
	const char *aliases; /* NULL, or what people write instead, which is a mistake: "to|goes" */
	enum yaml_shape shape;
	const char *says; /* NULL, or a sentence for whoever writes the file, in Markdown */
	const char *pattern, *words; /* a regular expression; "a|b" */
	long min, max;
	const struct yaml_table *of;
};
/* The keys of a map, and which of them must be there. Loading says the latter in its own words;
 * these are for schemas. */
struct yaml_table {
	const char *name, *what; /* "segment", "a segment" */
	const struct yaml_key *keys;
	size_t keys_n;
	const char *required; /* NULL, or "a|b": each */
	const char *any_of;   /* NULL, or "a|b": one of them, or several */
	const char *one_of;   /* NULL, or "a|b": exactly one … */
	const char *or_else;  /* … or none, and each of these */
};
#define YAML_KEYS(k) .keys = (k), .keys_n = sizeof(k) / sizeof *(k)

/* Read a map by its keys: `load` of each key that is there is called with its value and `into`.
 * Unknown and repeated keys are reported. */
bool yaml_map(struct yaml *y, const yaml_node_t *n, const char *what, const struct yaml_key *keys,
    size_t keys_n, void *into);
bool yaml_read(struct yaml *y, const yaml_node_t *n, const struct yaml_table *t, void *into);
/* Calls `each` for every item of a list. */
bool yaml_list(struct yaml *y, const yaml_node_t *n, const char *what,
    void (*each)(struct yaml *y, const yaml_node_t *item, void *into), void *into);

#endif
