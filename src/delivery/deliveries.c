/* What is told of deliveries: the log, what is under way, what is owed. And when schedules were
 * kept, and what becomes of destinations that are not in the file any more.
 *
 * Nothing here takes the lock to read: the files of an outbox change by whole lines and by renames,
 * so a reader sees one state or the next. Numbers of rows go through the k gate, for a row is a
 * visitor in a segment. */
#include "not_sent.h"
#include "pending.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/delivery/held.h"
#include "crumb/store/store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The ledger of a destination that is not in the file of destinations any more is kept for so long.
 */
#define GONE_DAYS 90

/* How the list of segments calls why nobody is added. */
static const char *const why_words[] = {
    [PLAN_SENT] = "sent",
    [PLAN_SMALL] = "below_k",
    [PLAN_STATE] = "not_active",
    [PLAN_SENSITIVE] = "sensitive",
    [PLAN_LABEL] = "label",
    [PLAN_NUMBER] = "no_number",
    [PLAN_UNROUTED] = "not_routed",
};

/* --- schedules and lists */

/* The first number of a file of the destination, or the one behind it with `skip` 1. */
static bool read_number(
    const char *store, const char *destination, const char *name, unsigned skip, uint32_t *out)
{
	char path[OUTBOX_PATH];
	struct buf text = {0};
	unsigned a = 0, b = 0;
	snprintf(path, sizeof path, "%s/exports/%s/%s", store, destination, name);
	bool there = text_read(path, &text) && text.n;
	if (there) {
		buf_add(&text, "", 1);
		there = sscanf(text.p, "%u %u", &a, &b) >= (int)skip + 1;
	}
	buf_done(&text);
	if (there)
		*out = skip ? b : a;
	return there;
}

uint32_t deliver_last(const char *store, const char *destination)
{
	uint32_t t = 0;
	read_number(store, destination, "last", 0, &t);
	return t;
}

enum err deliver_save_last(const char *store, const char *destination, uint32_t t)
{
	char path[OUTBOX_PATH], text[32];
	snprintf(path, sizeof path, "%s/exports/%s", store, destination);
	enum err e = folder_make(path, 0700);
	snprintf(path, sizeof path, "%s/exports/%s/last", store, destination);
	snprintf(text, sizeof text, "%u\n", t);
	return e ? e : file_replace(path, str_c(text));
}

uint32_t deliver_next_try(const char *store, const char *destination, uint32_t now)
{
	uint32_t t = 0;
	char path[OUTBOX_PATH];
	struct stat st;
	snprintf(path, sizeof path, "%s/exports/%s/pending", store, destination);
	if (stat(path, &st) != 0)
		return 0;
	read_number(store, destination, "pending/state", 1, &t);
	return t && t <= now + NEXT_TRY_MOST ? t : 1; /* 1: at once */
}

/* Puts the number as it may be told in the place of the number. None is told as 0: that nothing was
 * said tells of nobody. */
static void gate_number(json_t *row, const char *key, const struct kgate *gate)
{
	uint64_t n = json_number(row, key);
	struct shown s = kgate_show(gate, n);
	if (n == 0)
		json_object_set_new(row, key, json_integer(0));
	else if (s.told)
		json_object_set_new(row, key, json_integer((json_int_t)s.n));
	else
		json_object_set_new(row, key, json_null());
}

static void gate_row(json_t *row, const struct kgate *gate)
{
	char when[TIME_TEXT];
	gate_number(row, "added", gate);
	gate_number(row, "removed", gate);
	gate_number(row, "refused", gate);
	not_sent_gate(row, gate);
	if (json_number(row, "ended")) {
		time_text((uint32_t)json_number(row, "ended"), when);
		json_object_set_new(row, "ended", json_string(when));
	}
}

/* Appends what the log has of the last 90 days. A crash behind a line of the log ends a delivery
 * twice: the later line of the same delivery takes the place of the one before. */
static void list_log(
    const struct outbox *place, const struct kgate *gate, uint32_t now, json_t *list)
{
	char path[OUTBOX_PATH];
	struct buf text = {0};
	outbox_path(place, "log", path);
	if (text_read(path, &text) && text.n) {
		struct str rest = buf_view(&text), line;
		while (str_cut(&rest, '\n', &line) && rest.p) {
			json_error_t error;
			json_t *j = json_loadb(line.p, line.n, 0, &error);
			if (!json_has(j, "delivery,destination,mode,state,why",
				"ended,added,removed,refused,files,files_done") ||
			    json_number(j, "ended") + RETENTION_MAX * (uint64_t)DAY_S < now) {
				json_decref(j);
				continue;
			}
			gate_row(j, gate);
			json_object_del(j, "first");
			size_t n = json_array_size(list);
			if (n && *json_text(j, "delivery") &&
			    strcmp(json_text(json_array_get(list, n - 1), "delivery"),
				json_text(j, "delivery")) == 0)
				json_array_set_new(list, n - 1, j);
			else
				json_array_append_new(list, j);
		}
	}
	buf_done(&text);
}

