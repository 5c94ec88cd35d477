/* Reading the views. Numbers about groups leave here only through the k gate; look-ups are about
 * one visitor.
 *
 * All of it is exact at the given time, whether or not the sweep has come by: what is overdue is
 * looked at afresh. Reads use one short transaction per shard. Any thread. */
#ifndef CRUMB_VIEWS_VIEW_H
#define CRUMB_VIEWS_VIEW_H

#include "crumb/views/engine.h"
#include "crumb/privacy/kgate.h"

/* Brings a stored profile, its memberships too, to `now`. */
void view_freshen(
    const struct generation *g, const struct fold *f, struct profile *p, uint32_t now);

/* An overdue visitor: `stored` as the tables have it, `fresh` as it is now. */
typedef enum err (*overdue_each)(
    void *arg, const struct vkey *k, const struct profile *stored, const struct profile *fresh);
/* Calls `each` for every overdue visitor of a shard, in order of due hour and ordinal; the first
 * error ends it. */
enum err view_each_overdue(const struct generation *g, struct fold *f, struct db_txn *t,
    uint32_t now, overdue_each each, void *arg) MUST_CHECK;

struct group_sizes {
	struct shown *segments;	  /* by number */
	struct shown *categories; /* visitors who have it on a retained day; [0] is everybody */
};
enum err view_sizes(struct generation *g, const struct kgate *gate, uint32_t now,
    struct group_sizes *out) MUST_CHECK;
void view_sizes_done(struct group_sizes *s);

/* Sums over all shards. Provisional visitors are no visitors. */
struct totals {
	uint64_t visitors, provisional, events;
};
enum err view_totals(struct generation *g, uint32_t now, struct totals *out) MUST_CHECK;

/* What is known of one visitor, as of `now`; ERR_NOT_FOUND: nothing. `profile->segments` are the
 * memberships of now. */
enum err view_visitor(
    struct generation *g, const struct vkey *k, uint32_t now, struct profile *out) MUST_CHECK;
/* First hits of a provisional visitor that still counts; false: there is none. */
bool view_provisional(struct generation *g, const struct vkey *k, uint32_t now, uint32_t *hour);

/* The visitor's id at a partner, and all of them; the visitor that a partner's id was matched with
 * last. False or 0: none that is still retained. */
bool view_match(struct generation *g, const struct vkey *k, struct str partner, uint32_t now,
    struct match_row *out);
unsigned view_matches(
    struct generation *g, const struct vkey *k, uint32_t now, struct match_row *out, unsigned cap);
bool view_partner_visitor(
    struct generation *g, struct str partner, struct str id, uint32_t now, struct vkey *out);

/* A segment's size, and who entered and left, on each of the last days up to today; `days` of them,
 * oldest first. */
struct day_sizes {
	uint16_t day;
	bool recorded; /* false: a day before these views were made, of which nothing is known */
	struct shown size, entered, left;
};
/* *since: the first day of which something was recorded, of any segment, so that it tells nothing
 * about this one. */
enum err view_days(struct generation *g, const struct kgate *gate, uint16_t segment, uint32_t now,
    unsigned days, struct day_sizes *out, uint16_t *since) MUST_CHECK;
/* The same of all segments, in the order of the rules: calls `each` with the days of each. Walks
 * the tables of days once; 1,000 segments of 90 days take some 10 MB of memory. */
enum err view_all_days(struct generation *g, const struct kgate *gate, uint32_t now, unsigned days,
    void (*each)(void *arg, uint16_t segment, const struct day_sizes *days), void *arg,
    uint16_t *since) MUST_CHECK;
/* The first day of the history of each category and segment, 0 where it is whole; free() both. */
enum err view_since(
    struct generation *g, uint32_t now, uint16_t **categories, uint16_t **segments) MUST_CHECK;

#endif
