/* Looks at options beside each other, and at the machine: one function for each thing that can be
 * wrong. WRONG() is for what cannot work, ODD() for what works but was hardly meant so. A text says
 * what is expected, and where a guess is possible what was meant. */
#include "crumb/ingest/options.h"

#include "crumb/base/err.h"
#include "crumb/base/host.h"
#include "crumb/base/near.h"
#include "crumb/core/meant.h"
#include "crumb/partners/format.h"
#include "crumb/base/plain.h"
#include "crumb/privacy/anonymise.h"
#include "crumb/privacy/consent.h"
#include "crumb/privacy/hit.h"
#include "crumb/privacy/scrub.h"

#include <errno.h>
#include <libpsl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_MOST 127	  /* bytes of admin.token */
#define TOKEN_LEAST 16	  /* fewer are guessed from other machines */
#define OPERATOR_MOST 200 /* bytes of operator.name */

static void __attribute__((format(printf, 4, 5)))
found(struct options_found *f, const char *option, bool warning, const char *fmt, ...)
{
	va_list ap;
	f->wrong += !warning;
	if (f->n == OPTIONS_FOUND_MOST)
		return;
	struct option_finding *one = &f->list[f->n++];
	one->option = option;
	one->warning = warning;
	va_start(ap, fmt);
	vsnprintf(one->text, sizeof one->text, fmt, ap);
	va_end(ap);
}
#define WRONG(option, ...) found(f, option, false, __VA_ARGS__)
#define ODD(option, ...) found(f, option, true, __VA_ARGS__)

/* --- hosts */

static bool within(const char *networks, struct str address)
{
	struct cidr_list l;
	CHECK(cidr_list_parse(networks, &l) == OK);
	return cidr_list_has_text(&l, address);
}

/* Setting the option has seen to it that it is a domain (core/hosts). */
static void check_cookie_domain(struct options_found *f, const char *domain)
{
	uint8_t b[16];
	if (*domain && (address_read(str_c(domain), b) || !strchr(domain, '.')))
		WRONG("cookie.domain",
		    "browsers keep no cookie for '%s': a domain such as shop.example is meant, or "
		    "none",
		    domain);
	else if (*domain && psl_builtin() && psl_is_public_suffix(psl_builtin(), domain))
		WRONG("cookie.domain",
		    "browsers keep no cookie for '%s', below which anybody may have a site: a "
		    "domain of your own is meant, such as shop.%s",
		    domain, domain);
}

/* --- listeners */

/* HOST:PORT with a host that can be one. */
static bool split_listen(const char *listen, struct str *host, uint16_t *port)
{
	uint8_t b[16];
	char name[HOST_MOST];
	if (!host_port(str_c(listen), host, port))
		return false;
	return *listen == '[' ? address_read(*host, b) : !host->n || host_read(*host, name);
}

bool options_loopback(const char *listen)
{
	struct str host;
	uint16_t port;
	return split_listen(listen, &host, &port) &&
	       (str_ieq(host, STR("localhost")) || within("127.0.0.0/8,::1", host));
}

/* False: it is no HOST:PORT. Guesses what was meant: brackets, '*', a port alone, a URL. */
static bool check_listen(struct options_found *f, const char *option, const char *value,
    struct str *host, uint16_t *port)
{
	struct host_around a = host_around(str_c(value));
	char name[HOST_MOST];
	uint64_t number;
	if (split_listen(value, host, port))
		return true;
	const char *colon = strchr(value, ':');
	if (*value == '[' || (colon && strchr(colon + 1, ':') && !a.scheme.n))
		WRONG(option,
		    "'%s' is no HOST:PORT: an address of IPv6 stands in brackets, as in [::1]:8080",
		    value);
	else if (str_starts(str_c(value), STR("*:")) && str_u64(str_c(value + 2), &number) &&
		 number <= 65535)
		WRONG(option, "'%s' is no HOST:PORT; did you mean '0.0.0.0:%s'?", value, value + 2);
	else if (str_u64(str_c(value), &number) && number <= 65535)
		WRONG(option, "'%s' is no HOST:PORT; did you mean '127.0.0.1:%s'?", value, value);
	else if ((a.scheme.n || a.rest.n) && a.port.n && host_read(a.host, name))
		WRONG(option, "'%s' is no HOST:PORT; did you mean '" STR_FMT ":" STR_FMT "'?",
		    value, STR_ARG(a.host), STR_ARG(a.port));
	else
		WRONG(option,
		    "'%s' is no HOST:PORT such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080",
		    value);
	return false;
}

