/* The configuration's file: nested maps whose keys, joined by dots, name options.
 *
 *     cookie:                 name "cookie"            no option, so a section: walk() goes in
 *       samesite: lax         name "cookie.samesite"   an option: take_value()
 *     sites: [a.example, b]   name "sites"             an option: take_list(), "a.example,b"
 *
 * A mistake is reported where it stands, and reading goes on, so that one run names all mistakes.
 * Aliases of aliases and deep nesting could make endless mistakes: such a file gets one finding.
 *
 * Findings are shown with their lines. A line that may hold a secret is never shown (the last part
 * of this file): what is printed at a start stays in logs. */
#include "config_own.h"

#include "crumb/base/arena.h"
#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/base/map.h"
#include "crumb/base/near.h"
#include "crumb/yaml/deep.h"
#include "crumb/yaml/yaml.h"

#include <stdlib.h>

#define FILE_MOST (1 << 20) /* bytes */
#define VALUES_MOST 10000   /* aliases of aliases double what they stand for */
#define NAME_MOST 200	    /* bytes; a longer name can be no option */
#define SHOWN_MOST 20	    /* findings that are printed with their lines */

struct reading {
	struct config *c;
	struct yaml yaml;
	struct buf name;  /* of the value at hand, dotted */
	struct map names; /* sections and options that were there */
	unsigned values;
	bool over;     /* the file is endless: give_up() has said so */
	enum err stop; /* memory is missing: nothing more of the file is read */
};

/* One finding takes the place of all that were found. */
static void give_up(
    struct reading *r, const yaml_node_t *n, const char *code, const char *message, int most)
{
	report_done(r->yaml.report);
	yaml_complain(&r->yaml, n, code, NULL, message, most);
	r->over = true;
}

/* Reports err_text() at the value, up to the first byte that is no UTF-8. */
static void refuse_value(struct reading *r, const yaml_node_t *n, enum err e)
{
	struct str words = str_c(err_text());
	if (e == ERR_NOMEM)
		r->stop = e;
	else
		yaml_complain(
		    &r->yaml, n, "option", NULL, STR_FMT, (int)utf8_valid(words), words.p);
}

static void take_value(
    struct reading *r, const yaml_node_t *n, const struct option *o, struct str value)
{
	enum err e = config_put(r->c, o, value);
	if (e)
		refuse_value(r, n, e);
}

static void take_joined(
    struct reading *r, const yaml_node_t *n, const struct option *o, const struct buf *joined)
{
	if (joined->failed)
		r->stop = err_set(ERR_NOMEM, "no memory");
	else
		take_value(r, n, o, joined->n ? buf_view(joined) : STR(""));
}

static void unknown(struct reading *r, const yaml_node_t *key)
{
	char hint[160] = "crumbd --help lists them";
	struct str name = buf_view(&r->name), meant = config_meant(name);
	if (meant.n)
		snprintf(hint, sizeof hint, "did you mean '" STR_FMT "'?", STR_ARG(meant));
	yaml_complain(
	    &r->yaml, key, "unknown-key", hint, "there is no option '" STR_FMT "'", STR_ARG(name));
}

/* True: options are named below it. Else `near` has the section that may be meant. */
static bool is_section(struct str name, struct near *near)
{
	*near = near_begin(name);
	for (size_t i = 0; i < config_options_n; i++) {
		const char *whole = config_options[i].name;
		for (const char *dot = strchr(whole, '.'); dot; dot = strchr(dot + 1, '.')) {
			struct str section = str_make(whole, (size_t)(dot - whole));
			if (str_eq(section, name))
				return true;
			near_try(near, section);
		}
	}
	return false;
}

/* One item of a list, where the option can say of it alone that it is wrong. */
static bool item_fits(
    struct reading *r, const yaml_node_t *n, const struct option *o, struct str item)
{
	struct buf meant = {0};
	enum err e = o->read ? o->read(o->name, item, &meant) : OK;
	buf_done(&meant);
	if (e)
		refuse_value(r, n, e);
	return !e;
}

static bool plain_word(struct reading *r, const yaml_node_t *n, const char *what, struct str *out)
{
	if (n->type == YAML_SCALAR_NODE)
		return yaml_plain(&r->yaml, n, what, out);
	yaml_complain(&r->yaml, n, "type", NULL, STR_FMT ": %s is expected",
	    STR_ARG(buf_view(&r->name)), what);
	return false;
}

