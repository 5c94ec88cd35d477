/* The table of options, and what is done with one option: set, compare, copy, tell.
 *
 * A row of core/config_rows.h is both a field of struct config and an entry of config_options[],
 * which knows its field by offset. So there is one function for each kind of option (text, number,
 * choice) and none for each option. A value is read before its field is touched: what is refused
 * leaves the option as it was. config_init() sets every option from the text of its row, on the
 * same way that -o and the file go; so a row's default is checked at every start. */
#include "config_own.h"

#include "crumb/base/buf.h"
#include "crumb/base/log.h"
#include "crumb/base/near.h"
#include "crumb/core/hosts.h"
#include "crumb/core/meant.h"

#include <stddef.h>
#include <stdlib.h>

const struct option_group_row config_groups[OPTION_GROUPS] = {
#define OPTION_GROUP(group, sentence) {#group, sentence},
#include "crumb/core/config_rows.h"
};

/* What every row has, and what a row of each kind has besides. */
#define ROW(in, of, called, begins, at, why)                                                       \
	.name = called, .group = OPTIONS_##in, .again = AT_##at, .initial = begins, .help = why,   \
	.offset = offsetof(struct config, of)
#define BAR_WORD(word, value) "|" word

const struct option config_options[] = {
#define TEXT(in, of, called, begins, takes, at, meant, why)                                        \
	{ROW(in, of, called, begins, at, why), .kind = OPT_TEXT, .unit = takes, .read = meant},
#define SECRET(in, of, called, begins, takes, at, meant, why)                                      \
	{ROW(in, of, called, begins, at, why), .kind = OPT_TEXT, .unit = takes, .read = meant,     \
	    .secret = true},
#define PAIRS(in, of, called, begins, takes, at, meant, why)                                       \
	{ROW(in, of, called, begins, at, why), .kind = OPT_TEXT, .unit = takes, .read = meant,     \
	    .pairs = true},
#define SECRET_PAIRS(in, of, called, begins, takes, at, meant, why)                                \
	{ROW(in, of, called, begins, at, why), .kind = OPT_TEXT, .unit = takes, .read = meant,     \
	    .secret = true, .pairs = true},
#define NUMBER(in, of, called, begins, least, most, one, at, why)                                  \
	{ROW(in, of, called, begins, at, why), .kind = OPT_NUMBER, .unit = one, .min = least,      \
	    .max = most},
#define RAISED(in, of, called, begins, least, lowest, most, one, at, why)                          \
	{ROW(in, of, called, begins, at, why), .kind = OPT_NUMBER, .unit = one, .min = least,      \
	    .max = most, .floor = lowest},
#define CHOICE(in, of, called, begins, type, WORDS, at, why)                                       \
	{ROW(in, of, called, begins, at, why), .kind = OPT_CHOICE, .words = &(WORDS(BAR_WORD))[1], \
	    .values = (const unsigned[]){WORDS(CONFIG_VALUE)}},
#include "crumb/core/config_rows.h"
};
const size_t config_options_n = sizeof config_options / sizeof config_options[0];
_Static_assert(sizeof(enum no_yes) == sizeof(unsigned), "a choice is stored as an unsigned");

bool config_is_live(const struct option *o)
{
	return o->again == AT_RELOAD;
}

static void *option_field(struct config *c, const struct option *o)
{
	return (char *)c + o->offset;
}

const struct option *config_find(struct str name)
{
	for (size_t i = 0; i < config_options_n; i++)
		if (str_eq(name, str_c(config_options[i].name)))
			return &config_options[i];
	return NULL;
}

/* A copy of what the value means to the option; the caller frees it. */
static enum err copy_meant(const struct option *o, struct str value, char **copy)
{
	struct buf meant = {0};
	enum err e = OK;
	if (o->read) {
		e = o->read(o->name, value, &meant);
		value = meant.n ? buf_view(&meant) : STR("");
	}
	char *made = e || meant.failed ? NULL : str_dup(value);
	buf_done(&meant);
	if (e)
		return e;
	if (!made)
		return err_set(ERR_NOMEM, "no memory");
	*copy = made;
	return OK;
}