/* Which rows of a ledger count as owed: those that were found to be no member's; or all that the
 * partner may have, where the destination is gone. */
enum owed { OWED_FOUND, OWED_ALL };

static bool is_owed(const struct held_row *r, enum owed which)
{
	if (r->state == HELD_REFUSED)
		return which == OWED_ALL && r->had;
	return which == OWED_ALL || r->owed;
}

static uint64_t count_owed(const struct outbox *place, enum owed which)
{
	char path[OUTBOX_PATH];
	struct held_reader *r;
	struct held_item item = {.id_n = 0};
	uint64_t n = 0;
	outbox_path(place, "held", path);
	if (held_open(path, &r) != OK)
		return 0;
	while (held_next(r, &item))
		for (unsigned i = 0; i < item.rows_n; i++)
			n += is_owed(&item.rows[i], which);
	held_item_done(&item);
	held_close(r);
	return n;
}

static void put_owed(json_t *row, uint64_t n, const struct kgate *gate)
{
	if (!n)
		return;
	json_object_set_new(row, "owed", json_integer((json_int_t)n));
	gate_number(row, "owed", gate);
}

static bool arrived_with_files(const json_t *line)
{
	return json_has(line, "delivery,state", "files") && json_number(line, "files") &&
	       strcmp(json_text(line, "state"), "delivered") == 0;
}

bool delivery_arrived(const char *store, const char *destination, struct delivered_file *out)
{
	struct outbox place = {.lock = -1};
	char path[OUTBOX_PATH];
	struct buf text = {0};
	struct str rest = STR(""), line;
	bool found = false;
	snprintf(place.folder, sizeof place.folder, "%s/exports/%s", store, destination);
	outbox_path(&place, "log", path);
	if (text_read(path, &text) && text.n)
		rest = buf_view(&text);
	while (rest.n && str_cut(&rest, '\n', &line)) {
		json_error_t error;
		json_t *j = json_loadb(line.p, line.n, 0, &error), *first;
		if (arrived_with_files(j)) {
			first = json_object_get(j, "first");
			snprintf(
			    out->delivery, sizeof out->delivery, "%s", json_text(j, "delivery"));
			snprintf(out->name, sizeof out->name, "%s", json_text(first, "name"));
			snprintf(out->begins, sizeof out->begins, "%s", json_text(first, "begins"));
			found = true;
		}
		json_decref(j);
	}
	buf_done(&text);
	return found;
}

static void list_pending(struct outbox *place, const struct destination *d,
    const struct kgate *gate, uint32_t now, json_t *list)
{
	char when[TIME_TEXT];
	struct pending p;
	if (pending_open(place, d, now, &p) != OK)
		return;
	json_t *row = json_pack("{s:O,s:O,s:O,s:O,s:s,s:n,s:O,s:O,s:I,s:i,s:i,s:i,s:O*,s:s}",
	    "delivery", json_object_get(p.manifest, "delivery"), "destination",
	    json_object_get(p.manifest, "destination"), "mode", json_object_get(p.manifest, "mode"),
	    "rules", json_object_get(p.manifest, "rules"), "state", "waiting", "ended", "added",
	    json_object_get(p.manifest, "added"), "removed", json_object_get(p.manifest, "removed"),
	    "refused", (json_int_t)p.refused_n, "files", (int)p.files, "files_done",
	    (int)pending_finished(&p), "attempts", (int)p.attempts, "not_sent",
	    json_object_get(p.manifest, "not_sent"), "why",
	    d->every_s ? "" : "by hand: crumb export --to goes on with this delivery");
	time_text(p.next_try, when);
	json_object_set_new(row, "by_hand", json_boolean(!d->every_s));
	json_object_set_new(
	    row, "next_try", p.next_try && d->every_s ? json_string(when) : json_null());
	gate_row(row, gate);
	json_array_append_new(list, row);
	pending_free(&p);
}

static void list_one(const char *store, const struct destination *d, const struct kgate *gate,
    uint32_t now, json_t *list)
{
	struct outbox place = {.lock = -1};
	size_t before = json_array_size(list), n;
	snprintf(place.folder, sizeof place.folder, "%s/exports/%s", store, d->id);
	list_log(&place, gate, now, list);
	list_pending(&place, d, gate, now, list);
	if ((n = json_array_size(list)) > before)
		put_owed(json_array_get(list, n - 1), count_owed(&place, OWED_FOUND), gate);
}

