#include "crumb/model/event.h"

const char *const device_names[DEVICE_MAX] = {"unknown", "desktop", "mobile", "tablet", "tv", "console"};
const char *const os_names[OS_MAX] = {"unknown", "windows", "macos", "ios", "android", "linux", "chromeos", "other"};
const char *const browser_names[BROWSER_MAX] = {"unknown", "chrome", "safari", "firefox", "edge", "opera", "samsung", "ie", "other"};
const char *const aside_names[ASIDE_MAX] = {"", "crawler", "network", "rate", "foreign_site"};
const char *const referrer_names[REFERRER_MAX] = {"none", "search", "social", "internal", "other"};

void event_encode(const struct event *e, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, e->aside ? 9 : e->purposes ? 7 : 6);
	msgpack_pack_uint8(&pk, e->aside ? RECORD_ASIDE : RECORD_EVENT);
	mp_put_bin(&pk, e->visitor.b, sizeof e->visitor.b);
	msgpack_pack_uint32(&pk, e->t);
	msgpack_pack_uint8(&pk, e->flags);
	msgpack_pack_array(&pk, 10);
	mp_put_str(&pk, place_country(&e->place));
	mp_put_str(&pk, place_region(&e->place));
	msgpack_pack_uint32(&pk, (uint32_t)e->agent.device << 16 | (uint32_t)e->agent.os << 8 | e->agent.browser);
	mp_put_str(&pk, e->host);
	mp_put_str(&pk, e->path);
	mp_put_str(&pk, e->name);
	mp_put_str(&pk, e->campaign);
	msgpack_pack_uint8(&pk, e->referrer);
	msgpack_pack_map(&pk, e->attrs_n);
	for (unsigned i = 0; i < e->attrs_n; i++) {
		mp_put_str(&pk, e->attrs[i].name);
		mp_put_str(&pk, e->attrs[i].value);
	}
	msgpack_pack_array(&pk, e->leaves_n);
	for (unsigned i = 0; i < e->leaves_n; i++)
		msgpack_pack_uint64(&pk, e->leaves[i]);
	if (e->has_v)
		msgpack_pack_double(&pk, e->v);
	else
		msgpack_pack_nil(&pk);
	if (e->purposes || e->aside)
		msgpack_pack_uint16(&pk, e->purposes);
	if (e->aside) {
		msgpack_pack_uint8(&pk, e->aside);
		mp_put_str(&pk, e->pattern);
	}
}

void record_encode_taken(uint32_t t, enum aside why, struct str pattern, uint16_t shard, uint64_t seq, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 6);
	msgpack_pack_uint8(&pk, RECORD_TAKEN);
	msgpack_pack_uint32(&pk, t);
	msgpack_pack_uint8(&pk, (uint8_t)why);
	mp_put_str(&pk, pattern);
	msgpack_pack_uint16(&pk, shard);
	msgpack_pack_uint64(&pk, seq);
}

void record_encode_slice(uint32_t t, const struct slice_id *id, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 6);
	msgpack_pack_uint8(&pk, RECORD_SLICE);
	msgpack_pack_uint32(&pk, t);
	mp_put_bin(&pk, id->from, sizeof id->from);
	mp_put_bin(&pk, id->to, sizeof id->to);
	msgpack_pack_uint64(&pk, id->bytes);
	msgpack_pack_uint64(&pk, id->lines);
}

void record_encode_erase(const struct vkey *visitor, uint32_t t, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 3);
	msgpack_pack_uint8(&pk, RECORD_ERASE);
	mp_put_bin(&pk, visitor->b, sizeof visitor->b);
	msgpack_pack_uint32(&pk, t);
}

void record_encode_rules(uint32_t t, struct str hash, struct str text, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 4);
	msgpack_pack_uint8(&pk, RECORD_RULES);
	msgpack_pack_uint32(&pk, t);
	mp_put_bin(&pk, hash.p, hash.n);
	mp_put_bin(&pk, text.p, text.n);
}

void record_encode_match(const struct vkey *visitor, uint32_t t, struct str partner, struct str id, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 5);
	msgpack_pack_uint8(&pk, RECORD_MATCH);
	mp_put_bin(&pk, visitor->b, sizeof visitor->b);
	msgpack_pack_uint32(&pk, t);
	mp_put_str(&pk, partner);
	mp_put_str(&pk, id);
}

void record_encode_declared(
    const struct vkey *visitor, uint32_t t, uint16_t until, struct str source, const struct attr *attrs, unsigned n, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 6);
	msgpack_pack_uint8(&pk, RECORD_DECLARED);
	mp_put_bin(&pk, visitor->b, sizeof visitor->b);
	msgpack_pack_uint32(&pk, t);
	msgpack_pack_uint16(&pk, until);
	mp_put_str(&pk, source);
	msgpack_pack_map(&pk, n);
	for (unsigned i = 0; i < n; i++) {
		mp_put_str(&pk, attrs[i].name);
		mp_put_str(&pk, attrs[i].value);
	}
}

static void decode_hash(struct mp *in, uint8_t out[16])
{
	struct str s = mp_str(in);
	if (s.n == 16)
		memcpy(out, s.p, 16);
	else
		in->bad = true;
}

static void decode_key(struct mp *in, struct vkey *key)
{
	decode_hash(in, key->b);
}

static void decode_place(struct mp *in, struct place *p)
{
	struct str country = mp_str(in), region = mp_str(in);
	*p = (struct place){0};
	if (country.n == sizeof p->country)
		memcpy(p->country, country.p, sizeof p->country);
	if (region.n <= sizeof p->region)
		memcpy(p->region, region.p, region.n);
}

