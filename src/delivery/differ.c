/* What there is to say to a destination: the difference between who is in its segments now and what
 * its partner holds; and, later, what of that the partner has taken. delivery/plan.h has both as
 * tables; decide() and confirm() are these tables.
 *
 * Members and the ledger are both sorted by id. compare_all() goes through both at once, as a merge
 * of two sorted lists does; difference() does the same with the rows of one id, by segment. So
 * memory is needed for one id at a time. For each id there are three lists:
 *
 *     out    what the format writes: rows that are added, removed, and kept (a format may have to
 *            say all that holds)
 *     said   rows that are added or removed: they go to `rows`, with the file that carries them
 *     fresh  what the partner may hold from now on: goes to the new ledger
 *
 * Before an id is written, rows of two of our segments that are one to the partner become one
 * (join_theirs()). An id of which nothing can be written is as it was (unsay()). */
#include "planning.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/map.h"
#include "crumb/base/memory.h"

#include <stdlib.h>

#define RENEW_DAYS 3 /* a row is said again so long before the partner forgets it, at least */

/* --- the difference */

struct differ {
	struct plan *p;
	struct package *package;	 /* NULL: nothing is said */
	struct held_writer *held, *rows; /* `rows` is NULL where `package` is */
	/* of the id that is looked at, as above */
	struct held_item fresh, said;
	struct out_row *out;
	size_t out_n, out_cap;
	struct plan_result *result;
};

/* The row goes to the format; what changes is said, too. Without memory it goes nowhere: the loop
 * of compare_all() asks for that after each id. */
static void say_row(struct differ *d, const struct held_row *r, enum change change)
{
	if (!array_room(d->out, d->out_cap, d->out_n + 1))
		return;
	d->out[d->out_n++] = (struct out_row){&d->p->out[r->segment], change, r->until};
	if (change == ROW_KEEP)
		return;
	struct held_row *row = held_item_add(&d->said);
	*row = *r;
	row->state = change == ROW_ADD ? OP_ADD : OP_REMOVE;
}

/* Is it time to say a row again, before the partner forgets it? Early enough that the next delivery
 * may fail: with one a day four days before, with one a week sixteen. */
static bool runs_out(const struct plan *p, uint16_t held_until)
{
	unsigned margin = 2 * (p->w->d->every_s / DAY_S + 1);
	if (margin < RENEW_DAYS)
		margin = RENEW_DAYS;
	return held_until <= p->today + margin;
}

/* Has the row another end at the partner than it should have? A later end is put right at once, for
 * the partner would keep the row for too long; an earlier one when it comes near, for it moves with
 * every visit. */
static bool renew(const struct plan *p, const struct held_row *now, const struct held_row *was)
{
	if (now->until == HELD_FOREVER)
		return false;
	return now->until < was->until || (now->until > was->until && runs_out(p, was->until));
}

/* The row of somebody who is no member is removed, or stays owed. */
static void take_back(struct differ *d, const struct held_row *was)
{
	struct plan *p = d->p;
	struct held_row row = *was;
	if (was->state == HELD_REFUSED && !d->package) { /* it has no place for the day */
		*held_item_add(&d->fresh) = row;
		return;
	}
	row.owed = was->owed && was->state != HELD_REFUSED ? was->owed : p->today;
	if (was->state == HELD_DENIED && row.owed + DENIED_DAYS < p->today) {
		d->result->given_up++;
		return;
	}
	bool ask = was->state != HELD_DENIED || was->retry_removal <= p->today ||
		   p->w->extent == FORMAT_FULL;
	if (d->package && ask) {
		say_row(d, &row, ROW_REMOVE);
		row.state = HELD_MAYBE;
		row.had = 1;
	}
	*held_item_add(&d->fresh) = row;
}

/* One row of one id: what is said, and what is held then. The table in delivery/plan.h, line by
 * line. `now` is NULL where the visitor is no member, `was` where the partner does not hold the
 * row. */
static void decide(struct differ *d, const struct held_row *now, const struct held_row *was)
{
	struct plan *p = d->p;
	bool full = p->w->extent == FORMAT_FULL, refused = was && was->state == HELD_REFUSED;
	bool open = now && d->package && p->open[now->segment];
	bool wait = refused && was->retry > p->today && !(full && open);
	if (was && p->rows_end && was->until <= p->today)
		was = NULL; /* the partner has forgotten it by itself */
	else if (refused && !was->had && (!now || !wait))
		was = NULL; /* the partner never took it */
	if (!now) {
		if (was)
			take_back(d, was);
		return;
	}
	if (was && wait) {
		*held_item_add(&d->fresh) = *was;
		return;
	}
	struct held_row row = was ? *was : *now;
	bool add = open && (!was || full || was->state != HELD_SURE || renew(p, now, was));
	row.owed = 0;
	if (add) {
		say_row(d, now, ROW_ADD);
		row.until = was && was->until > now->until ? was->until : now->until;
		row.state = HELD_MAYBE;
		row.had = was != NULL;
	} else if (was) {
		say_row(d, &row, ROW_KEEP);
	}
	if (add || was)
		*held_item_add(&d->fresh) = row;
}

