/* A delivery that is under way: read from its folder, and ended. src/delivery/pending.h says what
 * is in the folder; send.c brings the files where they go.
 *
 * Nothing of a delivery is kept in memory between two rounds: each begins with pending_open(),
 * which reads how far the files got. So a round after a crash is the same as any other round.
 *
 * The end is a sequence of steps of which each may be done twice: the ledger takes what was
 * acknowledged (plan_confirm()), refused rows and files that were given up go to dead/, the log
 * gets its line, and one rename takes the folder out of the way. Only then it is removed. Removed
 * file by file under its name, a part of the folder would look like a delivery under way after a
 * crash. */
#include "pending.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/core/metric.h"
#include "crumb/delivery/held.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- what is on disk */

void pending_path(const struct pending *p, const char *name, char out[PENDING_PATH])
{
	snprintf(out, PENDING_PATH, "%s/%s", p->folder, name);
}

const json_t *pending_file(const struct pending *p, unsigned n)
{
	return json_array_get(json_object_get(p->manifest, "files"), n);
}

/* "N" and '>' as it is sent, then whether its rows count as taken: '+' or '?'. A line that was cut
 * off says nothing. */
static void read_acks(struct pending *p)
{
	char path[PENDING_PATH];
	struct buf text = {0};
	pending_path(p, "acks", path);
	if (text_read(path, &text) && text.n) {
		struct str rest = buf_view(&text), line;
		while (str_cut(&rest, '\n', &line) && rest.p) {
			uint64_t n;
			if (line.n > 1 && str_u64(str_make(line.p, line.n - 1), &n) &&
			    n < p->files) {
				char what = line.p[line.n - 1];
				p->sent[n] += what == '>';
				p->finished[n] |= what != '>';
				p->acked[n] |= what == '+';
			}
		}
	}
	buf_done(&text);
}

/* Lines "id TAB segment TAB file TAB code TAB message" to keys "id TAB segment TAB file". */
static void read_refused(struct pending *p)
{
	char path[PENDING_PATH];
	pending_path(p, "refused", path);
	if (!text_read(path, &p->refused) || !p->refused.n)
		return;
	struct str rest = buf_view(&p->refused), line;
	while (str_cut(&rest, '\n', &line) && rest.p) {
		size_t tabs = 0, at = 0;
		while (at < line.n && (tabs += line.p[at] == '\t') < 3)
			at++;
		if (tabs == 3)
			p->refused_n += map_put(&p->refused_keys, str_make(line.p, at), 1);
	}
}

/* What cannot be read, or is too far ahead, is no reason to wait. */
static void read_state(struct pending *p)
{
	char path[PENDING_PATH];
	struct buf text = {0};
	pending_path(p, "state", path);
	if (text_read(path, &text) && text.n) {
		buf_add(&text, "", 1);
		if (sscanf(text.p, "%u %u", &p->attempts, &p->next_try) != 2)
			p->attempts = p->next_try = 0;
		if (p->next_try > p->now + NEXT_TRY_MOST)
			p->next_try = 0;
	}
	buf_done(&text);
}

enum err pending_save_state(const struct pending *p)
{
	char path[PENDING_PATH], text[64];
	pending_path(p, "state", path);
	snprintf(text, sizeof text, "%u %u\n", p->attempts, p->next_try);
	return file_replace(path, str_c(text));
}

void pending_free(struct pending *p)
{
	json_decref(p->manifest);
	free(p->finished);
	free(p->acked);
	free(p->sent);
	map_done(&p->refused_keys);
	buf_done(&p->refused);
}

unsigned pending_finished(const struct pending *p)
{
	unsigned n = 0;
	for (unsigned i = 0; i < p->files; i++)
		n += p->finished[i];
	return n;
}

enum err pending_note(const struct pending *p, unsigned n, char step)
{
	char path[PENDING_PATH], line[32];
	pending_path(p, "acks", path);
	int len = snprintf(line, sizeof line, "%u%c\n", n, step);
	return text_append(path, str_make(line, (size_t)len));
}

uint16_t pending_day(const struct pending *p)
{
	const char *created = json_text(p->manifest, "created"); /* a day and a time */
	uint16_t day;
	if (!day_parse(created, strnlen(created, DAY_TEXT - 1), &day))
		return 0;
	return day;
}

/* Names are those of files in a folder of ours and nowhere else. */
static bool plain_name(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/') && strlen(s) < FORMAT_NAME_MOST;
}

/* Is it what deliver.c wrote, as far as somebody relies on it? */
static bool is_manifest(const json_t *m)
{
	const json_t *files = json_object_get(m, "files"), *f;
	size_t i;
	if (!json_has(m, "delivery,destination,mode,created,rules", "added,removed") ||
	    !json_is_array(files) || !plain_name(json_text(m, "delivery")) ||
	    strlen(json_text(m, "delivery")) >= DELIVERY_ID)
		return false;
	json_array_foreach(files, i, f)
	{
		if (!plain_name(json_text(f, "name")) || strlen(json_text(f, "sha256")) != 64)
			return false;
	}
	return true;
}

bool pending_rows_sound(const struct pending *p)
{
	char path[PENDING_PATH];
	struct held_reader *r;
	pending_path(p, "rows", path);
	if (held_open(path, &r) != OK)
		return false;
	bool there = held_exists(r);
	held_close(r);
	return there;
}

