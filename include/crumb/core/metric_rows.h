/* The rows of what is counted: groups, counters, histograms. Whoever includes this has set the
 * macros that it wants, as core/metric.h and core/metric.c do.
 *
 *     METRIC_GROUP(group, sentence)                         a heading in docs/METRICS.md
 *     COUNTER(group, symbol, name, unit, sentence)          metric_inc(symbol) counts it
 *     COUNTERS(group, name, label, unit, sentence)          one name for several numbers
 *     EACH(symbol, name, value, sentence)                   one of them, its label's value
 *     HISTOGRAM(group, symbol, name, unit, per, sentence, ...)
 *         metric_took(symbol, value, times) counts it; values are in 1/per of the unit, and so are
 *         the upper ends of its buckets, which grow
 *     COUNTER_BY_DAY, COUNTERS_BY_DAY(…)                    the same; sums by day are kept, too
 *                                                           (report/tally.h), under the name
 *                                                           without "_total"
 *
 * The sentence says what is counted, a second one what an operator does when it grows. /metrics
 * puts "crumb_" before the name. Alerts and dashboards of others read names and labels: a row may
 * be added, and none is renamed. Gauges are rows beside what they tell of (struct gauge). */
#ifndef METRIC_GROUP
#define METRIC_GROUP(group, sentence)
#endif
#ifndef COUNTER
#define COUNTER(group, symbol, name, unit, sentence)
#endif
#ifndef COUNTERS
#define COUNTERS(group, name, label, unit, sentence)
#endif
#ifndef COUNTER_BY_DAY
#define COUNTER_BY_DAY COUNTER
#endif
#ifndef COUNTERS_BY_DAY
#define COUNTERS_BY_DAY COUNTERS
#endif
#ifndef EACH
#define EACH(symbol, name, value, sentence)
#endif
#ifndef HISTOGRAM
#define HISTOGRAM(group, symbol, name, unit, per, sentence, ...)
#endif

METRIC_GROUP(connections, "Connections and requests, of both listeners.")
COUNTER(connections, M_CONNECTIONS, connections_total, "connections",
    "Connections accepted. Much more than requests: let the proxy keep its connections open.")
COUNTERS(connections, connections_closed_total, "reason", "connections",
    "Connections closed by the server")
EACH(M_CONN_EVICTED, connections_closed_total, "limit",
    "Connections or descriptors ran out: raise collect.connections or LimitNOFILE.")
EACH(M_CONN_IDLE, connections_closed_total, "idle",
    "The client asked for nothing during collect.idle_s. This is normal.")
EACH(M_CONN_SLOW, connections_closed_total, "slow",
    "A request or an answer took too long. See who is so slow; a proxy in front waits for clients.")
COUNTER(connections, M_REQUESTS, requests_total, "requests",
    "Requests read. It shows how busy the listeners are.")
COUNTERS(connections, bad_requests_total, "reason", "requests", "Requests refused with 4xx")
EACH(M_BAD_SYNTAX, bad_requests_total, "syntax",
    "What came is no HTTP/1.1. Somebody tries things, or a proxy speaks another protocol.")
EACH(M_BAD_HEADERS, bad_requests_total, "header_size",
    "Headers were longer than collect.header_bytes: the site's cookies may be large.")
EACH(M_BAD_URI, bad_requests_total, "uri_size",
    "The request line was longer than collect.header_bytes: send large events by POST /e.")
EACH(M_BAD_BODY_SIZE, bad_requests_total, "body_size",
    "A body was longer than collect.body_bytes, or had over 1000 events. Send smaller pieces.")
EACH(M_BAD_BODY, bad_requests_total, "body",
    "A body was no event, array of events or NDJSON. Look at who sends it: nothing was recorded.")
EACH(M_BAD_TYPE, bad_requests_total, "content_type",
    "A body came with a Content-Type that is not taken. Look at who sends it.")
EACH(M_BAD_CODING, bad_requests_total, "content_encoding",
    "A body came in a coding that is not taken. Send it plain or with gzip.")
EACH(M_BAD_METHOD, bad_requests_total, "method",
    "An address was asked with a method that it does not have.")
EACH(M_BAD_PATH, bad_requests_total, "not_found",
    "There is nothing at the address. A tag may be written wrong, or somebody looks around.")
EACH(M_BAD_ORIGIN, bad_requests_total, "origin",
    "A page that is not in sites asked for what only those may read, or the admin listener was "
    "asked by a name or a page that is not in admin.hosts. Add it if it is one.")
