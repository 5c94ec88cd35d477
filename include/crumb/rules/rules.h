/* Rules: what marketers wrote, compiled. Immutable once loaded, hashed, shared by reference count between threads.
 *
 * A rule set is loaded from a *bundle*: the files of a folder with their names, in order of name, as one msgpack array
 * [name, text, name, text …]. The same bundle gives the same ids everywhere: categories are numbered by their id in
 * order (0 is "every event"), segments likewise. A state generation is built for exactly one bundle and keeps it.
 *
 * Grammar of a condition (RULES.md explains it to marketers):
 *
 *     or    := and ("or" and)*
 *     and   := not ("and" not)*
 *     not   := "not" not | "(" or ")" | test
 *     test  := category [op number] ["in" days]
 *            | "days" "(" category ")" op number ["in" days]
 *            | "last" "(" category ")" "within" days
 *            | category "then" category "within" days
 *            | fact ("=" | "!=") word | fact ["not"] "in" "(" word, … ")"
 *            | "visits" op number ["in" days] | "attr." name op (word | number)
 *            | "segment" "(" segment ")" */
#ifndef CRUMB_RULES_RULES_H
#define CRUMB_RULES_RULES_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/core/config.h"
#include "crumb/model/event.h"
#include "crumb/model/profile.h"

#include <stdatomic.h>

#define RULES_CATEGORIES_MAX 65000
#define RULES_SEGMENTS_MAX 65000
#define RULES_HASH_TEXT 33

enum test_field { FIELD_PATH, FIELD_HOST, FIELD_EVENT, FIELD_ATTR, FIELD_LEAF };
struct pattern {
	struct str text;
	uint64_t leaf; /* FIELD_LEAF: the name by which events carry it */
};
struct test {
	enum test_field field;
	struct str attr; /* FIELD_ATTR */
	struct pattern *any;
	unsigned any_n;
};
struct clause {
	struct test *tests; /* all must hold */
	unsigned tests_n;
};
struct clauses {
	struct clause *list;
	unsigned n;
};

struct category {
	char *id, *name;
	long iab;
	int parent; /* index, or -1 */
	bool named; /* a rule names it; false: it exists by being part of a child's id */
	struct clauses any, all, none;
	uint64_t *segments;		    /* bits: which segments can change when this category's counts do */
	uint8_t windows[RETENTION_MAX + 1]; /* sorted days after which one of its rows leaves some window */
	unsigned windows_n;
};

enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_COUNT, NODE_DAYS, NODE_THEN, NODE_FACT, NODE_ATTR, NODE_SEGMENT };
enum node_op { OP_GE, OP_GT, OP_LE, OP_LT, OP_EQ, OP_NE };
enum fact { FACT_COUNTRY, FACT_REGION, FACT_DEVICE, FACT_OS, FACT_BROWSER, FACT_MAX };
extern const char *const fact_names[FACT_MAX];

struct rule_node {
	enum node_kind kind;
	enum node_op op;
	uint16_t cat, then, segment;
	uint8_t window; /* days; 0 = all that is retained */
	uint32_t n;
	int left, right; /* children, index of node */
	enum fact fact;
	struct str attr;
	struct str *words; /* FACT, ATTR */
	unsigned words_n;
	double number; /* ATTR with a numeric comparison */
	bool numeric;
};

struct segment {
	char *id, *name, *when;
	long iab;
	int root;
	bool page;	   /* a destination is `page` */
	bool destinations; /* it names some */
};

/* A leaf: a pattern on a field that is not kept. */
struct leaf {
	uint64_t name;
	enum { LEAF_TITLE, LEAF_URL, LEAF_PARAM } field;
	struct str param;
	struct str pattern; /* title: folded words; url and parameters: a glob */
};

struct rules {
	_Atomic int refs;
	uint8_t hash[16];
	char hash_text[RULES_HASH_TEXT];
	struct buf bundle;
	struct category *categories; /* [0] is every event */
	size_t categories_n;
	struct segment *segments;
	size_t segments_n;
	struct rule_node *nodes;
	size_t nodes_n;
	struct leaf *leaves;
	size_t leaves_n;
	uint64_t *fact_segments; /* bits: segments that can change when facts or attributes do */
	bool any_destination;	 /* some segment names destinations: then /segments shows only those of `page` */
	struct arena_block *arena;
};

/* Reads *.yaml and *.yml of a folder into a bundle. */
enum err rules_read(const char *folder, struct buf *bundle) MUST_CHECK;
/* Compiles; on failure err_text() begins with file:line:column. The result has one reference. */
enum err rules_load(struct str bundle, struct rules **out) MUST_CHECK;
struct rules *rules_ref(struct rules *r);
void rules_unref(struct rules *r);

int rules_category(const struct rules *r, struct str id); /* exact id, or -1 */
int rules_segment(const struct rules *r, struct str id);

/* --- events */

struct leaf_input {
	struct str title, url;
	const struct attr *params; /* p_NAME without the prefix */
	unsigned params_n;
};
/* Which leaves match on the fields that are about to be dropped; at most EVENT_LEAVES_MAX are written. */
unsigned rules_leaves(const struct rules *r, const struct leaf_input *in, uint64_t *out);
/* Categories of an event, ancestors included, each once, without category 0, sorted. `out` holds categories_n numbers. */
unsigned rules_categorise(const struct rules *r, const struct event *e, uint16_t *out);
bool rules_path_glob(struct str pattern, struct str path); /* '*' within a segment, '**' any number of segments */
/* Folds text for word matching: lower case, accents off, one blank between and around words. Returns bytes written (≤ cap). */
size_t rules_fold_words(struct str text, char *out, size_t cap);

/* --- visitors */

bool rules_eval(const struct rules *r, uint16_t segment, const struct profile *p, uint16_t today);
/* The next day, after `today`, on which anything about the profile can change by time alone: a row, a fact or a window
 * ends. Something retained always ends, so there is one for every profile that is not empty. */
uint16_t rules_next_due(const struct rules *r, const struct profile *p, uint16_t today, unsigned retention);
/* The first day after `today` on which a member would no longer be one if nothing more is observed. */
uint16_t rules_member_until(const struct rules *r, uint16_t segment, const struct profile *p, uint16_t today, unsigned retention);
/* Evaluates every segment: writes the sorted numbers of those that hold to `out` (segments_n places). */
unsigned rules_eval_all(const struct rules *r, const struct profile *p, uint16_t today, uint16_t *out);

/* --- inside the layer */

void *rules_alloc(struct rules *r, size_t n); /* zeroed, lives as long as the rules */
struct str rules_keep(struct rules *r, struct str s);
/* Where text came from, for messages. */
struct rules_at {
	const char *file;
	size_t line, column; /* from 1 */
};
enum err rules_complain(const struct rules_at *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Parses a condition into nodes of r; `root` is the index of its top. Categories must be known already. */
enum err rules_condition(struct rules *r, struct str text, const struct rules_at *at, int *root) MUST_CHECK;
/* Fills what is derived from conditions: windows, which segments depend on what; refuses cycles. */
enum err rules_link(struct rules *r, const struct rules_at *at_of_segment) MUST_CHECK;

#endif
