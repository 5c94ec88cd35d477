/* Which format has which encoder. Sources: docs/PROTOCOL.md "Formats" names each partner's page. */
#include "crumb/partners/format.h"

#include "formats.h"

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
	return e->format->check ? e->format->check(d) : OK;
}

void encoder_done(struct encoder *e)
{
	buf_done(&e->block);
}
