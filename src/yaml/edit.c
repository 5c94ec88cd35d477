/* Entries of a list: found, changed, put in, taken out; and what was made is checked.
 *
 * An entry's lines go from the comments directly above it to its last word:
 *
 *     - id: a
 *       when: x
 *       # - more        further in than the '-': still a's
 *                       nobody's; goes with the entry below it
 *     # about b         b's
 *     - id: b
 *
 * The check reads the new text and walks old and new side by side: a list and a map have what they
 * had, but for the entry and the keys that were to change. So a mistake here is a refusal, and
 * never a file with something else in it. */
#include "editing.h"

#include "crumb/yaml/write.h"

#include <jansson.h>
#include <stdio.h>

/* --- the lines of an entry */

struct lines_of {
	size_t first, last; /* the lines of the entry, comments included */
	size_t dash;	    /* the column of its '-' */
};

/* The column of the '-' before an entry. False: it stands on another line. */
static bool find_dash(const struct editing *e, size_t i, size_t *column)
{
	size_t at = node_begin(e, edit_entry(e, i)), from = line_begin(e, line_of(e, at));
	while (at > from && e->text.p[at - 1] == ' ')
		at--;
	if (at == from || e->text.p[--at] != '-')
		return false;
	*column = at - from;
	return line_indent(e, line_of(e, at)) == *column;
}

/* The last line of entry i, with what is commented out below it; before the first entry stands the
 * line of the section. */
static size_t entry_last(const struct editing *e, size_t i, size_t dash)
{
	size_t last = node_last(e, edit_entry(e, i), dash);
	while (line_is_comment(e, last + 1) && line_indent(e, last + 1) > dash)
		last++;
	return last;
}

static enum err lines_of(const struct editing *e, size_t i, struct lines_of *out)
{
	struct lines_of l = {.first = line_of(e, node_begin(e, edit_entry(e, i)))};
	if (edit_is_flow(e->list) || !find_dash(e, i, &l.dash))
		return err_set(ERR_USAGE,
		    "%s cannot be edited here: the entries of '%s' do not begin with '- ' on a "
		    "line "
		    "of their own; change it by hand",
		    e->name, e->section);
	l.last = entry_last(e, i, l.dash);
	size_t before = i ? entry_last(e, i - 1, l.dash) : line_of(e, node_begin(e, e->key));
	while (l.first - 1 > before && line_is_comment(e, l.first - 1))
		l.first--;
	*out = l;
	return OK;
}

/* Is there a blank line between the entry and the one before? */
static bool stands_apart(const struct editing *e, size_t i, const struct lines_of *l)
{
	return i && line_is_blank(e, l->first - 1) && l->first - 1 > entry_last(e, i - 1, l->dash);
}

/* --- the check */

/* The style is compared, too: a word that had quotes is another word without them. */
static bool same_node(
    const struct editing *a, const yaml_node_t *m, const struct editing *b, const yaml_node_t *n)
{
	if (m->type != n->type)
		return false;
	if (m->type == YAML_SCALAR_NODE)
		return m->data.scalar.style == n->data.scalar.style &&
		       m->data.scalar.length == n->data.scalar.length &&
		       memcmp(m->data.scalar.value, n->data.scalar.value, m->data.scalar.length) ==
			   0;
	if (m->type == YAML_SEQUENCE_NODE) {
		yaml_node_item_t *i = m->data.sequence.items.start,
				 *j = n->data.sequence.items.start;
		bool same = m->data.sequence.items.top - i == n->data.sequence.items.top - j;
		for (; same && i < m->data.sequence.items.top; i++, j++)
			same = same_node(a, yaml_node(&a->y, *i), b, yaml_node(&b->y, *j));
		return same;
	}
	yaml_node_pair_t *i = m->data.mapping.pairs.start, *j = n->data.mapping.pairs.start;
	bool same = m->data.mapping.pairs.top - i == n->data.mapping.pairs.top - j;
	for (; same && i < m->data.mapping.pairs.top; i++, j++)
		same = same_node(a, yaml_node(&a->y, i->key), b, yaml_node(&b->y, j->key)) &&
		       same_node(a, yaml_node(&a->y, i->value), b, yaml_node(&b->y, j->value));
	return same;
}

