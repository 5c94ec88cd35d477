/* Commands that read: segments, categories, lookalikes, visitors.
 *
 * A list is JSON first, from the server or from the store by the same functions (delivery/lists.h,
 * answers/visitor.h), and then printed as a table by one put_…() function for each kind of row. So
 * --json and the table say the same. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/cli/cli.h"
#include "crumb/delivery/lists.h"
#include "crumb/answers/visitor.h"
#include "crumb/answers/who.h"
#include "crumb/privacy/cookie.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

struct rules *cli_coming_rules(struct cli *c)
{
	struct rules *r = NULL;
	uint32_t number = store_building(c->store);
	return number && generation_stored_rules(c->store, number, &r) == OK ? r : NULL;
}

/* A list by the server, or by the store where no server runs. NULL: it was said why. */
static json_t *get(struct cli *c, const char *path,
    enum err (*list_rows)(
	struct generation *, const struct kgate *, uint32_t, const struct rules *, json_t **))
{
	struct reply r;
	json_t *list;
	if (client_available(c))
		return client_json(c, path, NULL, &r);
	if (!cli_open(c))
		return NULL;
	struct rules *coming = cli_coming_rules(c);
	enum err e = list_rows(c->generation, &c->gate, clock_now(), coming, &list);
	rules_unref(coming);
	if (e)
		cli_fail("%s", err_text());
	return e ? NULL : list;
}

static const char *text(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

/* Id and name; the name only where it is another word than the id. */
static void put_name(struct table *t, const json_t *row)
{
	const char *name = text(row, "name");
	table_text(t, text(row, "id"));
	table_text(t, name && strcmp(name, text(row, "id")) != 0 ? name : NULL);
}

/* Whether the numbers of a row have their whole history. */
static void put_history(struct table *t, const json_t *row)
{
	const char *from = text(row, "history_from");
	if (!json_is_true(json_object_get(row, "complete")))
		table_text(t, "is being recomputed");
	else if (from)
		table_cell(t, "from %s", from);
	else
		table_text(t, NULL);
}

static void put_alert(struct table *t, const json_t *alert)
{
	if (!alert) {
		table_text(t, NULL);
		return;
	}
	bool firing = json_is_true(json_object_get(alert, "firing"));
	table_cell(t, "< %lld%s", (long long)json_integer_value(json_object_get(alert, "below")),
	    firing ? ": it is!" : "");
}

static void put_segment(struct cli *c, struct table *t, const json_t *row)
{
	const char *state = text(row, "state");
	table_number(t, json_object_get(row, "size"), kgate_k(&c->gate));
	table_share(t, json_object_get(row, "share"));
	put_name(t, row);
	table_words(t, json_object_get(row, "destinations"));
	table_text(t, text(row, "owner"));
	put_alert(t, json_object_get(row, "alert"));
	table_text(t, text(row, "split"));
	table_text(t, text(row, "until"));
	table_text(t, state && strcmp(state, "active") != 0 ? state : NULL);
	put_history(t, row);
}

static void put_category(struct cli *c, struct table *t, const json_t *row)
{
	table_number(t, json_object_get(row, "visitors"), kgate_k(&c->gate));
	table_share(t, json_object_get(row, "share"));
	put_name(t, row);
	table_words(t, json_object_get(row, "labels"));
	table_text(t, json_is_true(json_object_get(row, "sensitive")) ? "yes" : NULL);
	put_history(t, row);
}

static void put_lookalike(struct cli *c, struct table *t, const json_t *row)
{
	const json_t *like = json_object_get(row, "lookalike"), *auc = json_object_get(like, "auc"),
		     *lift = json_object_get(like, "lift_at_10");
	long long days = (long long)json_integer_value(json_object_get(like, "refresh_days"));
	const char *trained = text(like, "trained");
	table_number(t, json_object_get(row, "size"), kgate_k(&c->gate));
	put_name(t, row);
	table_text(t, text(like, "seed"));
	table_text(t, text(like, "reach"));
	if (!trained)
		trained = "not yet";
	bool over = json_is_true(json_object_get(like, "over"));
	table_cell(t, "%s%s", trained, over ? ", over" : "");
	if (json_is_number(auc))
		table_cell(t, "%.3f", json_number_value(auc));
	else
		table_text(t, NULL);
	if (json_is_number(lift))
		table_cell(t, "%.1f", json_number_value(lift));
	else
		table_text(t, NULL);
	if (days == 0)
		table_text(t, "by hand");
	else
		table_text(t, days == 1 ? "daily" : "weekly");
	table_words(t, json_object_get(row, "destinations"));
	table_text(t, text(row, "owner"));
	put_history(t, row);
}

/* Takes the reference to the list. NULL is a failure that was said. */
static int print_rows(struct cli *c, json_t *list, const char *const *heads,
    void (*put)(struct cli *, struct table *, const json_t *), const char *none)
{
	struct table t;
	json_t *row;
	size_t i;
	if (!list)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(list);
		return EXIT_FINE;
	}
	table_begin(&t, heads);
	json_array_foreach(list, i, row) put(c, &t, row);
	if (json_array_size(list))
		table_print(&t);
	else
		puts(none);
	table_end(&t);
	json_decref(list);
	return EXIT_FINE;
}

