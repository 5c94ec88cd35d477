/* lookalike curve: how many of the seed's kind are found at which reach, as a table, drawn in text,
 * or as a picture.
 *
 * The model's file has the points of the curve, measured on seed members that were held out of the
 * training (learn/learn.h): reach, recall, its interval of 95 %, and the recall of ranking by
 * activity alone. Nothing is computed here but places on paper. */
#include "crumb/answers/model_answer.h"
#include "crumb/base/file.h"
#include "crumb/cli/cli.h"
#include "lookalikes.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

static double real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* --- a picture: SVG of 440 by 440, in which share 0 is at LEFT and BOTTOM */

#define LEFT 64.0
#define BOTTOM 396.0
#define SIDE 344.0

static double across(double share)
{
	return LEFT + SIDE * share;
}

static double up(double share)
{
	return BOTTOM - SIDE * share;
}

static void svg_axes(FILE *to)
{
	for (int i = 0; i <= 5; i++) {
		double share = i / 5.0;
		fprintf(to,
		    "<path d=\"M%.0f %.0fH%.0fM%.0f %.0fV%.0f\" stroke=\"%s\" fill=\"none\"/>\n",
		    LEFT, up(share), across(1), across(share), up(0), up(1), i ? "#ddd" : "#888");
		fprintf(to,
		    "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">%d %%</text><text x=\"%.0f\" "
		    "y=\"%.0f\" text-anchor=\"middle\">%d %%</text>\n",
		    LEFT - 6, up(share) + 4, 20 * i, across(share), BOTTOM + 17, 20 * i);
	}
	fprintf(to,
	    "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">reach: share of the "
	    "population</text>\n"
	    "<text x=\"%.0f\" y=\"16\" transform=\"rotate(-90)\" text-anchor=\"middle\">recall: "
	    "share of held-out seed members</text>\n",
	    across(0.5), BOTTOM + 36, -up(0.5));
}

static void svg_line(FILE *to, const json_t *curve, const char *key)
{
	size_t i;
	json_t *p;
	fprintf(to, "M%.1f %.1f", across(0), up(0));
	json_array_foreach(curve, i, p)
	    fprintf(to, "L%.1f %.1f", across(real(p, "reach")), up(real(p, key)));
}

/* From the back to the front: axes, chance (dashed), the interval as an area, both curves. The area
 * goes along `high` and back along `low`. */
static void svg(const json_t *model, FILE *to)
{
	const json_t *curve = json_object_get(model, "curve");
	fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 440 440\" "
	      "font-family=\"sans-serif\" font-size=\"12\">\n",
	    to);
	svg_axes(to);
	fprintf(to,
	    "<path d=\"M%.0f %.0fL%.0f %.0f\" stroke=\"#bbb\" stroke-dasharray=\"4\"/>\n<path "
	    "fill=\"#cde\" fill-opacity=\".7\" d=\"",
	    across(0), up(0), across(1), up(1));
	svg_line(to, curve, "high");
	for (size_t k = json_array_size(curve); k-- > 0;) {
		const json_t *p = json_array_get(curve, k);
		fprintf(to, "L%.1f %.1f", across(real(p, "reach")), up(real(p, "low")));
	}
	fputs("Z\"/>\n<path fill=\"none\" stroke=\"#c60\" d=\"", to);
	svg_line(to, curve, "activity_recall");
	fputs("\"/>\n<path fill=\"none\" stroke=\"#06c\" stroke-width=\"2\" d=\"", to);
	svg_line(to, curve, "recall");
	fprintf(to,
	    "\"/>\n<text x=\"%.0f\" y=\"%.0f\" fill=\"#06c\">model</text><text x=\"%.0f\" "
	    "y=\"%.0f\" fill=\"#c60\">activity alone</text>"
	    "<text x=\"%.0f\" y=\"%.0f\" fill=\"#888\">chance</text></svg>\n",
	    across(0.72), up(0.22), across(0.72), up(0.16), across(0.72), up(0.10));
}

/* --- in text */

#define ROWS 10 /* of ten per cent each */
#define COLS 50 /* of the reach that is told */

/* The recall at a reach between two points of the curve: on the line between them. */
static double at_reach(const json_t *curve, double reach, const char *key)
{
	double x = 0, y = 0;
	size_t i;
	json_t *p;
	json_array_foreach(curve, i, p)
	{
		double x1 = real(p, "reach"), y1 = real(p, key);
		if (x1 >= reach)
			return x1 > x ? y + (y1 - y) * (reach - x) / (x1 - x) : y1;
		x = x1;
		y = y1;
	}
	return y;
}

