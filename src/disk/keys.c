/* The keys of a store in memory and on disk. keys.h draws the file and the three writes of a
 * change.
 *
 * Two locks. `file` is held by whoever changes keys, while he waits for the disk. `lock` is held
 * for a copy of some bytes, by whoever reads a key and by whoever changes the body. A change builds
 * the next body beside the one that is read, brings it to disk, and only then copies it over:
 * readers see the body of before or the body of after, and what they see is on disk.
 *
 * A write that failed leaves places whose bytes on disk nobody knows: the limbo. A place in limbo
 * is not used for another key. The next change empties the limbo's places as well. */
#include "crumb/disk/keys.h"

#include "crumb/base/code.h"
#include "crumb/base/lock.h"
#include "crumb/base/low.h"

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
	DAY_SIZE = 40,
	BODY_SIZE = AT_DAYS + KEYS_DAYS_MAX * DAY_SIZE,
	KEY_IN_PLACE = 8,			  /* behind the day and six zeros */
	PLACES = GENERATIONS_MAX + KEYS_DAYS_MAX, /* pseudonym keys, then day keys */
	/* in the seal */
	SEAL_SIZE = 256, /* within one sector of the disk: it is written whole or not at all */
	AT_ID = 16,
	AT_SERIAL = 32,
	AT_DESTROYED = 40,
	AT_CHANGING = 42,
	CHANGING_LEN = PLACES / 8,
	SUMMED = 64, /* bytes of the seal before the sums: both sums are over these and a body */
	AT_SUM = 64,
	AT_REST_SUM = 96,
	SUM_LEN = 32,
	SEAL_END = 128
};
_Static_assert(PLACES % 8 == 0 && AT_CHANGING + CHANGING_LEN <= SUMMED, "the bits fit");
_Static_assert(
    BODY_SIZE / 512 == (BODY_SIZE + SEAL_SIZE - 1) / 512, "a seal does not cross a sector");

struct keys {
	pthread_mutex_t file; /* taken first */
	pthread_mutex_t lock;
	int fd;
	bool reading, sealed; /* constant once the store is open */
	/* under file */
	uint8_t limbo[CHANGING_LEN]; /* places whose bytes on disk nobody knows; to be emptied */
	void (*changed)(void *, uint64_t);
	void *arg;
	uint8_t seal[SEAL_SIZE]; /* as on disk */
	uint8_t next[BODY_SIZE]; /* as the body is to be */
	/* read under either lock, written under both */
	uint8_t body[BODY_SIZE]; /* as on disk */
	/* constant once the store is open: a copy of the seal's, which is written anew */
	uint8_t id[STORE_ID_LEN];
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

/* Sets of places have a bit for each. */
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

/* The sum of a seal's beginning and a body. */
static void seal_sum(const uint8_t *seal, const uint8_t *body, uint8_t out[SUM_LEN])
{
	crypto_generichash_state h;
	crypto_generichash_init(&h, NULL, 0, SUM_LEN);
	crypto_generichash_update(&h, seal, SUMMED);
	crypto_generichash_update(&h, body, BODY_SIZE);
	crypto_generichash_final(&h, out, SUM_LEN);
	sodium_memzero(&h, sizeof h);
}

/* Synced when it returns OK. */
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
	seal_sum(s, body, s + AT_SUM);
	if (changing) {
		uint8_t rest[BODY_SIZE];
		memcpy(rest, body, sizeof rest);
		empty_places(rest, changing);
		seal_sum(s, rest, s + AT_REST_SUM);
		sodium_memzero(rest, sizeof rest);
	}
	enum err e = write_at(k, s, sizeof s, BODY_SIZE);
	if (!e)
		memcpy(k->seal, s, sizeof s);
	return e;
}

/* Does the body that was read belong to the seal? Three cases are whole:
 *
 *     nothing is changing, the sum is right          no change was under way
 *     places are changing, the sum is right          the change was written; not sealed yet
 *     places are changing, the sum without them is   the change was torn
 *
 * In the last case the places are emptied in memory. *mend: a change was under way, whose places
 * are to be emptied on disk. */
static bool whole(struct keys *k, bool *mend)
{
	static const uint8_t none[SEAL_SIZE];
	uint8_t sum[SUM_LEN], changing[CHANGING_LEN];
	const uint8_t *s = k->seal;
	*mend = false;
	memcpy(changing, s + AT_CHANGING, sizeof changing);
	if (memcmp(s, SEAL_MAGIC, 16) != 0 || memcmp(s + SEAL_END, none, SEAL_SIZE - SEAL_END) != 0)
		return false;
	seal_sum(s, k->body, sum);
	*mend = memcmp(changing, none, CHANGING_LEN) != 0;
	if (memcmp(sum, s + AT_SUM, SUM_LEN) == 0)
		return *mend || memcmp(s + AT_REST_SUM, none, SUM_LEN) == 0;
	empty_places(k->body, changing);
	seal_sum(s, k->body, sum);
	return *mend && memcmp(sum, s + AT_REST_SUM, SUM_LEN) == 0;
}

