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

/* The first ones by their place in the file: in a piece, those that do not fit its form are known
 * before those that are refused for what they say. */
static void show(struct lines *l, uint64_t line, const char *reason, const char *why)
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
	show(l, number ? line : l->before + 1, reason, why);
}

/* True: it counts as read. */
static bool one(struct lines *l, struct str line, uint64_t number)
{
	bool header = !l->log && !l->convert.header;
	enum access_kind kind = l->log ? access_line(&l->access, line, &l->out)
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
		if (l->log ? line.n && line.p[0] == '#' && l->access.form == ACCESS_W3C
			   : !l->convert.header)
			(void)(l->log ? access_line(&l->access, line, &l->out) == ACCESS_NOTHING
				      : l->convert.line(&l->convert, str_trim(line), &l->out));
		if (!l->log)
			break;
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
	for (unsigned i = 0; i < l->shown_n; i++)
		printf("  line %llu: %s%s%s\n", (unsigned long long)l->shown[i].line,
		    l->shown[i].reason, l->shown[i].why ? ", " : "",
		    l->shown[i].why ? l->shown[i].why : "");
}
