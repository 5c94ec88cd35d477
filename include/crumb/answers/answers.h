/* Questions that no rule defines, answered as JSON: the same from a server, which remembers what it
 * told, and in the command line.
 *
 * Any thread. What an asker points to is the caller's, for as long as the call; the caller frees
 * *out and what is returned with json_decref(). *out is untouched on failure, but for ERR_SYNTAX.
 */
#ifndef CRUMB_ANSWERS_ANSWERS_H
#define CRUMB_ANSWERS_ANSWERS_H

#include "crumb/ask/ask.h"

struct json_t;
struct report;

/* Whom to ask, and through which gate. */
struct asker {
	struct generation *generation;
	const struct kgate *gate;
	struct ask_memory *memory; /* NULL: none */
	uint32_t now;
	bool pending; /* changed rules are on their way into the views */
};

/* How many meet the condition: {"size","visitors","ms","pending"}. ERR_SYNTAX: this is no
 * condition, and *out is {"problems":[…],"text"}; ERR_BUSY: too many different questions were
 * asked. */
enum err answer_preview(
    const struct asker *a, struct str condition, struct json_t **out) MUST_CHECK;
/* How many are in both segments: {"a":{"id","size"},"b":{…},"both","of_a","of_b","pending"}.
 * ERR_NOT_FOUND names the segment that is not there. */
enum err answer_overlap(
    const struct asker *a, struct str a_id, struct str b_id, struct json_t **out) MUST_CHECK;

/* What a condition asks, of nobody's number: {"words","clauses":[{"clause","words"}]}
 * (condition/sentence.h). ERR_SYNTAX as above. */
enum err answer_words(
    const struct rules *rules, struct str condition, struct json_t **out) MUST_CHECK;

struct aside_row;
/* What was set aside: [{"reason","pattern","events","first_day","last_day"}]. Hosts with fewer than
 * k events are told together. */
struct json_t *aside_json(const struct aside_row *rows, size_t n, const struct kgate *gate);
/* A number of visitors that passed the gate, or null. */
struct json_t *shown_json(struct shown n);
/* [{"file","line","column","severity","code","message","hint"}] */
struct json_t *findings_json(const struct report *r);

#endif
