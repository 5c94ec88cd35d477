/* What a condition can ask: a row for each form, in the order in which they are told. The parser,
 * its hints, the words that no category may be called by, and the table of RULES.md follow the
 * rows. Constant; any thread. */
#ifndef CRUMB_CONDITION_FORMS_H
#define CRUMB_CONDITION_FORMS_H

#include "crumb/rules/rules.h"

/* How a form begins. */
enum form_begins {
	BEGINS_OTHERWISE, /* with a category, a fact, an attribute or another condition */
	BEGINS_WITH_WORD, /* with `word`, by which no category may be called */
	BEGINS_WITH_CALL  /* with `word` and a parenthesis */
};

struct condition_form {
	enum form_begins begins;
	const char *word;
	enum node_kind kind; /* what it becomes */
	const char *form;    /* as people write it, in capitals what they put in */
	const char *says;    /* when it is true, in Markdown */
	const char *example;
};
extern const struct condition_form condition_forms[];
extern const size_t condition_forms_n;

/* The form that begins so with this word, ASCII case aside; NULL: none does. */
const struct condition_form *condition_form(enum form_begins begins, struct str word);
/* Does this word mean something in conditions, so that no category can be called so? */
bool condition_reserved(struct str word);

#endif
