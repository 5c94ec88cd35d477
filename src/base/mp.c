/* Reading is bounded by m->end in two places: mp_byte() and big(). Every other function is made of
 * those. Where a type has forms of 1, 2, 4 and 8 bytes, their first bytes follow each other, so
 * that 1 << (first byte − first of them) is how many bytes to read. */
#include "crumb/base/mp.h"

#include "crumb/base/code.h"

static uint8_t mp_byte(struct mp *m)
{
	if (m->bad || m->p >= m->end) {
		m->bad = true;
		return 0xc1; /* never used by the format: matches no case below */
	}
	return *m->p++;
}

/* A number of n bytes, the most significant first. */
static uint64_t big(struct mp *m, size_t n)
{
	if (m->bad || (size_t)(m->end - m->p) < n) {
		m->bad = true;
		return 0;
	}
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | m->p[i];
	m->p += n;
	return v;
}

/* Another type came than was wanted. */
static uint64_t wrong(struct mp *m)
{
	m->bad = true;
	return 0;
}

uint64_t mp_uint(struct mp *m)
{
	uint8_t c = mp_byte(m);
	if (c < 0x80)
		return c;
	return c >= 0xcc && c <= 0xcf ? big(m, (size_t)1 << (c - 0xcc)) : wrong(m);
}

double mp_double(struct mp *m)
{
	if (mp_byte(m) != 0xcb)
		return (double)wrong(m);
	uint64_t bits = big(m, 8);
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

bool mp_nil(struct mp *m)
{
	if (m->bad || m->p >= m->end || *m->p != 0xc0)
		return false;
	m->p++;
	return true;
}

struct str mp_str(struct mp *m)
{
	uint8_t c = mp_byte(m);
	size_t n;
	if (c >= 0xa0 && c <= 0xbf)
		n = c & 31;
	else if (c >= 0xd9 && c <= 0xdb)
		n = (size_t)big(m, (size_t)1 << (c - 0xd9));
	else if (c >= 0xc4 && c <= 0xc6)
		n = (size_t)big(m, (size_t)1 << (c - 0xc4));
	else
		n = (size_t)wrong(m);
	if (m->bad || (size_t)(m->end - m->p) < n) {
		m->bad = true;
		return str_make("", 0);
	}
	struct str s = str_make((const char *)m->p, n);
	m->p += n;
	return s;
}

uint32_t mp_array(struct mp *m)
{
	uint8_t c = mp_byte(m);
	if (c >= 0x90 && c <= 0x9f)
		return c & 15;
	if (c == 0xdc || c == 0xdd)
		return (uint32_t)big(m, c == 0xdc ? 2 : 4);
	return (uint32_t)wrong(m);
}

uint32_t mp_map(struct mp *m)
{
	uint8_t c = mp_byte(m);
	if (c >= 0x80 && c <= 0x8f)
		return c & 15;
	if (c == 0xde || c == 0xdf)
		return (uint32_t)big(m, c == 0xde ? 2 : 4);
	return (uint32_t)wrong(m);
}

/* Counts the values that are still to be passed over, in place of a call for each that is within
 * another: bytes from a damaged disk may nest as deep as they are long, and no stack is that deep.
 */
void mp_skip(struct mp *m)
{
	uint64_t left = 1; /* values still to pass over */
	while (left && !m->bad) {
		uint8_t c = mp_byte(m);
		uint64_t n = 0;
		left--;
		if (c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3)
			continue;
		if (c <= 0x8f)
			left += 2u * (c & 15);
		else if (c <= 0x9f)
			left += c & 15;
		else if (c <= 0xbf)
			n = c & 31;
		else if (c >= 0xc4 && c <= 0xc6)
			n = big(m, (size_t)1 << (c - 0xc4));
		else if (c >= 0xd9 && c <= 0xdb)
			n = big(m, (size_t)1 << (c - 0xd9));
		else if (c == 0xca || c == 0xcb)
			n = c == 0xca ? 4 : 8;
		else if (c >= 0xcc && c <= 0xd3)
			n = (uint64_t)1 << ((c - 0xcc) & 3);
		else if (c == 0xdc || c == 0xdd)
			left += big(m, c == 0xdc ? 2 : 4);
		else if (c == 0xde || c == 0xdf)
			left += 2 * big(m, c == 0xde ? 2 : 4);
		else
			wrong(m); /* extensions are not used */
		if ((uint64_t)(m->end - m->p) < n)
			m->bad = true;
		else if (!m->bad)
			m->p += n;
	}
}

/* What msgpack-c calls for each piece. */
static int write_buf(void *data, const char *p, size_t n)
{
	struct buf *b = data;
	buf_add(b, p, n);
	return b->failed ? -1 : 0;
}

void mp_packer(msgpack_packer *pk, struct buf *out)
{
	msgpack_packer_init(pk, out, write_buf);
}

void mp_put_str(msgpack_packer *pk, struct str s)
{
	msgpack_pack_str(pk, s.n);
	msgpack_pack_str_body(pk, s.p, s.n);
}

void mp_put_bin(msgpack_packer *pk, const void *p, size_t n)
{
	msgpack_pack_bin(pk, n);
	msgpack_pack_bin_body(pk, p, n);
}
