/* YAML to rules. Two passes: categories of all files first, then conditions, which may name any of them. */
#include "crumb/base/code.h"
#include "crumb/rules/rules.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	_Alignas(16) char bytes[];
};

void *rules_alloc(struct rules *r, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (!r->arena || r->arena->cap - r->arena->used < n) {
		size_t cap = n > 65536 ? n : 65536;
		struct arena_block *b = calloc(1, sizeof *b + cap);
		CHECK(b);
		b->next = r->arena;
		b->cap = cap;
		r->arena = b;
	}
	void *p = r->arena->bytes + r->arena->used;
	r->arena->used += n;
	return p;
}

struct str rules_keep(struct rules *r, struct str s)
{
	char *p = rules_alloc(r, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	return str_make(p, s.n);
}

struct rules *rules_ref(struct rules *r)
{
	if (r)
		atomic_fetch_add(&r->refs, 1);
	return r;
}

void rules_unref(struct rules *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	while (r->arena) {
		struct arena_block *next = r->arena->next;
		free(r->arena);
		r->arena = next;
	}
	free(r->categories);
	free(r->segments);
	free(r->nodes);
	free(r->leaves);
	buf_done(&r->bundle);
	free(r);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}
_Static_assert(offsetof(struct category, id) == 0 && offsetof(struct segment, id) == 0, "by_id reads the first field");

static int find(const void *array, size_t n, size_t size, struct str id)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		struct str have = str_c(*(char *const *)((const char *)array + mid * size));
		int c = memcmp(have.p, id.p, have.n < id.n ? have.n : id.n);
		if (c == 0)
			c = have.n < id.n ? -1 : have.n > id.n;
		if (c == 0)
			return (int)mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}

int rules_category(const struct rules *r, struct str id)
{
	int at = r->categories_n > 1 ? find(r->categories + 1, r->categories_n - 1, sizeof *r->categories, id) : -1;
	return at < 0 ? -1 : at + 1;
}

int rules_segment(const struct rules *r, struct str id)
{
	return find(r->segments, r->segments_n, sizeof *r->segments, id);
}

/* --- YAML */

struct loader {
	struct rules *r;
	const char *file; /* kept in the rules' arena */
	yaml_document_t *doc;
	/* segments in the order of reading, with where their condition stands */
	struct rules_at *when_at;
	size_t categories_cap, segments_cap;
};

static struct rules_at place_of(const struct loader *l, const yaml_node_t *n)
{
	return (struct rules_at){l->file, n->start_mark.line + 1, n->start_mark.column + 1};
}

#define complain_at(l, n, ...) rules_complain(&(struct rules_at){(l)->file, (n)->start_mark.line + 1, (n)->start_mark.column + 1}, __VA_ARGS__)

static struct str scalar(const yaml_node_t *n)
{
	return str_make((const char *)n->data.scalar.value, n->data.scalar.length);
}

static const yaml_node_t *node(const struct loader *l, int at)
{
	return yaml_document_get_node(l->doc, at);
}

static bool valid_id(struct str id)
{
	if (id.n == 0 || id.n > 128 || id.p[0] == '.' || id.p[id.n - 1] == '.')
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		if (!chr_alpha(c) && !chr_digit(c) && c != '_' && c != '-' && c != '.')
			return false;
		if (c == '.' && id.p[i - 1] == '.')
			return false;
	}
	return true;
}

static enum err want_scalar(struct loader *l, const yaml_node_t *n, const char *what, struct str *out)
{
	if (n->type != YAML_SCALAR_NODE || n->data.scalar.length == 0)
		return complain_at(l, n, "%s must be a word or a text", what);
	if (utf8_valid(scalar(n)) != scalar(n).n || memchr(scalar(n).p, 0, scalar(n).n))
		return complain_at(l, n, "%s is not readable text", what);
	*out = scalar(n);
	return OK;
}

static enum err want_id(struct loader *l, const yaml_node_t *n, char **out)
{
	struct str s;
	enum err e = want_scalar(l, n, "id", &s);
	if (e)
		return e;
	if (!valid_id(s))
		return complain_at(l, n, "'" STR_FMT "' is no id: letters, digits, '_', '-' and dots between parts", STR_ARG(s));
	*out = (char *)(uintptr_t)rules_keep(l->r, s).p;
	return OK;
}

static enum err want_number(struct loader *l, const yaml_node_t *n, long *out)
{
	uint64_t v;
	if (n->type != YAML_SCALAR_NODE || !str_u64(scalar(n), &v) || v > 1000000)
		return complain_at(l, n, "expected a number");
	*out = (long)v;
	return OK;
}

/* --- matchers */

