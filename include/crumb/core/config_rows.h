/* The options: one row is one option. Whoever includes this has set the macros that it wants;
 * core/config.h makes the fields of struct config of them, core/config.c the table.
 *
 *     OPTION_GROUP(group, sentence)                          a heading in docs/CONFIGURATION.md
 *     TEXT(group, field, name, initial, takes, again, read, help)
 *     SECRET(…) is a text that is repeated to nobody, PAIRS(…) one that may be written as a map
 *     NUMBER(group, field, name, initial, min, max, unit, again, help)
 *     CHOICE(group, field, name, initial, type, WORDS, again, help)
 *
 * field    char *, long, or the enum `type`; what code reads: config->field
 * name     in the file, with -o; a dot is a level
 * takes    what the text is
 * again    START: taken at the next start. RELOAD: a running server takes it at SIGHUP
 * read     understands the text or refuses it (core/hosts.h); NULL: taken as it is
 * WORDS    X(word, value) for each; core/config.h has them */
#ifndef OPTION_GROUP
#define OPTION_GROUP(group, sentence)
#endif
#ifndef TEXT
#define TEXT(group, field, name, initial, takes, again, read, help)
#endif
#ifndef SECRET
#define SECRET(...) TEXT(__VA_ARGS__)
#endif
#ifndef PAIRS
#define PAIRS(...) TEXT(__VA_ARGS__)
#endif
#ifndef NUMBER
#define NUMBER(group, field, name, initial, min, max, unit, again, help)
#endif
#ifndef CHOICE
#define CHOICE(group, field, name, initial, type, WORDS, again, help)
#endif

OPTION_GROUP(store, "Where everything is kept, and for how long.")
TEXT(store, store_path, "store.path", "./store", "folder", START, NULL,
    "journal, state and keys; created with fresh keys when missing")
NUMBER(store, shards, "store.shards", "4", 1, 256, "shards", START,
    "parts of all visitors; fixed when the store is created")
NUMBER(store, map_gb, "store.map_gb", "0", 0, 65536, "GB", START,
    "address space reserved for each LMDB file; 0 picks one")
NUMBER(store, disk_reserve_percent, "store.reserve_percent", "5", 0, 100, "percent", RELOAD,
    "below this share of free disk new visitors are refused (503)")
NUMBER(store, retention_days, "retention", "90", 1, RETENTION_MAX, "days", START,
    "an observation is kept so long, journal and views alike")

OPTION_GROUP(rules, "What marketers and partners have written.")
TEXT(rules, rules_path, "rules.path", "etc/rules", "folder", RELOAD, NULL,
    "the marketers' YAML files")
TEXT(rules, destinations_path, "destinations.path", "etc/destinations.yaml", "file", RELOAD, NULL,
    "partners and destinations; may be missing")
NUMBER(rules, rules_wait_s, "rules.wait_s", "20", 0, 3600, "seconds", START,
    "wait this long at start for changed rules to be applied to the history before serving")

OPTION_GROUP(collect, "The listener for browsers: who may send, and how much.")
TEXT(collect, collect_listen, "collect.listen", "127.0.0.1:8080", "HOST:PORT", START, NULL,
    "where the pixel is; port 0 picks a free one")
NUMBER(collect, collect_threads, "collect.threads", "0", 0, COLLECT_THREADS_MAX, "threads", START,
    "event loops; 0 is half of the cores")
NUMBER(collect, connections, "collect.connections", "4096", 16, 1000000, "connections", START,
    "open at a time, of each thread; beyond it the longest idle one is closed")
NUMBER(collect, header_bytes, "collect.header_bytes", "16384", 1024, 1048576, "bytes", START,
    "longest request line and headers")
NUMBER(collect, body_bytes, "collect.body_bytes", "262144", 1024, 67108864, "bytes", RELOAD,
    "longest body of POST /e")
NUMBER(collect, idle_s, "collect.idle_s", "60", 1, 3600, "seconds", START,
    "a connection that asks for nothing is closed after this")
NUMBER(collect, header_s, "collect.header_s", "10", 1, 3600, "seconds", START,
    "headers must be complete in this time")
NUMBER(collect, body_s, "collect.body_s", "30", 1, 3600, "seconds", START,
    "a body must be complete in this time")
TEXT(collect, trusted_proxies, "trusted_proxies", "", "networks (CIDR), comma list", RELOAD, NULL,
    "their X-Forwarded-For is believed")
TEXT(collect, sites, "sites", "", "hosts or origins, comma list", RELOAD, hosts_sites,
    "their hits count and their pages may read /segments; empty counts every host")
TEXT(collect, geo_database, "geo.database", "", "file", RELOAD, NULL,
    "a MaxMind DB; empty looks for country.mmdb beside the program and in ../share/crumb")

OPTION_GROUP(admin, "The listener for operators.")
TEXT(admin, admin_listen, "admin.listen", "127.0.0.1:8081", "HOST:PORT", START, NULL,
    "where metrics and API are")
SECRET(admin, admin_token, "admin.token", "", "text", START, NULL,
    "bearer token of the admin listener; empty makes one and keeps it in the store")

OPTION_GROUP(privacy, "What is kept of a hit, and what is told of groups.")
NUMBER(privacy, k, "privacy.k", "50", 0, 1000000, "visitors", START,
    "smallest group that is told; 20 is the floor")
TEXT(privacy, keep_query, "privacy.keep_query", "", "names, comma list", RELOAD, NULL,
    "query keys of page URLs kept as attributes")
