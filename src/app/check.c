/* crumbd --check: everything that a start would look at, without a store and without a port.
 *
 * What a start would refuse is a mistake; what it would only log is a warning. All of them are
 * said: options, places, lists, rules, destinations. Exit status 1: crumbd would not start. */
#include "app.h"

#include "crumb/base/json.h"
#include "crumb/base/log.h"
#include "crumb/cluster/cluster.h"
#include "crumb/core/user.h"
#include "crumb/ingest/deploy.h"
#include "crumb/privacy/junk.h"
#include "crumb/privacy/place.h"

#include <jansson.h>
#include <string.h>

unsigned options_say(const struct options_found *f, FILE *to)
{
	for (unsigned i = 0; i < f->n; i++) {
		const struct option_finding *one = &f->list[i];
		if (to)
			fprintf(to, "crumbd: %s%s: %s\n", one->warning ? "warning: " : "",
			    one->option, one->text);
		else if (one->warning)
			log_warn("config", "%s: %s", one->option, one->text);
		else
			log_error("config", "%s: %s", one->option, one->text);
	}
	return f->wrong;
}

struct checking {
	json_t *findings; /* NULL: they are printed as text */
	unsigned wrong;
};

static const char *level_name(bool warning)
{
	return warning ? "warning" : "error";
}

/* `option` is NULL where no option is to blame. */
static void say_finding(struct checking *k, const char *option, bool warning, const char *text)
{
	k->wrong += !warning;
	if (!k->findings) {
		fputs(warning ? "crumbd: warning: " : "crumbd: ", stderr);
		if (option)
			fprintf(stderr, "%s: ", option);
		fprintf(stderr, "%s\n", text);
		return;
	}
	const char *level = level_name(warning);
	json_t *j = json_pack("{s:s,s:s}", "level", level, "message", text);
	if (!j) /* JSON has only UTF-8 */
		j = json_pack("{s:s,s:s}", "level", level, "message", "the words are no UTF-8");
	if (option)
		json_object_set_new(j, "option", json_string(option));
	json_array_append_new(k->findings, j);
}

static void say_rules(struct checking *k, const struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->list[i];
		const char *level = level_name(f->warning);
		k->wrong += !f->warning;
		if (!k->findings)
			fprintf(stderr, "%s:%zu:%zu: %s: %s%s%s\n", f->file, f->line, f->column,
			    level, f->message, *f->hint ? "; " : "", f->hint);
		else
			json_array_append_new(k->findings,
			    json_pack("{s:s,s:s?,s:s,s:I,s:I,s:s?,s:s?}", "level", level, "code",
				f->code, "file", f->file, "line", (json_int_t)f->line, "column",
				(json_int_t)f->column, "message", f->message, "hint", f->hint));
	}
}

/* The mistakes of the configuration file, which the text shows with their lines. */
static void say_file(struct checking *k, const struct arguments *a)
{
	if (k->findings) {
		say_rules(k, &a->mistakes);
		return;
	}
	k->wrong += (unsigned)a->mistakes.errors;
	fwrite(a->shown.p, 1, a->shown.n, stderr);
}

/* The files that options name: places, crawlers, networks, the key of nodes. */
static void check_files(const struct config *c, struct checking *k)
{
	char file[FILE_PATH_MAX];
	struct place_db *places = NULL;
	struct junk_lists *lists = NULL;
	bool named = *c->geo_database;
	if (place_db_file(c, file, sizeof file) && place_db_open(file, &places) != OK)
		say_finding(k, "geo.database", false, err_text());
	else if (!places && !named)
		say_finding(k, "geo.database", true, "no country file: every place is unknown");
	place_db_unref(places);
	if (junk_open(c, &lists) != OK)
		say_finding(k,
		    *c->networks_file && !*c->crawlers_file ? "junk.networks" : "junk.crawlers",
		    false, err_text());
	else
		junk_unref(lists);
	if (*c->cluster_key && cluster_check(c) != OK)
		say_finding(k, "cluster.key", false, err_text());
}

/* Rules are looked at together with destinations, which they name. `destinations`: their file is
 * without mistakes. Otherwise its mistakes are said, and the rules are looked at without it. */
static void check_rules(
    const struct config *c, bool destinations, struct checking *k, struct rules **r)
{
	struct report report = {0};
	static char none[] = "";
	struct config alone = *c; /* borrows the texts of *c */
	struct destinations *d;
	if (!destinations) {
		if (destinations_load(c->destinations_path, &report, &d) == OK)
			destinations_unref(d);
		else if (!report.errors)
			say_finding(k, "destinations.path", false, err_text());
		alone.destinations_path = none;
	}
	size_t before = report.errors;
	enum err e = deploy_rules(&alone, c->rules_path, &report, r);
	say_rules(k, &report);
	if (e && report.errors == before)
		say_finding(k, "rules.path", false, err_text());
	report_done(&report);
}

int check_all(const struct config *c, enum err early, const struct arguments *a)
{
	bool json = a->json;
	struct checking k = {json ? json_array() : NULL, 0};
	static struct options_found f;
	struct rules *r = NULL;
	struct destinations *d = NULL;
	size_t categories = 0, segments = 0, destinations = 0;
	if (!early)
		early = user_of_server(c);
	if (a->mistakes.errors)
		say_file(&k, a);
	else if (early)
		say_finding(&k, NULL, false, err_text());
	else {
		if (destinations_load(c->destinations_path, NULL, &d) != OK)
			d = NULL; /* check_rules() says why */
		options_check(c, d, &f);
		for (unsigned i = 0; i < f.n; i++)
			say_finding(&k, f.list[i].option, f.list[i].warning, f.list[i].text);
		check_rules(c, d != NULL, &k, &r);
		check_files(c, &k);
	}
	if (r)
		categories = r->categories_n - 1, segments = r->segments_n;
	destinations = d ? d->n : 0;
	if (json) {
		json_t *root = json_pack("{s:b,s:o,s:I,s:I,s:I}", "ok", k.wrong == 0, "findings",
		    k.findings, "categories", (json_int_t)categories, "segments",
		    (json_int_t)segments, "destinations", (json_int_t)destinations);
		json_dumpf(root, stdout, JSON_INDENT(2) | JSON_NUMBERS);
		putchar('\n');
		json_decref(root);
	} else if (k.wrong) {
		fprintf(stderr, "%u %s: crumbd would not start\n", k.wrong,
		    k.wrong == 1 ? "mistake" : "mistakes");
	} else {
		printf("options, %zu categories, %zu segments and %zu destinations: no mistakes\n",
		    categories, segments, destinations);
	}
	rules_unref(r);
	destinations_unref(d);
	return k.wrong ? 1 : 0;
}
