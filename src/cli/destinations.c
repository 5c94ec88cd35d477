/* destinations list: where audiences go, which segments name each destination, and how its latest
 * delivery went. It is made from three things: the file of destinations, the rules that serve, and
 * the deliveries that the store remembers. Built-in destinations (`page`, `file`) are listed when a
 * segment names them. */
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/delivery/deliver.h"
#include "crumb/partners/format.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

/* The segments that name the destination. */
static json_t *segments_of(const struct rules *r, const char *id)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->segments_n; i++)
		if (segment_goes_to(&r->segments[i], str_c(id)))
			json_array_append_new(list, json_string(r->segments[i].id));
	return list;
}

/* A folder, or scheme and host of a URL: the rest of a URL may be secret. */
static json_t *where_of(const struct destination *d)
{
	struct str w = d->where;
	unsigned slashes = 0;
	for (size_t i = 0; d->way->where == WHERE_URL && i < w.n; i++)
		if ((slashes += w.p[i] == '/') == 3)
			w.n = i;
	return w.n ? json_stringn(w.p, w.n) : json_null();
}

/* When deliveries happen, in the words of the file. */
#define HOUR 3600u /* seconds */

static const char *every_of(const struct destination *d, char out[64])
{
	char at[16] = "";
	if (d->way->where == WHERE_NONE)
		return "when it is asked for";
	if (d->at_s)
		snprintf(at, sizeof at, " at %02u:%02u", d->at_s / HOUR % 24, d->at_s / 60 % 60);
	if (!d->every_s)
		return "by hand";
	if (d->every_s == DAY_S)
		snprintf(out, 64, "daily%s", at);
	else if (d->every_s == HOUR)
		snprintf(out, 64, "hourly");
	else if (d->every_s % DAY_S == 0)
		snprintf(out, 64, "every %ud%s", (unsigned)(d->every_s / DAY_S), at);
	else if (d->every_s % HOUR == 0)
		snprintf(out, 64, "every %uh", d->every_s / HOUR);
	else
		snprintf(out, 64, "every %um", d->every_s / 60);
	return out;
}

/* The latest delivery; null: there was none. */
static json_t *last_of(struct cli *c, const struct destinations *all, const char *id)
{
	json_t *list, *last = NULL;
	if (deliveries_list(c->store->path, all, id, &c->gate, clock_now(), &list) != OK)
		return json_null();
	if (json_array_size(list))
		last = json_incref(json_array_get(list, json_array_size(list) - 1));
	json_decref(list);
	return last ? last : json_null();
}

static json_t *destination_json(
    struct cli *c, const struct destinations *all, const struct destination *d)
{
	char every[64];
	json_t *row =
	    json_pack("{s:s,s:s,s:s,s:o,s:s,s:o,s:o}", "id", d->id, "format", d->format->name,
		"deliver", d->way->name, "to", where_of(d), "every", every_of(d, every), "segments",
		segments_of(c->generation->rules, d->id), "last", last_of(c, all, d->id));
	json_object_set_new(row, "partner",
	    d->partner >= 0 ? json_string(all->partners[d->partner].id) : json_null());
	return row;
}

/* A destination that needs no entry in the file, such as `page`: it has the name of its format. */
static void add_built_in(
    struct cli *c, const struct destinations *all, const struct format *format, json_t *list)
{
	char id[PARTNER_NAME_MAX + 1];
	struct destination d = {.id = id, .format = format, .way = format->ways[0], .partner = -1};
	snprintf(id, sizeof id, "%s", format->name);
	if (destinations_find(all, str_c(id)))
		return;
	json_t *row = destination_json(c, all, &d);
	if (json_array_size(json_object_get(row, "segments")))
		json_array_append(list, row);
	json_decref(row);
}

static void print_rows(const json_t *list)
{
	static const char *const heads[] = {"destination", "partner", "format", "goes to", "when",
	    "segments", "latest delivery", NULL};
	struct table t;
	size_t i;
	json_t *row;
	table_begin(&t, heads);
	json_array_foreach(list, i, row)
	{
		const json_t *last = json_object_get(row, "last");
		const char *ended = json_string_value(json_object_get(last, "ended")),
			   *state = json_string_value(json_object_get(last, "state"));
		table_text(&t, json_string_value(json_object_get(row, "id")));
		table_text(&t, json_string_value(json_object_get(row, "partner")));
		table_text(&t, json_string_value(json_object_get(row, "format")));
		table_text(&t, json_string_value(json_object_get(row, "to")));
		table_text(&t, json_string_value(json_object_get(row, "every")));
		table_words(&t, json_object_get(row, "segments"));
		if (state && ended)
			table_cell(&t, "%s %s", state, ended);
		else
			table_text(&t, state ? state : ended);
	}
	table_print(&t);
	table_end(&t);
}

static int destinations(struct cli *c, int argc, char **argv)
{
	struct destinations *all;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!cli_open(c))
		return EXIT_WRONG;
	if (destinations_load(c->config.destinations_path, NULL, &all) != OK)
		return cli_fail("%s", err_text());
	json_t *list = json_array();
	for (const struct format *const *f = formats; *f; f++)
		if ((*f)->built_in)
			add_built_in(c, all, *f, list);
	for (size_t i = 0; i < all->n; i++)
		json_array_append_new(list, destination_json(c, all, &all->list[i]));
	if (c->json)
		cli_print_json(json_incref(list));
	else if (json_array_size(list))
		print_rows(list);
	else if (all->found)
		printf("there are no destinations: %s names none\n", c->config.destinations_path);
	else
		printf("there are no destinations: %s is not there\n", c->config.destinations_path);
	json_decref(list);
	destinations_unref(all);
	return EXIT_FINE;
}

const struct command commands_destinations[] = {
    {.name = "destinations list",
	.args = "[--json]",
	.summary = "where audiences go, which segments, and how the latest delivery went",
	.help = "Lists the destinations of etc/destinations.yaml (destinations.path), and 'page' "
		"and 'file' where segments name them: the partner, the format, where audiences "
		"go and when, the segments of the serving rules that name the destination, and "
		"the latest delivery. Of a URL only scheme and host are shown.\n\n"
		"With --json: "
		"[{\"id\",\"partner\",\"format\",\"deliver\",\"to\",\"every\",\"segments\","
		"\"last\":as deliveries}].",
	.run = destinations},
    {0},
};
