/* Destinations with what is known of each, and deliveries. A list of destinations is made from four
 * things: the file of destinations, the rules that serve, the deliveries that the store remembers,
 * and the counts of members, fresh ones where that is quick. */
#include "crumb/delivery/told.h"

#include "crumb/base/clock.h"
#include "crumb/base/json.h"
#include "crumb/delivery/reach.h"
#include "crumb/partners/format.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOKED_FRESH 20000 /* members that are counted afresh for one list */

/* --- destinations */

/* The segments that name the destination. */
static json_t *segments_of(const struct rules *r, const char *id)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->segments_n; i++)
		if (segment_goes_to(&r->segments[i], str_c(id)))
			json_array_append_new(list, json_string(r->segments[i].id));
	return list;
}

/* A folder, or scheme and host of a URL: the rest of a URL may be secret. */
static json_t *where_of(const struct destination *d)
{
	struct str w = d->where;
	unsigned slashes = 0;
	for (size_t i = 0; d->way->where == WHERE_URL && i < w.n; i++)
		if ((slashes += w.p[i] == '/') == 3)
			w.n = i;
	return w.n ? json_stringn(w.p, w.n) : json_null();
}

/* When deliveries happen, in the words of the file. */
#define HOUR 3600u /* seconds */

static const char *every_of(const struct destination *d, char out[64])
{
	char at[16] = "";
	if (d->way->where == WHERE_NONE)
		return "when it is asked for";
	if (d->at_s)
		snprintf(at, sizeof at, " at %02u:%02u", d->at_s / HOUR % 24, d->at_s / 60 % 60);
	if (!d->every_s)
		return "by hand";
	if (d->every_s == DAY_S)
		snprintf(out, 64, "daily%s", at);
	else if (d->every_s == HOUR)
		snprintf(out, 64, "hourly");
	else if (d->every_s % DAY_S == 0)
		snprintf(out, 64, "every %ud%s", (unsigned)(d->every_s / DAY_S), at);
	else if (d->every_s % HOUR == 0)
		snprintf(out, 64, "every %uh", d->every_s / HOUR);
	else
		snprintf(out, 64, "every %um", d->every_s / 60);
	return out;
}

/* The latest delivery; null: there was none. */
static json_t *last_of(const struct plan_wish *w, const char *id, const struct kgate *gate)
{
	json_t *list, *last = NULL;
	if (deliveries_list(w->g->store->path, w->all, id, gate, w->now, &list) != OK)
		return json_null();
	if (json_array_size(list))
		last = json_incref(json_array_get(list, json_array_size(list) - 1));
	json_decref(list);
	return last ? last : json_null();
}

static json_t *shown(struct shown n)
{
	return n.told ? json_integer((json_int_t)n.n) : json_null();
}

static enum err put_reach(
    json_t *row, const struct plan_wish *w, const struct kgate *gate, uint64_t *left)
{
	struct reach r = {.day = 0};
	enum err e = w->d->format->built_in ? OK : reach_count(w, left, &r);
	if (e)
		return e;
	if (!r.day && !w->d->format->built_in)
		(void)reach_kept(w->g->store->path, w->d->id, day_of(w->now), &r);
	struct reach_shown s = reach_show(gate, w->d, &r);
	json_object_set_new(row, "members", shown(s.members));
	json_object_set_new(row, "with_id", shown(s.with_id));
	json_object_set_new(row, "match_rate", s.rated ? json_share(s.rate, 1) : json_null());
	return OK;
}

static enum err destination_json(
    const struct plan_wish *w, const struct kgate *gate, uint64_t *left, json_t **out)
{
	const struct destination *d = w->d;
	char every[64];
	json_t *row =
	    json_pack("{s:s,s:s,s:s,s:o,s:s,s:o,s:o}", "id", d->id, "format", d->format->name,
		"deliver", d->way->name, "to", where_of(d), "every", every_of(d, every), "segments",
		segments_of(w->g->rules, d->id), "last", last_of(w, d->id, gate));
	json_object_set_new(row, "partner",
	    d->partner >= 0 ? json_string(w->all->partners[d->partner].id) : json_null());
	enum err e = put_reach(row, w, gate, left);
	if (e)
		json_decref(row);
	else
		*out = row;
	return e;
}

