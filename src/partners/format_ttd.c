/* The ttd-advertiser and ttd-thirdparty formats: The Trade Desk's data API (github.com/thetradedesk/ttd-data-python, out.openapi.yaml). */
#include "formats.h"

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
		format_time(out, e->now);
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

const struct format format_ttd = {"json", LIFE_IN_ROW, REMOVAL_ROW, NULL, ttd_check, ttd_begin, ttd_item, list_end};
