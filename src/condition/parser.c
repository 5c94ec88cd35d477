/* What the parser of conditions stands on: the token at hand, and what is said of a token that does
 * not fit. The usual slips, such as "is" for "=", have a hint of their own (usual_slip()). */
#include "parser.h"

#include "crumb/condition/meant_range.h"

#include <stdio.h>

void parse_report_at(struct parser *p, size_t offset, size_t length, const char *code,
    const char *hint, const char *message)
{
	struct yaml_place at = p->place->locate(p->place->arg, offset, length);
	if (!p->failed)
		report_add(p->report, &at, SEVERITY_ERROR, code, hint, "%s", message);
	p->wrong = true;
}

void parse_report(
    struct parser *p, struct str token, const char *code, const char *hint, const char *message)
{
	parse_report_at(p, token.p ? (size_t)(token.p - p->text.p) : p->text.n,
	    token.n ? token.n : 1, code, hint, message);
}

/* What the token at hand may have been meant for, when nothing better is known. */
static const char *usual_slip(const struct parser *p, char *out, size_t cap)
{
	static const struct {
		const char *written, *hint;
	} slips[] = {{"&", "write 'and'"}, {"is", "write '='"}, {"equals", "write '='"},
	    {"after", "write 'A then B within 7d'"}, {"before", "write 'A then B within 7d'"},
	    {"times", "leave 'times' out: coats >= 3 in 14d"}, {"last", "write 'in 14d'"},
	    {"past", "write 'in 14d'"}, {"during", "write 'in 14d'"}, {"for", "write 'in 14d'"},
	    {"since", "write 'in 14d'"}, {"xor", "write (a or b) and not (a and b)"},
	    {"but", "write 'and'"}, {"except", "write 'and not'"}, {"without", "write 'and not'"},
	    {"no", "write 'not'"}, {"never", "write 'not'"}};
	if (p->now.kind == TOK_BAD && p->now.slip)
		return p->now.slip;
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
		if (str_ieq(p->now.text, str_c(slips[i].written)))
			return slips[i].hint;
	if (p->now.kind == TOK_DAYS) {
		snprintf(out, cap, "write 'in " STR_FMT "'", STR_ARG(p->now.text));
		return out;
	}
	return NULL;
}

void parse_expected(struct parser *p, const char *what, const char *hint)
{
	char message[400], slip[100];
	const char *usual = usual_slip(p, slip, sizeof slip);
	if (p->now.kind == TOK_END)
		snprintf(message, sizeof message, "the condition ends where %s is expected", what);
	else
		snprintf(message, sizeof message, "expected %s, found '" STR_FMT "'", what,
		    (int)(p->now.text.n > 100 ? 100 : p->now.text.n), p->now.text.p);
	parse_report(p, p->now.text, "syntax", usual ? usual : hint, message);
	p->failed = true;
}

const char *parse_number_hint(const struct parser *p, char out[160])
{
	return meant_at(p->text, parse_here(p), out) ? out : NULL;
}

void parse_next(struct parser *p)
{
	p->before = p->now.text.p ? (size_t)(p->now.text.p - p->text.p) + p->now.text.n : 0;
	p->now = token_next(p->text, &p->at);
}

bool parse_is(const struct parser *p, const char *word)
{
	return p->now.kind == TOK_WORD && str_ieq(p->now.text, str_c(word));
}

void parse_expect(struct parser *p, enum token_kind kind, const char *what)
{
	if (p->failed)
		return;
	if (p->now.kind != kind)
		parse_expected(p, what, NULL);
	else
		parse_next(p);
}
