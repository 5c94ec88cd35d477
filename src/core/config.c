#include "config_own.h"

#include "crumb/base/buf.h"
#include "crumb/base/log.h"
#include "crumb/base/near.h"
#include "crumb/core/hosts.h"
#include "crumb/core/meant.h"

#include <stddef.h>
#include <stdlib.h>

#define T(name, field, initial, help)                                                                                                                \
	{                                                                                                                                            \
		name, OPT_TEXT, offsetof(struct config, field), initial, 0, 0, NULL, help, NULL                                                            \
	}
#define N(name, field, initial, min, max, help)                                                                                                      \
	{                                                                                                                                            \
		name, OPT_NUMBER, offsetof(struct config, field), initial, min, max, NULL, help, NULL                                                      \
	}
#define C(name, field, initial, words, help)                                                                                                         \
	{                                                                                                                                            \
		name, OPT_CHOICE, offsetof(struct config, field), initial, 0, 0, words, help, NULL                                                         \
	}

#define H(name, field, initial, help, read)                                                                                                          \
	{                                                                                                                                            \
		name, OPT_TEXT, offsetof(struct config, field), initial, 0, 0, NULL, help, read                                                      \
	}

const struct option config_options[] = {
    T("store.path", store_path, "./store", "folder of journal, state and keys; created with fresh keys when missing"),
    N("store.shards", shards, "4", 1, 256, "parts of all visitors; fixed when the store is created"),
    N("store.map_gb", map_gb, "0", 0, 65536, "address space reserved for each LMDB file, in GB; 0 picks one"),
    N("store.reserve_percent", disk_reserve_percent, "5", 0, 100, "below this share of free disk new visitors are refused (503)"),
    T("rules.path", rules_path, "etc/rules", "folder of the marketers' YAML files"),
    T("destinations.path", destinations_path, "etc/destinations.yaml", "partners and destinations; may be missing"),
    N("rules.wait_s", rules_wait_s, "20", 0, 3600, "wait this long at start for changed rules to be applied to the history before serving"),
    T("collect.listen", collect_listen, "127.0.0.1:8080", "HOST:PORT of the pixel; port 0 picks a free one"),
    N("collect.threads", collect_threads, "0", 0, COLLECT_THREADS_MAX, "event loops; 0 is half of the cores"),
    N("collect.connections", connections, "4096", 16, 1000000, "open connections per thread; beyond it the longest idle one is closed"),
    N("collect.header_bytes", header_bytes, "16384", 1024, 1048576, "longest request line and headers"),
    N("collect.body_bytes", body_bytes, "262144", 1024, 67108864, "longest body of POST /e"),
    N("collect.idle_s", idle_s, "60", 1, 3600, "a connection that asks for nothing is closed after this"),
    N("collect.header_s", header_s, "10", 1, 3600, "headers must be complete in this time"),
    N("collect.body_s", body_s, "30", 1, 3600, "a body must be complete in this time"),
    T("admin.listen", admin_listen, "127.0.0.1:8081", "HOST:PORT of metrics and API"),
    T("admin.token", admin_token, "", "bearer token of the admin listener; empty makes one and keeps it in the store"),
    T("geo.database", geo_database, "", "MaxMind DB file; empty looks for country.mmdb beside the program and in ../share/crumb"),
    N("privacy.k", k, "50", 0, 1000000, "smallest group that is told; 20 is the floor"),
    N("retention", retention_days, "90", 1, RETENTION_MAX, "days that an observation is kept, journal and views alike"),
    T("privacy.keep_query", keep_query, "", "query keys of page URLs kept as attributes, comma list"),
    T("privacy.attributes", attributes, "", "attribute names accepted, comma list; empty accepts any that name no person"),
    T("privacy.sensitive_destinations", sensitive_destinations, "", "destinations that may get audiences of sensitive categories, comma list"),
    C("consent.default", consent_default, "allow", "allow|require", "what holds where no signal came and none is required"),
    T("consent.require", consent_require, "", "countries (DE), parts of countries (US-CA) or EEA where a TC string must say yes; an unknown place counts as one of them"),
    C("consent.dnt", dnt, "no", "no|yes", "treat DNT: 1 as a refusal"),
    N("consent.tcf.vendor", tcf_vendor, "0", 0, 65535, "our id in IAB's Global Vendor List"),
    T("consent.tcf.purposes", tcf_purposes, "1,3,4", "TCF purposes that are needed; the first always is"),
    C("junk.crawl", crawlers_on, "aside", "aside|count", "what becomes of hits of programs that say so"),
    T("junk.crawlers", crawlers_file, "",
	"their patterns: one regular expression a line, or crawler-user-agents' JSON; empty: those of etc/crawlers.txt"),
    T("junk.networks", networks_file, "", "networks whose hits are set aside, lines 'CIDR label'"),
    N("junk.per_network", network_rate, "0", 0, 1000000, "hits a second that count from one network (/24, /48) and collect thread; 0: any number"),
    N("junk.per_day", junk_per_day, "1000000", 0, 1000000000, "events set aside on one day; more are only counted"),
    T("trusted_proxies", trusted_proxies, "", "networks (CIDR, comma list) whose X-Forwarded-For is believed"),
    H("sites", sites, "", "hosts or origins whose hits count and whose pages may read /segments; empty counts every host", hosts_sites),
    C("cookie.samesite", cookie_samesite, "none", "none|lax|strict", "SameSite of the cookie; none forces Secure"),
    C("cookie.secure", cookie_secure, "yes", "yes|no", "Secure; 'no' is only for first-party use without TLS"),
    C("cookie.partitioned", cookie_partitioned, "no", "no|yes", "CHIPS: one cookie per top-level site"),
    H("cookie.domain", cookie_domain, "", "Domain of the cookie, for first-party use", hosts_domain),
    N("provisional.max", provisional_max, "100000", 10000, 100000000, "visitors seen once that are remembered for 24 h"),
    N("fold.pace_ms", fold_pace_ms, "800", 0, 10000, "least time between two folds of a shard when nobody waits"),
    N("stream.keep_h", stream_keep_h, "0", 0, 24, "hours for which enters and leaves are kept for streams; 0: there are none"),
    C("log.format", log_format, "text", "text|json", "lines on stderr, with their time in UTC"),
    C("log.level", log_level, "info", "debug|info|warn|error", "less than this is not said"),
    T("process.user", process_user, "", "started as root, become this user before anything is opened"),
    T("segment.write_keys", segment_keys, "", "write keys of Segment's sources that may send to /v1/…, comma list; empty: none may"),
    T("segment.consent", segment_consent, "",
	"categories of Segment's consent that must be true, comma list (advertising: ID names one, too); empty: all that come"),
    T("page.key", kv_key, "crumb", "key of the key-values that /segments?format=kv gives to ad servers"),
    T("operator.name", operator_name, "", "who runs this crumb: /me says it to visitors"),
    H("operator.policy", operator_policy, "", "address of the privacy policy that /me links to, https://…", hosts_page),
    T("ortb2.name", ortb2_name, "crumb", "name of the data provider in OpenRTB answers"),
};
const size_t config_options_n = sizeof config_options / sizeof config_options[0];

