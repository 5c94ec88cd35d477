/* What the steps of a making share: numbers of countries, names of groups, and its end. */
#include "making.h"

#include <stdlib.h>

unsigned country_number(const struct place *p)
{
	unsigned a = (unsigned)(p->country[0] - 'A'), b = (unsigned)(p->country[1] - 'A');
	return a < 26 && b < 26 ? 1 + a * 26 + b : 0;
}

void country_code(unsigned country, char out[8])
{
	if (country == 0)
		snprintf(out, 8, "unknown");
	else
		snprintf(out, 8, "%c%c", 'A' + (country - 1) / 26 % 26, 'A' + (country - 1) % 26);
}

enum err making_stopped(const struct making *m)
{
	return m->stop && atomic_load(m->stop) ? err_set(ERR_BUSY, "stopping") : OK;
}

void making_done(struct making *m)
{
	free(m->wanted);
	free(m->plans);
	free(m->groups);
	free(m->first_step);
	free(m->sketches);
	free((void *)m->step_days);
	free((void *)m->day_events);
	free((void *)m->day_visitors);
	free(m->told_events);
	free(m->told_visitors);
}

/* --- names */

/* Of a kind of group, of whose it is, and of what it is; ids have no blanks. */
static uint64_t group_name(char kind, const char *whose, struct str what)
{
	struct buf b = {0};
	buf_addf(&b, "%c %s ", kind, whose);
	buf_str(&b, what);
	uint64_t name = hash_plain64(b.p, b.n);
	buf_done(&b);
	return name;
}

static void name_segment(struct making *m, size_t segment)
{
	const struct rules *r = m->r;
	const struct plan *p = &m->plans[segment];
	const char *id = r->segments[segment].id;
	struct group *g = m->groups;
	char code[8];
	for (unsigned i = 0; i < DEVICE_MAX; i++)
		g[plan_device(p, i)].name = group_name('d', id, str_c(device_names[i]));
	for (unsigned i = 0; i < p->countries_n; i++) {
		country_code(p->countries[i], code);
		g[plan_country(p, i)].name = group_name('l', id, str_c(code));
	}
	for (unsigned i = 0; i < p->categories_n; i++)
		g[plan_category(p, i)].name =
		    group_name('c', id, str_c(r->categories[p->categories[i]].id));
	for (unsigned i = 0; i < p->nearest_n; i++)
		g[plan_near(p, i)].name = group_name('s', id, str_c(r->segments[p->nearest[i]].id));
	for (unsigned i = 0; i < p->clauses_n; i++)
		g[plan_clause(p, i)].name = group_name('f', id, r->nodes[p->upto[i]].text);
}

void name_groups(struct making *m)
{
	const struct rules *r = m->r;
	char code[8], path[16];
	for (unsigned i = 0; i < DEVICE_MAX; i++)
		m->groups[m->first_device + i].name = group_name('D', "", str_c(device_names[i]));
	for (unsigned i = 0; i < COUNTRIES; i++) {
		country_code(i, code);
		m->groups[m->first_country + i].name = group_name('L', "", str_c(code));
	}
	for (size_t i = 0; i < r->segments_n; i++)
		name_segment(m, i);
	for (size_t i = 0; i < r->journeys_n; i++)
		for (uint32_t k = 0; k < journey_groups(&r->journeys[i]); k++) {
			snprintf(path, sizeof path, "%u", k);
			m->groups[m->first_step[i] + k].name =
			    group_name('j', r->journeys[i].id, str_c(path));
		}
}
