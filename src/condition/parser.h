/* Inside condition: the state of one parse, what refusals say (parser.c), and the operands of tests
 * (operand.c). One thread; nothing is kept when the parse is over.
 *
 *     text     coats >= 3 in 7d
 *                      ▲ ▲
 *                 before at           now: the token "3", which is looked at and not yet taken
 *
 * Two kinds of refusals. After `failed` reading further makes no sense: every function returns at
 * once. After `wrong` alone, such as an unknown category, reading goes on, so that one look at the
 * report shows all mistakes. */
#ifndef CRUMB_SRC_CONDITION_PARSER_H
#define CRUMB_SRC_CONDITION_PARSER_H

#include "crumb/condition/parse.h"
#include "token.h"

struct parser {
	struct rules *r;
	struct str text;
	size_t at;	  /* behind the token at hand */
	size_t depth;	  /* of "not" and parentheses */
	struct token now; /* the token at hand */
	size_t before;	  /* where the latest token that was taken ends */
	const struct condition_place *place;
	struct report *report;
	bool failed; /* refused, and reading has stopped */
	bool wrong;  /* refused, and reading goes on */
};

/* A mistake at these bytes of the text. */
void parse_report_at(struct parser *p, size_t offset, size_t length, const char *code,
    const char *hint, const char *message);
/* A mistake that the token shows, or the end where that is empty. Reading goes on; the condition is
 * refused. */
void parse_report(
    struct parser *p, struct str token, const char *code, const char *hint, const char *message);
/* The token at hand is not `what`: reading stops. `hint` is said where the token is none of the
 * usual slips; NULL: none. */
void parse_expected(struct parser *p, const char *what, const char *hint);
/* The hint for a number or range that is written in another way; NULL: the token is none. */
const char *parse_number_hint(const struct parser *p, char out[160]);
void parse_next(struct parser *p); /* the token at hand is taken */
bool parse_is(const struct parser *p, const char *word);
/* Takes a token of that kind, or says what was expected. */
void parse_expect(struct parser *p, enum token_kind kind, const char *what);

/* Where the token at hand begins; the text from there to the latest token taken. */
static inline size_t parse_here(const struct parser *p)
{
	return p->now.text.p ? (size_t)(p->now.text.p - p->text.p) : p->text.n;
}
static inline struct str parse_written(const struct parser *p, size_t from)
{
	return str_make(p->text.p + from, p->before > from ? p->before - from : 0);
}

/* --- operand.c: each takes its tokens, or refuses */

uint16_t parse_category(struct parser *p, const char *what); /* in full, or by a last part */
uint8_t parse_optional_window(struct parser *p);	     /* "in 14d"; 0: there is none */
uint8_t parse_within(struct parser *p);			     /* "within 14d" */
void parse_amount(struct parser *p, struct rule_node *n);    /* ">= 3", "between 2 and 5" */
/* Values of a fact or attribute, which may be closed; they are kept with the rules. */
struct str parse_value(struct parser *p, const struct rule_node *n);
void parse_values(struct parser *p, struct rule_node *n); /* "(US, CA)" */
/* Numbers of an attribute: "> 50", "between 50 and 100". */
void parse_range(struct parser *p, struct rule_node *n);

#endif
