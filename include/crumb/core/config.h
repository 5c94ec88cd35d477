/* Configuration: one row (core/config_rows.h) is the source of an option's field, default, bounds,
 * --help, manual and documents.
 *
 * Values come from, later wins: the row, the YAML file of -c (nested maps are dotted names, lists
 * are joined with commas), -o key=value in the order given. Read at start, and again at SIGHUP into
 * another struct: each is immutable while threads run. */
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
#define RETENTION_MAX 90 /* days; the ceiling is in code */

/* Words of choices: X(word, value). */
#define NO_YES_WORDS(X) X("no", CONFIG_NO) X("yes", CONFIG_YES)
#define YES_NO_WORDS(X) X("yes", CONFIG_YES) X("no", CONFIG_NO)
#define CONSENT_DEFAULT_WORDS(X) X("allow", CONSENT_ALLOW) X("require", CONSENT_REQUIRE)
#define CRAWL_WORDS(X) X("aside", CRAWL_ASIDE) X("count", CRAWL_COUNT)
#define SAMESITE_WORDS(X)                                                                          \
	X("none", SAMESITE_NONE) X("lax", SAMESITE_LAX) X("strict", SAMESITE_STRICT)
#define LOG_FORM_WORDS(X) X("text", LOG_TEXT) X("json", LOG_JSON)
#define LOG_LEVEL_WORDS(X)                                                                         \
	X("debug", LOG_DEBUG) X("info", LOG_INFO) X("warn", LOG_WARN) X("error", LOG_ERROR)

#define CONFIG_VALUE(word, value) value,
enum no_yes { NO_YES_WORDS(CONFIG_VALUE) };
enum consent_default { CONSENT_DEFAULT_WORDS(CONFIG_VALUE) };
enum crawl { CRAWL_WORDS(CONFIG_VALUE) };
enum samesite { SAMESITE_WORDS(CONFIG_VALUE) };

struct kgate_memory;
struct config {
	/* texts are owned by the config */
#define TEXT(group, field, name, initial, takes, again, read, help) char *field;
#define NUMBER(group, field, name, initial, min, max, unit, again, help) long field;
#define CHOICE(group, field, name, initial, type, WORDS, again, help) type field;
#include "crumb/core/config_rows.h"
	/* no option: the k gate's memory of this process; NULL: none */
	struct kgate_memory *told;
	/* no options: what those say that are lists; made when they are set (core/config_lists.h)
	 */
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
	bool secret, pairs; /* OPT_TEXT: is repeated to nobody; may be written as a map */
	size_t offset;	    /* of the field in struct config */
	const char *initial;
	const char *unit; /* of a number; what a text is; NULL: it is a choice */
	long min, max;
	const char *words;	/* OPT_CHOICE: "allow|require" */
	const unsigned *values; /* of each word */
	const char *help;
	/* What was meant by the text; NULL: it is taken as it is. */
	enum err (*read)(const char *name, struct str value, struct buf *out);
};

extern const struct option_group_row config_groups[OPTION_GROUPS];
extern const struct option config_options[]; /* those of a group stand together */
extern const size_t config_options_n;

enum err config_init(struct config *c) MUST_CHECK;
void config_done(struct config *c);
/* Reads a file of options. Every mistake is in the report, sorted by place, and is shown with its
 * line as a compiler does; each of the two may be NULL. err_text() is the first mistake. An option
 * that was refused is as it was; the others are set. */
struct report;
enum err config_file(
    struct config *c, const char *path, struct report *report, struct buf *shown) MUST_CHECK;
enum err config_parse(struct config *c, const char *name, struct str text,
    struct report *report) MUST_CHECK; /* the same of a text; `name` in reports */
enum err config_set(struct config *c, const char *assignment) MUST_CHECK; /* "key=value" */
void config_help(FILE *to);
/* The word that was chosen, of an option that is a choice. */
struct str config_word(const struct config *c, const char *name);
/* --- reading it again */
bool config_is_live(const struct option *o); /* a running server takes it */
bool config_same(const struct config *a, const struct config *b, const struct option *o);
enum err config_take(
    struct config *c, const struct config *from, const struct option *o) MUST_CHECK; /* one value */
/* Is `item` one of the comma-separated words of `list`? Blanks around words are ignored; ASCII case
 * aside. */
bool config_list_has(const char *list, struct str item);

#endif