static int plot_row(double share)
{
	int row = (int)(share * ROWS + 0.5);
	if (row < 0)
		return 0;
	return row > ROWS ? ROWS : row;
}

/* The axis of reach ends at the last point: beyond it nothing is known. */
static void plot(const json_t *model)
{
	const json_t *curve = json_object_get(model, "curve");
	char field[ROWS + 1][COLS + 2];
	double most = real(json_array_get(curve, json_array_size(curve) - 1), "reach");
	for (int y = 0; y <= ROWS; y++) {
		memset(field[y], ' ', COLS + 1);
		field[y][COLS + 1] = 0;
	}
	for (int x = 0; x <= COLS; x++) {
		double reach = most * x / COLS;
		field[plot_row(at_reach(curve, reach, "activity_recall"))][x] = '.';
		field[plot_row(at_reach(curve, reach, "recall"))][x] = '*';
	}
	puts("recall");
	for (int y = ROWS; y >= 0; y--)
		printf("%4d %% |%s\n", 100 * y / ROWS, field[y]);
	printf("       +");
	for (int x = 0; x < COLS; x++)
		putchar(x % 10 == 9 ? '+' : '-');
	printf("\n      ");
	for (int i = 0; i <= 5; i++)
		printf("%3.0f %%%s", 100 * most * i / 5,
		    i < 5 ? "     " : "  reach\n\n* the model  . activity alone\n\n");
}

/* --- the command */

static void print_points(const json_t *model)
{
	static const char *const heads[] = {"> reach", "> recall", "> at least", "> at most",
	    "> precision", "> lift", "> activity alone", NULL};
	struct table t;
	size_t i;
	json_t *p;
	table_begin(&t, heads);
	json_array_foreach(json_object_get(model, "curve"), i, p)
	{
		table_share(&t, json_object_get(p, "reach"));
		table_share(&t, json_object_get(p, "recall"));
		table_share(&t, json_object_get(p, "low"));
		table_share(&t, json_object_get(p, "high"));
		table_share(&t, json_object_get(p, "precision"));
		table_cell(&t, "%.2f", real(p, "lift"));
		table_share(&t, json_object_get(p, "activity_recall"));
	}
	table_print(&t);
	table_end(&t);
	printf("\n"
	       "reach           share of the population that is in the lookalike\n"
	       "recall          share of the seed's kind that is found there; 19 times of 20 it\n"
	       "                lies between 'at least' and 'at most'\n"
	       "precision       share of the visitors reached who are of the seed's kind\n"
	       "lift            how many times more of them than by chance\n"
	       "activity alone  the recall of picking the busiest visitors\n"
	       "\n"
	       "area under the curve %.3f, activity alone %.3f (0.5 is chance); measured on seed\n"
	       "members that were held out; trained %s\n",
	    real(model, "auc"), real(model, "activity_auc"),
	    json_string_value(json_object_get(model, "trained")));
}

/* Into a file, or to stdout where its name is '-'. */
static int write_svg(const json_t *model, const char *file)
{
	struct file_new f;
	if (strcmp(file, "-") == 0) {
		svg(model, stdout);
		return EXIT_FINE;
	}
	enum err e = file_begin(&f, file, 0666);
	if (!e) {
		svg(model, f.file);
		e = file_finish(&f);
	}
	return e ? cli_fail("%s", err_text()) : EXIT_FINE;
}

static int curve(struct cli *c, int argc, char **argv)
{
	const char *file = cli_option(argc, argv, "--svg"), *id = cli_word(argc, argv);
	uint16_t segment;
	json_t *model;
	if (!id || !cli_all_used(argc, argv))
		return cli_misuse("lookalike curve wants the id of a lookalike");
	int rc = like_open(c, id, &segment, &model);
	if (rc)
		return rc;
	if (file) {
		rc = write_svg(model, file);
	} else if (c->json) {
		cli_print_json(model_curve(str_c(id), model));
	} else {
		plot(model);
		print_points(model);
	}
	json_decref(model);
	return rc;
}

const struct command commands_curve[] = {
    {.name = "lookalike curve",
	.args = "ID [--svg FILE] [--json]",
	.summary = "how many of the seed's kind are found at which reach",
	.help = "Shows recall, precision and lift at each reach. They are measured on seed "
		"members that the model had not seen, with intervals of 95 %, beside what "
		"ranking by activity alone would find. They are drawn, and printed as a table "
		"that explains its columns. --svg FILE draws a picture instead; --svg - writes "
		"it to stdout.",
	.run = curve},
    {0},
};
