/* Categories: one entry of the section `categories`, and its keys. Patterns of its lists are read
 * in pattern.c. Parents and numbers come when all files are read (load.c). */
#include "loader.h"

#include "crumb/base/array.h"
#include "crumb/condition/forms.h"

#include <stdlib.h>

static void category_id(struct yaml *y, const yaml_node_t *n, void *c)
{
	yaml_id(y, n, &((struct category *)c)->id);
}
static void category_name(struct yaml *y, const yaml_node_t *n, void *c)
{
	yaml_keep(y, n, "a name", &((struct category *)c)->name);
}
static void category_iab(struct yaml *y, const yaml_node_t *n, void *c)
{
	yaml_count(
	    y, n, "a row of the IAB Audience Taxonomy", 1, IAB_LAST, &((struct category *)c)->iab);
}
static void category_labels(struct yaml *y, const yaml_node_t *n, void *c)
{
	struct labels *l = &((struct category *)c)->labels;
	yaml_words(y, n, "labels", &l->list, &l->n);
}
static void category_sensitive(struct yaml *y, const yaml_node_t *n, void *c)
{
	yaml_truth(y, n, "sensitive", &((struct category *)c)->sensitive);
}
static void category_any(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_clauses(y, n, &((struct category *)c)->any);
}
static void category_all(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_clauses(y, n, &((struct category *)c)->all);
}
static void category_none(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_clauses(y, n, &((struct category *)c)->none);
}

/* The keys, in the order in which RULES.md lists them; the schema and its table are made of them.
 */
static const struct yaml_key category_keys[] = {
    {.name = "id",
	.load = category_id,
	.aliases = "parent",
	.shape = KEY_TEXT,
	.pattern = YAML_ID_PATTERN,
	.max = YAML_ID_MOST,
	.says = "Letters, digits, `_`, `-`; dots make a tree: `apparel.outerwear` is a child of "
		"`apparel`."},
    {.name = "name",
	.load = category_name,
	.aliases = "title",
	.shape = KEY_TEXT,
	.says = "What people read; the id if you leave it out."},
    {.name = "iab",
	.load = category_iab,
	.shape = KEY_COUNT,
	.min = 1,
	.max = IAB_LAST,
	.says = "Row of the IAB Audience Taxonomy 1.1, if there is one."},
    {.name = "any",
	.load = category_any,
	.aliases = "match|rules|when|path|event",
	.shape = KEY_MATCHES,
	.says = "A list; the event is about the category if one entry matches."},
    {.name = "all",
	.load = category_all,
	.shape = KEY_MATCHES,
	.says = "A list; every entry must match, too."},
    {.name = "none",
	.load = category_none,
	.aliases = "not",
	.shape = KEY_MATCHES,
	.says = "A list; no entry may match."},
    {.name = "labels",
	.load = category_labels,
	.aliases = "label",
	.shape = KEY_WORDS,
	.says = "Words that say where the data came from. A destination names the labels that "
		"it may get ([DESTINATIONS.md](DESTINATIONS.md))."},
    {.name = "sensitive",
	.load = category_sensitive,
	.shape = KEY_TRUTH,
	.says = "`true`: segments that use the category, a child or a parent of it go only "
		"where whoever runs crumb allows it (`privacy.sensitive_destinations`). A "
		"category with a part such as `health`, `religion`, `politics` or `children` in "
		"its id, or with a row of the taxonomy that means such, is sensitive by itself: "
		"[etc/sensitive.txt](../etc/sensitive.txt)."},
};
const struct yaml_table category_table = {.name = "category",
    .what = "a category",
    YAML_KEYS(category_keys),
    .required = "id",
    .any_of = "any|all"};

/* What means something in conditions, so that no category can be called so there: words, numbers,
 * windows such as 30d, attributes. */
static bool reserved(struct str id)
{
	if (condition_reserved(id))
		return true;
	size_t digits = 0;
	while (digits < id.n && chr_digit(id.p[digits]))
		digits++;
	return (digits && digits == id.n) ||
	       (digits && digits + 1 == id.n && id.p[digits] == 'd') ||
	       str_starts(id, STR("attr."));
}

/* Reads one category and keeps it, unless it cannot be one. A mistake in a list is reported there.
 */
void load_category(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct loader *l = loader_of(y);
	(void)into;
	struct rules *r = l->r;
	size_t errors = y->report->errors;
	struct category c = {.named = true, .at = yaml_at(y, n)};
	if (!yaml_read(y, n, &category_table, &c))
		return;
	if (!c.id) {
		if (errors == y->report->errors)
			yaml_complain(y, n, "missing", NULL, "a category needs an id");
		return;
	}
	if (!c.name)
		c.name = c.id;
	if (c.any.n + c.all.n == 0 && errors == y->report->errors)
		yaml_complain(y, n, "matches-all", "say under any: what belongs to it",
		    "category '%s' has nothing under any or all, so it would match everything",
		    c.id);
	if (reserved(str_c(c.id)))
		yaml_complain(y, n, "reserved", "choose another id",
		    "'%s' means something else in conditions", c.id);
	uint32_t other;
	if (map_get(&r->category_ids, str_c(c.id), &other)) {
		yaml_complain(y, n, "twice", "rename one, or join their lists",
		    "category '%s' is defined twice: also at %s:%zu", c.id,
		    r->categories[other].at.file, r->categories[other].at.line);
		return;
	}
	if (r->categories_n >= RULES_CATEGORIES_MAX) {
		yaml_complain(
		    y, n, "too-many", NULL, "more than %d categories", RULES_CATEGORIES_MAX);
		return;
	}
	map_put(&r->category_ids, str_c(c.id), (uint32_t)r->categories_n);
	CHECK(array_room_zeroed(r->categories, l->categories_cap, r->categories_n + 1));
	r->categories[r->categories_n++] = c;
}
