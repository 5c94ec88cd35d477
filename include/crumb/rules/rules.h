/* Rules: what marketers wrote, compiled. Immutable once loaded, hashed, shared by reference count
 * between threads: whoever keeps a rule set holds a reference, and any thread reads it.
 *
 * A rule set is loaded from a *bundle*: the files of a folder with their names, in order of name,
 * as one msgpack array [name, text, name, text …]. The same bundle gives the same numbers
 * everywhere: categories are numbered by their id in order (0 is "every event"), segments likewise.
 * A state generation is built for exactly one bundle and keeps it. load/load.h says how a bundle
 * becomes a rule set.
 *
 * What a rule set knows:
 *
 *     attributes   closed vocabularies: which values an attribute may have
 *     patterns     every distinct pattern of all rules, once; match/match.h finds those that an
 *                  event matches
 *     categories   lists of clauses of tests of patterns; a tree by their ids
 *     segments     conditions (nodes) over profiles; condition/eval.h decides them
 *     journeys     ways from one category to others, for the report
 *
 * Grammar of a condition (docs/RULES.md explains it to marketers):
 *
 *     or     := and ("or" and)*
 *     and    := not ("and" not)*
 *     not    := "not" not | "(" or ")" | test
 *     test   := category [amount] ["in" days]
 *             | ("days" "(" category ")" | "visits" | "sum" "(" "v" "of" category ")")
 *               amount ["in" days]
 *             | ("last" | "first") "(" category ")" "within" days
 *             | category "then" category "within" days
 *             | fact ("=" | "!=") word
 *             | fact ["not"] "in" "(" word, … ")"
 *             | "attr." name ( op (word | number)
 *                            | "between" number "and" number
 *                            | ["not"] "in" "(" … ")" )
 *             | "segment" "(" segment ")"
 *     amount := op number | "between" number "and" number */
#ifndef CRUMB_RULES_RULES_H
#define CRUMB_RULES_RULES_H

#include "crumb/base/arena.h"
#include "crumb/base/map.h"
#include "crumb/core/config.h"
#include "crumb/core/hash.h"
#include "crumb/model/event.h"
#include "crumb/model/profile.h"
#include "crumb/rules/fields.h"
#include "crumb/yaml/report.h"

#include <stdatomic.h>

#define RULES_CATEGORIES_MAX 65000
#define RULES_SEGMENTS_MAX 65000
#define RULES_JOURNEYS_MAX 100
#define JOURNEY_STEPS_MAX 8
#define RULES_HASH_TEXT 33

/* --- patterns */

enum pattern_kind {
	PATTERN_EXACT,
	PATTERN_GLOB,
	PATTERN_PATH,
	PATTERN_WORDS,
	PATTERN_REGEX,
	PATTERN_RANGE
};

struct range {
	double lo, hi;
	bool lo_out, hi_out; /* the bound itself is outside */
};
static inline bool range_has(const struct range *r, double v)
{
	bool above = r->lo_out ? v > r->lo : v >= r->lo;
	bool below = r->hi_out ? v < r->hi : v <= r->hi;
	return above && below;
}
/* A value that is a number and nothing else. */
bool rules_number(struct str s, double *out);
bool range_parse(struct str s, struct range *out); /* 10..50, 10.., ..50, >= 10, < 50 */

