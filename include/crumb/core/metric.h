/* Metrics: one row names a number for every output. Each thread that counts owns a block of plain counters, written by
 * it alone and read by anyone; the sum is made when somebody asks. Gauges are set whole.
 *
 * Blocks are those of the thread's ambient (base/ambient.h): each node of a program has its own counters, and sums are over its threads alone. */
#ifndef CRUMB_CORE_METRIC_H
#define CRUMB_CORE_METRIC_H

#include "crumb/base/ambient.h"
#include "crumb/base/buf.h"

#include <pthread.h>
#include <stdatomic.h>

/* X(symbol, prometheus name, labels or "", help) */
#define METRIC_COUNTERS(X)                                                                                                                           \
	X(M_CONNECTIONS, "connections_total", "", "Connections accepted")                                                                            \
	X(M_CONN_EVICTED, "connections_closed_total", "reason=\"limit\"", "Connections closed by the server")                                        \
	X(M_CONN_IDLE, "connections_closed_total", "reason=\"idle\"", "")                                                                            \
	X(M_CONN_SLOW, "connections_closed_total", "reason=\"slow\"", "")                                                                            \
	X(M_REQUESTS, "requests_total", "", "Requests read")                                                                                         \
	X(M_BAD_SYNTAX, "bad_requests_total", "reason=\"syntax\"", "Requests refused with 4xx")                                                      \
	X(M_BAD_HEADERS, "bad_requests_total", "reason=\"header_size\"", "")                                                                         \
	X(M_BAD_URI, "bad_requests_total", "reason=\"uri_size\"", "")                                                                                \
	X(M_BAD_BODY_SIZE, "bad_requests_total", "reason=\"body_size\"", "")                                                                         \
	X(M_BAD_BODY, "bad_requests_total", "reason=\"body\"", "")                                                                                   \
	X(M_BAD_TYPE, "bad_requests_total", "reason=\"content_type\"", "")                                                                           \
	X(M_BAD_CODING, "bad_requests_total", "reason=\"content_encoding\"", "")                                                                     \
	X(M_BAD_METHOD, "bad_requests_total", "reason=\"method\"", "")                                                                               \
	X(M_BAD_PATH, "bad_requests_total", "reason=\"not_found\"", "")                                                                              \
	X(M_BAD_ORIGIN, "bad_requests_total", "reason=\"origin\"", "")                                                                               \
	X(M_BAD_TIMEOUT, "bad_requests_total", "reason=\"timeout\"", "")                                                                             \
	X(M_UNAUTHORIZED, "bad_requests_total", "reason=\"unauthorized\"", "")                                                                       \
	X(M_HITS, "hits_total", "", "Pixel calls and events of POST /e")                                                                             \
	X(M_EVENTS, "events_total", "", "Events journalled")                                                                                         \
	X(M_REFUSED_GPC, "refused_total", "reason=\"gpc\"", "Hits not recorded, by reason")                                                          \
	X(M_REFUSED_OPTOUT, "refused_total", "reason=\"optout\"", "")                                                                                \
	X(M_REFUSED_ANON, "refused_total", "reason=\"anon\"", "")                                                                                    \
	X(M_REFUSED_DNT, "refused_total", "reason=\"dnt\"", "")                                                                                      \
	X(M_REFUSED_USP, "refused_total", "reason=\"us_privacy\"", "")                                                                               \
	X(M_REFUSED_GPP, "refused_total", "reason=\"gpp\"", "")                                                                                      \
	X(M_REFUSED_TCF, "refused_total", "reason=\"tcf\"", "")                                                                                      \
	X(M_REFUSED_CATEGORY, "refused_total", "reason=\"category\"", "")                                                                            \
	X(M_REFUSED_VENDOR, "refused_total", "reason=\"tcf_vendor\"", "")                                                                            \
	X(M_REFUSED_MISSING, "refused_total", "reason=\"consent_missing\"", "")                                                                      \
	X(M_REFUSED_UNREADABLE, "refused_total", "reason=\"consent_unreadable\"", "")                                                                \
	X(M_REFUSED_SITE, "refused_total", "reason=\"foreign_site\"", "")                                                                            \
	X(M_ASIDE_CRAWLER, "set_aside_total", "reason=\"crawler\"", "Hits set aside, by reason")                                                     \
	X(M_ASIDE_NETWORK, "set_aside_total", "reason=\"network\"", "")                                                                              \
	X(M_ASIDE_RATE, "set_aside_total", "reason=\"rate\"", "")                                                                                    \
	X(M_ASIDE_SITE, "set_aside_total", "reason=\"foreign_site\"", "")                                                                            \
	X(M_ASIDE_FULL, "set_aside_dropped_total", "", "Hits that were not even set aside: more than junk.per_day")                                  \
	X(M_REFUSED_OLD, "refused_total", "reason=\"too_old\"", "")                                                                                  \
	X(M_REFUSED_FUTURE, "refused_total", "reason=\"future\"", "")                                                                                \
	X(M_REFUSED_DISK, "refused_total", "reason=\"disk\"", "")                                                                                    \
	X(M_REFUSED_CLOCK, "refused_total", "reason=\"clock\"", "")                                                                                         \
	X(M_REFUSED_ERASED, "refused_total", "reason=\"erased\"", "")                                                                                \
	X(M_COOKIE_NEW, "cookies_total", "kind=\"new\"", "Cookies by what became of them")                                                           \
	X(M_COOKIE_KNOWN, "cookies_total", "kind=\"known\"", "")                                                                                     \
	X(M_COOKIE_FORGED, "cookies_total", "kind=\"forged\"", "")                                                                                   \
	X(M_COOKIE_OVERDUE, "cookies_total", "kind=\"overdue\"", "")                                                                                 \
	X(M_COOKIE_ERASED, "cookies_total", "kind=\"erased\"", "")                                                                                   \
	X(M_EVENT_OTHER, "dropped_total", "what=\"event_name\"", "Parts of events dropped by the wall")                                              \
	X(M_ATTR_DROPPED, "dropped_total", "what=\"attribute\"", "")                                                                                 \
	X(M_VALUE_DROPPED, "dropped_total", "what=\"attribute_value\"", "")                                                                          \
	X(M_URL_DROPPED, "dropped_total", "what=\"url\"", "")                                                                                        \
	X(M_LEAVES_DROPPED, "dropped_total", "what=\"rule_match\"", "")                                                                              \
	X(M_SCRUBBED, "scrubbed_total", "", "Path segments replaced because they could name a person")                                               \
	X(M_LOOKUPS, "lookups_total", "", "Answers of /segments")                                                                                    \
	X(M_JOURNAL_COMMITS, "journal_commits_total", "", "Synced commits of the journal")                                                           \
	X(M_JOURNAL_BLOCKS, "journal_blocks_total", "", "Blocks written")                                                                            \
	X(M_JOURNAL_FAILED, "journal_failures_total", "", "Commits that failed")                                                                     \
	X(M_FOLDED, "folded_events_total", "", "Events applied to views")                                                                            \
	X(M_FOLDS, "folds_total", "", "Fold transactions")                                                                                           \
	X(M_FOLD_DROPPED, "fold_dropped_total", "", "Events that were past retention when folded")                                                   \
	X(M_FOLD_CORRUPT, "fold_corrupt_total", "", "Blocks or records that could not be read")                                                      \
	X(M_PROFILES_BAD, "unreadable_profiles_total", "", "Times that a profile was met which does not decode; it is passed over")                       \
	X(M_VIEWS_REMADE, "views_remade_total", "", "Times that views could not be used and were made again from the journal")                         \
	X(M_SWEPT, "swept_visitors_total", "", "Visitors looked at because time passed")                                                             \
	X(M_EXPIRED, "expired_visitors_total", "", "Visitors deleted because nothing was left")                                                      \
	X(M_PROV_EVICTED, "provisional_evicted_total", "", "Provisional visitors forgotten early: table full")                                       \
	X(M_PROV_DROPPED, "provisional_dropped_total", "", "Events of provisional visitors beyond the 16 kB that are remembered of one")             \
	X(M_NO_ROOM, "visitors_without_room_total", "", "Events of new visitors for whom a shard has no number left")                                \
	X(M_PROFILE_ATTR, "profile_attributes_dropped_total", "", "Attributes that went because a profile has room for so many")                     \
	X(M_DECLARED_DROPPED, "declared_dropped_total", "", "Declarations about visitors who are not known, or that the rules know no more")         \
	X(M_ERASED, "erased_total", "", "Visitors erased because they, the operator or a signal asked for it")                                       \
	X(M_CLEANED, "journal_cleaned_events_total", "", "Events of erased visitors taken out of the journal's bytes")                               \
	X(M_TOMBSTONED, "tombstoned_total", "", "Events of erased visitors that were dropped")                                                       \
	X(M_SYNC_MATCHED, "syncs_total", "result=\"matched\"", "Calls of /sync by what became of them")                                              \
	X(M_SYNC_KNOWN, "syncs_total", "result=\"known\"", "")                                                                                       \
	X(M_SYNC_BAD_ID, "syncs_total", "result=\"unusable_id\"", "")                                                                                \
	X(M_SYNC_REDIRECT, "syncs_total", "result=\"redirected\"", "")                                                                               \
	X(M_SYNC_BAD_TARGET, "syncs_total", "result=\"target_not_listed\"", "")                                                                      \
	X(M_SYNC_BAD_PARTNER, "syncs_total", "result=\"unknown_partner\"", "")                                                                       \
	X(M_CDP_NO_ID, "cdp_calls_dropped_total", "reason=\"no_anonymous_id\"", "Calls of Segment's API that were answered, but not recorded")       \
	X(M_CDP_ERASED, "cdp_calls_dropped_total", "reason=\"erased\"", "")                                                                          \
	X(M_CDP_TWICE, "cdp_calls_dropped_total", "reason=\"repeated\"", "")                                                                         \
	X(M_CDP_TIME, "cdp_calls_dropped_total", "reason=\"too_old\"", "")                                                                           \
	X(M_CDP_BAD_TIME, "cdp_calls_dropped_total", "reason=\"unreadable_time\"", "")                                                               \
	X(M_CDP_KIND, "cdp_calls_dropped_total", "reason=\"not_an_event\"", "")                                                                      \
	X(M_CDP_UNDECLARED, "cdp_calls_dropped_total", "reason=\"undeclared_audience\"", "")                                                         \
	X(M_PUSH_TAKEN, "pushes_total", "result=\"taken\"", "Requests to destinations")                                                              \
	X(M_PUSH_FAILED, "pushes_total", "result=\"failed\"", "")                                                                                    \
	X(M_DELIVERED, "deliveries_total", "state=\"delivered\"", "Deliveries that have ended")                                                      \
	X(M_DELIVERY_FAILED, "deliveries_total", "state=\"failed\"", "")