static int segments_list(struct cli *c, int argc, char **argv)
{
	static const char *const heads[] = {"> size", "> of all", "segment", "name", "destinations",
	    "owner", "alert", "split", "until", "state", "history", NULL};
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	json_t *rows = get(c, "/v1/segments", list_segments);
	return print_rows(c, rows, heads, put_segment, "there are no segments");
}

static int categories_list(struct cli *c, int argc, char **argv)
{
	static const char *const heads[] = {
	    "> visitors", "> of all", "category", "name", "labels", "sensitive", "history", NULL};
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	json_t *rows = get(c, "/v1/categories", list_categories);
	return print_rows(c, rows, heads, put_category, "there are no categories");
}

/* Lookalikes are segments with a model: they are picked from the list of segments. */
static int lookalikes_list(struct cli *c, int argc, char **argv)
{
	static const char *const heads[] = {"> size", "lookalike", "name", "seed", "reach",
	    "trained", "> area", "> lift", "refresh", "destinations", "owner", "history", NULL};
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	json_t *list = get(c, "/v1/segments", list_segments);
	for (size_t i = json_array_size(list); i-- > 0;)
		if (!json_object_get(json_array_get(list, i), "lookalike"))
			json_array_remove(list, i);
	return print_rows(c, list, heads, put_lookalike,
	    "there are no lookalikes: docs/RULES.md says how to make one");
}

static json_t *get_segment(struct cli *c, const char *id)
{
	json_t *j = NULL;
	if (client_available(c)) {
		char path[200];
		struct reply r;
		snprintf(path, sizeof path, "/v1/segment?id=%.150s", id);
		return client_json(c, path, NULL, &r);
	}
	if (!cli_open(c))
		return NULL;
	struct rules *coming = cli_coming_rules(c);
	enum err e = list_segment(c->generation, &c->gate, clock_now(), coming, id, LIST_DAYS, &j);
	rules_unref(coming);
	if (e)
		cli_fail("%s", err_text());
	return e ? NULL : j;
}

/* A dash is a day of which nothing was recorded; that is not a withheld number. */
static void print_days(struct cli *c, const json_t *j)
{
	static const char *const heads[] = {"  day", "> size", "> entered", "> left", NULL},
				 *const keys[] = {"size", "entered", "left"};
	struct table t;
	bool gap = false;
	json_t *day;
	size_t i;
	table_begin(&t, heads);
	json_array_foreach(json_object_get(j, "days"), i, day)
	{
		bool recorded = !json_is_false(json_object_get(day, "recorded"));
		gap |= !recorded;
		table_text(&t, text(day, "day"));
		for (int k = 0; k < 3; k++) {
			if (recorded)
				table_number(&t, json_object_get(day, keys[k]), kgate_k(&c->gate));
			else
				table_text(&t, "\u2013");
		}
	}
	table_print(&t);
	table_end(&t);
	if (gap)
		printf("recorded since %s: visitors who were members by then count as entered on "
		       "that day\n",
		    text(j, "recorded_since"));
}

