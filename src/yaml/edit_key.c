/* One key of an entry: its value is replaced, or it is put in behind the last one, or taken out.
 *
 * What a value takes up depends on how it stands:
 *
 *     when: outerwear      # why     the bytes of the text; the comment stays behind it
 *     when: >-             # why     from '>' to the last line of the text
 *       outerwear
 *     destinations:        # why     a list of lines: the lines of items that go or come
 *       - page                       … or from ':' to the last item, where no list follows
 *
 * In an entry that stands in brackets, a value is always in its line. */
#include "editing.h"

#include "crumb/yaml/write.h"

#include <jansson.h>
#include <stdio.h>

static struct str scalar(const yaml_node_t *n)
{
	return str_make((const char *)n->data.scalar.value, n->data.scalar.length);
}

static struct str string(const json_t *v)
{
	return str_make(json_string_value(v), json_string_length(v));
}

/* --- do they say the same? */

static bool same_list(const struct editing *e, const yaml_node_t *n, const json_t *value)
{
	yaml_node_item_t *it = n->data.sequence.items.start;
	size_t i, count = (size_t)(n->data.sequence.items.top - it);
	json_t *one;
	bool same = count == json_array_size(value);
	json_array_foreach(value, i, one) same = same && edit_says(e, yaml_node(&e->y, it[i]), one);
	return same;
}

static bool same_map(const struct editing *e, const yaml_node_t *n, const json_t *value)
{
	yaml_node_pair_t *it = n->data.mapping.pairs.start;
	size_t count = (size_t)(n->data.mapping.pairs.top - it), i = 0;
	const char *key;
	json_t *one;
	if (count != json_object_size(value))
		return false;
	json_object_foreach((json_t *)(uintptr_t)value, key, one)
	{
		const yaml_node_t *k = yaml_node(&e->y, it[i].key);
		if (k->type != YAML_SCALAR_NODE || !str_eq(scalar(k), str_c(key)) ||
		    !edit_says(e, yaml_node(&e->y, it[i++].value), one))
			return false;
	}
	return true;
}

bool edit_says(const struct editing *e, const yaml_node_t *n, const struct json_t *value)
{
	struct buf text = {0};
	if (json_is_array(value))
		return n->type == YAML_SEQUENCE_NODE && same_list(e, n, value);
	if (json_is_object(value))
		return n->type == YAML_MAPPING_NODE && same_map(e, n, value);
	if (n->type != YAML_SCALAR_NODE || json_is_null(value))
		return false;
	bool plain = n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (json_is_string(value))
		return str_eq(scalar(n), string(value)) && !(plain && yaml_taken_for(scalar(n)));
	yaml_write_value(value, YAML_IN_BLOCK, YAML_UNQUOTED, &text);
	bool same = plain && str_eq(scalar(n), buf_view(&text));
	buf_done(&text);
	return same;
}

/* --- writing */

/* Quotes that were not needed are somebody's taste, and stay. Those that were needed say nothing of
 * taste; without them the way back is the way there. */
