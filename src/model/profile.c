/* The profile: packing and unpacking its bytes, and what is done to it in memory. profile.h draws
 * the bytes.
 *
 * Bytes come from a disk and are not trusted: every number is bounded, rows and sums must ascend,
 * and a check stands behind all. Rows are sorted by category and day, so that a category is a span
 * of them, found by halving. Unpacking is the hot path of every question over all visitors; it
 * copies nothing but rows and sums. */
#include "crumb/model/profile.h"

#include "crumb/base/array.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/base/mp.h"
#include "crumb/core/hash.h"
#include "crumb/core/metric.h"

#include <math.h>
#include <stdlib.h>

#define PROFILE_VERSION 4
#define WITHOUT_CHECK 3 /* the version of an older crumb: the same, and no check */
#define CHECK_LEN 4	/* bytes */
#define VALUE_MOST 9e12 /* of an event's v; its millionths fit 64 bits */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sums are little-endian");
_Static_assert(sizeof(struct sum_day) == 12, "a sum is twelve bytes");

/* Keeps the arrays and the buffer: a profile is reused for a million visitors, without malloc(). */
void profile_clear(struct profile *p)
{
	struct profile keep = *p;
	*p = (struct profile){.segments = keep.segments,
	    .segments_cap = keep.segments_cap,
	    .rows = keep.rows,
	    .rows_cap = keep.rows_cap,
	    .sums = keep.sums,
	    .sums_cap = keep.sums_cap,
	    .bytes = keep.bytes};
	buf_clear(&p->bytes);
}

void profile_done(struct profile *p)
{
	free(p->segments);
	free(p->rows);
	free(p->sums);
	buf_done(&p->bytes);
	*p = (struct profile){0};
}

/* Everything of the header but the memberships, which are left to the caller. */
static bool load_header(struct profile *p, struct str header, struct str *segments)
{
	struct mp m = mp_over(header);
	uint32_t fields = mp_array(&m);
	if (fields != 11 && fields != 13)
		return false;
	p->ordinal = (uint32_t)mp_uint(&m);
	p->due_hour = (uint32_t)mp_uint(&m);
	p->evaluated_day = (uint16_t)mp_uint(&m);
	p->place_day = (uint16_t)mp_uint(&m);
	struct str country = mp_str(&m), region = mp_str(&m);
	if ((country.n != 0 && country.n != 2) || region.n > sizeof p->place.region)
		return false;
	if (country.n)
		memcpy(p->place.country, country.p, 2);
	for (size_t i = 0; i < region.n; i++) /* at most three: no call */
		p->place.region[i] = region.p[i];
	p->agent_day = (uint16_t)mp_uint(&m);
	p->agent = agent_unpack((uint32_t)mp_uint(&m));
	if (p->agent.device >= DEVICE_MAX || p->agent.os >= OS_MAX ||
	    p->agent.browser >= BROWSER_MAX)
		return false;
	uint32_t n = mp_map(&m);
	if (m.bad || n > PROFILE_ATTRS_MAX)
		return false;
	for (p->attrs_n = 0; p->attrs_n < n; p->attrs_n++) {
		struct profile_attr *a = &p->attrs[p->attrs_n];
		a->name = mp_str(&m);
		if (mp_array(&m) != 2)
			return false;
		a->value = mp_str(&m);
		a->day = (uint16_t)mp_uint(&m);
	}
	*segments = mp_str(&m);
	p->sums_n = (size_t)mp_uint(&m);
	p->consent_day = fields == 13 ? (uint16_t)mp_uint(&m) : 0;
	p->purposes = fields == 13 ? (uint16_t)mp_uint(&m) : 0;
	return !m.bad && segments->n % 2 == 0 && m.p == m.end;
}

/* By category, then day. */
static bool before(uint16_t cat, uint16_t day, uint16_t other_cat, uint16_t other_day)
{
	return cat < other_cat || (cat == other_cat && day < other_day);
}

/* --- packed numbers: LEB128, seven bits in a byte, the lowest first */

