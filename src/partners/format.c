/* The formats that are text. Sources: PROTOCOL.md "Formats" names each partner's page. */
#include "crumb/partners/format.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/csv.h"
#include "formats.h"

#include <stdio.h>
#include <time.h>

uint32_t format_minutes(uint32_t now, uint16_t until)
{
	uint32_t at = until * (uint32_t)DAY_S;
	return at > now + 60 ? (at - now) / 60 : 1;
}

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

static void put_time(struct buf *out, uint32_t t)
{
	struct tm tm;
	time_t when = t;
	char text[32];
	gmtime_r(&when, &tm);
	strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%SZ\"", &tm);
	buf_c(out, text);
}

/* --- CSV and NDJSON: one row a change */

static void csv_begin(struct encoder *e, struct buf *out)
{
	(void)e;
	buf_c(out, "id,segment,expires,action\n");
}

static bool csv_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	char day[DAY_TEXT];
	(void)e;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_KEEP)
			continue;
		bool add = r->change == ROW_ADD;
		day_text(r->until, day);
		csv_exact(out, item->id);
		buf_add(out, ",", 1);
		csv_exact(out, r->segment->theirs);
		buf_add(out, ",", 1);
		buf_c(out, add ? day : "");
		buf_c(out, add ? ",add\n" : ",remove\n");
	}
	return true;
}

static void purposes(const struct out_item *item, struct buf *out)
{
	bool first = true;
	if (!item->consent)
		return;
	buf_c(out, ",\"purposes\":[");
	for (int i = 0; i < 16; i++)
		if (item->purposes >> i & 1) {
			buf_addf(out, "%s%d", first ? "" : ",", i + 1);
			first = false;
		}
	buf_c(out, "]");
}

static bool ndjson_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	char day[DAY_TEXT];
	(void)e;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_KEEP)
			continue;
		bool add = r->change == ROW_ADD;
		day_text(r->until, day);
		buf_c(out, "{\"id\":");
		format_json(out, item->id);
		buf_c(out, ",\"segment\":");
		format_json(out, r->segment->theirs);
		if (add)
			buf_addf(out, ",\"expires\":\"%s\"", day);
		buf_addf(out, ",\"action\":\"%s\"", add ? "add" : "remove");
		purposes(item, out);
		buf_c(out, "}\n");
	}
	return true;
}

/* --- OpenRTB 2.6 user.data: one object a visitor with all that holds; nothing left is an empty list
 * (github.com/InteractiveAdvertisingBureau/openrtb2.x) */

static void ortb_data(const struct encoder *e, const struct out_item *item, bool taxonomy, bool *first, struct buf *out)
{
	struct str name = setting_of(e, "name");
	bool any = false;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_REMOVE || (r->segment->iab != 0) != taxonomy)
			continue;
		if (!any) {
			buf_c(out, *first ? "{\"name\":" : ",{\"name\":");
			format_json(out, name.n ? name : STR("crumb"));
			buf_c(out, taxonomy ? ",\"ext\":{\"segtax\":4},\"segment\":[" : ",\"segment\":[");
		}
		if (taxonomy)
			buf_addf(out, "%s{\"id\":\"%ld\"", any ? "," : "", r->segment->iab);
		else {
			buf_c(out, any ? ",{\"id\":" : "{\"id\":");
			format_json(out, r->segment->theirs);
		}
		buf_addf(out, ",\"ext\":{\"expires\":%lu}}", (unsigned long)r->until * DAY_S);
		any = true;
	}
	if (any) {
		buf_c(out, "]}");
		*first = false;
	}
}

static bool ortb_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool first = true;
	buf_c(out, "{\"user\":{\"id\":");
	format_json(out, item->id);
	buf_c(out, ",\"data\":[");
	ortb_data(e, item, true, &first, out);
	ortb_data(e, item, false, &first, out);
	buf_c(out, "]}}\n");
	return true;
}

/* --- The Trade Desk's data API (github.com/thetradedesk/ttd-data-python, out.openapi.yaml) */

static bool ttd_is_third(const struct encoder *e)
{
	return e->d->format == FORMAT_TTD_THIRDPARTY;
}

static void ttd_begin(struct encoder *e, struct buf *out)
{
	struct str advertiser = setting_of(e, "advertiser_id"), provider = setting_of(e, "data_provider_id");
	if (!ttd_is_third(e)) {
		buf_c(out, "{\"AdvertiserId\":");
		format_json(out, advertiser);
		if (provider.n)
			buf_c(out, ",");
	} else {
		buf_c(out, "{\"IsUserIdAlreadyHashed\":false,");
	}
	if (provider.n) {
		buf_c(out, "\"DataProviderId\":");
		format_json(out, provider);
	}
	buf_c(out, ",\"Items\":[");
}

static bool ttd_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	struct str field = setting_of(e, "id_field");
	bool first = true;
	if (!field.n)
		field = ttd_is_third(e) && e->d->partner < 0 ? STR("DataProviderUserId") : STR("TDID");
	buf_addf(out, "%s{\"" STR_FMT "\":", e->items ? "," : "", STR_ARG(field));
	format_json(out, item->id);
	buf_c(out, ",\"Data\":[");
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_KEEP)
			continue;
		buf_c(out, first ? "{\"Name\":" : ",{\"Name\":");
		format_json(out, r->segment->theirs);
		buf_c(out, ",\"TimestampUtc\":");
		put_time(out, e->now);
		buf_addf(out, ",\"TtlInMinutes\":%u}", r->change == ROW_ADD ? format_minutes(e->now, r->until) : 0);
		first = false;
	}
	buf_c(out, "]}");
	return true;
}

