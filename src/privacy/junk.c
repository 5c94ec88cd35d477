/* Lists of crawlers and of networks where nobody browses.
 *
 * Crawlers are patterns that Vectorscan looks for all at once. Names of devices look like crawlers
 * at times ("Cubot" is a telephone). So the list also has patterns of devices, lines that begin
 * with '!'. When an agent matches a crawler, the devices in it are blanked, and it is looked at
 * again.
 *
 * Networks are sorted ranges of numbers, one array for each family, found by bisection. They are
 * compared with networks, not with addresses: an entry narrower than /24 or /48 is left out, for it
 * says too little about the rest of the network. */
#include "crumb/privacy/junk.h"

#include "crumb/base/array.h"
#include "crumb/base/buf.h"
#include "crumb/base/file.h"

#include <hs/hs.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Made at build from etc/crawlers.txt. */
extern const char crawlers_txt[];
extern const unsigned long crawlers_txt_n;

#define AGENT_MAX 2048	     /* bytes of an agent that are looked at */
#define FILE_MAX (32u << 20) /* bytes of a list */

/* A range of networks, as numbers of NETWORK_BITS_4 or NETWORK_BITS_6. 192.0.2.0/24 is 0xc00002. */
struct range {
	uint64_t first, last;
	int label;
};

struct junk_lists {
	_Atomic int refs;
	/* patterns: crawlers, and behind them devices_n devices */
	char **patterns;
	unsigned *flags, *ids;
	size_t patterns_n, patterns_cap, flags_cap, ids_cap;
	size_t devices_n;
	hs_database_t *db, *devices;
	hs_scratch_t *prototype; /* each thread clones it */
	/* networks; of ranges that overlap the narrowest counts */
	char **labels;
	size_t labels_n, labels_cap;
	struct range *ranges[2]; /* IPv4, IPv6; sorted by_place() */
	size_t ranges_n[2], ranges_cap[2];
};

/* --- reading */

static void add_pattern(struct junk_lists *l, struct str text, unsigned flags)
{
	CHECK(array_room(l->patterns, l->patterns_cap, l->patterns_n + 1));
	CHECK(array_room(l->flags, l->flags_cap, l->patterns_n + 1) &&
	      array_room(l->ids, l->ids_cap, l->patterns_n + 1));
	char *own = str_dup(text);
	CHECK(own);
	l->patterns[l->patterns_n] = own;
	l->flags[l->patterns_n] = flags | HS_FLAG_SINGLEMATCH;
	l->ids[l->patterns_n] = (unsigned)l->patterns_n;
	l->patterns_n++;
}

static void patterns_of_text(struct junk_lists *l, struct str text)
{
	struct str line;
	while (text.n && str_cut(&text, '\n', &line)) {
		line = str_trim(line);
		if (line.n && line.p[0] != '#' && line.p[0] != '!')
			add_pattern(l, line, HS_FLAG_CASELESS);
	}
}

/* Takes the lines that begin with '!'. */
static void devices_of_text(struct junk_lists *l, struct str text)
{
	struct str line;
	while (text.n && str_cut(&text, '\n', &line)) {
		line = str_trim(line);
		if (line.n > 1 && line.p[0] == '!') {
			add_pattern(l, str_skip(line, 1), HS_FLAG_CASELESS);
			l->devices_n++;
		}
	}
}

/* [{"pattern": "Googlebot\\/", …}, …] */
static enum err patterns_of_json(struct junk_lists *l, const char *path, struct str text)
{
	json_error_t error;
	json_t *list = json_loadb(text.p, text.n, 0, &error), *one;
	size_t i;
	if (!json_is_array(list)) {
		json_decref(list);
		if (list)
			return err_set(
			    ERR_SYNTAX, "%s:1: an array of objects with a pattern is wanted", path);
		return err_set(ERR_SYNTAX, "%s:%d: %s", path, error.line, error.text);
	}
	json_array_foreach(list, i, one)
	{
		const char *p = json_string_value(json_object_get(one, "pattern"));
		if (p && *p)
			add_pattern(l, str_c(p), 0);
	}
	json_decref(list);
	return OK;
}

/* Compiles n patterns from the one at `from` on. The scratch fits all databases that were compiled.
 */
