#include "crumb/store/erased.h"

#include "crumb/base/buf.h"
#include "crumb/base/code.h"
#include "crumb/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ENTRY_LEN = 24 };

struct entry {
	struct vkey key;
	uint16_t day;
};

struct erased {
	char path[3800];
	pthread_mutex_t lock;
	struct entry *list; /* by key, the latest day of each */
	size_t n, cap;
};

/* Where the key is, or would be. */
static size_t place_of(const struct erased *e, const struct vkey *k)
{
	size_t lo = 0, hi = e->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (memcmp(e->list[mid].key.b, k->b, sizeof k->b) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool at(const struct erased *e, size_t i, const struct vkey *k)
{
	return i < e->n && memcmp(e->list[i].key.b, k->b, sizeof k->b) == 0;
}

static void put(struct erased *e, const struct vkey *k, uint16_t day)
{
	size_t i = place_of(e, k);
	if (at(e, i, k)) {
		e->list[i].day = day > e->list[i].day ? day : e->list[i].day;
		return;
	}
	if (e->n == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 64;
		e->list = realloc(e->list, e->cap * sizeof *e->list);
		CHECK(e->list);
	}
	memmove(e->list + i + 1, e->list + i, (e->n - i) * sizeof *e->list);
	e->list[i] = (struct entry){*k, day};
	e->n++;
}

static void encode(const struct vkey *k, uint16_t day, uint8_t out[ENTRY_LEN])
{
	memset(out, 0, ENTRY_LEN);
	memcpy(out, k->b, sizeof k->b);
	put_u16(out + sizeof k->b, day);
}

static enum err io(const struct erased *e)
{
	return err_set(errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", e->path, strerror(errno));
}

enum err erased_open(const char *path, bool create, struct erased **out)
{
	struct erased *e = calloc(1, sizeof *e);
	uint8_t b[ENTRY_LEN];
	if (!e)
		return err_set(ERR_NOMEM, "no memory");
	snprintf(e->path, sizeof e->path, "%s", path);
	pthread_mutex_init(&e->lock, NULL);
	int fd = open(path, (create ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600);
	if (fd < 0 && (create || errno != ENOENT)) {
		enum err why = io(e);
		erased_close(e);
		return why;
	}
	/* bytes behind the last whole entry are of one whose erasure was never answered */
	off_t size = 0;
	while (fd >= 0 && read(fd, b, sizeof b) == ENTRY_LEN) {
		struct vkey k;
		memcpy(k.b, b, sizeof k.b);
		put(e, &k, get_u16(b + sizeof k.b));
		size += ENTRY_LEN;
	}
	if (create && ftruncate(fd, size) != 0) {
		enum err why = io(e);
		close(fd);
		erased_close(e);
		return why;
	}
	if (fd >= 0)
		close(fd);
	*out = e;
	return OK;
}

void erased_close(struct erased *e)
{
	if (!e)
		return;
	pthread_mutex_destroy(&e->lock);
	free(e->list);
	free(e);
}

enum err erased_add(struct erased *e, const struct vkey *keys, size_t n, uint16_t day)
{
	struct buf b = {0};
	enum err why = OK;
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < n; i++) {
		uint8_t entry[ENTRY_LEN];
		size_t place = place_of(e, &keys[i]);
		if (at(e, place, &keys[i]) && e->list[place].day >= day)
			continue; /* asking again and again makes nothing grow */
		encode(&keys[i], day, entry);
		buf_add(&b, entry, sizeof entry);
	}
	if (b.n) {
		int fd = b.failed ? -1 : open(e->path, O_WRONLY | O_APPEND | O_CREAT | O_DSYNC | O_CLOEXEC, 0600);
		off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
		if (size < 0 || write(fd, b.p, b.n) != (ssize_t)b.n)
			why = io(e);
		if (why && size >= 0 && ftruncate(fd, size) != 0) /* a part of an entry would put all behind it out of place */
			why = io(e);
		if (fd >= 0)
			close(fd);
	}
	for (size_t i = 0; i < n && !why; i++)
		put(e, &keys[i], day);
	pthread_mutex_unlock(&e->lock);
	buf_done(&b);
	return why;
}

bool erased_since(struct erased *e, const struct vkey *k, uint16_t day)
{
	pthread_mutex_lock(&e->lock);
	size_t i = place_of(e, k);
	bool found = at(e, i, k) && e->list[i].day >= day;
	pthread_mutex_unlock(&e->lock);
	return found;
}

size_t erased_count_since(struct erased *e, uint16_t day)
{
	size_t n = 0;
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n; i++)
		n += e->list[i].day >= day;
	pthread_mutex_unlock(&e->lock);
	return n;
}

size_t erased_all(struct erased *e, struct vkey **out)
{
	pthread_mutex_lock(&e->lock);
	size_t n = e->n;
	*out = calloc(n + 1, sizeof **out);
	CHECK(*out);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = e->list[i].key;
	pthread_mutex_unlock(&e->lock);
	return n;
}

enum err erased_expire(struct erased *e, uint16_t oldest)
{
	struct buf b = {0};
	size_t kept = 0;
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n; i++) {
		uint8_t entry[ENTRY_LEN];
		if (e->list[i].day < oldest)
			continue;
		e->list[kept++] = e->list[i];
		encode(&e->list[i].key, e->list[i].day, entry);
		buf_add(&b, entry, sizeof entry);
	}
	enum err why = kept == e->n ? OK : b.failed ? err_set(ERR_NOMEM, "no memory") : file_replace(e->path, b.n ? buf_view(&b) : STR(""));
	e->n = kept;
	pthread_mutex_unlock(&e->lock);
	buf_done(&b);
	return why;
}
