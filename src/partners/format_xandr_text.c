/* The xandr-text format: Xandr's batch segment file
 * (learn.microsoft.com/en-us/xandr/bidders/legacy-bss-file-format). A line an id; how cells are
 * separated and which fields a segment has is agreed with Xandr for each member.
 *
 *     12345;101:1440:0,102:-1:0          with EXPIRATION: minutes, or -1 to remove
 *     12345;101:0 TAB 102:0              without: what is removed stands behind the fourth one
 *
 * The five separators stand behind the id, between segments, between fields, before what is
 * removed, and before the domain, which is not written. */
#include "formats.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define XANDR_SEGMENTS 1800 /* of a line, at most */
#define SEPARATORS 5

static const char default_separators[] = ";,:\t^";

/* ERR_USAGE: they are not five, or cannot be told apart. The first and the third may be one, for
 * one stands before all segments and the other within a segment. */
static enum err separators(const struct destination *d, char out[SEPARATORS])
{
	struct str s = setting_get(d->settings, d->settings_n, "separators");
	if (!s.n)
		s = STR(default_separators);
	if (s.n != SEPARATORS)
		return err_set(ERR_USAGE,
		    "destination '%s': separators are five characters, such as \";,:\\t^\"", d->id);
	for (size_t i = 0; i < SEPARATORS; i++) {
		if (!s.p[i] || chr_one_of(s.p[i], "[](){}$\\/|?*+-") ||
		    isalnum((unsigned char)s.p[i]))
			return err_set(ERR_USAGE, "destination '%s': '%c' cannot be a separator",
			    d->id, s.p[i]);
		for (size_t k = 0; k < i; k++)
			if (s.p[i] == s.p[k] && !(k == 0 && i == 2))
				return err_set(ERR_USAGE,
				    "destination '%s': the separators are all different; only the "
				    "first may be the third",
				    d->id);
	}
	memcpy(out, s.p, SEPARATORS);
	return OK;
}

static struct str fields_of(const struct destination *d)
{
	struct str s = setting_get(d->settings, d->settings_n, "fields");
	return s.n ? s : STR("SEG_ID,EXPIRATION,VALUE");
}

static enum err xandr_check(const struct destination *d)
{
	char seps[SEPARATORS];
	struct str rest = fields_of(d), word;
	unsigned names = 0;
	enum err e = separators(d, seps);
	while (!e && str_cut(&rest, ',', &word))
		names += str_eq(word, STR("SEG_ID")) || str_eq(word, STR("SEG_CODE"));
	if (!e && names != 1)
		e = err_set(ERR_USAGE,
		    "destination '%s': fields want SEG_ID or SEG_CODE, one of the two", d->id);
	return e;
}

/* The fields of one segment. One that is listed as removed has its end as if it was not. */
static void xandr_segment(const struct encoder *e, const struct out_row *r, bool listed_as_removed,
    char between, struct buf *out)
{
	struct str rest = fields_of(e->d), word, member = setting_of(e, "member");
	bool first = true;
	while (str_cut(&rest, ',', &word)) {
		if (!first)
			buf_add(out, &between, 1);
		first = false;
		if (str_starts(word, STR("SEG_")))
			buf_str(out, r->segment->theirs);
		else if (str_eq(word, STR("EXPIRATION")))
			buf_addf(out, "%ld",
			    r->change == ROW_REMOVE && !listed_as_removed
				? -1l
				: (long)format_minutes(e->now, r->until));
		else if (str_eq(word, STR("TIMESTAMP")))
			buf_addf(out, "%u", e->now);
		else if (str_eq(word, STR("VALUE")))
			buf_c(out, "0");
		else
			buf_str(out, member);
	}
}

static bool has_any(struct str s, const char *chars, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memchr(s.p, chars[i], s.n))
			return true;
	return false;
}

/* Two passes: what is told with its end, and then what is listed as removed. */
static bool xandr_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool by_expiration = str_has(fields_of(e->d), STR("EXPIRATION"));
	char seps[SEPARATORS];
	if (separators(e->d, seps) || has_any(item->id, seps, SEPARATORS) ||
	    item->n > XANDR_SEGMENTS)
		return false;
	buf_str(out, item->id);
	buf_add(out, &seps[0], 1);
	for (int removed = 0; removed < 2; removed++) {
		bool first = true;
		for (unsigned i = 0; i < item->n; i++) {
			const struct out_row *r = &item->rows[i];
			bool listed = r->change == ROW_REMOVE && !by_expiration;
			if (r->change == ROW_KEEP || listed != (removed == 1))
				continue;
			if (!first || removed)
				buf_add(out, &seps[first ? 3 : 1], 1);
			first = false;
			xandr_segment(e, r, listed, seps[2], out);
		}
	}
	buf_c(out, "\n");
	return true;
}

static void xandr_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	char seps[SEPARATORS];
	if (separators(d, seps) == OK)
		masked_cells(bytes, seps[0], out);
}

/* Without EXPIRATION the life is the one that the segment has at Xandr. */
static enum format_life xandr_life(const struct destination *d)
{
	struct str rest = fields_of(d), word;
	while (str_cut(&rest, ',', &word))
		if (str_eq(word, STR("EXPIRATION")))
			return LIFE_IN_ROW;
	return LIFE_AT_PARTNER;
}

static void xandr_signs(const struct destination *d, char out[FORMAT_SIGNS])
{
	struct str s = setting_get(d->settings, d->settings_n, "separators");
	snprintf(out, FORMAT_SIGNS, "%.5s", s.n == SEPARATORS ? s.p : default_separators);
}

/* Xandr's segments have codes of the member's own, too. */
static bool xandr_numbered(const struct destination *d)
{
	return !str_has(setting_get(d->settings, d->settings_n, "fields"), STR("SEG_CODE"));
}

const struct format format_xandr_text = {
    .name = "xandr-text",
    .says = "Xandr's batch segment file",
    .source = "learn.microsoft.com/en-us/xandr/bidders: legacy-bss-file-format",
    .ending = "txt",
    .ways = {&way_directory},
    .settings = {{.name = "separators",
		     .says = "five characters: behind the id, between segments, between fields, "
			     "before what is removed, before the domain",
		     .initial = "\";,:\\t^\""},
	{.name = "fields",
	    .says = "of a segment; `SEG_ID` or `SEG_CODE`, one of the two",
	    .words = "SEG_ID,SEG_CODE,EXPIRATION,TIMESTAMP,VALUE,MEMBER_ID",
	    .initial = "[SEG_ID, EXPIRATION, VALUE]",
	    .several = true},
	{.name = "member", .says = "the number of the member, for `MEMBER_ID`"}},
    .bytes = 300 * MB,
    .ttl_days = 180,
    .compressions = 1u << COMPRESS_NONE | 1u << COMPRESS_GZ,
    .numbers = true,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ROW,
    .life_says = "without `EXPIRATION` who leaves by time is said, too",
    .life_of = xandr_life,
    .numbers_of = xandr_numbered,
    .signs = xandr_signs,
    .check = xandr_check,
    .item = xandr_item,
    .masked = xandr_masked,
};