EACH(M_BAD_TIMEOUT, bad_requests_total, "timeout",
    "A request was not whole in collect.header_s or collect.body_s.")
EACH(M_UNAUTHORIZED, bad_requests_total, "unauthorized",
    "The token or write key was wrong, or may not do that. Somebody guesses, or a key was "
    "changed.")
EACH(M_NODE_REFUSED, bad_requests_total, "no_node",
    "A connection to node.address had another cluster.key, no TLS 1.3, or took too long to begin. "
    "A node has an old key, or somebody scans.")
EACH(M_TOO_MANY_WRONG, bad_requests_total, "wrong_tokens",
    "One address sent more than 100 wrong tokens in a minute. Somebody guesses, or a program has "
    "an old token.")

METRIC_GROUP(hits, "Hits: how many came, and which were refused or set aside.")
COUNTER_BY_DAY(hits, M_HITS, hits_total, "hits",
    "Hits and imported events that the consent gate let through. When it stands still, the tag is "
    "gone from the pages, or all is refused.")
COUNTER_BY_DAY(hits, M_EVENTS, events_total, "events",
    "Events journalled that count. The difference to hits is set aside, or could not be recorded.")
HISTOGRAM(hits, H_HIT, hit_duration_seconds, "seconds", 1000000,
    "Time from reading a hit to its being durable and answered. When it grows, the disk is slow, "
    "or "
    "the brokers of log.brokers are.",
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000)
COUNTERS_BY_DAY(hits, refused_total, "reason", "hits", "Hits not recorded, by reason")
EACH(M_REFUSED_GPC, refused_total, "gpc",
    "The browser says Global Privacy Control. The visitor was erased, as it must be.")
EACH(M_REFUSED_OPTOUT, refused_total, "optout",
    "The visitor has opted out, and the browser's cookie says so.")
EACH(M_REFUSED_ANON, refused_total, "anon", "The page sent anon=1: it wanted nothing recorded.")
EACH(M_REFUSED_DNT, refused_total, "dnt", "The browser says DNT: 1, and consent.dnt=yes heeds it.")
EACH(M_REFUSED_USP, refused_total, "us_privacy", "us_privacy says that the visitor opted out.")
EACH(M_REFUSED_GPP, refused_total, "gpp",
    "A section of the GPP string says that the visitor opted out.")
EACH(M_REFUSED_TCF, refused_total, "tcf",
    "The TC string refuses us, or a purpose of consent.tcf.purposes.")
EACH(M_REFUSED_CATEGORY, refused_total, "category",
    "A category of consent that the tracker sent says no.")
EACH(M_REFUSED_VENDOR, refused_total, "tcf_vendor",
    "The visitor was not asked about us, or consent.tcf.vendor is not set. The CMP must list us.")
EACH(M_REFUSED_MISSING, refused_total, "consent_missing",
    "Consent was required, and none came. The tag may send before the banner has been answered.")
EACH(M_REFUSED_UNREADABLE, refused_total, "consent_unreadable",
    "A consent string could not be decoded. Look at what the page's CMP gives the tag.")
EACH(M_REFUSED_SITE, refused_total, "foreign_site",
    "The page's host is not in sites. Add it if it is yours. Such a hit is set aside, too, and is "
    "counted in both.")
EACH(M_REFUSED_OLD, refused_total, "too_old",
    "An imported event was older than retention. Import sooner.")
EACH(M_REFUSED_FUTURE, refused_total, "future",
    "An imported event was more than five minutes ahead: a clock or a time zone is wrong.")
EACH(M_REFUSED_DISK, refused_total, "disk",
    "The disk is nearly full, and new visitors are refused with 503. Make room.")
EACH(M_REFUSED_CLOCK, refused_total, "clock",
    "The clock is in doubt, and hits are answered 503. GET /readyz says what to do.")
EACH(
    M_REFUSED_ERASED, refused_total, "erased", "An imported event was of a visitor who was erased.")
COUNTERS_BY_DAY(hits, set_aside_total, "reason", "hits", "Hits set aside, by reason")
EACH(M_ASIDE_CRAWLER, set_aside_total, "crawler",
    "The agent says that it is a program. 'crumb quarantine' tells which ones.")
EACH(M_ASIDE_NETWORK, set_aside_total, "network", "The address is in a network of junk.networks.")
EACH(M_ASIDE_RATE, set_aside_total, "rate",
    "One network sent more than junk.per_network. Behind a proxy: look at trusted_proxies.")