/* Options that a running server takes when it reads its configuration again; the others are of the store, of listeners and of threads that are there. */
static const char *const live[] = {"rules.path", "destinations.path", "store.reserve_percent", "collect.body_bytes", "geo.database", "privacy.keep_query", "privacy.attributes",
    "privacy.sensitive_destinations", "consent.default", "consent.require", "consent.dnt", "consent.tcf.vendor", "consent.tcf.purposes",
    "junk.crawl", "junk.crawlers", "junk.networks", "junk.per_network", "junk.per_day", "trusted_proxies", "sites", "cookie.samesite", "cookie.secure",
    "cookie.partitioned", "cookie.domain", "segment.write_keys", "segment.consent", "page.key", "ortb2.name", "operator.name",
    "operator.policy", "log.level"};

bool config_is_live(const struct option *o)
{
	for (size_t i = 0; i < sizeof live / sizeof *live; i++)
		if (strcmp(live[i], o->name) == 0)
			return true;
	return false;
}

static void *field(struct config *c, const struct option *o)
{
	return (char *)c + o->offset;
}

const struct option *config_find(struct str name)
{
	for (size_t i = 0; i < config_options_n; i++)
		if (str_eq(name, str_c(config_options[i].name)))
			return &config_options[i];
	return NULL;
}

static enum err set_text(struct config *c, const struct option *o, struct str value)
{
	struct buf meant = {0};
	enum err e = o->read ? o->read(o->name, value, &meant) : OK;
	char *copy = e ? NULL : str_dup(!o->read ? value : meant.n ? buf_view(&meant) : STR(""));
	bool whole = !meant.failed;
	buf_done(&meant);
	if (e)
		return e;
	if (!copy || !whole) {
		free(copy);
		return err_set(ERR_NOMEM, "no memory");
	}
	char **slot = field(c, o);
	free(*slot);
	*slot = copy;
	return OK;
}

static enum err set_number(struct config *c, const struct option *o, struct str value)
{
	uint64_t v;
	char hint[MEANT_MOST];
	if (!str_u64(value, &v) || v > (uint64_t)o->max || (long)v < o->min)
		return err_set(ERR_USAGE, "%s: expected a number from %ld to %ld, not '" STR_FMT "'%s", o->name, o->min, o->max, STR_ARG(value), meant_number(value, hint));
	if (o->offset == offsetof(struct config, k) && v < K_FLOOR) {
		log_warn("config", "privacy.k is below the floor and was raised given=%llu used=%d", (unsigned long long)v, K_FLOOR);
		v = K_FLOOR;
	}
	*(long *)field(c, o) = (long)v;
	return OK;
}

