/* What holds for every format: its facts where settings decide, its settings, an encoder. */
#include "crumb/partners/format.h"

#include "crumb/base/near.h"

enum format_life format_life(const struct destination *d)
{
	return d->format->life_of ? d->format->life_of(d) : d->format->life;
}

bool format_numbered(const struct destination *d)
{
	return d->format->numbers_of ? d->format->numbers_of(d) : d->format->numbers;
}

bool format_goes(const struct format *f, const struct way *way)
{
	for (unsigned i = 0; i < FORMAT_WAYS && f->ways[i]; i++)
		if (f->ways[i] == way)
			return true;
	return false;
}

/* One of the words that the setting may have. */
static enum err check_word(
    const struct destination *d, const struct format_setting *s, struct str word)
{
	struct str rest = str_c(s->words), known;
	char hint[200];
	struct near near = near_begin(word);
	while (str_cut(&rest, ',', &known)) {
		if (str_eq(word, known))
			return OK;
		near_try(&near, known);
	}
	near_hint(&near, hint, sizeof hint);
	const char *many = s->several ? "some" : "one";
	const char *between = *hint ? "; " : "";
	return err_set(ERR_USAGE, "destination '%s': %s is %s of %s, not '" STR_FMT "'%s%s", d->id,
	    s->name, many, s->words, STR_ARG(word), between, hint);
}

/* The value is a number within bounds, a word, several words, or any text, as the row says. */
static enum err check_setting(const struct destination *d, const struct format_setting *s)
{
	struct str value = setting_get(d->settings, d->settings_n, s->name), word;
	uint64_t number;
	enum err e = OK;
	if (!value.n)
		return OK;
	if (s->max &&
	    (!str_u64(value, &number) || number < (uint64_t)s->min || number > (uint64_t)s->max))
		return err_set(ERR_USAGE,
		    "destination '%s': %s is a number from %ld to %ld, not '" STR_FMT "'", d->id,
		    s->name, s->min, s->max, STR_ARG(value));
	if (s->words && !s->several)
		return check_word(d, s, value);
	while (s->words && !e && str_cut(&value, ',', &word))
		e = check_word(d, s, word);
	return e;
}

const char *const format_extents[] = {[FORMAT_DELTA] = "delta", [FORMAT_FULL] = "full"};

enum err encoder_init(struct encoder *e, const struct destination *d, enum format_extent extent,
    struct str delivery, uint32_t now)
{
	enum err err = OK;
	*e = (struct encoder){
	    .d = d, .format = d->format, .extent = extent, .delivery = delivery, .now = now};
	if (!e->format->item)
		return err_set(ERR_USAGE, "no files are written for destination '%s'", d->id);
	for (const struct format_setting *s = e->format->settings; s->name && !err; s++)
		err = check_setting(d, s);
	if (!err && e->format->check)
		err = e->format->check(d);
	return err;
}

void encoder_done(struct encoder *e)
{
	buf_done(&e->block);
}
