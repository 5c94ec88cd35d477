/* When patterns and vocabularies came into force: read from the journal's records of activated
 * rules, and turned into first days of categories and segments. Told with an example in
 * views/since.h. */
#include "crumb/views/since.h"
#include "crumb/load/load.h"

#include "crumb/base/array.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Names of what a rule set decides at the door, sorted. *out is NULL when there is no memory. */
static size_t names_of(const struct rules *r, uint64_t **out)
{
	uint64_t *names = calloc(r->patterns_n + r->vocabularies_n + 1, sizeof *names);
	size_t n = 0;
	*out = names;
	if (!names)
		return 0;
	for (size_t i = 0; i < r->patterns_n; i++)
		if (!field_is_kept(r->patterns[i].field))
			names[n++] = r->patterns[i].leaf;
	for (size_t i = 0; i < r->vocabularies_n; i++)
		names[n++] = r->vocabularies[i].hash;
	qsort(names, n, sizeof *names, by_name);
	return n;
}

bool since_init(struct since *s, const struct rules *r)
{
	uint64_t *names;
	size_t n = names_of(r, &names);
	*s = (struct since){.n = n + 1};
	s->list = names ? calloc(s->n, sizeof *s->list) : NULL;
	for (size_t i = 0; i < n && s->list; i++) /* list[0] is name 0 */
		s->list[i + 1].name = names[i];
	free(names);
	if (!s->list)
		s->n = 0;
	return s->list;
}

void since_done(struct since *s)
{
	free(s->list);
	free(s->names);
	free(s->noted);
	*s = (struct since){.n = 0};
}

static struct since_entry *since_find(const struct since *s, uint64_t name)
{
	/* the name is the first field of an entry */
	return s->n ? bsearch(&name, s->list, s->n, sizeof *s->list, by_name) : NULL;
}

void since_load(struct since *s, struct shard *sh, struct db_txn *t)
{
	struct str v;
	if (!db_get(t, sh->meta, STR("since"), &v))
		return;
	for (size_t at = 0; at + 12 <= v.n; at += 12) {
		struct since_entry *e = since_find(s, get_u64((const uint8_t *)v.p + at));
		if (e)
			e->t = get_u32((const uint8_t *)v.p + at + 8);
	}
}

void since_save(struct since *s, struct shard *sh, struct db_txn *t)
{
	if (!s->changed)
		return;
	uint8_t *b = malloc(12 * s->n + 1);
	CHECK(b);
	for (size_t i = 0; i < s->n; i++) {
		put_u64(b + 12 * i, s->list[i].name);
		put_u32(b + 12 * i + 8, s->list[i].t);
	}
	db_put(t, sh->meta, STR("since"), str_make((const char *)b, 12 * s->n));
	free(b);
	s->saved = true;
}

/* Was this activation noted before? From now on it was. The identity is of the rules and the
 * second. Rules that are changed and changed back within one second have the identity of the first
 * activation, and are in force again. So one of the latest second is noted again, which changes
 * nothing if it is the same record. */
static bool noted(struct since *s, const struct record *activation)
{
	struct hash16 id;
	if (!record_identity(activation, &id) ||
	    !array_room(s->noted, s->noted_cap, s->noted_n + 1)) {
		memory_none(); /* so the fold's transaction fails, and reads it again */
		return true;
	}
	for (size_t i = 0; i < s->noted_n; i++)
		if (memcmp(&s->noted[i], &id, sizeof id) == 0)
			return activation->event.t != s->latest;
	s->latest = activation->event.t;
	s->noted[s->noted_n++] = id;
	return false;
}

void since_note(struct since *s, const struct rules *ours, const struct record *activation)
{
	const uint8_t *hash = activation->rules;
	uint32_t t = activation->event.t;
	bool own = memcmp(hash, ours->hash, 16) == 0;
	if (s->n == 0 || noted(s, activation))
		return;
	if (!own && memcmp(s->hash, hash, 16) != 0) {
		struct rules *r;
		free(s->names);
		s->names = NULL;
		s->names_n = 0;
		memcpy(s->hash, hash, 16);
		/* rules that do not load any more decided nothing that we could know of */
		if (rules_load(activation->rules_text, NULL, &r) == OK) {
			s->names_n = names_of(r, &s->names);
			rules_unref(r);
		}
	}
	for (size_t i = 0; i < s->n; i++) {
		bool has = own || s->list[i].name == 0 ||
			   (s->names_n && bsearch(&s->list[i].name, s->names, s->names_n,
					      sizeof *s->names, by_name));
		if (has == (s->list[i].t != 0))
			continue;
		s->list[i].t = 0;
		if (has)
			s->list[i].t = t ? t : 1; /* 0 means never */
		s->changed = true;
	}
}

