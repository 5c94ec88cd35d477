/* The formats of ad platforms that are not plain text lines: Xandr's two and Google's. */
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "formats.h"

#include <ctype.h>
#include <stdio.h>
#include <zlib.h>

#define XANDR_SEGMENTS 1800 /* a line, at most */

/* --- Xandr's batch segment file, text (learn.microsoft.com/en-us/xandr/bidders/legacy-bss-file-format) */

/* uid | between segments | between fields | before the removed | before the domain */
static const char default_separators[] = ";,:\t^";

static enum err separators(const struct destination *d, char out[5])
{
	struct str s = setting_get(d->settings, d->settings_n, "separators");
	if (!s.n)
		s = STR(default_separators);
	if (s.n != 5)
		return err_set(ERR_USAGE, "destination '%s': separators are five characters, such as \";,:\\t^\"", d->id);
	for (size_t i = 0; i < 5; i++) {
		if (!s.p[i] || chr_one_of(s.p[i], "[](){}$\\/|?*+-") || isalnum((unsigned char)s.p[i]))
			return err_set(ERR_USAGE, "destination '%s': '%c' cannot be a separator", d->id, s.p[i]);
		for (size_t k = 0; k < i; k++)
			if (s.p[i] == s.p[k] && !(k == 0 && i == 2))
				return err_set(
				    ERR_USAGE, "destination '%s': the separators are all different; only the first may be the third", d->id);
	}
	memcpy(out, s.p, 5);
	return OK;
}

static struct str fields_of(const struct destination *d)
{
	struct str s = setting_get(d->settings, d->settings_n, "fields");
	return s.n ? s : STR("SEG_ID,EXPIRATION,VALUE");
}

static enum err xandr_check(const struct destination *d)
{
	static const char *const known[] = {"SEG_ID", "SEG_CODE", "EXPIRATION", "TIMESTAMP", "VALUE", "MEMBER_ID"};
	char seps[5];
	struct str rest = fields_of(d), word;
	unsigned names = 0;
	enum err e = separators(d, seps);
	while (!e && str_cut(&rest, ',', &word)) {
		bool found = false;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			found |= str_eq(word, str_c(known[i]));
		if (!found)
			return err_set(ERR_USAGE, "destination '%s': Xandr has no field '" STR_FMT "'", d->id, STR_ARG(word));
		names += str_eq(word, STR("SEG_ID")) || str_eq(word, STR("SEG_CODE"));
	}
	if (!e && names != 1)
		e = err_set(ERR_USAGE, "destination '%s': fields want SEG_ID or SEG_CODE, one of the two", d->id);
	return e;
}

static void xandr_segment(struct encoder *e, const struct out_row *r, bool listed_as_removed, struct buf *out)
{
	struct str rest = fields_of(e->d), word, member = setting_of(e, "member");
	bool first = true;
	while (str_cut(&rest, ',', &word)) {
		if (!first)
			buf_add(out, &e->seps[2], 1);
		first = false;
		if (str_starts(word, STR("SEG_")))
			buf_str(out, r->segment->theirs);
		else if (str_eq(word, STR("EXPIRATION")))
			buf_addf(out, "%ld", r->change == ROW_REMOVE && !listed_as_removed ? -1l : (long)format_minutes(e->now, r->until));
		else if (str_eq(word, STR("TIMESTAMP")))
			buf_addf(out, "%u", e->now);
		else if (str_eq(word, STR("VALUE")))
			buf_c(out, "0");
		else
			buf_str(out, member);
	}
}

static bool has_any(struct str s, const char *chars, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memchr(s.p, chars[i], s.n))
			return true;
	return false;
}