/* The name of a map's key by its number; "": it is no word. */
static const char *key_at(const struct editing *e, const yaml_node_t *map, size_t i)
{
	const yaml_node_t *k = yaml_node(&e->y, map->data.mapping.pairs.start[i].key);
	return k->type == YAML_SCALAR_NODE ? (const char *)k->data.scalar.value : "";
}

static size_t keys_of(const yaml_node_t *map)
{
	return (size_t)(map->data.mapping.pairs.top - map->data.mapping.pairs.start);
}

/* Has the entry n what m had, in its order, but for the keys of `set`, which are as they say? */
static bool entry_as_asked(const struct editing *a, const yaml_node_t *m, const struct editing *b,
    const yaml_node_t *n, const json_t *set)
{
	const char *key;
	json_t *value;
	size_t kept = 0, at = 0, others = 0;
	if (n->type != YAML_MAPPING_NODE)
		return false;
	json_object_foreach((json_t *)(uintptr_t)set, key, value)
	{
		const yaml_node_t *now = edit_value(b, n, key, NULL);
		if (json_is_null(value) ? now != NULL : !now || !edit_says(b, now, value))
			return false;
	}
	for (size_t i = 0; i < keys_of(n); i++)
		others += json_object_get(set, key_at(b, n, i)) == NULL;
	for (size_t i = 0; m && i < keys_of(m); i++) {
		key = key_at(a, m, i);
		if (json_object_get(set, key))
			continue;
		const yaml_node_t *now = edit_value(b, n, key, &at);
		if (!now || (kept && at < kept) ||
		    !same_node(a, edit_value(a, m, key, NULL), b, now))
			return false;
		kept = at;
		others--;
	}
	return others == 0;
}

enum edit { EDIT_SET, EDIT_ADD, EDIT_REMOVE };

/* The same sections and entries, but for the one entry. A section that was missing stands behind
 * the others. */
static bool as_asked(
    const struct editing *a, const struct editing *b, enum edit what, const json_t *set)
{
	size_t keys = a->root ? keys_of(a->root) : 1, i = 0, j = 0;
	if (!b->root || keys_of(b->root) != keys + (a->key == NULL))
		return false;
	for (size_t k = 0; a->root && k < keys; k++) {
		const char *key = key_at(a, a->root, k);
		if (strcmp(key, key_at(b, b->root, k)) != 0 ||
		    (strcmp(key, a->section) != 0 &&
			!same_node(a, edit_value(a, a->root, key, NULL), b,
			    edit_value(b, b->root, key, NULL))))
			return false;
	}
	for (; i < a->n; i++) {
		if (i == a->at && what == EDIT_REMOVE)
			continue;
		if (j == b->n)
			return false;
		bool same = i == a->at && what == EDIT_SET
				? entry_as_asked(a, edit_entry(a, i), b, edit_entry(b, j), set)
				: same_node(a, edit_entry(a, i), b, edit_entry(b, j));
		if (!same)
			return false;
		j++;
	}
	if (what == EDIT_ADD)
		return j + 1 == b->n && entry_as_asked(a, NULL, b, edit_entry(b, j), set);
	return j == b->n;
}

static bool reads_as_asked(const struct yaml_entry *of, const struct editing *before,
    const struct buf *made, enum edit what, const json_t *set)
{
	struct editing after;
	bool fine = edit_open(&after, of, made->n ? buf_view(made) : STR("")) == OK &&
		    as_asked(before, &after, what, set);
	edit_close(&after);
	return fine;
}

/* Reads what was made. `set` has the id, too, where an entry was added. A block text that ends with
 * a line wants the file to end with one. */
static enum err check_made(const struct yaml_entry *of, const struct editing *before,
    struct buf *made, enum edit what, const json_t *set)
{
	bool fine = reads_as_asked(of, before, made, what, set);
	if (!fine && made->n && made->p[made->n - 1] != '\n') {
		buf_c(made, before->end);
		fine = reads_as_asked(of, before, made, what, set);
	}
	if (made->failed)
		return err_set(ERR_NOMEM, "no memory for this edit");
	return fine ? OK
		    : err_set(ERR_USAGE,
			  "%s cannot be edited here without changing what else is in it: change it "
			  "by hand",
			  of->name);
}

/* --- edits */

