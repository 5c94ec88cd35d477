/* Events against patterns. */
#include "crumb/rules/rules.h"

static struct str without_slashes(struct str path)
{
	if (path.n && path.p[0] == '/')
		path = str_skip(path, 1);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

bool rules_path_glob(struct str pattern, struct str path)
{
	struct str p = without_slashes(pattern), s = without_slashes(path);
	struct str p_rest = p.n ? p : (struct str){NULL, 0}, s_rest = s.n ? s : (struct str){NULL, 0};
	struct str p_star = {NULL, 0}, s_mark = {NULL, 0}, part, seg;
	bool starred = false;
	for (;;) {
		struct str p_try = p_rest, s_try = s_rest;
		bool have_p = str_cut(&p_try, '/', &part);
		if (have_p && str_eq(part, STR("**"))) {
			p_star = p_rest = p_try;
			s_mark = s_rest;
			starred = true;
			continue;
		}
		bool have_s = str_cut(&s_try, '/', &seg);
		if (!have_s && !have_p)
			return true;
		if (have_s && have_p && str_glob(part, seg)) {
			p_rest = p_try, s_rest = s_try;
			continue;
		}
		if (!starred || !str_cut(&s_mark, '/', &seg))
			return false;
		p_rest = p_star, s_rest = s_mark; /* let the last ** take one segment more */
	}
}

static bool leaf_carried(const struct event *e, uint64_t leaf)
{
	for (unsigned i = 0; i < e->leaves_n; i++)
		if (e->leaves[i] == leaf)
			return true;
	return false;
}

static bool attr_matches(const struct event *e, struct str name, struct str pattern)
{
	for (unsigned i = 0; i < e->attrs_n; i++)
		if (str_eq(e->attrs[i].name, name))
			return str_iglob(pattern, e->attrs[i].value);
	return false;
}

static bool test_holds(const struct test *t, const struct event *e)
{
	for (unsigned i = 0; i < t->any_n; i++) {
		const struct pattern *p = &t->any[i];
		bool hit = false;
		switch (t->field) {
		case FIELD_PATH:
			hit = rules_path_glob(p->text, e->path);
			break;
		case FIELD_HOST:
			hit = str_iglob(p->text, e->host);
			break;
		case FIELD_EVENT:
			hit = str_iglob(p->text, e->name);
			break;
		case FIELD_ATTR:
			hit = attr_matches(e, t->attr, p->text);
			break;
		case FIELD_LEAF:
			hit = leaf_carried(e, p->leaf);
			break;
		}
		if (hit)
			return true;
	}
	return false;
}

static bool clause_holds(const struct clause *c, const struct event *e)
{
	for (unsigned i = 0; i < c->tests_n; i++)
		if (!test_holds(&c->tests[i], e))
			return false;
	return true;
}

static bool category_holds(const struct category *c, const struct event *e)
{
	bool some = c->any.n == 0;
	for (unsigned i = 0; i < c->any.n && !some; i++)
		some = clause_holds(&c->any.list[i], e);
	if (!some)
		return false;
	for (unsigned i = 0; i < c->all.n; i++)
		if (!clause_holds(&c->all.list[i], e))
			return false;
	for (unsigned i = 0; i < c->none.n; i++)
		if (clause_holds(&c->none.list[i], e))
			return false;
	return true;
}

static unsigned insert(uint16_t *out, unsigned n, uint16_t cat)
{
	unsigned at = n;
	while (at > 0 && out[at - 1] > cat)
		at--;
	if (at > 0 && out[at - 1] == cat)
		return n;
	memmove(out + at + 1, out + at, (n - at) * sizeof *out);
	out[at] = cat;
	return n + 1;
}

unsigned rules_categorise(const struct rules *r, const struct event *e, uint16_t *out)
{
	unsigned n = 0;
	for (size_t i = 1; i < r->categories_n; i++) {
		const struct category *c = &r->categories[i];
		if (!c->named || !category_holds(c, e))
			continue;
		for (int up = (int)i; up >= 0; up = r->categories[up].parent)
			n = insert(out, n, (uint16_t)up);
	}
	return n;
}

/* Every word of `words` (" a b ") is a word of `text` (" x a b "). */
static bool words_match(struct str words, struct str text)
{
	struct str rest = str_skip(words, 1), word;
	while (str_cut(&rest, ' ', &word) && word.n)
		if (!str_has(text, str_make(word.p - 1, word.n + 2)))
			return false;
	return true;
}

unsigned rules_leaves(const struct rules *r, const struct leaf_input *in, uint64_t *out)
{
	char folded[1024];
	size_t folded_n = 0;
	unsigned n = 0;
	for (size_t i = 0; i < r->leaves_n && n < EVENT_LEAVES_MAX; i++) {
		const struct leaf *l = &r->leaves[i];
		bool hit = false;
		if (l->field == LEAF_TITLE && in->title.n) {
			if (!folded_n)
				folded_n = rules_fold_words(in->title, folded, sizeof folded);
			hit = words_match(l->pattern, str_make(folded, folded_n));
		} else if (l->field == LEAF_URL) {
			hit = in->url.n && str_iglob(l->pattern, in->url);
		} else if (l->field == LEAF_PARAM) {
			for (unsigned k = 0; k < in->params_n && !hit; k++)
				hit = str_eq(in->params[k].name, l->param) && str_iglob(l->pattern, in->params[k].value);
		}
		if (hit)
			out[n++] = l->name;
	}
	return n;
}
