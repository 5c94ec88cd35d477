/* Inside condition: the words and signs of a condition. */
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
	struct str text;
	enum node_op op;
	uint64_t number;
	const char *slip; /* TOK_BAD: what people mean by it */
};
/* The token at *at, blanks before it skipped; *at moves behind it. */
struct token token_next(struct str text, size_t *at);

#endif
