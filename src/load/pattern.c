/* Clauses, tests and patterns of categories.
 *
 *     any:                        struct clauses     one of the entries must match
 *       - path: [/coats, /hats]   struct clause      an entry: every test must hold
 *         event: view             struct test        a field: one of its patterns must match
 *                                 struct pattern     a value, glob, expression or range
 *
 * A pattern is read by what its field is (`readers`), folded as the values will be that it is
 * compared with, and kept once in the whole rule set: tests name it by number. Its key is also what
 * its leaf is the hash of, and what a category's definition is made of, so a key never changes its
 * form. */
#include "loader.h"

#include "crumb/base/array.h"
#include "crumb/base/code.h"
#include "crumb/base/host.h"
#include "crumb/base/number.h"
#include "crumb/base/text.h"
#include "crumb/match/match.h"
#include "crumb/condition/meant_range.h"

#include <stdio.h>
#include <stdlib.h>

/* Text between slashes is a regular expression. For paths, which begin and may end with a slash
 * themselves, only when it holds what no path does; "[email]", "[number]" and "[token]" are what
 * the scrubber writes. */
static bool is_regex(enum field_is is, struct str s)
{
	struct str inner;
	if (s.n > 3 && s.p[s.n - 1] == 'i' && s.p[s.n - 2] == '/')
		s.n--;
	if (s.n < 3 || s.p[0] != '/' || s.p[s.n - 1] != '/')
		return false;
	inner = str_make(s.p + 1, s.n - 2);
	if (is != IS_PATH)
		return true;
	for (size_t i = 0; i < inner.n; i++) {
		struct str rest = str_skip(inner, i);
		char c = rest.p[0];
		if (c == '[') {
			if (!str_starts(rest, STR("[email]")) &&
			    !str_starts(rest, STR("[number]")) && !str_starts(rest, STR("[token]")))
				return true;
		} else if (c == '^' || c == '$' || c == '\\' || c == '|' || c == '(' || c == '{' ||
			   str_starts(rest, STR(".*")) || str_starts(rest, STR(".+"))) {
			return true;
		}
	}
	return false;
}

/* What it is compared with is folded in the same way. */
static struct str folded(struct rules *r, struct str s)
{
	size_t cap = text_plain(s) ? s.n : 4 * s.n + 16, n = 0;
	char *p = arena_alloc(&r->arena, cap + 1);
	if (!text_plain(s))
		n = text_fold(s, p, cap);
	else
		while (n < s.n)
			p[n] = chr_lower(s.p[n]), n++;
	return str_make(p, n);
}

/* An expression, folded as the texts are that it is looked for in. */
static struct str folded_regex(struct rules *r, struct str s)
{
	/* what is so long is refused as it stands; the slashes and a mark that folding takes away
	 * may make it a little longer than what is allowed */
	if (text_plain(s) || s.n > REGEX_MOST + 100)
		return arena_keep(&r->arena, s);
	size_t cap = 4 * s.n + 16;
	char *p = arena_alloc(&r->arena, cap);
	return str_make(p, text_fold_regex(s, p, cap));
}

/* Whole words of a title, in any order. */
static bool words_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p)
{
	char words[512];
	size_t len = text_words(text, words, sizeof words);
	if (len < 3) {
		yaml_complain(y, n, "no-words", "title wants words, such as 'winter coat'",
		    "there is no word in '" STR_FMT "'", STR_ARG(text));
		return false;
	}
	if (str_find(text, '*') < text.n)
		yaml_warn(y, n, "title-glob",
		    "write the words alone; for parts of words a regular expression: /coat/",
		    "'*' means nothing in a title: whole words are looked for");
	p->kind = PATTERN_WORDS;
	if (text_runs_on(text)) {
		char hint[300];
		snprintf(hint, sizeof hint, "to find it within others write title: '/" STR_FMT "/'",
		    (int)(text.n > 200 ? utf8_valid(str_make(text.p, 200)) : text.n), text.p);
		yaml_warn(y, n, "title-runs-on", hint,
		    "a word is what stands between blanks or signs, and this language is written "
		    "without");
	}
	p->text = arena_keep(y->arena, str_make(words, len));
	return true;
}

