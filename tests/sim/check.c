/* Is everything as it should be? Everything is settled. */
#include "sim.h"

#include "crumb/views/view.h"
#include "crumb/base/clock.h"
#include "crumb/model/record.h"

#include <stdio.h>

#define SAMPLE 150
#define GONE_SAMPLE 20

static struct rule_set set; /* that serves */
static int categories[CATEGORIES];

/* The profile's rows of a category, against what was seen. */
static void check_rows(const struct sim *s, size_t who, const struct profile *p, int category, uint8_t kinds, uint16_t today)
{
	const struct person *person = s->model.people[who];
	uint32_t there = 0, want = 0;
	for (size_t i = 0; i < p->rows_n; i++) {
		if (p->rows[i].cat != category)
			continue;
		uint16_t day = p->rows[i].day;
		if (day + KEPT_DAYS <= today || day > today + 1)
			sim_failed(s, "person %zu: day %u is readable on day %u", who, day, today);
		uint32_t seen = person_count(person, kinds, day);
		if (p->rows[i].count != seen)
			sim_failed(s, "person %zu: %u looks at category %d on day %u of %u, %u were answered", who, p->rows[i].count, category, day, today, seen);
		there += seen;
	}
	for (int d = -1; d < KEPT_DAYS; d++)
		want += person_count(person, kinds, (uint16_t)(today - d));
	if (there != want)
		sim_failed(s, "person %zu: %u looks at category %d, %u were answered", who, there, category, want);
}

static void check_person(struct sim *s, struct generation *g, size_t who, uint32_t now)
{
	static struct profile p;
	const struct person *person = s->model.people[who];
	uint16_t today = day_of(now);
	enum err e = view_visitor(g, &person->key, now, &p);
	if (e && e != ERR_NOT_FOUND)
		sim_failed(s, "person %zu cannot be looked up: %s", who, err_text());
	bool there = person_there(person, today);
	if (there != (e == OK))
		sim_failed(s, "person %zu is %s, and should%s be (erased %d, last seen on day %u of %u)", who, e ? "not there" : "there", there ? "" : " not",
		    person->erased, person->latest, today);
	if (!there)
		return;
	check_rows(s, who, &p, CATEGORY_ALL, 255, today);
	for (int c = 0; c < CATEGORIES; c++)
		check_rows(s, who, &p, categories[c], set.kinds[c], today);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		char id[4] = {'s', (char)('0' + i), 0};
		bool in = false;
		for (size_t n = 0; n < p.segments_n; n++)
			in |= p.segments[n] == rules_segment(g->rules, str_c(id));
		if (in != person_in(person, i))
			sim_failed(s, "person %zu is %s in s%u", who, in ? "" : "not ", i);
	}
}

/* Below k nothing is told, above it what is so, rounded. */
static void check_sizes(struct sim *s, struct generation *g, uint32_t now)
{
	const struct kgate gate = {.k = K};
	struct group_sizes sizes;
	if (view_sizes(g, &gate, now, &sizes) != OK)
		sim_failed(s, "sizes: %s", err_text());
	for (unsigned i = 0; i < SEGMENTS; i++) {
		char id[4] = {'s', (char)('0' + i), 0};
		const struct shown *shown = &sizes.segments[rules_segment(g->rules, str_c(id))];
		uint64_t n = 0;
		for (size_t p = 0; p < s->model.known_n; p++)
			n += person_in(s->model.people[s->model.known[p]], i);
		if (shown->told != (n >= K))
			sim_failed(s, "s%u of %llu is %s", i, (unsigned long long)n, shown->told ? "told" : "withheld");
		if (shown->told && (shown->n > n + 9 || n > shown->n + 9))
			sim_failed(s, "s%u is told as %llu and is %llu", i, (unsigned long long)shown->n, (unsigned long long)n);
		sim_trace(s, "size", i, n);
	}
	view_sizes_done(&sizes);
}

