#include "crumb/disk/keys.h"

#include "crumb/base/code.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "crumb keys 1\n\0\0"
#define SEAL_MAGIC "crumb seal 1\n\0\0"
enum {
	AT_COOKIE = 16,
	AT_IMPORTED = 32,
	AT_EXPORTED = 48,
	AT_GENERATIONS = 64,
	GENERATION_SIZE = 24,
	AT_DAYS = AT_GENERATIONS + GENERATIONS_MAX * GENERATION_SIZE,
	DAYS_MAX = 128,
	DAY_SIZE = 40,
	BODY_SIZE = AT_DAYS + DAYS_MAX * DAY_SIZE,
	KEY_IN_PLACE = 8,
	PLACES = GENERATIONS_MAX + DAYS_MAX,
	/* in the seal */
	SEAL_SIZE = 256, /* within one sector of the disk: it is written whole or not at all */
	AT_ID = 16,
	AT_SERIAL = 32,
	AT_DESTROYED = 40,
	AT_CHANGING = 42,
	CHANGING_LEN = PLACES / 8,
	SUMMED = 64, /* what stands before the sums */
	AT_SUM = 64,
	AT_REST_SUM = 96,
	SUM_LEN = 32,
	SEAL_END = 128
};
_Static_assert(PLACES % 8 == 0 && AT_CHANGING + CHANGING_LEN <= SUMMED, "the bits fit");
_Static_assert(
    BODY_SIZE / 512 == (BODY_SIZE + SEAL_SIZE - 1) / 512, "a seal does not cross a sector");

struct keys {
	pthread_mutex_t
	    file; /* who changes keys holds it while he waits for the disk; taken first */
	pthread_mutex_t lock; /* guards what others read meanwhile: the body, which only its holder
				 and the file's changes */
	int fd;
	bool sealed, reading;
	uint8_t limbo[CHANGING_LEN]; /* places whose bytes on disk are not known since a write
					failed; all of them are to be empty */
	void (*changed)(void *, uint64_t);
	void *arg;
	uint8_t body[BODY_SIZE], seal[SEAL_SIZE]; /* as on disk */
	uint8_t next[BODY_SIZE];		  /* as it is to be */
	uint8_t id[STORE_ID_LEN]; /* the seal's, which is written anew while others read this */
};

/* --- places */

static uint8_t *place_at(uint8_t *body, unsigned i)
{
	return i < GENERATIONS_MAX ? body + AT_GENERATIONS + i * GENERATION_SIZE
				   : body + AT_DAYS + (i - GENERATIONS_MAX) * DAY_SIZE;
}

static size_t place_size(unsigned i)
{
	return i < GENERATIONS_MAX ? GENERATION_SIZE : DAY_SIZE;
}

static bool bit(const uint8_t *bits, unsigned i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static void empty_places(uint8_t *body, const uint8_t bits[CHANGING_LEN])
{
	for (unsigned i = 0; i < PLACES; i++)
		if (bit(bits, i))
			sodium_memzero(place_at(body, i), place_size(i));
}

/* --- the seal */

static void sum_of(const uint8_t *seal, const uint8_t *body, uint8_t out[SUM_LEN])
{
	crypto_generichash_state h;
	crypto_generichash_init(&h, NULL, 0, SUM_LEN);
	crypto_generichash_update(&h, seal, SUMMED);
	crypto_generichash_update(&h, body, BODY_SIZE);
	crypto_generichash_final(&h, out, SUM_LEN);
	sodium_memzero(&h, sizeof h);
}

static enum err write_at(struct keys *k, const uint8_t *p, size_t n, size_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = pwrite(k->fd, p + done, n - done, (off_t)(at + done));
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_sys("keys");
		done += (size_t)w;
	}
	return fdatasync(k->fd) == 0 ? OK : err_sys("keys");
}

/* Seals `body`, of which the places `changing` are about to be written; NULL: none are. */
static enum err write_seal(struct keys *k, const uint8_t *body, const uint8_t *changing)
{
	uint8_t s[SEAL_SIZE];
	static const uint8_t none[CHANGING_LEN];
	memcpy(s, k->seal, sizeof s);
	memset(s + SUMMED, 0, sizeof s - SUMMED);
	memcpy(s + AT_CHANGING, changing ? changing : none, CHANGING_LEN);
	sum_of(s, body, s + AT_SUM);
	if (changing) {
		uint8_t rest[BODY_SIZE];
		memcpy(rest, body, sizeof rest);
		empty_places(rest, changing);
		sum_of(s, rest, s + AT_REST_SUM);
		sodium_memzero(rest, sizeof rest);
	}
	enum err e = write_at(k, s, sizeof s, BODY_SIZE);
	if (!e)
		memcpy(k->seal, s, sizeof s);
	return e;
}