/* A path in parts, of which some may be stars. */
static bool path_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p)
{
	char hint[300];
	if (str_has(text, STR("://"))) {
		yaml_complain(y, n, "path-url", "use host: and path:, or url: for the whole",
		    "a path is the part behind the host, not a URL");
		return false;
	}
	if (text.p[0] != '/' && text.p[0] != '*') {
		snprintf(hint, sizeof hint, "did you mean '/" STR_FMT "'?",
		    (int)(text.n > 200 ? 200 : text.n), text.p);
		yaml_complain(y, n, "path-slash", hint, "a path begins with '/'");
		return false;
	}
	if (str_find(text, '?') < text.n || str_find(text, '#') < text.n) {
		yaml_complain(y, n, "path-query",
		    "match on url: instead, or keep the parameter with privacy.keep_query and use "
		    "attr.NAME",
		    "a path ends before '?' and '#': this can never match");
		return false;
	}
	p->kind = PATTERN_PATH;
	p->text = arena_keep(y->arena, text);
	return true;
}

/* A host as it stands in events: small letters, xn-- for other alphabets. Rules that were in force
 * before hosts were looked at keep what they say. */
static bool host_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p)
{
	struct loader *l = loader_of(y);
	bool star = str_find(text, '*') < text.n;
	if (star && (rule_fields[p->field].takes & TAKES_BELOW)) {
		yaml_complain(y, n, "site-glob",
		    "site: shop.example is that host and every one below it; host: takes '*'",
		    "a site has no '*'");
		return false;
	}
	p->kind = star ? PATTERN_GLOB : PATTERN_EXACT;
	struct host_around a = host_around(text);
	char hint[300], host[HOST_MOST];
	size_t len = host_read_glob(a.host, host);
	if (len && !a.scheme.n && !a.user.n && !a.rest.n && !a.port.p) {
		p->text = arena_keep(y->arena, str_make(host, len));
		return true;
	}
	if (l->stored && !a.scheme.n && !a.rest.n && str_find(text, ' ') == text.n) {
		p->text = folded(l->r, text);
		return true;
	}
	snprintf(hint, sizeof hint, "did you mean '%.*s'?", (int)len, host);
	if (len)
		yaml_complain(y, n, "host-url", hint,
		    "a host is a name such as shop.example, without 'https://', port and path");
	else if (!text_plain(a.host) && str_find(a.host, '*') < a.host.n)
		yaml_complain(y, n, "host-url", "write that part in full, or as xn--…",
		    "in '" STR_FMT "' a '*' stands in a part with other than ASCII letters",
		    STR_ARG(text));
	else
		yaml_complain(y, n, "host-url", NULL,
		    "'" STR_FMT "' can be no host: a host is a name such as shop.example",
		    STR_ARG(text));
	return false;
}

/* A text with its case put aside, and whether it has a star. */
static void set_text(struct yaml *y, struct str text, struct pattern *p)
{
	bool star = (rule_fields[p->field].takes & TAKES_GLOB) && str_find(text, '*') < text.n;
	p->kind = star ? PATTERN_GLOB : PATTERN_EXACT;
	p->text = folded(loader_of(y)->r, text);
}

/* The names that an event can have are few enough to say which can never match. */
static bool event_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (chr_alpha(c) || chr_digit(c) || c == '_' || c == '.' || c == ':' || c == '-' ||
		    c == '*')
			continue;
		yaml_complain(y, n, "event-name",
		    "events are named with letters, digits, '_', '.', ':' and '-'",
		    "no event is ever named '" STR_FMT "': others are stored as 'other'",
		    STR_ARG(text));
		return false;
	}
	set_text(y, text, p);
	return true;
}

/* One of the values that there are. */
static bool closed_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p)
{
	struct yaml_place at = yaml_at(y, n);
	p->kind = PATTERN_EXACT;
	p->text = folded(loader_of(y)->r, text);
	return field_check(y->report, &at, p->field, text);
}

/* A range without a number in it is one of two bounds that were turned around, most likely. */
static bool range_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p)
{
	struct meant m;
	char right[100], hint[120] = "the smaller number comes first";
	p->kind = PATTERN_RANGE;
	p->text = arena_keep(y->arena, text);
	if (p->range.lo <= p->range.hi)
		return true;
	if (number_meant(text, MEANT_IN_PATTERN, &m)) {
		meant_pattern(&m, right);
		snprintf(hint, sizeof hint, "write %s", right);
	}
	yaml_complain(y, n, "empty-range", hint, "no number is in " STR_FMT, STR_ARG(text));
	return false;
}

