/* The k gate and its memory. privacy/kgate.h shows what the memory is for and how its file looks.
 *
 * The file has no lock. It works without one because
 *	- every process appends a line in one write with O_APPEND, which no other write cuts,
 *	- a state is only ever replaced by a later line of the same group, so reading on from where
 *	  one has stopped (`read`) gives what others have told,
 *	- the owner of the store replaces the file by a new one, and whoever has the old one open
 *	  sees that its last name is gone, opens the new one and reads that from its beginning. A
 *	  line that was just appended to the old one is appended again.
 * A crash may tear the last line. A line counts when its end was written; whoever appends next
 * begins with a new line.
 *
 * Without memory for a name nothing may be told that would have to be remembered: the number is
 * withheld. */
#include "crumb/privacy/kgate.h"

#include "crumb/base/err.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "crumb/base/map.h"
#include "crumb/base/memory.h"
#include "crumb/core/config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

uint32_t kgate_k(const struct kgate *g)
{
	return g->k < K_FLOOR ? K_FLOOR : g->k;
}

struct shown kgate_show(const struct kgate *g, uint64_t visitors)
{
	if (visitors < kgate_k(g))
		return (struct shown){false, 0};
	return (struct shown){true, (visitors + KGATE_STEP / 2) / KGATE_STEP * KGATE_STEP};
}

struct shown kgate_show_count(const struct kgate *g, uint64_t n)
{
	return n ? kgate_show(g, n) : (struct shown){true, 0};
}

struct kgate kgate_of(const struct config *c)
{
	return (struct kgate){(uint32_t)c->k, c->told};
}

/* --- memory */

#define FILE_MOST (16 << 20) /* bytes: what is longer was not written by us */
#define NAME_MOST 256	     /* bytes of a kind and a name */

/* Of a group. 0: it was never told. */
enum { TOLD = 1, FELL = 2 };
static const char marks[] = {[TOLD] = '+', [FELL] = '-'};

struct kgate_memory {
	pthread_mutex_t lock;
	char *path; /* set when it is made */
	/* under lock */
	struct map state; /* by "KIND ID"; it owns its keys */
	int fd;		  /* the file, which other processes append to as well; -1: none */
	off_t read;	  /* so many bytes of the file are in `state` */
	bool failed;	  /* the last append failed, and the log says so */
};

/* False: there is no memory. */
static bool remember(struct kgate_memory *m, struct str key, uint32_t state)
{
	uint32_t old;
	if (map_get(&m->state, key, &old)) {
		map_set(&m->state, key, state);
		return true;
	}
	char *own = map_room(&m->state) ? str_dup(key) : NULL;
	if (!own) {
		memory_none();
		return false;
	}
	map_put(&m->state, str_make(own, key.n), state);
	return true;
}

struct kgate_memory *kgate_memory_new(void)
{
	struct kgate_memory *m = calloc(1, sizeof *m);
	CHECK(m);
	pthread_mutex_init(&m->lock, NULL);
	m->fd = -1;
	return m;
}

/* Takes a line "+ s shoes". Lines that are not of that form are passed over. False: there is no
 * memory. */
static bool read_line(struct kgate_memory *m, struct str line)
{
	bool whole = line.n > 4 && line.n < NAME_MOST + 2 && line.p[1] == ' ' && line.p[3] == ' ' &&
		     line.p[2] >= 'a' && line.p[2] <= 'z';
	if (!whole || (line.p[0] != marks[TOLD] && line.p[0] != marks[FELL]))
		return true;
	return remember(m, str_skip(line, 2), line.p[0] == marks[TOLD] ? TOLD : FELL);
}

/* Reads the file from where reading stopped to the end of its last whole line. False: there is no
 * memory. */
static bool read_on(struct kgate_memory *m)
{
	char part[16384];
	ssize_t n;
	while (m->read < FILE_MOST && (n = pread(m->fd, part, sizeof part, m->read)) > 0) {
		struct str rest = str_make(part, (size_t)n), line;
		size_t ends = rest.n;
		while (ends && part[ends - 1] != '\n')
			ends--;
		if (!ends && rest.n < sizeof part)
			break; /* a crash tore the line, or somebody is writing it */
		rest.n = ends;
		while (str_cut(&rest, '\n', &line) && rest.p)
			if (!read_line(m, line))
				return false;
		m->read += ends ? (off_t)ends : n; /* passes over a line too long to be ours */
	}
	return true;
}

