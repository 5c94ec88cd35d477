/* The write-ahead log: appending, and reading what a crash left. wal.h draws the file.
 *
 * Two descriptors are open on it. One is O_DSYNC: a write of a frame returns when it is on disk.
 * The other is for zeros, which are brought out once, at the end.
 *
 * Reading goes from the front. A frame has to be plausible (its length fits, its sequence is above
 * the one before and not far ahead) and to open with its day's key, which proves all of it. The
 * first frame that does not is one of three:
 *
 *     the end                 zeros, or a frame of before a rewind
 *     the last frame, torn    the machine went down while it was written; it was never answered
 *     damage                  somebody changed a frame that was answered
 *
 * To tell damage from the end, the rest of the file is searched, byte by byte, for another frame
 * that is plausible and opens. A wrong guess costs a decryption, and zeros are passed over quickly.
 * When one is found, the sequences between are counted as lost. */
#include "wal.h"

#include "crumb/base/code.h"
#include "crumb/disk/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* in a frame */
	AT_SEQ = 4,
	AT_DAY = 12,
	AT_RULES = 14,
	HEAD_LEN = 30, /* before the nonce */
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	PART_LEN = 10, /* before the records of a part */
	MAGIC_LEN = 16
};
#define MARK "crumb wal 1\n\0\0\0"
#define MARK_LEN (MAGIC_LEN + STORE_ID_LEN)
#define WAL_END (WAL_BYTES - MARK_LEN)
#define SEQ_AHEAD 1000000 /* no frame is so far ahead of the one before */
#define ZEROS 64	  /* that are passed over at a time */

struct wal {
	int fd, plain_fd;      /* with and without O_DSYNC */
	size_t at;	       /* where the next frame goes, or is read */
	uint64_t last;	       /* sequence of the frame read last */
	uint64_t lost;	       /* frames that were missed between others */
	bool done;	       /* no frame is left to read */
	bool torn;	       /* the last frame does not open */
	struct buf raw, frame; /* scratch */
};

/* Brings the file's name to disk. */
static enum err sync_name(const char *path)
{
	char folder[FILE_PATH_MAX];
	if (strlen(path) >= sizeof folder)
		return err_set(ERR_USAGE, "%.100s…: too long a path", path);
	memcpy(folder, path, strlen(path) + 1);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	return folder_sync(slash ? folder : ".");
}

/* Writes zeros; they are on disk when this returns OK. */
static enum err wal_fill(int fd, off_t from, off_t to)
{
	static const char zeros[1 << 16];
	while (from < to) {
		size_t n = (size_t)(to - from) < sizeof zeros ? (size_t)(to - from) : sizeof zeros;
		ssize_t done = pwrite(fd, zeros, n, from);
		if (done <= 0)
			return err_sys("%s", "wal");
		from += done;
	}
	return fsync(fd) == 0 ? OK : err_sys("%s", "wal");
}

/* A file that is too short is filled up: its frames stay. */
enum err wal_open(const char *path, struct wal **out)
{
	struct wal *w = calloc(1, sizeof *w);
	if (!w)
		return err_set(ERR_NOMEM, "no memory");
	struct stat st;
	enum err e = OK;
	int fresh = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fresh < 0 || fstat(fresh, &st) != 0)
		e = err_sys("%s", path);
	else if (st.st_size < (off_t)WAL_BYTES)
		e = wal_fill(fresh, st.st_size, WAL_BYTES);
	if (fresh >= 0)
		close(fresh);
	if (!e && st.st_size == 0)
		e = sync_name(path);
	w->fd = e ? -1 : open(path, O_RDWR | O_DSYNC | O_CLOEXEC);
	w->plain_fd = e ? -1 : open(path, O_RDWR | O_CLOEXEC);
	if (!e && (w->fd < 0 || w->plain_fd < 0))
		e = err_sys("%s", path);
	if (e)
		wal_close(w);
	else
		*out = w;
	return e;
}

