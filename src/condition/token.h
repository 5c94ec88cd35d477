/* Inside condition: the words and signs of a condition.
 *
 *     coats >= 3 in 14d      WORD "coats" · OP >= · NUMBER 3 · WORD "in" · DAYS 14 · END
 *
 * Tokens point into the text. Pure; any thread. */
#ifndef CRUMB_SRC_CONDITION_TOKEN_H
#define CRUMB_SRC_CONDITION_TOKEN_H

#include "crumb/rules/rules.h"

enum token_kind {
	TOK_END,
	TOK_WORD,
	TOK_NUMBER,
	TOK_DAYS,
	TOK_OP,
	TOK_OPEN,
	TOK_CLOSE,
	TOK_COMMA,
	TOK_TEXT,
	TOK_BAD
};
struct token {
	enum token_kind kind;
	struct str text;  /* quotes included; empty at the end */
	enum node_op op;  /* TOK_OP */
	uint64_t number;  /* TOK_NUMBER, TOK_DAYS */
	const char *slip; /* TOK_BAD: the hint for what people mean by it; NULL: none */
};
/* The token at *at; blanks before it are skipped, and *at moves behind it. */
struct token token_next(struct str text, size_t *at);

#endif
