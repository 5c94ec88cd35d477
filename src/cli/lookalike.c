/* Commands about lookalikes: lookalike train, lookalike explain, lookalike similar.
 *
 * Training is the server's to do where one runs, since it must read the rules again and serve the
 * members; without a server a node is started for it. A model is a file among the rules
 * (rules/like.h), and `explain` says what is in it. `similar` needs no model: it counts who is in
 * two segments at once. */
#include "crumb/answers/model_answer.h"
#include "crumb/ask/scan.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/node/lookalike.h"
#include "lookalikes.h"
#include "findings.h"
#include "table.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- train */

static void print_trained(struct cli *c, json_t *j)
{
	size_t i;
	json_t *w;
	if (c->json) {
		cli_print_json(j);
		return;
	}
	json_t *size = json_object_get(j, "size");
	printf("%s: seed %lld, population %lld; area under the curve %.3f (activity alone %.3f), "
	       "%.1f times as many as by chance in the best 10 %%; ",
	    json_string_value(json_object_get(j, "id")),
	    (long long)json_integer_value(json_object_get(j, "seed")),
	    (long long)json_integer_value(json_object_get(j, "population")),
	    json_real_value(json_object_get(j, "auc")),
	    json_real_value(json_object_get(j, "activity_auc")),
	    json_real_value(json_object_get(j, "lift_at_10")));
	if (json_is_integer(size))
		printf("%lld members\n", (long long)json_integer_value(size));
	else
		printf("fewer than %u members\n", kgate_k(&c->gate));
	json_array_foreach(json_object_get(j, "warnings"), i, w)
	    fprintf(stderr, "crumb: warning: %s\n", json_string_value(w));
	json_decref(j);
}

/* Settles first, so that the model learns from all that is there. */
static int train_by_server(struct cli *c, const char *id)
{
	struct reply r;
	json_error_t error;
	if (!client_post(c, "/v1/settle", STR(""), &r))
		return EXIT_WRONG;
	buf_done(&r.body);
	if (!client_post(c, "/v1/lookalikes/train", str_c(id), &r))
		return EXIT_WRONG;
	bool later = r.status == 202;
	json_t *j = NULL;
	int rc = EXIT_FINE;
	if (r.status == 200 || later)
		j = json_loadb(r.body.p, r.body.n, 0, &error);
	if (!j)
		rc = cli_fail(STR_FMT, STR_ARG(str_trim(buf_view(&r.body))));
	buf_done(&r.body);
	if (j && later) {
		json_t *status = NULL;
		bool serves = rules_wait_served(c, "applying the model", &status);
		json_decref(status);
		json_object_set_new(j, "serving", json_boolean(serves));
		if (!serves)
			rc = cli_fail("the model is made, but does not serve yet: 'crumb rules "
				      "status' says how far it is");
	}
	if (j)
		print_trained(c, j);
	return rc;
}

static int train_alone(struct cli *c, const char *id)
{
	struct node node;
	json_t *j = NULL;
	if (!cli_node(c, &node))
		return EXIT_WRONG;
	bool ready = node_wait(&node, 3600, NODE_SERVES);
	struct generation *g = engine_serving(node.engine);
	enum err e = ready ? lookalike_train(g, &c->config, str_c(id), clock_now(), NULL, &j)
			   : err_set(ERR_BUSY, "the views are behind");
	generation_unref(g);
	if (!e)
		e = node_reload(&node);
	if (!e && !node_wait(&node, 3600, NODE_SERVES))
		e = err_set(ERR_BUSY, "trained, but the views are not made yet");
	node_stop(&node);
	if (e)
		return cli_fail("%s", err_text());
	print_trained(c, j);
	return EXIT_FINE;
}

static int train_it(struct cli *c, int argc, char **argv)
{
	const char *id = cli_word(argc, argv);
	if (!id || !cli_all_used(argc, argv))
		return cli_misuse("lookalike train wants the id of a lookalike");
	return client_available(c) ? train_by_server(c, id) : train_alone(c, id);
}

/* --- what a model says */