static enum err compile_part(
    struct junk_lists *l, const char *path, size_t from, size_t n, hs_database_t **db)
{
	hs_compile_error_t *error = NULL;
	if (n == 0)
		return OK;
	if (hs_compile_multi((const char *const *)l->patterns + from, l->flags + from,
		l->ids + from, (unsigned)n, HS_MODE_BLOCK, NULL, db, &error) != HS_SUCCESS) {
		bool known = error && error->expression >= 0 && (size_t)error->expression < n;
		const char *pattern = known ? l->patterns[from + (size_t)error->expression] : "?";
		enum err e = err_set(ERR_SYNTAX, "%s: pattern '%s': %s", path, pattern,
		    error ? error->message : "it cannot be compiled");
		hs_free_compile_error(error);
		return e;
	}
	return hs_alloc_scratch(*db, &l->prototype) == HS_SUCCESS ? OK
								  : err_set(ERR_NOMEM, "no memory");
}

static enum err compile(struct junk_lists *l, const char *path)
{
	size_t n = l->patterns_n - l->devices_n;
	for (size_t i = n; i < l->patterns_n; i++) /* of devices the beginning is wanted, too */
		l->flags[i] = HS_FLAG_CASELESS | HS_FLAG_SOM_LEFTMOST;
	enum err e = compile_part(l, path, 0, n, &l->db);
	return e ? e : compile_part(l, path, n, l->devices_n, &l->devices);
}

/* Three forms: what is compiled in, a text of that form, or a JSON array of objects. JSON has no
 * way to name devices, so it goes with ours. */
static enum err crawlers(struct junk_lists *l, const char *path)
{
	struct buf b = {0};
	enum err e = OK;
	if (!*path) {
		patterns_of_text(l, str_make(crawlers_txt, crawlers_txt_n));
		devices_of_text(l, str_make(crawlers_txt, crawlers_txt_n));
		return compile(l, "etc/crawlers.txt");
	}
	if (!(e = file_read(path, FILE_MAX, &b))) {
		struct str text = str_trim(str_unmarked(buf_view(&b)));
		if (text.n && text.p[0] == '[') {
			e = patterns_of_json(l, path, text);
			text = str_make(crawlers_txt, crawlers_txt_n);
		} else {
			patterns_of_text(l, text);
		}
		devices_of_text(l, text);
	}
	buf_done(&b);
	return e ? e : compile(l, path);
}

/* --- networks */

static uint64_t number_of(const uint8_t *b, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | b[i];
	return v;
}

static int label_of(struct junk_lists *l, struct str name)
{
	for (size_t i = l->labels_n; i-- > 0;)
		if (str_eq(str_c(l->labels[i]), name))
			return (int)i;
	CHECK(array_room(l->labels, l->labels_cap, l->labels_n + 1));
	CHECK((l->labels[l->labels_n] = str_dup(name)));
	return (int)l->labels_n++;
}

/* False: no network. One that is narrower than what is kept of an address is left out. */
static bool add_network(struct junk_lists *l, struct str cidr, struct str label)
{
	const unsigned before = 8 * sizeof address_mapped;
	struct cidr c;
	if (cidr_read(cidr, &c) != CIDR_FINE)
		return false;
	bool v4 = c.bits >= before && memcmp(c.b, address_mapped, sizeof address_mapped) == 0;
	unsigned family = v4 ? 0 : 1;
	unsigned kept = v4 ? NETWORK_BITS_4 : NETWORK_BITS_6;
	unsigned bits = v4 ? c.bits - before : c.bits;
	if (bits > kept)
		return true;
	uint64_t first = number_of(c.b + (v4 ? sizeof address_mapped : 0), kept / 8);
	uint64_t span = (1ull << (kept - bits)) - 1;
	CHECK(array_room(l->ranges[family], l->ranges_cap[family], l->ranges_n[family] + 1));
	l->ranges[family][l->ranges_n[family]++] =
	    (struct range){first & ~span, first | span, label_of(l, label)};
	return true;
}

/* Wider ranges stand before the narrower ones that begin with them. */
static int by_place(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return 0;
}