static enum err add_leaf(struct loader *l, const yaml_node_t *n, struct str field, struct str text, struct pattern *p)
{
	struct rules *r = l->r;
	struct leaf leaf = {0};
	if (str_eq(field, STR("title"))) {
		char folded[512];
		leaf.field = LEAF_TITLE;
		leaf.pattern = rules_keep(r, str_make(folded, rules_fold_words(text, folded, sizeof folded)));
		if (leaf.pattern.n < 3)
			return complain_at(l, n, "title wants words, and '" STR_FMT "' has none", STR_ARG(text));
	} else {
		leaf.field = str_eq(field, STR("url")) ? LEAF_URL : LEAF_PARAM;
		leaf.param = leaf.field == LEAF_PARAM ? rules_keep(r, str_skip(field, 2)) : STR("");
		leaf.pattern = rules_keep(r, text);
	}
	struct buf name = {0};
	buf_str(&name, field);
	buf_add(&name, "", 1);
	buf_str(&name, leaf.pattern);
	leaf.name = hash_plain64(name.p, name.n);
	buf_done(&name);
	p->leaf = leaf.name;
	for (size_t i = 0; i < r->leaves_n; i++)
		if (r->leaves[i].name == leaf.name)
			return OK;
	struct leaf *grown = realloc(r->leaves, (r->leaves_n + 1) * sizeof *grown);
	if (!grown)
		return err_set(ERR_NOMEM, "no memory");
	r->leaves = grown;
	r->leaves[r->leaves_n++] = leaf;
	return OK;
}

static enum err load_pattern(struct loader *l, const yaml_node_t *n, struct str key, struct test *t, struct pattern *p)
{
	struct str text;
	enum err e = want_scalar(l, n, "a pattern", &text);
	if (e)
		return e;
	p->text = rules_keep(l->r, text);
	if (t->field == FIELD_LEAF)
		return add_leaf(l, n, key, text, p);
	if (t->field == FIELD_PATH && text.p[0] != '/' && text.p[0] != '*')
		return complain_at(l, n, "a path begins with '/': did you mean '/" STR_FMT "'?", STR_ARG(text));
	if (t->field == FIELD_HOST && (str_has(text, STR("://")) || str_find(text, '/') < text.n))
		return complain_at(l, n, "a host is a name such as shop.example, without 'https://' and path");
	return OK;
}

static enum err load_test(struct loader *l, const yaml_node_t *key, const yaml_node_t *value, struct test *t)
{
	struct str k;
	enum err e = want_scalar(l, key, "the name of a field", &k);
	if (e)
		return e;
	if (str_eq(k, STR("path")))
		t->field = FIELD_PATH;
	else if (str_eq(k, STR("host")))
		t->field = FIELD_HOST;
	else if (str_eq(k, STR("event")))
		t->field = FIELD_EVENT;
	else if (str_eq(k, STR("title")) || str_eq(k, STR("url")) || (str_starts(k, STR("p.")) && k.n > 2))
		t->field = FIELD_LEAF;
	else if (str_starts(k, STR("attr.")) && k.n > 5)
		t->field = FIELD_ATTR, t->attr = rules_keep(l->r, str_skip(k, 5));
	else
		return complain_at(
		    l, key, "there is no field '" STR_FMT "': path, host, event, title, url, attr.NAME and p.NAME are known", STR_ARG(k));
	size_t n = value->type == YAML_SEQUENCE_NODE ? (size_t)(value->data.sequence.items.top - value->data.sequence.items.start) : 1;
	if (n == 0)
		return complain_at(l, value, "an empty list can never match");
	t->any = rules_alloc(l->r, n * sizeof *t->any);
	t->any_n = (unsigned)n;
	for (size_t i = 0; i < n && !e; i++)
		e = load_pattern(l, value->type == YAML_SEQUENCE_NODE ? node(l, value->data.sequence.items.start[i]) : value, k, t, &t->any[i]);
	return e;
}

static enum err load_clause(struct loader *l, const yaml_node_t *n, struct clause *c)
{
	if (n->type != YAML_MAPPING_NODE || n->data.mapping.pairs.start == n->data.mapping.pairs.top)
		return complain_at(l, n, "expected a field and a pattern, such as 'path: /coats/*'");
	size_t count = (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
	c->tests = rules_alloc(l->r, count * sizeof *c->tests);
	for (size_t i = 0; i < count; i++) {
		yaml_node_pair_t *pair = &n->data.mapping.pairs.start[i];
		enum err e = load_test(l, node(l, pair->key), node(l, pair->value), &c->tests[i]);
		if (e)
			return e;
		c->tests_n++;
	}
	return OK;
}

static enum err load_clauses(struct loader *l, const yaml_node_t *n, struct clauses *out)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return complain_at(l, n, "expected a list: put '- ' before each entry");
	size_t count = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
	out->list = rules_alloc(l->r, (count + 1) * sizeof *out->list);
	for (size_t i = 0; i < count; i++) {
		enum err e = load_clause(l, node(l, n->data.sequence.items.start[i]), &out->list[i]);
		if (e)
			return e;
		out->n++;
	}
	return OK;
}