/* The file is among the rules that serve, so that it is the model by which members were chosen. */
int like_open(struct cli *c, const char *id, uint16_t *segment, json_t **model)
{
	if (!cli_open(c))
		return EXIT_WRONG;
	if (model_file(c->generation->rules, str_c(id), segment, model) != OK)
		return cli_fail("%s", err_text());
	return EXIT_FINE;
}

static double real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void print_visitor(const json_t *list, double bias)
{
	static const char *const heads[] = {"> weight", "what they did", "feature", NULL};
	struct table t;
	size_t i;
	json_t *row;
	table_begin(&t, heads);
	table_cell(&t, "%+.3f", bias);
	table_text(&t, "everybody");
	table_text(&t, NULL);
	json_array_foreach(list, i, row)
	{
		table_cell(&t, "%+.3f", real(row, "weight"));
		table_text(&t, json_string_value(json_object_get(row, "words")));
		table_text(&t, json_string_value(json_object_get(row, "feature")));
	}
	table_print(&t);
	table_end(&t);
}

/* The features of a visitor that count for and against, with their weights as a share of the
 * visitor's length: together with the bias they make the score. */
static int explain_visitor(struct cli *c, uint16_t segment, const struct vkey *k)
{
	const struct rules *r = c->generation->rules;
	const struct like_model *m = r->segments[segment].like->model;
	struct profile p = {0};
	uint32_t now = clock_now();
	char name[200], words[FEATURE_WORDS];
	if (view_visitor(c->generation, k, now, &p) != OK) {
		profile_done(&p);
		return cli_fail("nothing is known of this visitor");
	}
	json_t *list = json_array();
	double length = (double)like_length(m, &p, day_of(now));
	for (unsigned i = 0; i < m->n; i++)
		if (m->weights[i].w && like_holds(m, i, &p, day_of(now))) {
			feature_name(r, &m->weights[i].f, name);
			feature_words(r, &m->weights[i].f, words);
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:f}", "feature", name, "words", words,
				      "weight", (double)m->weights[i].w / length));
		}
	double score = (double)like_score(m, &p, day_of(now)) / 1e6,
	       threshold = (double)m->threshold / 1e6;
	bool in = profile_in_segment(&p, segment);
	profile_done(&p);
	if (c->json) {
		cli_print_json(json_pack("{s:f,s:f,s:f,s:f,s:b,s:o}", "score", score, "threshold",
		    threshold, "bias", (double)m->bias / 1e6, "length", length / 1e6, "member", in,
		    "features", list));
		return EXIT_FINE;
	}
	const char *side = score >= threshold ? "above" : "below";
	printf("score %.3f, %s the threshold of %.3f: %s\n", score, side, threshold,
	    in ? "a member" : "no member");
	print_visitor(list, (double)m->bias / 1e6);
	json_decref(list);
	return EXIT_FINE;
}

static void put_share(struct table *t, const json_t *share)
{
	if (json_is_number(share))
		table_cell(t, "%.0f %%", 100 * json_number_value(share));
	else
		table_text(t, "few");
}

#define FEATURES_SHOWN 25 /* the heaviest */

static void print_features(const struct rules *r, const json_t *features)
{
	static const char *const heads[] = {
	    "> weight", "what they did", "> of the seed", "> of others", "feature", NULL};
	struct table t;
	size_t i;
	json_t *f;
	char words[MODEL_WORDS];
	table_begin(&t, heads);
	json_array_foreach(features, i, f)
	{
		const char *name = json_string_value(json_object_get(f, "f"));
		if (i == FEATURES_SHOWN)
			break;
		table_cell(&t, "%+.3f", real(f, "w") / 1e6);
		table_text(&t, model_words(r, name, words));
		put_share(&t, json_object_get(f, "seed"));
		put_share(&t, json_object_get(f, "others"));
		table_text(&t, name);
	}
	table_print(&t);
	table_end(&t);
	if (json_array_size(features) > FEATURES_SHOWN)
		printf("\u2026 and %zu lighter ones; --json has all\n",
		    json_array_size(features) - FEATURES_SHOWN);
	puts("\nweights above 0 speak for, those below 0 against being of the seed's kind");
}

