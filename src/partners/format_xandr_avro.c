/* The xandr-avro format: Xandr's batch segment file as an object container file
 * (avro.apache.org/docs/1.11.1/specification), written by hand: one fixed record.
 *
 *     file     "Obj" 1 │ metadata: schema, codec │ mark │ block │ block │ …
 *     block    how many items │ how many bytes │ deflated items │ mark
 *     item     uid: place in the union, value │ segments: how many, each six fields │ 0
 *
 * Numbers are varints, zigzag: 0, -1, 1, -2 … are 0, 1, 2, 3. The mark between blocks is a hash of
 * the delivery's name, so that the same delivery gives the same bytes. Items are kept back until
 * they are 64 KB. The order of the union is the partner's, whose other kinds of ids nobody here
 * has. */
#include "formats.h"

#include "crumb/core/hash.h"

#include <zlib.h>

/* Broken where a field begins. */
static const char avro_schema[] =
    "{\"type\":\"record\",\"name\":\"user\",\"fields\":["
    "{\"name\":\"uid\",\"type\":[\"long\","
    "{\"type\":\"record\",\"name\":\"eid\",\"fields\":["
    "{\"name\":\"source\",\"type\":\"string\"},{\"name\":\"id\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"ifa\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"type\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"xfa\",\"fields\":["
    "{\"name\":\"device_model_id\",\"type\":\"int\"},"
    "{\"name\":\"device_make_id\",\"type\":\"int\"},"
    "{\"name\":\"ip\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"external_id\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"member_id\",\"type\":\"int\"}]}]},"
    "{\"name\":\"segments\",\"type\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"record\",\"name\":\"segment\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"int\",\"default\":0},"
    "{\"name\":\"code\",\"type\":\"string\",\"default\":\"\"},"
    "{\"name\":\"member_id\",\"type\":\"int\",\"default\":0},"
    "{\"name\":\"expiration\",\"type\":\"int\",\"default\":0},"
    "{\"name\":\"timestamp\",\"type\":\"long\",\"default\":0},"
    "{\"name\":\"value\",\"type\":\"int\",\"default\":0}]}}}]}";

#define AVRO_BLOCK 65536 /* bytes of items */
#define UID_NUMBER 0	 /* places in the union of ids */
#define UID_EXTERNAL 4

static void avro_long(struct buf *out, int64_t v)
{
	format_varint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void avro_text(struct buf *out, struct str s)
{
	avro_long(out, (int64_t)s.n);
	buf_str(out, s);
}

static void put_mark(const struct encoder *e, struct buf *out)
{
	struct hash16 mark = hash_content(e->delivery);
	buf_add(out, mark.b, sizeof mark.b);
}

static void avro_begin(struct encoder *e, struct buf *out)
{
	buf_add(out, "Obj\1", 4);
	avro_long(out, 2);
	avro_text(out, STR("avro.schema"));
	avro_text(out, str_make(avro_schema, sizeof avro_schema - 1));
	avro_text(out, STR("avro.codec"));
	avro_text(out, STR("deflate"));
	avro_long(out, 0);
	put_mark(e, out);
	buf_clear(&e->block);
	e->block_items = 0;
}

/* Writes what was kept back as a block. What fails for memory is told by `out`. */
static void avro_flush(struct encoder *e, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)e->block.p, .avail_in = (uInt)e->block.n};
	if (e->block_items == 0)
		return;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK) {
		out->failed = true;
		return;
	}
	uLong bound = deflateBound(&z, (uLong)e->block.n);
	struct buf packed = {0};
	if (!buf_reserve(&packed, bound)) {
		deflateEnd(&z);
		out->failed = true;
		return;
	}
	z.next_out = (Bytef *)packed.p;
	z.avail_out = (uInt)bound;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	packed.n = z.total_out;
	deflateEnd(&z);
	avro_long(out, (int64_t)e->block_items);
	avro_text(out, buf_view(&packed));
	put_mark(e, out);
	buf_done(&packed);
	buf_clear(&e->block);
	e->block_items = 0;
}

/* Are ids our own, or those of the member, and not Xandr's numbers? */
static bool avro_external(const struct destination *d)
{
	struct str uid = setting_get(d->settings, d->settings_n, "uid");
	return uid.n ? str_eq(uid, STR("external")) : d->partner < 0;
}

static enum err avro_check(const struct destination *d)
{
	if (avro_external(d) && !setting_get(d->settings, d->settings_n, "member").n)
		return err_set(ERR_USAGE,
		    "destination '%s': ids of our own want member: and the member's number", d->id);
	return OK;
}

/* Xandr's segments have codes of the member's own, too. */
static bool avro_numbered(const struct destination *d)
{
	return setting_get(d->settings, d->settings_n, "member").n == 0;
}

/* A segment has Xandr's number, or a code of the member's own with the member's number. Minutes to
 * live; -1 takes the row back. */
static bool avro_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	uint64_t number = 0, member = 0;
	unsigned n = 0;
	struct buf *b = &e->block;
	str_u64(setting_of(e, "member"), &member);
	if (!avro_external(e->d) && !str_u64(item->id, &number))
		return false;
	for (unsigned i = 0; i < item->n; i++)
		n += item->rows[i].change != ROW_KEEP;
	if (avro_external(e->d)) {
		avro_long(b, UID_EXTERNAL);
		avro_text(b, item->id);
		avro_long(b, (int64_t)member);
	} else {
		avro_long(b, UID_NUMBER);
		avro_long(b, (int64_t)number); /* the same 64 bits */
	}
	avro_long(b, n);
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		bool numbered = str_u64(r->segment->theirs, &number) && number <= INT32_MAX;
		if (r->change == ROW_KEEP)
			continue;
		avro_long(b, numbered ? (int64_t)number : 0);
		avro_text(b, numbered ? STR("") : r->segment->theirs);
		avro_long(b, numbered ? 0 : (int64_t)member);
		avro_long(
		    b, r->change == ROW_REMOVE ? -1 : (int64_t)format_minutes(e->now, r->until));
		avro_long(b, 0); /* no timestamp */
		avro_long(b, 0); /* no value */
	}
	if (n)
		avro_long(b, 0); /* no more segments */
	e->block_items++;
	if (b->n >= AVRO_BLOCK)
		avro_flush(e, out);
	return true;
}

