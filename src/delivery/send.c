/* The files of a delivery on their way: to a folder, or one request each.
 *
 * Before a file goes, its bytes are compared with the sum in the manifest: a file that rotted on
 * disk is not sent, and the delivery fails, so that the next one says its rows again.
 *
 * To a folder. A file is linked or copied under a name that begins with a dot, and renamed: whoever
 * looks at the folder sees it complete or not at all. The manifest comes last, as the sign that all
 * is there. Files that were placed before are placed again after a crash, over themselves.
 *
 * Over HTTPS. "N>" is noted before a request and "N+" or "N?" after its answer. So a file whose
 * answer was lost in a crash is known to have been sent, and is sent again under the same
 * idempotency key, DELIVERY-N with N from 1. The order is: rows that the answer refused are noted,
 * then the acknowledgement. The other way round a crash between both would make refused rows SURE.
 * A request that fails ends this round; the delivery waits, twice as long each time. */
#include "pending.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "crumb/delivery/push.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RETRY_S 60		    /* the first pause; it doubles */
#define RETRY_MOST 43200	    /* seconds: twelve hours */
#define BODY_MOST ((size_t)1 << 30) /* bytes of one request */

/* --- its files */

static void file_path(const struct pending *p, unsigned n, char out[PENDING_PATH])
{
	char name[PENDING_NAME];
	snprintf(name, sizeof name, "files/%s", json_text(pending_file(p, n), "name"));
	pending_path(p, name, out);
}

/* Is file `n` what was written? Says in `why` that it is not. */
static bool file_sound(
    const struct pending *p, unsigned n, const char *path, char why[DELIVERY_WHY])
{
	static _Thread_local uint8_t part[65536];
	crypto_hash_sha256_state s;
	uint8_t sum[32];
	char hex[65];
	FILE *f = fopen(path, "rb");
	crypto_hash_sha256_init(&s);
	for (size_t got = f != NULL; got; crypto_hash_sha256_update(&s, part, got))
		got = fread(part, 1, sizeof part, f);
	bool read = f && !ferror(f);
	if (f)
		fclose(f);
	crypto_hash_sha256_final(&s, sum);
	hex_encode(sum, 32, hex);
	hex[64] = 0;
	bool same = read && strcmp(hex, json_text(pending_file(p, n), "sha256")) == 0;
	if (!same)
		snprintf(why, DELIVERY_WHY,
		    "file %.200s is damaged: the next delivery says its rows again",
		    json_text(pending_file(p, n), "name"));
	return same;
}

/* --- to a folder */

/* Under its name complete or not at all. A link costs nothing, and is possible where both folders
 * are on one file system; elsewhere the bytes are copied. */
static enum err place_file(const char *from, const char *folder, const char *name)
{
	char part[FILE_PATH_MAX + FILE_NEW_NAME], whole[PENDING_PATH + 500];
	snprintf(whole, sizeof whole, "%s/%s", folder, name);
	file_temporary(folder, part);
	enum err e = link(from, part) == 0 ? OK : file_copy(from, part, 0644, NULL);
	if (!e && rename(part, whole) != 0)
		e = err_sys_path(whole);
	unlink(part); /* a rename onto a link of the same file leaves both */
	return e;
}

/* The manifest that the partner gets is ours without "where", for nothing says where we keep
 * things, without "not_sent", which tells of visitors whom the partner may not know, and without
 * "first", which is the log's. */
static enum err place_manifest(struct pending *p, const char *folder)
{
	char from[PENDING_PATH], name[PENDING_NAME];
	json_t *shown = json_copy(p->manifest);
	json_object_del(shown, "where");
	json_object_del(shown, "not_sent");
	json_object_del(shown, "first");
	pending_path(p, "shown.json", from);
	enum err e = json_save(from, shown);
	json_decref(shown);
	snprintf(name, sizeof name, "%s.manifest.json", json_text(p->manifest, "delivery"));
	return e ? e : place_file(from, folder, name);
}

/* *state is DONE, or FAILED where a file is damaged. */
static enum err send_to_folder(
    struct pending *p, enum delivery_state *state, char why[DELIVERY_WHY])
{
	char folder[OUTBOX_PATH], from[PENDING_PATH];
	const char *other = json_text(p->manifest, "where");
	if (*other)
		snprintf(folder, sizeof folder, "%s", other);
	else
		snprintf(folder, sizeof folder, STR_FMT, STR_ARG(p->d->where));
	enum err e = folder_make(folder, 0755);
	*state = DELIVERY_DONE;
	for (unsigned i = 0; i < p->files && !e; i++) {
		file_path(p, i, from);
		if (!file_sound(p, i, from, why)) {
			*state = DELIVERY_FAILED;
			return OK;
		}
		e = place_file(from, folder, json_text(pending_file(p, i), "name"));
	}
	if (!e)
		e = place_manifest(p, folder);
	if (!e)
		e = folder_sync(folder);
	for (unsigned i = 0; i < p->files && !e; i++)
		p->finished[i] = p->acked[i] = true;
	return e;
}

/* --- over HTTPS */

