/* The rows of privacy/hit_rows.h as a table, and how a parameter gets into a hit by them. Rows are
 * constant; any thread. */
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
	const char *name;     /* in queries and JSON; of a list the prefix. Empty: it has none */
	const char *imported; /* in import files */
	const char *macro;    /* of IAB's; with _# a vendor's number may follow */
	const char *object;   /* a list as an object in JSON */
	size_t at;	      /* of the field in struct hit; of a list: how many items it has */
	size_t items;	      /* of a list: where they are */
	const char *says;
};

extern const struct hit_row hit_rows[];
extern const size_t hit_rows_n;
extern const char *const hit_kind_names[HIT_KINDS];

/* The row of a parameter of a query, or of a key of an event in JSON; of a list by its prefix.
 * NULL: there is none. */
const struct hit_row *hit_row_named(struct str name);
/* The same for import files. */
const struct hit_row *hit_row_imported(struct str name);
/* The list that an object of this name in JSON is. NULL: it is none. */
const struct hit_row *hit_row_of_object(struct str name);
/* The row of a macro without its braces: GDPR, or GDPR_CONSENT_123 with a vendor's number. */
const struct hit_row *hit_row_of_macro(struct str macro);
bool hit_row_is_signal(const struct hit_row *row); /* of consent */

/* One parameter of a query, decoded; views into it stay in the hit. Unknown ones say nothing. What
 * has no room, and what is no number where one is meant, is counted. */
void hit_param(struct hit *h, struct str name, struct str value);
/* The same, but what is no consent signal says nothing. */
void hit_param_signal(struct hit *h, struct str name, struct str value);

/* Values of rows, by kind. */
struct str *hit_text_at(struct hit *h, const struct hit_row *row); /* text, string, sections */
void hit_take_flag(struct hit *h, const struct hit_row *row, struct str value);
/* "1", "0", or "": it says nothing. */
const char *hit_flag_text(struct hit *h, const struct hit_row *row);
/* False: it is no number, and not empty either. */
bool hit_take_number(struct hit *h, const struct hit_row *row, struct str value);
/* False: there is no room for it. */
bool hit_take_item(struct hit *h, const struct hit_row *row, struct str name, struct str value);

#endif