static void check_listeners(const struct config *c, struct options_found *f)
{
	struct str collect, admin;
	uint16_t one = 0, two = 0;
	bool fine = check_listen(f, "collect.listen", c->collect_listen, &collect, &one);
	if (!check_listen(f, "admin.listen", c->admin_listen, &admin, &two))
		return;
	if (fine && one && one == two &&
	    (str_ieq(collect, admin) || !collect.n || !admin.n || str_eq(collect, STR("0.0.0.0")) ||
		str_eq(admin, STR("0.0.0.0"))))
		WRONG("admin.listen", "%s and collect.listen=%s are the same port", c->admin_listen,
		    c->collect_listen);
	if (!options_loopback(c->admin_listen) && !*c->admin_token)
		WRONG("admin.listen",
		    "%s can be reached from other machines, and there is no admin.token: set one, "
		    "or listen on 127.0.0.1",
		    c->admin_listen);
}

/* The file of the key is looked at when it is read, at start. */
static void check_node(const struct config *c, struct options_found *f)
{
	struct str host;
	uint16_t port;
	if (!*c->node_address)
		return;
	if (!check_listen(f, "node.address", c->node_address, &host, &port))
		return;
	if (strcmp(c->node_address, c->admin_listen) == 0 && port)
		WRONG("node.address", "%s is admin.listen already: TLS wants a port of its own",
		    c->node_address);
	if (!*c->cluster_key)
		WRONG("node.address",
		    "%s is for nodes that know each other by cluster.key, and there is none: "
		    "'crumb cluster key FILE' makes one",
		    c->node_address);
}

static void check_token(const struct config *c, struct options_found *f)
{
	const char *t = c->admin_token;
	size_t n = strlen(t), fine = 0;
	while (t[fine] > ' ' && t[fine] < 0x7f)
		fine++;
	if (n > TOKEN_MOST)
		WRONG("admin.token", "it is longer than %d characters", TOKEN_MOST);
	else if (fine < n)
		WRONG("admin.token", "letters, digits and signs of ASCII without blanks are meant: "
				     "it goes into a header");
	else if (n && n < TOKEN_LEAST && !options_loopback(c->admin_listen))
		ODD("admin.token", "it is short for a listener that other machines can reach");
}

/* --- networks */

static const char *network_hint(enum cidr_said said)
{
	if (said == CIDR_NOT_TO_32)
		return ": its length is from 0 to 32";
	return said == CIDR_NOT_TO_128 ? ": its length is from 0 to 128" : "";
}

