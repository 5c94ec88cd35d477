/* libyaml's documents, with every value's place, and the traps of YAML said in plain words.
 *
 * Places: libyaml counts characters, and findings are about bytes of a line. So a file is indexed
 * once: where each line begins, and where every 128th character begins. The byte of a character is
 * found by going on from the nearest of these, at most 127 characters; the line of a byte by
 * halving.
 *
 * Mistakes: a value that cannot be used is reported at its place and reading goes on. What libyaml
 * cannot parse at all is told in the words of `problems`, since libyaml's own name its grammar. */
#include "crumb/base/array.h"
#include "crumb/base/code.h"
#include "crumb/yaml/deep.h"
#include "crumb/yaml/repeats.h"
#include "crumb/yaml/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct str scalar(const yaml_node_t *n)
{
	return str_make((const char *)n->data.scalar.value, n->data.scalar.length);
}

const yaml_node_t *yaml_node(const struct yaml *y, int at)
{
	return yaml_document_get_node((yaml_document_t *)(uintptr_t)&y->document, at);
}

/* --- places */

/* So many characters lie between two whose byte is kept. Lines alone would not do: a file may be
 * one line. */
#define CHARACTERS 128

static bool begins_character(char c)
{
	return ((uint8_t)c & 0xc0) != 0x80;
}

/* Where lines and every 128th character begin. One pass, whatever the length of lines. */
static void index_text(struct yaml *y)
{
	size_t lines_cap = 0, characters_cap = 0, characters = 0;
	CHECK(array_room_zeroed(y->lines, lines_cap, 1));
	y->lines[0] = 0;
	y->lines_n = 1;
	/* a byte order mark is no character */
	for (size_t at = str_starts(y->text, STR("\xef\xbb\xbf")) ? 3 : 0; at < y->text.n; at++) {
		if (begins_character(y->text.p[at]) && characters++ % CHARACTERS == 0) {
			CHECK(
			    array_room_zeroed(y->characters, characters_cap, y->characters_n + 1));
			y->characters[y->characters_n++] = at;
		}
		if (y->text.p[at] == '\n') {
			CHECK(array_room_zeroed(y->lines, lines_cap, y->lines_n + 1));
			y->lines[y->lines_n++] = at + 1;
		}
	}
}

static void drop_index(struct yaml *y)
{
	free(y->lines);
	free(y->characters);
	y->lines = y->characters = NULL;
	y->lines_n = y->characters_n = 0;
}

/* The byte of a character that libyaml names. */
static size_t offset_of(const struct yaml *y, yaml_mark_t m)
{
	if (m.index / CHARACTERS >= y->characters_n)
		return y->text.n;
	size_t at = y->characters[m.index / CHARACTERS];
	for (size_t left = m.index % CHARACTERS; left && at < y->text.n; left--)
		do
			at++;
		while (at < y->text.n && !begins_character(y->text.p[at]));
	return at;
}

static struct yaml_place at_byte(const struct yaml *y, size_t at, size_t length)
{
	size_t lo = 0, hi = y->lines_n;
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;
		if (y->lines[mid] <= at)
			lo = mid;
		else
			hi = mid;
	}
	return (struct yaml_place){y->file, lo + 1, at - y->lines[lo] + 1, length};
}

struct yaml_place yaml_at(const struct yaml *y, const yaml_node_t *n)
{
	size_t from = offset_of(y, n->start_mark), to = offset_of(y, n->end_mark);
	return at_byte(y, from, n->type == YAML_SCALAR_NODE && to > from ? to - from : 1);
}

void yaml_span(const struct yaml *y, const yaml_node_t *n, size_t *from, size_t *to)
{
	*from = offset_of(y, n->start_mark);
	*to = offset_of(y, n->end_mark);
}

static bool yaml_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct yaml_place yaml_at_offset(
    const struct yaml *y, const yaml_node_t *n, size_t offset, size_t length)
{
	struct str value = scalar(n), raw = y->text;
	size_t at = offset_of(y, n->start_mark), k = 0;
	yaml_scalar_style_t style = n->data.scalar.style;
	if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) {
		while (at < raw.n && raw.p[at] != '\n')
			at++;
	} else if (style != YAML_PLAIN_SCALAR_STYLE) {
		at++;
	}
	/* folding changes blanks only: skip as many other bytes in the file as stand before the
	 * offset in the value */
	for (; k < offset && k < value.n; k++) {
		if (yaml_blank(value.p[k]))
			continue;
		while (at < raw.n && yaml_blank(raw.p[at]))
			at++;
		if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && at < raw.n && raw.p[at] == '\\')
			at++;
		if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE && value.p[k] == '\'')
			at++;
		at++;
	}
	if (offset < value.n && !yaml_blank(value.p[offset]))
		while (at < raw.n && yaml_blank(raw.p[at]))
			at++;
	return at_byte(y, at, length);
}

