/* Bytes from disk: records, profiles, bitmaps. What decodes must encode to something that decodes to the same. */
#include "crumb/views/bitmap.h"
#include "crumb/base/code.h"
#include "crumb/core/hash.h"
#include "crumb/model/profile.h"
#include "crumb/model/record.h"

#include "../../src/journal/wal.h"

#include <stdlib.h>

static void records(struct str s)
{
	static struct record r, again;
	struct mp m = mp_over(s);
	while (m.p < m.end && record_decode(&m, &r)) {
		if (r.kind != RECORD_EVENT)
			continue;
		struct buf b = {0};
		event_encode(&r.event, &b);
		struct mp c = mp_over(buf_view(&b));
		CHECK(record_decode(&c, &again) && c.p == c.end);
		CHECK(str_eq(again.event.path, r.event.path) && again.event.t == r.event.t && again.event.attrs_n == r.event.attrs_n);
		buf_done(&b);
	}
}

static void profiles(struct str s)
{
	struct profile p = {0}, q = {0};
	if (profile_load(&p, s)) {
		struct buf b = {0};
		profile_save(&p, &b);
		CHECK(profile_load(&q, buf_view(&b)) && q.rows_n == p.rows_n && q.segments_n == p.segments_n);
		profile_expire(&p, 20000);
		buf_done(&b);
	}
	profile_done(&p);
	profile_done(&q);
}

/* Without a good checksum nothing is parsed. */
static void bitmaps(struct str s)
{
	struct bitmap *b;
	if (bitmap_read(s, &b) == OK)
		bitmap_free(b);
	(void)bitmap_stored_size(s);
}

/* With a good checksum whatever stands behind it is parsed. */
static void listed_bitmaps(struct str s)
{
	static uint32_t list[BITMAP_MOST];
	struct buf b = {0};
	uint8_t sum[8];
	uint32_t n;
	put_u64(sum, hash_plain64(s.p, s.n));
	buf_add(&b, sum, sizeof sum);
	buf_str(&b, s);
	if (bitmap_stored_list(buf_view(&b), list, &n) == OK)
		CHECK(n <= BITMAP_MOST);
	buf_done(&b);
}

/* What a frame of the write-ahead log seals. */
static void wal_parts(struct str s)
{
	struct journal_block b;
	size_t left = s.n;
	while (wal_part(&s, &b)) {
		CHECK(s.n < left);
		left = s.n;
		records(b.records);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_make((const char *)data, n);
	records(s);
	profiles(s);
	bitmaps(s);
	listed_bitmaps(s);
	wal_parts(s);
	return 0;
}