/* Is what was read whole? Puts right what a crash left in the middle. */
static bool whole(struct keys *k, bool *mend)
{
	static const uint8_t none[SEAL_SIZE];
	uint8_t sum[SUM_LEN], changing[CHANGING_LEN];
	const uint8_t *s = k->seal;
	*mend = false;
	memcpy(changing, s + AT_CHANGING, sizeof changing);
	if (memcmp(s, SEAL_MAGIC, 16) != 0 || memcmp(s + SEAL_END, none, SEAL_SIZE - SEAL_END) != 0)
		return false;
	sum_of(s, k->body, sum);
	*mend = memcmp(changing, none, CHANGING_LEN) != 0;
	if (memcmp(sum, s + AT_SUM, SUM_LEN) == 0)
		return *mend || memcmp(s + AT_REST_SUM, none, SUM_LEN) == 0;
	empty_places(k->body, changing);
	sum_of(s, k->body, sum);
	return *mend && memcmp(sum, s + AT_REST_SUM, SUM_LEN) == 0;
}

/* Makes the body what k->next says, of which `changing` differ. What is in memory changes when it
 * is on disk, and not before. */
static enum err change(struct keys *k, const uint8_t changing[CHANGING_LEN])
{
	size_t from = BODY_SIZE, to = 0;
	uint8_t all[CHANGING_LEN];
	for (unsigned i = 0; i < CHANGING_LEN; i++)
		all[i] = changing[i] | k->limbo[i];
	for (unsigned i = 0; i < PLACES; i++) {
		if (!bit(all, i))
			continue;
		size_t at = (size_t)(place_at(k->next, i) - k->next);
		from = at < from ? at : from;
		to = at + place_size(i) > to ? at + place_size(i) : to;
		if (!bit(changing, i))
			sodium_memzero(place_at(k->next, i), place_size(i));
	}
	put_u64(k->seal + AT_SERIAL, get_u64(k->seal + AT_SERIAL) + 1);
	enum err e = to && k->sealed ? write_seal(k, k->next, all) : OK;
	if (!e && to) {
		memcpy(k->limbo, all, sizeof all);
		e = write_at(k, k->next + from, to - from, from);
	}
	if (!e && k->sealed)
		e = write_seal(k, k->next, NULL);
	if (!e) {
		pthread_mutex_lock(&k->lock);
		memcpy(k->body, k->next, sizeof k->body);
		pthread_mutex_unlock(&k->lock);
		memset(k->limbo, 0, sizeof k->limbo);
		if (k->changed)
			k->changed(k->arg, get_u64(k->seal + AT_SERIAL));
	}
	sodium_memzero(k->next, sizeof k->next);
	return e;
}

/* --- opening */

static void fresh_seal(struct keys *k)
{
	memset(k->seal, 0, sizeof k->seal);
	memcpy(k->seal, SEAL_MAGIC, 16);
	randombytes_buf(k->seal + AT_ID, STORE_ID_LEN);
}

static enum err make(struct keys *k)
{
	uint8_t all[BODY_SIZE + SEAL_SIZE];
	memcpy(k->body, MAGIC, 16);
	randombytes_buf(k->body + AT_COOKIE, AT_GENERATIONS - AT_COOKIE);
	fresh_seal(k);
	sum_of(k->seal, k->body, k->seal + AT_SUM);
	memcpy(all, k->body, BODY_SIZE);
	memcpy(all + BODY_SIZE, k->seal, SEAL_SIZE);
	k->sealed = true;
	enum err e = write_at(k, all, sizeof all, 0);
	sodium_memzero(all, sizeof all);
	return e;
}

static enum err damaged(const char *path)
{
	return err_set(ERR_CORRUPT, "%s is damaged: put back the newest copy of it", path);
}