/* One network of a list. "10/8" is completed to 10.0.0.0/8 for the hint. */
static void check_network(struct options_found *f, const char *option, struct str item)
{
	static const char *const more[] = {".0.0.0", ".0.0", ".0"};
	size_t slash = str_find(item, '/'), dots = 0;
	struct cidr c;
	enum cidr_said said = cidr_read(item, &c);
	char meant[64] = "", hint[MEANT_MOST];
	for (size_t i = 0; i < slash; i++)
		dots += item.p[i] == '.';
	if (said == CIDR_NO_ADDRESS && dots < 3 && item.n < 40)
		snprintf(meant, sizeof meant, "%.*s%s" STR_FMT, (int)slash, item.p, more[dots],
		    STR_ARG(str_skip(item, slash)));
	if (said == CIDR_FINE &&
	    (c.bits == 0 || (c.bits == 96 && slash < item.n && str_find(item, ':') == item.n)))
		ODD(option, "'" STR_FMT "' are all addresses: anybody can say where he comes from",
		    STR_ARG(item));
	else if (said != CIDR_FINE &&
		 (str_find(item, ' ') < item.n || str_find(item, ';') < item.n))
		WRONG(option,
		    "'" STR_FMT "' is no network such as 10.0.0.0/8: commas stand between networks",
		    STR_ARG(item));
	else if (said == CIDR_NO_ADDRESS && cidr_read(str_c(meant), &c) == CIDR_FINE)
		WRONG(option, "'" STR_FMT "' is no network such as 10.0.0.0/8; did you mean '%s'?",
		    STR_ARG(item), meant);
	else if (said != CIDR_FINE && *meant_network(item, hint))
		WRONG(option, "'" STR_FMT "' is no network such as 10.0.0.0/8 or 2001:db8::/32%s",
		    STR_ARG(item), hint);
	else if (said != CIDR_FINE)
		WRONG(option, "'" STR_FMT "' is no network such as 10.0.0.0/8 or 2001:db8::/32%s",
		    STR_ARG(item), network_hint(said));
}

/* --- folders */

/* NULL: the folder is there, or can be made. Else why not, in `why`. The nearest folder above that
 * is there decides. */
static const char *folder_trouble(const char *path, char why[300])
{
	char part[4096];
	struct stat st;
	snprintf(part, sizeof part, "%s", path);
	if (stat(part, &st) == 0 && !S_ISDIR(st.st_mode)) {
		snprintf(why, 300, "it is no folder");
		return why;
	}
	while (stat(part, &st) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
		char *slash = strrchr(part, '/');
		if (slash && slash > part)
			*slash = 0;
		else
			snprintf(part, sizeof part, slash ? "/" : ".");
	}
	if (stat(part, &st) == 0 && !S_ISDIR(st.st_mode))
		snprintf(why, 300, "%.200s is no folder", part);
	else if (access(part, W_OK | X_OK) == 0)
		return NULL;
	else if (strcmp(part, path) == 0)
		snprintf(why, 300, "it cannot be written to: %s", strerror(errno));
	else
		snprintf(why, 300, "it is not there, and cannot be made in %.200s: %s", part,
		    strerror(errno));
	return why;
}

static void check_folders(const struct config *c, struct options_found *f)
{
	char why[300], parent[4096];
	struct stat st;
	if (!*c->store_path)
		WRONG("store.path", "a folder is meant");
	else if (folder_trouble(c->store_path, why))
		WRONG("store.path", "%s: %s", c->store_path, why);
	if (!*c->rules_path)
		WRONG("rules.path", "a folder of YAML files is meant");
	else if (stat(c->rules_path, &st) == 0 && !S_ISDIR(st.st_mode))
		WRONG("rules.path", "%s is no folder: the folder that it lies in is meant",
		    c->rules_path);
	if (stat(c->destinations_path, &st) == 0 && S_ISDIR(st.st_mode))
		WRONG("destinations.path", "%s is a folder: a file of YAML is meant",
		    c->destinations_path);
	snprintf(parent, sizeof parent, "%s", c->destinations_path);
	char *slash = strrchr(parent, '/');
	if (slash && slash > parent && strcmp(c->destinations_path, "etc/destinations.yaml") != 0) {
		*slash = 0;
		if (stat(parent, &st) != 0)
			WRONG("destinations.path", "%s: %s: %s", c->destinations_path, parent,
			    strerror(errno));
	}
}

/* Folders of destinations, and names in privacy.sensitive_destinations. A folder that is there and
 * cannot be used is a warning: it may be mended tomorrow, and what is owed waits for it, while hits
 * do not wait for a server that does not start. */
