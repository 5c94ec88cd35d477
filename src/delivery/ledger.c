/* What is done about files of a destination's folder that are not what was written: they are named
 * in the log, set aside in dead/, and made anew from what is left, so that nothing that the partner
 * may hold is forgotten.
 *
 * A ledger is made anew from the one before and the rows of the delivery under way, which together
 * have every row that the partner may hold (delivery/held.h). Nobody knows what of that the partner
 * has acknowledged since, so each row is MAYBE: the next difference says all who are in again, and
 * takes all back who are out. Without either file the ledger begins empty, and the operator is told
 * that the partner has to empty its lists. */
#include "ledger.h"

#include "crumb/base/memory.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/delivery/held.h"
#include "crumb/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Moves a file or folder of the destination to dead/NAME-TIME, where it stays for a week. `stays`:
 * the file keeps its name as well. */
static enum err set_aside(
    const struct outbox *place, const char *path, const char *name, bool stays, uint32_t now)
{
	char dead[OUTBOX_PATH], to[OUTBOX_PATH], part[100];
	outbox_path(place, "dead", dead);
	snprintf(part, sizeof part, "dead/%s-%u", name, now);
	outbox_path(place, part, to);
	enum err e = folder_make(dead, 0700);
	if (!e)
		e = folder_remove(to);
	if (!e && (stays ? link(path, to) : rename(path, to)) != 0)
		e = err_sys_path(to);
	return e ? e : folder_sync(place->folder);
}

/* --- the ledger */

/* Whatever the rows were, the partner may have them. `map`: their segments' places in the new list
 * of names; NULL: they are in place. */
static void doubt(struct held_item *i, const uint16_t *map)
{
	for (unsigned k = 0; k < i->rows_n; k++) {
		struct held_row *r = &i->rows[k];
		*r = (struct held_row){.segment = map ? map[r->segment] : r->segment,
		    .until = r->until,
		    .had = 1,
		    .state = HELD_MAYBE};
	}
}

/* Adds the rows of the same id that are missing; of a row that both have, the later end. */
static void add_rows(struct held_item *into, const struct held_item *more)
{
	for (unsigned i = 0; i < more->rows_n; i++) {
		unsigned at = 0;
		while (at < into->rows_n && into->rows[at].segment != more->rows[i].segment)
			at++;
		if (at == into->rows_n)
			*held_item_add(into) = more->rows[i];
		else if (more->rows[i].until > into->rows[at].until)
			into->rows[at].until = more->rows[i].until;
	}
}

/* Names of both, those of the second behind; `map` has where the second's are. The caller frees
 * both. NULL: no memory. */
static struct held_segment *all_names(
    const struct held_reader *a, const struct held_reader *b, unsigned *n, uint16_t **map)
{
	unsigned an, bn;
	const struct held_segment *as = held_segments(a, &an), *bs = held_segments(b, &bn);
	struct held_segment *list = calloc(an + bn + 1, sizeof *list);
	*map = calloc(bn + 1, sizeof **map);
	*n = 0;
	if (!list || !*map) {
		free(list);
		free(*map);
		*map = NULL;
		memory_none();
		return NULL;
	}
	if (an)
		memcpy(list, as, an * sizeof *list);
	*n = an;
	for (unsigned i = 0; i < bn; i++) {
		unsigned at = 0;
		while (at < *n && (strcmp(list[at].id, bs[i].id) != 0 ||
				      strcmp(list[at].theirs, bs[i].theirs) != 0))
			at++;
		if (at == *n)
			list[(*n)++] = bs[i];
		(*map)[i] = (uint16_t)at;
	}
	return list;
}

/* Writes the ledger anew from both, as a merge by id. NULL: that file is not there. */
static enum err write_merged(const char *held, struct held_reader *before, struct held_reader *rows)
{
	struct held_item a = {.id_n = 0}, b = {.id_n = 0};
	struct held_writer *w;
	uint16_t *map;
	unsigned n;
	struct held_segment *names = all_names(before, rows, &n, &map);
	enum err e = names ? held_create(held, names, n, &w) : memory_check();
	bool more_a = !e && held_next(before, &a), more_b = !e && held_next(rows, &b);
	while (!e && (more_a || more_b)) {
		const struct held_item *first = more_a ? &a : NULL;
		const struct held_item *second = more_b ? &b : NULL;
		int order = held_order(first, second);
		if (order <= 0)
			doubt(&a, NULL);
		if (order >= 0)
			doubt(&b, map);
		if (order == 0)
			add_rows(&a, &b);
		held_put(w, order <= 0 ? &a : &b);
		if (order <= 0)
			more_a = held_next(before, &a);
		if (order >= 0)
			more_b = held_next(rows, &b);
	}
	if (!e)
		e = held_finish(w);
	held_item_done(&a);
	held_item_done(&b);
	free(names);
	free(map);
	return e;
}

/* NULL: it is not there, or damaged too. */
static struct held_reader *open_sound(const struct outbox *place, const char *name)
{
	char path[OUTBOX_PATH];
	struct held_reader *r;
	outbox_path(place, name, path);
	if (held_open(path, &r) != OK)
		return NULL;
	if (held_exists(r))
		return r;
	held_close(r);
	return NULL;
}

/* What the operator is told. */
static const char without_copy[] =
    "the ledger of what the partner holds was damaged and is set aside, and there is no copy. "
    "Everything is said again. Nobody knows who left since: have the partner empty its lists first";
static const char with_copy[] =
    "the ledger of what the partner holds was damaged and is set aside. "
    "The copy before it takes its place, and everything is said again";

enum err ledger_mend(const struct outbox *place, const char *destination, uint32_t now)
{
	char held[OUTBOX_PATH];
	struct held_reader *r;
	CHECK(place->lock >= 0);
	outbox_path(place, "held", held);
	enum err e = held_open(held, &r);
	if (!e)
		held_close(r);
	if (e != ERR_CORRUPT)
		return e;
	struct held_reader *before = open_sound(place, "held.before"),
			   *rows = open_sound(place, "pending/rows");
	/* A ledger that is not there says that the partner has nothing. So the damaged file keeps
	 * its name until the new one takes its place: cut off in between, it is mended again. */
	if ((e = set_aside(place, held, "ledger", before || rows, now)))
		goto out;
	if (before || rows)
		e = write_merged(held, before, rows);
	log_error("deliver", "%s destination=%s", before ? with_copy : without_copy, destination);
	if (!e)
		e = outbox_log_event(
		    place, destination, "ledger_damaged", now, before ? with_copy : without_copy);
out:
	held_close(before);
	held_close(rows);
	return e;
}

/* --- a delivery under way */

enum err ledger_drop_pending(const struct outbox *place, const char *destination, uint32_t now)
{
	char path[OUTBOX_PATH];
	static const char why[] =
	    "the delivery that was under way was damaged and is set aside; its rows are said again";
	CHECK(place->lock >= 0);
	outbox_path(place, "pending", path);
	log_error("deliver", "%s destination=%s", why, destination);
	enum err e = set_aside(place, path, "damaged", false, now);
	return e ? e : outbox_log_event(place, destination, "failed", now, why);
}
