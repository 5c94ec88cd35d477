/* One delivery from its beginning to its end, as far as it gets now (delivery/deliver.h has the
 * steps and what is on disk at each).
 *
 *   1. Take the lock of the destination. Mend the ledger if it is damaged; set a delivery under way
 *      aside if it is.
 *   2. A delivery under way that was made today goes on; if it does not get through, that is the
 *      answer. One of another day is ended as it stands, and what is left of it is said in step 3.
 *   3. Make a new delivery, and send it. */
#include "ledger.h"
#include "not_sent.h"
#include "pending.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/delivery/reach.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEAD_DAYS 7 /* files that were given up are kept for */
#define WAIT_DAYS 7 /* a delivery that nobody goes on with is given up after */
/* Somebody who asks for a delivery waits so long for whoever has the lock. A schedule does not
 * wait: it comes again. */
#define BUSY_WAIT_S 30

/* --- making one */

static json_t *make_manifest(const struct deliver_wish *w, const char *id,
    const struct package *package, const struct plan_result *r)
{
	char when[TIME_TEXT];
	unsigned n;
	const struct format_file *f = package_files(package, &n);
	json_t *files = json_array(), *segments = json_array(), *first = NULL;
	time_text(w->plan.now, when);
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(files, json_pack("{s:s,s:I,s:I,s:s}", "name", f[i].name,
						 "bytes", (json_int_t)f[i].bytes, "rows",
						 (json_int_t)f[i].rows, "sha256", f[i].sha256));
	if (n)
		first = json_pack("{s:s,s:s}", "name", f[0].name, "begins", f[0].begins);
	for (unsigned i = 0; i < r->n; i++)
		if (r->segments[i].adds || r->segments[i].removes)
			json_array_append_new(segments,
			    json_pack("{s:s,s:s,s:I,s:I}", "id", r->segments[i].id, "theirs",
				r->segments[i].theirs, "added", (json_int_t)r->segments[i].adds,
				"removed", (json_int_t)r->segments[i].removes));
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:o*,s:s,s:o}", "delivery", id,
	    "destination", w->plan.d->id, "format", w->plan.d->format->name, "mode",
	    format_extents[w->plan.extent], "created", when, "rules", w->plan.g->rules->hash_text,
	    "added", (json_int_t)r->adds, "removed", (json_int_t)r->removes, "segments", segments,
	    "files", files, "first", first, "where", w->folder ? w->folder : "", "not_sent",
	    not_sent_exact(r));
}

/* The later of `a` and the time in the text; what is a day ahead was not written by us. */
static uint32_t later_stamp(uint32_t a, struct str text, uint32_t now)
{
	uint64_t b;
	return str_u64(text, &b) && b > a && b < (uint64_t)now + DAY_S ? (uint32_t)b : a;
}

/* The time in the name of a new delivery, and of its files. Deliveries of a destination have
 * different times, even two of one second, for a partner ignores a file whose name it has seen.
 * `made` has the latest; where it is damaged, the log knows. */
static uint32_t next_stamp(const struct outbox *place, uint32_t now)
{
	char path[OUTBOX_PATH];
	struct buf text = {0};
	struct str rest, line;
	uint32_t last = now - 1;
	outbox_path(place, "made", path);
	if (text_read(path, &text) && text.n)
		last = later_stamp(last, str_trim(buf_view(&text)), now);
	outbox_path(place, "log", path);
	if (text_read(path, &text) && text.n)
		for (rest = buf_view(&text); str_cut(&rest, '\n', &line) && rest.p;) {
			json_error_t error;
			json_t *j = json_loadb(line.p, line.n, 0, &error);
			const char *stamp = strrchr(json_text(j, "delivery"), '-');
			if (stamp)
				last = later_stamp(last, str_c(stamp + 1), now);
			json_decref(j);
		}
	buf_done(&text);
	return last + 1;
}

static enum err save_stamp(const struct outbox *place, uint32_t stamp)
{
	char path[OUTBOX_PATH], text[32];
	outbox_path(place, "made", path);
	snprintf(text, sizeof text, "%u\n", stamp);
	return file_replace(path, str_c(text));
}

static void note_reach(const struct plan_wish *w, const struct plan_result *r)
{
	struct reach n = {day_of(w->now), r->visitors, r->with_id};
	reach_note(w->g->store->path, w->d->id, &n);
}

/* Writes a delivery into `making`, and renames the folder to `pending` when all of it is there.
 * Nothing to say: there is no `pending`. */