/* A range where the field takes one, else a glob or the text itself. */
static bool text_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p)
{
	if ((rule_fields[p->field].takes & TAKES_RANGE) && range_parse(text, &p->range))
		return range_pattern(y, n, text, p);
	set_text(y, text, p);
	return true;
}

/* The key of a pattern: equal ones are one. Also what its name is made from, and what a category's
 * definition is made of. */
static struct str pattern_key(struct rules *r, const struct pattern *p)
{
	struct buf key = {0};
	buf_addf(&key, "%s" STR_FMT, rule_fields[p->field].name, STR_ARG(p->name));
	buf_addf(&key, "%c%d%c", 0, p->kind, 0);
	buf_str(&key, p->text);
	CHECK(!key.failed);
	struct str kept = arena_keep(&r->arena, buf_view(&key));
	buf_done(&key);
	return kept;
}

/* The number of a pattern: that of an equal one, or a new one. */
static uint32_t intern(struct loader *l, struct pattern *p)
{
	struct rules *r = l->r;
	uint32_t number;
	struct str key = pattern_key(r, p);
	if (map_get(&l->patterns, key, &number))
		return number;
	p->leaf = hash_plain64(key.p, key.n);
	CHECK(array_room_zeroed(r->patterns, l->patterns_cap, r->patterns_n + 1));
	number = (uint32_t)r->patterns_n++;
	r->patterns[number] = *p;
	map_put(&l->patterns, key, number);
	r->any_leaf |= !field_is_kept(p->field);
	r->uses_circumstances |= rule_fields[p->field].kept == KEPT_CIRCUMSTANCE;
	return number;
}

/* How a pattern is read, by what its field is. */
typedef bool read_pattern(struct yaml *y, const yaml_node_t *n, struct str text, struct pattern *p);
static read_pattern *const readers[IS_MAX] = {
    [IS_TEXT] = text_pattern,
    [IS_PATH] = path_pattern,
    [IS_HOST] = host_pattern,
    [IS_EVENT] = event_pattern,
    [IS_WORDS] = words_pattern,
    [IS_CLOSED] = closed_pattern,
};

/* One pattern: an expression between slashes, or what the field's reader makes of it. */
static bool load_pattern(
    struct yaml *y, const yaml_node_t *n, enum rule_field f, struct str name, uint32_t *number)
{
	struct loader *l = loader_of(y);
	const struct field *row = &rule_fields[f];
	struct str text;
	const char *why;
	struct pattern p = {.field = f, .name = name, .at = yaml_at(y, n)};
	if (!yaml_value(y, n, "a pattern", &text))
		return false;
	if ((row->takes & TAKES_REGEX) && is_regex(row->is, text)) {
		p.kind = PATTERN_REGEX;
		p.text = row->is == IS_PATH ? arena_keep(y->arena, text) : folded_regex(l->r, text);
		if (!rules_regex_valid(p.text, &why)) {
			yaml_complain(
			    y, n, "regex", NULL, "this regular expression cannot be used: %s", why);
			return false;
		}
	} else if (!readers[row->is](y, n, text, &p)) {
		return false;
	}
	*number = intern(loader_of(y), &p);
	return true;
}

/* Writes "path, host, … and p.NAME are known". */
static void hint_fields(char *hint, size_t cap)
{
	char text[FIELD_TEXT];
	size_t used = 0;
	for (int f = 0; f < FIELD_MAX && used < cap; f++)
		used += (size_t)snprintf(hint + used, cap - used, "%s%s",
		    f == 0		? ""
		    : f + 1 < FIELD_MAX ? ", "
					: " and ",
		    field_text((enum rule_field)f, text));
	if (used < cap)
		snprintf(hint + used, cap - used, " are known");
}

/* What may have been meant: a field that looks like it, or of which it is an alias; else all
 * fields. */
