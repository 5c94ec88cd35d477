/* What is told of deliveries, and when schedules were kept. */
#include "pending.h"

#include "crumb/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const why_words[] = {"sent", "below_k", "not_active", "sensitive", "label", "no_number", "not_routed"};

/* --- schedules and lists */

static bool read_number(const char *store, const char *destination, const char *name, unsigned skip, uint32_t *out)
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

uint32_t deliver_next_try(const char *store, const char *destination)
{
	uint32_t t = 0;
	char path[OUTBOX_PATH];
	struct stat st;
	snprintf(path, sizeof path, "%s/exports/%s/pending", store, destination);
	if (stat(path, &st) != 0)
		return 0;
	read_number(store, destination, "pending/state", 1, &t);
	return t ? t : 1;
}

/* Numbers of rows speak of groups of visitors. */
static void gate_number(json_t *row, const char *key, const struct kgate *gate)
{
	uint64_t n = json_number(row, key);
	struct shown s = kgate_show(gate, n);
	json_object_set_new(row, key, n == 0 ? json_integer(0) : s.told ? json_integer((json_int_t)s.n) : json_null());
}

static void gate_row(json_t *row, const struct kgate *gate)
{
	char when[32];
	gate_number(row, "added", gate);
	gate_number(row, "removed", gate);
	gate_number(row, "refused", gate);
	if (json_number(row, "ended")) {
		iso_time((uint32_t)json_number(row, "ended"), when);
		json_object_set_new(row, "ended", json_string(when));
	}
}

static void list_one(const char *store, const struct destination *d, const struct kgate *gate, uint32_t now, json_t *list)
{
	char path[OUTBOX_PATH], when[32];
	struct buf text = {0};
	struct outbox place = {.lock = -1};
	struct pending p;
	snprintf(place.folder, sizeof place.folder, "%s/exports/%s", store, d->id);
	outbox_path(&place, "log", path);
	if (text_read(path, &text) && text.n) {
		struct str rest = buf_view(&text), line;
		while (str_cut(&rest, '\n', &line) && rest.p) {
			json_error_t error;
			json_t *j = json_loadb(line.p, line.n, 0, &error);
			if (!j || json_number(j, "ended") + RETENTION_MAX * (uint64_t)DAY_S < now) {
				json_decref(j);
				continue;
			}
			gate_row(j, gate);
			/* cut off behind this line, a delivery ends twice */
			size_t n = json_array_size(list);
			if (n && strcmp(json_text(json_array_get(list, n - 1), "delivery"), json_text(j, "delivery")) == 0)
				json_array_set_new(list, n - 1, j);
			else
				json_array_append_new(list, j);
		}
	}
	buf_done(&text);
	if (pending_open(&place, d, now, &p) != OK)
		return;
	unsigned done = 0;
	for (unsigned i = 0; i < p.files; i++)
		done += p.finished[i];
	json_t *row = json_pack("{s:O,s:O,s:O,s:O,s:s,s:n,s:O,s:O,s:I,s:i,s:i,s:i,s:s}", "delivery", json_object_get(p.manifest, "delivery"),
	    "destination", json_object_get(p.manifest, "destination"), "mode", json_object_get(p.manifest, "mode"), "rules",
	    json_object_get(p.manifest, "rules"), "state", "waiting", "ended", "added", json_object_get(p.manifest, "added"), "removed",
	    json_object_get(p.manifest, "removed"), "refused", (json_int_t)p.refused_n, "files", (int)p.files, "files_done", (int)done, "attempts",
	    (int)p.attempts, "why", "");
	iso_time(p.next_try, when);
	json_object_set_new(row, "next_try", p.next_try ? json_string(when) : json_null());
	gate_row(row, gate);
	json_array_append_new(list, row);
	pending_free(&p);
}

enum err deliveries_list(
    const char *store, const struct destinations *all, const char *destination, const struct kgate *gate, uint32_t now, json_t **out)
{
	json_t *list = json_array();
	for (size_t i = 0; i < all->n; i++)
		if (!destination || strcmp(all->list[i].id, destination) == 0)
			list_one(store, &all->list[i], gate, now, list);
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
		json_t *row = json_pack("{s:s,s:s,s:s,s:o}", "id", s->id, "theirs", s->theirs, "state", why_words[s->why], "members",
		    s->members.told ? json_integer((json_int_t)s->members.n) : json_null());
		if (s->why == PLAN_SMALL)
			json_object_set_new(row, "below", json_integer(kgate_k(gate)));
		json_array_append_new(list, row);
	}
	return list;
}
