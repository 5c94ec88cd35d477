#include "model.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/map.h"
#include "world.h"

#include <stdlib.h>

const char *const page_names[PAGES] = {"coats", "boots", "news", "other"};

/* --- rules */

static uint8_t invent_days(void)
{
	static const uint8_t days[] = {1, 2, 7, 14, 30, 89, 90, 90};
	return days[world_below(sizeof days)];
}

void rules_invent(struct rule_set *r, const struct rule_set *before)
{
	for (int i = 0; i < CATEGORIES; i++)
		r->kinds[i] = before ? before->kinds[i] : (uint8_t)(1 + world_below(255));
	for (int i = 0; i < SEGMENTS; i++) {
		struct asks *a = &r->segments[i];
		a->category = (uint8_t)world_below(CATEGORIES + 1);
		a->times = (uint8_t)(1 + world_below(4));
		a->days = invent_days();
		a->but = a->category < CATEGORIES && world_one_in(3);
		a->but_category = (uint8_t)((a->category + 1) % CATEGORIES);
		a->but_days = invent_days();
	}
}

void rules_text(const struct rule_set *r, struct buf *out)
{
	buf_c(out, "version: 1\ncategories:\n");
	for (int i = 0; i < CATEGORIES; i++) {
		buf_addf(out, "  - id: c%d\n    any:\n", i);
		for (int k = 0; k < KINDS; k++)
			if (r->kinds[i] >> k & 1)
				buf_addf(out, "      - {event: %s, path: /%s/*}\n", k < PAGES ? "view" : "purchase", page_names[k % PAGES]);
	}
	buf_c(out, "segments:\n");
	for (int i = 0; i < SEGMENTS; i++) {
		const struct asks *a = &r->segments[i];
		buf_addf(out, "  - id: s%d\n    destinations: [lake]\n    when: ", i);
		if (a->category == CATEGORIES)
			buf_addf(out, "visits >= %d in %dd\n", a->times, a->days);
		else
			buf_addf(out, "c%d >= %d in %dd", a->category, a->times, a->days);
		if (a->but)
			buf_addf(out, " and not c%d in %dd", a->but_category, a->but_days);
		buf_c(out, "\n");
	}
}

/* --- people */

static struct str key_text(const struct vkey *k)
{
	return str_make((const char *)k->b, sizeof k->b);
}

void model_done(struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->people[i]);
	free(m->people);
	free(m->known);
	map_done(&m->numbers);
}

struct person *model_person(struct model *m, const struct vkey *k)
{
	uint32_t at;
	return map_get(&m->numbers, key_text(k), &at) ? m->people[at] : NULL;
}

static struct person *have(struct model *m, const struct vkey *k)
{
	struct person *p = model_person(m, k);
	if (p)
		return p;
	p = calloc(1, sizeof *p);
	CHECK(p && array_room(m->people, m->cap, m->n + 1));
	p->key = *k;
	p->number = (uint32_t)m->n;
	m->people[m->n] = p;
	CHECK(map_put(&m->numbers, key_text(&p->key), p->number));
	m->n++;
	return p;
}

static void add(struct person *p, uint32_t t, uint8_t kind)
{
	uint16_t day = day_of(t);
	unsigned at = day % RING;
	if (p->day[at] != day)
		memset(p->n[at], 0, sizeof p->n[at]);
	p->day[at] = day;
	p->n[at][kind]++;
	p->latest = day > p->latest ? day : p->latest;
}

void model_know(struct model *m, uint32_t person)
{
	if (m->people[person]->listed)
		return;
	CHECK(array_room(m->known, m->known_cap, m->known_n + 1));
	m->known[m->known_n++] = person;
	m->people[person]->listed = true;
}

void model_look(struct model *m, const struct vkey *k, uint32_t t, uint8_t kind, bool brings_cookie)
{
	struct person *p = have(m, k);
	if (p->erased)
		return;
	model_know(m, p->number);
	if (brings_cookie && !p->counted) {
		p->first_t = t;
		p->first_kind = kind;
		return;
	}
	if (p->first_t && p->first_t / 3600 + 24 >= t / 3600)
		add(p, p->first_t, p->first_kind);
	p->first_t = 0;
	p->counted = true;
	add(p, t, kind);
}

void model_erase(struct model *m, const struct vkey *k)
{
	struct person *p = have(m, k);
	p->erased = true;
	p->counted = false;
	p->first_t = 0;
}

bool person_there(const struct person *p, uint16_t today)
{
	return p->counted && !p->erased && p->latest + KEPT_DAYS > today;
}

uint32_t person_count(const struct person *p, uint8_t kinds, uint16_t day)
{
	uint32_t n = 0;
	if (p->day[day % RING] != day)
		return 0;
	for (int k = 0; k < KINDS; k++)
		n += kinds >> k & 1 ? p->n[day % RING][k] : 0;
	return n;
}

/* Looks in the window that ends today; with `all`, days on which there were any. */
static uint32_t count_in(const struct person *p, uint8_t kinds, uint16_t today, unsigned days, bool all)
{
	uint32_t n = 0;
	for (unsigned d = 0; d < days; d++) {
		uint32_t here = person_count(p, kinds, (uint16_t)(today - d));
		n += all ? here > 0 : here;
	}
	return n;
}

static bool fulfils(const struct person *p, const struct rule_set *r, const struct asks *a, uint16_t today)
{
	bool visits = a->category == CATEGORIES;
	if (count_in(p, visits ? 255 : r->kinds[a->category], today, a->days, visits) < a->times)
		return false;
	return !a->but || count_in(p, r->kinds[a->but_category], today, a->but_days, false) == 0;
}

void model_judge(struct model *m, const struct rule_set *r, uint16_t today)
{
	for (size_t i = 0; i < m->known_n; i++) {
		struct person *p = m->people[m->known[i]];
		p->in = 0;
		for (unsigned s = 0; s < SEGMENTS && person_there(p, today); s++)
			p->in |= (uint8_t)(fulfils(p, r, &r->segments[s], today) << s);
	}
}
