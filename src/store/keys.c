#include "crumb/store/keys.h"

#include "crumb/base/code.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "crumb keys 1\n\0\0"
enum {
	AT_COOKIE = 16,
	AT_IMPORTED = 32,
	AT_EXPORTED = 48,
	AT_GENERATIONS = 64,
	GENERATION_SIZE = 24,
	AT_DAYS = AT_GENERATIONS + GENERATIONS_MAX * GENERATION_SIZE,
	DAYS_MAX = 128,
	DAY_SIZE = 40,
	FILE_SIZE = AT_DAYS + DAYS_MAX * DAY_SIZE,
	KEY_IN_PLACE = 8
};

struct keys {
	pthread_mutex_t lock;
	int fd;
	uint8_t bytes[FILE_SIZE]; /* as on disk */
};

static enum err store_range(struct keys *k, size_t at, size_t n)
{
	if (pwrite(k->fd, k->bytes + at, n, (off_t)at) != (ssize_t)n || fdatasync(k->fd) != 0)
		return err_set(ERR_IO, "keys: %s", strerror(errno));
	return OK;
}

static enum err create(struct keys *k)
{
	memcpy(k->bytes, MAGIC, 16);
	randombytes_buf(k->bytes + AT_COOKIE, AT_GENERATIONS - AT_COOKIE);
	return store_range(k, 0, FILE_SIZE);
}

enum err keys_open(const char *path, bool make, struct keys **out)
{
	struct keys *k = calloc(1, sizeof *k);
	if (!k)
		return err_set(ERR_NOMEM, "no memory");
	pthread_mutex_init(&k->lock, NULL);
	enum err e = OK;
	struct stat st;
	k->fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
	if (k->fd < 0 && !make && errno == EACCES)
		k->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (k->fd < 0 || fstat(k->fd, &st) != 0)
		e = err_set(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
	else if (st.st_mode & 077)
		e = err_set(ERR_USAGE, "%s is readable by others: chmod 600 it", path);
	else if (make && st.st_size == 0)
		e = create(k);
	else if (st.st_size != FILE_SIZE || pread(k->fd, k->bytes, FILE_SIZE, 0) != FILE_SIZE || memcmp(k->bytes, MAGIC, 16) != 0)
		e = err_set(ERR_CORRUPT, "%s is no keys file of this version", path);
	if (e) {
		keys_close(k);
		return e;
	}
	(void)sodium_mlock(k->bytes, sizeof k->bytes); /* may be refused by limits: then the kernel may swap it */
	*out = k;
	return OK;
}

void keys_close(struct keys *k)
{
	if (!k)
		return;
	if (k->fd >= 0)
		close(k->fd);
	sodium_munlock(k->bytes, sizeof k->bytes);
	sodium_memzero(k->bytes, sizeof k->bytes);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* Finds the place of a day in a table, or an empty one; NULL when full. */
static uint8_t *place(struct keys *k, size_t table, size_t size, unsigned n, uint16_t day, bool *found)
{
	uint8_t *empty = NULL;
	for (unsigned i = 0; i < n; i++) {
		uint8_t *p = k->bytes + table + i * size;
		uint16_t have = get_u16(p);
		if (have == day && day) {
			*found = true;
			return p;
		}
		if (have == 0 && !empty)
			empty = p;
	}
	*found = false;
	return empty;
}

static enum err make_key(struct keys *k, uint8_t *p, size_t size, uint16_t day)
{
	if (!p)
		return err_set(ERR_FULL, "keys: no place for the key of another day");
	put_u16(p, day);
	randombytes_buf(p + KEY_IN_PLACE, size - KEY_IN_PLACE);
	enum err e = store_range(k, (size_t)(p - k->bytes), size);
	if (e)
		memset(p, 0, size);
	return e;
}

enum err keys_identity(struct keys *k, uint16_t today, struct identity_keys *out)
{
	bool found;
	uint16_t first = generation_of(today);
	enum err e = OK;
	pthread_mutex_lock(&k->lock);
	uint8_t *p = place(k, AT_GENERATIONS, GENERATION_SIZE, GENERATIONS_MAX, first, &found);
	if (!found)
		e = make_key(k, p, GENERATION_SIZE, first);
	if (!e) {
		memcpy(out->cookie.b, k->bytes + AT_COOKIE, 16);
		memcpy(out->imported.b, k->bytes + AT_IMPORTED, 16);
		memcpy(out->exported.b, k->bytes + AT_EXPORTED, 16);
		for (int i = 0; i < GENERATIONS_MAX; i++) {
			const uint8_t *g = k->bytes + AT_GENERATIONS + i * GENERATION_SIZE;
			out->generations[i].first_day = get_u16(g);
			memcpy(out->generations[i].key.b, g + KEY_IN_PLACE, 16);
		}
	}
	pthread_mutex_unlock(&k->lock);
	return e;
}

enum err keys_day(struct keys *k, uint16_t day, bool make, uint8_t out[32])
{
	bool found;
	enum err e = OK;
	pthread_mutex_lock(&k->lock);
	uint8_t *p = place(k, AT_DAYS, DAY_SIZE, DAYS_MAX, day, &found);
	if (!found)
		e = make ? make_key(k, p, DAY_SIZE, day) : err_set(ERR_NOT_FOUND, "keys: the key of that day is gone");
	if (!e)
		memcpy(out, p + KEY_IN_PLACE, 32);
	pthread_mutex_unlock(&k->lock);
	return e;
}

static enum err destroy(struct keys *k, uint8_t *p, size_t size)
{
	sodium_memzero(p, size);
	return store_range(k, (size_t)(p - k->bytes), size);
}

enum err keys_expire(struct keys *k, uint16_t oldest, uint16_t today)
{
	enum err e = OK;
	pthread_mutex_lock(&k->lock);
	for (unsigned i = 0; i < DAYS_MAX && !e; i++) {
		uint8_t *p = k->bytes + AT_DAYS + i * DAY_SIZE;
		if (get_u16(p) && get_u16(p) < oldest)
			e = destroy(k, p, DAY_SIZE);
	}
	for (unsigned i = 0; i < GENERATIONS_MAX && !e; i++) {
		uint8_t *p = k->bytes + AT_GENERATIONS + i * GENERATION_SIZE;
		if (get_u16(p) && get_u16(p) + GENERATION_DAYS - 1 + COOKIE_DAYS <= today)
			e = destroy(k, p, GENERATION_SIZE);
	}
	pthread_mutex_unlock(&k->lock);
	return e;
}
