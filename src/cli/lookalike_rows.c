/* lookalike seed, lookalike scores: rows about visitors for people who train models of their own,
 * or check ours.
 *
 *     ID.scores.csv                      a pseudonym, score and probability of each visitor
 *     SEGMENT.csv, or SEGMENT.libsvm     member or not, and features of each visitor; no ids
 *     SEGMENT.features.txt               the names of the features, by their numbers
 *     SEGMENT.weights.txt                beside libsvm: the weight of each row
 *
 * The gates are those of an export: what the rules and the configuration let go to the partner
 * (export_may_go(), plan_may_go()), and the k gate over the rows. Files are written beside their
 * names and appear when all is known (base/file.h): a gate that closes at the end leaves no
 * file. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/csv.h"
#include "crumb/base/file.h"
#include "crumb/cli/cli.h"
#include "crumb/delivery/export.h"
#include "crumb/delivery/plan.h"
#include "crumb/node/lookalike.h"
#include "crumb/partners/format.h"
#include "crumb/privacy/cookie.h"
#include "lookalikes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define ROW_FEATURES 8192 /* of one visitor; more are left out of libsvm */

struct writing {
	FILE *file, *weights;
	bool csv;
	unsigned features;		  /* of the CSV's header */
	const struct identity_keys *keys; /* of pseudonyms */
	struct str partner;
	const struct destination *destination; /* NULL: there is none of that name */
	uint64_t rows, seeds;
};

/* Keys of identity make the pseudonym, as an export's. */
static enum err write_score(void *arg, const struct learn_row *row)
{
	struct writing *w = arg;
	char hex[33];
	if (!plan_may_go(w->destination, row->profile))
		return OK;
	struct vkey name = visitor_for_partner(w->keys, w->partner, &row->visitor);
	hex_encode(name.b, sizeof name.b, hex);
	hex[32] = 0;
	w->rows++;
	int n = fprintf(w->file, "%s,%.6f,%.6f\n", hex, (double)row->score / 1e6, row->probability);
	return n > 0 ? OK : err_sys("scores");
}

/* seed,weight,0,1,0,… */
static void write_csv_row(struct writing *w, const struct learn_row *row)
{
	bool *have = calloc(w->features + 1, sizeof *have);
	CHECK(have);
	fprintf(w->file, "%d,%.9g", row->seed, row->weight);
	for (unsigned i = 0; i < row->n; i++)
		have[row->features[i]] = true;
	for (unsigned i = 0; i < w->features; i++)
		fputs(have[i] ? ",1" : ",0", w->file);
	free(have);
}

/* "+1 3:1 17:1", features from 1 and in order; the weight goes into a file of its own. Features
 * come nearly in order, so they are sorted by insertion. */
static void write_libsvm_row(struct writing *w, const struct learn_row *row)
{
	uint32_t sorted[ROW_FEATURES];
	unsigned n = row->n < ROW_FEATURES ? row->n : ROW_FEATURES;
	fputs(row->seed ? "+1" : "-1", w->file);
	fprintf(w->weights, "%.9g\n", row->weight);
	memcpy(sorted, row->features, n * sizeof *sorted);
	for (unsigned i = 1; i < n; i++)
		for (unsigned k = i; k > 0 && sorted[k - 1] > sorted[k]; k--) {
			uint32_t swap = sorted[k];
			sorted[k] = sorted[k - 1];
			sorted[k - 1] = swap;
		}
	for (unsigned i = 0; i < n; i++)
		fprintf(w->file, " %u:1", sorted[i] + 1);
}

static enum err write_row(void *arg, const struct learn_row *row)
{
	struct writing *w = arg;
	if (!plan_may_go(w->destination, row->profile))
		return OK;
	if (w->csv)
		write_csv_row(w, row);
	else
		write_libsvm_row(w, row);
	w->seeds += row->seed;
	w->rows++;
	return fputc('\n', w->file) != EOF ? OK : err_sys("rows");
}