static void yaml_add(struct yaml *y, const yaml_node_t *n, enum severity severity, const char *code,
    const char *hint, const char *fmt, va_list ap)
{
	char words[500];
	struct yaml_place at = yaml_at(y, n);
	vsnprintf(words, sizeof words, fmt, ap);
	report_add(y->report, &at, severity, code, hint, "%s", words);
}

void yaml_complain(
    struct yaml *y, const yaml_node_t *n, const char *code, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	yaml_add(y, n, SEVERITY_ERROR, code, hint, fmt, ap);
	va_end(ap);
}

void yaml_warn(
    struct yaml *y, const yaml_node_t *n, const char *code, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	yaml_add(y, n, SEVERITY_WARNING, code, hint, fmt, ap);
	va_end(ap);
}

/* --- values */

char *yaml_kept(struct yaml *y, struct str s)
{
	return (char *)(uintptr_t)arena_keep(y->arena, s).p;
}

void yaml_keep(struct yaml *y, const yaml_node_t *n, const char *what, char **out)
{
	struct str s;
	if (yaml_text(y, n, what, &s))
		*out = yaml_kept(y, s);
}

void yaml_version(struct yaml *y, const yaml_node_t *n)
{
	struct str s;
	if (yaml_text(y, n, "version", &s) && !str_eq(s, STR(YAML_VERSION)))
		yaml_complain(y, n, "version", NULL, "this crumb reads version: " YAML_VERSION);
}

#define WORDS_MOST 10000 /* entries of one list of words */

static bool one_text(struct yaml *y, const yaml_node_t *n, const char *what)
{
	if (n->type == YAML_SCALAR_NODE)
		return true;
	yaml_complain(y, n, "type",
	    n->type == YAML_MAPPING_NODE
		? "put quotes around it if a colon and a blank belong to the text"
		: NULL,
	    "%s is one text, not a %s", what, n->type == YAML_MAPPING_NODE ? "map" : "list");
	return false;
}

/* Texts go on to terminals, pages and partners: they are UTF-8 without zero bytes. */
static bool readable(struct yaml *y, const yaml_node_t *n, const char *what, struct str s)
{
	if (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && n->tag && n->tag[0] == '!') {
		yaml_complain(y, n, "yaml-trap", "put quotes around the text",
		    "'!' at the beginning means something in YAML");
		return false;
	}
	if (utf8_valid(s) != s.n || memchr(s.p, 0, s.n)) {
		yaml_complain(
		    y, n, "encoding", "save the file as UTF-8", "%s is not readable text", what);
		return false;
	}
	return true;
}

bool yaml_text(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out)
{
	if (!one_text(y, n, what))
		return false;
	struct str s = scalar(n);
	if (s.n == 0) {
		yaml_complain(y, n, "empty",
		    n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
			? "a '#' behind a blank begins a comment; '&' begins an anchor: put quotes "
			  "around them"
			: NULL,
		    "%s is empty", what);
		return false;
	}
	if (!readable(y, n, what, s))
		return false;
	*out = s;
	return true;
}

bool yaml_plain(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out)
{
	if (!one_text(y, n, what) || !readable(y, n, what, scalar(n)))
		return false;
	*out = scalar(n);
	return true;
}

/* By yaml.org/type/bool, null and int; "y" and "n" readers leave alone. */
const char *yaml_taken_for(struct str s)
{
	static const char *const yes[] = {"yes", "on", "true"};
	static const char *const no[] = {"no", "off", "false"};
	for (size_t i = 0; i < 3; i++) {
		if (str_ieq(s, str_c(yes[i])))
			return "true";
		if (str_ieq(s, str_c(no[i])))
			return "false";
	}
	if (str_ieq(s, STR("null")) || str_eq(s, STR("~")))
		return "nothing";
	bool octal = s.n > 1 && s.p[0] == '0', sixty = false;
	for (size_t i = 0; i < s.n; i++) {
		octal &= s.p[i] >= '0' && s.p[i] <= '7';
		sixty |= s.p[i] == ':';
		if (!chr_digit(s.p[i]) && s.p[i] != ':')
			return NULL;
	}
	if (octal)
		return "an octal number";
	return sixty && s.p[0] != ':' ? "a number to the base of sixty" : NULL;
}

