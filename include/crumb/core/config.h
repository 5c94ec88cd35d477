/* Configuration: one row (core/config_rows.h) is the source of an option's field, default, bounds,
 * --help, manual and documents. For example:
 *
 *     NUMBER(collect, idle_s, "collect.idle_s", "60", 1, 3600, "seconds", START, "A connection …")
 *
 *     struct config { … long idle_s; … }                  what code reads: config->idle_s
 *     config_options[…] = {.name = "collect.idle_s", .kind = OPT_NUMBER, .initial = "60",
 *         .min = 1, .max = 3600, .offset = offsetof(struct config, idle_s), …}
 *     crumbd --help, crumbd(8), docs/CONFIGURATION.md     what people read
 *
 * Values come from three places, and a later place wins: the row, the YAML file of -c (nested maps
 * are dotted names, lists are joined with commas), -o key=value in the order given.
 *
 * Threads: the thread that reads a configuration owns it. When it has been read, it is immutable,
 * and any thread reads its fields. At SIGHUP the file is read into another struct, which replaces
 * the first when all threads look at the new one (app/reload.c). config_init() comes first,
 * config_done() frees all texts and lists. */
#ifndef CRUMB_CORE_CONFIG_H
#define CRUMB_CORE_CONFIG_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/base/log.h"
#include "crumb/base/str.h"
#include "crumb/core/config_lists.h"

#include <stdio.h>

#define K_FLOOR 20 /* no group smaller than this is ever told, whatever the configuration says */
#define COLLECT_THREADS_MAX 256
#define SHARDS_MAX 256
#define RETENTION_MAX 90 /* days; the ceiling is in code */

/* Words of choices: X(word, value). */
#define NO_YES_WORDS(X) X("no", CONFIG_NO) X("yes", CONFIG_YES)
#define YES_NO_WORDS(X) X("yes", CONFIG_YES) X("no", CONFIG_NO)
#define CONSENT_DEFAULT_WORDS(X) X("allow", CONSENT_ALLOW) X("require", CONSENT_REQUIRE)
#define CRAWL_WORDS(X) X("aside", CRAWL_ASIDE) X("count", CRAWL_COUNT)
#define SAMESITE_WORDS(X)                                                                          \
	X("none", SAMESITE_NONE) X("lax", SAMESITE_LAX) X("strict", SAMESITE_STRICT)
#define LOG_KIND_WORDS(X) X("local", LOG_KIND_LOCAL) X("kafka", LOG_KIND_KAFKA)
#define LOG_FORM_WORDS(X) X("text", LOG_TEXT) X("json", LOG_JSON)
#define LOG_LEVEL_WORDS(X)                                                                         \
	X("debug", LOG_DEBUG) X("info", LOG_INFO) X("warn", LOG_WARN) X("error", LOG_ERROR)

#define CONFIG_VALUE(word, value) value,
enum no_yes { NO_YES_WORDS(CONFIG_VALUE) };
enum consent_default { CONSENT_DEFAULT_WORDS(CONFIG_VALUE) };
enum crawl { CRAWL_WORDS(CONFIG_VALUE) };
enum samesite { SAMESITE_WORDS(CONFIG_VALUE) };
enum log_kind { LOG_KIND_WORDS(CONFIG_VALUE) };

struct kgate_memory;
struct config {
	/* texts are owned by this struct */
#define TEXT(group, field, name, initial, takes, again, read, help) char *field;
#define NUMBER(group, field, name, initial, min, max, unit, again, help) long field;
#define CHOICE(group, field, name, initial, type, WORDS, again, help) type field;
#include "crumb/core/config_rows.h"
	/* No option: the k gate's memory of this process, borrowed. NULL: it has none. */
	struct kgate_memory *told;
	/* No options: the options that are lists, read (core/config_lists.h). */
	struct config_lists lists;
};

enum option_group {
#define OPTION_GROUP(group, sentence) OPTIONS_##group,
#include "crumb/core/config_rows.h"
	OPTION_GROUPS
};

struct option_group_row {
	const char *name, *help;
};

struct option {
	const char *name;
	enum option_group group;
	enum { OPT_TEXT, OPT_NUMBER, OPT_CHOICE } kind;
	enum { AT_START, AT_RELOAD } again; /* when a changed value is taken */
	bool secret;			    /* OPT_TEXT: is repeated to nobody */
	bool pairs;			    /* OPT_TEXT: may be written as a map */
	size_t offset;			    /* of the field in struct config */
	const char *initial;
	const char *unit; /* OPT_NUMBER: its unit. OPT_TEXT: what it is. OPT_CHOICE: NULL */
	long min, max;
	long floor; /* of a number: a smaller one is raised to it, with a warning; 0: none is */
	const char *words;	/* OPT_CHOICE: "allow|require" */
	const unsigned *values; /* of each word */
	const char *help;
	/* OPT_TEXT: writes what was meant by the value, or refuses it. NULL: taken as it is. */
	enum err (*read)(const char *name, struct str value, struct buf *out);
};

extern const struct option_group_row config_groups[OPTION_GROUPS];
extern const struct option config_options[]; /* options of a group stand together */
extern const size_t config_options_n;

enum err config_init(struct config *c) MUST_CHECK; /* every option as its row says */
void config_done(struct config *c);
/* Reads a file of options. `report` gets every mistake, sorted by place, and `shown` the same with
 * lines and carets, as a compiler shows them; each may be NULL. err_text() is the first mistake. An
 * option that was refused is as it was; the others are set. */
struct report;
enum err config_file(
    struct config *c, const char *path, struct report *report, struct buf *shown) MUST_CHECK;
/* The same of a text. Reports call it `name`. */
enum err config_parse(
    struct config *c, const char *name, struct str text, struct report *report) MUST_CHECK;
enum err config_set(struct config *c, const char *assignment) MUST_CHECK; /* "key=value" */
void config_help(FILE *to);
/* The word that was chosen. `name` is an option that is a choice. */
struct str config_word(const struct config *c, const char *name);
/* --- reading the configuration again */
bool config_is_live(const struct option *o); /* does a running server take a changed value? */
bool config_same(const struct config *a, const struct config *b, const struct option *o);
/* Copies the value of one option. */
enum err config_take(
    struct config *c, const struct config *from, const struct option *o) MUST_CHECK;
/* Is `item` one of the comma-separated words of `list`? Blanks around words are ignored, and so is
 * the case of ASCII letters. */
bool config_list_has(const char *list, struct str item);

#endif
