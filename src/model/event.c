/* Words of an event, and how it is written to the journal and read again: for each hit, so straight
 * down and without a table. */
#include "record_own.h"

const char *const device_names[DEVICE_MAX] = {
    "unknown", "desktop", "mobile", "tablet", "tv", "console"};
const char *const os_names[OS_MAX] = {
    "unknown", "windows", "macos", "ios", "android", "linux", "chromeos", "other"};
const char *const browser_names[BROWSER_MAX] = {
    "unknown", "chrome", "safari", "firefox", "edge", "opera", "samsung", "ie", "other"};
const char *const aside_names[ASIDE_MAX] = {"", "crawler", "network", "rate", "foreign_site"};
const char *const referrer_names[REFERRER_MAX] = {"none", "search", "social", "internal", "other"};

/* Straight down, part by part; event_decode() reads in the same order. */
void event_encode(const struct event *e, struct buf *out)
{
	msgpack_packer pk;
	mp_packer(&pk, out);
	/* purposes are left out of an ordinary event that has none */
	unsigned parts = e->purposes ? 7 : 6;
	msgpack_pack_array(&pk, e->aside ? 9 : parts);
	msgpack_pack_uint8(&pk, e->aside ? RECORD_ASIDE : RECORD_EVENT);
	mp_put_bin(&pk, e->visitor.b, sizeof e->visitor.b);
	msgpack_pack_uint32(&pk, e->t);
	msgpack_pack_uint8(&pk, e->flags);
	msgpack_pack_array(&pk, 10);
	mp_put_str(&pk, place_country(&e->place));
	mp_put_str(&pk, place_region(&e->place));
	msgpack_pack_uint32(&pk, agent_pack(&e->agent));
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

/* What does not fit is left out: a place is zeros where it is unknown. */
static void decode_place(struct mp *in, struct place *p)
{
	struct str country = mp_str(in), region = mp_str(in);
	*p = (struct place){0};
	if (country.n == sizeof p->country)
		memcpy(p->country, country.p, sizeof p->country);
	if (region.n <= sizeof p->region)
		memcpy(p->region, region.p, region.n);
}

/* From country to agent: what rules that look at place and device ask, too. */
static void decode_circumstances(struct mp *in, struct event *e)
{
	if (mp_array(in) != 10)
		in->bad = true;
	decode_place(in, &e->place);
	e->agent = agent_unpack((uint32_t)mp_uint(in));
	if (e->agent.device >= DEVICE_MAX || e->agent.os >= OS_MAX ||
	    e->agent.browser >= BROWSER_MAX)
		in->bad = true;
}

void attrs_decode(struct mp *in, struct event *e)
{
	e->attrs_n = mp_map(in);
	if (e->attrs_n > EVENT_ATTRS_MAX)
		in->bad = true;
	for (unsigned i = 0; i < e->attrs_n && !in->bad; i++) {
		e->attrs[i].name = mp_str(in);
		e->attrs[i].value = mp_str(in);
	}
}

/* From host to leaves: what the event is about. */
static void decode_about(struct mp *in, struct event *e)
{
	e->host = mp_str(in);
	e->path = mp_str(in);
	e->name = mp_str(in);
	e->campaign = mp_str(in);
	e->referrer = (uint8_t)mp_uint(in);
	if (e->referrer >= REFERRER_MAX)
		in->bad = true;
	attrs_decode(in, e);
	e->leaves_n = mp_array(in);
	if (e->leaves_n > EVENT_LEAVES_MAX)
		in->bad = true;
	for (unsigned i = 0; i < e->leaves_n && !in->bad; i++)
		e->leaves[i] = mp_uint(in);
}

/* The bytes of both parts are kept as views: equal bytes match equal categories, so the fold looks
 * an event up by them before it matches. */
void event_decode(struct mp *in, uint32_t n, struct record *out)
{
	struct event *e = &out->event;
	if (out->kind == RECORD_ASIDE ? n != 9 : n != 6 && n != 7)
		in->bad = true;
	key_decode(in, &e->visitor);
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
	if (n == 9) {
		e->aside = reason_decode(in);
		e->pattern = mp_str(in);
	}
}

void event_record_encode(const struct record *r, struct buf *out)
{
	event_encode(&r->event, out);
}