/* --- categories and segments */

static enum err load_category(struct loader *l, const yaml_node_t *n, struct category *c)
{
	enum err e = OK;
	if (n->type != YAML_MAPPING_NODE)
		return complain_at(l, n, "a category has keys: id, name, any …");
	for (yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top && !e; it++) {
		const yaml_node_t *key = node(l, it->key), *value = node(l, it->value);
		struct str k, s;
		if ((e = want_scalar(l, key, "a key", &k)))
			break;
		if (str_eq(k, STR("id")))
			e = want_id(l, value, &c->id);
		else if (str_eq(k, STR("name"))) {
			if (!(e = want_scalar(l, value, "name", &s)))
				c->name = (char *)(uintptr_t)rules_keep(l->r, s).p;
		} else if (str_eq(k, STR("iab")))
			e = want_number(l, value, &c->iab);
		else if (str_eq(k, STR("any")))
			e = load_clauses(l, value, &c->any);
		else if (str_eq(k, STR("all")))
			e = load_clauses(l, value, &c->all);
		else if (str_eq(k, STR("none")))
			e = load_clauses(l, value, &c->none);
		else
			e = complain_at(l, key, "a category has no key '" STR_FMT "': id, name, iab, any, all, none are known", STR_ARG(k));
	}
	if (!e && !c->id)
		e = complain_at(l, n, "a category needs an id");
	if (!e && c->any.n + c->all.n == 0)
		e = complain_at(l, n, "category '%s' has nothing under any or all, so it would match everything", c->id);
	c->named = true;
	if (!e && !c->name)
		c->name = c->id;
	return e;
}

static enum err load_destinations(struct loader *l, const yaml_node_t *n, struct segment *s)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return complain_at(l, n, "destinations is a list, such as [page]");
	for (yaml_node_item_t *it = n->data.sequence.items.start; it < n->data.sequence.items.top; it++) {
		struct str name;
		enum err e = want_scalar(l, node(l, *it), "a destination", &name);
		if (e)
			return e;
		s->destinations = true;
		s->page |= str_eq(name, STR("page"));
	}
	l->r->any_destination |= s->destinations;
	return OK;
}

static enum err load_segment(struct loader *l, const yaml_node_t *n, struct segment *s, struct rules_at *when_at)
{
	enum err e = OK;
	if (n->type != YAML_MAPPING_NODE)
		return complain_at(l, n, "a segment has keys: id, name, when …");
	for (yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top && !e; it++) {
		const yaml_node_t *key = node(l, it->key), *value = node(l, it->value);
		struct str k, text;
		if ((e = want_scalar(l, key, "a key", &k)))
			break;
		if (str_eq(k, STR("id")))
			e = want_id(l, value, &s->id);
		else if (str_eq(k, STR("name"))) {
			if (!(e = want_scalar(l, value, "name", &text)))
				s->name = (char *)(uintptr_t)rules_keep(l->r, text).p;
		} else if (str_eq(k, STR("when"))) {
			if (!(e = want_scalar(l, value, "when", &text))) {
				s->when = (char *)(uintptr_t)rules_keep(l->r, text).p;
				*when_at = place_of(l, value);
				if (value->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE ||
				    value->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
					when_at->column++;
			}
		} else if (str_eq(k, STR("iab")))
			e = want_number(l, value, &s->iab);
		else if (str_eq(k, STR("destinations")))
			e = load_destinations(l, value, s);
		else
			e = complain_at(l, key, "a segment has no key '" STR_FMT "': id, name, when, iab, destinations are known", STR_ARG(k));
	}
	if (!e && !s->id)
		e = complain_at(l, n, "a segment needs an id");
	if (!e && !s->when)
		e = complain_at(l, n, "segment '%s' needs a condition: when: …", s->id);
	if (!e && !s->name)
		s->name = s->id;
	return e;
}

static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 16;
	void *grown = realloc(array, *cap * size);
	CHECK(grown);
	memset((char *)grown + n * size, 0, (*cap - n) * size);
	return grown;
}

