/* What there is to say to a destination: the difference between who is in its segments now and what
 * its partner holds, and what of that the partner has taken. Each row of an id is one of these:
 *
 *     now  held      is said                                                         is held then
 *     in   not       add, if the segment is open: it may be told of, and has k members  perhaps
 *     in   sure      nothing; in a full delivery, or before the partner forgets, add     as it is,
 * or perhaps in   perhaps   add again, if the segment is open                               perhaps
 *     in   refused   nothing for a week, then like "not"                             refused
 *     out  refused   nothing, unless the partner had it before                       not
 *     out  any else  remove, open or not, until the partner confirms it              perhaps, owed
 * since then out  denied    remove again after a week, for 90 days                          denied,
 * owed since then
 *
 * A row whose end has come, where rows carry their ends, is not held any more. */
#include "planning.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "pending.h"

#include <stdlib.h>

#define REFUSED_DAYS 7 /* a row that the partner refused is tried again after */

/* --- the difference */

struct differ {
	struct plan *p;
	struct package *package;
	struct held_writer *held, *rows;
	struct held_item fresh,
	    said; /* what the partner may hold from now on; what is said to it */
	struct out_row *out;
	size_t out_n, out_cap;
	struct plan_result *result;
};

static void say(struct differ *d, const struct held_row *r, enum change change)
{
	if (!array_room(d->out, d->out_cap, d->out_n + 1))
		return; /* compare() ends */
	d->out[d->out_n++] = (struct out_row){&d->p->out[r->segment], change, r->until};
	if (change == ROW_KEEP)
		return;
	struct held_row *row = held_item_add(&d->said);
	*row = *r;
	row->state = change == ROW_ADD ? OP_ADD : OP_REMOVE;
}

/* A row is sent again in time before the partner forgets it. */
static bool runs_out(const struct plan *p, uint16_t held_until)
{
	unsigned every = p->w->d->every_s / DAY_S + 1, margin = 2 * every > 3 ? 2 * every : 3;
	return held_until <= p->today + margin;
}

/* Will the partner forget, or has it a life for the row that is not the right one? */
static bool renew(const struct plan *p, const struct held_row *now, const struct held_row *was)
{
	if (now->until == HELD_FOREVER)
		return false;
	return now->until < was->until || (now->until > was->until && runs_out(p, was->until));
}

static void take_back(struct differ *d, const struct held_row *was)
{
	struct plan *p = d->p;
	struct held_row row = *was;
	row.owed = was->owed && was->state != HELD_REFUSED ? was->owed : p->today;
	if (was->state == HELD_DENIED && row.owed + DENIED_DAYS < p->today) {
		d->result->given_up++;
		return;
	}
	if (d->package && (was->state != HELD_DENIED || was->chunk <= p->today || p->w->full)) {
		say(d, &row, ROW_REMOVE);
		row.state = HELD_MAYBE;
		row.chunk = 1;
	}
	*held_item_add(&d->fresh) = row;
}

static void decide(struct differ *d, const struct held_row *now, const struct held_row *was)
{
	struct plan *p = d->p;
	bool full = p->w->full, refused = was && was->state == HELD_REFUSED;
	if (was && p->rows_end && was->until <= p->today)
		was = NULL; /* the partner has forgotten it by itself */
	else if (refused && !was->chunk && (!now || full || was->owed <= p->today))
		was = NULL; /* it never took it */
	if (!now) {
		if (was)
			take_back(d, was);
		return;
	}
	if (was && refused && was->owed > p->today && !full) {
		*held_item_add(&d->fresh) = *was;
		return;
	}
	struct held_row row = was ? *was : *now;
	bool add = d->package && p->open[now->segment] &&
		   (!was || full || was->state != HELD_SURE || renew(p, now, was));
	row.owed = 0;
	if (add) {
		say(d, now, ROW_ADD);
		row.until = was && was->until > now->until ? was->until : now->until;
		row.state = HELD_MAYBE;
		row.chunk = was != NULL;
	} else if (was) {
		say(d, &row, ROW_KEEP);
	}
	if (add || was)
		*held_item_add(&d->fresh) = row;
}

