/* Parameters and consent signals of hits, by the rows of privacy/hit_rows.h.
 *
 * The rows make code, not a loop over a table: a name is compared with each row's by its length,
 * which is a constant, and where that agrees by its bytes. For "u", the second row, that is two
 * lengths and two bytes. There is no call and no hash. */
#include "crumb/privacy/hit_read.h"

#include "crumb/base/number.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/consent.h"
#include "crumb/privacy/hit.h"

/* A row has one offset. So the fields that belong to it have to lie one behind the other. */
#define HIT_NUMBER(field, ...)                                                                     \
	_Static_assert(                                                                            \
	    offsetof(struct hit, has_##field) == offsetof(struct hit, field) + sizeof(double),     \
	    #field);
#define HIT_FLAG(field, ...)                                                                       \
	_Static_assert(                                                                            \
	    offsetof(struct hit, field##_no) == offsetof(struct hit, field) + sizeof(bool),        \
	    #field);
#include "crumb/privacy/hit_rows.h"

#define AT(field) offsetof(struct hit, field)

const struct hit_row hit_rows[] = {
#define HIT_TEXT(field, name, imported, says)                                                      \
	{HIT_IS_TEXT, name, imported, "", "", AT(field), 0, says},
#define HIT_NUMBER(field, name, imported, says)                                                    \
	{HIT_IS_NUMBER, name, imported, "", "", AT(field), 0, says},
#define HIT_LIST(field, prefix, object, says)                                                      \
	{HIT_IS_LIST, prefix, prefix, "", object, AT(field##_n), AT(field), says},
#define HIT_FLAG(field, name, imported, macro, says)                                               \
	{HIT_IS_FLAG, name, imported, macro, "", AT(field), 0, says},
#define HIT_STRING(field, name, imported, macro, says)                                             \
	{HIT_IS_STRING, name, imported, macro, "", AT(field), 0, says},
#define HIT_SECTIONS(field, name, imported, macro, says)                                           \
	{HIT_IS_SECTIONS, name, imported, macro, "", AT(field), 0, says},
#define HIT_CATEGORIES(field, says) {HIT_IS_CATEGORIES, "", "", "", "", AT(field), 0, says},
#define HIT_LINE(field, kind, imported, says) {HIT_IS_##kind, "", imported, "", "", 0, 0, says},
#include "crumb/privacy/hit_rows.h"
};
const size_t hit_rows_n = HIT_ROWS;

const char *const hit_kind_names[HIT_KINDS] = {"text", "number", "list", "flag", "string",
    "sections", "categories", "id", "cookie", "time", "address", "agent", "source"};

bool hit_row_is_signal(const struct hit_row *row)
{
	return row->kind >= HIT_IS_FLAG && row->kind <= HIT_IS_CATEGORIES;
}

/* --- looking for names */

/* `is` is a literal: its length is a constant. */
static inline bool same(struct str name, struct str is)
{
	return is.n && str_eq(name, is);
}

static inline bool begins(struct str name, struct str prefix)
{
	return name.n > prefix.n && memcmp(name.p, prefix.p, prefix.n) == 0;
}

const struct hit_row *hit_row_named(struct str k)
{
#define ROW_IF(field, fits)                                                                        \
	if (fits)                                                                                  \
		return &hit_rows[HIT_ROW_##field];
#define HIT_TEXT(field, name, ...) ROW_IF(field, same(k, STR(name)))
#define HIT_NUMBER(field, name, ...) ROW_IF(field, same(k, STR(name)))
#define HIT_LIST(field, prefix, ...) ROW_IF(field, begins(k, STR(prefix)))
#define HIT_FLAG(field, name, ...) ROW_IF(field, same(k, STR(name)))
#define HIT_STRING(field, name, ...) ROW_IF(field, same(k, STR(name)))
#define HIT_SECTIONS(field, name, ...) ROW_IF(field, same(k, STR(name)))
#include "crumb/privacy/hit_rows.h"
	return NULL;
}

const struct hit_row *hit_row_imported(struct str k)
{
#define HIT_TEXT(field, name, imported, ...) ROW_IF(field, same(k, STR(imported)))
#define HIT_NUMBER(field, name, imported, ...) ROW_IF(field, same(k, STR(imported)))
#define HIT_LIST(field, prefix, ...) ROW_IF(field, begins(k, STR(prefix)))
#define HIT_FLAG(field, name, imported, ...) ROW_IF(field, same(k, STR(imported)))
#define HIT_STRING(field, name, imported, ...) ROW_IF(field, same(k, STR(imported)))
#define HIT_SECTIONS(field, name, imported, ...) ROW_IF(field, same(k, STR(imported)))
#define HIT_LINE(field, kind, imported, ...) ROW_IF(field, same(k, STR(imported)))
#include "crumb/privacy/hit_rows.h"
	return NULL;
}

const struct hit_row *hit_row_of_object(struct str k)
{
#define HIT_LIST(field, prefix, object, ...) ROW_IF(field, same(k, STR(object)))
#include "crumb/privacy/hit_rows.h"
	return NULL;
}

static bool digits_only(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!chr_digit(s.p[i]))
			return false;
	return s.n > 0;
}

const struct hit_row *hit_row_of_macro(struct str macro)
{
	for (size_t i = 0; i < hit_rows_n; i++) {
		struct str is = str_c(hit_rows[i].macro);
		bool numbered = is.n > 2 && is.p[is.n - 1] == '#';
		is.n -= numbered ? 2 : 0; /* without _# */
		if (same(macro, is) ||
		    (numbered && str_starts(macro, is) && macro.n > is.n && macro.p[is.n] == '_' &&
			digits_only(str_skip(macro, is.n + 1))))
			return &hit_rows[i];
	}
	return NULL;
}

/* --- taking what they say */

static void *field(struct hit *h, size_t at)
{
	return (char *)h + at;
}

struct str *hit_text_at(struct hit *h, const struct hit_row *row)
{
	return field(h, row->at);
}

bool hit_take_number(struct hit *h, const struct hit_row *row, struct str value)
{
	double *number = field(h, row->at);
	bool *has = field(h, row->at + sizeof *number);
	*has = number_read(value, number);
	return *has || !value.n;
}

bool hit_take_item(struct hit *h, const struct hit_row *row, struct str name, struct str value)
{
	unsigned *n = field(h, row->at);
	struct attr *items = field(h, row->items);
	if (*n == HIT_PARAMS_MAX)
		return false;
	items[(*n)++] = (struct attr){name, value};
	return true;
}

void hit_take_flag(struct hit *h, const struct hit_row *row, struct str value)
{
	bool *yes = field(h, row->at), *no = field(h, row->at + sizeof *yes);
	consent_take_flag(yes, no, value);
}

const char *hit_flag_text(struct hit *h, const struct hit_row *row)
{
	const bool *yes = field(h, row->at), *no = yes + 1;
	if (*yes)
		return "1";
	return *no ? "0" : "";
}

/* Flags and strings of consent; trackers fill in categories themselves. */
static void take_signal(struct hit *h, const struct hit_row *row, struct str value)
{
	if (row->kind == HIT_IS_FLAG)
		hit_take_flag(h, row, value);
	else
		consent_take_string(hit_text_at(h, row), value);
}

/* Texts are what nearly all hits consist of: the code that finds the name stores them. */
void hit_param(struct hit *h, struct str k, struct str value)
{
#define TAKE_IF(fits, take)                                                                        \
	if (fits) {                                                                                \
		take;                                                                              \
		return;                                                                            \
	}
#define DROPPED_IF(bad) metric_add(M_ATTR_DROPPED, bad)
#define HIT_TEXT(field, name, ...) TAKE_IF(same(k, STR(name)), h->field = value)
#define HIT_NUMBER(field, name, ...)                                                               \
	TAKE_IF(same(k, STR(name)),                                                                \
	    DROPPED_IF(!hit_take_number(h, &hit_rows[HIT_ROW_##field], value)))
#define HIT_LIST(field, prefix, ...)                                                               \
	TAKE_IF(begins(k, STR(prefix)), DROPPED_IF(!hit_take_item(h, &hit_rows[HIT_ROW_##field],   \
					    str_skip(k, STR(prefix).n), value)))
#define TAKE_SIGNAL(field, name)                                                                   \
	TAKE_IF(same(k, STR(name)), take_signal(h, &hit_rows[HIT_ROW_##field], value))
#define HIT_FLAG(field, name, ...) TAKE_SIGNAL(field, name)
#define HIT_STRING(field, name, ...) TAKE_SIGNAL(field, name)
#define HIT_SECTIONS(field, name, ...) TAKE_SIGNAL(field, name)
#include "crumb/privacy/hit_rows.h"
}

void hit_param_signal(struct hit *h, struct str name, struct str value)
{
	const struct hit_row *row = hit_row_named(name);
	if (row && hit_row_is_signal(row))
		take_signal(h, row, value);
}