EACH(M_ASIDE_SITE, set_aside_total, "foreign_site",
    "The page's host is not in sites. 'crumb quarantine' tells which; add it if it is yours.")
COUNTER(hits, M_ASIDE_FULL, set_aside_dropped_total, "hits",
    "Hits that were not even set aside: more than junk.per_day. They cannot be released later.")
COUNTERS_BY_DAY(hits, cookies_total, "kind", "hits", "Hits by the cookie that came with them")
EACH(M_COOKIE_NEW, cookies_total, "new",
    "No cookie came, and one was given. Far more than known ones: cookies do not come back.")
EACH(M_COOKIE_KNOWN, cookies_total, "known", "A cookie of ours came back.")
EACH(M_COOKIE_FORGED, cookies_total, "forged",
    "A cookie was not made by this store. After a restore without its keys this is normal.")
EACH(M_COOKIE_OVERDUE, cookies_total, "overdue", "A cookie was past its 90 days, and was replaced.")
EACH(M_COOKIE_ERASED, cookies_total, "erased", "A cookie was of a visitor who was erased.")
COUNTERS_BY_DAY(hits, dropped_total, "what", "parts", "Parts of events dropped by the wall")
EACH(M_EVENT_OTHER, dropped_total, "event_name",
    "The name of an event was not [A-Za-z0-9_.:-]{1,64}, and became 'other'. Rename it in the tag.")
EACH(M_ATTR_DROPPED, dropped_total, "attribute",
    "An attribute was not taken: personal, not in privacy.attributes, too long, or one too many.")
EACH(M_VALUE_DROPPED, dropped_total, "attribute_value",
    "A value was none of those that the rules allow for the attribute. Look at the vocabulary.")
EACH(M_URL_DROPPED, dropped_total, "url", "The page's address could not be read as one.")
EACH(M_LEAVES_DROPPED, dropped_total, "rule_match",
    "More patterns on title, url or parameters matched than are kept of an event. Join some.")
COUNTER(hits, M_SCRUBBED, scrubbed_total, "path segments",
    "Path segments replaced because they could name a person.")
COUNTER_BY_DAY(hits, M_LOOKUPS, lookups_total, "answers", "Answers of /segments.")

METRIC_GROUP(journal, "The journal, in which every hit is before it is answered.")
COUNTER(journal, M_JOURNAL_COMMITS, journal_commits_total, "commits",
    "Synced commits of the journal. Events by commits is how many hits share a flush.")
COUNTER(journal, M_JOURNAL_BLOCKS, journal_blocks_total, "blocks", "Blocks written.")
COUNTER(journal, M_JOURNAL_FAILED, journal_failures_total, "commits",
    "Commits that failed; their hits were answered 503. The log says why: mostly the disk.")
COUNTER(journal, M_CLEANED, journal_cleaned_events_total, "events",
    "Events of erased visitors taken out of the journal's bytes.")

METRIC_GROUP(log, "The log on Kafka, where log.kind is kafka.")
HISTOGRAM(log, H_LOG_SEND, log_send_duration_seconds, "seconds", 1000000,
    "How long brokers took to acknowledge a commit; hits are answered no sooner. Look at the "
    "brokers' disks, or at the way to them.",
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000)
COUNTER(log, M_LOG_TAKEN, log_records_total, "records", "Records read from the log and stored.")
COUNTER(log, M_LOG_AGAIN, log_duplicates_total, "records",
    "Records that the log had twice; they counted once. This is normal after a broker was down.")
COUNTER(log, M_LOG_UNREADABLE, log_unreadable_total, "records",
    "Records that did not open and were dropped. Somebody else writes to the topic, or damages it.")

METRIC_GROUP(views, "Views: profiles and memberships, which are made from the journal.")
COUNTER(views, M_FOLDED, folded_events_total, "events", "Events applied to views.")
COUNTER(views, M_FOLDS, folds_total, "transactions", "Fold transactions.")
COUNTER(views, M_FOLD_DROPPED, fold_dropped_total, "events",
    "Events that were past retention when folded.")
COUNTER(views, M_FOLD_CORRUPT, fold_corrupt_total, "blocks",
    "Blocks or records that could not be read. Run 'crumb db verify', and look at the disk.")
COUNTER(views, M_PROFILES_BAD, unreadable_profiles_total, "profiles",
    "Times that a profile was met which does not decode; it is passed over. The log says more.")
COUNTER(views, M_VIEWS_REMADE, views_remade_total, "times",
    "Times that views could not be used and were made again from the journal. Look at the disk.")