static int explain(struct cli *c, int argc, char **argv)
{
	bool visitor = false;
	for (int i = 0; i < argc; i++)
		visitor |=
		    argv[i] && (strcmp(argv[i], "--cookie") == 0 || strcmp(argv[i], "--id") == 0 ||
				   strcmp(argv[i], "--key") == 0);
	uint16_t segment;
	json_t *model, *f;
	size_t i;
	struct vkey k;
	int rc;
	const char *id = NULL;
	/* the id stands before the options, whose values are words, too */
	for (int a = 0; a < argc && !id; a++) {
		if (argv[a] && argv[a][0] != '-')
			id = argv[a], argv[a] = NULL;
		else
			break;
	}
	if (!id)
		return cli_misuse("lookalike explain wants the id of a lookalike, and perhaps "
				  "--cookie, --id or --key");
	if (visitor && !cli_who(c, "lookalike explain", argc, argv, &k, &rc))
		return rc;
	if (!visitor && !cli_all_used(argc, argv))
		return EXIT_MISUSE;
	cli_close(c);
	rc = like_open(c, id, &segment, &model);
	if (rc)
		return rc;
	if (visitor) {
		rc = explain_visitor(c, segment, &k);
	} else if (c->json) {
		cli_print_json(model_features(c->generation->rules, str_c(id), model));
	} else {
		print_features(c->generation->rules, json_object_get(model, "features"));
		json_array_foreach(json_object_get(model, "warnings"), i, f)
		    fprintf(stderr, "crumb: warning: %s\n", json_string_value(f));
	}
	json_decref(model);
	return rc;
}

/* --- similar
 *
 * One walk over all profiles counts, for each segment, its members and those who are in the given
 * segment, too. Then every number passes the k gate. A segment that shares nearly everything is
 * left out: the few visitors who are in one of the two alone are a group, too. */

#define SEGMENTS 65536 /* numbers of segments are 16 bits */

struct similar {
	uint16_t segment;
	uint64_t *sizes, *both; /* by number of segment */
};

/* Members of segments of one profile. */
static enum err count_both(
    void *arg, const struct vkey *k, const struct profile *p, const struct match_row *match)
{
	struct similar *s = arg;
	bool in = profile_in_segment(p, s->segment);
	(void)k, (void)match;
	for (size_t i = 0; i < p->segments_n; i++) {
		s->sizes[p->segments[i]]++;
		s->both[p->segments[i]] += in;
	}
	return OK;
}

static int by_jaccard(const void *a, const void *b)
{
	double x = real(*(json_t *const *)a, "jaccard"), y = real(*(json_t *const *)b, "jaccard");
	return (x < y) - (x > y);
}

static void print_similar(const json_t *list)
{
	static const char *const heads[] = {
	    "segment", "> size", "> in both", "> overlap", "> lift", NULL};
	struct table t;
	size_t i;
	json_t *row;
	table_begin(&t, heads);
	json_array_foreach(list, i, row)
	{
		table_text(&t, json_string_value(json_object_get(row, "id")));
		table_cell(&t, "%lld", (long long)json_integer_value(json_object_get(row, "size")));
		table_cell(&t, "%lld", (long long)json_integer_value(json_object_get(row, "both")));
		table_share(&t, json_object_get(row, "jaccard"));
		table_cell(&t, "%.2f", real(row, "lift"));
	}
	if (json_array_size(list))
		table_print(&t);
	else
		puts("no other segment shares enough visitors with it to be told");
	table_end(&t);
}

