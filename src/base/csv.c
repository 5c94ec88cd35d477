/* A cell is written as it is, unless it holds a comma, a quote or the end of a line: then it stands
 * in quotes, and a quote in it is written twice. */
#include "crumb/base/csv.h"

static bool plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\r' || s.p[i] == '\n')
			return false;
	return true;
}

static void quoted(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_c(out, "\"");
		buf_add(out, &s.p[i], 1);
	}
}

void csv_exact(struct buf *out, struct str cell)
{
	if (plain(cell)) {
		buf_str(out, cell);
		return;
	}
	buf_add(out, "\"", 1);
	quoted(out, cell);
	buf_add(out, "\"", 1);
}

void csv_text(struct buf *out, struct str cell)
{
	/* what makes a spreadsheet take a cell for a formula */
	bool formula = cell.n && memchr("=+-@\t\r\n", cell.p[0], 7), quotes = !plain(cell);
	if (quotes)
		buf_add(out, "\"", 1);
	if (formula)
		buf_add(out, "'", 1);
	for (size_t i = 0; i < cell.n; i++) {
		bool control = (uint8_t)cell.p[i] < 0x20 || cell.p[i] == 0x7f;
		quoted(out, control ? STR(" ") : str_make(cell.p + i, 1));
	}
	if (quotes)
		buf_add(out, "\"", 1);
}
