/* A condition in words: what it asks, as an English sentence for whoever does not read conditions;
 * and its clauses, for the funnel of the report.
 *
 *     when: outerwear >= 3 in 14d and not purchase in 30d and (device = mobile or segment(fans))
 *
 *     sentence  Visitors who had at least 3 events of “Coats and jackets” in the last 14 days, and
 *               had no event of “Bought” in the last 30 days, and (have “mobile” as the latest
 *               device, or are in the segment “Coat fans”).
 *
 *     clauses   text                        words                            up to it
 *               outerwear >= 3 in 14d       had at least 3 events of …       node of the first
 *               not purchase in 30d         had no event of …                node of the first AND
 *               device = mobile or …        have “mobile” as …, or are in …  the root
 *
 * What is joined by ", and " or ", or " holds together as it stands; what is joined otherwise
 * stands in parentheses. "not" goes down to what is asked: not (a or b) reads "had no event of a,
 * and had no event of b". So no two conditions that mean something else read alike.
 *
 * Categories, attributes and segments go by their names, in “ ”; where two have the same name, the
 * id stands behind it. Quotation marks in a name become ‘ ’, and what nobody sees becomes a blank,
 * so that a name ends where it seems to end.
 *
 * Pure; any thread. A buffer without memory has its `failed` set. */
#ifndef CRUMB_CONDITION_SENTENCE_H
#define CRUMB_CONDITION_SENTENCE_H

#include "crumb/rules/rules.h"

/* "Visitors who had …." of the condition whose top is `root`. */
void condition_words(const struct rules *r, int root, struct buf *out);

/* A part of a condition as it stands in such a sentence: "had no event of “Bought” in …". */
void condition_part_words(const struct rules *r, int at, struct buf *out);

#define CLAUSE_PARTS_MAX 12

/* One part of a condition whose parts all have to hold. */
struct clause_part {
	/* The condition up to this part, with it: whom the funnel counts here. Of the first part it
	 * is the part itself, of the last one the whole condition. */
	int upto;
	struct str text;  /* as written; "model" for what a lookalike's model says */
	struct str words; /* "had no event of “Bought” in the last 30 days" */
};
struct clause_parts {
	struct clause_part list[CLAUSE_PARTS_MAX];
	unsigned n;	    /* 1 at least */
	struct arena arena; /* of the texts */
};
/* The parts in the order in which they are written. A condition of more than CLAUSE_PARTS_MAX has
 * the rest joined in the last one. What stands in parentheses behind an "and" is one part.
 * clause_parts_done() frees. */
void clause_parts_of(const struct rules *r, int root, struct clause_parts *out);
void clause_parts_done(struct clause_parts *p);

#endif
