/* reference: the rows from which documents, manuals and completion are made (tools/docs.py,
 * tools/man.py, tools/completion.py). Each table of rows in the program has a row here: a name, and
 * a function that returns the table as an array of objects.
 *
 * The keys of an object are what a document needs: a name, the sentence that explains it, and
 * bounds, units and words where there are any. A new table is a row of `references`, a function,
 * and a view in tools/docs.py. The output depends on nothing but the version of the program. */
#include "references.h"

#include "crumb/admin/admin.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/hit_read.h"

#include <string.h>

/* "allow|require" as an array. */
static json_t *words_of(const char *text)
{
	json_t *words = json_array();
	struct str rest = str_c(text), word;
	while (str_cut(&rest, '|', &word))
		reference_add(words, json_stringn(word.p, word.n));
	return words;
}

static json_t *commands(const struct cli *c)
{
	json_t *rows = json_array();
	for (size_t t = 0; c->commands[t]; t++)
		for (const struct command *cmd = c->commands[t]; cmd->name; cmd++)
			reference_add(
			    rows, json_pack("{s:s,s:s,s:s,s:s}", "name", cmd->name, "args",
				      cmd->args, "summary", cmd->summary, "help", cmd->help));
	return rows;
}

static json_t *told_group(const char *name, const char *help)
{
	return json_pack("{s:s,s:s}", "name", name, "help", help);
}

/* --- options */

static json_t *option_groups(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (size_t i = 0; i < OPTION_GROUPS; i++)
		reference_add(rows, told_group(config_groups[i].name, config_groups[i].help));
	return rows;
}

static json_t *options(const struct cli *c)
{
	static const char *const kinds[] = {
	    [OPT_TEXT] = "text", [OPT_NUMBER] = "number", [OPT_CHOICE] = "choice"};
	json_t *rows = json_array();
	(void)c;
	for (size_t i = 0; i < config_options_n; i++) {
		const struct option *o = &config_options[i];
		json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b}", "name", o->name, "group",
		    config_groups[o->group].name, "kind", kinds[o->kind], "default", o->initial,
		    "help", o->help, "live", config_is_live(o), "secret", o->secret);
		if (o->unit)
			json_object_set_new(row, "unit", json_string(o->unit));
		if (o->kind == OPT_NUMBER)
			json_object_update_new(
			    row, json_pack("{s:I,s:I}", "min", (json_int_t)o->min, "max",
				     (json_int_t)o->max));
		if (o->floor)
			json_object_set_new(row, "floor", json_integer(o->floor));
		if (o->kind == OPT_CHOICE)
			json_object_set_new(row, "words", words_of(o->words));
		reference_add(rows, row);
	}
	return rows;
}

/* --- what is measured */

static json_t *metric_groups_of(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (size_t i = 0; i < METRIC_GROUPS; i++)
		reference_add(rows, told_group(metric_groups[i].name, metric_groups[i].help));
	return rows;
}

static json_t *metric(enum metric_group group, const char *kind, const char *name,
    const char *label, const char *unit, const char *help)
{
	return json_pack("{s:s,s:s+,s:s,s:s?,s:s,s:s}", "group", metric_groups[group].name, "name",
	    "crumb_", name, "kind", kind, "label", label, "unit", unit, "help", help);
}

static json_t *values_of(enum metric_family family)
{
	json_t *rows = json_array();
	for (enum metric m = 0; m < METRIC_MAX; m++)
		if (metric_counters[m].family == family)
			reference_add(
			    rows, json_pack("{s:s,s:s}", "value", metric_counters[m].value, "help",
				      metric_counters[m].help));
	return rows;
}

static json_t *metrics(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (enum metric_family i = 0; i < METRIC_FAMILIES; i++) {
		const struct metric_family_row *f = &metric_families[i];
		json_t *row = metric(f->group, "counter", f->name, f->label, f->unit, f->help);
		json_object_set_new(row, "by_day", json_boolean(f->by_day));
		if (f->label)
			json_object_set_new(row, "values", values_of(i));
		reference_add(rows, row);
	}
	for (enum histogram i = 0; i < HISTOGRAM_MAX; i++) {
		const struct histogram_row *h = &metric_histograms[i];
		json_t *ends = json_array();
		json_t *row = metric(h->group, "histogram", h->name, NULL, h->unit, h->help);
		for (const uint64_t *end = h->ends; *end; end++)
			reference_add(ends, json_real((double)*end / h->per));
		json_object_set_new(row, "ends", ends);
		reference_add(rows, row);
	}
	for (size_t t = 0; admin_gauges[t]; t++)
		for (const struct gauge *g = admin_gauges[t]; g->name; g++)
			reference_add(
			    rows, metric(g->group, "gauge", g->name, g->label, g->unit, g->help));
	return rows;
}

/* What a client can say of a hit (privacy/hit_rows.h). */
static json_t *parameters(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (size_t i = 0; i < hit_rows_n; i++) {
		const struct hit_row *r = &hit_rows[i];
		reference_add(rows,
		    json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:s}", "kind", hit_kind_names[r->kind],
			"name", r->name, "object", r->object, "imported", r->imported, "macro",
			r->macro, "signal", hit_row_is_signal(r), "help", r->says));
	}
	return rows;
}

static const struct reference {
	const char *name;
	json_t *(*rows)(const struct cli *c);
} references[] = {
    {"commands", commands},
    {"options", options},
    {"records", reference_records},
    {"option-groups", option_groups},
    {"metrics", metrics},
    {"metric-groups", metric_groups_of},
    {"routes", reference_routes},
    {"route-answers", reference_route_answers},
    {"collect-routes", reference_collect_routes},
    {"parameters", parameters},
    {"formats", reference_formats},
    {"ways", reference_ways},
    {"signings", reference_signings},
    {"trackers", reference_trackers},
    {"fields", reference_fields},
    {"rule-maps", reference_maps},
    {"condition-forms", reference_forms},
};
#define REFERENCES (sizeof references / sizeof *references)

static int reference(struct cli *c, int argc, char **argv)
{
	const char *name = cli_word(argc, argv);
	json_t *all = json_object();
	if (!cli_all_used(argc, argv)) {
		json_decref(all);
		return EXIT_MISUSE;
	}
	for (size_t i = 0; i < REFERENCES; i++)
		if (!name || strcmp(name, references[i].name) == 0)
			json_object_set_new(all, references[i].name, references[i].rows(c));
	if (!json_object_size(all)) {
		struct buf known = {0};
		for (size_t i = 0; i < REFERENCES; i++)
			buf_addf(&known, "%s%s", i ? ", " : "", references[i].name);
		int rc = cli_misuse("there is no table '%s': %.*s", name, (int)known.n, known.p);
		buf_done(&known);
		json_decref(all);
		return rc;
	}
	cli_print_json(all);
	return EXIT_FINE;
}

const struct command commands_reference[] = {
    {.name = "reference",
	.args = "[TABLE]",
	.summary = "what this program has, as JSON",
	.help = "Prints the rows from which the manuals, bash's completion and the tables in "
		"docs/ are made: {\"TABLE\":[{…}]}. With TABLE it prints only that table. The "
		"output is the same on every machine that runs this version, whatever its "
		"configuration is.",
	.run = reference,
	.needs = NEEDS_NOTHING},
    {0},
};