static enum err load(struct keys *k, const char *path, enum keys_mode mode, off_t size)
{
	bool mend;
	if (size < BODY_SIZE || size > BODY_SIZE + SEAL_SIZE ||
	    pread(k->fd, k->body, BODY_SIZE, 0) != BODY_SIZE)
		return damaged(path);
	if (memcmp(k->body, MAGIC, 16) != 0)
		return err_set(ERR_CORRUPT,
		    "%s is damaged, or no keys file of this version: put back the newest copy of "
		    "it",
		    path);
	if (size < BODY_SIZE + SEAL_SIZE)
		return OK; /* of an older crumb, or a crash while it got its seal */
	/* a server may be changing it while we look */
	for (int tries = 0;; tries++) {
		if (pread(k->fd, k->seal, SEAL_SIZE, BODY_SIZE) != SEAL_SIZE ||
		    pread(k->fd, k->body, BODY_SIZE, 0) != BODY_SIZE)
			return damaged(path);
		if (whole(k, &mend))
			break;
		if (tries == 10 || mode != KEYS_READ)
			return damaged(path);
		nanosleep(&(struct timespec){0, 20000000}, NULL);
	}
	k->sealed = true;
	if (!mend || mode == KEYS_READ)
		return OK;
	uint8_t changing[CHANGING_LEN];
	memcpy(changing, k->seal + AT_CHANGING, sizeof changing);
	memcpy(k->next, k->body, sizeof k->next);
	empty_places(k->next, changing);
	return change(k, changing);
}