/* What is stored, as it is stored: all the known who are there, for each was looked up; and with their number nobody else. */
static void check_stored(struct sim *s, struct generation *g, uint32_t now)
{
	static struct profile p;
	uint16_t today = day_of(now);
	uint64_t there = 0, want = 0;
	for (unsigned i = 0; i < g->shards; i++) {
		struct shard *sh = &g->fold[i].shard;
		struct db_txn t;
		struct db_cursor c;
		struct str key, value;
		CHECK(db_begin(&sh->db, DB_READ, &t) == OK);
		db_walk(&t, sh->visitors, &c);
		for (bool more = db_next(&c, &key, &value); more; more = db_next(&c, &key, &value)) {
			if (!profile_load(&p, value))
				sim_failed(s, "a profile does not decode");
			for (size_t r = 0; r < p.rows_n; r++)
				if (p.rows[r].day + KEPT_DAYS <= today)
					sim_failed(s, "day %u is stored on day %u", p.rows[r].day, today);
			there++;
		}
		db_walk_end(&c);
		db_abort(&t);
	}
	for (size_t i = 0; i < s->model.known_n; i++)
		want += person_there(s->model.people[s->model.known[i]], today);
	if (there != want)
		sim_failed(s, "%llu people are stored, there should be %llu", (unsigned long long)there, (unsigned long long)want);
	sim_trace(s, "stored", there, 0);
}

/* After a night nothing of days that are over names anybody who was erased; and no day is older than it may be. */
static void check_journal(struct sim *s, uint32_t now)
{
	struct journal *j = s->node.store->journal;
	uint16_t today = day_of(now), keys[JOURNAL_DAYS_MAX];
	for (unsigned i = 0, n = keys_days(s->node.store->keys, keys, JOURNAL_DAYS_MAX); i < n; i++)
		if (keys[i] + KEPT_DAYS <= today)
			sim_failed(s, "there is a key of day %u on day %u", keys[i], today);
	for (unsigned lane = 0; lane < s->node.store->shards; lane++) {
		struct journal_reader *r;
		struct buf records = {0};
		struct journal_pos pos;
		uint32_t count;
		uint16_t day;
		enum err e = journal_read(j, lane, JOURNAL_START, &r);
		while (!e || e == ERR_CORRUPT) {
			buf_clear(&records);
			e = journal_next(r, &records, &pos, &count, &day);
			if (e == ERR_CORRUPT && day + KEPT_DAYS <= today)
				continue; /* its bytes could not be removed yet, and nobody can read them */
			if (e)
				break;
			if (day + KEPT_DAYS <= today)
				sim_failed(s, "day %u of the journal can be read on day %u", day, today);
			struct mp m = mp_over(buf_view(&records));
			while (day < today && m.p < m.end) {
				struct mp all = m;
				struct vkey k;
				if (!record_skip_forgotten(&m, &k)) {
					m = all;
					mp_skip(&m);
					continue;
				}
				const struct person *p = model_person(&s->model, &k);
				if (p && p->erased)
					sim_failed(s, "the journal's day %u names somebody who was erased, on day %u", day, today);
			}
		}
		if (e != ERR_NOT_FOUND)
			sim_failed(s, "the journal cannot be read: %s", err_text());
		journal_read_end(r);
		buf_done(&records);
	}
}

void check_all(struct sim *s, bool deeply)
{
	struct generation *g = engine_serving(s->node.engine);
	uint32_t now = clock_now();
	set = *life_rules(s, g->rules);
	for (int c = 0; c < CATEGORIES; c++) {
		char id[4] = {'c', (char)('0' + c), 0};
		categories[c] = rules_category(g->rules, str_c(id));
	}
	model_judge(&s->model, &set, day_of(now));
	for (size_t i = 0; i < s->model.known_n; i++) {
		bool sampled = world_below((uint32_t)s->model.known_n) < SAMPLE;
		if (deeply || sampled || s->model.known[i] + 1 == s->watched)
			check_person(s, g, s->model.known[i], now);
	}
	for (size_t i = 0; i < GONE_SAMPLE && s->model.n; i++)
		check_person(s, g, world_below((uint32_t)s->model.n), now);
	check_sizes(s, g, now);
	if (deeply) {
		check_stored(s, g, now);
		check_journal(s, now);
	}
	generation_unref(g);
	partner_check(s, &set);
	s->checks++;
}
