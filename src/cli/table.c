/* A table for people. Cells are kept as one text, a zero byte behind each, and printed when all are
 * there: only then the widths are known. A width is in places of a terminal, not in bytes: letters
 * of some alphabets take two places, and some marks none (utf8proc). */
#include "table.h"

#include "crumb/base/err.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <utf8proc.h>

/* Places of a terminal that a text takes. */
static size_t places(struct str s)
{
	size_t n = 0;
	while (s.n) {
		utf8proc_int32_t c;
		utf8proc_ssize_t took =
		    utf8proc_iterate((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &c);
		n += took > 0 ? (size_t)utf8proc_charwidth(c) : 1;
		s = str_skip(s, took > 0 ? (size_t)took : 1);
	}
	return n;
}

static void add_cell(struct table *t, struct str s, bool head)
{
	unsigned column = t->cells % t->columns;
	size_t width = places(s);
	if (width > t->width[column])
		t->width[column] = width;
	t->used[column] |= s.n && !head;
	buf_str(&t->text, s);
	buf_add(&t->text, "", 1);
	t->cells++;
}

void table_begin(struct table *t, const char *const *heads)
{
	*t = (struct table){.columns = 0};
	while (heads[t->columns])
		t->columns++;
	CHECK(t->columns && t->columns <= TABLE_COLUMNS);
	for (unsigned i = 0; i < t->columns; i++) {
		t->right[i] = heads[i][0] == '>';
		add_cell(t, str_trim(str_c(heads[i] + t->right[i])), true);
	}
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	CHECK(n >= 0);
	add_cell(t, str_c(text), false);
}

void table_text(struct table *t, const char *text)
{
	add_cell(t, str_c(text ? text : ""), false);
}

void table_number(struct table *t, const json_t *n, uint32_t k)
{
	if (json_is_integer(n))
		table_cell(t, "%lld", (long long)json_integer_value(n));
	else
		table_cell(t, "< %u", k);
}

void table_share(struct table *t, const json_t *share)
{
	if (json_is_number(share))
		table_cell(t, "%.1f %%", 100 * json_number_value(share));
	else
		table_text(t, NULL);
}

void table_words(struct table *t, const json_t *list)
{
	struct buf b = {0};
	size_t i;
	json_t *word;
	json_array_foreach(list, i, word)
	{
		buf_c(&b, i ? ", " : "");
		buf_c(&b, json_string_value(word));
	}
	add_cell(t, b.n ? buf_view(&b) : STR(""), false);
	buf_done(&b);
}

static void print_cell(const struct table *t, unsigned column, struct str s, struct buf *line)
{
	size_t blanks = t->width[column] - places(s);
	for (size_t i = 0; t->right[column] && i < blanks; i++)
		buf_c(line, " ");
	buf_str(line, s);
	for (size_t i = 0; !t->right[column] && i < blanks; i++)
		buf_c(line, " ");
}

/* Blanks at the end of a line are left out: the last column has no width. */
void table_print(struct table *t)
{
	struct str rest = buf_view(&t->text);
	CHECK(!t->text.failed);
	for (unsigned i = 0; i < t->cells; i += t->columns) {
		struct buf line = {0};
		bool shown = i || !t->headless;
		for (unsigned k = 0; k < t->columns; k++) {
			struct str cell = str_make(rest.p, strlen(rest.p));
			rest = str_skip(rest, cell.n + 1);
			if (!t->used[k])
				continue;
			buf_c(&line, line.n ? "  " : "");
			print_cell(t, k, cell, &line);
		}
		while (line.n && line.p[line.n - 1] == ' ')
			line.n--;
		if (shown)
			printf("%.*s\n", (int)line.n, line.n ? line.p : "");
		buf_done(&line);
	}
}

void table_end(struct table *t)
{
	buf_done(&t->text);
}
