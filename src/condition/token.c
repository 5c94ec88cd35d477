/* The words and signs of a condition. A word may have letters, digits, `_ . -` and any bytes of
 * UTF-8 but signs that word processors put where ours are meant: those are tokens of their own,
 * with a hint. "14d" is a number of days, "3xl" a word. */
#include "token.h"

static bool word_char(char c)
{
	return chr_alpha(c) || chr_digit(c) || c == '_' || c == '.' || c == '-' || (c & 0x80);
}

/* 3, 14d; or a word that begins with a digit: 3xl, 12.5, an id. */
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
		t->kind = TOK_WORD;
		return;
	}
	t->kind = days ? TOK_DAYS : TOK_NUMBER;
	if (!str_u64(digits, &t->number))
		t->kind = TOK_BAD;
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

/* A blank that does not break, in UTF-8; people paste it. */
#define HARD_BLANK STR("\xc2\xa0")

static void skip_blanks(struct str s, size_t *at)
{
	for (;;) {
		if (*at < s.n && chr_one_of(s.p[*at], " \n\t\r"))
			(*at)++;
		else if (str_starts(str_skip(s, *at), HARD_BLANK))
			*at += 2;
		else
			return;
	}
}

/* A word ends before a foreign sign, which is a mistake of its own. */
static void word_token(struct str s, size_t at, struct token *t)
{
	struct token sign;
	t->kind = TOK_WORD;
	while (at + t->text.n < s.n && word_char(s.p[at + t->text.n])) {
		struct str rest = str_skip(s, at + t->text.n);
		if ((rest.p[0] & 0x80) && foreign_token(rest, &sign))
			return;
		if (str_starts(rest, HARD_BLANK))
			return;
		t->text.n++;
	}
}

/* A text in quotes, both of one kind. */
static void quoted_token(struct str s, size_t at, struct token *t)
{
	size_t len = 1;
	while (at + len < s.n && s.p[at + len] != s.p[at])
		len++;
	t->kind = at + len < s.n ? TOK_TEXT : TOK_BAD;
	t->text.n = at + len < s.n ? len + 1 : s.n - at;
	t->slip = "close the quote";
}

/* > >= < <= = == !=, which begin with `c`; `equals`: a = follows. */
static void comparison_token(char c, bool equals, struct token *t)
{
	t->kind = TOK_OP;
	t->text.n = equals ? 2 : 1;
	if (c == '>')
		t->op = equals ? OP_GE : OP_GT;
	else if (c == '<')
		t->op = equals ? OP_LE : OP_LT;
	else if (c == '=')
		t->op = OP_EQ;
	else
		t->op = OP_NE;
	if (c == '!' && !equals) {
		t->kind = TOK_BAD;
		t->slip = "write 'not'";
	}
}

static void sign_token(char c, struct token *t)
{
	switch (c) {
	case '(':
		t->kind = TOK_OPEN;
		return;
	case ')':
		t->kind = TOK_CLOSE;
		return;
	case ',':
		t->kind = TOK_COMMA;
		return;
	default:
		t->kind = TOK_BAD;
		if (c == '&')
			t->slip = "write 'and'";
		else if (c == '|')
			t->slip = "write 'or'";
	}
}

struct token token_next(struct str s, size_t *at)
{
	struct token t = {.kind = TOK_END, .op = OP_GE};
	skip_blanks(s, at);
	if (*at >= s.n)
		return t;
	char c = s.p[*at];
	t.text = str_make(s.p + *at, 1);
	if (foreign_token(str_skip(s, *at), &t))
		;
	else if (chr_digit(c))
		number_token(s, *at, &t);
	else if (word_char(c))
		word_token(s, *at, &t);
	else if (c == '"' || c == '\'')
		quoted_token(s, *at, &t);
	else if (chr_one_of(c, "><=!"))
		comparison_token(c, *at + 1 < s.n && s.p[*at + 1] == '=', &t);
	else
		sign_token(c, &t);
	*at += t.text.n;
	return t;
}
