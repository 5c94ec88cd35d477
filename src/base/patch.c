/* A unified patch in three steps: texts become lines; lines become a script of what stays, goes and
 * comes; the script is written in hunks.
 *
 *     before  a b c d      script   ' '  -    +    ' ' ' '
 *     after   a x c d               a    b    x    c   d
 *
 * A hunk is a run of the script whose changes are at most 2 × CONTEXT unchanged lines apart. */
#include "crumb/base/patch.h"

#include "crumb/base/array.h"

#include <stdlib.h>

#define CELLS_MOST 4000000
#define CONTEXT 3 /* unchanged lines around a change */

/* A text as lines; each has its line end, but perhaps the last. */
struct lines {
	struct str *line;
	size_t n, cap;
};

struct script {
	char *op; /* ' ' in both, '-' goes, '+' comes */
	size_t n;
};

static bool split_lines(struct str text, struct lines *out)
{
	while (text.n) {
		size_t end = str_find(text, '\n');
		end += end < text.n;
		if (!array_room(out->line, out->cap, out->n + 1))
			return false;
		out->line[out->n++] = str_make(text.p, end);
		text = str_skip(text, end);
	}
	return true;
}

static void add_ops(struct script *s, char op, size_t n)
{
	memset(s->op + s->n, op, n);
	s->n += n;
}

/* Lines a[0 … n) and b[0 … m) by the table: cell (i, j) is how many lines a[i …) and b[j …) share.
 */
static bool by_table(struct script *s, const struct str *a, size_t n, const struct str *b, size_t m)
{
	size_t width = m + 1, i, j;
	uint32_t *t = calloc((n + 1) * width, sizeof *t);
	if (!t)
		return false;
	for (i = n; i-- > 0;)
		for (j = m; j-- > 0;) {
			uint32_t down = t[(i + 1) * width + j], right = t[i * width + j + 1];
			if (str_eq(a[i], b[j]))
				t[i * width + j] = t[(i + 1) * width + j + 1] + 1;
			else
				t[i * width + j] = down > right ? down : right;
		}
	for (i = j = 0; i < n && j < m;) {
		if (str_eq(a[i], b[j]))
			add_ops(s, ' ', 1), i++, j++;
		else if (t[(i + 1) * width + j] >= t[i * width + j + 1])
			add_ops(s, '-', 1), i++;
		else
			add_ops(s, '+', 1), j++;
	}
	add_ops(s, '-', n - i);
	add_ops(s, '+', m - j);
	free(t);
	return true;
}

static bool make_script(const struct lines *a, const struct lines *b, struct script *s)
{
	size_t head = 0, tail = 0, least = a->n < b->n ? a->n : b->n;
	while (head < least && str_eq(a->line[head], b->line[head]))
		head++;
	while (tail < least - head && str_eq(a->line[a->n - 1 - tail], b->line[b->n - 1 - tail]))
		tail++;
	size_t n = a->n - head - tail, m = b->n - head - tail;
	s->op = malloc(a->n + b->n + 1);
	if (!s->op)
		return false;
	add_ops(s, ' ', head);
	if (n && m && (n + 1) <= CELLS_MOST / (m + 1)) {
		if (!by_table(s, a->line + head, n, b->line + head, m))
			return false;
	} else {
		add_ops(s, '-', n);
		add_ops(s, '+', m);
	}
	add_ops(s, ' ', tail);
	return true;
}

/* A line of the patch. The last line of a text may have no end, which is said. */
static void put_line(struct buf *out, char op, struct str line)
{
	buf_add(out, &op, 1);
	buf_str(out, line);
	if (!line.n || line.p[line.n - 1] != '\n')
		buf_c(out, "\n\\ No newline at end of file\n");
}

/* "3,7": the first line of a hunk and how many there are; a hunk without lines stands behind one.
 */
static void put_range(struct buf *out, size_t from, size_t n)
{
	if (n == 1)
		buf_addf(out, "%zu", from + 1);
	else
		buf_addf(out, "%zu,%zu", n ? from + 1 : from, n);
}

/* Where the hunk that begins with the change at `at` ends: behind its context. */
static size_t hunk_end(const struct script *s, size_t at)
{
	size_t last = at;
	for (size_t i = at; i < s->n && i <= last + 2 * CONTEXT + 1; i++)
		if (s->op[i] != ' ')
			last = i;
	return last + 1 + CONTEXT < s->n ? last + 1 + CONTEXT : s->n;
}

static void put_hunks(
    struct buf *out, const struct script *s, const struct lines *a, const struct lines *b)
{
	size_t i = 0, j = 0, at = 0; /* lines of a, of b, and of the script that are passed */
	while (at < s->n) {
		size_t change = at;
		while (change < s->n && s->op[change] == ' ')
			change++;
		if (change == s->n)
			return;
		size_t from = change - at > CONTEXT ? change - CONTEXT : at;
		size_t to = hunk_end(s, change), gone = 0, come = 0;
		i += from - at;
		j += from - at;
		for (size_t k = from; k < to; k++) {
			gone += s->op[k] != '+';
			come += s->op[k] != '-';
		}
		buf_c(out, "@@ -");
		put_range(out, i, gone);
		buf_c(out, " +");
		put_range(out, j, come);
		buf_c(out, " @@\n");
		for (size_t k = from; k < to; k++) {
			put_line(out, s->op[k], s->op[k] == '+' ? b->line[j] : a->line[i]);
			i += s->op[k] != '+';
			j += s->op[k] != '-';
		}
		at = to;
	}
}

static void put_name(
    struct buf *out, const char *side, struct str text, const char *folder, const char *name)
{
	/* behind a name with blanks a tab says where it ends */
	const char *end = strchr(name, ' ') ? "\t" : "";
	if (text.p)
		buf_addf(out, "%s%s%s%s\n", side, folder, name, end);
	else
		buf_addf(out, "%s/dev/null\n", side);
}

void patch_make(struct str before, struct str after, const char *name, struct buf *out)
{
	struct lines a = {0}, b = {0};
	struct script s = {0};
	if (!before.p == !after.p && str_eq(before, after))
		return;
	if (split_lines(before, &a) && split_lines(after, &b) && make_script(&a, &b, &s)) {
		put_name(out, "--- ", before, "a/", name);
		put_name(out, "+++ ", after, "b/", name);
		put_hunks(out, &s, &a, &b);
	} else {
		out->failed = true;
	}
	free(s.op);
	free(a.line);
	free(b.line);
}
