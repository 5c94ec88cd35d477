/* What is known of formats. The partners' limits are theirs; sources are named beside each encoder (format_NAME.c). */
#include "crumb/partners/destinations.h"

#define MB 1000000ull

const struct format_info format_infos[FORMAT_MAX] = {
    [FORMAT_CSV] = {.name = "csv", .push = true, .content_type = "text/csv"},
    [FORMAT_NDJSON] = {.name = "ndjson", .push = true, .content_type = "application/x-ndjson"},
    [FORMAT_ORTB] = {.name = "ortb-user-data", .settings = "name", .push = true, .content_type = "application/x-ndjson"},
    [FORMAT_XANDR_TEXT] = {.name = "xandr-text", .settings = "separators,fields,member", .bytes = 300 * MB, .ttl_days = 180, .numbers = true},
    [FORMAT_XANDR_AVRO] = {.name = "xandr-avro", .settings = "member,uid", .bytes = 300 * MB, .ttl_days = 180, .numbers = true},
    [FORMAT_TTD_ADVERTISER] = {.name = "ttd-advertiser",
	.settings = "advertiser_id,data_provider_id,id_field",
	.required = "advertiser_id",
	.rows = 1000,
	.bytes = 2 * MB,
	.ttl_days = 180,
	.push = true,
	.content_type = "application/json"},
    [FORMAT_TTD_THIRDPARTY] = {.name = "ttd-thirdparty",
	.settings = "data_provider_id,id_field",
	.required = "data_provider_id",
	.rows = 1000,
	.bytes = 2 * MB,
	.ttl_days = 180,
	.push = true,
	.content_type = "application/json"},
    [FORMAT_GOOGLE_BULK] = {.name = "google-bulk",
	.settings = "id_type,data_source_id",
	.bytes = 100 * 1000,
	.numbers = true,
	.push = true,
	.content_type = "application/octet-stream"},
    [FORMAT_AAM] = {.name = "aam", .settings = "dpid,target,data_owner", .required = "dpid", .bytes = 1000 * MB, .ttl_days = 120, .numbers = true},
    [FORMAT_LIVERAMP] = {.name = "liveramp", .settings = "device,distribution_id", .required = "distribution_id", .bytes = 5000 * MB},
    [FORMAT_SEGMENT] =
	{.name = "segment-audience", .settings = "space_id", .rows = 1000, .bytes = 500 * 1000, .push = true, .content_type = "application/json"},
    [FORMAT_STREAM] = {.name = "stream"},
    [FORMAT_PAGE] = {.name = "page"},
};