uint32_t since_of(const struct since *s, uint64_t name)
{
	const struct since_entry *e = since_find(s, name);
	return e ? e->t : 0;
}

/* --- days */

struct dating {
	const struct since *s;
	const struct rules *r;
	uint32_t first;
	uint16_t today, oldest;
};

/* The day from which on something has a history; 0: as far back as anything has. */
static uint16_t day_from(const struct dating *d, uint64_t name)
{
	uint32_t t = since_of(d->s, name);
	if (d->first == 0)
		return 0; /* nothing was ever journalled */
	if (t == 0)
		return d->today;
	uint16_t day = (uint16_t)(t / DAY_S);
	return t > d->first && day > d->oldest ? day : 0;
}

static void later_day(uint16_t *day, uint16_t other)
{
	if (other > *day)
		*day = other;
}

/* The latest first day of the patterns and vocabularies that make events belong to a category. */
static uint16_t clauses_from(const struct dating *d, const struct clauses *c)
{
	uint16_t day = 0;
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned t = 0; t < c->list[i].tests_n; t++)
			for (unsigned k = 0; k < c->list[i].tests[t].any_n; k++) {
				const struct pattern *p =
				    &d->r->patterns[c->list[i].tests[t].any[k]];
				const struct vocabulary *v =
				    p->field == FIELD_ATTR ? rules_vocabulary(d->r, p->name) : NULL;
				if (!field_is_kept(p->field))
					later_day(&day, day_from(d, p->leaf));
				else if (v)
					later_day(&day, day_from(d, v->hash));
			}
	return day;
}

/* The latest first day of all that a condition looks at. */
static uint16_t node_from(const struct dating *d, int at, const uint16_t *categories)
{
	const struct rule_node *n = &d->r->nodes[at];
	uint16_t day = 0;
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		day = node_from(d, n->left, categories);
		later_day(&day, node_from(d, n->right, categories));
		return day;
	case NODE_NOT:
		return node_from(d, n->left, categories);
	case NODE_SEGMENT:
		return node_from(d, d->r->segments[n->segment].root, categories);
	case NODE_ATTR: {
		const struct vocabulary *v = rules_vocabulary(d->r, n->attr);
		return v ? day_from(d, v->hash) : 0;
	}
	case NODE_THEN:
		day = categories[n->then];
		later_day(&day, categories[n->cat]);
		return day;
	case NODE_FACT:
	case NODE_LIKE:
	case NODE_NEVER:
		return 0;
	default:
		return categories[n->cat];
	}
}

enum err since_days(const struct since *s, const struct rules *r, uint16_t today,
    unsigned retention, uint16_t **categories, uint16_t **segments)
{
	struct dating d = {s, r, since_of(s, 0), today, (uint16_t)(today - retention + 1)};
	uint16_t *cats = calloc(r->categories_n + 1, sizeof *cats),
		 *segs = calloc(r->segments_n + 1, sizeof *segs);
	if (!cats || !segs) {
		free(cats);
		free(segs);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	for (size_t i = r->categories_n; i-- > 1;) { /* children before their parents */
		const struct category *c = &r->categories[i];
		later_day(&cats[i], clauses_from(&d, &c->any));
		later_day(&cats[i], clauses_from(&d, &c->all));
		later_day(&cats[i], clauses_from(&d, &c->none));
		if (c->parent > 0)
			later_day(&cats[c->parent], cats[i]);
	}
	for (size_t i = 0; i < r->segments_n; i++)
		segs[i] = node_from(&d, r->segments[i].root, cats);
	*categories = cats;
	*segments = segs;
	return OK;
}
