/* The xandr-text format: Xandr's batch segment file (learn.microsoft.com/en-us/xandr/bidders/legacy-bss-file-format). */
#include "formats.h"

#include <ctype.h>
#include <string.h>

#define XANDR_SEGMENTS 1800 /* a line, at most */

/* uid | between segments | between fields | before the removed | before the domain */
static const char default_separators[] = ";,:\t^";

static enum err separators(const struct destination *d, char out[5])
{
	struct str s = setting_get(d->settings, d->settings_n, "separators");
	if (!s.n)
		s = STR(default_separators);
	if (s.n != 5)
		return err_set(ERR_USAGE, "destination '%s': separators are five characters, such as \";,:\\t^\"", d->id);
	for (size_t i = 0; i < 5; i++) {
		if (!s.p[i] || chr_one_of(s.p[i], "[](){}$\\/|?*+-") || isalnum((unsigned char)s.p[i]))
			return err_set(ERR_USAGE, "destination '%s': '%c' cannot be a separator", d->id, s.p[i]);
		for (size_t k = 0; k < i; k++)
			if (s.p[i] == s.p[k] && !(k == 0 && i == 2))
				return err_set(
				    ERR_USAGE, "destination '%s': the separators are all different; only the first may be the third", d->id);
	}
	memcpy(out, s.p, 5);
	return OK;
}

static struct str fields_of(const struct destination *d)
{
	struct str s = setting_get(d->settings, d->settings_n, "fields");
	return s.n ? s : STR("SEG_ID,EXPIRATION,VALUE");
}

static enum err xandr_check(const struct destination *d)
{
	static const char *const known[] = {"SEG_ID", "SEG_CODE", "EXPIRATION", "TIMESTAMP", "VALUE", "MEMBER_ID"};
	char seps[5];
	struct str rest = fields_of(d), word;
	unsigned names = 0;
	enum err e = separators(d, seps);
	while (!e && str_cut(&rest, ',', &word)) {
		bool found = false;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			found |= str_eq(word, str_c(known[i]));
		if (!found)
			return err_set(ERR_USAGE, "destination '%s': Xandr has no field '" STR_FMT "'", d->id, STR_ARG(word));
		names += str_eq(word, STR("SEG_ID")) || str_eq(word, STR("SEG_CODE"));
	}
	if (!e && names != 1)
		e = err_set(ERR_USAGE, "destination '%s': fields want SEG_ID or SEG_CODE, one of the two", d->id);
	return e;
}

static void xandr_segment(struct encoder *e, const struct out_row *r, bool listed_as_removed, struct buf *out)
{
	struct str rest = fields_of(e->d), word, member = setting_of(e, "member");
	bool first = true;
	while (str_cut(&rest, ',', &word)) {
		if (!first)
			buf_add(out, &e->seps[2], 1);
		first = false;
		if (str_starts(word, STR("SEG_")))
			buf_str(out, r->segment->theirs);
		else if (str_eq(word, STR("EXPIRATION")))
			buf_addf(out, "%ld", r->change == ROW_REMOVE && !listed_as_removed ? -1l : (long)format_minutes(e->now, r->until));
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

static bool xandr_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool by_expiration = str_has(fields_of(e->d), STR("EXPIRATION"));
	if (separators(e->d, e->seps) || has_any(item->id, e->seps, 5) || item->n > XANDR_SEGMENTS)
		return false;
	buf_str(out, item->id);
	buf_add(out, &e->seps[0], 1);
	for (int removed = 0; removed < 2; removed++) {
		bool first = true;
		for (unsigned i = 0; i < item->n; i++) {
			const struct out_row *r = &item->rows[i];
			bool listed = r->change == ROW_REMOVE && !by_expiration; /* behind the fourth separator */
			if (r->change == ROW_KEEP || listed != (removed == 1))
				continue;
			if (!first || removed)
				buf_add(out, &e->seps[first ? 3 : 1], 1);
			first = false;
			xandr_segment(e, r, listed, out);
		}
	}
	buf_c(out, "\n");
	return true;
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

const struct format format_xandr_text = {"txt", LIFE_IN_ROW, REMOVAL_ROW, xandr_life, xandr_check, format_nothing, xandr_item, format_nothing};
