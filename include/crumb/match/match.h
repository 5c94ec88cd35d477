/* The matcher: which categories an event belongs to, and which patterns match on fields that are
 * about to be dropped.
 *
 * All patterns of a rule set are looked for at once, each kind by what suits it:
 *
 *     exact values          a map of field, name and value
 *     paths                 a trie of path segments, in which '*' and '**' are edges
 *     globs                 with one star, at an end: a map of what is at the other end;
 *                           else one scan (vectorscan) finds the longest literal piece of each
 *                           glob, and then the glob itself is compared
 *     words                 a map from the rarest word of each pattern to the pattern
 *     regular expressions   vectorscan, in groups that are compiled on all cores
 *     ranges                the few ranges of an attribute, one after the other
 *
 * So the cost of an event depends on what matches, hardly on how many patterns there are: only
 * categories with a pattern that matched are looked at. The matcher of a rule set is made once,
 * when first asked for. A struct match belongs to one thread. src/match/matcher.h draws the rest.
 */
#ifndef CRUMB_MATCH_MATCH_H
#define CRUMB_MATCH_MATCH_H

#include "crumb/rules/rules.h"

#define REGEX_MOST 1000 /* bytes of a regular expression between its slashes, folded */

struct match; /* one thread's scratch for one rule set; holds a reference to the rules */

/* Makes the matcher if nobody has, using all cores, and a scratch. Any thread. */
enum err rules_match_begin(struct rules *r, struct match **out) MUST_CHECK;
void rules_match_end(struct match *m);

/* Which patterns match on the fields that are not kept; at most EVENT_LEAVES_MAX leaves are
 * written. */
unsigned rules_leaves(struct match *m, const struct leaf_input *in, uint64_t *out);
/* Categories of an event, ancestors included, each once, without category 0, sorted. `out` holds
 * categories_n numbers. */
unsigned rules_categorise(struct match *m, const struct event *e, uint16_t *out);

/* Is this a regular expression that can be used? On false, *why says why not (static or thread
 * memory). */
bool rules_regex_valid(struct str text, const char **why);
/* Does a path match a pattern? '*' is within a segment, '**' any number of segments. */
bool rules_path_glob(struct str pattern, struct str path);

#endif
