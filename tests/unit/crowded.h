/* Views of one shard with 240 visitors whose categories, devices and countries follow from their
 * numbers, and a report of them in the making. */
#ifndef CRUMB_TESTS_CROWDED_H
#define CRUMB_TESTS_CROWDED_H

#include "viewed.h"

#include "src/report/making.h"

#define CROWD 240
#define CROWD_K 20

#define CROWDED                                                                                    \
	"version: 1\ncategories: [{id: a, any: [{path: /a}]}, {id: b, any: [{path: /b}]}, "        \
	"{id: c, any: [{path: /c}]}, {id: d, any: [{path: /d}]}]\nsegments:\n"                     \
	"  - {id: s1, when: a}\n  - {id: s2, when: b}\n  - {id: s3, when: a and b in 9d}\n"        \
	"  - {id: s4, when: c or d}\n  - {id: s5, when: device = mobile and a and not c}\n"        \
	"journeys:\n  - {id: j, from: a, steps: [b, c], within: 7d}\n"

/* What visitor v has: a every second, b every third, c every fifth but for some, d every 31st; each
 * on a day of its own. */
static inline bool crowd_has(unsigned v, char category)
{
	static const unsigned every[] = {2, 3, 5, 31};
	return v % every[category - 'a'] == 0;
}
static inline uint16_t crowd_day(unsigned v, char category)
{
	return (uint16_t)(TODAY - 1 - (v * 7 + (unsigned)(category - 'a') * 5) % 8);
}
static inline bool crowd_mobile(unsigned v)
{
	return v % 4 < 3;
}
static inline bool crowd_german(unsigned v)
{
	return v % 7 < 4;
}

struct crowded {
	struct views v;
	struct kgate gate;
	struct making m;
};

static inline void crowd_put(struct crowded *w, unsigned v)
{
	const struct rules *r = w->v.g->rules;
	struct vkey k = {{(uint8_t)(v * 37), (uint8_t)v}};
	struct profile p = {.ordinal = v};
	struct buf bytes = {0};
	uint16_t segments[8];
	profile_add(&p, CATEGORY_ALL, TODAY - 1, 1);
	for (char c = 'a'; c <= 'd'; c++)
		if (crowd_has(v, c))
			profile_add(&p, (uint16_t)(1 + c - 'a'), crowd_day(v, c), 2);
	struct place place = {{0}, {0}};
	memcpy(place.country, crowd_german(v) ? "DE" : "FR", 2);
	struct agent agent = {crowd_mobile(v) ? DEVICE_MOBILE : DEVICE_DESKTOP, 0, 0};
	profile_observe(&p, TODAY - 1, &place, &agent, NULL, 0);
	p.evaluated_day = TODAY;
	p.due_hour = (TODAY + 1) * 24u;
	p.segments = segments;
	p.segments_n = rules_eval_all(r, &p, TODAY, segments);
	profile_save(&p, &bytes);
	put_bytes(&w->v, vkey_str(&k), buf_view(&bytes));
	p.segments = NULL;
	profile_done(&p);
	buf_done(&bytes);
}

static inline struct crowded *open_crowd(void)
{
	struct crowded *w = calloc(1, sizeof *w);
	w->v = open_views();
	rules_unref(w->v.g->rules);
	w->v.g->rules = load(CROWDED);
	for (unsigned v = 0; v < CROWD; v++)
		crowd_put(w, v);
	w->gate = (struct kgate){CROWD_K, NULL};
	w->m = (struct making){.g = w->v.g,
	    .gate = &w->gate,
	    .now = NOW,
	    .r = w->v.g->rules,
	    .today = TODAY,
	    .k = CROWD_K,
	    .tables_most = TABLES_MOST};
	w->m.wanted = malloc(PROFILE_NUMBERS / 8);
	memset(w->m.wanted, 0xff, PROFILE_NUMBERS / 8);
	return w;
}

static inline void close_crowd(struct crowded *w)
{
	making_done(&w->m);
	close_views(&w->v);
	free(w);
}

#endif
