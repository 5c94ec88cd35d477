/* The history: who did what, for 90 days. It is the store's file `history`, one line of JSON each:
 *
 *     {"t":1795757841,"who":"anna","role":"marketer","what":"rules.publish","of":"shop.yaml",
 *      "why":"coats for the winter"}                                      (one line in the file)
 *
 * A line is appended with one write, and not flushed: the main thread notes some, and never waits
 * for the disk. So a power failure may take the last lines. What a crash cut off is no line, and is
 * passed over.
 *
 * The first job of a day (workers.c), and whoever reads, drops what is older than 90 days. When the
 * file has HISTORY_MOST bytes, the older quarter of it goes with the next job. Both write the file
 * anew, whole.
 *
 * No line says anything of a visitor: `of` is the id of a rule, a destination or a file, never a
 * key. Any thread; one lock. A note that cannot be written does not undo what was done: the log
 * says so. */
#include "routes.h"

#include "crumb/base/json.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_DAYS 90
#define HISTORY_MOST ((size_t)2 << 20) /* bytes of the file */
#define HISTORY_TOLD 1000	       /* lines of an answer */
#define OF_MOST 200		       /* bytes of a text; more is cut */
#define WHY_MOST 500

static void history_path(const struct admin *a, char out[FILE_PATH_MAX])
{
	snprintf(out, FILE_PATH_MAX, "%s/history", a->node->store->path);
}

/* --- what is too old */

/* When it happened; 0: this is no line. */
static int64_t time_of(struct str line)
{
	json_t *j = json_loadb(line.p, line.n, 0, NULL);
	int64_t t = json_integer_value(json_object_get(j, "t"));
	json_decref(j);
	return t;
}

/* The lines that happened at `from` or later, which are the end of the text. */
static struct str since(struct str text, int64_t from)
{
	struct str rest = text, line, kept = text;
	while (str_cut(&rest, '\n', &line)) {
		if (time_of(line) >= from)
			return kept;
		kept = rest;
	}
	return STR("");
}

/* The newer part of a file that has become too long, from the beginning of a line on. */
static struct str newer(struct str text)
{
	if (text.n < HISTORY_MOST)
		return text;
	struct str kept = str_skip(text, text.n - HISTORY_MOST / 4 * 3);
	return str_skip(kept, str_find(kept, '\n') + 1);
}

/* Drops what is too old or too much. Under the lock. */
static enum err drop_old(struct admin *a)
{
	char path[FILE_PATH_MAX];
	struct buf b = {0};
	uint32_t now = clock_now();
	history_path(a, path);
	enum err e = file_read(path, 2 * HISTORY_MOST, &b);
	if (e == ERR_NOT_FOUND) {
		a->history.day = day_of(now);
		e = OK;
	} else if (!e) {
		struct str kept = newer(since(buf_view(&b), (int64_t)now - HISTORY_DAYS * DAY_S));
		if (kept.n < b.n)
			e = file_replace(path, kept);
		if (!e)
			a->history.day = day_of(now);
	}
	buf_done(&b);
	return e;
}

void history_daily(struct admin *a)
{
	pthread_mutex_lock(&a->history.lock);
	enum err e = a->history.day == day_of(clock_now()) ? OK : drop_old(a);
	pthread_mutex_unlock(&a->history.lock);
	if (e)
		log_warn("admin", "the history cannot be shortened why=\"%s\"", err_text());
}

/* --- a note */