static enum err prepare(
    struct outbox *place, const struct deliver_wish *w, uint32_t stamp, struct delivery *out)
{
	char making[OUTBOX_PATH], files[OUTBOX_PATH + 20], rows[OUTBOX_PATH + 20],
	    held[OUTBOX_PATH], pending[OUTBOX_PATH], manifest_path[OUTBOX_PATH + 30];
	struct package *package = NULL;
	json_t *manifest = NULL;
	outbox_path(place, "making", making);
	outbox_path(place, "held", held);
	outbox_path(place, "pending", pending);
	snprintf(files, sizeof files, "%s/files", making);
	snprintf(rows, sizeof rows, "%s/rows", making);
	snprintf(manifest_path, sizeof manifest_path, "%s/manifest.json", making);
	enum err e = folder_remove(making);
	if (!e)
		e = folder_make(files, 0700);
	if (!e)
		e = package_begin(
		    w->plan.d, files, w->plan.extent, str_c(out->id), stamp, w->plan.now, &package);
	if (!e)
		e = plan_write(&w->plan, held, rows, package, &out->plan);
	if (!e)
		note_reach(&w->plan, &out->plan);
	if (!e && out->plan.adds + out->plan.removes > 0) {
		manifest = make_manifest(w, out->id, package, &out->plan);
		e = json_save(manifest_path, manifest);
		if (!e)
			e = save_stamp(place, stamp);
		if (!e && rename(making, pending) != 0)
			e = err_sys_path(pending);
		if (!e)
			e = folder_sync(place->folder);
	} else if (!e) {
		e = folder_remove(making);
	}
	json_decref(manifest);
	package_free(package);
	return e;
}

static bool holds_anything(const struct outbox *place)
{
	char path[OUTBOX_PATH];
	struct stat st;
	outbox_path(place, "held", path);
	return stat(path, &st) == 0;
}

/* Old files that were given up, and old lines of the log. */
static void tidy(const struct outbox *place, uint32_t now)
{
	char path[OUTBOX_PATH], part[PENDING_PATH];
	struct buf text = {0}, kept = {0};
	outbox_path(place, "dead", path);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));) {
		const char *t = strrchr(f->d_name, '-');
		uint64_t at;
		snprintf(part, sizeof part, "%s/%.255s", path, f->d_name);
		if (f->d_name[0] != '.' && t && str_u64(str_c(t + 1), &at) &&
		    at + DEAD_DAYS * DAY_S < now && folder_remove(part) != OK)
			log_warn("deliver", "an old folder cannot be removed folder=%s", part);
	}
	if (d)
		closedir(d);
	outbox_path(place, "log", path);
	if (text_read(path, &text) && text.n) {
		struct str rest = buf_view(&text), line;
		while (str_cut(&rest, '\n', &line) && rest.p) {
			json_error_t error;
			json_t *j = json_loadb(line.p, line.n, 0, &error);
			if (j && json_number(j, "ended") + RETENTION_MAX * (uint64_t)DAY_S >= now) {
				buf_str(&kept, line);
				buf_c(&kept, "\n");
			}
			json_decref(j);
		}
		if (kept.n < text.n && file_replace(path, kept.n ? buf_view(&kept) : STR("")) != OK)
			log_warn("deliver", "the log of deliveries keeps its old lines why=\"%s\"",
			    err_text());
	}
	buf_done(&text);
	buf_done(&kept);
}

/* What is under way, if it is what was written. What is damaged is set aside first, be it the
 * ledger or the delivery. ERR_NOT_FOUND: nothing is under way. */
static enum err open_sound(
    struct outbox *place, const struct destination *d, uint32_t now, struct pending *p)
{
	char gone[OUTBOX_PATH];
	outbox_path(place, "gone", gone);
	unlink(gone); /* the destination is in the file of destinations */
	enum err e = ledger_mend(place, d->id, now);
	if (!e)
		e = pending_open(place, d, now, p);
	if (!e && !pending_rows_sound(p)) {
		pending_free(p);
		e = ERR_CORRUPT;
	}
	if (e != ERR_CORRUPT)
		return e;
	e = ledger_drop_pending(place, d->id, now);
	return e ? e : ERR_NOT_FOUND;
}

/* Goes on with what is under way. *answered: that is what becomes of this wish; else nothing is
 * under way any more, and a new delivery may be made. */