/* The answer's lines, with the number of the file between the segment and the code. */
static enum err note_refused(struct pending *p, unsigned n, const struct push_answer *a)
{
	char path[PENDING_PATH];
	struct buf lines = {0};
	struct str rest = a->refused.n ? buf_view(&a->refused) : STR(""), line;
	while (str_cut(&rest, '\n', &line) && rest.p) {
		size_t at = 0, tabs = 0;
		while (at < line.n && (tabs += line.p[at] == '\t') < 2)
			at++;
		buf_add(&lines, line.p, at);
		buf_addf(&lines, "\t%u", n);
		buf_str(&lines, str_skip(line, at));
		buf_c(&lines, "\n");
	}
	pending_path(p, "refused", path);
	enum err e = lines.n ? text_append(path, buf_view(&lines)) : OK;
	buf_done(&lines);
	return e;
}

static enum err acknowledge(struct pending *p, unsigned n, const struct push_answer *a)
{
	enum err e = note_refused(p, n, a);
	if (!e)
		e = pending_note(p, n, a->verdict == PUSH_TAKEN ? '+' : '?');
	p->finished[n] = true;
	p->acked[n] = a->verdict == PUSH_TAKEN;
	return e;
}

/* One more attempt has failed: the next one is in 1, 2, 4 … minutes, or when the partner says if
 * that is later. For example, the fourth failure waits for 8 minutes. */
static void wait_longer(struct pending *p, uint32_t after_s)
{
	uint32_t pause = RETRY_S;
	for (unsigned i = 0; i < p->attempts && pause < RETRY_MOST; i++)
		pause *= 2;
	if (pause > RETRY_MOST)
		pause = RETRY_MOST;
	p->attempts++;
	p->next_try = p->now + (after_s > pause ? after_s : pause);
}

/* Sends file `i` once. *state stays DONE if the file was acknowledged. */
static enum err send_one(struct pending *p, unsigned i, const _Atomic bool *stop,
    enum delivery_state *state, char why[DELIVERY_WHY])
{
	char path[PENDING_PATH], key[200];
	struct buf body = {0};
	struct push_answer a;
	file_path(p, i, path);
	if (!file_sound(p, i, path, why)) {
		*state = DELIVERY_FAILED;
		return OK;
	}
	snprintf(key, sizeof key, "%s-%u", json_text(p->manifest, "delivery"), i + 1);
	enum err e = file_read(path, BODY_MOST, &body);
	if (!e) {
		p->sent[i]++;
		if (p->progress)
			p->progress("files sent", i);
		e = pending_note(p, i, '>');
	}
	if (e) {
		buf_done(&body);
		return e;
	}
	push_file(p->d, buf_view(&body), key, p->now, stop, &a);
	buf_done(&body);
	bool taken = a.verdict == PUSH_TAKEN || a.verdict == PUSH_UNCERTAIN;
	metric_inc(taken ? M_PUSH_TAKEN : M_PUSH_FAILED);
	snprintf(why, DELIVERY_WHY, "%s", a.why);
	if (taken) {
		e = acknowledge(p, i, &a);
	} else if (stop && atomic_load(stop)) {
		*state = DELIVERY_WAITS; /* we leave off: that is no failure of the partner */
	} else {
		wait_longer(p, a.after_s);
		bool never = a.verdict == PUSH_NEVER || p->attempts > p->d->retries;
		*state = never ? DELIVERY_FAILED : DELIVERY_WAITS;
		e = pending_save_state(p);
	}
	push_answer_done(&a);
	return e;
}

/* *state is DONE when all is through, WAITS, or FAILED. */
static enum err send_over_https(
    struct pending *p, const _Atomic bool *stop, enum delivery_state *state, char why[DELIVERY_WHY])
{
	enum err e = OK;
	*state = DELIVERY_DONE;
	for (unsigned i = 0; i < p->files && !e && *state == DELIVERY_DONE; i++)
		if (!p->finished[i])
			e = send_one(p, i, stop, state, why);
	return e;
}

/* --- either way */

enum err pending_go_on(
    struct pending *p, bool patient, const _Atomic bool *stop, struct delivery *out)
{
	snprintf(out->id, sizeof out->id, "%s", json_text(p->manifest, "delivery"));
	bool all = strcmp(json_text(p->manifest, "mode"), format_extents[FORMAT_FULL]) == 0;
	out->extent = all ? FORMAT_FULL : FORMAT_DELTA;
	out->adds = json_number(p->manifest, "added");
	out->removes = json_number(p->manifest, "removed");
	out->files = p->files;
	out->state = DELIVERY_WAITS;
	CHECK(p->place->lock >= 0);
	enum err e = OK;
	bool folder = p->d->way->where != WHERE_URL || *json_text(p->manifest, "where");
	if (patient && p->next_try > p->now) {
		snprintf(out->why, sizeof out->why, "the delivery waits for its next try");
	} else if (folder) {
		e = send_to_folder(p, &out->state, out->why);
	} else {
		e = send_over_https(p, stop, &out->state, out->why);
	}
	out->files_done = pending_finished(p);
	out->attempts = p->attempts;
	out->next_try = p->next_try;
	if (!e && out->state != DELIVERY_WAITS)
		e = pending_finish(p, out->state, out->why);
	out->refused = p->refused_n;
	return e;
}