/* Overlap and lift are of the numbers as they are told, so that they tell no more than those. */
static int similar(struct cli *c, int argc, char **argv)
{
	const char *id = cli_word(argc, argv);
	struct totals totals;
	if (!id || !cli_all_used(argc, argv))
		return cli_misuse("lookalike similar wants the id of a segment");
	if (!cli_open(c))
		return EXIT_WRONG;
	const struct rules *r = c->generation->rules;
	uint16_t at;
	if (rules_find_segment(r, str_c(id), &at) != OK)
		return cli_fail("%s", err_text());
	struct similar s = {
	    at, calloc(SEGMENTS, sizeof *s.sizes), calloc(SEGMENTS, sizeof *s.both)};
	uint64_t *all = calloc(r->segments_n / 64 + 1, 8);
	CHECK(s.sizes && s.both && all);
	memset(all, 0xff, (r->segments_n / 64 + 1) * 8);
	struct scan scan = {
	    .segments = all, .partner = STR(""), .now = clock_now(), .each = count_both, .arg = &s};
	enum err e = scan_members(c->generation, &scan);
	if (!e)
		e = view_totals(c->generation, clock_now(), &totals);
	json_t **rows = calloc(r->segments_n + 1, sizeof *rows), *list = json_array();
	CHECK(rows);
	size_t n = 0;
	for (size_t i = 0; !e && i < r->segments_n; i++) {
		struct shown both = kgate_show(&c->gate, s.both[i]),
			     size = kgate_show_group(&c->gate, 's', r->segments[i].id, s.sizes[i]),
			     own = kgate_show_group(&c->gate, 's', id, s.sizes[at]);
		uint64_t apart = s.sizes[i] - s.both[i], apart2 = s.sizes[at] - s.both[i];
		bool near = (apart > 0 && apart < kgate_k(&c->gate)) ||
			    (apart2 > 0 && apart2 < kgate_k(&c->gate));
		if (i == at || !both.told || !size.told || !own.told || near)
			continue;
		double either = (double)(own.n + size.n) - (double)both.n,
		       lift = (double)both.n * (double)totals.visitors /
			      ((double)own.n * (double)size.n);
		rows[n++] = json_pack("{s:s,s:I,s:I,s:f,s:f}", "id", r->segments[i].id, "size",
		    (json_int_t)size.n, "both", (json_int_t)both.n, "jaccard",
		    round(1000 * (double)both.n / (either > 0 ? either : 1)) / 1000, "lift",
		    round(100 * lift) / 100);
	}
	if (n)
		qsort(rows, n, sizeof *rows, by_jaccard);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, rows[i]);
	free(rows);
	free(s.sizes);
	free(s.both);
	free(all);
	if (e) {
		json_decref(list);
		return cli_fail("%s", err_text());
	}
	if (c->json) {
		cli_print_json(list);
	} else {
		print_similar(list);
		json_decref(list);
	}
	return n ? EXIT_FINE : EXIT_WRONG;
}

const struct command commands_lookalike[] = {
    {.name = "lookalike train",
	.args = "ID [--json]",
	.summary = "find the visitors who behave like a seed's members",
	.help = "Trains the model of a lookalike, and returns when its members are in the views. "
		"The server trains by itself at night, as 'refresh' says. A lookalike that "
		"cannot be learned is refused with the reason: its seed has fewer than 100 "
		"members, its seed behaves like everybody, or nobody would be in it.",
	.run = train_it},
    {.name = "lookalike explain",
	.args = "ID [--cookie VALUE | --id IMPORTED_ID | --key HEX] [--json]",
	.summary = "what speaks for and against being in a lookalike",
	.help = "Shows the heaviest features of a model with their weights, in words, and how "
		"many of the seed and of others have them. For one visitor it shows the features "
		"that count for and against.\n\n"
		"Names of features: c7:X is an event of category X in the last 7 days (c90: in "
		"all that is kept); n5:X is at least 5 events of X; a5:interests is an event of "
		"at least 5 categories; country:US and the like are the latest that is known.",
	.run = explain},
    {.name = "lookalike similar",
	.args = "SEGMENT [--json]",
	.summary = "the segments that overlap most",
	.help = "Lists other segments by overlap and lift. Overlap (Jaccard) is the number of "
		"visitors in both, divided by the number in either. Lift compares the number in "
		"both with chance. All numbers pass the k gate. Exit status 1: no segment can be "
		"told.",
	.run = similar},
    {0},
};
