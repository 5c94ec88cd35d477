/* The folder of one destination: who may write there, what is logged there, and how its files of
 * text and JSON are read and written.
 *
 * The lock is flock() on the file `lock`. The system gives such a lock back when its process dies,
 * however it dies, so no lock is ever left over. flock() cannot wait for a while, so whoever waits
 * looks every 50 ms. */
#include "outbox.h"

#include "crumb/base/json.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "crumb/base/memory.h"
#include "crumb/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 50		    /* between two looks at a lock that somebody has */
#define TEXT_MOST ((size_t)1 << 30) /* bytes of a file of text */

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
	low_hold(); /* others wait for the lock: work at full speed until it is given back */
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

/* --- the log */

enum err outbox_log(const struct outbox *place, json_t *line)
{
	char path[OUTBOX_PATH];
	char *text = json_whole(line, JSON_COMPACT);
	struct buf b = {0};
	json_decref(line);
	if (!text)
		return err_set(ERR_NOMEM, "no memory for this now");
	buf_c(&b, text);
	buf_c(&b, "\n");
	free(text);
	outbox_path(place, "log", path);
	enum err e = b.failed ? err_set(ERR_NOMEM, "no memory for this now")
			      : text_append(path, buf_view(&b));
	buf_done(&b);
	return e;
}

enum err outbox_log_event(const struct outbox *place, const char *destination, const char *state,
    uint32_t now, const char *why)
{
	return outbox_log(
	    place, json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:i,s:i,s:i,s:i,s:i,s:i,s:s}", "delivery",
		       "", "destination", destination, "mode", "", "rules", "", "state", state,
		       "ended", (json_int_t)now, "added", 0, "removed", 0, "refused", 0, "files", 0,
		       "files_done", 0, "attempts", 0, "why", why));
}

/* --- text and JSON */

bool text_read(const char *path, struct buf *out)
{
	buf_clear(out);
	return file_read(path, TEXT_MOST, out) == OK;
}

/* What was written of a line is cut off again where the rest does not fit: a part of a line would
 * be the beginning of the next one. */
enum err text_append(const char *path, struct str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys_path(path);
	off_t end = lseek(fd, 0, SEEK_END);
	errno = ENOSPC; /* what a short write means */
	enum err e = end >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0
			 ? OK
			 : err_sys_path(path);
	if (e && end >= 0 && ftruncate(fd, end) != 0)
		log_warn("deliver", "a line that was cut off cannot be removed path=%s", path);
	close(fd);
	return e;
}

enum err json_save(const char *path, const json_t *j)
{
	char *text = json_whole(j, JSON_INDENT(2));
	if (!text || memory_short()) { /* something may be missing in it */
		free(text);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	enum err e = file_replace(path, str_c(text));
	free(text);
	return e;
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