/* --- segments that are one to the partner */

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

/* A kept row is said again. Where rows carry their ends the partner may have given the row that of
 * another of our rows, which is gone now: it is told the end that is left. */
static void say_again(struct differ *d, struct out_row *o)
{
	uint16_t segment = (uint16_t)(o->segment - d->p->out);
	for (unsigned i = 0; i < d->fresh.rows_n && o->change == ROW_KEEP && d->p->open[segment];
	     i++)
		if (d->fresh.rows[i].segment == segment) {
			o->change = ROW_ADD;
			d->fresh.rows[i].state = HELD_MAYBE;
			d->fresh.rows[i].had = 1;
			*held_item_add(&d->said) = d->fresh.rows[i];
			d->said.rows[d->said.rows_n - 1].state = OP_ADD;
		}
}

/* Two segments of ours may be one to the partner: a renamed one and the one that it was, or two
 * that have the same number. What the id is in by one of them is not taken back for the other, and
 * it is told once, until the later end. For example, "coats" became "jackets", both 101 there:
 *
 *     out before   remove 101 (coats)    add 101 (jackets)
 *     out after                          add 101 (jackets)
 *
 * An id has a few rows, so comparing all with all is cheap. */
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

/* --- one id */

/* Nothing of the id could be said: what is held of it is what was held, but for the days since when
 * rows are owed, which a refused row has no place for. The new rows are put behind the old ones in
 * `fresh` first, since their days are needed. */
static void unsay(struct differ *d, const struct held_item *was)
{
	unsigned n = d->fresh.rows_n;
	for (unsigned k = 0; was && k < was->rows_n; k++) {
		struct held_row *r = held_item_add(&d->fresh);
		*r = was->rows[k];
		for (unsigned i = 0; i < n; i++)
			if (d->fresh.rows[i].segment == r->segment && r->state != HELD_REFUSED)
				r->owed = d->fresh.rows[i].owed;
	}
	memmove(d->fresh.rows, d->fresh.rows + n, (d->fresh.rows_n - n) * sizeof *d->fresh.rows);
	d->fresh.rows_n -= n;
	d->said.rows_n = 0;
}

/* Writes the id into the package, and counts what was said of it. A format that says changes by
 * rows but a whole by lists (REMOVAL_CHANGES) cannot say in a full delivery that an id is in
 * nothing; the next delta does. */
static enum err write_id(
    struct differ *d, const struct out_item *facts, const struct held_item *was)
{
	struct out_item item = *facts;
	uint32_t file = 0;
	bool written = false, adds = false;
	item.id = str_make(d->fresh.id, d->fresh.id_n);
	item.rows = d->out;
	item.n = (unsigned)d->out_n;
	for (unsigned i = 0; i < d->said.rows_n; i++)
		adds |= d->said.rows[i].state == OP_ADD;
	for (unsigned i = 0; i < d->out_n; i++)
		adds |= d->out[i].change == ROW_KEEP;
	if (d->p->w->extent == FORMAT_FULL && d->p->w->d->format->removal == REMOVAL_CHANGES &&
	    !adds) {
		unsay(d, was);
		return OK;
	}
	enum err e = package_item(d->package, &item, d->said.rows_n, &file, &written);
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
		r->file = file;
		if (r->state == OP_ADD) {
			s->adds++;
			d->result->adds++;
		} else {
			s->removes++;
			d->result->removes++;
		}
	}
	return OK;
}

/* Which of two rows comes first: < 0 `now`, > 0 `was`, 0 both are of one segment. NULL: none is
 * left of that side. */
static int row_order(const struct held_row *now, const struct held_row *was)
{
	if (!now)
		return 1;
	if (!was)
		return -1;
	return (now->segment > was->segment) - (now->segment < was->segment);
}

/* One id: who has it now is in `now`, what is held of it is `was`; one of them may be NULL. Writes
 * what differs into the package, `rows` and the new ledger. */
static enum err difference(struct differ *d, const struct held_item *now,
    const struct out_item *facts, const struct held_item *was)
{
	const struct held_item *any = now ? now : was;
	unsigned a = 0, b = 0;
	const unsigned na = now ? now->rows_n : 0;
	const unsigned nb = was ? was->rows_n : 0;
	held_item_clear(&d->fresh);
	held_item_clear(&d->said);
	d->out_n = 0;
	memcpy(d->fresh.id, any->id, any->id_n);
	memcpy(d->said.id, any->id, any->id_n);
	d->fresh.id_n = d->said.id_n = any->id_n;
	while (a < na || b < nb) {
		const struct held_row *is = a < na ? &now->rows[a] : NULL;
		const struct held_row *had = b < nb ? &was->rows[b] : NULL;
		int order = row_order(is, had);
		if (order > 0)
			is = NULL;
		else if (order < 0)
			had = NULL;
		decide(d, is, had);
		a += is != NULL;
		b += had != NULL;
	}
	join_theirs(d);
	enum err e = d->said.rows_n ? write_id(d, facts, was) : OK;
	if (!e)
		held_put(d->held, &d->fresh);
	if (!e && d->rows)
		held_put(d->rows, &d->said);
	return e;
}