/* A list is the text of its items with commas between. */
static void take_list(struct reading *r, const yaml_node_t *n, const struct option *o)
{
	struct buf joined = {0};
	size_t read = 0; /* bytes, of items that do not fit, too: an alias makes a long one many */
	bool fine = true;
	for (yaml_node_item_t *it = n->data.sequence.items.start;
	     it < n->data.sequence.items.top && !r->over; it++) {
		const yaml_node_t *item = yaml_node(&r->yaml, *it);
		struct str s;
		if (!plain_word(r, item, "a list of plain words", &s)) {
			fine = false;
			continue;
		}
		read += s.n + 1;
		if (item_fits(r, item, o, s)) {
			buf_add(&joined, ",", joined.n > 0);
			buf_str(&joined, s);
		} else {
			fine = false;
		}
		if (read > FILE_MOST)
			give_up(r, item, "too-many", "aliases make more than %d bytes of this list",
			    FILE_MOST);
	}
	if (fine && !r->over)
		take_joined(r, n, o, &joined);
	buf_done(&joined);
}

/* A map of plain words where the option is one text: "key: value", comma list. */
static void take_pairs(struct reading *r, const yaml_node_t *n, const struct option *o)
{
	struct buf joined = {0};
	bool fine = true;
	for (yaml_node_pair_t *it = n->data.mapping.pairs.start;
	     it < n->data.mapping.pairs.top && !r->over; it++) {
		const yaml_node_t *key = yaml_node(&r->yaml, it->key),
				  *value = yaml_node(&r->yaml, it->value);
		struct str k, v;
		if (!plain_word(r, key, "a map of plain words", &k) ||
		    !plain_word(r, value, "a map of plain words", &v)) {
			fine = false;
			continue;
		}
		buf_add(&joined, ",", joined.n > 0);
		buf_str(&joined, k);
		buf_c(&joined, ": ");
		buf_str(&joined, v);
		if (joined.n > FILE_MOST)
			give_up(r, key, "too-many", "aliases make more than %d bytes of this map",
			    FILE_MOST);
	}
	if (fine && !r->over)
		take_joined(r, n, o, &joined);
	buf_done(&joined);
}

static void walk(struct reading *r, const yaml_node_t *map, unsigned depth);

/* A slip in the name of a section is said once instead of at each key in it. */
static void take_section(
    struct reading *r, const yaml_node_t *key, const yaml_node_t *n, unsigned depth)
{
	struct near near;
	char hint[160];
	bool known = is_section(buf_view(&r->name), &near),
	     empty = n->data.mapping.pairs.start == n->data.mapping.pairs.top;
	if (!known && near.best.n)
		yaml_complain(&r->yaml, key, "unknown-key", near_hint(&near, hint, sizeof hint),
		    "there is no section '" STR_FMT "'", STR_ARG(buf_view(&r->name)));
	else if (!known && empty)
		unknown(r, key);
	else
		walk(r, n, depth + 1);
}

static void take_map(struct reading *r, const yaml_node_t *key, const yaml_node_t *n,
    const struct option *o, unsigned depth)
{
	if (!o)
		take_section(r, key, n, depth);
	else if (o->pairs)
		take_pairs(r, n, o);
	else
		yaml_complain(&r->yaml, n, "type", NULL, "%s is %s, not a map", o->name,
		    o->kind == OPT_NUMBER ? "a number" : "one text");
}

/* False: the name was there before, or can be none. */
static bool first_of_its_name(struct reading *r, const yaml_node_t *key)
{
	uint32_t there;
	struct str name = buf_view(&r->name);
	if (name.n > NAME_MOST) {
		yaml_complain(&r->yaml, key, "unknown-key", "crumbd --help lists them",
		    "no option has a name of %zu bytes", name.n);
		return false;
	}
	if (map_get(&r->names, name, &there)) {
		yaml_complain(&r->yaml, key, "repeated-key",
		    "YAML keeps only one of them: join the two", "'" STR_FMT "' is there twice",
		    STR_ARG(name));
		return false;
	}
	map_put(&r->names, arena_keep(r->yaml.arena, name), 1);
	return true;
}

static void entry(
    struct reading *r, const yaml_node_t *key, const yaml_node_t *value, unsigned depth)
{
	struct str s;
	if (!first_of_its_name(r, key))
		return;
	const struct option *o = config_find(buf_view(&r->name));
	if (value->type == YAML_MAPPING_NODE)
		take_map(r, key, value, o, depth);
	else if (!o)
		unknown(r, key);
	else if (value->type == YAML_SEQUENCE_NODE)
		take_list(r, value, o);
	else if (yaml_plain(&r->yaml, value, o->name, &s))
		take_value(r, value, o, s);
}