/* The list that the text may be is read first: when memory is missing, text and list stay as they
 * were, and belong together. */
static enum err set_text(struct config *c, const struct option *o, struct str value)
{
	char *copy = NULL;
	enum err e = copy_meant(o, value, &copy);
	if (e)
		return e;
	if ((e = lists_set(&c->lists, o->offset, str_c(copy)))) {
		free(copy);
		return e;
	}
	char **slot = option_field(c, o);
	free(*slot);
	*slot = copy;
	return OK;
}

/* A k below the floor is raised, not refused: a server that does not start guards nobody. */
static enum err set_number(struct config *c, const struct option *o, struct str value)
{
	uint64_t v;
	char hint[MEANT_MOST];
	if (!str_u64(value, &v) || v > (uint64_t)o->max || (long)v < o->min)
		return err_set(ERR_USAGE,
		    "%s: expected a number from %ld to %ld, not '" STR_FMT "'%s", o->name, o->min,
		    o->max, STR_ARG(value), meant_number(value, hint));
	if ((long)v < o->floor) {
		log_warn("config", "%s is below the floor and was raised given=%llu used=%ld",
		    o->name, (unsigned long long)v, o->floor);
		v = (uint64_t)o->floor;
	}
	*(long *)option_field(c, o) = (long)v;
	return OK;
}

/* YAML and people have several words for yes and no. All of them are taken where a choice has
 * "yes" and "no". */
static enum err set_choice(struct config *c, const struct option *o, struct str value)
{
	struct str rest = str_c(o->words), word;
	char hint[MEANT_MOST];
	for (size_t i = 0; str_cut(&rest, '|', &word); i++) {
		bool yes = str_eq(word, STR("yes")) &&
			   (str_ieq(value, STR("true")) || str_eq(value, STR("1")) ||
			       str_ieq(value, STR("on")));
		bool no = str_eq(word, STR("no")) &&
			  (str_ieq(value, STR("false")) || str_eq(value, STR("0")) ||
			      str_ieq(value, STR("off")));
		if (str_ieq(word, value) || yes || no) {
			memcpy(option_field(c, o), &o->values[i], sizeof *o->values);
			return OK;
		}
	}
	return err_set(ERR_USAGE, "%s: expected one of %s, not '" STR_FMT "'%s", o->name, o->words,
	    STR_ARG(value), meant_word(value, o->words, hint));
}

struct str config_last_part(struct str name)
{
	size_t at = name.n;
	while (at > 0 && name.p[at - 1] != '.')
		at--;
	return str_skip(name, at);
}

/* In this order: a name with a slip in it (cookie.smaesite); a last part that belongs elsewhere, or
 * has a slip in it (samesite); a part of a name, or a name with more around it (write_key). */
struct str config_meant(struct str name)
{
	struct near whole = near_begin(name), part = near_begin(config_last_part(name));
	struct str like = STR("");
	for (size_t i = 0; i < config_options_n; i++) {
		struct str option = str_c(config_options[i].name);
		near_try(&whole, option);
		near_try(&part, config_last_part(option));
		if (!like.n && name.n > 2 && (str_ihas(option, name) || str_ihas(name, option)))
			like = option;
	}
	if (whole.best.n)
		return whole.best;
	if (!part.best.n)
		return like;
	for (size_t i = 0; i < config_options_n; i++)
		if (str_ieq(config_last_part(str_c(config_options[i].name)), part.best))
			return str_c(config_options[i].name);
	return like;
}

enum err config_put(struct config *c, const struct option *o, struct str value)
{
	switch (o->kind) {
	case OPT_NUMBER:
		return set_number(c, o, value);
	case OPT_CHOICE:
		return set_choice(c, o, value);
	case OPT_TEXT:
	default:
		return set_text(c, o, value);
	}
}