/* Lines "CIDR label", "CIDR,label" or "CIDR"; '#' begins a comment. */
static enum err networks(struct junk_lists *l, const char *path)
{
	struct buf b = {0};
	enum err e = file_read(path, FILE_MAX, &b);
	struct str text = str_unmarked(buf_view(&b)), line;
	unsigned n = 0;
	while (!e && text.n && str_cut(&text, '\n', &line)) {
		n++;
		line.n = str_find(line, '#');
		line = str_trim(line);
		if (!line.n)
			continue;
		size_t blank = 0;
		while (blank < line.n && line.p[blank] != ' ' && line.p[blank] != '\t' &&
		       line.p[blank] != ',')
			blank++;
		struct str label = str_trim(str_skip(line, blank + 1));
		if (!add_network(l, str_make(line.p, blank), label.n ? label : STR("listed")))
			e = err_set(ERR_SYNTAX,
			    "%s:%u: '" STR_FMT "' is no network like 192.0.2.0/24", path, n,
			    (int)blank, line.p);
	}
	for (int i = 0; i < 2; i++)
		if (l->ranges_n[i])
			qsort(l->ranges[i], l->ranges_n[i], sizeof **l->ranges, by_place);
	buf_done(&b);
	return e;
}

enum err junk_open(const struct config *c, struct junk_lists **out)
{
	struct junk_lists *l = calloc(1, sizeof *l);
	if (!l)
		return err_set(ERR_NOMEM, "no memory");
	l->refs = 1;
	enum err e = c->crawl == CRAWL_COUNT ? OK : crawlers(l, c->crawlers_file);
	if (!e && *c->networks_file)
		e = networks(l, c->networks_file);
	if (e)
		junk_unref(l);
	else
		*out = l;
	return e;
}

struct junk_lists *junk_ref(struct junk_lists *l)
{
	if (l)
		atomic_fetch_add(&l->refs, 1);
	return l;
}

void junk_unref(struct junk_lists *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	for (size_t i = 0; i < l->patterns_n; i++)
		free(l->patterns[i]);
	for (size_t i = 0; i < l->labels_n; i++)
		free(l->labels[i]);
	hs_free_scratch(l->prototype);
	hs_free_database(l->db);
	hs_free_database(l->devices);
	free(l->patterns);
	free(l->flags);
	free(l->ids);
	free(l->labels);
	free(l->ranges[0]);
	free(l->ranges[1]);
	free(l);
}

/* --- looking up */

/* For Vectorscan: the lowest number of the patterns that match, so that the same agent always has
 * the same reason. */
static int first_match(
    unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	int *found = arg;
	(void)from, (void)to, (void)flags;
	if (*found < 0 || (int)id < *found)
		*found = (int)id;
	return 0;
}

/* For Vectorscan: blanks a match in a copy of the agent. */
static int take_out(
    unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	(void)id, (void)flags;
	memset((char *)arg + from, ' ', (size_t)(to - from));
	return 0;
}

int junk_crawler(const struct junk_lists *l, struct hs_scratch **scratch, struct str agent)
{
	int found = -1;
	if (!l || !l->db || !agent.n)
		return -1;
	if (!*scratch && hs_clone_scratch(l->prototype, scratch) != HS_SUCCESS)
		return -1;
	char text[AGENT_MAX];
	unsigned n = (unsigned)(agent.n < AGENT_MAX ? agent.n : AGENT_MAX);
	hs_scan(l->db, agent.p, n, 0, *scratch, first_match, &found);
	if (found < 0 || !l->devices)
		return found;
	/* blanked in a copy, for hs_scan() is still reading the agent */
	memcpy(text, agent.p, n);
	hs_scan(l->devices, agent.p, n, 0, *scratch, take_out, text);
	found = -1;
	hs_scan(l->db, text, n, 0, *scratch, first_match, &found);
	explicit_bzero(text, n);
	return found;
}

void junk_scratch_free(struct hs_scratch *s)
{
	hs_free_scratch(s);
}

const char *junk_crawler_name(const struct junk_lists *l, int n)
{
	return l->patterns[n];
}

int junk_network(const struct junk_lists *l, const struct network *n)
{
	if (!l || !n->family)
		return -1;
	int family = n->family == 6;
	const struct range *r = l->ranges[family];
	uint64_t v = number_of(n->b, (family ? NETWORK_BITS_6 : NETWORK_BITS_4) / 8);
	size_t lo = 0, hi = l->ranges_n[family];
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (r[mid].first <= v)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* From the nearest beginning to the left: of two ranges that hold v, one lies in the other,
	 * and the narrower begins later. */
	while (lo-- > 0)
		if (v <= r[lo].last)
			return r[lo].label;
	return -1;
}

const char *junk_network_name(const struct junk_lists *l, int n)
{
	return l->labels[n];
}
