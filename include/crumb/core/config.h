/* Configuration: one table of options (src/core/config.c) is the source of defaults, bounds, --help and the man page.
 *
 * Values come from, later wins: the table, the YAML file of -c (nested maps are dotted names, lists are joined with
 * commas), -o key=value in the order given. Read at start, and again at SIGHUP into another struct: each is immutable while threads run. */
#ifndef CRUMB_CORE_CONFIG_H
#define CRUMB_CORE_CONFIG_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/base/str.h"

#include <stdio.h>

#define K_FLOOR 20	 /* no group smaller than this is ever told, whatever the configuration says */
#define COLLECT_THREADS_MAX 256
#define RETENTION_MAX 90 /* days; the ceiling is in code */

struct kgate_memory;
struct config {
	/* text: owned by the config */
	char *store_path, *rules_path, *destinations_path, *collect_listen, *admin_listen, *admin_token, *geo_database, *sites, *trusted_proxies;
	char *cookie_domain, *keep_query, *attributes, *tcf_purposes, *consent_require, *process_user, *crawlers_file, *networks_file, *ortb2_name,
	    *kv_key, *segment_keys, *segment_consent, *sensitive_destinations, *operator_name, *operator_policy;
	/* numbers */
	long shards, k, retention_days, collect_threads, connections, header_bytes, body_bytes, idle_s, header_s, body_s;
	long provisional_max, map_gb, fold_pace_ms, rules_wait_s, stream_keep_h, tcf_vendor, disk_reserve_percent;
	/* choices, index into the row's words */
	long crawlers_on; /* 0 set aside, 1 count */
	long junk_per_day, network_rate;
	long consent_default;	      /* 0 allow, 1 require */
	long cookie_samesite;	      /* 0 none, 1 lax, 2 strict */
	long cookie_secure;	      /* 0 yes, 1 no */
	long cookie_partitioned, dnt; /* 0 no, 1 yes */
	struct kgate_memory *told;    /* not an option: the k gate's memory of this process; NULL: none */
	long log_format;	      /* 0 text, 1 json */
	long log_level;		      /* as enum log_level */
};

struct option {
	const char *name;
	enum { OPT_TEXT, OPT_NUMBER, OPT_CHOICE } kind;
	size_t offset; /* of the field in struct config */
	const char *initial;
	long min, max;
	const char *words; /* OPT_CHOICE: "allow|require" */
	const char *help;
	enum err (*read)(const char *name, struct str value, struct buf *out); /* what was meant by the text; NULL: it is taken as it is */
};

extern const struct option config_options[];
extern const size_t config_options_n;

enum err config_init(struct config *c) MUST_CHECK;
void config_done(struct config *c);
/* Reads a file of options. Every mistake is in the report, sorted by place, and is shown with its line as a compiler does; each of the two may be NULL.
 * err_text() is the first mistake. An option that was refused is as it was; the others are set. */
struct report;
enum err config_file(struct config *c, const char *path, struct report *report, struct buf *shown) MUST_CHECK;
enum err config_parse(struct config *c, const char *name, struct str text, struct report *report) MUST_CHECK; /* the same of a text; `name` in reports */
enum err config_set(struct config *c, const char *assignment) MUST_CHECK; /* "key=value" */
void config_help(FILE *to);
/* --- reading it again */
bool config_is_live(const struct option *o); /* a running server takes it */
bool config_same(const struct config *a, const struct config *b, const struct option *o);
enum err config_take(struct config *c, const struct config *from, const struct option *o) MUST_CHECK; /* one value */
/* Is `item` one of the comma-separated words of `list`? Blanks around words are ignored; ASCII case aside. */
bool config_list_has(const char *list, struct str item);

#endif