static void unknown_field(struct yaml *y, const yaml_node_t *key, struct str k)
{
	char hint[300] = "", meant[FIELD_TEXT];
	struct near near = near_begin(k);
	for (int f = 0; f < FIELD_MAX; f++)
		near_try(&near, str_c(rule_fields[f].name));
	for (int f = 0; f < FIELD_MAX; f++)
		if (str_listed(k, rule_fields[f].aliases))
			near.best = str_c(field_text((enum rule_field)f, meant));
	if (str_starts(k, STR("a.")))
		snprintf(
		    hint, sizeof hint, "did you mean 'attr." STR_FMT "'?", STR_ARG(str_skip(k, 2)));
	else if (str_starts(k, STR("p_")))
		snprintf(
		    hint, sizeof hint, "did you mean 'p." STR_FMT "'?", STR_ARG(str_skip(k, 2)));
	else if (near.best.n)
		near_hint(&near, hint, sizeof hint);
	else
		hint_fields(hint, sizeof hint);
	yaml_complain(y, key, "unknown-field", hint, "there is no field '" STR_FMT "'", STR_ARG(k));
}

/* A field and its patterns. False: none of them can be used. */
static bool load_test(
    struct yaml *y, const yaml_node_t *key, const yaml_node_t *value, struct test *t)
{
	struct str k, name;
	if (!yaml_text(y, key, "the name of a field", &k))
		return false;
	t->field = field_named(k, &name);
	if (t->field == FIELD_MAX) {
		unknown_field(y, key, k);
		return false;
	}
	name = arena_keep(y->arena, name);
	bool list = value->type == YAML_SEQUENCE_NODE;
	size_t n =
	    list ? (size_t)(value->data.sequence.items.top - value->data.sequence.items.start) : 1;
	if (n == 0) {
		yaml_complain(y, value, "empty", NULL, "an empty list can never match");
		return false;
	}
	t->any = arena_alloc(y->arena, n * sizeof *t->any);
	t->at = arena_alloc(y->arena, n * sizeof *t->at);
	for (size_t i = 0; i < n; i++) {
		const yaml_node_t *item =
		    list ? yaml_node(y, value->data.sequence.items.start[i]) : value;
		if (load_pattern(y, item, t->field, name, &t->any[t->any_n]))
			t->at[t->any_n++] = yaml_at(y, item);
	}
	return t->any_n > 0;
}

/* An entry of any, all or none: a map from fields to patterns. */
static void load_clause(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct clauses *out = into;
	if (n->type != YAML_MAPPING_NODE ||
	    n->data.mapping.pairs.start == n->data.mapping.pairs.top) {
		bool path = n->type == YAML_SCALAR_NODE && n->data.scalar.length &&
			    n->data.scalar.value[0] == '/';
		yaml_complain(y, n, "type", path ? "write 'path: ' before it" : NULL,
		    "expected a field and a pattern, such as 'path: /coats/*'");
		return;
	}
	size_t count = (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
	struct clause *c = &out->list[out->n];
	c->tests = arena_alloc(y->arena, count * sizeof *c->tests);
	for (size_t i = 0; i < count; i++) {
		const yaml_node_pair_t *pair = &n->data.mapping.pairs.start[i];
		const yaml_node_t *key = yaml_node(y, pair->key);
		for (size_t k = 0; k < i; k++) {
			const yaml_node_t *other = yaml_node(y, n->data.mapping.pairs.start[k].key);
			if (key->type == YAML_SCALAR_NODE && other->type == YAML_SCALAR_NODE &&
			    key->data.scalar.length == other->data.scalar.length &&
			    memcmp(key->data.scalar.value, other->data.scalar.value,
				key->data.scalar.length) == 0)
				yaml_complain(y, key, "repeated-key",
				    "give one list of patterns: 'path: [/a/*, /b/*]', or begin a "
				    "new entry with '- '",
				    "'" STR_FMT "' is there twice", (int)key->data.scalar.length,
				    (const char *)key->data.scalar.value);
		}
		if (load_test(y, key, yaml_node(y, pair->value), &c->tests[c->tests_n]))
			c->tests_n++;
	}
	if (c->tests_n)
		out->n++;
}

/* A list, of which each item is an entry. */
bool load_clauses(struct yaml *y, const yaml_node_t *n, struct clauses *out)
{
	if (n->type == YAML_MAPPING_NODE) {
		yaml_complain(
		    y, n, "type", "begin each entry with '- '", "any, all and none are lists");
		return false;
	}
	if (n->type == YAML_SEQUENCE_NODE)
		out->list = arena_alloc(y->arena,
		    ((size_t)(n->data.sequence.items.top - n->data.sequence.items.start) + 1) *
			sizeof *out->list);
	return yaml_list(y, n, "any, all or none", load_clause, out);
}
