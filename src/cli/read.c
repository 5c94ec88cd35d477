/* Commands that read: segments, categories, visitors. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/cli/cli.h"
#include "crumb/delivery/lists.h"
#include "crumb/answers/visitor.h"
#include "crumb/privacy/cookie.h"

#include <jansson.h>
#include <stdio.h>

/* Numbers in tables: withheld ones say so. */
static void print_number(const json_t *row, const char *name, uint32_t k)
{
	const json_t *n = json_object_get(row, name);
	if (json_is_integer(n))
		printf("%10lld", (long long)json_integer_value(n));
	else
		printf("      < %-3u", k);
}

/* Rules whose history is being recomputed beside the serving one; NULL: none are. */
static struct rules *coming_rules(struct cli *c)
{
	struct rules *r = NULL;
	uint32_t number = store_building(c->store);
	return number && generation_stored_rules(c->store, number, &r) == OK ? r : NULL;
}

/* A running server answers, since its gate remembers what it told. */
static json_t *get(
    struct cli *c, const char *path, enum err (*list_rows)(struct generation *, const struct kgate *, uint32_t, const struct rules *, json_t **))
{
	struct reply r;
	json_t *list;
	if (client_available(c))
		return client_json(c, path, NULL, &r);
	if (!cli_open(c, false))
		return NULL;
	struct rules *coming = coming_rules(c);
	enum err e = list_rows(c->generation, &c->gate, clock_now(), coming, &list);
	rules_unref(coming);
	if (e)
		cli_fail("%s", err_text());
	return e ? NULL : list;
}

/* Where it goes and whose it is. */
static void print_use(const json_t *row)
{
	const json_t *to = json_object_get(row, "destinations"), *one;
	const char *owner = json_string_value(json_object_get(row, "owner"));
	size_t i;
	json_array_foreach(to, i, one) printf("%s%s", i ? ", " : "  to ", json_string_value(one));
	if (owner)
		printf("  of %s", owner);
}

static int print_rows(struct cli *c, json_t *list, const char *number)
{
	json_t *row;
	size_t i;
	if (!list)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(list);
		return EXIT_FINE;
	}
	json_array_foreach(list, i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state")), *from = json_string_value(json_object_get(row, "history_from"));
		print_number(row, number, kgate_k(&c->gate));
		printf("  %-32s %s", json_string_value(json_object_get(row, "id")), json_string_value(json_object_get(row, "name")));
		print_use(row);
		if (state && strcmp(state, "active") != 0)
			printf(" [%s]", state);
		if (!json_is_true(json_object_get(row, "complete")))
			printf(" [its history is being recomputed]");
		if (from)
			printf(" [history from %s]", from);
		if (json_is_true(json_object_get(json_object_get(row, "alert"), "firing")))
			printf(" [below %lld!]", (long long)json_integer_value(json_object_get(json_object_get(row, "alert"), "below")));
		putchar('\n');
	}
	if (json_array_size(list) == 0)
		puts("none are defined");
	json_decref(list);
	return EXIT_FINE;
}

static int segments_list(struct cli *c, int argc, char **argv)
{
	return cli_all_used(argc, argv) ? print_rows(c, get(c, "/v1/segments", list_segments), "size") : EXIT_MISUSE;
}

static int categories_list(struct cli *c, int argc, char **argv)
{
	return cli_all_used(argc, argv) ? print_rows(c, get(c, "/v1/categories", list_categories), "visitors") : EXIT_MISUSE;
}

static int segments_show(struct cli *c, int argc, char **argv)
{
	const char *id = cli_word(argc, argv);
	json_t *j, *day;
	size_t i;
	bool gap = false;
	if (!id || !cli_all_used(argc, argv))
		return cli_misuse("segments show wants the id of a segment");
	if (client_available(c)) {
		char path[200];
		struct reply r;
		snprintf(path, sizeof path, "/v1/segment?id=%.150s", id);
		if (!(j = client_json(c, path, NULL, &r)))
			return EXIT_WRONG;
	} else {
		if (!cli_open(c, false))
			return EXIT_WRONG;
		struct rules *coming = coming_rules(c);
		enum err e = list_segment(c->generation, &c->gate, clock_now(), coming, id, LIST_DAYS, &j);
		rules_unref(coming);
		if (e)
			return e == ERR_NOT_FOUND ? cli_fail("there is no segment '%s'", id) : cli_fail("%s", err_text());
	}
	if (c->json) {
		cli_print_json(j);
		return EXIT_FINE;
	}
	printf("%s (%s), %s", id, json_string_value(json_object_get(j, "name")), json_string_value(json_object_get(j, "state")));
	print_use(j);
	printf("\n  when  %s\n  size", json_string_value(json_object_get(j, "when")));
	print_number(j, "size", kgate_k(&c->gate));
	puts("\n  day               size    entered       left");
	json_array_foreach(json_object_get(j, "days"), i, day)
	{
		printf("  %s ", json_string_value(json_object_get(day, "day")));
		if (json_is_false(json_object_get(day, "recorded"))) {
			puts("         \u2013          \u2013          \u2013");
			gap = true;
			continue;
		}
		print_number(day, "size", kgate_k(&c->gate));
		print_number(day, "entered", kgate_k(&c->gate));
		print_number(day, "left", kgate_k(&c->gate));
		putchar('\n');
	}
	if (gap)
		printf("  recorded since %s: whoever was in it by then counts as entered on that day\n",
		    json_string_value(json_object_get(j, "recorded_since")));
	json_decref(j);
	return EXIT_FINE;
}