static void drop_row(struct held_item *i, uint16_t segment)
{
	for (unsigned k = 0; k < i->rows_n; k++)
		if (i->rows[k].segment == segment) {
			memmove(
			    i->rows + k, i->rows + k + 1, (i->rows_n - k - 1) * sizeof *i->rows);
			i->rows_n--;
			return;
		}
}

/* A kept row is said again: where rows carry their ends the partner may have it until that of
 * another row, which went. */
static void say_again(struct differ *d, struct out_row *o)
{
	uint16_t segment = (uint16_t)(o->segment - d->p->out);
	for (unsigned i = 0; i < d->fresh.rows_n && o->change == ROW_KEEP && d->p->open[segment];
	     i++)
		if (d->fresh.rows[i].segment == segment) {
			o->change = ROW_ADD;
			d->fresh.rows[i].state = HELD_MAYBE;
			d->fresh.rows[i].chunk = 1;
			*held_item_add(&d->said) = d->fresh.rows[i];
			d->said.rows[d->said.rows_n - 1].state = OP_ADD;
		}
}

/* Two segments of ours may be one to the partner: of a renamed one the old, or two that have the
 * same number. What the id is in by one of them is not taken back for the other, and it is told
 * once, until the later end. */
static void join_theirs(struct differ *d)
{
	for (size_t i = 0; i < d->out_n; i++)
		for (size_t k = 0; k < d->out_n; k++) {
			struct out_row *kept = &d->out[i], *o = &d->out[k];
			uint16_t segment = (uint16_t)(o->segment - d->p->out);
			if (i == k || kept->change == ROW_REMOVE ||
			    !str_eq(kept->segment->theirs, o->segment->theirs))
				continue;
			if (o->change == ROW_REMOVE) {
				drop_row(&d->said, segment);
				drop_row(&d->fresh, segment);
				if (d->p->rows_end)
					say_again(d, kept);
			} else {
				kept->change = kept->change == ROW_ADD ? ROW_ADD : o->change;
				kept->until = kept->until > o->until ? kept->until : o->until;
			}
			memmove(o, o + 1, (d->out_n - k - 1) * sizeof *o);
			d->out_n--;
			i -= k < i;
			k--;
		}
}

/* The item as it was, but for since when something is owed: nothing of it could be said. */
static void unsay(struct differ *d, const struct held_item *was)
{
	unsigned n = d->fresh.rows_n;
	for (unsigned k = 0; was && k < was->rows_n; k++) {
		struct held_row *r = held_item_add(&d->fresh);
		*r = was->rows[k];
		for (unsigned i = 0; i < n; i++)
			if (d->fresh.rows[i].segment == r->segment)
				r->owed = d->fresh.rows[i].owed;
	}
	memmove(d->fresh.rows, d->fresh.rows + n, (d->fresh.rows_n - n) * sizeof *d->fresh.rows);
	d->fresh.rows_n -= n;
	d->said.rows_n = 0;
}

static enum err emit(struct differ *d, const struct out_item *facts, const struct held_item *was)
{
	struct out_item item = *facts;
	uint32_t chunk = 0;
	bool written = false, adds = false;
	item.id = str_make(d->fresh.id, d->fresh.id_n);
	item.rows = d->out;
	item.n = (unsigned)d->out_n;
	for (unsigned i = 0; i < d->said.rows_n; i++)
		adds |= d->said.rows[i].state == OP_ADD;
	for (unsigned i = 0; i < d->out_n; i++)
		adds |= d->out[i].change == ROW_KEEP;
	if (d->p->w->full && d->p->w->d->format->removal == REMOVAL_CHANGES && !adds) {
		unsay(d, was); /* the next delta does */
		return OK;
	}
	enum err e = package_item(d->package, &item, d->said.rows_n, &chunk, &written);
	if (e)
		return e;
	if (!written) {
		unsay(d, was);
		d->result->unusable++;
		return OK;
	}
	for (unsigned i = 0; i < d->said.rows_n; i++) {
		struct held_row *r = &d->said.rows[i];
		struct plan_segment *s = &d->p->segments[r->segment];
		r->chunk = chunk;
		*(r->state == OP_ADD ? &s->adds : &s->removes) += 1;
		*(r->state == OP_ADD ? &d->result->adds : &d->result->removes) += 1;
	}
	return OK;
}