static enum yaml_quotes quotes_of(const yaml_node_t *n, enum yaml_around around)
{
	if (n->type != YAML_SCALAR_NODE)
		return YAML_UNQUOTED;
	if (n->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
		return yaml_write_is_plain(scalar(n), around) ? YAML_SINGLE : YAML_UNQUOTED;
	if (n->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return yaml_write_is_escaped(scalar(n)) ? YAML_UNQUOTED : YAML_DOUBLE;
	return YAML_UNQUOTED;
}

static bool is_block(const json_t *v)
{
	return json_is_string(v) && yaml_write_is_block(string(v));
}

/* A list of maps is a list of lines, a map each. */
static bool wants_lines(const json_t *v)
{
	return json_is_array(v) && json_is_object(json_array_get(v, 0));
}

static void put_items(const json_t *list, size_t indent, const char *end, struct buf *lines)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
	{
		buf_addf(lines, "%s%*s- ", end, (int)indent, "");
		yaml_write_value(one, YAML_IN_BLOCK, YAML_UNQUOTED, lines);
	}
}

void edit_write_key(
    const char *key, const struct json_t *value, size_t column, const char *end, struct buf *lines)
{
	yaml_write_text(str_c(key), YAML_IN_BLOCK, YAML_UNQUOTED, lines);
	buf_c(lines, ":");
	if (wants_lines(value)) {
		put_items(value, column + 2, end, lines);
		return;
	}
	buf_c(lines, " ");
	if (is_block(value)) {
		struct buf text = {0};
		yaml_write_block(string(value), column + 2, end, lines, &text);
		buf_c(lines, end);
		buf_str(lines, buf_view(&text));
		buf_done(&text);
	} else {
		yaml_write_value(value, YAML_IN_BLOCK, YAML_UNQUOTED, lines);
	}
}

/* --- replacing */

/* What a value takes up: bytes [from, to), and the rest of its line behind them, which stays behind
 * what comes first of the new value. */
struct taken {
	size_t from, to;
	struct str tail;
	bool apart; /* a blank is missing before the value */
};

/* Behind the ':' of a key. */
static size_t behind_colon(const struct editing *e, const yaml_node_t *key)
{
	size_t from, to;
	yaml_span(&e->y, key, &from, &to);
	while (to < e->text.n && e->text.p[to] != ':')
		to++;
	return to + 1;
}

static struct taken taken_by(
    const struct editing *e, const yaml_node_t *key, const yaml_node_t *value, size_t column)
{
	struct taken t = {.apart = false};
	yaml_span(&e->y, value, &t.from, &t.to);
	bool text = value->type == YAML_SCALAR_NODE;
	bool lines = text ? value->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
				value->data.scalar.style == YAML_FOLDED_SCALAR_STYLE
			  : !edit_is_flow(value);
	if (text && !lines && t.from == t.to) { /* "key:" */
		t.from = t.to = behind_colon(e, key);
		t.apart = true;
	}
	if (!lines) {
		size_t line = line_of(e, t.to > t.from ? t.to - 1 : t.to);
		t.tail = str_make(e->text.p + t.to, line_end(e, line) - t.to);
		t.to = line_end(e, line);
		return t;
	}
	t.to = line_end(e, node_last(e, value, column));
	size_t behind = t.from;
	if (!text) {
		t.from = behind = behind_colon(e, key);
		t.apart = true;
	}
	while (text && behind < e->text.n && chr_one_of(e->text.p[behind], "|>+-123456789"))
		behind++;
	t.tail = str_make(e->text.p + behind, line_end(e, line_of(e, behind)) - behind);
	return t;
}

/* The lines before an item, from the one behind the item before: its comments. */
static size_t item_from(const struct editing *e, const yaml_node_t *list, size_t i, size_t column)
{
	const yaml_node_t *item = yaml_node(&e->y, list->data.sequence.items.start[i]);
	size_t line = line_of(e, node_begin(e, item));
	if (i)
		return node_last(
			   e, yaml_node(&e->y, list->data.sequence.items.start[i - 1]), column) +
		       1;
	while (line_is_comment(e, line - 1))
		line--;
	return line;
}

/* A list of lines by another list: items that are in both keep their lines. */
static void replace_items(
    const struct editing *e, const yaml_node_t *list, const json_t *value, struct buf *out)
{
	yaml_node_item_t *it = list->data.sequence.items.start;
	size_t n = (size_t)(list->data.sequence.items.top - it), column = node_column(e, list);
	size_t i, next = 0, first = item_from(e, list, 0, column);
	enum yaml_quotes quotes = quotes_of(yaml_node(&e->y, it[0]), YAML_IN_BLOCK);
	struct buf lines = {0};
	json_t *one;
	json_array_foreach(value, i, one)
	{
		size_t k = next;
		while (k < n && !edit_says(e, yaml_node(&e->y, it[k]), one))
			k++;
		buf_c(&lines, i ? e->end : "");
		if (k == n) {
			buf_addf(&lines, "%*s- ", (int)column, "");
			yaml_write_value(one, YAML_IN_BLOCK, quotes, &lines);
			continue;
		}
		next = k + 1;
		size_t from = line_begin(e, item_from(e, list, k, column)),
		       to = line_end(e, node_last(e, yaml_node(&e->y, it[k]), column));
		buf_add(&lines, e->text.p + from, to - from);
	}
	splice(e, line_begin(e, first), line_end(e, node_last(e, list, column)), buf_view(&lines),
	    out);
	out->failed |= lines.failed;
	buf_done(&lines);
}

/* A list by a list goes item by item. What else there may be is one of these: a new value in the
 * line of the key, or lines below it; and what stood behind the old one stays in the key's line. */
static void replace_value(const struct editing *e, const yaml_node_t *key, const yaml_node_t *value,
    const json_t *to, size_t column, struct buf *out)
{
	struct taken t = taken_by(e, key, value, column);
	struct buf new = {0}, lines = {0};
	if (value->type == YAML_SEQUENCE_NODE && !edit_is_flow(value) && json_array_size(to)) {
		replace_items(e, value, to, out);
		return;
	}
	if (wants_lines(to)) {
		put_items(to, column + 2, e->end, &lines);
		t.from = behind_colon(e, key);
	} else {
		buf_c(&new, t.apart ? " " : "");
	}
	if (is_block(to)) {
		buf_c(&lines, e->end);
		yaml_write_block(string(to), column + 2, e->end, &new, &lines);
	} else if (!wants_lines(to)) {
		yaml_write_value(to, YAML_IN_BLOCK, quotes_of(value, YAML_IN_BLOCK), &new);
	}
	buf_str(&new, t.tail);
	buf_str(&new, buf_view(&lines));
	splice(e, t.from, t.to, buf_view(&new), out);
	out->failed |= new.failed || lines.failed;
	buf_done(&lines);
	buf_done(&new);
}

/* --- taking out */

static enum err by_hand(const struct editing *e, const char *key, const char *why)
{
	return err_set(
	    ERR_USAGE, "%s cannot be edited here: '%s' %s; change it by hand", e->name, key, why);
}

/* The first key stands behind the '-': the key behind it takes its place. */
static enum err remove_key(
    const struct editing *e, const yaml_node_t *map, size_t pair, const char *name, struct buf *out)
{
	yaml_node_pair_t *it = map->data.mapping.pairs.start;
	size_t n = (size_t)(map->data.mapping.pairs.top - it), column = node_column(e, map);
	const yaml_node_t *key = yaml_node(&e->y, it[pair].key);
	size_t first = line_of(e, node_begin(e, key)),
	       last = node_last(e, yaml_node(&e->y, it[pair].value), column);
	if (pair) {
		splice_out(e, line_begin(e, first), line_next(e, last), out);
		return OK;
	}
	if (n == 1)
		return by_hand(e, name, "is all that the entry has");
	size_t next = node_begin(e, yaml_node(&e->y, it[1].key));
	if (line_of(e, next) != last + 1)
		return by_hand(e, name, "is followed by a comment");
	splice(e, node_begin(e, key), next, STR(""), out);
	return OK;
}

/* --- in brackets */

static void span_of(const struct editing *e, int node, size_t *from, size_t *to)
{
	yaml_span(&e->y, yaml_node(&e->y, node), from, to);
}

/* {id: coats, when: a}: a key comes behind the last value; one that goes takes the comma before it,
 * the first the comma behind it. */
static enum err edit_in_flow(const struct editing *e, const yaml_node_t *map, size_t pair,
    const char *name, const json_t *value, struct buf *out)
{
	yaml_node_pair_t *it = map->data.mapping.pairs.start;
	size_t n = (size_t)(map->data.mapping.pairs.top - it), from, to, other;
	struct buf new = {0};
	if (pair < n && !json_is_null(value)) {
		span_of(e, it[pair].value, &from, &to);
		if (from == to)
			return by_hand(e, name, "has no value");
		yaml_write_value(value, YAML_IN_FLOW,
		    quotes_of(yaml_node(&e->y, it[pair].value), YAML_IN_FLOW), &new);
	} else if (line_of(e, node_begin(e, map)) != node_last(e, map, 0)) {
		return by_hand(e, name, "belongs to brackets of several lines");
	} else if (pair == n) {
		span_of(e, it[n - 1].value, &other, &from);
		to = from;
		buf_c(&new, ", ");
		yaml_write_text(str_c(name), YAML_IN_FLOW, YAML_UNQUOTED, &new);
		buf_c(&new, ": ");
		yaml_write_value(value, YAML_IN_FLOW, YAML_UNQUOTED, &new);
	} else if (pair) {
		span_of(e, it[pair - 1].value, &other, &from);
		span_of(e, it[pair].value, &other, &to);
	} else if (n > 1) {
		span_of(e, it[0].key, &from, &other);
		span_of(e, it[1].key, &to, &other);
	} else {
		return by_hand(e, name, "is all that the entry has");
	}
	splice(e, from, to, new.n ? buf_view(&new) : STR(""), out);
	out->failed |= new.failed;
	buf_done(&new);
	return OK;
}

/* --- one key */

/* A value that says already what is wanted stays as it stands. */
enum err edit_key(
    const struct editing *e, const char *name, const struct json_t *value, struct buf *out)
{
	const yaml_node_t *entry = edit_entry(e, e->at);
	yaml_node_pair_t *it = entry->data.mapping.pairs.start;
	size_t pair = (size_t)(entry->data.mapping.pairs.top - it);
	const yaml_node_t *now = edit_value(e, entry, name, &pair);
	if (now ? edit_says(e, now, value) : json_is_null(value)) {
		buf_str(out, e->text);
		return OK;
	}
	if (edit_is_flow(entry))
		return edit_in_flow(e, entry, pair, name, value, out);
	if (json_is_null(value))
		return remove_key(e, entry, pair, name, out);
	size_t column = node_column(e, entry);
	if (now) {
		replace_value(e, yaml_node(&e->y, it[pair].key), now, value, column, out);
		return OK;
	}
	struct buf lines = {0};
	buf_addf(&lines, "%*s", (int)column, "");
	edit_write_key(name, value, column, e->end, &lines);
	splice_behind(e, node_last(e, entry, column), buf_view(&lines), out);
	out->failed |= lines.failed;
	buf_done(&lines);
	return OK;
}
