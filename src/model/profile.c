#include "crumb/model/profile.h"

#include "crumb/base/code.h"

#include <stdlib.h>

#define PROFILE_VERSION 1
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are little-endian and read in place");
_Static_assert(sizeof(struct cat_day) == 8, "a row is eight bytes");

void profile_clear(struct profile *p)
{
	struct profile keep = *p;
	*p = (struct profile){
	    .segments = keep.segments, .segments_cap = keep.segments_cap, .rows = keep.rows, .rows_cap = keep.rows_cap, .bytes = keep.bytes};
	buf_clear(&p->bytes);
}

void profile_done(struct profile *p)
{
	free(p->segments);
	free(p->rows);
	buf_done(&p->bytes);
	*p = (struct profile){0};
}

static void room(void **array, size_t *cap, size_t want, size_t size)
{
	if (want <= *cap)
		return;
	size_t n = *cap ? *cap : 32;
	while (n < want)
		n *= 2;
	void *grown = realloc(*array, n * size);
	CHECK(grown); /* a fold cannot go on without; the journal has everything */
	*array = grown;
	*cap = n;
}

static bool load_header(struct profile *p, struct str header)
{
	struct mp m = mp_over(header);
	if (mp_array(&m) != 10)
		return false;
	p->ordinal = (uint32_t)mp_uint(&m);
	p->due_hour = (uint32_t)mp_uint(&m);
	p->evaluated_day = (uint16_t)mp_uint(&m);
	p->place_day = (uint16_t)mp_uint(&m);
	struct str country = mp_str(&m), region = mp_str(&m);
	if ((country.n != 0 && country.n != 2) || region.n > sizeof p->place.region)
		return false;
	memcpy(p->place.country, country.p, country.n);
	memcpy(p->place.region, region.p, region.n);
	p->agent_day = (uint16_t)mp_uint(&m);
	uint32_t agent = (uint32_t)mp_uint(&m);
	p->agent = (struct agent){(uint8_t)(agent >> 16), (uint8_t)(agent >> 8), (uint8_t)agent};
	if (p->agent.device >= DEVICE_MAX || p->agent.os >= OS_MAX || p->agent.browser >= BROWSER_MAX)
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
	struct str segments = mp_str(&m);
	if (m.bad || segments.n % 2 || m.p != m.end)
		return false;
	p->segments_n = segments.n / 2;
	room((void **)&p->segments, &p->segments_cap, p->segments_n, sizeof *p->segments);
	if (segments.n)
		memcpy(p->segments, segments.p, segments.n);
	for (size_t i = 1; i < p->segments_n; i++)
		if (p->segments[i - 1] >= p->segments[i])
			return false;
	return true;
}

bool profile_load(struct profile *p, struct str bytes)
{
	profile_clear(p);
	buf_add(&p->bytes, bytes.p, bytes.n);
	CHECK(!p->bytes.failed);
	const uint8_t *b = (const uint8_t *)p->bytes.p;
	size_t n = p->bytes.n;
	if (n < 4 || b[0] != PROFILE_VERSION)
		return false;
	size_t header = get_u16(b + 2), rows = n - 4 - header;
	if (header > n - 4 || rows % sizeof(struct cat_day))
		return false;
	if (!load_header(p, str_make(p->bytes.p + 4, header)))
		return false;
	p->rows_n = rows / sizeof(struct cat_day);
	room((void **)&p->rows, &p->rows_cap, p->rows_n, sizeof *p->rows);
	if (rows)
		memcpy(p->rows, b + 4 + header, rows);
	for (size_t i = 1; i < p->rows_n; i++) {
		const struct cat_day *a = &p->rows[i - 1], *c = &p->rows[i];
		if (a->cat > c->cat || (a->cat == c->cat && a->day >= c->day))
			return false;
	}
	return true;
}