/* A destination that needs no entry in the file, such as `page`: it has the name of its format. */
static enum err add_built_in(const struct plan_wish *of, const struct kgate *gate, uint64_t *left,
    const struct format *format, json_t *list)
{
	char id[PARTNER_NAME_MAX + 1];
	struct destination d = {.id = id, .format = format, .way = format->ways[0], .partner = -1};
	struct plan_wish w = *of;
	json_t *row;
	snprintf(id, sizeof id, "%s", format->name);
	w.d = &d;
	if (destinations_find(w.all, str_c(id)))
		return OK;
	enum err e = destination_json(&w, gate, left, &row);
	if (e)
		return e;
	if (json_array_size(json_object_get(row, "segments")))
		json_array_append(list, row);
	json_decref(row);
	return OK;
}

enum err destinations_told(const struct plan_wish *of, const struct kgate *gate, json_t **out)
{
	json_t *list = json_array(), *row;
	uint64_t left = LOOKED_FRESH;
	enum err e = OK;
	for (const struct format *const *f = formats; *f && !e; f++)
		if ((*f)->built_in)
			e = add_built_in(of, gate, &left, *f, list);
	for (size_t i = 0; i < of->all->n && !e; i++) {
		struct plan_wish w = *of;
		w.d = &of->all->list[i];
		if (!(e = destination_json(&w, gate, &left, &row)))
			json_array_append_new(list, row);
	}
	if (e)
		json_decref(list);
	else
		*out = list;
	return e;
}

/* --- deliveries */

static const char *told_text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s ? s : "";
}

/* What has not ended comes first, then the latest; times of one form sort as texts. */
static int by_end(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const char *s = told_text(x, "ended"), *t = told_text(y, "ended");
	if (!*s != !*t)
		return *s ? 1 : -1;
	int c = strcmp(t, s);
	return c ? c : strcmp(told_text(y, "delivery"), told_text(x, "delivery"));
}

enum err deliveries_newest(const char *store, const struct destinations *all,
    const char *destination, const struct kgate *gate, uint32_t now, size_t most, json_t **out)
{
	json_t *list, *sorted = json_array();
	enum err e = deliveries_list(store, all, destination, gate, now, &list);
	if (e) {
		json_decref(sorted);
		return e;
	}
	size_t n = json_array_size(list);
	json_t **rows = calloc(n + 1, sizeof *rows);
	if (!rows)
		e = err_set(ERR_NOMEM, "no memory for this now");
	for (size_t i = 0; i < n && !e; i++)
		rows[i] = json_array_get(list, i);
	if (n && !e)
		qsort(rows, n, sizeof *rows, by_end);
	for (size_t i = 0; i < n && i < most && !e; i++)
		json_array_append(sorted, rows[i]);
	free(rows);
	json_decref(list);
	if (!e)
		*out = json_pack("{s:O,s:b}", "deliveries", sorted, "more", n > most);
	json_decref(sorted);
	return e;
}

/* In the order of enum delivery_state. */
static const char *const state_words[] = {
    "delivered", "nothing_to_say", "waiting", "replaced", "failed"};

static json_t *rows_json(uint64_t n, const struct kgate *gate, enum told_rows rows)
{
	if (rows == ROWS_EXACT)
		return json_integer((json_int_t)n);
	return shown(kgate_show_count(gate, n));
}

json_t *delivery_told(const struct destination *d, const struct delivery *r,
    const struct kgate *gate, enum told_rows rows)
{
	json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:o}", "delivery", r->id, "destination",
	    d->id, "mode", format_extents[r->extent], "state", state_words[r->state], "files",
	    (int)r->files, "files_done", (int)r->files_done, "segments",
	    delivery_segments(&r->plan, gate));
	json_object_set_new(j, "added", rows_json(r->adds, gate, rows));
	json_object_set_new(j, "removed", rows_json(r->removes, gate, rows));
	json_object_set_new(j, "refused", rows_json(r->refused, gate, rows));
	json_object_set_new(j, "unusable", rows_json(r->unusable, gate, rows));
	if (*r->why && r->state != DELIVERY_DONE)
		json_object_set_new(j, "why", json_string(r->why));
	return j;
}