struct pattern {
	enum rule_field field;
	enum pattern_kind kind;
	struct str name; /* ATTR, PARAM */
	/* lower case where case does not matter; WORDS: folded, " a b "; REGEX: with its slashes */
	struct str text;
	struct range range;
	uint64_t leaf;	      /* fields that are not kept: the name by which events carry it */
	struct yaml_place at; /* where it was first written */
};
struct test {
	enum rule_field field;
	uint32_t *any; /* numbers of patterns; one must match */
	struct yaml_place *at;
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

/* --- attributes, categories, segments */

struct labels {
	struct str *list;
	unsigned n;
};

/* The value of an attribute that stands for a partner's segment. */
#define VOCABULARY_MEMBER "member"

/* A closed vocabulary: an attribute may have one of these values, or a number in the range. An
 * attribute with a source is set by that partner's files only, never by pages. */
struct vocabulary {
	char *id, *name;
	/* NULL; or the partner, and its name for the segment that this attribute stands for */
	char *source, *segment;
	struct labels labels;
	struct str *values;
	unsigned values_n;
	bool ranged;
	struct range range;
	uint64_t hash; /* of what it allows: its history begins where this was first in force */
	struct yaml_place at;
};

struct category {
	char *id, *name;
	long iab;
	int parent;    /* index, or -1 */
	bool namesake; /* another has the same name */
	bool named;    /* a rule names it; false: it exists by being part of a child's id */
	bool sensitive;
	bool summed; /* some condition asks for sum(v of it) */
	struct labels labels;
	struct clauses any, all, none;
	struct hash16 definition; /* of what makes an event belong to it, children included */
	struct hash16 own;	  /* of its own patterns alone, whatever its id */
	uint64_t *segments; /* bits: which segments can change when this category's counts do */
	/* after so many days one of its rows leaves the window of some condition; sorted */
	uint8_t windows[RETENTION_MAX + 1];
	unsigned windows_n;
	struct yaml_place at;
};

enum node_kind {
	NODE_AND,
	NODE_OR,
	NODE_NOT,
	NODE_COUNT,
	NODE_DAYS,
	NODE_SUM,
	NODE_FIRST,
	NODE_THEN,
	NODE_FACT,
	NODE_ATTR,
	NODE_SEGMENT,
	NODE_LIKE, /* the model of the lookalike `segment` finds them */
	NODE_NEVER /* stands where a mistake was */
};
enum node_op { OP_GE, OP_GT, OP_LE, OP_LT, OP_EQ, OP_NE, OP_BETWEEN };

struct rule_node {
	enum node_kind kind;
	enum node_op op;
	uint16_t cat, then, segment;
	uint8_t window;	 /* days; 0 = all that is retained */
	int64_t n, n2;	 /* COUNT, DAYS: amounts; SUM: in millionths; n2: up to it, of BETWEEN */
	int left, right; /* children, index of node */
	enum fact fact;
	struct str attr;
	struct str *words; /* FACT, ATTR */
	unsigned words_n;
	bool numeric; /* ATTR with a numeric comparison: */
	struct range range;
	struct str text; /* as written */
};

struct lookalike;

struct segment {
	struct lookalike *like; /* NULL: by a condition alone */
	char *id, *name, *when, *owner;
	bool namesake; /* another has the same name */
	long iab;
	int root;
	struct str *destinations;
	unsigned destinations_n;
	bool paused;	 /* counted, but handed to nobody */
	uint16_t until;	 /* last day on which anybody is in it; 0: no end */
	long alert;	 /* tell when the size is below; 0: never */
	unsigned target; /* per cent that are handed out; the others are held out. 100: no split */
	bool sensitive;	 /* depends on a sensitive category */
	struct labels labels;
	struct hash16 definition; /* of its condition with all that it names, and of what ends it */
	struct yaml_place at, when_at;
	/* of each byte of the condition; NULL: they follow when_at in one line */
	const struct yaml_place *places;
};

/* The way from one category to others: "from coats to the cart and the till, within 14 days". It is
 * told in the report only, and changes neither categories nor segments. */
struct journey {
	char *id, *name;
	uint16_t from, steps[JOURNEY_STEPS_MAX]; /* categories, no two alike */
	unsigned steps_n;			 /* 1 at least */
	uint8_t within; /* days, 1 at least; 1: the day on which it began, and no other */
	struct yaml_place at, within_at;
};

struct rules_matcher; /* src/match/matcher.h */

/* Constant once rules_load() has returned it, but for the two fields that say otherwise. */
struct rules {
	_Atomic int refs; /* shared; the last to let go frees all of it */
	uint8_t hash[16];
	char hash_text[RULES_HASH_TEXT];
	struct buf bundle;
	struct pattern *patterns;
	size_t patterns_n;
	struct category *categories; /* [0] is every event */
	size_t categories_n;
	struct segment *segments;
	size_t segments_n;
	struct journey *journeys; /* in the order in which they are written; of the arena */
	size_t journeys_n;
	struct vocabulary *vocabularies;
	size_t vocabularies_n;
	struct rule_node *nodes;
	size_t nodes_n, nodes_cap;
	uint64_t *fact_segments; /* bits: segments that can change when facts or attributes do */
	/* some segment names destinations: then pages are shown only segments of `page` */
	bool any_destination;
	bool any_leaf;		 /* some pattern is on a field that is not kept */
	bool uses_circumstances; /* some pattern is on place or device */
	bool any_until;		 /* some segment has a last day */
	/* segments name each other in a circle, or too deeply: nothing may follow what they name */
	bool tangled;
	struct map category_ids, segment_ids, vocabulary_ids; /* id -> place in the array */
	struct map last_parts; /* ending of a category's id -> its place, or RULES_AMBIGUOUS */
	/* made by the first rules_match_begin(), under its lock; constant from then on */
	struct rules_matcher *matcher;
	void (*matcher_free)(struct rules_matcher *m); /* of whoever made it */
	struct arena arena; /* of all texts and lists that the others point to */
};
#define RULES_AMBIGUOUS UINT32_MAX

struct rules *rules_ref(struct rules *r);
void rules_unref(struct rules *r);

int rules_category(const struct rules *r, struct str id); /* exact id, or -1 */
int rules_segment(const struct rules *r, struct str id);
/* The same for names that somebody typed: ERR_NOT_FOUND says which may have been meant. */
enum err rules_find_segment(const struct rules *r, struct str id, uint16_t *out) MUST_CHECK;
enum err rules_find_lookalike(const struct rules *r, struct str id, uint16_t *out) MUST_CHECK;
enum err rules_find_journey(const struct rules *r, struct str id, uint16_t *out) MUST_CHECK;
const struct vocabulary *rules_vocabulary(const struct rules *r, struct str attr);
/* The attribute that stands for a partner's segment; NULL: none is declared. */
const struct vocabulary *rules_partner_segment(
    const struct rules *r, struct str partner, struct str segment);
#define RULES_LISTER "crumb rules check" /* lists every mistake of rules and destinations */
/* Where a part of a segment's condition stands; what is no part of it is said of the whole. */
struct yaml_place rules_segment_at(const struct segment *s, struct str part);
bool segment_goes_to(const struct segment *s, struct str destination); /* by name of one */
/* "active", "paused", or "ended" when its last day is over. */
const char *segment_state(const struct segment *s, uint16_t today);

/* May an attribute have this value? *value becomes the spelling that is declared. */
bool rules_value(const struct vocabulary *v, struct str *value);
/* May an event keep this value of an attribute? */
bool rules_attr(const struct rules *r, struct str name, struct str *value);
/* Removes from an event what the vocabularies do not allow; returns how many values went. */
unsigned rules_close(const struct rules *r, struct event *e);

#endif