static enum err load_list(struct loader *l, const yaml_node_t *n, bool segments)
{
	struct rules *r = l->r;
	enum err e = OK;
	if (n->type == YAML_SCALAR_NODE && n->data.scalar.length == 0)
		return OK;
	if (n->type != YAML_SEQUENCE_NODE)
		return complain_at(l, n, "expected a list: put '- ' before each entry");
	for (yaml_node_item_t *it = n->data.sequence.items.start; it < n->data.sequence.items.top && !e; it++) {
		const yaml_node_t *item = node(l, *it);
		if (segments) {
			size_t cap = l->segments_cap;
			r->segments = grow(r->segments, r->segments_n, &l->segments_cap, sizeof *r->segments);
			l->when_at = grow(l->when_at, r->segments_n, &cap, sizeof *l->when_at);
			if (r->segments_n >= RULES_SEGMENTS_MAX)
				return complain_at(l, item, "more than %d segments", RULES_SEGMENTS_MAX);
			struct segment *s = &r->segments[r->segments_n];
			e = load_segment(l, item, s, &l->when_at[r->segments_n]);
			for (size_t i = 0; !e && i < r->segments_n; i++)
				if (strcmp(r->segments[i].id, s->id) == 0)
					e = complain_at(l, item, "segment '%s' is defined twice", s->id);
			r->segments_n++;
		} else {
			r->categories = grow(r->categories, r->categories_n, &l->categories_cap, sizeof *r->categories);
			if (r->categories_n >= RULES_CATEGORIES_MAX)
				return complain_at(l, item, "more than %d categories", RULES_CATEGORIES_MAX);
			struct category *c = &r->categories[r->categories_n];
			e = load_category(l, item, c);
			for (size_t i = 1; !e && i < r->categories_n; i++)
				if (strcmp(r->categories[i].id, c->id) == 0)
					e = complain_at(l, item, "category '%s' is defined twice", c->id);
			r->categories_n++;
		}
	}
	return e;
}

static enum err load_root(struct loader *l, const yaml_node_t *root)
{
	enum err e = OK;
	bool version = false;
	if (!root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0))
		return OK; /* an empty file */
	if (root->type != YAML_MAPPING_NODE)
		return complain_at(l, root, "expected 'version: 1', categories and segments");
	for (yaml_node_pair_t *it = root->data.mapping.pairs.start; it < root->data.mapping.pairs.top && !e; it++) {
		const yaml_node_t *key = node(l, it->key), *value = node(l, it->value);
		struct str k;
		if ((e = want_scalar(l, key, "a key", &k)))
			break;
		if (str_eq(k, STR("version"))) {
			version = true;
			if (value->type != YAML_SCALAR_NODE || !str_eq(scalar(value), STR("1")))
				e = complain_at(l, value, "this crumb reads version: 1");
		} else if (str_eq(k, STR("categories"))) {
			e = load_list(l, value, false);
		} else if (str_eq(k, STR("segments"))) {
			e = load_list(l, value, true);
		} else if (str_eq(k, STR("lookalikes"))) {
			e = complain_at(l, key, "lookalikes are not built yet: take them out of the file for now");
		} else {
			e = complain_at(l, key, "there is no '" STR_FMT "' in a rules file: version, categories, segments are known", STR_ARG(k));
		}
	}
	if (!e && !version)
		e = complain_at(l, root, "the file must say 'version: 1'");
	return e;
}