static enum err difference(struct differ *d, const struct held_item *now,
    const struct out_item *facts, const struct held_item *was)
{
	const struct held_item *any = now ? now : was;
	unsigned a = 0, b = 0, na = now ? now->rows_n : 0, nb = was ? was->rows_n : 0;
	held_item_clear(&d->fresh);
	held_item_clear(&d->said);
	d->out_n = 0;
	memcpy(d->fresh.id, any->id, any->id_n);
	memcpy(d->said.id, any->id, any->id_n);
	d->fresh.id_n = d->said.id_n = any->id_n;
	while (a < na || b < nb) {
		int order = a == na   ? 1
			    : b == nb ? -1
				      : (now->rows[a].segment > was->rows[b].segment) -
					    (now->rows[a].segment < was->rows[b].segment);
		decide(d, order <= 0 ? &now->rows[a] : NULL, order >= 0 ? &was->rows[b] : NULL);
		a += order <= 0;
		b += order >= 0;
	}
	join_theirs(d);
	enum err e = d->said.rows_n ? emit(d, facts, was) : OK;
	if (!e)
		held_put(d->held, &d->fresh);
	if (!e && d->rows)
		held_put(d->rows, &d->said);
	return e;
}

/* The next item that is held, in our numbers of segments. */
static bool next_held(struct held_reader *r, const uint16_t *map, struct held_item *out)
{
	if (!held_next(r, out))
		return false;
	for (unsigned i = 0; i < out->rows_n; i++)
		out->rows[i].segment = map[out->rows[i].segment];
	for (unsigned i = 1; i < out->rows_n; i++) /* few, and nearly in order */
		for (unsigned k = i; k > 0 && out->rows[k - 1].segment > out->rows[k].segment;
		     k--) {
			struct held_row swap = out->rows[k];
			out->rows[k] = out->rows[k - 1];
			out->rows[k - 1] = swap;
		}
	return true;
}

static uint16_t *map_names(
    const struct held_segment *from, unsigned from_n, const struct held_segment *to, unsigned to_n)
{
	uint16_t *map = calloc(from_n + 1, sizeof *map);
	for (unsigned i = 0; map && i < from_n; i++)
		for (unsigned k = 0; k < to_n; k++)
			if (strcmp(from[i].id, to[k].id) == 0 &&
			    strcmp(from[i].theirs, to[k].theirs) == 0)
				map[i] = (uint16_t)k;
	return map;
}

static enum err compare(struct differ *d, struct held_reader *held)
{
	struct plan *p = d->p;
	struct held_item now = {.id_n = 0}, was = {.id_n = 0};
	struct out_item facts = {.n = 0}, none = {.n = 0};
	unsigned held_n;
	const struct held_segment *names = held_segments(held, &held_n);
	uint16_t *map = map_names(names, held_n, p->names, p->n);
	bool more_now = map && plan_next(p, &now, &facts),
	     more_was = map && next_held(held, map, &was);
	enum err e = map ? OK : err_set(ERR_NOMEM, "no memory for this now");
	uint64_t said = 0;
	while (!e && !(e = memory_check()) && (more_now || more_was)) {
		int order = !more_now ? 1 : !more_was ? -1 : held_compare(&now, &was);
		if (p->w->progress && ++said % PLAN_PROGRESS == 0)
			p->w->progress("ids", said);
		e = difference(d, order <= 0 ? &now : NULL, order <= 0 ? &facts : &none,
		    order >= 0 ? &was : NULL);
		if (order <= 0)
			more_now = plan_next(p, &now, &facts);
		if (order >= 0)
			more_was = next_held(held, map, &was);
	}
	free(map);
	held_item_done(&now);
	held_item_done(&was);
	return e;
}

static enum err write_files(
    struct differ *d, const char *held_path, const char *rows_path, struct held_reader *held)
{
	enum err e = held_create(held_path, d->p->names, d->p->n, &d->held);
	if (e)
		return e;
	if (d->package && (e = held_create(rows_path, d->p->names, d->p->n, &d->rows))) {
		held_drop(d->held);
		return e;
	}
	e = compare(d, held);
	if (!e && d->package)
		e = package_end(d->package);
	if (e) {
		held_drop(d->held);
		if (d->rows)
			held_drop(d->rows);
		return e;
	}
	if (d->rows)
		e = held_finish(d->rows);
	if (e) {
		held_drop(d->held);
		return e;
	}
	held_keep(held_path);
	return held_finish(d->held);
}