/* Opens the file to read and append, or else to read. -1: there is none, or it is no plain file. */
static int open_told(const char *path)
{
	struct stat st;
	int flags = O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, fd = open(path, O_RDWR | flags);
	if (fd < 0)
		fd = open(path, O_RDONLY | flags);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Has another process written the file anew (it has no name any more, or is shorter)? Then the new
 * one is opened. */
static bool replaced(struct kgate_memory *m, struct stat *st)
{
	if (fstat(m->fd, st) != 0 || (st->st_nlink > 0 && st->st_size >= m->read))
		return false;
	close(m->fd);
	m->fd = open_told(m->path);
	m->read = 0;
	return m->fd >= 0;
}

/* Learns what other processes told meanwhile. False: there is no memory. */
static bool follow(struct kgate_memory *m)
{
	struct stat st;
	if (m->fd < 0 || (!replaced(m, &st) && st.st_size == m->read))
		return true;
	return m->fd < 0 || read_on(m);
}

/* Appends a line, behind what a full disk may have left of another. One write is cut neither by a
 * kill nor by another process that appends. The file is not synced: after a power failure the lines
 * told last may be missing. If the file was replaced meanwhile, the new one gets the line, too. */
static bool append(struct kgate_memory *m, const char *line, size_t n)
{
	struct stat st;
	bool done;
	do {
		bool torn = fstat(m->fd, &st) == 0 && st.st_size > m->read;
		done = (!torn || write(m->fd, "\n", 1) == 1) && write(m->fd, line, n) == (ssize_t)n;
	} while (replaced(m, &st));
	return done;
}

/* One line for each group, where the file had one for each change. */
static enum err write_anew(const struct kgate_memory *m, const char *path)
{
	struct file_new file;
	enum err e = file_begin(&file, path, 0600);
	if (e)
		return e;
	for (size_t i = 0; i < m->state.cap; i++) {
		uint32_t state = 0;
		struct str key = m->state.slots[i].key;
		if (key.p && map_get(&m->state, key, &state))
			fprintf(file.file, "%c " STR_FMT "\n", marks[state], STR_ARG(key));
	}
	return file_finish(&file);
}

struct kgate_memory *kgate_memory_open(const char *path, enum kgate_file file)
{
	const bool anew = file == KGATE_ANEW;
	struct kgate_memory *m = kgate_memory_new();
	enum err e = OK;
	off_t before;
	CHECK(m->path = str_dup(str_c(path)));
	m->fd = open_told(path);
	CHECK(m->fd < 0 || read_on(m));
	do { /* again, if somebody appended to the old file before it had lost its name */
		before = m->read;
		if (anew)
			e = write_anew(m, path);
		CHECK(m->fd < 0 || read_on(m));
	} while (anew && !e && m->read != before);
	if (e)
		log_warn("kgate", "what was told is not kept over a restart: %s file=%s",
		    err_text(), path);
	if (m->fd < 0)
		m->fd = open_told(path);
	CHECK(follow(m));
	return m;
}

void kgate_memory_free(struct kgate_memory *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->state.cap; i++)
		free((void *)(uintptr_t)m->state.slots[i].key.p);
	map_done(&m->state);
	if (m->fd >= 0)
		close(m->fd);
	pthread_mutex_destroy(&m->lock);
	free(m->path);
	free(m);
}

/* Notes a state, here and in the file. A failed write is a warning. False: there is no memory. */
static bool note(struct kgate_memory *m, struct str key, uint32_t state)
{
	char line[NAME_MOST + 8];
	if (!remember(m, key, state))
		return false;
	if (m->fd < 0)
		return true;
	int n = snprintf(line, sizeof line, "%c " STR_FMT "\n", marks[state], STR_ARG(key));
	bool failed = !append(m, line, (size_t)n);
	if (failed && !m->failed)
		log_warn("kgate", "what was told is not kept over a restart: %s", strerror(errno));
	m->failed = failed;
	return true;
}

struct shown kgate_show_group(const struct kgate *g, char kind, const char *id, uint64_t visitors)
{
	char name[NAME_MOST];
	struct shown n = kgate_show(g, visitors);
	if (!g->memory)
		return n;
	int length = snprintf(name, sizeof name, "%c %s", kind, id);
	struct str key =
	    str_make(name, (size_t)length < sizeof name ? (size_t)length : sizeof name - 1);
	uint32_t state = 0;
	low_hold(); /* a report is made by a low thread, and answers wait for the lock */
	pthread_mutex_lock(&g->memory->lock);
	bool known = follow(g->memory);
	map_get(&g->memory->state, key, &state);
	if (!known || (n.told && state == FELL && visitors < kgate_k(g) + KGATE_STEP)) {
		n = (struct shown){false, 0};
	} else if (n.told && state != TOLD) {
		if (!note(g->memory, key, TOLD))
			n = (struct shown){false, 0};
	} else if (!n.told && state == TOLD) {
		(void)note(g->memory, key, FELL); /* the name is there: no memory is needed */
	}
	pthread_mutex_unlock(&g->memory->lock);
	low_release();
	return n;
}

/* `told` and `fell` are the state of the memory, followed from day to day: `fell` becomes true on a
 * day below k after one that was told, and false on a day of k + 10 or more. The last day goes
 * through the memory itself. */
void kgate_show_days(const struct kgate *g, char kind, const char *id, const uint64_t *visitors,
    size_t n, struct shown *out)
{
	struct shown now =
	    n ? kgate_show_group(g, kind, id, visitors[n - 1]) : (struct shown){false, 0};
	bool withheld_now = !now.told, fell = false, told = false;
	for (size_t i = 0; i + 1 < n; i++) {
		out[i] = kgate_show(g, visitors[i]);
		fell = out[i].told ? fell && visitors[i] < kgate_k(g) + KGATE_STEP : fell || told;
		told |= out[i].told;
		if ((fell || withheld_now) && visitors[i] < kgate_k(g) + KGATE_STEP)
			out[i] = (struct shown){false, 0};
	}
	if (n)
		out[n - 1] = now;
}