static enum err not_there(const struct yaml_entry *of)
{
	return err_set(ERR_NOT_FOUND, "%s has no '%s' in '%s'", of->name, of->id, of->section);
}

enum err yaml_edit_look(const struct yaml_entry *of, size_t *entries, bool *has)
{
	struct editing e;
	enum err failed = edit_open(&e, of, of->text);
	if (!failed) {
		*entries = e.n;
		*has = e.at < e.n;
	}
	edit_close(&e);
	return failed;
}

static json_t *word_json(const yaml_node_t *n)
{
	return json_stringn((const char *)n->data.scalar.value, n->data.scalar.length);
}

/* As deep as yaml_open() lets a file be. Maps and lists without anchors are a tree. A key that is
 * no word is left out. */
static json_t *node_json(const struct editing *e, const yaml_node_t *n)
{
	if (n->type == YAML_SCALAR_NODE)
		return word_json(n);
	if (n->type == YAML_SEQUENCE_NODE) {
		json_t *list = json_array();
		yaml_node_item_t *i = n->data.sequence.items.start;
		for (; i < n->data.sequence.items.top; i++)
			json_array_append_new(list, node_json(e, yaml_node(&e->y, *i)));
		return list;
	}
	json_t *map = json_object();
	yaml_node_pair_t *i = n->data.mapping.pairs.start;
	for (; i < n->data.mapping.pairs.top; i++) {
		const yaml_node_t *k = yaml_node(&e->y, i->key);
		if (k->type == YAML_SCALAR_NODE)
			json_object_set_new(map, (const char *)k->data.scalar.value,
			    node_json(e, yaml_node(&e->y, i->value)));
	}
	return map;
}

enum err yaml_edit_read(const struct yaml_entry *of, struct json_t **out)
{
	struct editing e;
	enum err failed = edit_open(&e, of, of->text);
	if (!failed && e.at == e.n)
		failed = not_there(of);
	if (!failed)
		*out = node_json(&e, edit_entry(&e, e.at));
	edit_close(&e);
	return failed;
}

/* Key by key, each on the text that the one before has made. */
static enum err set_keys(const struct yaml_entry *of, const json_t *set, struct buf *text)
{
	const char *key;
	json_t *value;
	enum err failed = OK;
	json_object_foreach((json_t *)(uintptr_t)set, key, value)
	{
		struct editing e;
		struct buf next = {0};
		if (!failed) {
			failed = edit_open(&e, of, buf_view(text));
			if (!failed && e.at == e.n)
				failed = not_there(of);
			if (!failed)
				failed = edit_key(&e, key, value, &next);
			edit_close(&e);
		}
		if (failed) {
			buf_done(&next);
			return failed;
		}
		next.failed |= text->failed;
		buf_done(text);
		*text = next;
	}
	return failed;
}

/* The id goes last: by it the entry is found for the other keys. */
enum err yaml_edit_set(const struct yaml_entry *of, const struct json_t *set, struct buf *out)
{
	struct editing before;
	struct buf text = {0};
	json_t *others = json_copy((json_t *)(uintptr_t)set), *id = json_object();
	if (json_object_get(set, "id"))
		json_object_set(id, "id", json_object_get(set, "id"));
	json_object_del(others, "id");
	enum err failed = edit_open(&before, of, of->text);
	if (!failed && before.at == before.n)
		failed = not_there(of);
	if (!failed && json_object_get(id, "id") && !json_is_string(json_object_get(id, "id")))
		failed = err_set(ERR_USAGE, "an id is a text, and an entry needs one");
	buf_str(&text, of->text);
	if (!failed)
		failed = set_keys(of, others, &text);
	if (!failed)
		failed = set_keys(of, id, &text);
	if (!failed)
		failed = check_made(of, &before, &text, EDIT_SET, set);
	if (!failed)
		buf_str(out, buf_view(&text));
	edit_close(&before);
	json_decref(others);
	json_decref(id);
	buf_done(&text);
	return failed;
}