enum err plan_differ(struct plan *p, struct held_reader *held, const char *held_path,
    const char *rows_path, struct package *package, struct plan_result *out)
{
	struct differ d = {.p = p, .package = package, .result = out};
	enum err e = write_files(&d, held_path, rows_path, held);
	held_item_done(&d.fresh);
	held_item_done(&d.said);
	free(d.out);
	return e;
}

/* --- what the destination has taken */

static bool was_refused(const struct plan_ack *a, const struct held_item *item,
    const struct held_segment *names, const struct held_row *r)
{
	const char *const what[] = {
	    names[r->segment].theirs, "*" /* all that was said of the id */};
	char key[600];
	uint32_t none;
	bool found = false;
	for (int i = 0; i < 2 && a->refused && !found; i++) {
		int n = snprintf(
		    key, sizeof key, "%.*s\t%s\t%u", (int)item->id_n, item->id, what[i], r->chunk);
		found = n > 0 && map_get(a->refused, str_make(key, (size_t)n), &none);
	}
	return found;
}

/* Applies what was said of an id to what is held of it. */
static void confirm(const struct plan_ack *a, const struct held_item *said,
    const struct held_segment *names, const uint16_t *map, struct held_item *held)
{
	for (unsigned i = 0; i < said->rows_n; i++) {
		const struct held_row *s = &said->rows[i];
		unsigned at = 0;
		if (s->chunk >= a->files || !a->acked[s->chunk])
			continue;
		while (at < held->rows_n && held->rows[at].segment != map[s->segment])
			at++;
		if (at == held->rows_n)
			continue;
		struct held_row *h = &held->rows[at];
		bool refused = was_refused(a, said, names, s),
		     had = h->chunk != 0 || a->sent[s->chunk] > 1;
		if (s->state == OP_REMOVE && !refused) {
			memmove(h, h + 1, (held->rows_n - at - 1) * sizeof *h);
			held->rows_n--;
		} else if (s->state == OP_REMOVE) {
			h->state = HELD_DENIED;
			h->chunk = a->day + REFUSED_DAYS;
		} else if (s->state == OP_ADD && !refused) {
			*h = (struct held_row){
			    .segment = h->segment, .until = s->until, .state = HELD_SURE};
		} else if (s->state == OP_ADD) {
			uint16_t again = (uint16_t)(a->day + REFUSED_DAYS);
			*h = (struct held_row){.segment = h->segment,
			    .until = had ? h->until : again,
			    .owed = again,
			    .chunk = had,
			    .state = HELD_REFUSED};
		}
	}
}

enum err plan_confirm(const char *held_path, const char *rows_path, const struct plan_ack *a)
{
	struct held_reader *held = NULL, *rows = NULL;
	struct held_writer *w = NULL;
	struct held_item h = {.id_n = 0}, s = {.id_n = 0};
	unsigned held_n, rows_n;
	enum err e = held_open(held_path, &held);
	if (!e)
		e = held_open(rows_path, &rows);
	if (e) {
		held_close(held);
		return e;
	}
	const struct held_segment *held_names = held_segments(held, &held_n),
				  *names = held_segments(rows, &rows_n);
	uint16_t *map = map_names(names, rows_n, held_names, held_n);
	if (!(e = map ? held_create(held_path, held_names, held_n, &w)
		      : err_set(ERR_NOMEM, "no memory for this now"))) {
		bool more = held_next(rows, &s);
		while (held_next(held, &h)) {
			while (more && held_compare(&s, &h) < 0)
				more = held_next(rows, &s);
			if (more && held_compare(&s, &h) == 0)
				confirm(a, &s, names, map, &h);
			held_put(w, &h);
		}
		held_keep(held_path);
		e = held_finish(w);
	}
	free(map);
	held_item_done(&h);
	held_item_done(&s);
	held_close(held);
	held_close(rows);
	return e;
}