/* Nearly every number is one byte. No number has more than five, of 32 bits. */
static inline uint32_t unpack_number(const uint8_t **at, const uint8_t *end, bool *bad)
{
	uint64_t v = 0;
	if (*at < end && **at < 0x80)
		return *(*at)++;
	for (unsigned shift = 0; *at < end && shift < 35; shift += 7) {
		uint8_t b = *(*at)++;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*bad |= v > UINT32_MAX;
			return (uint32_t)v;
		}
	}
	*bad = true;
	return 0;
}

static size_t packed_size(uint32_t v)
{
	if (v < 1u << 7)
		return 1;
	if (v < 1u << 14)
		return 2;
	if (v < 1u << 21)
		return 3;
	return v < 1u << 28 ? 4 : 5;
}

/* Writes a number at `at`, where there is room for it; returns what is behind it. */
static uint8_t *pack_number(uint8_t *at, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

/* The rows of one category, which end at `stop`; no more than `most` of them. Days ascend, so a
 * step of nothing is a mistake but at the first. Mistakes are gathered in `bad` and looked at once,
 * at the end: a branch for each would cost more than the reading. */
static bool unpack_group(struct profile *p, const uint8_t *at, const uint8_t *stop, uint16_t cat,
    uint32_t day, size_t most)
{
	bool bad = false;
	struct cat_day *row = p->rows + p->rows_n, *const first = row;
	for (; at < stop && most; most--, row++) {
		uint32_t step, count;
		if (stop - at >= 2 && (at[0] | at[1]) < 0x80) { /* nearly always */
			step = at[0];
			count = at[1];
			at += 2;
		} else {
			step = unpack_number(&at, stop, &bad);
			count = unpack_number(&at, stop, &bad);
		}
		day += step;
		bad |= (step == 0 && row != first) || step > UINT16_MAX || day > UINT16_MAX;
		*row = (struct cat_day){cat, (uint16_t)day, count};
	}
	p->rows_n = (size_t)(row - p->rows);
	return !bad && row != first;
}

/* `wanted`: bits of categories; NULL: all of them. What is not wanted is passed over by its length.
 * Of the first group one row is unpacked in any case: it tells that the visitor did anything. */
static bool unpack_rows(struct profile *p, struct str packed, const uint64_t *wanted)
{
	const uint8_t *at = (const uint8_t *)packed.p, *end = at + packed.n;
	bool bad = false;
	p->rows_n = 0;
	if (packed.n == 0)
		return true;
	if (!array_room(p->rows, p->rows_cap, packed.n / 2 + 1)) /* a row has two bytes at least */
		return false;
	uint32_t base = unpack_number(&at, end, &bad), cat = 0;
	for (bool first = true; at < end; first = false) {
		uint32_t gap = unpack_number(&at, end, &bad), n = unpack_number(&at, end, &bad);
		bad |= gap > UINT16_MAX || (gap == 0 && !first) || n > (size_t)(end - at);
		cat += gap;
		if (bad || cat > UINT16_MAX)
			return false;
		bool want = !wanted || wanted[cat / 64] >> cat % 64 & 1;
		if ((want || first) &&
		    !unpack_group(p, at, at + n, (uint16_t)cat, base, want ? SIZE_MAX : 1))
			return false;
		at += n;
	}
	return !bad;
}

/* Groups say how many bytes they have, so that a reader passes over categories that it does not
 * want. So a group is measured before it is written. */
static void pack_rows(const struct profile *p, struct buf *out)
{
	if (p->rows_n == 0)
		return;
	CHECK(buf_reserve(out, 5 + 20 * p->rows_n)); /* four numbers of five bytes, at most */
	uint8_t *at = (uint8_t *)out->p + out->n;
	uint16_t base = UINT16_MAX, cat = 0;
	for (size_t i = 0; i < p->rows_n; i++)
		if (p->rows[i].day < base)
			base = p->rows[i].day;
	at = pack_number(at, base);
	for (size_t i = 0, n; i < p->rows_n; i += n) {
		uint16_t day = base;
		size_t bytes = 0;
		for (n = 0; i + n < p->rows_n && p->rows[i + n].cat == p->rows[i].cat; n++) {
			bytes += packed_size((uint32_t)(p->rows[i + n].day - day)) +
				 packed_size(p->rows[i + n].count);
			day = p->rows[i + n].day;
		}
		at = pack_number(at, (uint32_t)(p->rows[i].cat - cat));
		at = pack_number(at, (uint32_t)bytes);
		cat = p->rows[i].cat;
		day = base;
		for (size_t k = i; k < i + n; k++) {
			at = pack_number(at, (uint32_t)(p->rows[k].day - day));
			at = pack_number(at, p->rows[k].count);
			day = p->rows[k].day;
		}
	}
	out->n = (size_t)(at - (uint8_t *)out->p);
}

/* --- loading */

/* Rows and sums are unpacked into the profile's own memory, everything else points into the bytes.
 */
static bool unpack(
    struct profile *p, struct str bytes, struct str *segments, const uint64_t *wanted)
{
	const uint8_t *b = (const uint8_t *)bytes.p;
	/* a question over all visitors comes to cold memory: let all of it come at once */
	for (size_t i = 64; i < bytes.n; i += 64)
		__builtin_prefetch(b + i);
	if (bytes.n < 4 + CHECK_LEN || (b[0] != PROFILE_VERSION && b[0] != WITHOUT_CHECK))
		return false;
	bytes.n -= b[0] == PROFILE_VERSION ? CHECK_LEN : 0;
	size_t header = (size_t)b[1] << 16 | get_u16(b + 2);
	if (header > bytes.n - 4 || !load_header(p, str_make(bytes.p + 4, header), segments))
		return false;
	struct str rest = str_skip(bytes, 4 + header);
	if (p->sums_n > rest.n / sizeof(struct sum_day))
		return false;
	size_t sums = p->sums_n * sizeof(struct sum_day);
	if (sums) {
		if (!array_room(p->sums, p->sums_cap, p->sums_n)) {
			p->sums_n = 0;
			return false;
		}
		memcpy(p->sums, rest.p, sums);
	}
	for (size_t i = 1; i < p->sums_n; i++)
		if (!before(p->sums[i - 1].cat, p->sums[i - 1].day, p->sums[i].cat, p->sums[i].day))
			return false;
	return unpack_rows(p, str_skip(rest, sums), wanted);
}

/* Are they what was saved? */
static bool checked(struct str bytes)
{
	if (bytes.n <= CHECK_LEN || bytes.p[0] != PROFILE_VERSION)
		return bytes.n && bytes.p[0] == WITHOUT_CHECK;
	const uint8_t *check = (const uint8_t *)bytes.p + bytes.n - CHECK_LEN;
	return get_u32(check) == hash_check32(bytes.p, bytes.n - CHECK_LEN);
}

/* Copies the bytes first, since what is loaded is changed and outlives the store's page. */
bool profile_load(struct profile *p, struct str bytes)
{
	struct str segments;
	profile_clear(p);
	if (!checked(bytes))
		return false;
	buf_add(&p->bytes, bytes.p, bytes.n);
	if (p->bytes.failed) {
		memory_none();
		return false;
	}
	if (!unpack(p, buf_view(&p->bytes), &segments, NULL))
		return false;
	p->segments_n = segments.n / 2;
	if (!array_room(p->segments, p->segments_cap, p->segments_n)) {
		p->segments_n = 0;
		return false;
	}
	if (segments.n)
		memcpy(p->segments, segments.p, segments.n);
	for (size_t i = 1; i < p->segments_n; i++)
		if (p->segments[i - 1] >= p->segments[i])
			return false;
	return true;
}

bool profile_view(
    struct profile *p, struct str bytes, const uint64_t *wanted, struct str *memberships)
{
	p->place = (struct place){0};
	p->segments_n = p->rows_n = p->sums_n = 0;
	p->attrs_n = 0;
	return unpack(p, bytes, memberships, wanted);
}

/* The length of the header stands before it and is put in when the header is written. */
void profile_save(const struct profile *p, struct buf *out)
{
	size_t start = out->n;
	uint8_t prefix[4] = {PROFILE_VERSION, 0, 0, 0};
	buf_add(out, prefix, sizeof prefix);
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, p->consent_day ? 13 : 11);
	msgpack_pack_uint32(&pk, p->ordinal);
	msgpack_pack_uint32(&pk, p->due_hour);
	msgpack_pack_uint16(&pk, p->evaluated_day);
	msgpack_pack_uint16(&pk, p->place_day);
	mp_put_str(&pk, place_country(&p->place));
	mp_put_str(&pk, place_region(&p->place));
	msgpack_pack_uint16(&pk, p->agent_day);
	msgpack_pack_uint32(&pk, agent_pack(&p->agent));
	msgpack_pack_map(&pk, p->attrs_n);
	for (unsigned i = 0; i < p->attrs_n; i++) {
		mp_put_str(&pk, p->attrs[i].name);
		msgpack_pack_array(&pk, 2);
		mp_put_str(&pk, p->attrs[i].value);
		msgpack_pack_uint16(&pk, p->attrs[i].day);
	}
	mp_put_bin(&pk, p->segments, p->segments_n * sizeof *p->segments);
	msgpack_pack_uint32(&pk, (uint32_t)p->sums_n);
	if (p->consent_day) {
		msgpack_pack_uint16(&pk, p->consent_day);
		msgpack_pack_uint16(&pk, p->purposes);
	}
	CHECK(!out->failed);
	size_t header = out->n - start - 4;
	CHECK(header < 1u << 24); /* 65,000 segments and 32 attributes are far from that */
	out->p[start + 1] = (char)(header >> 16);
	put_u16((uint8_t *)out->p + start + 2, (uint16_t)header);
	buf_add(out, p->sums, p->sums_n * sizeof *p->sums);
	pack_rows(p, out);
	uint8_t check[CHECK_LEN];
	put_u32(check, hash_check32(out->p + start, out->n - start));
	buf_add(out, check, sizeof check);
	CHECK(!out->failed);
}

