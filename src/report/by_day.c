/* Events and visitors of each category by day, and what of them is told. Profiles have a row for
 * each category and day (model/profile.h), so the last 90 days are known exactly, also of rules
 * that came yesterday.
 *
 * The groups are nested: who looked at coats on a day looked at clothes on that day, and had coats
 * on some day. So how far two of them are apart is the difference of their sizes, and no sketch is
 * needed:
 *
 *     coats on Monday    within    clothes on Monday, and anything on Monday
 *                        within    coats on any day
 *
 * A day that is fewer than k visitors from one of them has its number; from two that are told
 * differently, it is withheld. Parents are told before their children. Example with k = 50: on
 * Monday 400 looked at clothes and 380 of them at coats: both are told as 400. On Tuesday 300 and
 * 240: told as 300 and 240.
 *
 * A category's days have a memory of their own in the k gate, of kind 'd': a day of k to k + 9 is
 * withheld behind one that fell, and while yesterday is withheld (kgate_show_days()). Events are
 * rounded, too, and told where visitors are; a day with the number of its parent has the events of
 * that, for the difference would be the events of a few. Days that are not retained, and those
 * before a category's history begins, are not told. */
#include "making.h"

#include "crumb/views/fold.h"

#include <stdlib.h>

static int64_t rounded(uint64_t n)
{
	return (int64_t)((n + KGATE_STEP / 2) / KGATE_STEP * KGATE_STEP);
}

/* The number of a group around the day, where it is near: visitors and events. */
struct around {
	uint64_t n;
	int64_t visitors, events;
};

/* The category on any day. How many events that were is told nowhere, so the day has its own. */
static struct around whole_of(const struct making *m, size_t category, unsigned day)
{
	const struct group *g = &m->groups[m->first_category + category];
	return (struct around){g->n, g->told, rounded(m->day_events[category * DAILY_DAYS + day])};
}

/* The same day of the parent; of a category without one, of every event. */
static struct around parent_of(const struct making *m, size_t category, unsigned day)
{
	int up = m->r->categories[category].parent;
	size_t at = (size_t)(up < 0 ? CATEGORY_ALL : up) * DAILY_DAYS + day;
	return (struct around){m->day_visitors[at], m->told_visitors[at], m->told_events[at]};
}

static void gate_day(struct making *m, size_t category, unsigned day, struct shown own)
{
	size_t at = category * DAILY_DAYS + day;
	uint64_t n = m->day_visitors[at];
	struct around found = {0}, around[2] = {whole_of(m, category, day), {0}};
	unsigned parents = category == CATEGORY_ALL ? 0 : 1;
	bool any = false, two = false;
	if (parents)
		around[1] = parent_of(m, category, day);
	for (unsigned i = 0; i < 1 + parents; i++) {
		if (around[i].n >= n + m->k)
			continue;
		two |= any && around[i].visitors != found.visitors;
		found = around[i];
		any = true;
	}
	if (!own.told || two || (any && found.visitors == WITHHELD))
		return;
	m->told_visitors[at] = any ? found.visitors : (int64_t)own.n;
	m->told_events[at] = any ? found.events : rounded(m->day_events[at]);
}

static void gate_category(struct making *m, size_t category, uint16_t since)
{
	const uint16_t first = (uint16_t)(m->today - DAILY_DAYS);
	struct shown shown[DAILY_DAYS];
	uint64_t visitors[DAILY_DAYS];
	unsigned from = since > first ? (unsigned)(since - first) : 0;
	if (from >= DAILY_DAYS)
		return;
	for (unsigned i = from; i < DAILY_DAYS; i++)
		visitors[i] = m->day_visitors[category * DAILY_DAYS + i];
	kgate_show_days(m->gate, 'd', m->r->categories[category].id, visitors + from,
	    DAILY_DAYS - from, shown + from);
	for (unsigned i = from; i < DAILY_DAYS; i++)
		gate_day(m, category, i, shown[i]);
}

/* Ids are in order, and a parent's is the beginning of its children's: it comes before them. */
enum err gate_days(struct making *m)
{
	size_t n = m->r->categories_n * DAILY_DAYS;
	uint16_t *categories, *segments;
	m->told_events = malloc(n * sizeof *m->told_events);
	m->told_visitors = malloc(n * sizeof *m->told_visitors);
	if (!m->told_events || !m->told_visitors)
		return err_set(ERR_NOMEM, "no memory for the report");
	for (size_t i = 0; i < n; i++)
		m->told_events[i] = m->told_visitors[i] = WITHHELD;
	enum err e = view_since(m->g, m->now, &categories, &segments);
	if (e)
		return e;
	uint16_t retained = oldest_day(m->today, m->g->fold[0].retention);
	for (size_t i = 0; i < m->r->categories_n; i++)
		gate_category(m, i, categories[i] > retained ? categories[i] : retained);
	free(categories);
	free(segments);
	return OK;
}