static bool xandr_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool by_expiration = str_has(fields_of(e->d), STR("EXPIRATION"));
	if (separators(e->d, e->seps) || has_any(item->id, e->seps, 5) || item->n > XANDR_SEGMENTS)
		return false;
	buf_str(out, item->id);
	buf_add(out, &e->seps[0], 1);
	for (int removed = 0; removed < 2; removed++) {
		bool first = true;
		for (unsigned i = 0; i < item->n; i++) {
			const struct out_row *r = &item->rows[i];
			bool listed = r->change == ROW_REMOVE && !by_expiration; /* behind the fourth separator */
			if (r->change == ROW_KEEP || listed != (removed == 1))
				continue;
			if (!first || removed)
				buf_add(out, &e->seps[first ? 3 : 1], 1);
			first = false;
			xandr_segment(e, r, listed, out);
		}
	}
	buf_c(out, "\n");
	return true;
}

static void nothing(struct encoder *e, struct buf *out)
{
	(void)e, (void)out;
}

/* Without EXPIRATION the life is the one that the segment has at Xandr. */
static enum format_life xandr_life(const struct destination *d)
{
	struct str rest = fields_of(d), word;
	while (str_cut(&rest, ',', &word))
		if (str_eq(word, STR("EXPIRATION")))
			return LIFE_IN_ROW;
	return LIFE_AT_PARTNER;
}

const struct format format_xandr_text = {"txt", LIFE_IN_ROW, REMOVAL_ROW, xandr_life, xandr_check, nothing, xandr_item, nothing};

/* --- Xandr's batch segment file, Avro (object container file, avro.apache.org/docs/1.11.1/specification; the order of the union is the
 * partner's, whose later kinds of ids nobody here has) */

static const char avro_schema[] =
    "{\"type\":\"record\",\"name\":\"user\",\"fields\":[{\"name\":\"uid\",\"type\":[\"long\","
    "{\"type\":\"record\",\"name\":\"eid\",\"fields\":[{\"name\":\"source\",\"type\":\"string\"},{\"name\":\"id\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"ifa\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"type\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"xfa\",\"fields\":[{\"name\":\"device_model_id\",\"type\":\"int\"},{\"name\":\"device_make_id\",\"type\":\"int\"}"
    ","
    "{\"name\":\"ip\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"external_id\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"member_id\",\"type\":\"int\"}]}]},"
    "{\"name\":\"segments\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"segment\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"int\",\"default\":0},{\"name\":\"code\",\"type\":\"string\",\"default\":\"\"},"
    "{\"name\":\"member_id\",\"type\":\"int\",\"default\":0},{\"name\":\"expiration\",\"type\":\"int\",\"default\":0},"
    "{\"name\":\"timestamp\",\"type\":\"long\",\"default\":0},{\"name\":\"value\",\"type\":\"int\",\"default\":0}]}}}]}";

#define AVRO_BLOCK 65536

static void varint(struct buf *out, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		b[n++] = (uint8_t)(v | 0x80);
	b[n++] = (uint8_t)v;
	buf_add(out, b, n);
}

static void avro_long(struct buf *out, int64_t v)
{
	varint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void avro_text(struct buf *out, struct str s)
{
	avro_long(out, (int64_t)s.n);
	buf_str(out, s);
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
	buf_add(out, e->sync, sizeof e->sync);
	buf_clear(&e->block);
	e->block_items = 0;
}

/* One block: how many, how many bytes, deflated, the mark. */
static void avro_flush(struct encoder *e, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)e->block.p, .avail_in = (uInt)e->block.n};
	if (e->block_items == 0)
		return;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
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
	buf_add(out, e->sync, sizeof e->sync);
	buf_done(&packed);
	buf_clear(&e->block);
	e->block_items = 0;
}

static bool external(const struct destination *d)
{
	struct str uid = setting_get(d->settings, d->settings_n, "uid");
	return uid.n ? str_eq(uid, STR("external")) : d->partner < 0;
}

static enum err avro_check(const struct destination *d)
{
	uint64_t member;
	struct str uid = setting_get(d->settings, d->settings_n, "uid"), text = setting_get(d->settings, d->settings_n, "member");
	if (uid.n && !str_eq(uid, STR("anid")) && !str_eq(uid, STR("external")))
		return err_set(ERR_USAGE, "destination '%s': uid is anid (Xandr's number) or external (an id of the member's own)", d->id);
	if ((text.n || external(d)) && (!str_u64(text, &member) || member > INT32_MAX))
		return err_set(ERR_USAGE, "destination '%s': ids of our own want member: and the member's number", d->id);
	return OK;
}

