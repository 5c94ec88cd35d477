/* Inside match: the matcher of a rule set, which finds the patterns that match.
 *
 * A rule set may have 100,000 patterns, and an event has some twenty values. So the question is
 * turned round: not whether a pattern matches, but which patterns a value can match. For that each
 * kind of pattern has an index, in which the value or a piece of it is looked up:
 *
 *     kind    for example           looked up               in
 *     exact   campaign: spring26    the whole value         exact, by field, name and value
 *     leaf    (was matched before)  its eight bytes         leaves
 *     path    path: /sale-*         one segment at a time   paths, a trie (trie.h)
 *     words   title: winter coat    each word of the title  words, by the pattern's rarest word
 *     affix   campaign: summer*     beginnings and ends     affixes, by field, end, name, literal
 *     glob    campaign: *sale*26    the whole value, once   scans (scanner.h); then the glob itself
 *     regex   campaign: /^s[0-9]/   the whole value, once   scans
 *     range   attr.age: 20..30      its name                ranges, then each range of that name
 *
 * Rarest word: a pattern of words is listed under one word only, that which the fewest patterns
 * have. With "winter coat", "winter boots" and "winter", coat lists the first, boots the second and
 * winter the third. The title "new winter coat" looks up its three words, and two patterns are
 * compared with it in full, however many patterns say winter.
 *
 * Affixes: a glob with one star at an end is its literal at the other. The lengths that such
 * literals have are kept by field and end, so that only pieces of these lengths are looked up. With
 * "winter*", "summer*" and "*-sale" the value "winter-boots-sale" is looked up twice: its first six
 * bytes and its last five. A literal of a 25th length is scanned for like any other.
 *
 * From a pattern to the categories in which it stands: categories[from[i]] … categories[from[i + 1]
 * - 1], one array of numbers for all patterns:
 *
 *     from         0     2  3        6          pattern 0 stands in the categories 4 and 9,
 *                  │     │  │        │          pattern 1 in 4, pattern 2 in 1, 7 and 9
 *     categories   4  9  4  1  7  9
 *
 * Cost: 8 bytes a pattern for `next` and `from`, 4 bytes for each category that it stands in, an
 * entry in one of the maps (48 to 96 bytes and the key). Made once for a rule set, by whoever asks
 * first; from then on it is constant, and any thread reads it without a lock. */
#ifndef CRUMB_SRC_MATCH_MATCHER_H
#define CRUMB_SRC_MATCH_MATCHER_H

#include "crumb/base/map.h"
#include "crumb/match/match.h"
#include "scanner.h"
#include "trie.h"

#define MATCH_NONE UINT32_MAX /* the end of a list of patterns */
#define KEY_MAX                                                                                    \
	512 /* bytes of a key of exact, affixes and ranges; what is longer is scanned for          \
	     */
#define LENGTHS_MAX 24 /* different lengths of affixes, of one field and end */

/* How one field that some rule wants is looked at. Made of the field's row. */
enum way {
	WAY_TRIE,   /* a text, along the paths */
	WAY_WORDS,  /* a text, by its words */
	WAY_TEXT,   /* a text as a whole */
	WAY_BELOW,  /* a host, and every host that it is below of */
	WAY_NUMBER, /* a number, by its word */
	WAY_COUNTRY,
	WAY_REGION,
	WAY_ATTRS,    /* the texts of all attributes */
	WAY_PARAMS,   /* the texts of all parameters */
	WAY_FUNCTION, /* a text that the row's function computes */
};
struct step {
	enum way way;
	enum rule_field field;
	size_t at;		  /* offset in struct event, or in struct leaf_input */
	const char *const *words; /* NUMBER */
};
struct steps {
	struct step list[2 * FIELD_MAX]; /* a field may want two: its words, and the whole */
	unsigned n;
};

struct rules_matcher {
	struct steps kept, seen; /* of fields that are kept, and of those that are not */
	struct map exact;	 /* field, name, value -> pattern */
	struct map leaves;	 /* name of a leaf, eight bytes -> pattern */
	struct map words;	 /* rarest word -> first pattern that wants it */
	struct map ranges;	 /* field and name -> first pattern */
	struct map affixes;	 /* field, end, name, literal -> pattern */
	uint32_t *next;		 /* by pattern: the next one with the same word, or range */
	struct trie paths;
	struct scan *scans[FIELD_MAX]; /* NULL: nothing of the field is scanned for */
	struct lengths {	       /* of the literals in `affixes` */
		uint8_t of[LENGTHS_MAX];
		unsigned n;
	} lengths[FIELD_MAX][2];     /* [1]: at the end */
	bool ranged[FIELD_MAX];	     /* some pattern is a range */
	uint32_t *always[FIELD_MAX]; /* globs of stars only: they match whatever is there */
	size_t always_n[FIELD_MAX];
	uint32_t *from, *categories;
};

/* Makes the matcher of a rule set; texts go to the rules' arena. ERR_SYNTAX: an expression does not
 * compile. */
enum err matcher_new(struct rules *r, struct rules_matcher **out) MUST_CHECK;

/* A key of a map: a letter for the field, the name, a zero, the value in small letters. Empty when
 * it is too long. */
static inline struct str match_key(
    enum rule_field f, struct str name, struct str value, char out[KEY_MAX])
{
	size_t n = 0;
	if (name.n + value.n + 2 > KEY_MAX)
		return STR("");
	out[n++] = (char)('A' + f);
	memcpy(out + n, name.p ? name.p : "", name.n);
	n += name.n;
	out[n++] = 0;
	for (size_t i = 0; i < value.n; i++)
		out[n++] = chr_lower(value.p[i]);
	return str_make(out, n);
}

/* The same for a literal at one end of a value: '0' or '1' stands before the name. */
static inline struct str affix_key(
    enum rule_field f, unsigned end, struct str name, struct str literal, char out[KEY_MAX])
{
	char at[2] = {(char)('0' + end), 0};
	char text[KEY_MAX];
	size_t n = name.n;
	if (n + literal.n + 4 > KEY_MAX)
		return STR("");
	memcpy(text, at, 1);
	memcpy(text + 1, name.p ? name.p : "", n);
	return match_key(f, str_make(text, n + 1), literal, out);
}

/* Exact values of fields that are kept stand in a map; those of the others are scanned for. */
static inline bool exact_by_map(enum rule_field f)
{
	return field_is_kept(f);
}

#endif
