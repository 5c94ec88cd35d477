/* The rows of privacy/hit_rows.h as a table, and how a parameter gets into a hit by them.
 *
 * Rows are constant, for any thread. A hit belongs to the thread that reads it. */
#ifndef CRUMB_PRIVACY_HIT_READ_H
#define CRUMB_PRIVACY_HIT_READ_H

#include "crumb/base/str.h"

struct hit;

enum hit_kind {
	HIT_IS_TEXT,
	HIT_IS_NUMBER,
	HIT_IS_LIST,
	HIT_IS_FLAG,
	HIT_IS_STRING,
	HIT_IS_SECTIONS,
	HIT_IS_CATEGORIES,
	/* of lines of import files */
	HIT_IS_ID,
	HIT_IS_COOKIE,
	HIT_IS_TIME,
	HIT_IS_ADDRESS,
	HIT_IS_AGENT,
	HIT_IS_SOURCE,
	HIT_KINDS
};

struct hit_row {
	enum hit_kind kind;
	/* as in hit_rows.h; empty: there is none */
	const char *name, *imported, *macro, *object;
	size_t at;    /* offset of the field in struct hit; of a list, of its number of items */
	size_t items; /* of a list: offset of its items */
	const char *says;
};

/* Numbers of rows: HIT_ROW_url. */
enum hit_row_number {
#define HIT_TEXT(field, ...) HIT_ROW_##field,
#define HIT_NUMBER(field, ...) HIT_ROW_##field,
#define HIT_LIST(field, ...) HIT_ROW_##field,
#define HIT_FLAG(field, ...) HIT_ROW_##field,
#define HIT_STRING(field, ...) HIT_ROW_##field,
#define HIT_SECTIONS(field, ...) HIT_ROW_##field,
#define HIT_CATEGORIES(field, ...) HIT_ROW_##field,
#define HIT_LINE(field, ...) HIT_ROW_##field,
#include "crumb/privacy/hit_rows.h"
	HIT_ROWS
};

extern const struct hit_row hit_rows[]; /* by number */
extern const size_t hit_rows_n;
extern const char *const hit_kind_names[HIT_KINDS];

/* The row of a parameter of a query, or of a key of an event in JSON; of a list by its prefix.
 * NULL: there is none. */
const struct hit_row *hit_row_named(struct str name);
/* The same for import files. */
const struct hit_row *hit_row_imported(struct str name);
/* The row of a list whose items JSON may have in an object of this name. NULL: there is none. */
const struct hit_row *hit_row_of_object(struct str name);
/* The row of a macro without its braces: GDPR, or GDPR_CONSENT_123 with a vendor's number. */
const struct hit_row *hit_row_of_macro(struct str macro);
bool hit_row_is_signal(const struct hit_row *row); /* of consent */

/* Takes one parameter of a query, decoded. The hit keeps views of name and value. Unknown
 * parameters are ignored. An item without room, and a value that should be a number and is none,
 * are counted and dropped. */
void hit_param(struct hit *h, struct str name, struct str value);
/* Takes a parameter only if it is a consent signal. */
void hit_param_signal(struct hit *h, struct str name, struct str value);

/* Values of rows, by kind. */
struct str *hit_text_at(struct hit *h, const struct hit_row *row); /* text, string, sections */
void hit_take_flag(struct hit *h, const struct hit_row *row, struct str value);
/* "1", "0", or "" when the flag says nothing. */
const char *hit_flag_text(struct hit *h, const struct hit_row *row);
/* False: the value is no number, and not empty. */
bool hit_take_number(struct hit *h, const struct hit_row *row, struct str value);
/* False: the list is full. */
bool hit_take_item(struct hit *h, const struct hit_row *row, struct str name, struct str value);

#endif