static bool avro_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	uint64_t number = 0, member = 0;
	unsigned n = 0;
	struct buf *b = &e->block;
	str_u64(setting_of(e, "member"), &member);
	if (!external(e->d) && !str_u64(item->id, &number))
		return false;
	for (unsigned i = 0; i < item->n; i++)
		n += item->rows[i].change != ROW_KEEP;
	if (external(e->d)) {
		avro_long(b, 4);
		avro_text(b, item->id);
		avro_long(b, (int64_t)member);
	} else {
		avro_long(b, 0);
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
		avro_long(b, r->change == ROW_REMOVE ? -1 : (int64_t)format_minutes(e->now, r->until));
		avro_long(b, 0);
		avro_long(b, 0);
	}
	if (n)
		avro_long(b, 0);
	e->block_items++;
	if (b->n >= AVRO_BLOCK)
		avro_flush(e, out);
	return true;
}

const struct format format_xandr_avro = {"avro", LIFE_IN_ROW, REMOVAL_ROW, NULL, avro_check, avro_begin, avro_item, avro_flush};

/* --- Google's bulk upload: UpdateUsersDataRequest (developers.google.com/authorized-buyers/rtb/bulk-uploader, cookie-bulk-upload-proto) */

static void pb_number(struct buf *out, unsigned field, uint64_t v)
{
	varint(out, field << 3);
	varint(out, v);
}

static void pb_text(struct buf *out, unsigned field, struct str s)
{
	varint(out, field << 3 | 2);
	varint(out, s.n);
	buf_str(out, s);
}

static const struct {
	const char *name;
	unsigned number;
} id_types[] = {{"GOOGLE_USER_ID", 0}, {"IDFA", 1}, {"ANDROID_ADVERTISING_ID", 2}, {"PARTNER_PROVIDED_ID", 4}, {"RIDA", 5}, {"AFAI", 6}, {"MSAI", 7},
    {"GENERIC_DEVICE_ID", 9}};

static int id_type(const struct destination *d)
{
	struct str s = setting_get(d->settings, d->settings_n, "id_type");
	if (!s.n)
		return d->partner < 0 ? 4 : 0;
	for (size_t i = 0; i < sizeof id_types / sizeof *id_types; i++)
		if (str_eq(s, str_c(id_types[i].name)))
			return (int)id_types[i].number;
	return -1;
}

static enum err google_check(const struct destination *d)
{
	uint64_t source;
	struct str s = setting_get(d->settings, d->settings_n, "data_source_id");
	if (id_type(d) < 0)
		return err_set(ERR_USAGE, "destination '%s': Google knows no such id_type", d->id);
	if (s.n && (!str_u64(s, &source) || source < 1 || source > 1000))
		return err_set(ERR_USAGE, "destination '%s': data_source_id is a number from 1 to 1000", d->id);
	return OK;
}

static bool google_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	uint64_t list, source = 0;
	str_u64(setting_of(e, "data_source_id"), &source);
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_KEEP || !str_u64(r->segment->theirs, &list))
			continue;
		buf_clear(&e->block);
		pb_text(&e->block, 1, item->id);
		pb_number(&e->block, 4, list);
		if (r->change == ROW_ADD)
			pb_number(&e->block, 5, e->now);
		pb_number(&e->block, 6, r->change == ROW_REMOVE);
		if (source)
			pb_number(&e->block, 7, source);
		pb_number(&e->block, 14, (uint64_t)id_type(e->d));
		pb_text(out, 1, buf_view(&e->block));
	}
	return true;
}

/* process_consent: only what may be sent is in here; without it the request is filtered. */
static void google_end(struct encoder *e, struct buf *out)
{
	(void)e;
	pb_number(out, 3, 1);
}

const struct format format_google_bulk = {"pb", LIFE_AT_PARTNER, REMOVAL_ROW, NULL, google_check, nothing, google_item, google_end};
