/* The ttd-advertiser and ttd-thirdparty formats: The Trade Desk's data API
 * (github.com/thetradedesk/ttd-data-python, out.openapi.yaml). An item is an id with its changes; a
 * removal is a life of no minutes.
 *
 *     {"AdvertiserId":"a1","Items":[
 *         {"TDID":"…","Data":[{"Name":"coats","TimestampUtc":"…","TtlInMinutes":1440},
 *                             {"Name":"boots","TimestampUtc":"…","TtlInMinutes":0}]}]}
 *
 * A 200 does not mean that all was taken: the answer names the lines that failed. */
#include "formats.h"

#include <jansson.h>
#include <stdio.h>

/* Kinds of ids, as the API names their fields. */
#define IDS                                                                                        \
	"TDID,DAID,UID2,UID2Token,RampID,CoreID,EUID,EUIDToken,ID5,NetID,FirstID,UtiqID,"          \
	"MerkuryID,IqviaPPID,DataProviderUserId"

static bool ttd_is_third(const struct encoder *e)
{
	return e->format == &format_ttd_thirdparty;
}

static void ttd_begin(struct encoder *e, struct buf *out)
{
	struct str advertiser = setting_of(e, "advertiser_id"),
		   provider = setting_of(e, "data_provider_id");
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
		field =
		    ttd_is_third(e) && e->d->partner < 0 ? STR("DataProviderUserId") : STR("TDID");
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
		buf_addf(out, ",\"TtlInMinutes\":%u}",
		    r->change == ROW_ADD ? format_minutes(e->now, r->until) : 0);
		first = false;
	}
	buf_c(out, "]}");
	return true;
}

static void ttd_end(struct encoder *e, struct buf *out)
{
	(void)e;
	buf_c(out, "]}");
}

static enum err ttd_check(const struct destination *d)
{
	struct str field = setting_get(d->settings, d->settings_n, "id_field");
	if (d->partner < 0 || str_eq(field, STR("DataProviderUserId")))
		return err_set(ERR_USAGE,
		    "destination '%s': ttd-advertiser takes The Trade Desk's ids: name the partner "
		    "whose ids they are",
		    d->id);
	return OK;
}

static struct str text_or_none(const json_t *v)
{
	return json_is_string(v) ? str_make(json_string_value(v), json_string_length(v)) : STR("");
}

/* {} or {"FailedLines":[{"TDID","DataName","ErrorCode","Message",…}]}. A line that names no id
 * makes all rows uncertain. */
static void ttd_answered(struct str answer, struct push_answer *out)
{
	json_error_t error;
	json_t *root = json_loadb(answer.n ? answer.p : "", answer.n, 0, &error), *row;
	size_t i;
	out->verdict = json_is_object(root) ? PUSH_TAKEN : PUSH_LATER;
	if (!json_is_object(root))
		snprintf(out->why, sizeof out->why, "the answer is no JSON object");
	json_array_foreach(json_object_get(root, "FailedLines"), i, row)
	{
		struct str id = STR(""), kinds = STR(IDS), kind;
		while (!id.n && str_cut(&kinds, ',', &kind)) {
			char name[32];
			snprintf(name, sizeof name, STR_FMT, STR_ARG(kind));
			id = text_or_none(json_object_get(row, name));
		}
		if (id.n)
			push_refused(out, id, text_or_none(json_object_get(row, "DataName")),
			    text_or_none(json_object_get(row, "ErrorCode")),
			    text_or_none(json_object_get(row, "Message")));
		else
			out->verdict = PUSH_UNCERTAIN;
	}
	json_decref(root);
}

static bool is_id_kind(const char *key)
{
	struct str kinds = STR(IDS), kind;
	while (str_cut(&kinds, ',', &kind))
		if (str_eq(kind, str_c(key)))
			return true;
	return false;
}

static bool ttd_changes_only(const json_t *list)
{
	const json_t *change;
	size_t i;
	json_array_foreach(list, i, change)
	{
		if (!masked_only(change, "Name|TimestampUtc|TtlInMinutes"))
			return false;
	}
	return json_is_array(list);
}

/* An item has its id under the name of its kind, and changes; others are left out. */
static bool ttd_mask(json_t *item)
{
	const char *key, *kind = NULL;
	json_t *value;
	json_object_foreach(item, key, value)
	{
		if (is_id_kind(key))
			kind = key;
		else if (strcmp(key, "Data") != 0)
			return false;
	}
	return kind && ttd_changes_only(json_object_get(item, "Data")) && masked_text(item, kind);
}

static void ttd_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	json_error_t error;
	json_t *root = json_loadb(bytes.n ? bytes.p : "", bytes.n, 0, &error), *item;
	size_t i;
	(void)d;
	json_array_foreach(json_object_get(root, "Items"), i, item)
	{
		if (ttd_mask(item))
			masked_json(json_incref(item), out);
	}
	json_decref(root);
}

const struct format format_ttd_advertiser = {
    .name = "ttd-advertiser",
    .says = "The Trade Desk's data API: an advertiser's own data, by The Trade Desk's ids",
    .source = "github.com/thetradedesk/ttd-data-python, out.openapi.yaml",
    .ending = "json",
    .content_type = "application/json",
    .ways = {&way_directory, &way_https},
    .settings = {{.name = "advertiser_id", .says = "the advertiser", .required = true},
	{.name = "data_provider_id",
	    .says = "who provides the data, where it is not the advertiser"},
	{.name = "id_field", .says = "what the ids are; without it `TDID`", .words = IDS}},
    .rows = 1000,
    .bytes = 2 * MB,
    .ttl_days = 180,
    .compressions = COMPRESS_ANY,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ROW,
    .check = ttd_check,
    .begin = ttd_begin,
    .item = ttd_item,
    .end = ttd_end,
    .answered = ttd_answered,
    .masked = ttd_masked,
};

const struct format format_ttd_thirdparty = {
    .name = "ttd-thirdparty",
    .says = "The Trade Desk's data API: a data provider's",
    .source = "github.com/thetradedesk/ttd-data-python, out.openapi.yaml",
    .ending = "json",
    .content_type = "application/json",
    .ways = {&way_directory, &way_https},
    .settings = {{.name = "data_provider_id", .says = "the data provider", .required = true},
	{.name = "id_field",
	    .says = "what the ids are; without it `TDID` for a partner's, `DataProviderUserId` for "
		    "ours",
	    .words = IDS}},
    .rows = 1000,
    .bytes = 2 * MB,
    .ttl_days = 180,
    .compressions = COMPRESS_ANY,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ROW,
    .begin = ttd_begin,
    .item = ttd_item,
    .end = ttd_end,
    .answered = ttd_answered,
    .masked = ttd_masked,
};