/* --- destinations that are not in the file any more */

/* Calls `each` for every folder of a destination that is not in the file. */
static void each_gone(const char *store, const struct destinations *all,
    void (*each)(void *arg, const char *id), void *arg)
{
	char path[OUTBOX_PATH];
	snprintf(path, sizeof path, "%s/exports", store);
	DIR *folder = opendir(path);
	for (struct dirent *f; folder && (f = readdir(folder));)
		if (f->d_name[0] != '.' && !destinations_find(all, str_c(f->d_name)))
			each(arg, f->d_name);
	if (folder)
		closedir(folder);
}

struct gone {
	const char *store, *only;
	const struct kgate *gate;
	uint32_t now;
	json_t *list;
};

/* A destination that is gone, with what is owed there: the operator is the only one who can see to
 * it, so it is told even where no delivery was ever made. */
static void list_gone(void *arg, const char *id)
{
	struct gone *g = arg;
	struct outbox place = {.lock = -1};
	if (g->only && strcmp(g->only, id) != 0)
		return;
	snprintf(place.folder, sizeof place.folder, "%s/exports/%.200s", g->store, id);
	list_log(&place, g->gate, g->now, g->list);
	uint64_t owed = count_owed(&place, OWED_ALL);
	if (!owed)
		return;
	json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:n,s:i,s:i,s:i,s:i,s:i,s:i,s:s}", "delivery",
	    "", "destination", id, "mode", "", "rules", "", "state", "not_configured", "ended",
	    "added", 0, "removed", 0, "refused", 0, "files", 0, "files_done", 0, "attempts", 0,
	    "why",
	    "this destination is not in the file of destinations any more, so what its partner "
	    "holds cannot be taken back. Put it back, take it out of the rules, deliver, and "
	    "then remove it");
	put_owed(row, owed, g->gate);
	json_array_append_new(g->list, row);
}

/* Begins to count the days, or ends what has waited for long enough. */
static void tend_gone(void *arg, const char *id)
{
	struct gone *g = arg;
	struct outbox place;
	char path[OUTBOX_PATH], text[32];
	uint32_t since = 0;
	if (strlen(id) > 200 || outbox_open(g->store, id, 0, &place) != OK)
		return;
	outbox_path(&place, "gone", path);
	enum err e = OK;
	if (!read_number(g->store, id, "gone", 0, &since) || since > g->now) {
		snprintf(text, sizeof text, "%u\n", g->now);
		e = file_replace(path, str_c(text));
	} else if (since + GONE_DAYS * DAY_S < g->now) {
		log_warn("deliver",
		    "the ledger of a destination that is not in the file any more is removed "
		    "destination=%s",
		    id);
		e = folder_remove(place.folder);
	}
	if (e)
		log_warn("deliver",
		    "the ledger of a destination that is not in the file any more cannot be "
		    "tended now destination=%s why=\"%s\"",
		    id, err_text());
	outbox_close(&place);
}

void deliver_tend_gone(const char *store, const struct destinations *all, uint32_t now)
{
	struct gone g = {.store = store, .now = now};
	if (all->found) /* a file that is missing by mistake says nothing */
		each_gone(store, all, tend_gone, &g);
}

enum err deliveries_list(const char *store, const struct destinations *all, const char *destination,
    const struct kgate *gate, uint32_t now, json_t **out)
{
	json_t *list = json_array();
	for (size_t i = 0; i < all->n; i++)
		if (!destination || strcmp(all->list[i].id, destination) == 0)
			list_one(store, &all->list[i], gate, now, list);
	struct gone g = {store, destination, gate, now, list};
	each_gone(store, all, list_gone, &g);
	*out = list;
	return OK;
}

json_t *delivery_segments(const struct plan_result *r, const struct kgate *gate)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < r->n; i++) {
		const struct plan_segment *s = &r->segments[i];
		if (s->why == PLAN_UNROUTED && !s->removes)
			continue;
		json_t *row = json_pack("{s:s,s:s,s:s,s:o}", "id", s->id, "theirs", s->theirs,
		    "state", why_words[s->why], "members",
		    s->members.told ? json_integer((json_int_t)s->members.n) : json_null());
		if (s->why == PLAN_SMALL)
			json_object_set_new(row, "below", json_integer(kgate_k(gate)));
		json_array_append_new(list, row);
	}
	return list;
}