COUNTER(views, M_SWEPT, swept_visitors_total, "visitors", "Visitors looked at because time passed.")
COUNTER(views, M_EXPIRED, expired_visitors_total, "visitors",
    "Visitors deleted because nothing was left.")
COUNTER(views, M_PROV_EVICTED, provisional_evicted_total, "visitors",
    "Provisional visitors forgotten early: table full. Raise provisional.max.")
COUNTER(views, M_PROV_DROPPED, provisional_dropped_total, "events",
    "Events of provisional visitors beyond the 16 kB that are remembered of one. Programs do so.")
COUNTER(views, M_NO_ROOM, visitors_without_room_total, "events",
    "Events of new visitors for whom a shard has no number left. More shards are needed.")
COUNTER(views, M_PROFILE_ATTR, profile_attributes_dropped_total, "attributes",
    "Attributes that went because a profile is full of them. Name fewer in privacy.attributes.")
COUNTER(views, M_DECLARED_DROPPED, declared_dropped_total, "declarations",
    "Declarations about visitors who are not known, or that the rules know no more.")

METRIC_GROUP(erasure, "Visitors who are forgotten.")
COUNTER(erasure, M_ERASED, erased_total, "visitors",
    "Visitors erased because they, the operator or a signal asked for it.")
COUNTER(erasure, M_TOMBSTONED, tombstoned_total, "events",
    "Events of erased visitors that were dropped.")

METRIC_GROUP(partners, "Partners, trackers and destinations.")
COUNTERS(partners, syncs_total, "result", "calls", "Calls of /sync by their result")
EACH(M_SYNC_MATCHED, syncs_total, "matched", "A partner's id was new, and is known from now on.")
EACH(M_SYNC_KNOWN, syncs_total, "known", "A partner's id was known already.")
EACH(M_SYNC_BAD_ID, syncs_total, "unusable_id",
    "A partner sent an id that cannot be kept, or a macro that nobody filled. Tell the partner.")
EACH(M_SYNC_REDIRECT, syncs_total, "redirected", "The browser was sent on to the partner.")
EACH(M_SYNC_BAD_TARGET, syncs_total, "target_not_listed",
    "A call named an address that the partner's redirects do not have. Add it if it is right.")
EACH(M_SYNC_BAD_PARTNER, syncs_total, "unknown_partner",
    "A call named a partner whom destinations.path does not have.")
COUNTERS(partners, cdp_calls_dropped_total, "reason", "calls",
    "Calls of Segment's API that were answered, but not recorded")
EACH(M_CDP_NO_ID, cdp_calls_dropped_total, "no_anonymous_id",
    "A call had no anonymousId. Calls of servers must be given that of the browser.")
EACH(M_CDP_ERASED, cdp_calls_dropped_total, "erased", "The visitor was erased.")
EACH(M_CDP_TWICE, cdp_calls_dropped_total, "repeated",
    "The same messageId came before: a library tried again.")
EACH(M_CDP_TIME, cdp_calls_dropped_total, "too_old", "A call was older than retention.")
EACH(M_CDP_BAD_TIME, cdp_calls_dropped_total, "unreadable_time",
    "The time of a call could not be read. Look at the library that sends it.")
EACH(M_CDP_KIND, cdp_calls_dropped_total, "not_an_event",
    "A call is none that says what a visitor did.")
EACH(M_CDP_UNDECLARED, cdp_calls_dropped_total, "undeclared_audience",
    "A call named an audience that the rules do not declare. Declare it, or stop sending it.")
COUNTERS(partners, pushes_total, "result", "requests", "Requests to destinations")
EACH(M_PUSH_TAKEN, pushes_total, "taken", "The destination took it.")
EACH(M_PUSH_FAILED, pushes_total, "failed",
    "The destination did not take it; it is tried again. 'crumb deliveries' says why.")
COUNTERS(partners, deliveries_total, "state", "deliveries", "Deliveries that have ended")
EACH(M_DELIVERED, deliveries_total, "delivered", "All of a delivery was taken.")
EACH(M_DELIVERY_FAILED, deliveries_total, "failed",
    "A delivery was given up. 'crumb deliveries' says why.")

METRIC_GROUP(segments, "Segments, through the gate of lists.")
METRIC_GROUP(store, "The store and its disk.")
METRIC_GROUP(process, "The process.")

#undef METRIC_GROUP
#undef COUNTER
#undef COUNTERS
#undef COUNTER_BY_DAY
#undef COUNTERS_BY_DAY
#undef EACH
#undef HISTOGRAM