/* A line for each field of the segment's row that is there. */
static void print_segment(struct cli *c, const json_t *j)
{
	static const char *const heads[] = {"", "", NULL};
	struct table t;
	const char *id = text(j, "id"), *name = text(j, "name");
	printf("%s", id);
	if (name && strcmp(name, id) != 0)
		printf(": %s", name);
	putchar('\n');
	table_begin(&t, heads);
	t.headless = true;
	table_text(&t, "size");
	table_number(&t, json_object_get(j, "size"), kgate_k(&c->gate));
	table_text(&t, "state");
	table_text(&t, text(j, "state"));
	table_text(&t, "when");
	table_text(&t, text(j, "when"));
	static const char *const more[] = {"words", "owner", "split", "until", "history_from"},
				 *const words[] = {
				     "in words", "owner", "split", "until", "history from"};
	for (int i = 0; i < 5; i++)
		if (text(j, more[i])) {
			table_text(&t, words[i]);
			table_text(&t, text(j, more[i]));
		}
	if (json_object_get(j, "destinations")) {
		table_text(&t, "destinations");
		table_words(&t, json_object_get(j, "destinations"));
	}
	if (json_object_get(j, "alert")) {
		table_text(&t, "alert");
		put_alert(&t, json_object_get(j, "alert"));
	}
	table_print(&t);
	table_end(&t);
	putchar('\n');
}

static int segments_show(struct cli *c, int argc, char **argv)
{
	const char *id = cli_word(argc, argv);
	if (!id || !cli_all_used(argc, argv))
		return cli_misuse("segments show wants the id of a segment");
	json_t *j = get_segment(c, id);
	if (!j)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(j);
		return EXIT_FINE;
	}
	print_segment(c, j);
	print_days(c, j);
	json_decref(j);
	return EXIT_FINE;
}

/* --- visitor show */

/* Keys of identity are wiped as soon as the visitor is known. */
bool cli_who(struct cli *c, const char *command, int argc, char **argv, struct vkey *out, int *rc)
{
	const char *cookie = cli_option(argc, argv, "--cookie"),
		   *id = cli_option(argc, argv, "--id"), *key = cli_option(argc, argv, "--key");
	*rc = EXIT_MISUSE;
	if ((cookie != NULL) + (id != NULL) + (key != NULL) != 1) {
		cli_misuse("%s wants one of --cookie VALUE, --id IMPORTED_ID, --key HEX", command);
		return false;
	}
	if (!cli_all_used(argc, argv))
		return false;
	*rc = EXIT_WRONG;
	if (!cli_open(c))
		return false;
	const struct who who = {str_c(cookie), str_c(id), str_c(key)};
	if (key && strlen(key) != 2 * sizeof out->b) { /* an empty one, too */
		cli_fail("--key wants 32 hex digits");
		return false;
	}
	if (who_is(&who, c->store->keys, clock_now(), out) == OK)
		return true;
	cli_fail("%s", err_text());
	return false;
}

