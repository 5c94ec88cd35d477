/* Inside condition: the state of one parse. One thread; nothing is kept when the parse is over. */
#ifndef CRUMB_SRC_CONDITION_PARSER_H
#define CRUMB_SRC_CONDITION_PARSER_H

#include "crumb/condition/parse.h"
#include "token.h"

struct parser {
	struct rules *r;
	struct str text;
	size_t at, depth;
	struct token now;
	size_t before; /* where the latest token that was taken ends */
	const struct condition_place *place;
	struct report *report;
	bool failed; /* sticky: the condition is refused, reading it further makes no sense */
	bool wrong;  /* refused, but reading goes on */
};

/* A mistake at these bytes of the text. */
void parse_report_at(struct parser *p, size_t offset, size_t length, const char *code,
    const char *hint, const char *message);
/* A mistake that the token shows, or the end where that is empty. Reading goes on; the condition is
 * refused. */
void parse_report(
    struct parser *p, struct str token, const char *code, const char *hint, const char *message);
/* The token at hand is not `what`: reading stops. The hint is for what nobody is known to mean by
 * it; NULL: none. */
void parse_expected(struct parser *p, const char *what, const char *hint);
/* The hint for numbers and ranges that are written in another way. NULL: it is none. */
const char *parse_number_hint(const struct parser *p, char out[160]);
void parse_next(struct parser *p); /* the token at hand is taken */
bool parse_is(const struct parser *p, const char *word);
/* Takes a token of that kind, or says what was expected. */
void parse_expect(struct parser *p, enum token_kind kind, const char *what);

#endif