void profile_save(const struct profile *p, struct buf *out)
{
	size_t start = out->n;
	uint8_t prefix[4] = {PROFILE_VERSION, 0, 0, 0};
	buf_add(out, prefix, sizeof prefix);
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 10);
	msgpack_pack_uint32(&pk, p->ordinal);
	msgpack_pack_uint32(&pk, p->due_hour);
	msgpack_pack_uint16(&pk, p->evaluated_day);
	msgpack_pack_uint16(&pk, p->place_day);
	mp_put_str(&pk, place_country(&p->place));
	mp_put_str(&pk, place_region(&p->place));
	msgpack_pack_uint16(&pk, p->agent_day);
	msgpack_pack_uint32(&pk, (uint32_t)p->agent.device << 16 | (uint32_t)p->agent.os << 8 | p->agent.browser);
	msgpack_pack_map(&pk, p->attrs_n);
	for (unsigned i = 0; i < p->attrs_n; i++) {
		mp_put_str(&pk, p->attrs[i].name);
		msgpack_pack_array(&pk, 2);
		mp_put_str(&pk, p->attrs[i].value);
		msgpack_pack_uint16(&pk, p->attrs[i].day);
	}
	mp_put_bin(&pk, p->segments, p->segments_n * sizeof *p->segments);
	CHECK(!out->failed);
	put_u16((uint8_t *)out->p + start + 2, (uint16_t)(out->n - start - 4));
	buf_add(out, p->rows, p->rows_n * sizeof *p->rows);
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

void profile_add(struct profile *p, uint16_t cat, uint16_t day, uint32_t count)
{
	size_t at = seek(p, cat, day);
	if (at < p->rows_n && p->rows[at].cat == cat && p->rows[at].day == day) {
		uint32_t sum;
		p->rows[at].count = __builtin_add_overflow(p->rows[at].count, count, &sum) ? UINT32_MAX : sum;
		return;
	}
	room((void **)&p->rows, &p->rows_cap, p->rows_n + 1, sizeof *p->rows);
	memmove(p->rows + at + 1, p->rows + at, (p->rows_n - at) * sizeof *p->rows);
	p->rows[at] = (struct cat_day){cat, day, count};
	p->rows_n++;
}

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
	}
	if (slot->day <= day)
		*slot = (struct profile_attr){name, value, day};
}

void profile_observe(struct profile *p, const struct event *e)
{
	uint16_t day = day_of(e->t);
	if (e->place.country[0] && day >= p->place_day) {
		p->place = e->place;
		p->place_day = day;
	}
	if ((e->agent.device || e->agent.os || e->agent.browser) && day >= p->agent_day) {
		p->agent = e->agent;
		p->agent_day = day;
	}
	for (unsigned i = 0; i < e->attrs_n; i++)
		observe_attr(p, e->attrs[i].name, e->attrs[i].value, day);
}

void profile_expire(struct profile *p, uint16_t oldest)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->rows_n; i++)
		if (p->rows[i].day >= oldest)
			p->rows[kept++] = p->rows[i];
	p->rows_n = kept;
	unsigned attrs = 0;
	for (unsigned i = 0; i < p->attrs_n; i++)
		if (p->attrs[i].day >= oldest)
			p->attrs[attrs++] = p->attrs[i];
	p->attrs_n = attrs;
	if (p->place_day < oldest) {
		p->place = (struct place){0};
		p->place_day = 0;
	}
	if (p->agent_day < oldest) {
		p->agent = (struct agent){0};
		p->agent_day = 0;
	}
}

const struct cat_day *profile_span(const struct profile *p, uint16_t cat, size_t *n)
{
	size_t from = seek(p, cat, 0), to = from;
	while (to < p->rows_n && p->rows[to].cat == cat)
		to++;
	*n = to - from;
	return p->rows ? p->rows + from : NULL;
}

const struct profile_attr *profile_attr(const struct profile *p, struct str name)
{
	for (unsigned i = 0; i < p->attrs_n; i++)
		if (str_eq(p->attrs[i].name, name))
			return &p->attrs[i];
	return NULL;
}

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
