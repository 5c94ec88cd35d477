/* Which format has which encoder, and what several of them write alike. Sources: PROTOCOL.md "Formats" names each partner's page. */
#include "crumb/partners/format.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "formats.h"

#include <stdio.h>
#include <time.h>

void format_json(struct buf *out, struct str s)
{
	buf_add(out, "\"", 1);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20)
			buf_addf(out, "\\u%04x", c);
		else
			buf_add(out, &s.p[i], 1);
	}
	buf_add(out, "\"", 1);
}

void format_time(struct buf *out, uint32_t t)
{
	struct tm tm;
	time_t when = t;
	char text[32];
	gmtime_r(&when, &tm);
	strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%SZ\"", &tm);
	buf_c(out, text);
}

void format_nothing(struct encoder *e, struct buf *out)
{
	(void)e, (void)out;
}

void format_varint(struct buf *out, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		b[n++] = (uint8_t)(v | 0x80);
	b[n++] = (uint8_t)v;
	buf_add(out, b, n);
}

static const struct format *const formats[FORMAT_MAX] = {
    [FORMAT_CSV] = &format_csv,
    [FORMAT_NDJSON] = &format_ndjson,
    [FORMAT_ORTB] = &format_ortb,
    [FORMAT_XANDR_TEXT] = &format_xandr_text,
    [FORMAT_XANDR_AVRO] = &format_xandr_avro,
    [FORMAT_TTD_ADVERTISER] = &format_ttd,
    [FORMAT_TTD_THIRDPARTY] = &format_ttd,
    [FORMAT_GOOGLE_BULK] = &format_google_bulk,
    [FORMAT_AAM] = &format_aam,
    [FORMAT_LIVERAMP] = &format_liveramp,
    [FORMAT_SEGMENT] = &format_segment,
};

const struct format *format_of(enum format_kind kind)
{
	return formats[kind];
}

enum format_life format_life(const struct destination *d)
{
	const struct format *f = format_of(d->format);
	return f->life_of ? f->life_of(d) : f->life;
}

enum err encoder_init(struct encoder *e, const struct destination *d, bool full, struct str delivery, uint32_t now)
{
	*e = (struct encoder){.d = d, .format = format_of(d->format), .full = full, .delivery = delivery, .now = now};
	if (!e->format)
		return err_set(ERR_USAGE, "destination '%s' is not one that files are written for", d->id);
	/* the same files for the same delivery */
	struct hash16 h = hash_content(delivery);
	memcpy(e->sync, h.b, sizeof e->sync);
	enum err err = e->format->check ? e->format->check(d) : OK;
	return err;
}

void encoder_done(struct encoder *e)
{
	buf_done(&e->block);
}