static void check_destinations(
    const struct config *c, const struct destinations *d, struct options_found *f)
{
	char why[300], path[4096], hint[120];
	struct stat st;
	struct str rest = str_c(c->sensitive_destinations), name;
	for (size_t i = 0; i < d->n; i++) {
		const struct destination *one = &d->list[i];
		snprintf(path, sizeof path, STR_FMT, STR_ARG(one->where));
		if (one->way->where != WHERE_FOLDER || !one->where.n || !folder_trouble(path, why))
			continue;
		found(f, "destinations.path", stat(path, &st) == 0,
		    "%s:%zu: destination '%s' goes to %s: %s",
		    one->at.file ? one->at.file : c->destinations_path, one->at.line, one->id, path,
		    why);
	}
	while (d->found && rest.n && str_cut(&rest, ',', &name)) {
		name = str_trim(name);
		struct near near = near_begin(name);
		bool known = !name.n;
		for (const struct format *const *format = formats; *format; format++)
			known |= (*format)->built_in && str_ieq(name, str_c((*format)->name));
		for (size_t i = 0; i < d->n; i++) {
			known |= str_ieq(name, str_c(d->list[i].id));
			near_try(&near, str_c(d->list[i].id));
		}
		for (size_t i = 0; i < d->partners_n; i++) {
			known |= str_ieq(name, str_c(d->partners[i].id));
			near_try(&near, str_c(d->partners[i].id));
		}
		if (!known)
			WRONG("privacy.sensitive_destinations",
			    "there is no destination '" STR_FMT "' in %s%s%s", STR_ARG(name),
			    c->destinations_path, near.best.n ? "; " : "",
			    near_hint(&near, hint, sizeof hint));
	}
}

/* --- options beside each other */

static void check_cookie(const struct config *c, struct options_found *f)
{
	bool partitioned = c->cookie_partitioned == CONFIG_YES,
	     secure = c->cookie_secure == CONFIG_YES;
	struct str same_site = config_word(c, "cookie.samesite");
	if (partitioned && c->cookie_samesite != SAMESITE_NONE)
		WRONG("cookie.partitioned",
		    "'yes' is for pages of others, where cookie.samesite=" STR_FMT
		    " keeps the cookie away: take cookie.samesite=none, or no partition",
		    STR_ARG(same_site));
	if (!secure && partitioned)
		WRONG("cookie.secure",
		    "'no' cannot go with cookie.partitioned=yes: browsers drop such a cookie");
	else if (!secure && c->cookie_samesite == SAMESITE_NONE)
		WRONG("cookie.secure",
		    "'no' cannot go with cookie.samesite=none: browsers drop such a cookie; "
		    "without TLS the site's own pages are meant: cookie.samesite=lax");
}

/* A list of keys of a query (`key`), or of names of attributes. */
static void check_names(struct options_found *f, const char *option, const char *list, bool key)
{
	struct str rest = str_c(list), name;
	while (rest.n && str_cut(&rest, ',', &name)) {
		name = str_trim(name);
		size_t n = 0, from = 0;
		while (from < name.n && chr_one_of(name.p[from], "?&"))
			from++;
		struct str bare = str_skip(name, from);
		while (n < bare.n && !chr_one_of(bare.p[n], "=&? \t;|*\"'#"))
			n++;
		bare.n = n;
		bool more = from + n < name.n && chr_one_of(name.p[from + n], " \t;|");
		if (name.n && from + n < name.n && name.p[from + n] == '*')
			WRONG(option,
			    "'" STR_FMT "' has a '*', which is not understood here: list each name",
			    STR_ARG(name));
		else if (more)
			WRONG(option,
			    "'" STR_FMT "': commas stand between names; did you mean '" STR_FMT
			    "'?",
			    STR_ARG(name), STR_ARG(bare));
		else if (name.n && bare.n != name.n) {
			const char *what = key ? "key of a query" : "name of an attribute";
			const char *hint = bare.n ? "; did you mean '" : "";
			WRONG(option, "'" STR_FMT "' is no %s%s" STR_FMT "%s", STR_ARG(name), what,
			    hint, STR_ARG(bare), bare.n ? "'?" : "");
		} else if (name.n > ATTR_NAME_MAX)
			WRONG(option,
			    "'" STR_FMT "' is longer than %d characters, and would never be kept",
			    STR_ARG(name), ATTR_NAME_MAX);
		else if (name.n && scrub_name_is_personal(name))
			ODD(option,
			    "'" STR_FMT "' is what a person is called by, and is never kept",
			    STR_ARG(name));
	}
}

