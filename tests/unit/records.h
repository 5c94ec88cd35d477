/* A record of each kind, for tests that go along the rows of records. */
#ifndef CRUMB_TESTS_RECORDS_H
#define CRUMB_TESTS_RECORDS_H

#include "unit.h"

#include "crumb/model/record.h"

/* With all that any kind has parts for. */
static inline struct record sample(enum record_kind kind)
{
	struct record r = {.kind = kind,
	    .event = {.visitor = {"a visitor of 16"},
		.t = 1700000000,
		.flags = EVENT_NEW | EVENT_IMPORTED,
		.agent = {DEVICE_MOBILE, OS_ANDROID, BROWSER_CHROME},
		.place = {"GB", "ENG"},
		.host = STR("shop.example"),
		.path = STR("/coats"),
		.name = STR("view"),
		.campaign = STR("spring"),
		.referrer = REFERRER_SEARCH,
		.attrs = {{STR("size"), STR("xl")}, {STR("tier"), STR("gold")}},
		.attrs_n = 2,
		.leaves = {7, (uint64_t)1 << 63},
		.leaves_n = 2,
		.v = 12.5,
		.has_v = true,
		.purposes = 13},
	    .partner = STR("ttd"),
	    .partner_id = STR("id-1"),
	    .until = 19700,
	    .rules = "a hash of rules.",
	    .rules_text = STR("version: 1\n"),
	    .shard = 3,
	    .seq = (uint64_t)1 << 40,
	    .slice = {"the hash before", "and the one here", 70000, 12}};
	switch (kind) {
	case RECORD_ASIDE:
		r.event.aside = ASIDE_RATE;
		r.event.pattern = STR("10.0.0.0/8");
		break;
	case RECORD_RELEASED:
		r.event.aside = ASIDE_NETWORK;
		r.event.pattern = STR("10.0.0.0/8");
		break;
	case RECORD_TAKEN:
		r.event.aside = ASIDE_CRAWLER;
		r.event.pattern = STR("bot");
		break;
	case RECORD_DECLARED:
		r.partner = STR("liveramp");
		break;
	default:
		break;
	}
	return r;
}

#define EACH_KIND(kind)                                                                            \
	for (enum record_kind kind = RECORD_EVENT; kind < RECORD_KINDS; kind++)                    \
		if (record_row(kind))

/* Records of a visitor in few words. */
static inline void record_encode_erase(const struct vkey *visitor, uint32_t t, struct buf *out)
{
	record_encode(
	    &(struct record){.kind = RECORD_ERASE, .event = {.visitor = *visitor, .t = t}}, out);
}

static inline void record_encode_match(
    const struct vkey *visitor, uint32_t t, struct str partner, struct str id, struct buf *out)
{
	struct record r = {.kind = RECORD_MATCH,
	    .event = {.visitor = *visitor, .t = t},
	    .partner = partner,
	    .partner_id = id};
	record_encode(&r, out);
}

static inline void record_encode_declared(const struct vkey *visitor, uint32_t t, uint16_t until,
    struct str source, const struct attr *attrs, unsigned n, struct buf *out)
{
	struct record r = {.kind = RECORD_DECLARED,
	    .event = {.visitor = *visitor, .t = t, .attrs_n = n},
	    .until = until,
	    .partner = source};
	memcpy(r.event.attrs, attrs, n * sizeof *attrs);
	record_encode(&r, out);
}

#endif
