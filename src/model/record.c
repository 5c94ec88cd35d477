/* Any record of the journal, written, read, passed over and named by what its row says of its
 * parts. A record of a visitor begins with its kind and the visitor, so that whoever looks for one
 * visitor's records passes over the others without reading them. */
#include "record_own.h"

/* One part as msgpack; part_decode() reads what this writes. */
static void part_encode(msgpack_packer *pk, const struct record_part *part, const struct record *r)
{
	const void *at = (const char *)r + part->at;
	switch (part->kind) {
	case PART_END:
		break;
	case PART_VISITOR:
	case PART_HASH:
		mp_put_bin(pk, at, 16);
		break;
	case PART_TIME:
		msgpack_pack_uint32(pk, *(const uint32_t *)at);
		break;
	case PART_DAY:
	case PART_U16:
		msgpack_pack_uint16(pk, *(const uint16_t *)at);
		break;
	case PART_U64:
		msgpack_pack_uint64(pk, *(const uint64_t *)at);
		break;
	case PART_REASON:
		msgpack_pack_uint8(pk, *(const uint8_t *)at);
		break;
	case PART_TEXT:
		mp_put_str(pk, *(const struct str *)at);
		break;
	case PART_BYTES:
		mp_put_bin(pk, ((const struct str *)at)->p, ((const struct str *)at)->n);
		break;
	case PART_ATTRS:
		msgpack_pack_map(pk, r->event.attrs_n);
		for (unsigned i = 0; i < r->event.attrs_n; i++) {
			mp_put_str(pk, r->event.attrs[i].name);
			mp_put_str(pk, r->event.attrs[i].value);
		}
		break;
	}
}

static void part_decode(struct mp *in, const struct record_part *part, struct record *r)
{
	void *at = (char *)r + part->at;
	switch (part->kind) {
	case PART_END:
		break;
	case PART_VISITOR:
	case PART_HASH:
		hash_decode(in, at);
		break;
	case PART_TIME:
		*(uint32_t *)at = (uint32_t)mp_uint(in);
		break;
	case PART_DAY:
	case PART_U16:
		*(uint16_t *)at = (uint16_t)mp_uint(in);
		break;
	case PART_U64:
		*(uint64_t *)at = mp_uint(in);
		break;
	case PART_REASON:
		*(uint8_t *)at = reason_decode(in);
		break;
	case PART_TEXT:
	case PART_BYTES:
		*(struct str *)at = mp_str(in);
		break;
	case PART_ATTRS:
		attrs_decode(in, &r->event);
		break;
	}
}

/* How many parts a row has. */
static unsigned parts_of(const struct record_row *row)
{
	unsigned n = 0;
	while (n < RECORD_PARTS_MAX && row->parts[n].kind != PART_END)
		n++;
	return n;
}

void record_encode(const struct record *r, struct buf *out)
{
	const struct record_row *row = record_row(r->kind);
	msgpack_packer pk;
	CHECK(row);
	if (row->encode) {
		row->encode(r, out);
		return;
	}
	unsigned n = parts_of(row);
	mp_packer(&pk, out);
	msgpack_pack_array(&pk, 1 + n);
	msgpack_pack_uint8(&pk, (uint8_t)r->kind);
	for (unsigned i = 0; i < n; i++)
		part_encode(&pk, &row->parts[i], r);
}

/* Parts in the order of the row; as many as the row has, no more and no fewer. */
static void parts_decode(
    const struct record_row *row, struct mp *in, uint32_t n, struct record *out)
{
	if (n != 1 + parts_of(row))
		in->bad = true;
	for (uint32_t i = 0; i + 1 < n && !in->bad; i++)
		part_decode(in, &row->parts[i], out);
}

/* A record is reused from one to the next: what the kind has no part for must not be of the one
 * before where somebody would look at it, which is purposes, reason, pattern and attributes. */
bool record_decode(struct mp *in, struct record *out)
{
	uint32_t n = mp_array(in);
	uint64_t kind = mp_uint(in);
	struct event *e = &out->event;
	out->kind = (enum record_kind)kind;
	e->purposes = 0;
	e->aside = ASIDE_NOT;
	e->pattern = str_make("", 0);
	if (kind == RECORD_EVENT) { /* nearly all of them */
		event_decode(in, n, out);
		return !in->bad;
	}
	const struct record_row *row = record_row(kind);
	e->attrs_n = 0;
	if (!row)
		in->bad = true;
	else if (row->decode)
		row->decode(in, n, out);
	else
		parts_decode(row, in, n, out);
	return !in->bad;
}

/* Passes over a record of a visitor; NULL: it is of none, or unreadable. */
static const struct record_row *skip_of_visitor(struct mp *in, struct vkey *visitor)
{
	uint32_t n = mp_array(in);
	const struct record_row *row = record_row(mp_uint(in));
	if (in->bad || n < 2 || !row || row->whose != RECORD_OF_VISITOR)
		return NULL;
	key_decode(in, visitor);
	for (uint32_t i = 2; i < n && !in->bad; i++)
		mp_skip(in);
	return in->bad ? NULL : row;
}

bool record_skip(struct mp *in, struct vkey *visitor)
{
	return skip_of_visitor(in, visitor);
}

bool record_skip_forgotten(struct mp *in, struct vkey *visitor)
{
	const struct record_row *row = skip_of_visitor(in, visitor);
	return row && row->stay == RECORD_FORGOTTEN;
}

enum record_kind record_kind_at(const struct mp *in)
{
	struct mp head = *in;
	uint64_t kind = mp_array(&head) > 1 ? mp_uint(&head) : 0;
	return record_row(kind) ? (enum record_kind)kind : 0;
}

bool record_skip_counted(struct mp *in)
{
	struct mp head = *in;
	const struct record_row *row = mp_array(&head) > 1 ? record_row(mp_uint(&head)) : NULL;
	mp_skip(in);
	return row && row->counted && !in->bad;
}

/* The hash of the kind and of the parts that tell the record from others, as they are written. */
bool record_identity(const struct record *r, struct hash16 *out)
{
	const struct record_row *row = record_row(r->kind);
	struct buf b = {0};
	msgpack_packer pk;
	bool any = false;
	mp_packer(&pk, &b);
	msgpack_pack_uint8(&pk, (uint8_t)r->kind);
	for (unsigned i = 0, n = row ? parts_of(row) : 0; i < n; i++)
		if (row->parts[i].tells) {
			part_encode(&pk, &row->parts[i], r);
			any = true;
		}
	any = any && !b.failed;
	if (any)
		*out = hash_content(buf_view(&b));
	buf_done(&b);
	return any;
}