static enum err set_choice(struct config *c, const struct option *o, struct str value)
{
	struct str rest = str_c(o->words), word;
	char hint[MEANT_MOST];
	for (long i = 0; str_cut(&rest, '|', &word); i++) {
		bool yes = str_eq(word, STR("yes")) && (str_ieq(value, STR("true")) || str_eq(value, STR("1")) || str_ieq(value, STR("on")));
		bool no = str_eq(word, STR("no")) && (str_ieq(value, STR("false")) || str_eq(value, STR("0")) || str_ieq(value, STR("off")));
		if (str_ieq(word, value) || yes || no) {
			*(long *)field(c, o) = i;
			return OK;
		}
	}
	return err_set(ERR_USAGE, "%s: expected one of %s, not '" STR_FMT "'%s", o->name, o->words, STR_ARG(value), meant_word(value, o->words, hint));
}

static struct str last_part(struct str name)
{
	size_t at = name.n;
	while (at > 0 && name.p[at - 1] != '.')
		at--;
	return str_skip(name, at);
}

/* A slip in the name, or in its last part only, or a part of a name. */
struct str config_meant(struct str name)
{
	struct near whole = near_begin(name), part = near_begin(last_part(name));
	struct str like = STR("");
	for (size_t i = 0; i < config_options_n; i++) {
		struct str option = str_c(config_options[i].name);
		near_try(&whole, option);
		near_try(&part, last_part(option));
		if (!like.n && name.n > 2 && (str_ihas(option, name) || str_ihas(name, option)))
			like = option;
	}
	if (whole.best.n || !part.best.n)
		return whole.best.n ? whole.best : like;
	for (size_t i = 0; i < config_options_n; i++)
		if (str_ieq(last_part(str_c(config_options[i].name)), part.best))
			return str_c(config_options[i].name);
	return like;
}

enum err config_put(struct config *c, const struct option *o, struct str value)
{
	switch (o->kind) {
	case OPT_NUMBER:
		return set_number(c, o, value);
	case OPT_CHOICE:
		return set_choice(c, o, value);
	case OPT_TEXT:
	default:
		return set_text(c, o, value);
	}
}

static enum err set(struct config *c, struct str name, struct str value)
{
	const struct option *o = config_find(name);
	if (o)
		return config_put(c, o, value);
	struct str meant = config_meant(name);
	return err_set(ERR_USAGE, "there is no option '" STR_FMT "'%s" STR_FMT "%s; --help lists them", STR_ARG(name), meant.n ? ", did you mean '" : "",
	    STR_ARG(meant), meant.n ? "'?" : "");
}

enum err config_init(struct config *c)
{
	*c = (struct config){0};
	for (size_t i = 0; i < config_options_n; i++) {
		enum err e = set(c, str_c(config_options[i].name), str_c(config_options[i].initial));
		if (e)
			return e;
	}
	return OK;
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < config_options_n; i++)
		if (config_options[i].kind == OPT_TEXT)
			free(*(char **)field(c, &config_options[i]));
	*c = (struct config){0};
}

enum err config_set(struct config *c, const char *assignment)
{
	struct str all = str_c(assignment);
	size_t at = str_find(all, '=');
	if (at == all.n)
		return err_set(ERR_USAGE, "-o wants key=value, not '%s'", assignment);
	return set(c, str_trim(str_make(all.p, at)), str_trim(str_skip(all, at + 1)));
}

bool config_same(const struct config *a, const struct config *b, const struct option *o)
{
	const char *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
	if (o->kind != OPT_TEXT)
		return memcmp(x, y, sizeof(long)) == 0;
	char *s, *t;
	memcpy(&s, x, sizeof s);
	memcpy(&t, y, sizeof t);
	return strcmp(s, t) == 0;
}

enum err config_take(struct config *c, const struct config *from, const struct option *o)
{
	const char *there = (const char *)from + o->offset;
	char *text;
	if (o->kind != OPT_TEXT) {
		memcpy(field(c, o), there, sizeof(long));
		return OK;
	}
	memcpy(&text, there, sizeof text);
	return set_text(c, o, str_c(text));
}

void config_help(FILE *to)
{
	for (size_t i = 0; i < config_options_n; i++) {
		const struct option *o = &config_options[i];
		fprintf(to, "  %s=%s\n      %s%s", o->name, o->initial, o->help, config_is_live(o) ? " [SIGHUP]" : "");
		if (o->kind == OPT_NUMBER)
			fprintf(to, " (%ld to %ld)", o->min, o->max);
		if (o->kind == OPT_CHOICE)
			fprintf(to, " (%s)", o->words);
		fputc('\n', to);
	}
}

bool config_list_has(const char *list, struct str item)
{
	struct str rest = str_c(list), word;
	while (str_cut(&rest, ',', &word))
		if (str_ieq(str_trim(word), item))
			return true;
	return false;
}