/* The gates that an export passes. True: *all is the caller's. False: it was said why. */
static bool open_gates(struct cli *c, uint16_t segment, const char *partner,
    struct destinations **all, struct writing *w)
{
	w->partner = str_c(partner);
	enum err e = destinations_load(c->config.destinations_path, NULL, all);
	if (!e && (e = export_may_go(c->generation->rules, &c->config, segment, w->partner,
		       clock_now(), *all, &w->destination)))
		destinations_unref(*all);
	if (e)
		cli_fail("%s", err_text());
	return e == OK;
}

/* Every visitor of the population that may go to the partner, in the order of the shards. */
static int scores(struct cli *c, int argc, char **argv)
{
	const char *out = cli_option(argc, argv, "--out"),
		   *partner = cli_option(argc, argv, "--partner"), *id = cli_word(argc, argv);
	struct identity_keys keys;
	char path[FILE_PATH_MAX + 200];
	uint16_t segment;
	json_t *model;
	struct destinations *all;
	if (!id || !out || !cli_all_used(argc, argv))
		return cli_misuse("lookalike scores wants the id of a lookalike and --out FOLDER");
	int rc = like_open(c, id, &segment, &model);
	if (rc)
		return rc;
	json_decref(model);
	struct writing w = {.keys = &keys};
	if (!open_gates(c, segment, partner ? partner : format_file.name, &all, &w))
		return EXIT_WRONG;
	snprintf(path, sizeof path, "%s/%s.scores.csv", out, id);
	if (keys_identity(c->store->keys, day_of(clock_now()), &keys) != OK ||
	    folder_make(out, 0755) != OK) {
		destinations_unref(all);
		return cli_fail("%s", err_text());
	}
	struct file_new f;
	enum err e = file_begin(&f, path, 0666);
	if (e) {
		destinations_unref(all);
		sodium_memzero(&keys, sizeof keys);
		return cli_fail("%s", err_text());
	}
	w.file = f.file;
	fputs("id,score,probability\n", w.file);
	e = learn_scores(c->generation, segment, clock_now(), write_score, &w);
	destinations_unref(all);
	sodium_memzero(&keys, sizeof keys);
	bool told = kgate_show(&c->gate, w.rows).told;
	if (e || !told)
		file_drop(&f);
	else
		e = file_finish(&f);
	if (e)
		return cli_fail("%s", err_text());
	if (!told)
		return cli_fail("fewer than %u visitors: no rows were written", kgate_k(&c->gate));
	if (c->json)
		cli_print_json(json_pack("{s:s,s:I}", "file", path, "rows", (json_int_t)w.rows));
	else
		printf("%llu rows in %s\n", (unsigned long long)w.rows, path);
	return EXIT_FINE;
}

