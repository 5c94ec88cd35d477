#include "pending.h"

#include "crumb/base/file.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "crumb/core/metric.h"
#include "crumb/delivery/held.h"
#include "crumb/delivery/push.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define RETRY_S 60 /* the first pause; it doubles */
#define RETRY_MOST 43200
#define RETRY_SANE                                                                                 \
	(2 * DAY_S) /* a partner may ask for a day; what says more was not written by us */
#define LOOK_MS 50

void outbox_path(const struct outbox *p, const char *name, char out[OUTBOX_PATH])
{
	snprintf(out, OUTBOX_PATH, "%s/%s", p->folder, name);
}

enum err outbox_open(const char *store, const char *destination, unsigned wait_s, struct outbox *p)
{
	char path[OUTBOX_PATH];
	snprintf(p->folder, sizeof p->folder, "%s/exports/%s", store, destination);
	p->lock = -1;
	enum err e = folder_make(p->folder, 0700);
	if (e)
		return e;
	outbox_path(p, "lock", path);
	p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->lock < 0)
		return err_sys_path(path);
	low_hold(); /* until it is closed: others wait for it */
	for (uint64_t until = clock_mono_us() + wait_s * 1000000ull;;
	     nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL)) {
		if (flock(p->lock, LOCK_EX | LOCK_NB) == 0)
			return OK;
		if (clock_mono_us() >= until)
			break;
	}
	low_release();
	close(p->lock);
	return err_set(ERR_BUSY,
	    "destination '%s' is being delivered to by another process; try again when it is "
	    "through",
	    destination);
}

void outbox_close(struct outbox *p)
{
	close(p->lock);
	low_release();
}

#define TEXT_MOST ((size_t)1 << 30) /* bytes of what is noted of deliveries, or is sent at once */

bool text_read(const char *path, struct buf *out)
{
	buf_clear(out);
	return file_read(path, TEXT_MOST, out) == OK;
}

/* A line at the end of a file, on disk when it returns. */
static enum err append(const char *path, struct str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys_path(path);
	off_t end = lseek(fd, 0, SEEK_END);
	errno = ENOSPC; /* what a short write means */
	enum err e = end >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0
			 ? OK
			 : err_sys_path(path);
	if (e && end >= 0 &&
	    ftruncate(fd, end) != 0) /* a part of a line would be the beginning of the next one */
		log_warn("deliver", "a line that was cut off stays path=%s", path);
	close(fd);
	return e;
}