static void list_end(struct encoder *e, struct buf *out)
{
	(void)e;
	buf_c(out, "]}");
}

static enum err ttd_check(const struct destination *d)
{
	static const char *const fields[] = {"TDID", "DAID", "UID2", "UID2Token", "RampID", "CoreID", "EUID", "EUIDToken", "ID5", "NetID", "FirstID",
	    "UtiqID", "MerkuryID", "IqviaPPID", "DataProviderUserId"};
	struct str field = setting_get(d->settings, d->settings_n, "id_field");
	bool known = field.n == 0;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		known |= str_eq(field, str_c(fields[i]));
	if (!known)
		return err_set(ERR_USAGE, "destination '%s': The Trade Desk knows no id_field '" STR_FMT "'", d->id, STR_ARG(field));
	if (d->format == FORMAT_TTD_ADVERTISER && (d->partner < 0 || str_eq(field, STR("DataProviderUserId"))))
		return err_set(ERR_USAGE, "destination '%s': ttd-advertiser takes The Trade Desk's ids: name the partner whose ids they are", d->id);
	return OK;
}

/* --- Adobe Audience Manager, inbound (AdobeDocs/audience-manager.en, inbound-file-contents.md) */

#define AAM_LINE 102400

static bool aam_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	size_t line = 0;
	if (memchr(item->id.p, ':', item->id.n))
		return false;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (e->full ? r->change == ROW_REMOVE : r->change == ROW_KEEP)
			continue;
		if (line + r->segment->theirs.n + 12 > AAM_LINE) {
			buf_c(out, "\n");
			line = 0;
		}
		size_t from = out->n;
		if (line == 0)
			buf_str(out, item->id);
		buf_c(out, line == 0 ? "\t" : ",");
		buf_c(out, r->change == ROW_REMOVE ? "d_unsid=" : "d_sid=");
		buf_str(out, r->segment->theirs);
		line += out->n - from;
	}
	if (line)
		buf_c(out, "\n");
	return true;
}

/* --- as LiveRamp delivers: identifier TAB seg,seg (docs.liveramp.com, data delivery guide) */

static bool liveramp_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool first = true;
	(void)e;
	buf_str(out, item->id);
	buf_c(out, "\t");
	for (unsigned i = 0; i < item->n; i++)
		if (item->rows[i].change != ROW_REMOVE) {
			buf_c(out, first ? "" : ",");
			buf_str(out, item->rows[i].segment->theirs);
			first = false;
		}
	buf_c(out, "\n");
	return true;
}

/* --- Segment's audience events, as its own Engage sends them (segmentio/segment-docs, using-engage-data.md) */

static void segment_begin(struct encoder *e, struct buf *out)
{
	(void)e;
	buf_c(out, "{\"batch\":[");
}

static bool segment_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	struct str space = setting_of(e, "space_id");
	bool first = e->items == 0;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		bool in = r->change == ROW_ADD;
		struct buf name = {0};
		if (r->change == ROW_KEEP)
			continue;
		/* the same event has the same id however often it is sent, so that it is counted once */
		buf_str(&name, e->delivery);
		buf_addf(&name, " " STR_FMT " " STR_FMT " %d", STR_ARG(item->id), STR_ARG(r->segment->id), in);
		buf_addf(out, "%s{\"type\":\"track\",\"messageId\":\"crumb-%016llx\",\"anonymousId\":", first ? "" : ",",
		    (unsigned long long)hash_plain64(name.p, name.n));
		buf_done(&name);
		format_json(out, item->id);
		buf_addf(out, ",\"event\":\"Audience %s\",\"timestamp\":", in ? "Entered" : "Exited");
		put_time(out, e->now);
		buf_c(out, ",\"properties\":{\"audience_key\":");
		format_json(out, r->segment->theirs);
		buf_c(out, ",");
		format_json(out, r->segment->theirs);
		buf_addf(out, ":%s},\"context\":{\"personas\":{\"computation_class\":\"audience\",\"computation_id\":", in ? "true" : "false");
		format_json(out, r->segment->id);
		buf_c(out, ",\"computation_key\":");
		format_json(out, r->segment->theirs);
		buf_c(out, ",\"namespace\":\"crumb\",\"space_id\":");
		format_json(out, space);
		buf_c(out, "}}}");
		first = false;
	}
	return true;
}

static void segment_end(struct encoder *e, struct buf *out)
{
	buf_c(out, "],\"sentAt\":");
	put_time(out, e->now);
	buf_c(out, "}");
}

/* --- the table */

static void nothing(struct encoder *e, struct buf *out)
{
	(void)e, (void)out;
}

static const struct format format_csv = {"csv", LIFE_IN_ROW, REMOVAL_ROW, NULL, NULL, csv_begin, csv_item, nothing};
static const struct format format_ndjson = {"ndjson", LIFE_IN_ROW, REMOVAL_ROW, NULL, NULL, nothing, ndjson_item, nothing};
static const struct format format_ortb = {"ndjson", LIFE_IN_ROW, REMOVAL_ITEM, NULL, NULL, nothing, ortb_item, nothing};
static const struct format format_ttd = {"json", LIFE_IN_ROW, REMOVAL_ROW, NULL, ttd_check, ttd_begin, ttd_item, list_end};
static const struct format format_aam = {"sync", LIFE_AT_PARTNER, REMOVAL_CHANGES, NULL, NULL, nothing, aam_item, nothing};
static const struct format format_liveramp = {"tsv", LIFE_AT_PARTNER, REMOVAL_ITEM, NULL, NULL, nothing, liveramp_item, nothing};
static const struct format format_segment = {"json", LIFE_AT_PARTNER, REMOVAL_ROW, NULL, NULL, segment_begin, segment_item, segment_end};

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