static void free_names(char **names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static enum err write_csv_header(
    struct writing *w, const char *path, char *const *names, unsigned names_n)
{
	struct buf head = {0};
	enum err e = OK;
	buf_c(&head, "seed,weight");
	for (unsigned i = 0; i < names_n; i++) {
		buf_c(&head, ",");
		csv_text(&head, str_c(names[i]));
	}
	buf_c(&head, "\n");
	if (head.failed || fwrite(head.p, 1, head.n, w->file) != head.n)
		e = err_sys("%s", path);
	buf_done(&head);
	w->features = names_n;
	return e;
}

/* Both sides of the matrix are groups: fewer than k members, or fewer than k others, and no row is
 * written. */
static int seed(struct cli *c, int argc, char **argv)
{
	const char *format = cli_option(argc, argv, "--format"),
		   *out = cli_option(argc, argv, "--out"), *id = cli_word(argc, argv);
	char path[FILE_PATH_MAX + 200], names_path[FILE_PATH_MAX + 200], **names = NULL;
	unsigned names_n = 0;
	if (!id || !out || !cli_all_used(argc, argv))
		return cli_misuse("lookalike seed wants the id of a segment and --out FOLDER");
	bool csv = format && strcmp(format, "csv") == 0;
	if (format && !csv && strcmp(format, "libsvm") != 0)
		return cli_misuse("lookalike seed knows --format libsvm and csv");
	if (!cli_open(c))
		return EXIT_WRONG;
	const struct rules *r = c->generation->rules;
	uint16_t at;
	if (rules_find_segment(r, str_c(id), &at) != OK)
		return cli_fail("%s", err_text());
	struct writing w = {.csv = csv};
	struct destinations *all;
	if (!open_gates(c, at, format_file.name, &all, &w))
		return EXIT_WRONG;
	if (folder_make(out, 0755) != OK) {
		destinations_unref(all);
		return cli_fail("%s", err_text());
	}
	snprintf(path, sizeof path, "%s/%s.%s", out, id, csv ? "csv" : "libsvm");
	snprintf(names_path, sizeof names_path, "%s/%s.features.txt", out, id);
	char weights_path[FILE_PATH_MAX + 200];
	snprintf(weights_path, sizeof weights_path, "%s/%s.weights.txt", out, id);
	struct file_new body, weights = {.file = NULL}, features;
	enum err e = file_begin(&body, path, 0666);
	if (!e && !csv && (e = file_begin(&weights, weights_path, 0666)))
		file_drop(&body);
	if (e) {
		destinations_unref(all);
		return cli_fail("%s", err_text());
	}
	w.file = body.file;
	w.weights = weights.file;
	e = learn_matrix(c->generation, &c->config, at, clock_now(), &names, &names_n,
	    csv ? NULL : write_row, &w);
	if (!e && csv) { /* the header needs the names first: the matrix is made twice */
		e = write_csv_header(&w, path, names, names_n);
		free_names(names, names_n);
		names = NULL;
		names_n = 0;
		if (!e)
			e = learn_matrix(c->generation, &c->config, at, clock_now(), &names,
			    &names_n, write_row, &w);
	}
	destinations_unref(all);
	if (!e &&
	    (!kgate_show(&c->gate, w.seeds).told || !kgate_show(&c->gate, w.rows - w.seeds).told))
		e = err_set(ERR_USAGE,
		    "fewer than %u visitors in the segment, or beside it: no rows were written",
		    kgate_k(&c->gate));
	if (!e && !(e = file_begin(&features, names_path, 0666))) {
		for (unsigned i = 0; i < names_n; i++)
			fprintf(features.file, "%u %s\n", i + 1, names[i]);
		e = file_finish(&features);
	}
	free_names(names, names_n);
	if (!e && weights.file)
		e = file_finish(&weights);
	if (!e)
		e = file_finish(&body);
	if (e) {
		file_drop(&weights);
		file_drop(&body);
		return cli_fail("%s", err_text());
	}
	if (c->json)
		cli_print_json(json_pack("{s:s,s:s,s:s?,s:I,s:i}", "file", path, "features_file",
		    names_path, "weights_file", csv ? NULL : weights_path, "rows",
		    (json_int_t)w.rows, "features", (int)names_n));
	else
		printf("%llu rows and %u %s in %s\n", (unsigned long long)w.rows, names_n,
		    cli_plural(names_n, "feature", "features"), path);
	return EXIT_FINE;
}

const struct command commands_lookalike_rows[] = {
    {.name = "lookalike seed",
	.args = "SEGMENT --out FOLDER [--format libsvm|csv] [--json]",
	.summary = "a feature matrix for people who train their own models",
	.help = "Writes a row for each visitor: whether the visitor is in the segment, and the "
		"features that training would use. There are no ids, and no features of fewer "
		"than privacy.k visitors. Weights make the seed and the others count the same: a "
		"column of the CSV, or a file of their own as LIBLINEAR's -W wants it.",
	.run = seed},
    {.name = "lookalike scores",
	.args = "ID --out FOLDER [--partner NAME] [--json]",
	.summary = "the score of every visitor in the population",
	.help = "Writes CSV with id, score and probability. The probability is the chance to be "
		"of the seed's kind, if as many visitors were outside the seed as in it. Ids are "
		"pseudonyms for the partner, as in exports.",
	.run = scores},
    {0},
};
