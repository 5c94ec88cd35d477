/* The rows of what can stand in the journal, one for each kind of RECORDS (crumb/model/record.h).
 * Parts are written in the order of the row, so the order is part of the format: a new part goes to
 * the end of a new kind, never into an old one. */
#include "record_own.h"

#include <stddef.h>

/* A part that is a field of struct record. */
#define PART(kind_, name_, field, ...)                                                             \
	{                                                                                          \
		.kind = PART_##kind_, .name = name_, .at = offsetof(struct record, field),         \
		##__VA_ARGS__                                                                      \
	}
/* The first part of every record that is a visitor's. */
#define VISITOR PART(VISITOR, "visitor", event.visitor, .tells = true)

static const struct record_row event_row = {
    .name = "event",
    .word = "event",
    .counted = true,
    .encode = event_record_encode,
    .decode = event_decode,
    .shape = "visitor, time, flags, [country, region, agent, host, path, name, campaign, "
	     "referrer, {attribute: value}, [leaf…]], value or nil, TCF purposes (left out "
	     "where there are none)",
    .sentence = "A browser did something, as far as it is kept. Flags: 1, it came without a "
		"cookie; 2, it was imported.",
    .once = "It has its place in the log and nothing else: readers keep how far they have read, in "
	    "the transaction that applies it",
};

static const struct record_row erase_row = {
    .name = "erase",
    .word = "erase",
    .stay = RECORD_STAYS,
    .parts = {VISITOR, PART(TIME, "time", event.t, .tells = true)},
    .sentence = "A visitor is forgotten, and what comes of the same cookie or id is refused for as "
		"long as a cookie lasts.",
    .once =
	"Erasing again finds nobody: until the cookie has ended a tombstone keeps the visitor out",
};

static const struct record_row rules_row = {
    .name = "rules",
    .word = "rules",
    .whose = RECORD_OF_SHARDS,
    .stay = RECORD_STAYS,
    .parts = {PART(TIME, "time", event.t, .tells = true), PART(HASH, "hash", rules, .tells = true),
	PART(BYTES, "text", rules_text)},
    .sentence = "Rules are in force from now on. Every day that is written to says so again, so "
		"that it can be read by itself.",
    .once = "The fold passes over an activation that it has seen (views/since.h)",
};

static const struct record_row aside_row = {
    .name = "aside",
    .word = "event",
    .encode = event_record_encode,
    .decode = event_decode,
    .shape = "as an event, always with purposes, then reason, pattern",
    .sentence = "An event that does not count: a crawler's, a data centre's, another site's.",
    .once = "Nothing is done with it until it is released",
};

static const struct record_row released_row = {
    .name = "released",
    .word = "released",
    .whose = RECORD_OF_SHARDS,
    .stay = RECORD_STAYS,
    .parts = {PART(TIME, "time", event.t, .tells = true),
	PART(REASON, "reason", event.aside, .tells = true),
	PART(TEXT, "pattern", event.pattern, .tells = true)},
    .sentence = "What was set aside up to now for the reason and pattern (empty: any) counts; the "
		"events follow. Older versions wrote it.",
    .once = "The quarantine asks whether any such record is there, not how many",
};

static const struct record_row match_row = {
    .name = "match",
    .word = "match",
    .parts = {VISITOR, PART(TIME, "time", event.t, .tells = true),
	PART(TEXT, "partner", partner, .tells = true), PART(TEXT, "id", partner_id, .tells = true)},
    .sentence = "A partner knows the visitor by this id.",
    .once = "A visitor has one id for a partner, and an older record does not replace a newer one "
	    "(store/shard.h)",
};

static const struct record_row declared_row = {
    .name = "declared",
    .word = "declared",
    .parts = {VISITOR, PART(TIME, "time", event.t, .tells = true),
	PART(DAY, "until", until, .tells = true, .labelled = true),
	PART(TEXT, "source", partner, .tells = true),
	PART(ATTRS, "attributes", event.attrs, .tells = true)},
    .sentence = "A partner says attributes of the visitor. Until: the first day on which they are "
		"over. An empty value takes an attribute back.",
    .once = "It sets attributes and adds nothing: the same again leaves them as they are",
};

static const struct record_row taken_row = {
    .name = "taken",
    .word = "released",
    .whose = RECORD_OF_STORE,
    .stay = RECORD_STAYS,
    .parts = {PART(TIME, "time", event.t), PART(REASON, "reason", event.aside, .tells = true),
	PART(TEXT, "pattern", event.pattern, .tells = true),
	PART(U16, "shard", shard, .tells = true, .labelled = true),
	PART(U64, "upto", seq, .tells = true, .labelled = true)},
    .sentence = "What the shard had set aside for the reason and pattern (empty: any) up to this "
		"place counts. It stands in one commit with the events.",
    .once = "The quarantine asks whether any such record is there, not how many",
};

static const struct record_row slice_row = {
    .name = "slice",
    .word = "piece",
    .whose = RECORD_OF_STORE,
    .stay = RECORD_STAYS,
    .parts = {PART(TIME, "time", event.t),
	PART(HASH, "from", slice.from, .tells = true, .labelled = true),
	PART(HASH, "to", slice.to, .tells = true),
	PART(U64, "bytes", slice.bytes, .labelled = true),
	PART(U64, "lines", slice.lines, .labelled = true)},
    .sentence = "A piece of a file was imported: hashes of all before it and of all up to its end "
		"name it. It stands in one commit with the events.",
    .once = "An import asks for the piece before it sends it, and the server before it takes it "
	    "(ingest/applied.h)",
};

/* A kind without a row does not compile. */
static const struct record_row *const rows[RECORD_KINDS] = {
#define X(kind, number, name) [kind] = &name##_row,
    RECORDS(X)
#undef X
};

const struct record_row *record_row(uint64_t kind)
{
	return kind < RECORD_KINDS ? rows[kind] : NULL;
}
