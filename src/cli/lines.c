#include "lines.h"

#include <jansson.h>
#include <stdio.h>

void lines_done(struct lines *l)
{
	convert_done(&l->convert);
	access_done(&l->access);
	buf_done(&l->out);
	buf_done(&l->numbers);
}

static void show(struct lines *l, uint64_t line, const char *reason, const char *why)
{
	if (l->shown_n == LINES_SHOWN)
		return;
	l->shown[l->shown_n].line = line;
	l->shown[l->shown_n].why = why;
	snprintf(l->shown[l->shown_n++].reason, sizeof l->shown[0].reason, "%s", reason);
}

void lines_refused(struct lines *l, uint64_t number, const char *reason, const char *why)
{
	uint64_t line = l->before + number;
	if (number && lines_change(l)) {
		if (number > l->numbers.n / sizeof line)
			return;
		memcpy(&line, l->numbers.p + (number - 1) * sizeof line, sizeof line);
	}
	show(l, number ? line : l->before + 1, reason, why);
}

/* True: it counts as read. */
static bool one(struct lines *l, struct str line, uint64_t number)
{
	bool header = !l->log && !l->convert.header;
	enum access_kind kind = l->log				     ? access_line(&l->access, line, &l->out)
				: l->convert.line(&l->convert, line, &l->out) ? ACCESS_EVENT
									     : ACCESS_MALFORMED;
	l->kinds[kind] += !header;
	if (kind == ACCESS_MALFORMED) {
		l->malformed++;
		show(l, number, "malformed",
		    l->log   ? l->access.why
		    : header ? "the header names no column 'id', or none that says what"
			     : "other columns than the header names");
	}
	return kind != ACCESS_NOTHING && !header;
}

bool lines_convert(struct lines *l, struct str piece, struct str *out)
{
	struct str rest = piece, line;
	uint64_t number = l->before;
	*out = piece;
	if (!lines_change(l))
		return true;
	buf_clear(&l->out);
	buf_clear(&l->numbers);
	while (rest.n && str_cut(&rest, '\n', &line)) {
		size_t from = l->out.n;
		number++;
		line = str_unmarked(line);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (!line.n)
			continue;
		l->read += one(l, line, number);
		if (l->out.n > from)
			buf_add(&l->numbers, &number, sizeof number);
	}
	*out = l->out.n ? buf_view(&l->out) : STR("");
	return !l->out.failed && !l->numbers.failed;
}

void lines_pass(struct lines *l, struct str piece)
{
	struct str line;
	if (!lines_change(l))
		return;
	buf_clear(&l->out);
	while (piece.n && str_cut(&piece, '\n', &line)) {
		line = str_unmarked(line);
		if (l->log ? line.n && line.p[0] == '#' && l->access.form == ACCESS_W3C : !l->convert.header)
			(void)(l->log ? access_line(&l->access, line, &l->out) == ACCESS_NOTHING : l->convert.line(&l->convert, str_trim(line), &l->out));
		if (!l->log)
			break;
	}
}

struct json_t *lines_json(const struct lines *l)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < l->shown_n; i++) {
		json_t *j = json_pack("{s:I,s:s}", "line", (json_int_t)l->shown[i].line, "reason", l->shown[i].reason);
		if (l->shown[i].why)
			json_object_set_new(j, "why", json_string(l->shown[i].why));
		json_array_append_new(list, j);
	}
	return list;
}

void lines_print(const struct lines *l)
{
	for (unsigned i = 0; i < l->shown_n; i++)
		printf("  line %llu: %s%s%s\n", (unsigned long long)l->shown[i].line, l->shown[i].reason, l->shown[i].why ? ", " : "",
		    l->shown[i].why ? l->shown[i].why : "");
}
