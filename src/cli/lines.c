/* Lines of a file that is imported: CSV and logs become NDJSON, and refused lines are named by
 * their number in the file. lines.h draws how numbers are kept. */
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

const char *lines_reason(const char *reason)
{
	static const char *const words[][2] = {
	    {"json", "no JSON object, or a key of it has a value that it cannot have"},
	    {"id", "no id, or a cookie that is not ours, or a visitor who was erased"},
	    {"old", "older than events are kept"},
	    {"future", "more than five minutes ahead of now"},
	    {"site", "no host that is one of 'sites': name it there, or, where the lines of a log "
		     "name none, say --host NAME"},
	    {"consent", "its signals of consent say no, or cannot be read"},
	    {"undeclared",
		"no attribute of the rules has this partner as its source and this name"},
	    {"value", "a value that the attribute cannot have"},
	    {"too_long", "longer than a line can be"},
	    {"malformed", "not of the form that was named or found"},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], reason) == 0)
			return words[i][1];
	return NULL;
}

/* Keeps the first LINES_SHOWN refused lines, in order of their numbers. They come in another order:
 * lines that have not the form are known when a piece is converted, lines that are refused for what
 * they say only when it was imported. */
static void show_line(struct lines *l, uint64_t line, const char *reason, const char *why)
{
	unsigned at = l->shown_n;
	while (at > 0 && l->shown[at - 1].line > line)
		at--;
	if (at == LINES_SHOWN)
		return;
	if (l->shown_n < LINES_SHOWN)
		l->shown_n++;
	memmove(&l->shown[at + 1], &l->shown[at], (l->shown_n - 1 - at) * sizeof *l->shown);
	l->shown[at].line = line;
	l->shown[at].why = why ? why : lines_reason(reason);
	snprintf(l->shown[at].reason, sizeof l->shown[at].reason, "%s", reason);
}

void lines_refused(struct lines *l, uint64_t number, const char *reason, const char *why)
{
	uint64_t line = l->before + number;
	if (number && lines_change(l)) {
		if (number > l->numbers.n / sizeof line)
			return;
		memcpy(&line, l->numbers.p + (number - 1) * sizeof line, sizeof line);
	}
	show_line(l, number ? line : l->before + 1, reason, why);
}

/* Why a line has not the form of the file. */
static const char *why_malformed(const struct lines *l, bool header)
{
	if (l->log)
		return l->access.why;
	if (header)
		return "the header names no column 'id', or none that says what";
	return "other columns than the header names";
}

/* Converts one line. True: it counts as read; headers do not. */
static bool change_line(struct lines *l, struct str line, uint64_t number)
{
	bool header = !l->log && !l->convert.header;
	enum access_kind kind = ACCESS_MALFORMED;
	if (l->log)
		kind = access_line(&l->access, line, &l->out);
	else if (l->convert.line(&l->convert, line, &l->out))
		kind = ACCESS_EVENT;
	l->kinds[kind] += !header;
	if (kind == ACCESS_MALFORMED) {
		l->malformed++;
		show_line(l, number, "malformed", why_malformed(l, header));
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
		l->read += change_line(l, line, number);
		if (l->out.n > from)
			buf_add(&l->numbers, &number, sizeof number);
	}
	*out = l->out.n ? buf_view(&l->out) : STR("");
	return !l->out.failed && !l->numbers.failed;
}

/* CSV has a header in its first line; a log of the W3C may have one in any line. */
void lines_pass(struct lines *l, struct str piece)
{
	struct str line;
	if (!lines_change(l))
		return;
	buf_clear(&l->out);
	while (piece.n && str_cut(&piece, '\n', &line)) {
		line = str_unmarked(line);
		if (!l->log) {
			if (!l->convert.header)
				(void)l->convert.line(&l->convert, str_trim(line), &l->out);
			break;
		}
		if (line.n && line.p[0] == '#' && l->access.form == ACCESS_W3C)
			(void)access_line(&l->access, line, &l->out);
	}
}

struct json_t *lines_json(const struct lines *l)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < l->shown_n; i++) {
		json_t *j = json_pack("{s:I,s:s}", "line", (json_int_t)l->shown[i].line, "reason",
		    l->shown[i].reason);
		if (l->shown[i].why)
			json_object_set_new(j, "why", json_string(l->shown[i].why));
		json_array_append_new(list, j);
	}
	return list;
}

void lines_print(const struct lines *l)
{
	for (unsigned i = 0; i < l->shown_n; i++) {
		printf("  line %llu: %s", (unsigned long long)l->shown[i].line, l->shown[i].reason);
		if (l->shown[i].why)
			printf(", %s", l->shown[i].why);
		putchar('\n');
	}
}