static void decode_circumstances(struct mp *in, struct event *e)
{
	if (mp_array(in) != 10)
		in->bad = true;
	decode_place(in, &e->place);
	uint32_t agent = (uint32_t)mp_uint(in);
	e->agent = (struct agent){(uint8_t)(agent >> 16), (uint8_t)(agent >> 8), (uint8_t)agent};
	if (e->agent.device >= DEVICE_MAX || e->agent.os >= OS_MAX || e->agent.browser >= BROWSER_MAX)
		in->bad = true;
}

static void decode_attrs(struct mp *in, struct event *e)
{
	e->attrs_n = mp_map(in);
	if (e->attrs_n > EVENT_ATTRS_MAX)
		in->bad = true;
	for (unsigned i = 0; i < e->attrs_n && !in->bad; i++) {
		e->attrs[i].name = mp_str(in);
		e->attrs[i].value = mp_str(in);
	}
}

static void decode_about(struct mp *in, struct event *e)
{
	e->host = mp_str(in);
	e->path = mp_str(in);
	e->name = mp_str(in);
	e->campaign = mp_str(in);
	e->referrer = (uint8_t)mp_uint(in);
	if (e->referrer >= REFERRER_MAX)
		in->bad = true;
	decode_attrs(in, e);
	e->leaves_n = mp_array(in);
	if (e->leaves_n > EVENT_LEAVES_MAX)
		in->bad = true;
	for (unsigned i = 0; i < e->leaves_n && !in->bad; i++)
		e->leaves[i] = mp_uint(in);
}

static void decode_aside(struct mp *in, struct event *e)
{
	uint64_t why = mp_uint(in);
	e->pattern = mp_str(in);
	if (why == ASIDE_NOT || why >= ASIDE_MAX)
		in->bad = true;
	e->aside = (uint8_t)why;
}

static bool skip_kind(struct mp *in, struct vkey *visitor, bool erasures)
{
	uint32_t n = mp_array(in);
	uint64_t kind = mp_uint(in);
	bool of_visitor = kind == RECORD_EVENT || kind == RECORD_ASIDE || kind == RECORD_MATCH || kind == RECORD_DECLARED;
	if (in->bad || n < 2 || !(of_visitor || (erasures && kind == RECORD_ERASE)))
		return false;
	decode_key(in, visitor);
	for (uint32_t i = 2; i < n && !in->bad; i++)
		mp_skip(in);
	return !in->bad;
}

bool record_skip(struct mp *in, struct vkey *visitor)
{
	return skip_kind(in, visitor, true);
}

bool record_event(struct mp *in, struct vkey *visitor)
{
	return skip_kind(in, visitor, false);
}

bool record_decode(struct mp *in, struct record *out)
{
	uint32_t n = mp_array(in);
	out->kind = (enum record_kind)mp_uint(in);
	struct event *e = &out->event;
	e->purposes = 0;
	e->aside = ASIDE_NOT;
	e->pattern = str_make("", 0);
	if ((out->kind == RECORD_EVENT && (n == 6 || n == 7)) || (out->kind == RECORD_ASIDE && n == 9)) {
		decode_key(in, &e->visitor);
		e->t = (uint32_t)mp_uint(in);
		e->flags = (uint8_t)mp_uint(in);
		const uint8_t *all = in->p;
		decode_circumstances(in, e);
		const uint8_t *about = in->p;
		decode_about(in, e);
		out->about = str_make((const char *)about, (size_t)(in->p - about));
		out->all = str_make((const char *)all, (size_t)(in->p - all));
		e->has_v = !mp_nil(in);
		e->v = e->has_v ? mp_double(in) : 0;
		if (n > 6)
			e->purposes = (uint16_t)mp_uint(in);
		if (n == 9)
			decode_aside(in, e);
	} else if (out->kind == RECORD_RELEASED && n == 4) {
		e->t = (uint32_t)mp_uint(in);
		decode_aside(in, e);
	} else if (out->kind == RECORD_TAKEN && n == 6) {
		e->t = (uint32_t)mp_uint(in);
		decode_aside(in, e);
		out->shard = (uint16_t)mp_uint(in);
		out->seq = mp_uint(in);
	} else if (out->kind == RECORD_SLICE && n == 6) {
		e->t = (uint32_t)mp_uint(in);
		decode_hash(in, out->slice.from);
		decode_hash(in, out->slice.to);
		out->slice.bytes = mp_uint(in);
		out->slice.lines = mp_uint(in);
	} else if (out->kind == RECORD_MATCH && n == 5) {
		decode_key(in, &e->visitor);
		e->t = (uint32_t)mp_uint(in);
		out->partner = mp_str(in);
		out->partner_id = mp_str(in);
	} else if (out->kind == RECORD_DECLARED && n == 6) {
		decode_key(in, &e->visitor);
		e->t = (uint32_t)mp_uint(in);
		out->until = (uint16_t)mp_uint(in);
		out->partner = mp_str(in);
		decode_attrs(in, e);
	} else if (out->kind == RECORD_ERASE && n == 3) {
		decode_key(in, &e->visitor);
		e->t = (uint32_t)mp_uint(in);
	} else if (out->kind == RECORD_RULES && n == 4) {
		e->t = (uint32_t)mp_uint(in);
		out->rules_hash = mp_str(in);
		out->rules_text = mp_str(in);
	} else {
		in->bad = true;
	}
	return !in->bad;
}