enum err json_save(const char *path, const json_t *j)
{
	char *text = json_dumps(j, JSON_INDENT(2));
	if (!text || memory_short()) { /* something may be missing in it */
		free(text);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	enum err e = file_replace(path, str_c(text));
	free(text);
	return e;
}

/* --- a delivery under way */

static void pending_path(const struct pending *p, const char *name, char out[PENDING_PATH])
{
	snprintf(out, PENDING_PATH, "%s/%s", p->folder, name);
}

static const json_t *file_at(const struct pending *p, unsigned n)
{
	return json_array_get(json_object_get(p->manifest, "files"), n);
}

const char *json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

bool json_has(const json_t *o, const char *texts, const char *numbers)
{
	struct str rest = str_c(texts), word;
	while (str_cut(&rest, ',', &word))
		if (!json_is_string(json_object_getn(o, word.p, word.n)))
			return false;
	for (rest = str_c(numbers); str_cut(&rest, ',', &word);)
		if (!json_is_integer(json_object_getn(o, word.p, word.n)))
			return false;
	return true;
}

uint64_t json_number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
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

static void read_state(struct pending *p)
{
	char path[PENDING_PATH];
	struct buf text = {0};
	pending_path(p, "state", path);
	if (text_read(path, &text) && text.n) {
		buf_add(&text, "", 1);
		if (sscanf(text.p, "%u %u", &p->attempts, &p->next_try) != 2)
			p->attempts = p->next_try = 0;
		if (p->next_try > p->now + RETRY_SANE)
			p->next_try = 0;
	}
	buf_done(&text);
}

static enum err save_state(struct pending *p)
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

uint16_t pending_day(const struct pending *p)
{
	struct str text = str_c(json_text(p->manifest, "created"));
	uint16_t day;
	return day_parse(text.p, text.n < 10 ? text.n : 10, &day) ? day : 0;
}

/* Names are those of files in a folder of ours and nowhere else. */
static bool plain_name(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/') && strlen(s) < 300;
}

static bool is_manifest(const json_t *m)
{
	const json_t *files = json_object_get(m, "files"), *f;
	size_t i;
	if (!json_has(m, "delivery,destination,mode,created,rules", "added,removed") ||
	    !json_is_array(files) || !plain_name(json_text(m, "delivery")) ||
	    strlen(json_text(m, "delivery")) >= 128)
		return false;
	json_array_foreach(files, i, f) if (!plain_name(json_text(f, "name")) ||
					    strlen(json_text(f, "sha256")) != 64) return false;
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
		return access(p->folder, F_OK) == 0
			   ? err_set(ERR_CORRUPT, "%s: it cannot be read", path)
			   : ERR_NOT_FOUND;
	}
	p->manifest = json_loadb(text.p ? text.p : "", text.n, 0, &error);
	buf_done(&text);
	if (!is_manifest(p->manifest)) {
		json_decref(p->manifest);
		if (memory_short())
			return memory_check();
		return err_set(ERR_CORRUPT, "%s: this is not what was written", path);
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

/* --- its files */

/* Is it what was written? Says in `why` that it is not. */
static bool file_sound(const struct pending *p, unsigned n, const char *path, char why[300])
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
	bool same = read && strcmp(hex, json_text(file_at(p, n), "sha256")) == 0;
	if (!same)
		snprintf(why, 300,
		    "%.200s is not what was written: the next delivery says it again",
		    json_text(file_at(p, n), "name"));
	return same;
}

/* --- to a folder */

static enum err copy_bytes(const char *from, const char *to)
{
	static _Thread_local char part[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC),
	    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	enum err e = in < 0 ? err_sys_path(from) : out < 0 ? err_sys_path(to) : OK;
	for (ssize_t n = 1; !e && n;) {
		n = read(in, part, sizeof part);
		if (n < 0 || (n > 0 && write(out, part, (size_t)n) != n))
			e = err_sys_path(n < 0 ? from : to);
	}
	if (!e && fsync(out) != 0)
		e = err_sys_path(to);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return e;
}

/* Under its name complete or not at all. */
static enum err place_file(const char *from, const char *folder, const char *name)
{
	char part[FILE_PATH_MAX + FILE_NEW_NAME], whole[PENDING_PATH + 500];
	snprintf(whole, sizeof whole, "%s/%s", folder, name);
	file_temporary(folder, part);
	enum err e = link(from, part) == 0 ? OK : copy_bytes(from, part);
	if (!e && rename(part, whole) != 0)
		e = err_sys_path(whole);
	unlink(part); /* a rename onto a link of the same file leaves both */
	return e;
}

/* *state is DONE, or FAILED where a file is damaged. */
static enum err to_folder(struct pending *p, enum delivery_state *state, char why[300])
{
	char folder[OUTBOX_PATH], from[PENDING_PATH], name[400];
	const char *other = json_text(p->manifest, "where");
	if (*other)
		snprintf(folder, sizeof folder, "%s", other);
	else
		snprintf(folder, sizeof folder, STR_FMT, STR_ARG(p->d->where));
	enum err e = folder_make(folder, 0755);
	*state = DELIVERY_DONE;
	for (unsigned i = 0; i < p->files && !e; i++) {
		snprintf(name, sizeof name, "files/%s", json_text(file_at(p, i), "name"));
		pending_path(p, name, from);
		if (!file_sound(p, i, from, why)) {
			*state = DELIVERY_FAILED;
			return OK;
		}
		e = place_file(from, folder, name + 6);
	}
	/* the manifest says nothing of where we keep things */
	json_t *shown = json_copy(p->manifest);
	json_object_del(shown, "where");
	pending_path(p, "shown.json", from);
	if (!e)
		e = json_save(from, shown);
	json_decref(shown);
	snprintf(name, sizeof name, "%s.manifest.json", json_text(p->manifest, "delivery"));
	if (!e)
		e = place_file(from, folder, name);
	if (!e)
		e = folder_sync(folder);
	for (unsigned i = 0; i < p->files && !e; i++)
		p->finished[i] = p->acked[i] = true;
	return e;
}

/* --- over HTTPS */

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
	enum err e = lines.n ? append(path, buf_view(&lines)) : OK;
	buf_done(&lines);
	return e;
}