bool yaml_value(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out)
{
	char hint[200];
	if (!yaml_text(y, n, what, out))
		return false;
	const char *other =
	    n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? yaml_taken_for(*out) : NULL;
	if (!other)
		return true;
	snprintf(hint, sizeof hint, "write \"" STR_FMT "\"%s", STR_ARG(*out),
	    str_ieq(*out, STR("no")) ? " (Norway, as a country)" : "");
	yaml_complain(y, n, "yaml-trap", hint, "'" STR_FMT "' without quotes is %s in YAML",
	    STR_ARG(*out), other);
	return false;
}

bool yaml_count(
    struct yaml *y, const yaml_node_t *n, const char *what, long min, long max, long *out)
{
	uint64_t v;
	if (n->type != YAML_SCALAR_NODE || !str_u64(scalar(n), &v) || v > (uint64_t)max ||
	    (long)v < min) {
		yaml_complain(
		    y, n, "number", NULL, "%s is a whole number from %ld to %ld", what, min, max);
		return false;
	}
	*out = (long)v;
	return true;
}

bool yaml_truth(struct yaml *y, const yaml_node_t *n, const char *what, bool *out)
{
	struct str s;
	if (!yaml_text(y, n, what, &s))
		return false;
	bool yes = str_ieq(s, STR("true")) || str_ieq(s, STR("yes"));
	if (!yes && !str_ieq(s, STR("false")) && !str_ieq(s, STR("no"))) {
		yaml_complain(
		    y, n, "type", NULL, "%s is true or false, not '" STR_FMT "'", what, STR_ARG(s));
		return false;
	}
	*out = yes;
	return true;
}

/* One word is a list of one. A word that cannot be used is left out, and reported. */
bool yaml_words(
    struct yaml *y, const yaml_node_t *n, const char *what, struct str **out, unsigned *out_n)
{
	bool list = n->type == YAML_SEQUENCE_NODE, fine = true;
	size_t count =
	    list ? (size_t)(n->data.sequence.items.top - n->data.sequence.items.start) : 1;
	if (!list && n->type != YAML_SCALAR_NODE) {
		yaml_complain(y, n, "type", NULL, "%s is a list, such as [a, b]", what);
		return false;
	}
	if (count > WORDS_MOST) {
		yaml_complain(
		    y, n, "too-many", NULL, "%s has more than %d entries", what, WORDS_MOST);
		return false;
	}
	*out = arena_alloc(y->arena, (count + 1) * sizeof **out);
	*out_n = 0;
	for (size_t i = 0; i < count; i++) {
		struct str s;
		if (yaml_value(
			y, list ? yaml_node(y, n->data.sequence.items.start[i]) : n, what, &s))
			(*out)[(*out_n)++] = arena_keep(y->arena, s);
		else
			fine = false;
	}
	return fine;
}

/* --- maps and lists */

/* What may have been meant: a key that looks like it, or one of which it is an alias; else all
 * keys. */
static void unknown_key(struct yaml *y, const yaml_node_t *key, struct str k, const char *what,
    const struct yaml_key *keys, size_t n)
{
	char hint[300], known[300] = "";
	struct near near = near_begin(k);
	size_t used = 0;
	for (size_t i = 0; i < n; i++) {
		near_try(&near, str_c(keys[i].name));
		if (used < sizeof known)
			used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
			    used ? ", " : "", keys[i].name);
	}
	for (size_t i = 0; i < n; i++)
		if (str_listed(k, keys[i].aliases))
			near.best = str_c(keys[i].name);
	if (near.best.n)
		near_hint(&near, hint, sizeof hint);
	else
		snprintf(hint, sizeof hint, "%.250s are known", known);
	yaml_complain(y, key, "unknown-key", hint, "%s has no '" STR_FMT "'", what, STR_ARG(k));
}

