#include "crumb/privacy/kgate.h"

#include "crumb/base/err.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/base/map.h"
#include "crumb/base/memory.h"
#include "crumb/core/config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
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

struct kgate kgate_of(const struct config *c)
{
	return (struct kgate){(uint32_t)c->k, c->told};
}

/* --- memory */

#define FILE_MOST (16 << 20) /* bytes: a file that is longer was not written by us */
#define NAME_MOST 256

enum { TOLD = 1, FELL = 2 };
static const char marks[] = {[TOLD] = '+', [FELL] = '-'};

struct kgate_memory {
	pthread_mutex_t lock;
	struct map state; /* of "kind id" */
	int fd;		  /* the file, to which changes are appended; -1: none */
	bool failed;
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

/* Lines that say nothing are passed over: a crash may have torn the last. */
static void read_lines(struct kgate_memory *m, FILE *f)
{
	char line[NAME_MOST + 8];
	long at = 0;
	while (at < FILE_MOST && fgets(line, sizeof line, f)) {
		size_t n = strlen(line);
		at += (long)n;
		bool whole = n > 4 && line[n - 1] == '\n' && line[1] == ' ' && line[3] == ' ' && line[2] >= 'a' && line[2] <= 'z';
		if (whole && (line[0] == marks[TOLD] || line[0] == marks[FELL]))
			CHECK(remember(m, str_make(line + 2, n - 3), line[0] == marks[TOLD] ? TOLD : FELL)); /* at the start */
	}
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

struct kgate_memory *kgate_memory_open(const char *path, bool anew)
{
	struct kgate_memory *m = kgate_memory_new();
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (f) {
		read_lines(m, f);
		fclose(f);
	} else if (fd >= 0) {
		close(fd);
	}
	if (anew && write_anew(m, path) != OK)
		log_warn("kgate", "what was told is not kept over a restart: %s file=%s", err_text(), path);
	m->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
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
	free(m);
}

/* False: there is no memory, and so nothing may be told that would have to be remembered. In one write, which neither a kill nor another process that
 * appends cuts; what a power failure takes is what was told last. */
static bool note(struct kgate_memory *m, struct str key, uint32_t state)
{
	char line[NAME_MOST + 8];
	if (!remember(m, key, state))
		return false;
	if (m->fd < 0)
		return true;
	int n = snprintf(line, sizeof line, "%c " STR_FMT "\n", marks[state], STR_ARG(key));
	bool failed = write(m->fd, line, (size_t)n) != n;
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
	struct str key = str_make(name, (size_t)length < sizeof name ? (size_t)length : sizeof name - 1);
	uint32_t state = 0;
	pthread_mutex_lock(&g->memory->lock);
	map_get(&g->memory->state, key, &state);
	if (n.told && state == FELL && visitors < kgate_k(g) + KGATE_STEP)
		n = (struct shown){false, 0};
	else if (n.told && state != TOLD) {
		if (!note(g->memory, key, TOLD))
			n = (struct shown){false, 0};
	} else if (!n.told && state == TOLD)
		(void)note(g->memory, key, FELL); /* it is known: nothing is allocated */
	pthread_mutex_unlock(&g->memory->lock);
	return n;
}

void kgate_show_days(const struct kgate *g, char kind, const char *id, const uint64_t *visitors, size_t n, struct shown *out)
{
	struct shown now = n ? kgate_show_group(g, kind, id, visitors[n - 1]) : (struct shown){false, 0};
	bool fallen = !now.told, fell = false, told = false;
	for (size_t i = 0; i + 1 < n; i++) {
		out[i] = kgate_show(g, visitors[i]);
		fell = out[i].told ? fell && visitors[i] < kgate_k(g) + KGATE_STEP : fell || told;
		told |= out[i].told;
		if ((fell || fallen) && visitors[i] < kgate_k(g) + KGATE_STEP)
			out[i] = (struct shown){false, 0};
	}
	if (n)
		out[n - 1] = now;
}