static enum err append_ack(struct pending *p, unsigned n, char what)
{
	char path[PENDING_PATH], line[32];
	pending_path(p, "acks", path);
	int len = snprintf(line, sizeof line, "%u%c\n", n, what);
	return append(path, str_make(line, (size_t)len));
}

static enum err acknowledge(struct pending *p, unsigned n, const struct push_answer *a)
{
	enum err e = note_refused(p, n, a);
	if (!e)
		e = append_ack(p, n, a->verdict == PUSH_TAKEN ? '+' : '?');
	p->finished[n] = true;
	p->acked[n] = a->verdict == PUSH_TAKEN;
	return e;
}

static void later(struct pending *p, uint32_t after_s)
{
	uint32_t pause = RETRY_S;
	for (unsigned i = 0; i < p->attempts && pause < RETRY_MOST; i++)
		pause *= 2;
	if (pause > RETRY_MOST)
		pause = RETRY_MOST;
	p->attempts++;
	p->next_try = p->now + (after_s > pause ? after_s : pause);
}

/* Sends what nobody has acknowledged. *state is DONE when all is through, WAITS, or FAILED. */
static enum err over_https(
    struct pending *p, const _Atomic bool *stop, enum delivery_state *state, char why[300])
{
	enum err e = OK;
	*state = DELIVERY_DONE;
	for (unsigned i = 0; i < p->files && !e && *state == DELIVERY_DONE; i++) {
		char path[PENDING_PATH], name[400], key[200];
		struct buf body = {0};
		struct push_answer a;
		if (p->finished[i])
			continue;
		snprintf(name, sizeof name, "files/%s", json_text(file_at(p, i), "name"));
		snprintf(key, sizeof key, "%s-%u", json_text(p->manifest, "delivery"), i + 1);
		pending_path(p, name, path);
		if (!file_sound(p, i, path, why)) {
			*state = DELIVERY_FAILED;
			return OK;
		}
		if ((e = file_read(path, TEXT_MOST, &body))) {
			buf_done(&body);
			return e;
		}
		p->sent[i]++;
		if (p->progress)
			p->progress("files sent", i);
		if ((e = append_ack(p, i, '>'))) {
			buf_done(&body);
			return e;
		}
		push_file(p->d, buf_view(&body), key, p->now, stop, &a);
		buf_done(&body);
		metric_inc(a.verdict <= PUSH_UNCERTAIN ? M_PUSH_TAKEN : M_PUSH_FAILED);
		snprintf(why, 300, "%s", a.why);
		if (a.verdict <= PUSH_UNCERTAIN) {
			e = acknowledge(p, i, &a);
		} else if (stop && atomic_load(stop)) {
			*state = DELIVERY_WAITS;
		} else {
			later(p, a.after_s);
			*state = a.verdict == PUSH_NEVER || p->attempts > p->d->retries
				     ? DELIVERY_FAILED
				     : DELIVERY_WAITS;
			e = save_state(p);
		}
		push_answer_done(&a);
	}
	return e;
}

/* --- the end of one */