bool yaml_map(struct yaml *y, const yaml_node_t *n, const char *what, const struct yaml_key *keys,
    size_t keys_n, void *into)
{
	if (n->type != YAML_MAPPING_NODE) {
		char hint[200];
		snprintf(hint, sizeof hint, "write it as '%s: …' and the other keys below",
		    keys[0].name);
		yaml_complain(y, n, "type", hint, "%s has keys and values", what);
		return false;
	}
	bool seen[32] = {false};
	for (yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top;
	     it++) {
		const yaml_node_t *key = yaml_node(y, it->key), *value = yaml_node(y, it->value);
		struct str k;
		if (!yaml_text(y, key, "a key", &k))
			continue;
		size_t at = 0;
		while (at < keys_n && !str_eq(k, str_c(keys[at].name)))
			at++;
		if (at == keys_n) {
			unknown_key(y, key, k, what, keys, keys_n);
			continue;
		}
		if (seen[at])
			yaml_complain(y, key, "repeated-key",
			    "YAML keeps only one of them: join the two",
			    "'" STR_FMT "' is there twice", STR_ARG(k));
		else
			keys[at].load(y, value, into);
		seen[at] = true;
	}
	return true;
}

bool yaml_read(struct yaml *y, const yaml_node_t *n, const struct yaml_table *t, void *into)
{
	return yaml_map(y, n, t->what, t->keys, t->keys_n, into);
}

bool yaml_list(struct yaml *y, const yaml_node_t *n, const char *what,
    void (*each)(struct yaml *, const yaml_node_t *, void *), void *into)
{
	if (n->type == YAML_SCALAR_NODE && n->data.scalar.length == 0)
		return true; /* "segments:" with nothing below */
	if (n->type != YAML_SEQUENCE_NODE) {
		yaml_complain(y, n, "type", "begin each entry with '- '", "%s is a list", what);
		return false;
	}
	for (yaml_node_item_t *it = n->data.sequence.items.start; it < n->data.sequence.items.top;
	     it++)
		each(y, yaml_node(y, *it), into);
	return true;
}

/* --- what is no YAML at all */

/* libyaml's words, and what they usually mean to somebody who writes rules. */
static const struct {
	const char *problem, *message, *hint;
} problems[] = {
    {"found character that cannot start any token", NULL, NULL}, /* told by the character, below */
    {"found a tab character that violates indentation", "a tab indents this line",
	"indent with blanks"},
    {"found undefined alias", "'*' at the beginning names an alias in YAML",
	"put quotes around a pattern that begins with '*'"},
    {"mapping values are not allowed in this context", "a ': ' is not allowed here",
	"put quotes around a text that contains ': ', and see that keys stand below each other"},
    {"did not find expected alphabetic or numeric character",
	"'*', '&' or '!' at the beginning mean something in YAML", "put quotes around the text"},
    {"found unexpected end of stream", "a quote or bracket is never closed", "close it"},
    {"did not find expected ',' or ']'", "this list is never closed, or a comma is missing",
	"a pattern that begins with '[' wants quotes"},
    {"did not find expected ',' or '}'", "this map is never closed, or a comma is missing",
	"'{' at the beginning wants quotes"},
    {"did not find expected key", "this does not stand where a key can stand",
	"keys of one entry stand exactly below each other; behind a closing quote nothing may "
	"follow"},
    {"did not find expected '-' indicator",
	"this does not stand where an entry of a list can stand",
	"begin each entry with '- ', exactly below the others"},
    {"could not find expected ':'", "this line lacks a ':' behind its key", "write 'key: value'"},
    {"did not find expected node content", "a value is missing here", NULL},
    {"did not find expected comment or line break",
	"'>' or '|' at the beginning means something in YAML", "put quotes around the whole text"},
    {"block sequence entries are not allowed in this context", "'- ' is not allowed here",
	"put the list on the lines below its key"},
    {"control characters are not allowed", "the file holds control characters",
	"save it as plain text"},
    {"invalid leading UTF-8 octet", "the file is not UTF-8", "save it as UTF-8"},
    {"invalid trailing UTF-8 octet", "the file is not UTF-8", "save it as UTF-8"},
    {"found unknown escape character", "a backslash in double quotes begins an escape",
	"use single quotes: they keep backslashes"},
    {"found undefined tag handle", "'!' at the beginning means something in YAML",
	"put quotes around the text"},
    {"found duplicate anchor", "'&' at the beginning means something in YAML",
	"put quotes around the text"},
    {"found unexpected ':'", "a ':' is not allowed here", "put quotes around the text"},
};