/* An entry as lines, without an end behind the last. */
static void write_entry(const struct editing *e, const json_t *set, size_t dash, size_t column,
    bool flow, struct buf *lines)
{
	const char *key, *between = "";
	json_t *value;
	buf_addf(lines, "%*s-%*s", (int)dash, "", (int)(column - dash - 1), "");
	if (flow) {
		yaml_write_value(set, YAML_IN_FLOW, YAML_UNQUOTED, lines);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)set, key, value)
	{
		if (*between)
			buf_addf(lines, "%s%*s", between, (int)column, "");
		edit_write_key(key, value, column, e->end, lines);
		between = e->end;
	}
}

/* Behind the last entry, in its style, and set apart as it is. */
static enum err add_behind(
    const struct editing *e, const json_t *set, struct buf *lines, struct buf *out)
{
	struct lines_of l;
	enum err failed = lines_of(e, e->n - 1, &l);
	if (failed)
		return failed;
	const yaml_node_t *last = edit_entry(e, e->n - 1);
	if (stands_apart(e, e->n - 1, &l))
		buf_c(lines, e->end);
	write_entry(e, set, l.dash, node_column(e, last), edit_is_flow(last), lines);
	splice_behind(e, l.last, buf_view(lines), out);
	return OK;
}

/* A section without entries, or none: "segments:" or "segments: []". */
static void add_first(
    const struct editing *e, const json_t *set, struct buf *lines, struct buf *out)
{
	size_t from, to;
	if (!e->key) {
		bool ended = !e->text.n || e->text.p[e->text.n - 1] == '\n';
		buf_str(out, e->text);
		buf_c(out, ended ? "" : e->end);
		if (!e->root)
			buf_addf(out, "version: %s%s", YAML_VERSION, e->end);
		buf_addf(out, "%s%s:%s", e->end, e->section, e->end);
		write_entry(e, set, 2, 4, false, out);
		buf_c(out, ended ? e->end : "");
		return;
	}
	/* "[]" goes, with the blank before it; what stands behind it stays on the line */
	yaml_span(&e->y, e->list, &from, &to);
	while (from < to && e->text.p[from - 1] == ' ')
		from--;
	size_t next = line_next(e, line_of(e, from));
	bool ended = e->text.p[next - 1] == '\n';
	write_entry(e, set, 2, 4, false, lines);
	buf_add(out, e->text.p, from);
	buf_add(out, e->text.p + to, next - to);
	buf_c(out, ended ? "" : e->end);
	buf_str(out, buf_view(lines));
	buf_c(out, ended ? e->end : "");
	buf_add(out, e->text.p + next, e->text.n - next);
}

enum err yaml_edit_add(const struct yaml_entry *of, const struct json_t *set, struct buf *out)
{
	struct editing e;
	struct buf text = {0}, lines = {0};
	json_t *all = json_pack("{s:s}", "id", of->id), *value;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)set, key, value) if (!json_is_null(value))
	    json_object_set(all, key, value);
	enum err failed = edit_open(&e, of, of->text);
	if (!failed && e.at < e.n)
		failed = err_set(ERR_USAGE, "%s has '%s' already", of->name, of->id);
	if (!failed && e.n)
		failed = add_behind(&e, all, &lines, &text);
	else if (!failed)
		add_first(&e, all, &lines, &text);
	text.failed |= lines.failed;
	if (!failed)
		failed = check_made(of, &e, &text, EDIT_ADD, all);
	if (!failed)
		buf_str(out, buf_view(&text));
	edit_close(&e);
	json_decref(all);
	buf_done(&lines);
	buf_done(&text);
	return failed;
}

/* A blank line that sets the entry apart goes with it. */
enum err yaml_edit_remove(const struct yaml_entry *of, struct buf *out)
{
	struct editing e;
	struct lines_of l;
	struct buf text = {0};
	enum err failed = edit_open(&e, of, of->text);
	if (!failed && e.at == e.n)
		failed = not_there(of);
	if (!failed)
		failed = lines_of(&e, e.at, &l);
	if (!failed) {
		if (stands_apart(&e, e.at, &l))
			l.first--;
		else if (!e.at && e.n > 1 && line_is_blank(&e, l.last + 1))
			l.last++;
		splice_out(&e, line_begin(&e, l.first), line_next(&e, l.last), &text);
		failed = check_made(of, &e, &text, EDIT_REMOVE, NULL);
	}
	if (!failed)
		buf_str(out, text.n ? buf_view(&text) : STR(""));
	edit_close(&e);
	buf_done(&text);
	return failed;
}