/* --- visitor show */

bool cli_who(struct cli *c, const char *command, int argc, char **argv, struct vkey *out, int *rc)
{
	const char *cookie = cli_option(argc, argv, "--cookie"), *id = cli_option(argc, argv, "--id"), *key = cli_option(argc, argv, "--key");
	*rc = EXIT_MISUSE;
	if ((cookie != NULL) + (id != NULL) + (key != NULL) != 1) {
		cli_misuse("%s wants one of --cookie VALUE, --id IMPORTED_ID, --key HEX", command);
		return false;
	}
	if (!cli_all_used(argc, argv))
		return false;
	*rc = EXIT_WRONG;
	if (!cli_open(c, false))
		return false;
	if (key) {
		if (hex_decode(str_c(key), out->b, sizeof out->b))
			return true;
		cli_fail("--key wants 32 hex digits");
		return false;
	}
	struct identity_keys keys;
	struct cookie parsed;
	uint16_t today = day_of(clock_now());
	if (keys_identity(c->store->keys, today, &keys) != OK) {
		cli_fail("%s", err_text());
		return false;
	}
	bool known = true;
	if (id)
		*out = imported_visitor(&keys, str_c(id));
	else
		known = cookie_read(&keys, str_c(cookie), today, &parsed) == COOKIE_VALID && cookie_visitor(&keys, &parsed, out);
	sodium_memzero(&keys, sizeof keys);
	if (!known)
		cli_fail("the cookie is forged or overdue: it names nobody");
	return known;
}

static void print_visitor(const json_t *v)
{
	const char *key;
	json_t *value, *row;
	size_t i;
	printf("visitor %s%s\n  seen %s to %s, gone on %s\n", json_string_value(json_object_get(v, "visitor")),
	    json_is_true(json_object_get(v, "provisional")) ? " (provisional)" : "", json_string_value(json_object_get(v, "first_day")),
	    json_string_value(json_object_get(v, "last_day")), json_string_value(json_object_get(v, "expires")));
	static const char *const facts[] = {"country", "region", "device", "os", "browser"};
	for (size_t f = 0; f < 5; f++)
		if (json_object_get(v, facts[f]))
			printf("  %s %s\n", facts[f], json_string_value(json_object_get(v, facts[f])));
	json_object_foreach(json_object_get(v, "attributes"), key, value) printf("  %s = %s\n", key, json_string_value(value));
	json_array_foreach(json_object_get(v, "categories"), i, row)
	    printf("  %6lld × %s on %lld days\n", (long long)json_integer_value(json_object_get(row, "count")),
		json_string_value(json_object_get(row, "id")), (long long)json_integer_value(json_object_get(row, "days")));
	json_array_foreach(json_object_get(v, "segments"), i, row) printf("  in segment %s until %s\n", json_string_value(row),
	    json_string_value(json_object_get(json_object_get(json_object_get(v, "ends"), "segments"), json_string_value(row))));
}

static int visitor_show(struct cli *c, int argc, char **argv)
{
	struct vkey k;
	json_t *v;
	char hex[33];
	int rc;
	if (!cli_who(c, "visitor show", argc, argv, &k, &rc))
		return rc;
	if (visitor_json(c->generation, (unsigned)c->config.retention_days, &k, clock_now(), &v) != OK)
		return cli_fail("%s", err_text());
	if (!v)
		return cli_fail("nothing is known of this visitor");
	hex_encode(k.b, sizeof k.b, hex);
	hex[32] = 0;
	json_object_set_new(v, "visitor", json_string(hex));
	if (c->json) {
		cli_print_json(v);
	} else {
		print_visitor(v);
		json_decref(v);
	}
	return EXIT_FINE;
}

const struct command commands_read[] = {
    {"segments list", "[--json]", "segments and their sizes",
	"  Lists every segment of the serving rules with its size now. Sizes below privacy.k are withheld; the\n"
	"  others are rounded to ten. With --json: [{\"id\",\"name\",\"kind\",\"size\":N or null,\"below\":k,\"state\",\"complete\"}]; a number\n"
	"  is not complete while the history of changed rules is being recomputed.",
	segments_list},
    {"segments show", "ID [--json]", "one segment: condition, size, and its last 30 days",
	"  Shows the condition of a segment, its size as 'segments list' does, and for each of the last 30 days its size and how many\n"
	"  entered and left. Every number is withheld below privacy.k and rounded to ten.",
	segments_show},
    {"categories list", "[--json]", "categories and how many visitors have them",
	"  Lists every category, parents included, with the number of visitors who have it on a retained day.\n"
	"  Numbers below privacy.k are withheld; the others are rounded to ten.",
	categories_list},
    {"visitor show", "--cookie VALUE | --id IMPORTED_ID | --key HEX [--json]", "what is known of one visitor",
	"  Shows categories, attributes, coarse place and device, and segments of one visitor, found by the value of the\n"
	"  'crumb' cookie, by the id it was imported under, or by its key in hex. Exit status 1 when nothing is known.",
	visitor_show},
    {0},
};
