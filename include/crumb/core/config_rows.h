/* The options: one row is one option. Whoever includes this has set the macros that it wants;
 * core/config.h makes the fields of struct config of them, core/config.c the table.
 *
 *     OPTION_GROUP(group, sentence)                          a heading in docs/CONFIGURATION.md
 *     TEXT(group, field, name, initial, takes, again, read, help)
 *     SECRET(…) is a text that is repeated to nobody, PAIRS(…) one that may be written as a map,
 *     SECRET_PAIRS(…) is both
 *     NUMBER(group, field, name, initial, min, max, unit, again, help)
 *     RAISED(group, field, name, initial, min, floor, max, unit, again, help)
 *         is a NUMBER that is raised, with a warning, to the floor where it is below that
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
#ifndef SECRET_PAIRS
#define SECRET_PAIRS(...) TEXT(__VA_ARGS__)
#endif
#ifndef NUMBER
#define NUMBER(group, field, name, initial, min, max, unit, again, help)
#endif
#ifndef RAISED
#define RAISED(group, field, name, initial, min, floor, max, ...)                                  \
	NUMBER(group, field, name, initial, min, max, __VA_ARGS__)
#endif
#ifndef CHOICE
#define CHOICE(group, field, name, initial, type, WORDS, again, help)
#endif

OPTION_GROUP(store, "Where everything is kept, and for how long.")
TEXT(store, store_path, "store.path", "./store", "folder", START, NULL,
    "The folder of the journal, the views and the keys. It is made, with fresh keys, when it is "
    "missing.")
NUMBER(store, shards, "store.shards", "4", 1, SHARDS_MAX, "shards", START,
    "How many parts all visitors are divided into. Fixed when the store is created.")
NUMBER(store, map_gb, "store.map_gb", "0", 0, 65536, "GB", START,
    "Address space that is reserved for each LMDB file. 0: crumb picks it.")
NUMBER(store, disk_reserve_percent, "store.reserve_percent", "5", 0, 100, "percent", RELOAD,
    "Below this share of free disk, new visitors are refused (503).")
NUMBER(store, retention_days, "retention", "90", 1, RETENTION_MAX, "days", START,
    "How long an observation is kept, in the journal and in the views alike.")

OPTION_GROUP(log, "Where the log is: what makes an answered hit durable.")
CHOICE(log, log_kind, "log.kind", "local", enum log_kind, LOG_KIND_WORDS, START,
    "`local`: a hit is answered when it is in the store's files. `kafka`: when all in-sync "
    "replicas of Kafka brokers have it.")
TEXT(log, log_brokers, "log.brokers", "", "host:port, comma list", START, NULL,
    "Brokers of the cluster to begin with; they name the others.")
TEXT(log, log_topic, "log.topic", "crumb.log", "topic", START, NULL,
    "The topic of hits; it has a partition for each shard, and one store writes and reads it.")
TEXT(log, log_control, "log.control", "crumb.control", "topic", START, NULL,
    "The topic of what nodes tell each other; it has one partition.")
NUMBER(log, log_timeout_ms, "log.timeout_ms", "5000", 100, 300000, "milliseconds", START,
    "How long an answer of the brokers is waited for. Hits that they did not acknowledge by then "
    "are refused (503).")
SECRET_PAIRS(log, log_kafka, "log.kafka", "", "settings, comma list", START, NULL,
    "Settings that librdkafka gets as they are, such as security.protocol: SSL.")
CHOICE(log, log_unsafe, "log.unsafe", "no", enum no_yes, NO_YES_WORDS, START,
    "yes: settings of the topics that brokers do not show are taken to be right.")

OPTION_GROUP(rules, "What marketers and partners have written.")
TEXT(rules, rules_path, "rules.path", "etc/rules", "folder", RELOAD, NULL,
    "The marketers' YAML files.")
CHOICE(rules, rules_editable, "rules.editable", "yes", enum no_yes, YES_NO_WORDS, RELOAD,
    "May rules be published from the dashboard? `no`, or a folder that crumbd cannot write to: a "
    "patch is handed out instead.")
TEXT(rules, destinations_path, "destinations.path", "etc/destinations.yaml", "file", RELOAD, NULL,
    "Partners and destinations. The file may be missing.")
NUMBER(rules, rules_wait_s, "rules.wait_s", "20", 0, 3600, "seconds", START,
    "At start, how long to wait for changed rules to be applied to the history before serving.")

OPTION_GROUP(collect, "The listener for browsers: who may send, and how much.")
TEXT(collect, collect_listen, "collect.listen", "127.0.0.1:8080", "HOST:PORT", START, NULL,
    "Where the pixel is. Port 0 picks a free port.")
NUMBER(collect, collect_threads, "collect.threads", "0", 0, COLLECT_THREADS_MAX, "threads", START,
    "Event loops. 0: half as many as there are cores.")
NUMBER(collect, connections, "collect.connections", "4096", 16, 1000000, "connections", START,
    "Connections that one thread keeps open at a time. One more closes the longest idle one.")
NUMBER(collect, header_bytes, "collect.header_bytes", "16384", 1024, 1048576, "bytes", START,
    "The longest request line and headers.")
NUMBER(collect, body_bytes, "collect.body_bytes", "262144", 1024, 67108864, "bytes", RELOAD,
    "The longest body of POST /e.")
NUMBER(collect, idle_s, "collect.idle_s", "60", 1, 3600, "seconds", START,
    "A connection that asks for nothing is closed after this time.")
NUMBER(collect, header_s, "collect.header_s", "10", 1, 3600, "seconds", START,
    "Headers must be complete within this time.")
NUMBER(collect, body_s, "collect.body_s", "30", 1, 3600, "seconds", START,
    "A body must be complete within this time.")
TEXT(collect, trusted_proxies, "trusted_proxies", "", "networks (CIDR), comma list", RELOAD, NULL,
    "Proxies whose X-Forwarded-For is believed.")
TEXT(collect, sites, "sites", "", "hosts or origins, comma list", RELOAD, hosts_sites,
    "Our sites: their hits count, and their pages may read /segments. Empty: every host counts.")
TEXT(collect, geo_database, "geo.database", "", "file", RELOAD, NULL,
    "A MaxMind DB. Empty: country.mmdb beside the program, or in ../share/crumb.")

OPTION_GROUP(admin, "The listener for operators.")
TEXT(admin, admin_listen, "admin.listen", "127.0.0.1:8081", "HOST:PORT", START, NULL,
    "Where metrics and API are.")
SECRET(admin, admin_token, "admin.token", "", "text", START, NULL,
    "The bearer token of the admin listener. Empty: each start makes another one, and keeps it in "
    "the store's file admin.")
TEXT(admin, admin_hosts, "admin.hosts", "", "hosts or origins, comma list", RELOAD, hosts_names,
    "Names of the admin listener besides its address, such as that of a proxy before it. A request "
    "for another host is refused (421).")

OPTION_GROUP(privacy, "What is kept of a hit, and what is told of groups.")
RAISED(privacy, k, "privacy.k", "50", 0, K_FLOOR, 1000000, "visitors", START,
    "The smallest group that is told.")
TEXT(privacy, keep_query, "privacy.keep_query", "", "names, comma list", RELOAD, NULL,
    "Query keys of page URLs that are kept as attributes.")
TEXT(privacy, attributes, "privacy.attributes", "", "names, comma list", RELOAD, NULL,
    "Attributes that are accepted. Empty: all that name no person.")
TEXT(privacy, sensitive_destinations, "privacy.sensitive_destinations", "", "ids, comma list",
    RELOAD, NULL, "Destinations that may get audiences of sensitive categories.")

OPTION_GROUP(consent, "When a hit may be recorded.")
CHOICE(consent, consent_default, "consent.default", "allow", enum consent_default,
    CONSENT_DEFAULT_WORDS, RELOAD, "What holds where no signal came and no signal is required.")
TEXT(consent, consent_require, "consent.require", "", "places, comma list", RELOAD, NULL,
    "Countries (DE), parts of countries (US-CA) or EEA where a TC string must say yes. A "
    "visitor whose place is unknown is treated as one of them.")
CHOICE(consent, dnt, "consent.dnt", "no", enum no_yes, NO_YES_WORDS, RELOAD,
    "Whether DNT: 1 is a refusal.")
NUMBER(consent, tcf_vendor, "consent.tcf.vendor", "0", 0, 65535, "id", RELOAD,
    "Our id in IAB's Global Vendor List.")
TEXT(consent, tcf_purposes, "consent.tcf.purposes", "1,3,4", "numbers, comma list", RELOAD, NULL,
    "TCF purposes that are needed. The first is always needed.")

OPTION_GROUP(junk, "Hits of programs.")
CHOICE(junk, crawl, "junk.crawl", "aside", enum crawl, CRAWL_WORDS, RELOAD,
    "How to treat hits from declared crawlers: set them aside or count them.")
TEXT(junk, crawlers_file, "junk.crawlers", "", "file", RELOAD, NULL,
    "Patterns of crawlers: a regular expression a line, or crawler-user-agents' JSON. Empty: "
    "those of etc/crawlers.txt.")
TEXT(junk, networks_file, "junk.networks", "", "file", RELOAD, NULL,
    "Networks whose hits are set aside: lines of 'CIDR label'.")
NUMBER(junk, network_rate, "junk.per_network", "0", 0, 1000000, "hits per second", RELOAD,
    "How many hits of one network (/24, /48) a collect thread counts. More are set aside. 0: no "
    "limit.")
NUMBER(junk, junk_per_day, "junk.per_day", "1000000", 0, 1000000000, "events per day", RELOAD,
    "How many events a day are set aside. More are only counted.")

OPTION_GROUP(cookie, "The visitor's cookie.")
CHOICE(cookie, cookie_samesite, "cookie.samesite", "none", enum samesite, SAMESITE_WORDS, RELOAD,
    "SameSite of the cookie. 'none' forces Secure.")
CHOICE(cookie, cookie_secure, "cookie.secure", "yes", enum no_yes, YES_NO_WORDS, RELOAD,
    "Secure of the cookie. 'no' is only for first-party use without TLS.")
CHOICE(cookie, cookie_partitioned, "cookie.partitioned", "no", enum no_yes, NO_YES_WORDS, RELOAD,
    "CHIPS: a cookie for each top-level site.")
TEXT(cookie, cookie_domain, "cookie.domain", "", "host", RELOAD, hosts_domain,
    "Domain of the cookie, for first-party use.")

OPTION_GROUP(views, "How views are made of the journal.")
NUMBER(views, provisional_max, "provisional.max", "100000", 10000, 100000000, "visitors", START,
    "How many visitors who were seen once are remembered, for 24 hours.")
NUMBER(views, fold_pace_ms, "fold.pace_ms", "800", 0, 10000, "milliseconds", START,
    "The least time between two folds of a shard when nobody waits.")
NUMBER(views, stream_keep_h, "stream.keep_h", "0", 0, 24, "hours", START,
    "How long enters and leaves are kept for streams. 0: there are no streams.")

OPTION_GROUP(pages, "What pages, ad servers and visitors are told.")
TEXT(pages, kv_key, "page.key", "crumb", "text", RELOAD, NULL,
    "The key of the key-values that /segments?format=kv gives to ad servers.")
TEXT(pages, ortb2_name, "ortb2.name", "crumb", "text", RELOAD, NULL,
    "The name of the data provider in OpenRTB answers.")
TEXT(pages, operator_name, "operator.name", "", "text", RELOAD, NULL,
    "Who runs this crumb. /me says it to visitors.")
TEXT(pages, operator_policy, "operator.policy", "", "https://…", RELOAD, hosts_page,
    "The address of the privacy policy that /me links to.")

OPTION_GROUP(segment, "Segment's API at the collect listener.")
SECRET(segment, segment_keys, "segment.write_keys", "", "keys, comma list", RELOAD, NULL,
    "Write keys of Segment's sources that may send to /v1/…. Empty: no source may.")
PAIRS(segment, segment_consent, "segment.consent", "", "names, comma list", RELOAD, NULL,
    "Categories of Segment's consent that must be true; 'advertising: ID' names a category, "
    "too. Empty: all categories that come.")

OPTION_GROUP(node, "This node, and how other nodes reach it.")
TEXT(node, node_name, "node.name", "", "text", START, NULL,
    "What this node is called among nodes. Empty: the name of the machine.")
TEXT(node, node_address, "node.address", "", "HOST:PORT", START, NULL,
    "Where other nodes ask this one, over TLS 1.3 with cluster.key. Empty: nowhere.")
TEXT(node, cluster_key, "cluster.key", "", "file", START, NULL,
    "The secret that nodes know each other by, the same file on each, of mode 0600. `crumb cluster "
    "key FILE` makes one.")

OPTION_GROUP(process, "The process and its log.")
CHOICE(process, log_form, "log.format", "text", enum log_form, LOG_FORM_WORDS, START,
    "How lines are written to stderr. Their time is UTC.")
CHOICE(process, log_level, "log.level", "info", enum log_level, LOG_LEVEL_WORDS, RELOAD,
    "Lines below this level are not written.")
TEXT(process, process_user, "process.user", "", "user", START, NULL,
    "Started as root, crumbd becomes this user before it opens anything.")

#undef OPTION_GROUP
#undef TEXT
#undef SECRET
#undef PAIRS
#undef SECRET_PAIRS
#undef NUMBER
#undef RAISED
#undef CHOICE