static enum err finish_old(
    struct outbox *place, const struct deliver_wish *w, struct delivery *out, bool *answered)
{
	struct pending p;
	enum err e = open_sound(place, w->plan.d, w->plan.now, &p);
	*answered = false;
	if (e)
		return e == ERR_NOT_FOUND ? OK : e;
	if (pending_day(&p) == day_of(w->plan.now)) {
		p.progress = w->plan.progress;
		e = pending_go_on(&p, w->patient, w->stop, out);
		*answered = out->state != DELIVERY_DONE;
	} else if (w->patient && p.next_try > w->plan.now) {
		out->state = DELIVERY_WAITS;
		out->next_try = p.next_try;
		*answered = true;
	} else {
		e = pending_finish(
		    &p, DELIVERY_REPLACED, "the delivery was left over from another day");
	}
	pending_free(&p);
	if (!e && !*answered)
		*out = (struct delivery){.state = DELIVERY_DONE};
	return e;
}

/* Makes a delivery of what differs now, and sends it as far as it gets. */
static enum err deliver_new(struct outbox *place, struct deliver_wish *w, struct delivery *out)
{
	struct pending p;
	char ended[OUTBOX_PATH];
	outbox_path(place, "ended", ended);
	enum err e = folder_remove(ended);
	if (e)
		return e;
	tidy(place, w->plan.now);
	bool all = w->mode == DELIVER_FULL || (w->mode == DELIVER_AUTO && !holds_anything(place));
	w->plan.extent = all ? FORMAT_FULL : FORMAT_DELTA;
	out->extent = w->plan.extent;
	uint32_t stamp = next_stamp(place, w->plan.now);
	snprintf(out->id, sizeof out->id, "%s-%s-%u", w->plan.d->id, format_extents[w->plan.extent],
	    stamp);
	if ((e = prepare(place, w, stamp, out)))
		return e;
	out->unusable = out->plan.unusable;
	e = pending_open(place, w->plan.d, w->plan.now, &p);
	if (e == ERR_NOT_FOUND) {
		out->state = DELIVERY_NOTHING;
		return OK;
	}
	if (!e) {
		p.progress = w->plan.progress;
		e = pending_go_on(&p, false, w->stop, out);
		pending_free(&p);
	}
	return e;
}

enum err deliver(const struct deliver_wish *wish, struct delivery *out)
{
	struct deliver_wish w = *wish;
	struct outbox place;
	*out = (struct delivery){.state = DELIVERY_DONE};
	if (!w.folder && !w.plan.d->where.n)
		return err_set(ERR_USAGE,
		    "destination '%s' does not say where it goes: give --out FOLDER", w.plan.d->id);
	enum err e =
	    outbox_open(w.plan.g->store->path, w.plan.d->id, w.patient ? 0 : BUSY_WAIT_S, &place);
	if (e)
		return e;
	bool answered;
	e = finish_old(&place, &w, out, &answered);
	if (!e && !answered)
		e = deliver_new(&place, &w, out);
	outbox_close(&place);
	if (e)
		delivery_done(out);
	return e;
}

void delivery_done(struct delivery *d)
{
	plan_done(&d->plan);
}

enum err deliver_tend(const struct plan_wish *w)
{
	struct outbox place;
	struct pending p;
	struct plan_result r;
	char held[OUTBOX_PATH], folder[OUTBOX_PATH];
	struct stat st;
	snprintf(folder, sizeof folder, "%s/exports/%s", w->g->store->path, w->d->id);
	if (stat(folder, &st) != 0)
		return OK;
	enum err e = outbox_open(w->g->store->path, w->d->id, 0, &place);
	if (e)
		return e == ERR_BUSY ? OK : e;
	outbox_path(&place, "held", held);
	e = open_sound(&place, w->d, w->now, &p);
	if (!e) {
		/* The rows are on their way. A delivery that waits for a week is given up, for it
		 * may name somebody who was erased. */
		if (pending_day(&p) + WAIT_DAYS < day_of(w->now))
			e = pending_finish(&p, DELIVERY_FAILED, "the delivery waited for a week");
		pending_free(&p);
	} else if (e == ERR_NOT_FOUND && !holds_anything(&place)) {
		e = OK;
	} else if (e == ERR_NOT_FOUND && !(e = plan_write(w, held, NULL, NULL, &r))) {
		note_reach(w, &r);
		plan_done(&r);
	}
	tidy(&place, w->now);
	outbox_close(&place);
	return e;
}