/* Nested maps build the dotted name, which is as before when a map is over. */
static void walk(struct reading *r, const yaml_node_t *map, unsigned depth)
{
	if (depth > YAML_DEPTH_MOST) {
		give_up(r, map, "too-deep", "nested deeper than %d", YAML_DEPTH_MOST);
		return;
	}
	for (yaml_node_pair_t *it = map->data.mapping.pairs.start;
	     it < map->data.mapping.pairs.top && !r->over && !r->stop; it++) {
		const yaml_node_t *key = yaml_node(&r->yaml, it->key);
		size_t keep = r->name.n;
		struct str k;
		if (++r->values > VALUES_MOST) {
			give_up(r, key, "too-many", "aliases make more than %d values of this",
			    VALUES_MOST);
			return;
		}
		if (!yaml_text(&r->yaml, key, "a key", &k))
			continue;
		buf_add(&r->name, ".", keep > 0);
		buf_str(&r->name, k);
		if (r->name.failed)
			r->stop = err_set(ERR_NOMEM, "no memory");
		else
			entry(r, key, yaml_node(&r->yaml, it->value), depth);
		r->name.n = keep;
	}
}

enum err config_parse(struct config *c, const char *name, struct str text, struct report *report)
{
	struct arena arena = {NULL};
	struct reading r = {
	    .c = c, .yaml = {.arena = &arena, .report = report, .file = name, .text = text}};
	const yaml_node_t *root = yaml_open(&r.yaml);
	if (root && root->type != YAML_MAPPING_NODE)
		yaml_complain(
		    &r.yaml, root, "type", "write 'key: value'", "expected keys and values");
	else if (root)
		walk(&r, root, 1);
	yaml_close(&r.yaml);
	buf_done(&r.name);
	map_done(&r.names);
	arena_done(&arena);
	report->lister = "crumbd --check";
	report_sort(report);
	return r.stop ? r.stop : report_error(report);
}

/* --- showing what is wrong */

static bool names_secret(struct str s)
{
	for (size_t i = 0; i < config_options_n; i++)
		if (config_options[i].secret &&
		    str_ihas(s, config_last_part(str_c(config_options[i].name))))
			return true;
	return false;
}

/* A line that begins with 'key:' is of this key; others go on with what is above them. */
static bool begins_entry(struct str line)
{
	size_t n = 0;
	while (n < line.n &&
	       (chr_alpha(line.p[n]) || chr_digit(line.p[n]) || chr_one_of(line.p[n], "_.-")))
		n++;
	return n && n < line.n && line.p[n] == ':' && (n + 1 == line.n || line.p[n + 1] == ' ') &&
	       line.p[0] != '-';
}

/* A line that may hold a secret is not repeated: what is printed at a start is kept in logs. The
 * lines of a list hold what the key above them says. */
static bool may_be_secret(const struct finding *f, struct str text)
{
	struct str line, trimmed;
	bool below = false;
	if (names_secret(str_c(f->message)) || names_secret(str_c(f->hint)) ||
	    names_secret(report_line(f, text)))
		return true;
	for (size_t i = 0; i < f->line && str_cut(&text, '\n', &line); i++) {
		trimmed = str_trim(line);
		if (!str_starts(trimmed, STR("#")) && (names_secret(line) || begins_entry(trimmed)))
			below = names_secret(line);
	}
	return below;
}

/* What may be repeated of the text. A key that is no option may be meant for one that is secret:
 * its value is not. */
static struct str repeated(const struct finding *f, struct str text)
{
	if (may_be_secret(f, text))
		return STR("");
	struct str line = report_line(f, text);
	size_t end = f->column - 1 + f->length;
	return strcmp(f->code, "unknown-key") == 0 && end < line.n
		   ? str_make(text.p, (size_t)(line.p - text.p) + end)
		   : text;
}

static void show_findings(const struct report *report, struct str text, struct buf *out)
{
	for (size_t i = 0; i < report->n && i < SHOWN_MOST; i++)
		report_print(&report->list[i], repeated(&report->list[i], text), out);
	if (report->errors > SHOWN_MOST)
		buf_addf(out, "and %zu more\n", report->errors - SHOWN_MOST);
}

enum err config_file(struct config *c, const char *path, struct report *report, struct buf *shown)
{
	struct buf text = {0};
	struct report own = {0}, *to = report ? report : &own;
	enum err e = file_read(path, FILE_MOST, &text);
	if (!e)
		e = config_parse(c, path, text.n ? buf_view(&text) : STR(""), to);
	if (e && shown)
		show_findings(to, text.n ? buf_view(&text) : STR(""), shown);
	buf_done(&text);
	report_done(&own);
	return e;
}
