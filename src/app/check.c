#include "app.h"

#include "crumb/base/log.h"
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
	json_t *findings; /* NULL: in words */
	unsigned wrong;
};

static void say(struct checking *k, const char *option, bool warning, const char *text)
{
	k->wrong += !warning;
	if (!k->findings) {
		fprintf(stderr, "crumbd: %s%s%s%s\n", warning ? "warning: " : "",
		    option ? option : "", option ? ": " : "", text);
		return;
	}
	json_t *j = json_pack("{s:s,s:s}", "level", warning ? "warning" : "error", "message", text);
	if (!j)
		j = json_pack("{s:s,s:s}", "level", warning ? "warning" : "error", "message",
		    "the words are no UTF-8");
	if (option)
		json_object_set_new(j, "option", json_string(option));
	json_array_append_new(k->findings, j);
}

static void say_rules(struct checking *k, const struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->list[i];
		k->wrong += !f->warning;
		if (!k->findings)
			fprintf(stderr, "%s:%zu:%zu: %s: %s%s%s\n", f->file, f->line, f->column,
			    f->warning ? "warning" : "error", f->message, *f->hint ? "; " : "",
			    f->hint);
		else
			json_array_append_new(k->findings,
			    json_pack("{s:s,s:s?,s:s,s:I,s:I,s:s?,s:s?}", "level",
				f->warning ? "warning" : "error", "code", f->code, "file", f->file,
				"line", (json_int_t)f->line, "column", (json_int_t)f->column,
				"message", f->message, "hint", f->hint));
	}
}

static void say_file(struct checking *k, const struct arguments *a)
{
	if (k->findings) {
		say_rules(k, &a->mistakes);
		return;
	}
	k->wrong += (unsigned)a->mistakes.errors;
	fwrite(a->shown.p, 1, a->shown.n, stderr);
}

static void check_files(const struct config *c, struct checking *k)
{
	char file[4096];
	struct place_db *places = NULL;
	struct junk_lists *lists = NULL;
	bool named = *c->geo_database;
	if (place_db_file(c, file, sizeof file) && place_db_open(file, &places) != OK)
		say(k, "geo.database", false, err_text());
	else if (!places && !named)
		say(k, "geo.database", true, "no country file: every place is unknown");
	place_db_unref(places);
	if (junk_open(c, &lists) != OK)
		say(k, *c->networks_file && !*c->crawlers_file ? "junk.networks" : "junk.crawlers",
		    false, err_text());
	else
		junk_unref(lists);
}

/* `destinations`: their file is without mistakes. Otherwise both are looked at, each by itself. */
static void check_rules(
    const struct config *c, bool destinations, struct checking *k, struct rules **r)
{
	struct report report = {0};
	static char none[] = "";
	struct config alone = *c; /* its texts are the other one's */
	struct destinations *d;
	if (!destinations) {
		if (destinations_load(c->destinations_path, &report, &d) == OK)
			destinations_unref(d);
		else if (!report.errors)
			say(k, "destinations.path", false, err_text());
		alone.destinations_path = none;
	}
	size_t before = report.errors;
	enum err e = deploy_rules(&alone, c->rules_path, &report, r);
	say_rules(k, &report);
	if (e && report.errors == before)
		say(k, "rules.path", false, err_text());
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
		say(&k, NULL, false, err_text());
	else {
		if (destinations_load(c->destinations_path, NULL, &d) != OK)
			d = NULL; /* its mistakes come with those of the rules */
		options_check(c, d, &f);
		for (unsigned i = 0; i < f.n; i++)
			say(&k, f.list[i].option, f.list[i].warning, f.list[i].text);
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
		json_dumpf(root, stdout, JSON_INDENT(2));
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