/* --- a file, read back */

struct avro {
	struct str rest;
	bool bad; /* these are no such bytes; sticky */
};

static int64_t avro_read_long(struct avro *a)
{
	uint64_t v = 0;
	for (unsigned shift = 0; a->rest.n && shift < 64; shift += 7) {
		uint8_t c = (uint8_t)*a->rest.p;
		a->rest = str_skip(a->rest, 1);
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
	}
	a->bad = true;
	return 0;
}

static struct str avro_read_bytes(struct avro *a, uint64_t n)
{
	if (a->bad || n > a->rest.n) {
		a->bad = true;
		return STR("");
	}
	struct str s = str_make(a->rest.p, (size_t)n);
	a->rest = str_skip(a->rest, (size_t)n);
	return s;
}

static struct str avro_read_text(struct avro *a)
{
	int64_t n = avro_read_long(a);
	return avro_read_bytes(a, n < 0 ? UINT64_MAX : (uint64_t)n);
}

/* Past the id: the number or the text with its member. */
static void avro_skip_uid(struct avro *a)
{
	int64_t kind = avro_read_long(a);
	if (kind == UID_EXTERNAL)
		avro_read_text(a);
	else if (kind != UID_NUMBER)
		a->bad = true;
	avro_read_long(a);
}

/* {"uid":"…","segments":[{"id":101,"expiration":1440}]}; no words where a number says it */
static bool avro_masked_item(struct avro *a, struct buf *out)
{
	const char *between = "";
	avro_skip_uid(a);
	buf_c(out, "{\"uid\":\"" MASK "\",\"segments\":[");
	for (int64_t n; !a->bad && (n = avro_read_long(a)) != 0;)
		for (; n > 0 && !a->bad; n--) {
			int64_t id = avro_read_long(a);
			struct str code = avro_read_text(a);
			int64_t member = avro_read_long(a), expiration = avro_read_long(a);
			avro_read_long(a);
			avro_read_long(a);
			buf_c(out, between);
			if (code.n) {
				buf_c(out, "{\"code\":");
				format_json(out, code);
				buf_addf(out, ",\"member_id\":%lld", (long long)member);
			} else {
				buf_addf(out, "{\"id\":%lld", (long long)id);
			}
			buf_addf(out, ",\"expiration\":%lld}", (long long)expiration);
			between = ",";
		}
	buf_c(out, "]}\n");
	return !a->bad;
}

/* A block's items, of which as many are read as there are. */
static void avro_masked_block(struct str packed, int64_t items, struct masked *out)
{
	static _Thread_local uint8_t room[2 * AVRO_BLOCK];
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
	z.next_out = room;
	z.avail_out = sizeof room;
	if (inflateInit2(&z, -15) != Z_OK)
		return;
	(void)inflate(&z, Z_FINISH);
	struct avro a = {.rest = str_make((const char *)room, z.total_out)};
	inflateEnd(&z);
	struct buf line = {0};
	for (; items > 0; items--) {
		buf_clear(&line);
		if (!avro_masked_item(&a, &line) || line.failed)
			break;
		buf_str(&out->lines, buf_view(&line));
	}
	buf_done(&line);
}

static void avro_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	struct avro a = {.rest = bytes};
	(void)d;
	if (!str_eq(avro_read_bytes(&a, 4), str_make("Obj\1", 4)))
		return;
	for (int64_t n; !a.bad && (n = avro_read_long(&a)) != 0;)
		for (; n > 0 && !a.bad; n--) {
			avro_read_text(&a);
			avro_read_text(&a);
		}
	avro_read_bytes(&a, sizeof(struct hash16));
	while (!a.bad && a.rest.n && !(out->cut = out->lines.n >= MASKED_MOST)) {
		int64_t items = avro_read_long(&a);
		struct str packed = avro_read_text(&a);
		avro_read_bytes(&a, sizeof(struct hash16));
		if (!a.bad)
			avro_masked_block(packed, items, out);
	}
}

const struct format format_xandr_avro = {
    .name = "xandr-avro",
    .says = "Xandr's batch segment file in Avro",
    .source = "learn.microsoft.com/en-us/xandr/bidders: bss-avro-file-format; "
	      "avro.apache.org/docs/1.11.1/specification",
    .ending = "avro",
    .ways = {&way_directory},
    .settings =
	{{.name = "member",
	     .says =
		 "the number of the member, whose own ids and codes of segments are written then",
	     .min = 0,
	     .max = INT32_MAX},
	    {.name = "uid",
		.says = "`anid` is Xandr's number, `external` an id of the member's own; without "
			"it what `partner` makes of it",
		.words = "anid,external"}},
    .bytes = 300 * MB,
    .ttl_days = 180,
    .compressions = 1u << COMPRESS_NONE,
    .numbers = true,
    .blocks = true,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ROW,
    .numbers_of = avro_numbered,
    .check = avro_check,
    .begin = avro_begin,
    .item = avro_item,
    .end = avro_flush,
    .masked = avro_masked,
};
