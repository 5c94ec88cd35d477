#include "token.h"

static bool word_char(char c)
{
	return chr_alpha(c) || chr_digit(c) || c == '_' || c == '.' || c == '-' || (c & 0x80);
}

static void number_token(struct str s, size_t at, struct token *t)
{
	size_t n = 0;
	while (at + n < s.n && chr_digit(s.p[at + n]))
		n++;
	struct str digits = str_make(s.p + at, n);
	bool days = at + n < s.n && s.p[at + n] == 'd';
	size_t all = n + days;
	while (at + all < s.n && word_char(s.p[at + all]))
		all++;
	t->text = str_make(digits.p, all);
	if (all > n + days) {
		/* 3xl, 12.5 or an id that begins with a digit */
		t->kind = TOK_WORD;
		return;
	}
	t->kind = str_u64(digits, &t->number) ? (days ? TOK_DAYS : TOK_NUMBER) : TOK_BAD;
}

/* Signs that word processors and other languages put where ours are meant. */
static bool foreign_token(struct str s, struct token *t)
{
	static const struct {
		const char *sign, *slip;
	} signs[] = {{"\xe2\x89\xa5", "write >="}, {"\xe2\x89\xa4", "write <="},
	    {"\xe2\x89\xa0", "write !="}, {"\xe2\x80\x9c", "use plain quotes"},
	    {"\xe2\x80\x9d", "use plain quotes"}, {"\xe2\x80\x9e", "use plain quotes"},
	    {"\xe2\x80\x98", "use plain quotes"}, {"\xe2\x80\x99", "use plain quotes"},
	    {"\xc2\xab", "use plain quotes"}, {"\xc2\xbb", "use plain quotes"},
	    {"\xe2\x80\x93", "write a plain '-'"}, {"\xe2\x80\x94", "write a plain '-'"},
	    {"\xc3\x97", "leave it out"}, {"=>", "write >="}, {"=<", "write <="},
	    {"<>", "write !="}, {"&&", "write 'and'"}, {"||", "write 'or'"}, {"===", "write ="}};
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		if (!str_starts(s, str_c(signs[i].sign)))
			continue;
		t->kind = TOK_BAD;
		t->text = str_make(s.p, strlen(signs[i].sign));
		t->slip = signs[i].slip;
		return true;
	}
	return false;
}

struct token token_next(struct str s, size_t *at)
{
	for (;;) {
		if (*at < s.n &&
		    (s.p[*at] == ' ' || s.p[*at] == '\n' || s.p[*at] == '\t' || s.p[*at] == '\r'))
			(*at)++;
		else if (str_starts(str_skip(s, *at),
			     STR("\xc2\xa0"))) /* a blank that does not break is one too */
			*at += 2;
		else
			break;
	}
	struct token t = {TOK_END, {NULL, 0}, OP_GE, 0, NULL};
	if (*at < s.n) {
		char c = s.p[*at], d = *at + 1 < s.n ? s.p[*at + 1] : 0;
		t.text = str_make(s.p + *at, 1);
		if (foreign_token(str_skip(s, *at), &t)) {
			;
		} else if (chr_digit(c)) {
			number_token(s, *at, &t);
		} else if (word_char(c)) {
			t.kind = TOK_WORD;
			struct token sign;
			while (*at + t.text.n < s.n && word_char(s.p[*at + t.text.n]) &&
			       !((s.p[*at + t.text.n] & 0x80) &&
				   foreign_token(str_skip(s, *at + t.text.n), &sign)) &&
			       !str_starts(str_skip(s, *at + t.text.n), STR("\xc2\xa0")))
				t.text.n++;
		} else if (c == '"' || c == '\'') {
			size_t len = 1;
			while (*at + len < s.n && s.p[*at + len] != c)
				len++;
			t.kind = *at + len < s.n ? TOK_TEXT : TOK_BAD;
			t.text.n = *at + len < s.n ? len + 1 : s.n - *at;
			t.slip = "close the quote";
		} else if (c == '(' || c == ')' || c == ',') {
			t.kind = c == '(' ? TOK_OPEN : c == ')' ? TOK_CLOSE : TOK_COMMA;
		} else if (c == '>' || c == '<' || c == '=' || c == '!') {
			t.kind = c == '!' && d != '=' ? TOK_BAD : TOK_OP;
			t.slip = "write 'not'";
			t.op = c == '>'	  ? (d == '=' ? OP_GE : OP_GT)
			       : c == '<' ? (d == '=' ? OP_LE : OP_LT)
			       : c == '=' ? OP_EQ
					  : OP_NE;
			t.text.n = d == '=' ? 2 : 1;
		} else {
			t.kind = TOK_BAD;
			t.slip = c == '&' ? "write 'and'" : c == '|' ? "write 'or'" : NULL;
		}
		*at += t.text.n;
	}
	return t;
}