/* What nobody took stays for a while, so that somebody can look at it. */
static enum err bury(struct pending *p, const char *why)
{
	char dead[OUTBOX_PATH], from[PENDING_PATH], to[PENDING_PATH + 500], name[400];
	snprintf(name, sizeof name, "dead/%s", json_text(p->manifest, "delivery"));
	outbox_path(p->place, name, dead);
	enum err e = folder_make(dead, 0700);
	for (unsigned i = 0; i < p->files && !e; i++) {
		const char *file = json_text(file_at(p, i), "name");
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

static enum err write_log(struct pending *p, enum delivery_state state, const char *why)
{
	char path[OUTBOX_PATH];
	unsigned done = 0;
	for (unsigned i = 0; i < p->files; i++)
		done += p->finished[i];
	json_t *line = json_pack("{s:O,s:O,s:O,s:O,s:s,s:I,s:O,s:O,s:I,s:i,s:i,s:i,s:s}",
	    "delivery", json_object_get(p->manifest, "delivery"), "destination",
	    json_object_get(p->manifest, "destination"), "mode",
	    json_object_get(p->manifest, "mode"), "rules", json_object_get(p->manifest, "rules"),
	    "state",
	    state == DELIVERY_DONE	 ? "delivered"
	    : state == DELIVERY_REPLACED ? "replaced"
					 : "failed",
	    "ended", (json_int_t)p->now, "added", json_object_get(p->manifest, "added"), "removed",
	    json_object_get(p->manifest, "removed"), "refused", (json_int_t)p->refused_n, "files",
	    (int)p->files, "files_done", (int)done, "attempts", (int)p->attempts, "why",
	    state == DELIVERY_DONE ? "" : why);
	char *text = json_dumps(line, JSON_COMPACT);
	struct buf b = {0};
	buf_c(&b, text);
	buf_c(&b, "\n");
	outbox_path(p->place, "log", path);
	enum err e = append(path, buf_view(&b));
	buf_done(&b);
	free(text);
	json_decref(line);
	return e;
}

enum err outbox_log(const struct outbox *place, const char *destination, const char *state,
    uint32_t now, const char *why)
{
	char path[OUTBOX_PATH];
	json_t *line = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:i,s:i,s:i,s:i,s:i,s:i,s:s}",
	    "delivery", "", "destination", destination, "mode", "", "rules", "", "state", state,
	    "ended", (json_int_t)now, "added", 0, "removed", 0, "refused", 0, "files", 0,
	    "files_done", 0, "attempts", 0, "why", why);
	char *text = json_dumps(line, JSON_COMPACT);
	struct buf b = {0};
	if (!text) {
		json_decref(line);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	buf_c(&b, text);
	buf_c(&b, "\n");
	outbox_path(place, "log", path);
	enum err e = append(path, buf_view(&b));
	buf_done(&b);
	free(text);
	json_decref(line);
	return e;
}

/* Refused rows are kept with what the partner said, as a file of their own. */
static enum err bury_refused(struct pending *p)
{
	char dead[OUTBOX_PATH], to[OUTBOX_PATH + 40], name[400];
	if (!p->refused_n)
		return OK;
	snprintf(name, sizeof name, "dead/%s", json_text(p->manifest, "delivery"));
	outbox_path(p->place, name, dead);
	snprintf(to, sizeof to, "%s/refused.tsv", dead);
	enum err e = folder_make(dead, 0700);
	return e ? e : file_replace(to, buf_view(&p->refused));
}

/* What was acknowledged becomes what is held. All of it may be done twice. */
enum err pending_finish(struct pending *p, enum delivery_state state, const char *why)
{
	char held[OUTBOX_PATH], rows[PENDING_PATH];
	map_done(&p->refused_keys);
	p->refused_keys = (struct map){.slots = NULL};
	p->refused_n = 0;
	read_refused(p);
	struct plan_ack ack = {p->acked, p->files, &p->refused_keys, p->sent, pending_day(p)};
	outbox_path(p->place, "held", held);
	pending_path(p, "rows", rows);
	enum err e = plan_confirm(held, rows, &ack);
	if (!e)
		e = bury_refused(p);
	if (!e && state == DELIVERY_FAILED)
		e = bury(p, why);
	if (!e)
		e = write_log(p, state, why);
	/* gone at once: a part of the folder would look like a delivery under way */
	char ended[OUTBOX_PATH];
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

/* Goes on with what is under way, as far as it gets. */
enum err pending_go_on(
    struct pending *p, bool patient, const _Atomic bool *stop, struct delivery *out)
{
	snprintf(out->id, sizeof out->id, "%s", json_text(p->manifest, "delivery"));
	out->full = strcmp(json_text(p->manifest, "mode"), "full") == 0;
	out->adds = json_number(p->manifest, "added");
	out->removes = json_number(p->manifest, "removed");
	out->files = p->files;
	out->state = DELIVERY_WAITS;
	enum err e = OK;
	bool folder = p->d->way->where != WHERE_URL || *json_text(p->manifest, "where");
	if (patient && p->next_try > p->now) {
		snprintf(out->why, sizeof out->why, "it waits for its time to be tried again");
	} else if (folder) {
		e = to_folder(p, &out->state, out->why);
	} else {
		e = over_https(p, stop, &out->state, out->why);
	}
	for (unsigned i = 0; i < p->files; i++)
		out->files_done += p->finished[i];
	out->attempts = p->attempts;
	out->next_try = p->next_try;
	if (!e && out->state != DELIVERY_WAITS)
		e = pending_finish(p, out->state, out->why);
	out->refused = p->refused_n;
	return e;
}