static enum err load_file(struct loader *l, struct str name, struct str text)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	l->file = rules_keep(l->r, name).p;
	if (!yaml_parser_initialize(&parser))
		return err_set(ERR_NOMEM, "no memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	enum err e;
	if (!yaml_parser_load(&parser, &doc)) {
		e = err_set(ERR_SYNTAX, "%s:%zu:%zu: %s", l->file, parser.problem_mark.line + 1, parser.problem_mark.column + 1,
		    parser.problem ? parser.problem : "this is no YAML");
	} else {
		l->doc = &doc;
		e = load_root(l, yaml_document_get_root_node(&doc));
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return e;
}

/* Adds the parents that exist only by being part of an id, sorts, numbers. */
static enum err finish_categories(struct loader *l)
{
	struct rules *r = l->r;
	size_t defined = r->categories_n;
	for (size_t i = 1; i < defined; i++) {
		struct str id = str_c(r->categories[i].id);
		for (size_t dot = id.n; dot-- > 0;) {
			if (id.p[dot] != '.')
				continue;
			bool known = false;
			for (size_t k = 1; k < r->categories_n && !known; k++)
				known = str_eq(str_c(r->categories[k].id), str_make(id.p, dot));
			if (known)
				continue;
			r->categories = grow(r->categories, r->categories_n, &l->categories_cap, sizeof *r->categories);
			struct category *c = &r->categories[r->categories_n++];
			c->id = c->name = (char *)(uintptr_t)rules_keep(r, str_make(id.p, dot)).p;
		}
	}
	qsort(r->categories + 1, r->categories_n - 1, sizeof *r->categories, by_id);
	for (size_t i = 1; i < r->categories_n; i++) {
		struct str id = str_c(r->categories[i].id);
		size_t dot = id.n;
		while (dot > 0 && id.p[dot - 1] != '.')
			dot--;
		r->categories[i].parent = dot ? rules_category(r, str_make(id.p, dot - 1)) : -1;
	}
	return OK;
}

static int when_by_id(const void *a, const void *b, void *segments)
{
	const struct segment *s = segments;
	return strcmp(s[*(const size_t *)a].id, s[*(const size_t *)b].id);
}

/* Sorts segments by id together with where their conditions stand, then parses these. */
static enum err finish_segments(struct loader *l)
{
	struct rules *r = l->r;
	size_t n = r->segments_n;
	size_t *order = calloc(n + 1, sizeof *order);
	struct segment *sorted = calloc(n + 1, sizeof *sorted);
	struct rules_at *at = calloc(n + 1, sizeof *at);
	CHECK(order && sorted && at);
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof *order, when_by_id, r->segments);
	for (size_t i = 0; i < n; i++) {
		sorted[i] = r->segments[order[i]];
		at[i] = l->when_at[order[i]];
	}
	free(order);
	free(r->segments);
	r->segments = sorted;
	enum err e = OK;
	for (size_t i = 0; i < n && !e; i++)
		e = rules_condition(r, str_c(sorted[i].when), &at[i], &sorted[i].root);
	if (!e)
		e = rules_link(r, at);
	free(at);
	return e;
}

enum err rules_load(struct str bundle, struct rules **out)
{
	struct rules *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(ERR_NOMEM, "no memory");
	r->refs = 1;
	buf_str(&r->bundle, bundle);
	struct hash16 h = hash_content(bundle);
	memcpy(r->hash, h.b, sizeof r->hash);
	hex_encode(r->hash, sizeof r->hash, r->hash_text);
	struct loader l = {.r = r};
	r->categories = grow(NULL, 0, &l.categories_cap, sizeof *r->categories);
	r->categories[0] = (struct category){.id = (char *)(uintptr_t) "", .name = (char *)(uintptr_t) "", .parent = -1};
	r->categories_n = 1;
	struct mp m = mp_over(buf_view(&r->bundle));
	uint32_t n = mp_array(&m);
	enum err e = OK;
	for (uint32_t i = 0; i + 1 < n && !e; i += 2) {
		struct str name = mp_str(&m), text = mp_str(&m);
		e = m.bad ? err_set(ERR_CORRUPT, "the stored rules cannot be read") : load_file(&l, name, text);
	}
	if (!e)
		e = finish_categories(&l);
	if (!e)
		e = finish_segments(&l);
	free(l.when_at);
	if (e)
		rules_unref(r);
	else
		*out = r;
	return e;
}

static int yaml_name(const struct dirent *d)
{
	struct str n = str_c(d->d_name);
	bool yaml = n.n > 5 && str_eq(str_skip(n, n.n - 5), STR(".yaml"));
	return d->d_name[0] != '.' && (yaml || (n.n > 4 && str_eq(str_skip(n, n.n - 4), STR(".yml"))));
}

static enum err read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return err_set(ERR_IO, "%s: %s", path, strerror(errno));
	char chunk[8192];
	size_t n;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	bool bad = ferror(f) || out->failed;
	fclose(f);
	return bad ? err_set(ERR_IO, "%s: cannot be read", path) : OK;
}

enum err rules_read(const char *folder, struct buf *bundle)
{
	struct dirent **files = NULL;
	int n = scandir(folder, &files, yaml_name, alphasort);
	if (n < 0)
		return err_set(ERR_IO, "rules folder %s: %s", folder, strerror(errno));
	msgpack_packer pk;
	mp_packer(&pk, bundle);
	msgpack_pack_array(&pk, 2 * (size_t)n);
	enum err e = OK;
	for (int i = 0; i < n; i++) {
		char path[4096];
		struct buf text = {0};
		snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
		if (!e && !(e = read_file(path, &text))) {
			mp_put_str(&pk, str_c(files[i]->d_name));
			mp_put_str(&pk, buf_view(&text));
		}
		buf_done(&text);
		free(files[i]);
	}
	free(files);
	if (!e && bundle->failed)
		e = err_set(ERR_NOMEM, "no memory");
	return e;
}