TEXT(privacy, attributes, "privacy.attributes", "", "names, comma list", RELOAD, NULL,
    "attributes accepted; empty accepts any that name no person")
TEXT(privacy, sensitive_destinations, "privacy.sensitive_destinations", "", "ids, comma list",
    RELOAD, NULL, "destinations that may get audiences of sensitive categories")

OPTION_GROUP(consent, "When a hit may be recorded.")
CHOICE(consent, consent_default, "consent.default", "allow", enum consent_default,
    CONSENT_DEFAULT_WORDS, RELOAD, "what holds where no signal came and none is required")
TEXT(consent, consent_require, "consent.require", "", "places, comma list", RELOAD, NULL,
    "countries (DE), parts of countries (US-CA) or EEA where a TC string must say yes; "
    "an unknown place counts as one of them")
CHOICE(consent, dnt, "consent.dnt", "no", enum no_yes, NO_YES_WORDS, RELOAD,
    "treat DNT: 1 as a refusal")
NUMBER(consent, tcf_vendor, "consent.tcf.vendor", "0", 0, 65535, "id", RELOAD,
    "our id in IAB's Global Vendor List")
TEXT(consent, tcf_purposes, "consent.tcf.purposes", "1,3,4", "numbers, comma list", RELOAD, NULL,
    "TCF purposes that are needed; the first always is")

OPTION_GROUP(junk, "Hits of programs, which are set aside.")
CHOICE(junk, crawl, "junk.crawl", "aside", enum crawl, CRAWL_WORDS, RELOAD,
    "what becomes of hits of programs that say so")
TEXT(junk, crawlers_file, "junk.crawlers", "", "file", RELOAD, NULL,
    "their patterns: one regular expression a line, or crawler-user-agents' JSON; "
    "empty: those of etc/crawlers.txt")
TEXT(junk, networks_file, "junk.networks", "", "file", RELOAD, NULL,
    "networks whose hits are set aside, lines 'CIDR label'")
NUMBER(junk, network_rate, "junk.per_network", "0", 0, 1000000, "hits per second", RELOAD,
    "so many count from one network (/24, /48) and collect thread; 0: any number")
NUMBER(junk, junk_per_day, "junk.per_day", "1000000", 0, 1000000000, "events per day", RELOAD,
    "so many are set aside; more are only counted")

OPTION_GROUP(cookie, "The visitor's cookie.")
CHOICE(cookie, cookie_samesite, "cookie.samesite", "none", enum samesite, SAMESITE_WORDS, RELOAD,
    "SameSite of the cookie; none forces Secure")
CHOICE(cookie, cookie_secure, "cookie.secure", "yes", enum no_yes, YES_NO_WORDS, RELOAD,
    "Secure; 'no' is only for first-party use without TLS")
CHOICE(cookie, cookie_partitioned, "cookie.partitioned", "no", enum no_yes, NO_YES_WORDS, RELOAD,
    "CHIPS: one cookie per top-level site")
TEXT(cookie, cookie_domain, "cookie.domain", "", "host", RELOAD, hosts_domain,
    "Domain of the cookie, for first-party use")

OPTION_GROUP(views, "How views are made of the journal.")
NUMBER(views, provisional_max, "provisional.max", "100000", 10000, 100000000, "visitors", START,
    "seen once, and remembered for 24 h")
NUMBER(views, fold_pace_ms, "fold.pace_ms", "800", 0, 10000, "milliseconds", START,
    "least time between two folds of a shard when nobody waits")
NUMBER(views, stream_keep_h, "stream.keep_h", "0", 0, 24, "hours", START,
    "enters and leaves are kept so long for streams; 0: there are none")

OPTION_GROUP(pages, "What pages, ad servers and visitors are told.")
TEXT(pages, kv_key, "page.key", "crumb", "text", RELOAD, NULL,
    "key of the key-values that /segments?format=kv gives to ad servers")
TEXT(pages, ortb2_name, "ortb2.name", "crumb", "text", RELOAD, NULL,
    "name of the data provider in OpenRTB answers")
TEXT(pages, operator_name, "operator.name", "", "text", RELOAD, NULL,
    "who runs this crumb: /me says it to visitors")
TEXT(pages, operator_policy, "operator.policy", "", "https://…", RELOAD, hosts_page,
    "address of the privacy policy that /me links to")

OPTION_GROUP(segment, "Segment's API at the collect listener.")
SECRET(segment, segment_keys, "segment.write_keys", "", "keys, comma list", RELOAD, NULL,
    "write keys of Segment's sources that may send to /v1/…; empty: none may")
PAIRS(segment, segment_consent, "segment.consent", "", "names, comma list", RELOAD, NULL,
    "categories of Segment's consent that must be true (advertising: ID names one, too); "
    "empty: all that come")

OPTION_GROUP(process, "The process and its log.")
CHOICE(process, log_form, "log.format", "text", enum log_form, LOG_FORM_WORDS, START,
    "lines on stderr, with their time in UTC")
CHOICE(process, log_level, "log.level", "info", enum log_level, LOG_LEVEL_WORDS, RELOAD,
    "less than this is not said")
TEXT(process, process_user, "process.user", "", "user", START, NULL,
    "started as root, become this user before anything is opened")

#undef OPTION_GROUP
#undef TEXT
#undef SECRET
#undef PAIRS
#undef NUMBER
#undef CHOICE
