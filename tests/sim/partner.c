/* A partner: reads the files that appear in its folder, does as they say, and forgets rows when they end. A whole delivery says everything again; it
 * does not take the place of what is there. */
#include "sim.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct row *row_of(struct sim *s, uint32_t person)
{
	struct lake *p = &s->partner;
	CHECK(array_room_zeroed(p->rows, p->cap, s->model.n));
	p->n = s->model.n;
	return &p->rows[person];
}

static void read_line(struct sim *s, struct str line, const char *file)
{
	struct str id, segment, expires, action = line;
	struct vkey name;
	uint32_t person;
	uint64_t number;
	uint16_t day = 0;
	bool fine = str_cut(&action, ',', &id) && str_cut(&action, ',', &segment) && str_cut(&action, ',', &expires) && hex_decode(id, name.b, 16) &&
		    segment.n == 2 && str_u64(str_skip(segment, 1), &number) && number < SEGMENTS;
	bool add = str_eq(action, STR("add"));
	if (!fine || (add && !day_parse(expires.p, expires.n, &day)) || (!add && !str_eq(action, STR("remove"))))
		sim_failed(s, "%s: a line that is none: " STR_FMT, file, STR_ARG(line));
	struct vkey k = visitor_of_partner(&s->ingest.keys, STR("lake"), &name);
	if (!map_get(&s->model.numbers, str_make((const char *)k.b, sizeof k.b), &person))
		sim_failed(s, "%s: of somebody whom nobody has seen", file);
	row_of(s, person)->until[number] = add ? day : 0;
	model_know(&s->model, person);
	if (s->watched == person + 1)
		printf("step %llu %s: s%llu of person %u until day %u\n", (unsigned long long)s->step, file, (unsigned long long)number, person, add ? day : 0);
	s->partner.lines++;
}

static void read_file(struct sim *s, const char *name)
{
	char path[600], line[300];
	snprintf(path, sizeof path, "lake/%s", name);
	FILE *f = fopen(path, "r");
	CHECK(f);
	bool head = true;
	while (fgets(line, sizeof line, f)) {
		if (!head)
			read_line(s, str_trim(str_c(line)), name);
		head = false;
	}
	fclose(f);
	s->partner.files++;
	CHECK(unlink(path) == 0);
}

/* By the time in their names, which is that of the deliveries. */
static int by_time(const struct dirent **a, const struct dirent **b)
{
	const char *x = strstr((*a)->d_name, "_20"), *y = strstr((*b)->d_name, "_20");
	return strcmp(x ? x : "", y ? y : "");
}

static int is_csv(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 4 && strcmp(d->d_name + n - 4, ".csv") == 0;
}

static void read_folder(struct sim *s)
{
	struct dirent **list;
	int n = scandir("lake", &list, is_csv, by_time);
	for (int i = 0; i < n; i++) {
		read_file(s, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

enum err partner_deliver(struct sim *s, bool whole, enum delivery_state *state)
{
	struct destinations *all = node_destinations(&s->node);
	struct generation *g = engine_serving(s->node.engine);
	struct delivery r;
	struct deliver_wish w = {.plan = {.g = g, .config = &s->config, .all = all, .d = destinations_find(all, STR("lake")), .now = clock_now()},
	    .mode = whole ? DELIVER_FULL : DELIVER_AUTO};
	enum err e = deliver(&w, &r);
	*state = e ? DELIVERY_FAILED : r.state;
	if (!e)
		delivery_done(&r);
	generation_unref(g);
	destinations_unref(all);
	s->deliveries++;
	sim_trace(s, "deliver", e, *state);
	return e;
}

/* Nothing is there of them any more, and the partner has no row. */
static void forget_gone(struct sim *s, uint16_t today)
{
	struct model *m = &s->model;
	size_t n = 0;
	for (size_t i = 0; i < m->known_n; i++) {
		struct person *p = m->people[m->known[i]];
		p->listed = person_there(p, today);
		for (unsigned g = 0; g < SEGMENTS; g++)
			p->listed |= row_of(s, p->number)->until[g] > today;
		if (p->listed)
			m->known[n++] = p->number;
	}
	m->known_n = n;
}

/* The partner looks into its folder now and then, and at least when it is told that all is there. */
void partner_check(struct sim *s, const struct rule_set *set)
{
	enum delivery_state state = DELIVERY_WAITS;
	for (int i = 0; i < 6 && state != DELIVERY_NOTHING; i++) {
		if (partner_deliver(s, false, &state) != OK)
			sim_failed(s, "nothing can be delivered: %s", err_text());
		read_folder(s);
		world_forward(2);
	}
	if (state != DELIVERY_NOTHING)
		sim_failed(s, "deliveries have always something to say");
	uint16_t today = day_of(clock_now());
	model_judge(&s->model, set, today);
	for (unsigned g = 0; g < SEGMENTS; g++) {
		uint32_t members = 0;
		for (size_t i = 0; i < s->model.known_n; i++)
			members += person_in(s->model.people[s->model.known[i]], g);
		for (size_t i = 0; i < s->model.known_n; i++) {
			uint32_t who = s->model.known[i];
			uint16_t until = row_of(s, who)->until[g];
			bool is = person_in(s->model.people[who], g), told = until > today;
			if (told && !is)
				sim_failed(s, "the partner has person %u in s%u, who is no member", who, g);
			if (is && !told && members >= K)
				sim_failed(s, "the partner does not have person %u in s%u, one of %u members, on day %u; it had the row until day %u", who, g, members, today, until);
		}
		sim_trace(s, "partner", g, members);
	}
	forget_gone(s, today);
}