/* Index of the first row not before (cat, day). */
static size_t seek(const struct profile *p, uint16_t cat, uint16_t day)
{
	size_t lo = 0, hi = p->rows_n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct cat_day *r = &p->rows[mid];
		if (r->cat < cat || (r->cat == cat && r->day < day))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Rows stay sorted. An event is nearly always of the last day of its category, so little is moved.
 */
void profile_add(struct profile *p, uint16_t cat, uint16_t day, uint32_t count)
{
	size_t at = seek(p, cat, day);
	if (at < p->rows_n && p->rows[at].cat == cat && p->rows[at].day == day) {
		uint32_t sum;
		p->rows[at].count =
		    __builtin_add_overflow(p->rows[at].count, count, &sum) ? UINT32_MAX : sum;
		return;
	}
	if (!array_room(p->rows, p->rows_cap, p->rows_n + 1))
		return;
	memmove(p->rows + at + 1, p->rows + at, (p->rows_n - at) * sizeof *p->rows);
	p->rows[at] = (struct cat_day){cat, day, count};
	p->rows_n++;
}

/* Index of the first sum not before (cat, day). There are few. */
static size_t seek_sum(const struct profile *p, uint16_t cat, uint16_t day)
{
	size_t at = 0;
	while (at < p->sums_n && before(p->sums[at].cat, p->sums[at].day, cat, day))
		at++;
	return at;
}

void profile_add_value(struct profile *p, uint16_t cat, uint16_t day, double v)
{
	int64_t sum;
	if (v > VALUE_MOST)
		v = VALUE_MOST;
	if (v < -VALUE_MOST)
		v = -VALUE_MOST;
	int64_t add = llround(v * 1e6);
	size_t at = seek_sum(p, cat, day);
	if (at < p->sums_n && p->sums[at].cat == cat && p->sums[at].day == day) {
		bool over = __builtin_add_overflow(p->sums[at].millionths, add, &sum);
		if (over)
			sum = add < 0 ? INT64_MIN : INT64_MAX;
		p->sums[at].millionths = sum;
		return;
	}
	if (!array_room(p->sums, p->sums_cap, p->sums_n + 1))
		return;
	memmove(p->sums + at + 1, p->sums + at, (p->sums_n - at) * sizeof *p->sums);
	p->sums[at] = (struct sum_day){cat, day, add};
	p->sums_n++;
}

/* A name that is there takes the value, unless a newer one is known. Where there is no room for one
 * more, the attribute that was observed longest ago goes, and is counted. */
static void observe_attr(struct profile *p, struct str name, struct str value, uint16_t day)
{
	struct profile_attr *slot = NULL, *oldest = NULL;
	for (unsigned i = 0; i < p->attrs_n; i++) {
		if (str_eq(p->attrs[i].name, name))
			slot = &p->attrs[i];
		if (!oldest || p->attrs[i].day < oldest->day)
			oldest = &p->attrs[i];
	}
	if (!slot && p->attrs_n < PROFILE_ATTRS_MAX) {
		slot = &p->attrs[p->attrs_n++];
		slot->day = 0;
	} else if (!slot) {
		slot = oldest;
		metric_inc(M_PROFILE_ATTR);
	}
	if (slot->day <= day)
		*slot = (struct profile_attr){name, value, day};
}

/* A partner's word replaces what is there, also when that is newer. */
void profile_declare(struct profile *p, uint16_t day, struct str name, struct str value)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < p->attrs_n; i++)
		if (!str_eq(p->attrs[i].name, name))
			p->attrs[kept++] = p->attrs[i];
	p->attrs_n = kept;
	if (value.n)
		observe_attr(p, name, value, day);
}