enum err pending_open(
    struct outbox *place, const struct destination *d, uint32_t now, struct pending *p)
{
	char path[PENDING_PATH];
	struct buf text = {0};
	json_error_t error;
	*p = (struct pending){.place = place, .d = d, .now = now};
	outbox_path(place, "pending", p->folder);
	pending_path(p, "manifest.json", path);
	if (!text_read(path, &text)) {
		buf_done(&text);
		if (access(p->folder, F_OK) != 0)
			return ERR_NOT_FOUND;
		return err_set(ERR_CORRUPT, "%s cannot be read", path);
	}
	p->manifest = json_loadb(text.p ? text.p : "", text.n, 0, &error);
	buf_done(&text);
	if (!is_manifest(p->manifest)) {
		json_decref(p->manifest);
		if (memory_short())
			return memory_check();
		return err_set(
		    ERR_CORRUPT, "%s is damaged: its bytes are not those that were written", path);
	}
	p->files = (unsigned)json_array_size(json_object_get(p->manifest, "files"));
	p->finished = calloc(p->files + 1, sizeof *p->finished);
	p->acked = calloc(p->files + 1, sizeof *p->acked);
	p->sent = calloc(p->files + 1, sizeof *p->sent);
	if (!p->finished || !p->acked || !p->sent) {
		free(p->finished);
		free(p->acked);
		free(p->sent);
		json_decref(p->manifest);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	read_acks(p);
	read_refused(p);
	read_state(p);
	return OK;
}

/* --- the end of one */

/* Files that nobody took go to dead/ID for a week, so that somebody can look at them. A file that
 * is not there any more was moved before a crash. */
static enum err bury(struct pending *p, const char *why)
{
	char dead[OUTBOX_PATH], from[PENDING_PATH], to[PENDING_PATH + 500], name[PENDING_NAME];
	snprintf(name, sizeof name, "dead/%s", json_text(p->manifest, "delivery"));
	outbox_path(p->place, name, dead);
	enum err e = folder_make(dead, 0700);
	for (unsigned i = 0; i < p->files && !e; i++) {
		const char *file = json_text(pending_file(p, i), "name");
		if (p->finished[i])
			continue;
		snprintf(name, sizeof name, "files/%s", file);
		pending_path(p, name, from);
		snprintf(to, sizeof to, "%s/%s", dead, file);
		if (rename(from, to) != 0 && errno != ENOENT)
			e = err_sys_path(to);
	}
	snprintf(to, sizeof to, "%s/why", dead);
	return e ? e : file_replace(to, str_c(why));
}

/* How the log calls what became of a delivery. */
static const char *const ended_words[] = {
    [DELIVERY_DONE] = "delivered",
    [DELIVERY_REPLACED] = "replaced",
    [DELIVERY_FAILED] = "failed",
};

/* `why` may hold somebody else's words, which were cut: no text of JSON ends within a character. */
static enum err write_log(const struct pending *p, enum delivery_state state, const char *why)
{
	const json_t *m = p->manifest;
	json_t *not_sent = json_object_get(m, "not_sent"), /* an older version's has neither */
	    *first = json_object_get(m, "first");
	if (state == DELIVERY_DONE)
		why = "";
	return outbox_log(p->place,
	    json_pack("{s:O,s:O,s:O,s:O,s:s,s:I,s:O,s:O,s:I,s:i,s:i,s:i,s:O*,s:O*,s:s%}",
		"delivery", json_object_get(m, "delivery"), "destination",
		json_object_get(m, "destination"), "mode", json_object_get(m, "mode"), "rules",
		json_object_get(m, "rules"), "state", ended_words[state], "ended",
		(json_int_t)p->now, "added", json_object_get(m, "added"), "removed",
		json_object_get(m, "removed"), "refused", (json_int_t)p->refused_n, "files",
		(int)p->files, "files_done", (int)pending_finished(p), "attempts", (int)p->attempts,
		"not_sent", not_sent, "first", first, "why", why, utf8_valid(str_c(why))));
}

/* Refused rows are kept with what the partner said, as a file of their own. */
static enum err bury_refused(struct pending *p)
{
	char dead[OUTBOX_PATH], to[OUTBOX_PATH + 40], name[PENDING_NAME];
	if (!p->refused_n)
		return OK;
	snprintf(name, sizeof name, "dead/%s", json_text(p->manifest, "delivery"));
	outbox_path(p->place, name, dead);
	snprintf(to, sizeof to, "%s/refused.tsv", dead);
	enum err e = folder_make(dead, 0700);
	return e ? e : file_replace(to, buf_view(&p->refused));
}

enum err pending_finish(struct pending *p, enum delivery_state state, const char *why)
{
	char held[OUTBOX_PATH], rows[PENDING_PATH], ended[OUTBOX_PATH];
	CHECK(p->place->lock >= 0);
	/* this round has added to the file `refused` */
	map_done(&p->refused_keys);
	p->refused_keys = (struct map){.slots = NULL};
	p->refused_n = 0;
	read_refused(p);
	struct plan_ack ack = {.acked = p->acked,
	    .sent = p->sent,
	    .files = p->files,
	    .refused = &p->refused_keys,
	    .day = pending_day(p)};
	outbox_path(p->place, "held", held);
	pending_path(p, "rows", rows);
	enum err e = plan_confirm(held, rows, &ack);
	if (!e)
		e = bury_refused(p);
	if (!e && state == DELIVERY_FAILED)
		e = bury(p, why);
	if (!e)
		e = write_log(p, state, why);
	outbox_path(p->place, "ended", ended);
	if (!e)
		e = folder_remove(ended);
	if (!e && rename(p->folder, ended) != 0)
		e = err_sys_path(p->folder);
	if (!e)
		e = folder_sync(p->place->folder);
	if (!e)
		e = folder_remove(ended);
	if (!e)
		metric_inc(state == DELIVERY_FAILED ? M_DELIVERY_FAILED : M_DELIVERED);
	return e;
}