/* Is the beginning of what is wrong a better place than where libyaml noticed? */
static bool tells_best_by_context(const char *problem)
{
	return strstr(problem, "unexpected end of stream") || strstr(problem, "expected ',' or");
}

/* Why libyaml gave up, in our words. Its mark is where it noticed; where a bracket or a quote was
 * never closed, that is the end of the file, and its context tells where the bracket stands.
 */
static void no_yaml(struct yaml *y, const yaml_parser_t *parser)
{
	yaml_mark_t mark = parser->problem_mark;
	const char *problem = parser->problem ? parser->problem : "this is no YAML",
		   *message = problem, *hint = NULL;
	/* reading fails before marks exist: the offset is all there is */
	if (parser->error == YAML_READER_ERROR) {
		struct yaml_place at = at_byte(
		    y, parser->problem_offset < y->text.n ? parser->problem_offset : y->text.n, 1);
		for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
			if (strcmp(problems[i].problem, problem) == 0)
				message = problems[i].message, hint = problems[i].hint;
		report_add(y->report, &at, SEVERITY_ERROR, "yaml", hint, "%s", message);
		return;
	}
	if (tells_best_by_context(problem) && parser->context)
		mark = parser->context_mark;
	size_t at = offset_of(y, mark);
	char c = at < y->text.n ? y->text.p[at] : 0;
	for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
		if (problems[i].message && strcmp(problems[i].problem, problem) == 0)
			message = problems[i].message, hint = problems[i].hint;
	char words[200];
	if (strcmp(problem, problems[0].problem) == 0 && c == '\t') {
		message = "a tab indents this line", hint = "indent with blanks";
	} else if (strcmp(problem, problems[0].problem) == 0) {
		snprintf(words, sizeof words, "a text may not begin with '%c' in YAML", c);
		message = words, hint = "put quotes around the text";
	}
	struct yaml_place place = at_byte(y, at, 1);
	report_add(y->report, &place, SEVERITY_ERROR, "yaml", hint, "%s", message);
}

/* False: it is no YAML, which was reported. */
static bool yaml_parse(struct yaml *y)
{
	yaml_parser_t parser;
	yaml_mark_t where = {0};
	drop_index(y);
	index_text(y);
	if (yaml_deep(y->text, &where.index)) {
		struct yaml_place at = at_byte(y, offset_of(y, where), 1);
		report_add(y->report, &at, SEVERITY_ERROR, "too-deep",
		    "close the brackets, or see to the blanks at the beginning of the lines",
		    "nested deeper than %d", YAML_DEPTH_MOST);
		return false;
	}
	if (yaml_repeats(y->text, &where.index)) {
		struct yaml_place at = at_byte(y, offset_of(y, where), 1);
		report_add(y->report, &at, SEVERITY_ERROR, "too-repeated",
		    "write out what is meant, or split the file",
		    "more than %d anchors, or aliases that stand for more than %d characters or "
		    "for themselves",
		    YAML_ANCHORS_MOST, YAML_REPEATED_MOST);
		return false;
	}
	CHECK(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)(y->text.n ? y->text.p : ""), y->text.n);
	bool fine = yaml_parser_load(&parser, &y->document) != 0;
	if (!fine) {
		no_yaml(y, &parser);
	} else if (yaml_document_get_root_node(&y->document)) {
		/* a second document would be left out without a word */
		yaml_document_t second;
		if (yaml_parser_load(&parser, &second)) {
			const yaml_node_t *root = yaml_document_get_root_node(&second);
			if (root) {
				struct yaml_place at =
				    at_byte(y, offset_of(y, root->start_mark), 1);
				report_add(y->report, &at, SEVERITY_ERROR, "second-document",
				    "put it into a file of its own",
				    "a second document behind '---' is not read");
			}
			yaml_document_delete(&second);
		} else {
			no_yaml(y, &parser);
		}
	}
	yaml_parser_delete(&parser);
	return fine;
}

const yaml_node_t *yaml_open(struct yaml *y)
{
	y->open = yaml_parse(y);
	const yaml_node_t *root = y->open ? yaml_document_get_root_node(&y->document) : NULL;
	/* an empty file has no root, or one without bytes */
	return root && root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0 ? NULL
										       : root;
}

void yaml_close(struct yaml *y)
{
	if (y->open)
		yaml_document_delete(&y->document);
	y->open = false;
	drop_index(y);
}
