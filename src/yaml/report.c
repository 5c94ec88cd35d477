/* Findings in an array, in the order in which they were found until report_sort(). Texts are
 * copied, since the file that a finding is about may be gone before the report is read. Errors are
 * counted beyond what is kept, so that "and 5,000 more" is true. */
#include "crumb/yaml/report.h"

#include "crumb/base/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FINDINGS_MAX 1000     /* that are kept; nobody reads more */
#define LINE_PRINTED_MOST 400 /* bytes of a line that is shown; a longer one fills the screen */

static char *report_copy(const char *s)
{
	char *c = str_dup(str_c(s));
	CHECK(c);
	return c;
}

void report_add(struct report *r, const struct yaml_place *at, enum severity severity,
    const char *code, const char *hint, const char *fmt, ...)
{
	char words[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].line == at->line && r->list[i].column == at->column &&
		    strcmp(r->list[i].message, words) == 0 &&
		    strcmp(r->list[i].file, at->file) == 0)
			return;
	if (severity == SEVERITY_ERROR)
		r->errors++;
	if (r->n >= FINDINGS_MAX)
		return;
	CHECK(array_room(r->list, r->cap, r->n + 1));
	r->list[r->n++] = (struct finding){report_copy(at->file), at->line, at->column, at->length,
	    severity == SEVERITY_WARNING, code, report_copy(words), report_copy(hint ? hint : "")};
}

static int findings_by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int c = strcmp(x->file, y->file);
	if (c)
		return c;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->message, y->message);
}

void report_sort(struct report *r)
{
	if (r->n)
		qsort(r->list, r->n, sizeof *r->list, findings_by_place);
}

void report_done(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->list[i].file);
		free(r->list[i].message);
		free(r->list[i].hint);
	}
	free(r->list);
	*r = (struct report){0};
}

enum err report_error(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->list[i];
		if (f->warning)
			continue;
		char more[200] = "";
		if (r->errors > 1 && r->lister)
			snprintf(more, sizeof more, " (and %zu more; '%s' lists them)",
			    r->errors - 1, r->lister);
		else if (r->errors > 1)
			snprintf(more, sizeof more, " (and %zu more)", r->errors - 1);
		return err_set(
		    ERR_SYNTAX, "%s:%zu:%zu: %s%s", f->file, f->line, f->column, f->message, more);
	}
	return OK;
}

struct str report_line(const struct finding *f, struct str text)
{
	struct str line = {NULL, 0};
	for (size_t i = 0; i < f->line; i++)
		if (!str_cut(&text, '\n', &line))
			break;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

void report_print(const struct finding *f, struct str text, struct buf *out)
{
	struct str line = report_line(f, text);
	buf_addf(out, "%s:%zu:%zu: %s%s\n", f->file, f->line, f->column,
	    f->warning ? "warning: " : "", f->message);
	if (line.n && line.n <= LINE_PRINTED_MOST) {
		buf_addf(out, "%5zu | " STR_FMT "\n      | ", f->line, STR_ARG(line));
		size_t at = f->column ? f->column - 1 : 0;
		for (size_t i = 0; i < at && i < line.n; i++)
			/* one blank for each character, not for each byte */
			if (((uint8_t)line.p[i] & 0xc0) != 0x80)
				buf_add(out, line.p[i] == '\t' ? "\t" : " ", 1);
		buf_c(out, "^");
		for (size_t i = 1; i < f->length && at + i < line.n; i++)
			if (((uint8_t)line.p[at + i] & 0xc0) != 0x80)
				buf_c(out, "~");
		buf_c(out, "\n");
	}
	if (*f->hint)
		buf_addf(out, "  hint: %s\n", f->hint);
}