void wal_close(struct wal *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->plain_fd >= 0)
		close(w->plain_fd);
	buf_done(&w->raw);
	buf_done(&w->frame);
	free(w);
}

/* A write that failed half way leaves w->at where it was: the next frame overwrites it. */
enum err wal_append(struct wal *w, const struct wal_head *h, const uint8_t key[32],
    const struct journal_block *blocks, size_t n)
{
	buf_clear(&w->raw);
	for (size_t i = 0; i < n; i++) {
		uint8_t part[PART_LEN];
		put_u16(part, blocks[i].shard);
		put_u32(part + 2, blocks[i].count);
		put_u32(part + 6, (uint32_t)blocks[i].records.n);
		buf_add(&w->raw, part, sizeof part);
		buf_str(&w->raw, blocks[i].records);
	}
	size_t whole = HEAD_LEN + NONCE_LEN + w->raw.n + TAG_LEN;
	buf_clear(&w->frame);
	if (w->raw.failed || !buf_reserve(&w->frame, whole))
		return err_set(ERR_NOMEM, "no memory");
	if (w->at > WAL_END || whole > WAL_END - w->at)
		return err_set(ERR_FULL, "wal: no room for %zu bytes", whole);
	uint8_t *f = (uint8_t *)w->frame.p;
	unsigned long long sealed;
	put_u32(f, (uint32_t)whole);
	put_u64(f + AT_SEQ, h->seq);
	put_u16(f + AT_DAY, h->day);
	memcpy(f + AT_RULES, h->rules_hash, sizeof h->rules_hash);
	randombytes_buf(f + HEAD_LEN, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(f + HEAD_LEN + NONCE_LEN, &sealed,
	    (const uint8_t *)w->raw.p, w->raw.n, f, HEAD_LEN, NULL, f + HEAD_LEN, key);
	for (size_t done = 0; done < whole;) {
		ssize_t part = pwrite(w->fd, f + done, whole - done, (off_t)(w->at + done));
		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return err_sys("%s", "wal");
		done += (size_t)part;
	}
	w->at += whole;
	return OK;
}

static void mark_of(const uint8_t id[STORE_ID_LEN], uint8_t out[MARK_LEN])
{
	memcpy(out, MARK, MAGIC_LEN);
	memcpy(out + MAGIC_LEN, id, STORE_ID_LEN);
}

enum err wal_mark(struct wal *w, const uint8_t id[STORE_ID_LEN])
{
	uint8_t mark[MARK_LEN], has[MARK_LEN];
	mark_of(id, mark);
	if (pread(w->fd, has, sizeof has, WAL_END) == MARK_LEN &&
	    memcmp(has, mark, sizeof has) == 0)
		return OK;
	return pwrite(w->fd, mark, sizeof mark, WAL_END) == MARK_LEN ? OK : err_sys("%s", "wal");
}

bool wal_marked(const char *path, const uint8_t id[STORE_ID_LEN])
{
	uint8_t mark[MARK_LEN], has[MARK_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, has, sizeof has, WAL_END);
	if (fd >= 0)
		close(fd);
	mark_of(id, mark);
	return n == MARK_LEN && memcmp(has, mark, sizeof has) == 0;
}

void wal_rewind(struct wal *w)
{
	w->at = 0;
}

enum err wal_wipe(struct wal *w)
{
	return w->at ? err_set(ERR_BUSY, "wal: still needed") : wal_fill(w->plain_fd, 0, WAL_END);
}

/* Reads a header, and says whether a frame at `at`, behind the sequence `last`, may say that. */
static bool plausible(
    const uint8_t *head, size_t at, uint64_t last, struct wal_head *h, size_t *whole)
{
	*whole = get_u32(head);
	h->seq = get_u64(head + AT_SEQ);
	h->day = get_u16(head + AT_DAY);
	memcpy(h->rules_hash, head + AT_RULES, sizeof h->rules_hash);
	return *whole >= HEAD_LEN + NONCE_LEN + TAG_LEN && *whole <= WAL_BYTES - at &&
	       h->seq > last && h->seq - last < SEQ_AHEAD;
}

/* Opens the frame at w->at into w->raw. False: its key is gone, or it is not what was written. */
static bool open_frame(struct wal *w, struct keys *keys, const struct wal_head *h, size_t whole)
{
	uint8_t key[32];
	if (keys_day(keys, h->day, KEYS_DAY_FIND, key) != OK)
		return false;
	buf_clear(&w->frame);
	buf_clear(&w->raw);
	bool fine = buf_reserve(&w->frame, whole) && buf_reserve(&w->raw, whole) &&
		    pread(w->fd, w->frame.p, whole, (off_t)w->at) == (ssize_t)whole;
	const uint8_t *f = (const uint8_t *)w->frame.p;
	unsigned long long n = 0;
	fine = fine && crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)w->raw.p, &n, NULL,
			   f + HEAD_LEN + NONCE_LEN, whole - HEAD_LEN - NONCE_LEN, f, HEAD_LEN,
			   f + HEAD_LEN, key) == 0;
	sodium_memzero(key, sizeof key);
	w->raw.n = (size_t)n;
	return fine;
}