void profile_observe(struct profile *p, uint16_t day, const struct place *place,
    const struct agent *agent, const struct attr *attrs, unsigned attrs_n)
{
	if (place->country[0] && day >= p->place_day) {
		p->place = *place;
		p->place_day = day;
	}
	if ((agent->device || agent->os || agent->browser) && day >= p->agent_day) {
		p->agent = *agent;
		p->agent_day = day;
	}
	for (unsigned i = 0; i < attrs_n; i++)
		observe_attr(p, attrs[i].name, attrs[i].value, day);
}

void profile_consent(struct profile *p, uint16_t day, uint16_t purposes)
{
	if (!purposes || day < p->consent_day)
		return;
	p->consent_day = day;
	p->purposes = purposes;
}

/* Each kind keeps its order, so the arrays are closed up in place. */
void profile_expire(struct profile *p, uint16_t oldest)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->rows_n; i++)
		if (p->rows[i].day >= oldest)
			p->rows[kept++] = p->rows[i];
	p->rows_n = kept;
	kept = 0;
	for (size_t i = 0; i < p->sums_n; i++)
		if (p->sums[i].day >= oldest)
			p->sums[kept++] = p->sums[i];
	p->sums_n = kept;
	unsigned attrs = 0;
	for (unsigned i = 0; i < p->attrs_n; i++)
		if (p->attrs[i].day >= oldest)
			p->attrs[attrs++] = p->attrs[i];
	p->attrs_n = attrs;
	if (p->place_day < oldest) {
		p->place = (struct place){0};
		p->place_day = 0;
	}
	if (p->consent_day < oldest)
		p->consent_day = p->purposes = 0;
	if (p->agent_day < oldest) {
		p->agent = (struct agent){0};
		p->agent_day = 0;
	}
}