/* One write, behind a line end: what a crash cut off becomes a line of its own. */
static enum err append(struct admin *a, struct str line)
{
	char path[FILE_PATH_MAX], last = '\n';
	struct stat st;
	enum err e = OK;
	history_path(a, path);
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		e = err_sys("%s", path);
	if (!e && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		e = err_sys("%s", path);
	struct str whole = last == '\n' ? str_skip(line, 1) : line;
	if (!e && write(fd, whole.p, whole.n) != (ssize_t)whole.n)
		e = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	if (!e && (size_t)st.st_size + line.n > HISTORY_MOST)
		a->history.day = 0; /* a job is to drop some */
	return e;
}

/* At most so many bytes of a text, whole characters. */
static json_t *text_json(const char *text, size_t most)
{
	struct str s = str_c(text ? text : "");
	s.n = s.n > most ? most : s.n;
	return json_stringn(s.p ? s.p : "", utf8_valid(s));
}

void history_say(struct admin *a, const char *who, enum route_role role, const char *what,
    const char *of, const char *why)
{
	struct buf line = {0};
	uint32_t now = clock_now();
	json_t *j = json_pack("{s:I,s:s,s:s,s:s,s:o,s:o}", "t", (json_int_t)now, "who", who, "role",
	    role_name(role), "what", what, "of", text_json(of, OF_MOST), "why",
	    text_json(why, WHY_MOST));
	char *text = j ? json_whole(j, JSON_COMPACT) : NULL;
	enum err e = text ? OK : err_set(ERR_NOMEM, "no memory");
	if (!e) {
		buf_addf(&line, "\n%s\n", text);
		e = line.failed ? err_set(ERR_NOMEM, "no memory") : OK;
	}
	pthread_mutex_lock(&a->history.lock);
	if (!e)
		e = append(a, buf_view(&line));
	pthread_mutex_unlock(&a->history.lock);
	if (e)
		log_warn("admin", "the history lacks what was done what=%s why=\"%s\"", what,
		    err_text());
	buf_done(&line);
	free(text);
	json_decref(j);
}

void history_note(
    struct admin *a, const struct job *j, const char *what, const char *of, const char *why)
{
	history_say(a, j->who, j->role, what, of, why);
}

/* Was it said in this hour? Under the lock. What has no place is said each time. */
static bool said_already(struct history *h, const char *said)
{
	uint32_t hour = hour_of(clock_now());
	if (h->said_hour != hour)
		h->said_n = 0;
	h->said_hour = hour;
	for (unsigned i = 0; i < h->said_n; i++)
		if (strcmp(h->said[i], said) == 0)
			return true;
	if (h->said_n < HISTORY_SAID)
		snprintf(h->said[h->said_n++], sizeof h->said[0], "%s", said);
	return false;
}

/* Nobody pushes out what others did by doing something again and again. */
void history_say_often(struct admin *a, const char *who, enum route_role role, const char *what)
{
	char said[sizeof a->history.said[0]];
	snprintf(said, sizeof said, "%s %s", who, what);
	pthread_mutex_lock(&a->history.lock);
	bool again = said_already(&a->history, said);
	pthread_mutex_unlock(&a->history.lock);
	if (!again)
		history_say(a, who, role, what, "", "");
}

void history_note_often(struct admin *a, const struct job *j, const char *what)
{
	history_say_often(a, j->who, j->role, what);
}

/* --- GET /v1/history */

struct history_asked {
	int64_t days;
};

static enum err parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct history_asked *h = j->state;
	uint64_t days = asked_number(q, "days");
	(void)a;
	if (asked_came(q, "days") && (days < 1 || days > HISTORY_DAYS))
		return err_set(ERR_USAGE, "days is a number from 1 to %d", HISTORY_DAYS);
	h->days = days ? (int64_t)days : HISTORY_DAYS;
	return OK;
}

/* The last line of *text, which is cut off it. */
static struct str last_line(struct str *text)
{
	size_t n = text->n;
	while (n && text->p[n - 1] != '\n')
		n--;
	struct str line = str_skip(*text, n);
	text->n = n ? n - 1 : 0;
	return line;
}

/* Newest first. */
static json_t *history_rows(struct str text, int64_t from)
{
	json_t *rows = json_array();
	while (text.n && json_array_size(rows) < HISTORY_TOLD) {
		struct str line = last_line(&text);
		json_t *row = line.n ? json_loadb(line.p, line.n, 0, NULL) : NULL;
		int64_t t = json_integer_value(json_object_get(row, "t"));
		bool old = row && t < from;
		if (row && t && !old)
			json_array_append(rows, row);
		json_decref(row);
		if (old)
			break;
	}
	return rows;
}

static void run(struct admin *a, struct job *j)
{
	const struct history_asked *h = j->state;
	char path[FILE_PATH_MAX];
	struct buf b = {0};
	history_path(a, path);
	pthread_mutex_lock(&a->history.lock);
	j->result = a->history.day == day_of(clock_now()) ? OK : drop_old(a);
	if (!j->result)
		j->result = file_read(path, 2 * HISTORY_MOST, &b);
	pthread_mutex_unlock(&a->history.lock);
	if (j->result == ERR_NOT_FOUND)
		j->result = OK;
	if (!j->result)
		j->answer = history_rows(buf_view(&b), (int64_t)clock_now() - h->days * DAY_S);
	buf_done(&b);
}

void history_start(struct admin *a)
{
	pthread_mutex_init(&a->history.lock, NULL);
	if (drop_old(a))
		log_warn("admin", "the history cannot be read why=\"%s\"", err_text());
}

void history_end(struct admin *a)
{
	pthread_mutex_destroy(&a->history.lock);
}

static const struct shape history_fields[] = {
    {"t", SHAPE_WHOLE, .help = "when; seconds since 1970"},
    {"who", SHAPE_TEXT, .help = "name of the token; `operator` is `admin.token`"},
    {"role", SHAPE_TEXT, .help = "`viewer`, `marketer` or `operator`"},
    {"what", SHAPE_TEXT, .help = "what was done: `rules.publish`, `import`, …"},
    {"of", SHAPE_TEXT, .help = "what it was done to, or empty"},
    {"why", SHAPE_TEXT, .help = "the reason that was given, or empty"},
    {0},
};

const struct route routes_history[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/history",
	.help = "Who did what in the last 90 days, newest first, and at most 1,000 rows. What the "
		"same token does again and again, such as the pieces of an import, is told once "
		"an hour.",
	.role = ROLE_MARKETER,
	.by = BY_TELL,
	.params = {{"days", PARAM_NUMBER, PARAM_MAY, "How many days back: 1 to 90; else 90.",
	    .wrong = "days is a number from 1 to 90"}},
	.answers = {{200, "the rows", .shape = {.kind = SHAPE_LIST, .of = history_fields}}},
	.state = sizeof(struct history_asked),
	.parse = parse,
	.run = run,
    },
    {0},
};