static enum err set_named(struct config *c, struct str name, struct str value)
{
	const struct option *o = config_find(name);
	if (o)
		return config_put(c, o, value);
	struct str meant = config_meant(name);
	if (!meant.n)
		return err_set(ERR_USAGE, "there is no option '" STR_FMT "'; --help lists them",
		    STR_ARG(name));
	return err_set(ERR_USAGE,
	    "there is no option '" STR_FMT "', did you mean '" STR_FMT "'?; --help lists them",
	    STR_ARG(name), STR_ARG(meant));
}

enum err config_init(struct config *c)
{
	*c = (struct config){0};
	for (size_t i = 0; i < config_options_n; i++) {
		enum err e =
		    set_named(c, str_c(config_options[i].name), str_c(config_options[i].initial));
		if (e)
			return e;
	}
	return OK;
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < config_options_n; i++)
		if (config_options[i].kind == OPT_TEXT)
			free(*(char **)option_field(c, &config_options[i]));
	lists_done(&c->lists);
	*c = (struct config){0};
}

enum err config_set(struct config *c, const char *assignment)
{
	struct str all = str_c(assignment);
	size_t at = str_find(all, '=');
	if (at == all.n)
		return err_set(ERR_USAGE, "-o wants key=value, not '%s'", assignment);
	return set_named(c, str_trim(str_make(all.p, at)), str_trim(str_skip(all, at + 1)));
}

static size_t size_of(const struct option *o)
{
	return o->kind == OPT_NUMBER ? sizeof(long) : sizeof(unsigned);
}

/* Fields of a const struct are copied out by memcpy(): option_field() is for those that are set. */
bool config_same(const struct config *a, const struct config *b, const struct option *o)
{
	const char *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
	if (o->kind != OPT_TEXT)
		return memcmp(x, y, size_of(o)) == 0;
	char *s, *t;
	memcpy(&s, x, sizeof s);
	memcpy(&t, y, sizeof t);
	return strcmp(s, t) == 0;
}

enum err config_take(struct config *c, const struct config *from, const struct option *o)
{
	const char *there = (const char *)from + o->offset;
	char *text;
	if (o->kind != OPT_TEXT) {
		memcpy(option_field(c, o), there, size_of(o));
		return OK;
	}
	memcpy(&text, there, sizeof text);
	return set_text(c, o, str_c(text));
}

void config_help(FILE *to)
{
	for (size_t i = 0; i < config_options_n; i++) {
		const struct option *o = &config_options[i];
		const struct option_group_row *g = &config_groups[o->group];
		if (i == 0 || config_options[i - 1].group != o->group)
			fprintf(to, "%s%s: %s\n", i ? "\n" : "", g->name, g->help);
		fprintf(to, "  %s=%s\n      %s%s", o->name, o->initial, o->help,
		    o->again == AT_RELOAD ? " [SIGHUP]" : "");
		if (o->kind == OPT_NUMBER)
			fprintf(to, " (%ld to %ld %s", o->min, o->max, o->unit);
		else
			fprintf(to, " (%s", o->kind == OPT_CHOICE ? o->words : o->unit);
		if (o->floor)
			fprintf(to, "; below %ld it is raised to %ld", o->floor, o->floor);
		fprintf(to, ")\n");
	}
}

struct str config_word(const struct config *c, const char *name)
{
	const struct option *o = config_find(str_c(name));
	CHECK(o && o->kind == OPT_CHOICE);
	struct str rest = str_c(o->words), word = {0};
	const unsigned *value = o->values;
	while (str_cut(&rest, '|', &word) &&
	       memcmp((const char *)c + o->offset, value, sizeof *value) != 0)
		value++;
	return word;
}

bool config_list_has(const char *list, struct str item)
{
	struct str rest = str_c(list), word;
	while (str_cut(&rest, ',', &word))
		if (str_ieq(str_trim(word), item))
			return true;
	return false;
}
