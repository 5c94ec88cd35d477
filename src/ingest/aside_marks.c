/* There are as many marks as somebody has released reasons and patterns, times shards: few enough
 * to look at all of them for an event. */
#include "aside_marks.h"

#include "crumb/base/array.h"

#include <stdio.h>
#include <stdlib.h>

static bool are_alike(const struct aside_mark *a, const struct aside_mark *b)
{
	return a->why == b->why && a->of_shard == b->of_shard && a->shard == b->shard &&
	       strcmp(a->pattern, b->pattern) == 0;
}

bool aside_marks_note(struct aside_marks *m, const struct record *r)
{
	const struct event *e = &r->event;
	struct aside_mark mark = {.why = e->aside, .t = e->t, .fresh = true};
	if ((mark.of_shard = r->kind == RECORD_TAKEN)) {
		mark.shard = r->shard;
		mark.upto = journal_pos_load(r->seq);
	}
	snprintf(mark.pattern, sizeof mark.pattern, STR_FMT, STR_ARG(e->pattern));
	size_t i = 0;
	while (i < m->n && !are_alike(&m->list[i], &mark))
		i++;
	if (i < m->n && !(mark.of_shard ? journal_pos_before(m->list[i].upto, mark.upto)
					: m->list[i].t < mark.t))
		return false;
	CHECK(array_room(m->list, m->cap, i + 1));
	m->list[i] = mark;
	m->n += i == m->n;
	return true;
}

void aside_marks_settle(struct aside_marks *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->list[i].fresh = false;
}

static bool mark_covers(
    const struct aside_mark *m, unsigned shard, struct journal_pos pos, const struct event *e)
{
	if (m->why != e->aside || (*m->pattern && !str_eq(str_c(m->pattern), e->pattern)))
		return false;
	if (m->of_shard)
		return shard == m->shard && !journal_pos_before(m->upto, pos);
	return e->t <= m->t;
}

bool aside_marks_cover(
    const struct aside_marks *m, unsigned shard, struct journal_pos pos, const struct event *e)
{
	for (size_t i = 0; i < m->n; i++)
		if (mark_covers(&m->list[i], shard, pos, e))
			return true;
	return false;
}

void aside_marks_done(struct aside_marks *m)
{
	free(m->list);
	*m = (struct aside_marks){0};
}