enum metric {
#define X(symbol, name, labels, help) symbol,
	METRIC_COUNTERS(X)
#undef X
	    METRIC_MAX
};

/* Upper ends of the buckets of the one histogram, in microseconds; one more has no end. */
#define METRIC_HIT_BUCKETS                                                                                                                           \
	{                                                                                                                                            \
		500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000                                                 \
	}
#define METRIC_HIT_BUCKETS_N 12

struct metric_block {
	struct metric_block *next; /* first: base/ambient.h goes along */
	pthread_t thread;	   /* whose it is, or was */
	_Atomic uint64_t n[METRIC_MAX];
	_Atomic uint64_t hit[METRIC_HIT_BUCKETS_N + 1], hit_us;
};

struct metric_block *metric_block_find(void); /* this thread's, made when it has none: ambient_counts from now on */

static inline void metric_add(enum metric m, uint64_t by)
{
	struct metric_block *b = ambient_counts ? ambient_counts : metric_block_find();
	uint64_t v = atomic_load_explicit(&b->n[m], memory_order_relaxed);
	atomic_store_explicit(&b->n[m], v + by, memory_order_relaxed);
}
static inline void metric_inc(enum metric m)
{
	metric_add(m, 1);
}

/* So many hits took so long, from reading to being on disk and answered. */
void metric_hits_took(uint64_t us, uint64_t hits);

uint64_t metric_get(enum metric m);	 /* the sum over threads */
struct str metric_reason(enum metric m); /* what stands between the quotes of its label */
void metric_print(struct buf *out);	 /* Prometheus text format 0.0.4 of all counters, and of the histogram */
void metric_gauge(struct buf *out, const char *name, const char *help, double value);

#endif
