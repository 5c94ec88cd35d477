/* reference formats, ways, signings: the rows of partners/ (partners/format.h). A format that is
 * written into files and requests (`item`) has bounds and words about removal besides. */
#include "references.h"

#include "crumb/partners/format.h"

static json_t *compressions_of(unsigned bits)
{
	json_t *names = json_array();
	for (unsigned i = 0; i < COMPRESSIONS; i++)
		if (bits >> i & 1)
			reference_add(names, json_string(compressions[i].name));
	return names;
}

static json_t *ways_of(const struct format *f)
{
	json_t *names = json_array();
	for (unsigned i = 0; i < FORMAT_WAYS && f->ways[i]; i++)
		reference_add(names, json_string(f->ways[i]->name));
	return names;
}

/* A key of a destination that the format reads: bounds of a number, or the words it may be. */
static json_t *setting(const struct format_setting *s)
{
	json_t *row = json_pack("{s:s,s:s,s:s*,s:b}", "name", s->name, "help", s->says, "default",
	    s->initial, "required", s->required);
	struct str rest = str_c(s->words ? s->words : ""), word;
	if (s->max)
		json_object_update_new(row,
		    json_pack("{s:I,s:I}", "min", (json_int_t)s->min, "max", (json_int_t)s->max));
	if (!s->words)
		return row;
	json_t *words = json_array();
	while (rest.n && str_cut(&rest, ',', &word))
		reference_add(words, json_stringn(word.p, word.n));
	json_object_update_new(row, json_pack("{s:o,s:b}", "words", words, "several", s->several));
	return row;
}

json_t *reference_formats(const struct cli *c)
{
	static const char *const lives[] = {
	    [LIFE_IN_ROW] = "in the row", [LIFE_AT_PARTNER] = "at the partner"};
	static const char *const removals[] = {
	    [REMOVAL_ROW] = "row", [REMOVAL_ITEM] = "item", [REMOVAL_CHANGES] = "changes"};
	json_t *rows = json_array();
	(void)c;
	for (const struct format *const *at = formats; *at; at++) {
		const struct format *f = *at;
		json_t *settings = json_array();
		for (const struct format_setting *s = f->settings; s->name; s++)
			reference_add(settings, setting(s));
		json_t *row = json_pack("{s:s,s:s,s:s*,s:s*,s:s*,s:o,s:o,s:o,s:b}", "name", f->name,
		    "help", f->says, "source", f->source, "ending", f->ending, "content_type",
		    f->content_type, "ways", ways_of(f), "compress",
		    compressions_of(f->compressions), "settings", settings, "built_in",
		    f->built_in);
		if (f->item) /* what holds for what is written into files and requests */
			json_object_update_new(
			    row, json_pack("{s:I,s:I,s:i,s:b,s:s,s:s,s:s*,s:b}", "rows",
				     (json_int_t)f->rows, "bytes", (json_int_t)f->bytes, "ttl_days",
				     (int)f->ttl_days, "numbers", f->numbers, "life",
				     lives[f->life], "removal", removals[f->removal], "life_help",
				     f->life_says, "answers", f->answered != NULL));
		reference_add(rows, row);
	}
	return rows;
}

json_t *reference_ways(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (const struct way *const *w = ways; *w; w++)
		reference_add(
		    rows, json_pack("{s:s,s:s*,s:s,s:o,s:I}", "name", (*w)->name, "key", (*w)->key,
			      "help", (*w)->says, "compress", compressions_of((*w)->compressions),
			      "bytes", (json_int_t)(*w)->bytes));
	return rows;
}

json_t *reference_signings(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (const struct signing *s = signings; s->kind; s++)
		reference_add(rows, json_pack("{s:s,s:s}", "name", s->kind, "help", s->says));
	return rows;
}