/* Makes the body what k->next says. `changing` are the places in which they differ; those in limbo
 * are emptied besides. One write covers all places from the first that changes to the last. The
 * serial has grown even when this fails: it is never given twice. */
static enum err change(struct keys *k, const uint8_t changing[CHANGING_LEN])
{
	CHECK_HELD(&k->file);
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

/* Fresh keys and a seal, as a new file. */
static enum err make_file(struct keys *k)
{
	uint8_t all[BODY_SIZE + SEAL_SIZE];
	memcpy(k->body, MAGIC, 16);
	randombytes_buf(k->body + AT_COOKIE, AT_GENERATIONS - AT_COOKIE);
	fresh_seal(k);
	seal_sum(k->seal, k->body, k->seal + AT_SUM);
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

/* Reads the file. KEYS_WRITE also mends what a crash left in the middle of a change. */
static enum err load_file(struct keys *k, const char *path, enum keys_mode mode, off_t size)
{
	bool mend;
	if (size < BODY_SIZE || size > BODY_SIZE + SEAL_SIZE ||
	    pread(k->fd, k->body, BODY_SIZE, 0) != BODY_SIZE)
		return damaged(path);
	if (memcmp(k->body, MAGIC, 16) != 0)
		return err_set(ERR_CORRUPT,
		    "%s is damaged, or no keys file of this version: put back its newest copy",
		    path);
	if (size < BODY_SIZE + SEAL_SIZE)
		return OK; /* of an older crumb, or a crash while it got its seal */
	/* a server may be changing the file while a command reads it: try for 200 ms */
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
	pthread_mutex_lock(&k->file);
	enum err e = change(k, changing);
	pthread_mutex_unlock(&k->file);
	return e;
}

enum err keys_open(const char *path, enum keys_mode mode, struct keys **out)
{
	struct keys *k = calloc(1, sizeof *k);
	if (!k)
		return err_set(ERR_NOMEM, "no memory");
	pthread_mutex_init(&k->file, NULL);
	pthread_mutex_init(&k->lock, NULL);
	(void)sodium_mlock(k, sizeof *k); /* limits may refuse it: then the kernel may swap it */
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
	else if (mode != KEYS_MAKE)
		e = load_file(k, path, mode, st.st_size);
	else if (st.st_size)
		e = err_set(ERR_CORRUPT, "%s is there already", path);
	else
		e = make_file(k);
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

/* The place of a day among [first, end); PLACES when there is none. The caller holds a lock. */
static unsigned find_place(const struct keys *k, unsigned first, unsigned end, uint16_t day)
{
	for (unsigned i = first; i < end; i++)
		if (day && get_u16(place_at((uint8_t *)k->body, i)) == day)
			return i;
	return PLACES;
}

/* An empty place among [first, end) that is not in limbo; PLACES when there is none. */
static unsigned find_empty(struct keys *k, unsigned first, unsigned end)
{
	CHECK_HELD(&k->file);
	for (unsigned i = first; i < end; i++)
		if (get_u16(place_at((uint8_t *)k->body, i)) == 0 && !bit(k->limbo, i))
			return i;
	return PLACES;
}

/* Puts a random key of a day into the place i. */
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
	bool has = find_place(k, first, end, day) < PLACES;
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
	if (find_place(k, first, end, day) == PLACES) /* nor has another thread just made it */
		e = make_key(k, find_empty(k, first, end), day);
	pthread_mutex_unlock(&k->file);
	return e;
}

enum err keys_identity(struct keys *k, uint16_t today, struct identity_keys *out)
{
	/* a reader does without today's: nobody has a cookie of those days yet */
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
	low_hold(); /* the journal's writer waits for the lock, and hits for the writer */
	pthread_mutex_lock(&k->lock);
	unsigned at = find_place(k, GENERATIONS_MAX, PLACES, day);
	if (at < PLACES)
		memcpy(out, place_at(k->body, at) + KEY_IN_PLACE, 32);
	pthread_mutex_unlock(&k->lock);
	low_release();
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

/* A cookie of the generation's last day ends COOKIE_DAYS after it. With 30 and 90: the key that
 * began on day 600 is of days 600 to 629, and goes on day 719. */
static bool cookies_ended(uint32_t first_day, uint16_t today)
{
	return first_day + GENERATION_DAYS - 1 + COOKIE_DAYS <= today;
}

/* The seal also says that days before `oldest` are destroyed when there was no key to destroy. */
enum err keys_expire(struct keys *k, uint16_t oldest, uint16_t today)
{
	uint8_t changing[CHANGING_LEN] = {0};
	bool any = false;
	pthread_mutex_lock(&k->file);
	for (unsigned i = 0; i < PLACES; i++) {
		uint16_t day = get_u16(place_at(k->body, i));
		if (day && (i < GENERATIONS_MAX ? cookies_ended(day, today) : day < oldest)) {
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
