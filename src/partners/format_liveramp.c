/* The liveramp format: files as LiveRamp delivers them (docs.liveramp.com, data delivery guide). A
 * line an id, with all that holds: what is missing is taken back.
 *
 *     ID TAB coats,boots */
#include "formats.h"

#include <stdio.h>
#include <time.h>

static bool liveramp_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool first = true;
	(void)e;
	buf_str(out, item->id);
	buf_c(out, "\t");
	for (unsigned i = 0; i < item->n; i++)
		if (item->rows[i].change != ROW_REMOVE) {
			buf_c(out, first ? "" : ",");
			buf_str(out, item->rows[i].segment->theirs);
			first = false;
		}
	buf_c(out, "\n");
	return true;
}

static void liveramp_signs(const struct destination *d, char out[FORMAT_SIGNS])
{
	(void)d;
	snprintf(out, FORMAT_SIGNS, ",\t");
}

static void liveramp_name(const struct encoder *e, uint32_t stamp, unsigned n, const char *packed,
    char out[FORMAT_NAME_MOST])
{
	struct str device = setting_of(e, "device"),
		   distribution = setting_of(e, "distribution_id");
	char when[32];
	struct tm tm;
	time_t t = stamp;
	gmtime_r(&t, &tm);
	strftime(when, sizeof when, "%Y%m%d_%H%M%S", &tm);
	snprintf(out, FORMAT_NAME_MOST, "lr_" STR_FMT "_segments_%s_" STR_FMT "_part%03u%s",
	    STR_ARG(device.n ? device : STR("cookie")), when, STR_ARG(distribution), n + 1, packed);
}

static void liveramp_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	(void)d;
	masked_cells(bytes, '\t', out);
}

const struct format format_liveramp = {
    .name = "liveramp",
    .says = "LiveRamp's delivery file: id, tab, list of all that holds",
    .source = "docs.liveramp.com/connect, data delivery guide for onboarding integration partners",
    .ending = "tsv",
    .ways = {&way_directory},
    .settings = {{.name = "device",
		     .says = "what the ids are of; in the name of the file",
		     .initial = "cookie",
		     .in_name = true},
	{.name = "distribution_id",
	    .says = "the number of the distribution; in the name of the file",
	    .required = true,
	    .in_name = true}},
    .bytes = 5000 * MB,
    .compressions = 1u << COMPRESS_NONE | 1u << COMPRESS_GZ,
    .life = LIFE_AT_PARTNER,
    .removal = REMOVAL_ITEM,
    .signs = liveramp_signs,
    .item = liveramp_item,
    .masked = liveramp_masked,
    .file_name = liveramp_name,
};