/* Rows of one category stand together: the first is found by halving, the others follow. */
const struct cat_day *profile_span(const struct profile *p, uint16_t cat, size_t *n)
{
	size_t from = seek(p, cat, 0), to = from;
	while (to < p->rows_n && p->rows[to].cat == cat)
		to++;
	*n = to - from;
	return p->rows ? p->rows + from : NULL;
}

const struct sum_day *profile_sums(const struct profile *p, uint16_t cat, size_t *n)
{
	size_t from = seek_sum(p, cat, 0), to = from;
	while (to < p->sums_n && p->sums[to].cat == cat)
		to++;
	*n = to - from;
	return p->sums ? p->sums + from : NULL;
}

const struct profile_attr *profile_attr(const struct profile *p, struct str name)
{
	for (unsigned i = 0; i < p->attrs_n; i++)
		if (str_eq(p->attrs[i].name, name))
			return &p->attrs[i];
	return NULL;
}

/* Numbers of segments ascend: by halving. */
bool profile_in_segment(const struct profile *p, uint16_t segment)
{
	size_t lo = 0, hi = p->segments_n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (p->segments[mid] == segment)
			return true;
		if (p->segments[mid] < segment)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* Category 0 has a row for each day on which anything was done. */
bool profile_days(const struct profile *p, uint16_t *first, uint16_t *last)
{
	size_t n;
	const struct cat_day *r = profile_span(p, CATEGORY_ALL, &n);
	if (n == 0)
		return false;
	*first = r[0].day;
	*last = r[n - 1].day;
	return true;
}