static void print_visitor(const json_t *v)
{
	const char *key;
	json_t *value, *row;
	size_t i;
	bool provisional = json_is_true(json_object_get(v, "provisional"));
	printf("visitor %s%s\n  seen %s to %s, gone on %s\n",
	    json_string_value(json_object_get(v, "visitor")), provisional ? " (provisional)" : "",
	    json_string_value(json_object_get(v, "first_day")),
	    json_string_value(json_object_get(v, "last_day")),
	    json_string_value(json_object_get(v, "expires")));
	static const char *const facts[] = {"country", "region", "device", "os", "browser"};
	for (size_t f = 0; f < 5; f++)
		if (json_object_get(v, facts[f]))
			printf(
			    "  %s %s\n", facts[f], json_string_value(json_object_get(v, facts[f])));
	json_object_foreach(json_object_get(v, "attributes"), key, value)
	    printf("  %s = %s\n", key, json_string_value(value));
	json_array_foreach(json_object_get(v, "categories"), i, row) printf(
	    "  %6lld × %s on %lld %s\n",
	    (long long)json_integer_value(json_object_get(row, "count")),
	    json_string_value(json_object_get(row, "id")),
	    (long long)json_integer_value(json_object_get(row, "days")),
	    cli_plural((uint64_t)json_integer_value(json_object_get(row, "days")), "day", "days"));
	json_array_foreach(json_object_get(v, "segments"), i, row) printf(
	    "  in segment %s until %s\n", json_string_value(row),
	    json_string_value(json_object_get(
		json_object_get(json_object_get(v, "ends"), "segments"), json_string_value(row))));
}

static int visitor_show(struct cli *c, int argc, char **argv)
{
	struct vkey k;
	json_t *v;
	char hex[33];
	int rc;
	if (!cli_who(c, "visitor show", argc, argv, &k, &rc))
		return rc;
	if (visitor_json(c->generation, (unsigned)c->config.retention_days, &k, clock_now(), &v) !=
	    OK)
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
    {.name = "segments list",
	.args = "[--json]",
	.summary = "segments and their sizes",
	.help = "Lists every segment of the serving rules: its size now, its share of all "
		"visitors, its destinations, its owner and its alert. Sizes below privacy.k are "
		"withheld, and the others are rounded to ten. A column in which no row has "
		"anything is left out.\n\n"
		"With --json: [{\"id\",\"name\",\"kind\",\"size\":N or "
		"null,\"below\":k,\"share\",\"state\",\"complete\",\"destinations\",\"owner\","
		"\"alert\":{\"below\",\"firing\"},…}]. A number is not complete while the "
		"history of changed rules is being recomputed.",
	.run = segments_list},
    {.name = "segments show",
	.args = "ID [--json]",
	.summary = "one segment: condition, size, and its last 30 days",
	.help = "Shows the condition of a segment, its size, and for each of the last 30 days "
		"its size and how many visitors entered and left. Every number is withheld below "
		"privacy.k and rounded to ten. Days before recording began have a dash; a line "
		"below the table says when recording began.",
	.run = segments_show},
    {.name = "categories list",
	.args = "[--json]",
	.summary = "categories and how many visitors have them",
	.help = "Lists every category, parents included, with the number of visitors who have it "
		"on a retained day. Numbers below privacy.k are withheld, and the others are "
		"rounded to ten.",
	.run = categories_list},
    {.name = "lookalike list",
	.args = "[--json]",
	.summary = "lookalikes, how large and how good they are",
	.help = "Lists every lookalike: its size, its seed, how far it reaches, when its model "
		"was trained, how good the model was then, and how often it is trained again. "
		"Area is the area under the curve: 0.5 is chance. Lift tells how many times more "
		"of the seed's kind are among the best tenth than by chance.\n\n"
		"With --json: rows of 'segments list' with "
		"\"lookalike\":{\"seed\",\"reach\",\"refresh_days\",\"trained\",\"auc\","
		"\"activity_auc\",\"lift_at_10\",\"over\"}.",
	.run = lookalikes_list},
    {.name = "visitor show",
	.args = "--cookie VALUE | --id IMPORTED_ID | --key HEX [--json]",
	.summary = "what is known of one visitor",
	.help = "Shows what is known of one visitor: categories, attributes, coarse place, "
		"device and segments. The visitor is named by the value of the 'crumb' cookie, "
		"by the id under which events were imported, or by the visitor key in hex. Exit "
		"status 1: nothing is known of the visitor.",
	.run = visitor_show},
    {0},
};