/* Is it UTF-8 without control characters and without those that turn the direction of a text? */
static bool shown_as_it_is(struct str s)
{
	char shown[PLAIN_MOST];
	while (s.n) {
		size_t n = 0, took = plain_char(s, shown, &n);
		if (n != took || memcmp(shown, s.p, n) != 0)
			return false;
		s = str_skip(s, took);
	}
	return true;
}

static void check_words(const struct config *c, struct options_found *f)
{
	struct str rest = str_c(c->segment_keys), key;
	while (rest.n && str_cut(&rest, ',', &key)) {
		key = str_trim(key);
		if (str_find(key, ' ') < key.n || str_find(key, ':') < key.n)
			WRONG("segment.write_keys",
			    "commas stand between keys, and a key has neither blanks nor colons");
	}
	if (!*c->kv_key || strpbrk(c->kv_key, " \t\"'=!+#*~;^()<>[],&"))
		WRONG("page.key",
		    "'%s' is no key that an ad server takes: letters, digits and underscores are "
		    "meant",
		    c->kv_key);
	if (strlen(c->operator_name) > OPERATOR_MOST || !shown_as_it_is(str_c(c->operator_name)))
		WRONG("operator.name", "a name in one line of at most %d bytes of UTF-8 is meant",
		    OPERATOR_MOST);
	if (!*c->ortb2_name)
		WRONG("ortb2.name", "a name is meant: it says whose data it is");
	if (*c->segment_consent && !*c->segment_keys)
		ODD("segment.consent", "is not looked at without segment.write_keys");
	if (*c->crawlers_file && c->crawl == CRAWL_COUNT)
		ODD("junk.crawlers", "%s is not read with junk.crawl=count", c->crawlers_file);
	if (*c->consent_require && !c->tcf_vendor)
		ODD("consent.require",
		    "%s asks for TC strings, and without consent.tcf.vendor none can say yes",
		    c->consent_require);
}

static void check_user(const struct config *c, struct options_found *f)
{
	const struct passwd *u =
	    *c->process_user && geteuid() != 0 ? getpwnam(c->process_user) : NULL;
	if (*c->process_user && geteuid() != 0 && (!u || u->pw_uid != geteuid()))
		ODD("process.user", "only root can become '%s'", c->process_user);
}

/* consent_check() gives its finding as an error, "OPTION: text". */
void options_check(const struct config *c, const struct destinations *d, struct options_found *f)
{
	struct str rest = str_c(c->trusted_proxies), item;
	unsigned networks = 0;
	*f = (struct options_found){.n = 0};
	while (rest.n && str_cut(&rest, ',', &item))
		if ((item = str_trim(item)).n) {
			networks++;
			check_network(f, "trusted_proxies", item);
		}
	struct cidr_list l;
	if (networks > sizeof l.net / sizeof l.net[0])
		WRONG("trusted_proxies", "%u networks are more than %zu", networks,
		    sizeof l.net / sizeof l.net[0]);
	check_cookie_domain(f, c->cookie_domain);
	check_cookie(c, f);
	check_listeners(c, f);
	check_node(c, f);
	check_token(c, f);
	check_folders(c, f);
	check_names(f, "privacy.keep_query", c->keep_query, true);
	check_names(f, "privacy.attributes", c->attributes, false);
	check_words(c, f);
	check_user(c, f);
	if (consent_check(c) != OK) {
		struct str said = str_c(err_text());
		size_t colon = str_find(said, ':');
		struct str text = str_trim(str_skip(said, colon + 1));
		WRONG(str_starts(said, STR("consent.tcf")) ? "consent.tcf.purposes"
							   : "consent.require",
		    STR_FMT, STR_ARG(text));
	}
	if (d)
		check_destinations(c, d, f);
}