/* Behind a frame that does not open: goes to the next one that does, wherever it begins. A head
 * begins with a zero byte, since a frame is shorter than 2^24, but not with four. */
static bool find_frame(struct wal *w, struct keys *keys, struct wal_head *h, size_t *whole)
{
	static const uint8_t zeros[ZEROS];
	uint8_t *all = malloc(WAL_BYTES);
	ssize_t n = all ? pread(w->fd, all, WAL_BYTES, 0) : -1;
	size_t from = w->at;
	bool found = false;
	for (size_t at = from + 1; n > 0 && !found && at + HEAD_LEN <= (size_t)n; at++) {
		while (at + sizeof zeros + HEAD_LEN <= (size_t)n &&
		       memcmp(all + at, zeros, sizeof zeros) == 0)
			at += sizeof zeros - 3; /* the last three may begin a length */
		if (all[at] || !plausible(all + at, at, w->last, h, whole))
			continue;
		w->at = at;
		found = open_frame(w, keys, h, *whole);
	}
	free(all);
	if (!found)
		w->at = from;
	return found;
}

bool wal_next(struct wal *w, struct keys *keys, struct wal_head *h, struct str *parts)
{
	uint8_t head[HEAD_LEN];
	size_t whole;
	if (w->done || w->at + HEAD_LEN > WAL_BYTES ||
	    pread(w->fd, head, sizeof head, (off_t)w->at) != HEAD_LEN)
		return false;
	bool looks = plausible(head, w->at, w->last, h, &whole);
	bool missed = !looks || !open_frame(w, keys, h, whole);
	if (missed) {
		w->done = !find_frame(w, keys, h, &whole);
		w->torn = w->done && looks;
		if (w->done)
			return false;
	}
	/* a sequence that is left out between two frames that touch was a commit that failed */
	if (missed)
		w->lost += h->seq - w->last - 1;
	w->at += whole;
	w->last = h->seq;
	*parts = buf_view(&w->raw);
	return true;
}

void wal_after(struct wal *w, uint64_t seq)
{
	w->last = seq;
}

uint64_t wal_lost(const struct wal *w, bool *torn)
{
	*torn = w->torn;
	return w->lost;
}

bool wal_part(struct str *parts, struct journal_block *out)
{
	const uint8_t *p = (const uint8_t *)parts->p;
	if (parts->n < PART_LEN || get_u32(p + 6) > parts->n - PART_LEN)
		return false;
	*out = (struct journal_block){.shard = get_u16(p), .count = get_u32(p + 2)};
	out->records = str_make(parts->p + PART_LEN, get_u32(p + 6));
	*parts = str_skip(*parts, PART_LEN + out->records.n);
	return true;
}
