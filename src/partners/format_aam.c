/* The aam format: Adobe Audience Manager, inbound (AdobeDocs/audience-manager.en,
 * inbound-file-contents.md). A line an id, with traits that hold and traits that do not:
 *
 *     ID TAB d_sid=101,d_sid=102,d_unsid=103
 *
 * When all is said the file is an overwrite, which replaces what Adobe has of the ids in it;
 * changes are a sync. Beside the files stands a list of them. A line has at most 100 KB, so an id
 * with many traits has several. */
#include "formats.h"

#include <stdio.h>
#include <string.h>

#define AAM_LINE 102400 /* bytes */
#define AAM_CELL 12	/* bytes beside a trait's number: a comma, "d_unsid=", and the end */

/* A colon in an id would be read as the type of the id: such an id cannot be written. */
static bool aam_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	size_t line = 0;
	if (memchr(item->id.p, ':', item->id.n))
		return false;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		/* an overwrite says what holds, a sync what changes */
		if (r->change == (e->extent == FORMAT_FULL ? ROW_REMOVE : ROW_KEEP))
			continue;
		if (line + r->segment->theirs.n + AAM_CELL > AAM_LINE) {
			buf_c(out, "\n");
			line = 0;
		}
		size_t from = out->n;
		if (line == 0)
			buf_str(out, item->id);
		buf_c(out, line == 0 ? "\t" : ",");
		buf_c(out, r->change == ROW_REMOVE ? "d_unsid=" : "d_sid=");
		buf_str(out, r->segment->theirs);
		line += out->n - from;
	}
	if (line)
		buf_c(out, "\n");
	return true;
}

static const char *kind_of(const struct encoder *e)
{
	return e->extent == FORMAT_FULL ? "overwrite" : "sync";
}

/* ftp_dpm_DPID, the target and the owner where they are given, and the time. */
static void aam_stem(const struct encoder *e, uint32_t stamp, char out[FORMAT_NAME_MOST])
{
	struct str dpid = setting_of(e, "dpid"), target = setting_of(e, "target"),
		   owner = setting_of(e, "data_owner");
	const char *before_target = target.n ? "_" : "";
	const char *before_owner = owner.n ? "_" : "";
	snprintf(out, FORMAT_NAME_MOST, "ftp_dpm_" STR_FMT "%s" STR_FMT "%s" STR_FMT "_%010u",
	    STR_ARG(dpid), before_target, STR_ARG(target), before_owner, STR_ARG(owner), stamp);
}

static void aam_name(const struct encoder *e, uint32_t stamp, unsigned n, const char *packed,
    char out[FORMAT_NAME_MOST])
{
	aam_stem(e, stamp, out);
	size_t used = strlen(out);
	snprintf(out + used, FORMAT_NAME_MOST - used, ".%s.%u%s", kind_of(e), n + 1, packed);
}

/* Adobe's list of the files of a transfer, as its own outbound transfers come with
 * (transfer-control-files.md). */
static void aam_beside(const struct encoder *e, const struct format_file *files, unsigned n,
    char name[FORMAT_NAME_MOST], struct buf *out)
{
	char stem[FORMAT_NAME_MOST], behind[16];
	uint64_t bytes = 0, lines = 0;
	buf_c(out, "{\"Files\":[");
	for (unsigned i = 0; i < n; i++) {
		const struct format_file *f = &files[i];
		buf_addf(out,
		    "%s{\"FileByteSize\":%llu,\"FileLineCount\":%llu,\"FileName\":\"%s\","
		    "\"FileSequenceNumber\":%u,\"md5\":\"%s\"}",
		    i ? "," : "", (unsigned long long)f->bytes, (unsigned long long)f->lines,
		    f->name, i + 1, f->md5);
		bytes += f->bytes;
		lines += f->lines;
	}
	snprintf(stem, sizeof stem, "%.240s", files[0].name);
	snprintf(behind, sizeof behind, ".%s", kind_of(e));
	char *dot = strstr(stem, behind);
	if (dot)
		*dot = 0;
	buf_addf(out,
	    "],\"Totals\":{\"FileName\":\"%s\",\"TotalByteSize\":%llu,\"TotalNumberFiles\":%u,"
	    "\"TotalNumberLines\":%llu}}\n",
	    stem, (unsigned long long)bytes, n, (unsigned long long)lines);
	snprintf(name, FORMAT_NAME_MOST, "%.240s.info", stem);
}

static void aam_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	(void)d;
	masked_cells(bytes, '\t', out);
}

const struct format format_aam = {
    .name = "aam",
    .says = "Adobe Audience Manager: `.overwrite` when all is said, `.sync` for changes, `.info` "
	    "beside them. An overwrite cannot say that somebody is in nothing; the next delta does",
    .source = "github.com/AdobeDocs/audience-manager.en: inbound-s3-filenames, "
	      "inbound-file-contents, transfer-control-files",
    .ending = "sync",
    .ways = {&way_directory},
    .settings = {{.name = "dpid",
		     .says = "the data provider; in the name of the file",
		     .required = true,
		     .in_name = true},
	{.name = "target",
	    .says = "the target data owner; in the name of the file",
	    .in_name = true},
	{.name = "data_owner",
	    .says = "the owner of the traits; in the name of the file",
	    .in_name = true}},
    .bytes = 1000 * MB,
    .ttl_days = 120,
    .compressions = 1u << COMPRESS_NONE | 1u << COMPRESS_GZ,
    .numbers = true,
    .md5 = true,
    .life = LIFE_AT_PARTNER,
    .removal = REMOVAL_CHANGES,
    .life_says = "a trait lives 120 days after it was told; `ttl` if yours is set to another",
    .item = aam_item,
    .masked = aam_masked,
    .file_name = aam_name,
    .beside = aam_beside,
};