/* --- all ids */

/* The next item of the ledger, with its segments in the plan's numbers, and sorted by them: by
 * insertion, for there are few rows and they are nearly in order. */
static bool next_held(struct held_reader *r, const uint16_t *map, struct held_item *out)
{
	if (!held_next(r, out))
		return false;
	for (unsigned i = 0; i < out->rows_n; i++)
		out->rows[i].segment = map[out->rows[i].segment];
	for (unsigned i = 1; i < out->rows_n; i++)
		for (unsigned k = i; k > 0 && out->rows[k - 1].segment > out->rows[k].segment;
		     k--) {
			struct held_row swap = out->rows[k];
			out->rows[k] = out->rows[k - 1];
			out->rows[k - 1] = swap;
		}
	return true;
}

/* For each of some names its place among others, which have all of them. NULL: no memory. */
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

/* A merge of members and the ledger: an id may be in one of them, or in both. */
static enum err compare_all(struct differ *d, struct held_reader *held)
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
		const struct held_item *is = more_now ? &now : NULL;
		const struct held_item *had = more_was ? &was : NULL;
		int order = held_order(is, had);
		if (order > 0)
			is = NULL;
		else if (order < 0)
			had = NULL;
		if (p->w->progress && ++said % PLAN_PROGRESS == 0)
			p->w->progress("ids", said);
		e = difference(d, is, is ? &facts : &none, had);
		if (is)
			more_now = plan_next(p, &now, &facts);
		if (had)
			more_was = next_held(held, map, &was);
	}
	free(map);
	held_item_done(&now);
	held_item_done(&was);
	return e;
}

/* Three things are written, and take effect in this order: the files of the package, `rows`, and
 * the ledger. Cut off before the last, the ledger is as it was and knows nothing of the others. */
static enum err write_difference(
    struct differ *d, const char *held_path, const char *rows_path, struct held_reader *held)
{
	enum err e = held_create(held_path, d->p->names, d->p->n, &d->held);
	if (e)
		return e;
	if (d->package && (e = held_create(rows_path, d->p->names, d->p->n, &d->rows))) {
		held_drop(d->held);
		return e;
	}
	e = compare_all(d, held);
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
	enum err e = write_difference(&d, held_path, rows_path, held);
	held_item_done(&d.fresh);
	held_item_done(&d.said);
	free(d.out);
	return e;
}

/* --- what the destination has taken */

/* Did the answer name the row, or all that was said of the id? */
static bool was_refused(const struct plan_ack *a, const struct held_item *item,
    const struct held_segment *names, const struct held_row *r)
{
	const char *const what[] = {names[r->segment].theirs, "*"};
	char key[600];
	uint32_t none;
	bool found = false;
	for (int i = 0; i < 2 && a->refused && !found; i++) {
		int n = snprintf(
		    key, sizeof key, "%.*s\t%s\t%u", (int)item->id_n, item->id, what[i], r->file);
		found = n > 0 && map_get(a->refused, str_make(key, (size_t)n), &none);
	}
	return found;
}

/* Applies what was said of an id to what is held of it: the second table of delivery/plan.h. Rows
 * of files that nobody acknowledged stay as they are, MAYBE. A row that is not held any more was
 * confirmed before a crash. */
static void confirm(const struct plan_ack *a, const struct held_item *said,
    const struct held_segment *names, const uint16_t *map, struct held_item *held)
{
	for (unsigned i = 0; i < said->rows_n; i++) {
		const struct held_row *s = &said->rows[i];
		unsigned at = 0;
		if (s->file >= a->files || !a->acked[s->file])
			continue;
		while (at < held->rows_n && held->rows[at].segment != map[s->segment])
			at++;
		if (at == held->rows_n)
			continue;
		struct held_row *h = &held->rows[at];
		bool refused = was_refused(a, said, names, s),
		     had = h->had != 0 || a->sent[s->file] > 1;
		uint16_t again = (uint16_t)(a->day + REFUSED_DAYS);
		if (s->state == OP_REMOVE && !refused) {
			memmove(h, h + 1, (held->rows_n - at - 1) * sizeof *h);
			held->rows_n--;
		} else if (s->state == OP_REMOVE) {
			h->state = HELD_DENIED;
			h->retry_removal = again;
		} else if (s->state == OP_ADD && !refused) {
			*h = (struct held_row){
			    .segment = h->segment, .until = s->until, .state = HELD_SURE};
		} else if (s->state == OP_ADD) {
			*h = (struct held_row){.segment = h->segment,
			    .until = had ? h->until : again,
			    .retry = again,
			    .had = had,
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
