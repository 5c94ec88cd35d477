/* Opens a file for an edit, and knows its lines: where each begins and ends, and on which line a
 * node's last word stands. libyaml's end of a block lies behind the comments that follow it, so
 * ends are found from what is in the block. */
#include "editing.h"

#include <stdlib.h>

/* --- what cannot be edited */

/* Anchors and tags make a line mean something that stands elsewhere. */
static bool has_anchors(struct str text)
{
	yaml_parser_t parser;
	yaml_token_t token;
	bool found = false, more = true;
	CHECK(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	while (more && !found && yaml_parser_scan(&parser, &token)) {
		found = token.type == YAML_ANCHOR_TOKEN || token.type == YAML_ALIAS_TOKEN ||
			token.type == YAML_TAG_TOKEN || token.type == YAML_TAG_DIRECTIVE_TOKEN;
		more = token.type != YAML_STREAM_END_TOKEN;
		yaml_token_delete(&token);
	}
	yaml_parser_delete(&parser);
	return found;
}

/* YAML 1.1 ends lines at these, too; whoever looks at the file may not see it. */
static bool has_odd_ends(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'))
			return true;
	return str_has(s, STR("\xc2\x85")) || str_has(s, STR("\xe2\x80\xa8")) ||
	       str_has(s, STR("\xe2\x80\xa9"));
}

static enum err not_here(const struct editing *e, const char *why)
{
	return err_set(ERR_USAGE, "%s cannot be edited here: %s; change it by hand", e->name, why);
}

/* --- the section and the entry */

const yaml_node_t *edit_value(
    const struct editing *e, const yaml_node_t *map, const char *key, size_t *pair)
{
	const yaml_node_t *found = NULL;
	yaml_node_pair_t *it = map->data.mapping.pairs.start;
	for (size_t i = 0; it < map->data.mapping.pairs.top; it++, i++) {
		const yaml_node_t *k = yaml_node(&e->y, it->key);
		if (k->type != YAML_SCALAR_NODE || found ||
		    strcmp((const char *)k->data.scalar.value, key) != 0)
			continue;
		found = yaml_node(&e->y, it->value);
		if (pair)
			*pair = i;
	}
	return found;
}

const yaml_node_t *edit_entry(const struct editing *e, size_t i)
{
	return yaml_node(&e->y, e->list->data.sequence.items.start[i]);
}

static bool has_id(const struct editing *e, const yaml_node_t *entry)
{
	const yaml_node_t *id =
	    entry->type == YAML_MAPPING_NODE ? edit_value(e, entry, "id", NULL) : NULL;
	return id && id->type == YAML_SCALAR_NODE &&
	       strcmp((const char *)id->data.scalar.value, e->id) == 0;
}

static bool repeats_a_key(const struct editing *e, const yaml_node_t *map)
{
	yaml_node_pair_t *from = map->data.mapping.pairs.start, *to = map->data.mapping.pairs.top;
	for (size_t i = 0; from + i < to; i++) {
		size_t first = i;
		const yaml_node_t *k = yaml_node(&e->y, from[i].key);
		if (k->type != YAML_SCALAR_NODE)
			return true;
		edit_value(e, map, (const char *)k->data.scalar.value, &first);
		if (first != i)
			return true;
	}
	return false;
}

static enum err find_entry(struct editing *e)
{
	size_t pair = 0;
	e->list = edit_value(e, e->root, e->section, &pair);
	if (!e->list)
		return OK;
	e->key = yaml_node(&e->y, e->root->data.mapping.pairs.start[pair].key);
	if (e->list->type == YAML_SCALAR_NODE && !e->list->data.scalar.length)
		return OK;
	if (e->list->type != YAML_SEQUENCE_NODE)
		return not_here(e, "what should be a list is none");
	e->n = (size_t)(e->list->data.sequence.items.top - e->list->data.sequence.items.start);
	e->at = e->n;
	for (size_t i = 0; i < e->n; i++) {
		if (!has_id(e, edit_entry(e, i)))
			continue;
		if (e->at < e->n)
			return not_here(e, "two entries have this id");
		if (repeats_a_key(e, edit_entry(e, i)))
			return not_here(e, "a key of the entry is there twice, or is no word");
		e->at = i;
	}
	return OK;
}

enum err edit_open(struct editing *e, const struct yaml_entry *of, struct str text)
{
	*e = (struct editing){.text = text, .name = of->name, .section = of->section, .id = of->id};
	e->y =
	    (struct yaml){.arena = &e->arena, .report = &e->report, .file = of->name, .text = text};
	size_t first = str_find(text, '\n');
	e->end = first && first < text.n && text.p[first - 1] == '\r' ? "\r\n" : "\n";
	if (!text.n)
		return OK;
	if (has_odd_ends(text))
		return not_here(e, "it ends lines in unusual ways");
	e->root = yaml_open(&e->y);
	enum err failed = report_error(&e->report);
	if (failed)
		return failed;
	if (!e->root)
		return OK;
	if (has_anchors(text))
		return not_here(e, "it has anchors (&), aliases (*) or tags (!)");
	if (e->root->type != YAML_MAPPING_NODE)
		return not_here(e, "it has no keys");
	return repeats_a_key(e, e->root) ? not_here(e, "a section is there twice") : find_entry(e);
}

void edit_close(struct editing *e)
{
	yaml_close(&e->y);
	report_done(&e->report);
	arena_done(&e->arena);
}

/* --- lines */

size_t line_of(const struct editing *e, size_t byte)
{
	size_t lo = 0, hi = e->y.lines_n;
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;
		if (e->y.lines[mid] <= byte)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

size_t line_begin(const struct editing *e, size_t line)
{
	return line < e->y.lines_n ? e->y.lines[line] : e->text.n;
}

size_t line_next(const struct editing *e, size_t line)
{
	return line_begin(e, line + 1);
}

size_t line_end(const struct editing *e, size_t line)
{
	size_t from = line_begin(e, line), to = line_next(e, line);
	if (to > from && e->text.p[to - 1] == '\n')
		to--;
	if (to > from && e->text.p[to - 1] == '\r')
		to--;
	return to;
}

struct str line_text(const struct editing *e, size_t line)
{
	size_t from = line_begin(e, line);
	return str_make(e->text.p + from, line_end(e, line) - from);
}

bool line_is_blank(const struct editing *e, size_t line)
{
	return line < e->y.lines_n && !str_trim(line_text(e, line)).n;
}

bool line_is_comment(const struct editing *e, size_t line)
{
	return line < e->y.lines_n && str_starts(str_trim(line_text(e, line)), STR("#"));
}

size_t line_indent(const struct editing *e, size_t line)
{
	struct str s = line_text(e, line);
	size_t n = 0;
	while (n < s.n && s.p[n] == ' ')
		n++;
	return n;
}

/* --- nodes */

bool edit_is_flow(const yaml_node_t *n)
{
	return (n->type == YAML_MAPPING_NODE && n->data.mapping.style == YAML_FLOW_MAPPING_STYLE) ||
	       (n->type == YAML_SEQUENCE_NODE &&
		   n->data.sequence.style == YAML_FLOW_SEQUENCE_STYLE);
}

size_t node_begin(const struct editing *e, const yaml_node_t *n)
{
	size_t from, to;
	yaml_span(&e->y, n, &from, &to);
	return from;
}

size_t node_column(const struct editing *e, const yaml_node_t *n)
{
	size_t from = node_begin(e, n);
	return from - line_begin(e, line_of(e, from));
}

/* The last line of '|' or '>': as far as lines are indented as its first, or as its header says.
 * A '#' so far in is a part of the text. */
static size_t block_text_last(const struct editing *e, const yaml_node_t *n, size_t parent)
{
	size_t from = node_begin(e, n), line = line_of(e, from), last = line, indent = 0;
	for (size_t i = from + 1; i < e->text.n && chr_one_of(e->text.p[i], "+-123456789"); i++)
		if (chr_digit(e->text.p[i]))
			indent = parent + (size_t)(e->text.p[i] - '0');
	while (++line < e->y.lines_n) {
		if (line_is_blank(e, line))
			continue;
		size_t in = line_indent(e, line);
		if (in <= parent || in < indent)
			break;
		indent = indent ? indent : in;
		last = line;
	}
	return last;
}

size_t node_last(const struct editing *e, const yaml_node_t *n, size_t parent)
{
	size_t from, to;
	yaml_span(&e->y, n, &from, &to);
	if (n->type == YAML_SCALAR_NODE && (n->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
					       n->data.scalar.style == YAML_FOLDED_SCALAR_STYLE))
		return block_text_last(e, n, parent);
	if (n->type == YAML_SCALAR_NODE || edit_is_flow(n))
		return line_of(e, to > from ? to - 1 : from);
	size_t column = node_column(e, n), last = line_of(e, from);
	const yaml_node_t *in = NULL;
	if (n->type == YAML_SEQUENCE_NODE &&
	    n->data.sequence.items.top > n->data.sequence.items.start)
		in = yaml_node(&e->y, n->data.sequence.items.top[-1]);
	else if (n->type == YAML_MAPPING_NODE &&
		 n->data.mapping.pairs.top > n->data.mapping.pairs.start)
		in = yaml_node(&e->y, n->data.mapping.pairs.top[-1].value);
	return in ? node_last(e, in, column) : last;
}

/* --- putting together */

void splice(const struct editing *e, size_t from, size_t to, struct str with, struct buf *out)
{
	buf_add(out, e->text.p, from);
	buf_str(out, with);
	buf_add(out, e->text.p + to, e->text.n - to);
}

void splice_out(const struct editing *e, size_t from, size_t to, struct buf *out)
{
	bool endless = to == e->text.n && to && e->text.p[to - 1] != '\n';
	if (endless && from && e->text.p[from - 1] == '\n')
		from--;
	if (endless && from && e->text.p[from - 1] == '\r')
		from--;
	splice(e, from, to, STR(""), out);
}

void splice_behind(const struct editing *e, size_t line, struct str lines, struct buf *out)
{
	size_t at = line_next(e, line);
	bool endless = at == e->text.n && at && e->text.p[at - 1] != '\n';
	buf_add(out, e->text.p, at);
	buf_c(out, endless ? e->end : "");
	buf_str(out, lines);
	buf_c(out, endless ? "" : e->end);
	buf_add(out, e->text.p + at, e->text.n - at);
}