enum err keys_open(const char *path, enum keys_mode mode, struct keys **out)
{
	struct keys *k = calloc(1, sizeof *k);
	if (!k)
		return err_set(ERR_NOMEM, "no memory");
	pthread_mutex_init(&k->file, NULL);
	pthread_mutex_init(&k->lock, NULL);
	(void)sodium_mlock(
	    k, sizeof *k); /* may be refused by limits: then the kernel may swap it */
	enum err e = OK;
	struct stat st;
	k->reading = mode == KEYS_READ;
	k->fd = open(path, (mode == KEYS_READ ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (k->fd < 0 && mode == KEYS_MAKE && errno == ENOENT)
		k->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (k->fd < 0 || fstat(k->fd, &st) != 0)
		e = err_sys_path(path);
	else if (!S_ISREG(st.st_mode))
		e = err_set(ERR_CORRUPT, "%s is no file: put back the newest copy of it", path);
	else if (st.st_mode & 077)
		e = err_set(ERR_USAGE, "%s is readable by others: chmod 600 it", path);
	else if (mode == KEYS_MAKE)
		e = st.st_size ? err_set(ERR_CORRUPT, "%s is there already", path) : make(k);
	else
		e = load(k, path, mode, st.st_size);
	memcpy(k->id, k->seal + AT_ID, STORE_ID_LEN);
	if (e)
		keys_close(k);
	else
		*out = k;
	return e;
}

void keys_close(struct keys *k)
{
	if (!k)
		return;
	if (k->fd >= 0)
		close(k->fd);
	pthread_mutex_destroy(&k->file);
	pthread_mutex_destroy(&k->lock);
	sodium_memzero(k, sizeof *k);
	sodium_munlock(k, sizeof *k);
	free(k);
}

bool keys_sealed(struct keys *k)
{
	return k->sealed;
}

enum err keys_seal(struct keys *k)
{
	enum err e = OK;
	pthread_mutex_lock(&k->file);
	if (!k->sealed) {
		fresh_seal(k);
		put_u64(k->seal + AT_SERIAL, 1);
		if (!(e = write_seal(k, k->body, NULL)))
			k->sealed = true;
		memcpy(k->id, k->seal + AT_ID, STORE_ID_LEN);
	}
	pthread_mutex_unlock(&k->file);
	return e;
}

void keys_id(struct keys *k, uint8_t out[STORE_ID_LEN])
{
	memcpy(out, k->id, STORE_ID_LEN); /* never changes once the store is open */
}

uint64_t keys_serial(struct keys *k)
{
	pthread_mutex_lock(&k->file);
	uint64_t serial = get_u64(k->seal + AT_SERIAL);
	pthread_mutex_unlock(&k->file);
	return serial;
}

uint16_t keys_destroyed_before(struct keys *k)
{
	pthread_mutex_lock(&k->file);
	uint16_t day = get_u16(k->seal + AT_DESTROYED);
	pthread_mutex_unlock(&k->file);
	return day;
}

void keys_on_change(struct keys *k, void (*changed)(void *, uint64_t), void *arg)
{
	pthread_mutex_lock(&k->file);
	k->changed = changed;
	k->arg = arg;
	pthread_mutex_unlock(&k->file);
}

/* --- keys */

/* The place of a day among [first, end); PLACES when there is none. One of the locks is held. */
static unsigned find(const struct keys *k, unsigned first, unsigned end, uint16_t day)
{
	for (unsigned i = first; i < end; i++)
		if (day && get_u16(place_at((uint8_t *)k->body, i)) == day)
			return i;
	return PLACES;
}

/* The file's lock is held. */
static unsigned find_empty(const struct keys *k, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		if (get_u16(place_at((uint8_t *)k->body, i)) == 0 && !bit(k->limbo, i))
			return i;
	return PLACES;
}

static enum err make_key(struct keys *k, unsigned i, uint16_t day)
{
	uint8_t changing[CHANGING_LEN] = {0};
	if (i == PLACES)
		return err_set(ERR_FULL, "keys: no place for the key of another day");
	changing[i / 8] = (uint8_t)(1u << i % 8);
	memcpy(k->next, k->body, sizeof k->next);
	put_u16(place_at(k->next, i), day);
	randombytes_buf(place_at(k->next, i) + KEY_IN_PLACE, place_size(i) - KEY_IN_PLACE);
	return change(k, changing);
}

static bool has_key(struct keys *k, unsigned first, unsigned end, uint16_t day)
{
	pthread_mutex_lock(&k->lock);
	bool has = find(k, first, end, day) < PLACES;
	pthread_mutex_unlock(&k->lock);
	return has;
}

/* Makes the key of a day among [first, end) unless there is one. */
static enum err have_key(struct keys *k, unsigned first, unsigned end, uint16_t day)
{
	enum err e = OK;
	if (has_key(k, first, end, day))
		return OK;
	pthread_mutex_lock(&k->file);
	if (find(k, first, end, day) == PLACES) /* nor has somebody just made it */
		e = make_key(k, find_empty(k, first, end), day);
	pthread_mutex_unlock(&k->file);
	return e;
}

enum err keys_identity(struct keys *k, uint16_t today, struct identity_keys *out)
{
	/* a reader goes without: nobody has a cookie of those days yet */
	enum err e = k->reading ? OK : have_key(k, 0, GENERATIONS_MAX, generation_of(today));
	if (e)
		return e;
	pthread_mutex_lock(&k->lock);
	memcpy(out->cookie.b, k->body + AT_COOKIE, 16);
	memcpy(out->imported.b, k->body + AT_IMPORTED, 16);
	memcpy(out->exported.b, k->body + AT_EXPORTED, 16);
	for (unsigned i = 0; i < GENERATIONS_MAX; i++) {
		const uint8_t *g = place_at(k->body, i);
		out->generations[i].first_day = get_u16(g);
		memcpy(out->generations[i].key.b, g + KEY_IN_PLACE, 16);
	}
	pthread_mutex_unlock(&k->lock);
	return OK;
}

enum err keys_day(struct keys *k, uint16_t day, enum keys_missing missing, uint8_t out[32])
{
	enum err e = missing == KEYS_DAY_MAKE ? have_key(k, GENERATIONS_MAX, PLACES, day) : OK;
	if (e)
		return e;
	pthread_mutex_lock(&k->lock);
	unsigned at = find(k, GENERATIONS_MAX, PLACES, day);
	if (at < PLACES)
		memcpy(out, place_at(k->body, at) + KEY_IN_PLACE, 32);
	pthread_mutex_unlock(&k->lock);
	return at < PLACES ? OK : err_set(ERR_NOT_FOUND, "keys: there is no key of that day");
}

unsigned keys_days(struct keys *k, uint16_t *out, unsigned cap)
{
	unsigned n = 0;
	pthread_mutex_lock(&k->lock);
	for (unsigned i = GENERATIONS_MAX; i < PLACES && n < cap; i++)
		if (get_u16(place_at(k->body, i)))
			out[n++] = get_u16(place_at(k->body, i));
	pthread_mutex_unlock(&k->lock);
	return n;
}

enum err keys_expire(struct keys *k, uint16_t oldest, uint16_t today)
{
	uint8_t changing[CHANGING_LEN] = {0};
	bool any = false;
	pthread_mutex_lock(&k->file);
	for (unsigned i = 0; i < PLACES; i++) {
		uint32_t day = get_u16(place_at(k->body, i));
		if (day && (i < GENERATIONS_MAX ? day + GENERATION_DAYS - 1 + COOKIE_DAYS <= today
						: day < oldest)) {
			changing[i / 8] |= (uint8_t)(1u << i % 8);
			any = true;
		}
	}
	uint16_t before = get_u16(k->seal + AT_DESTROYED);
	enum err e = OK;
	if (any || (k->sealed && oldest > before)) {
		memcpy(k->next, k->body, sizeof k->next);
		empty_places(k->next, changing);
		put_u16(k->seal + AT_DESTROYED, oldest > before ? oldest : before);
		if ((e = change(k, changing)))
			put_u16(k->seal + AT_DESTROYED, before);
	}
	pthread_mutex_unlock(&k->file);
	return e;
}
