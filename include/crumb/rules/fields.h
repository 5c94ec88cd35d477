/* The fields that a rule can look at, and what is known of a visitor. Each is a row; loading,
 * matching, checking, examples, hints, the schema for editors and the tables of RULES.md follow the
 * rows. Constant; any thread. */
#ifndef CRUMB_RULES_FIELDS_H
#define CRUMB_RULES_FIELDS_H

#include "crumb/model/event.h"
#include "crumb/yaml/report.h"

#include <stddef.h>

enum rule_field {
#define FIELD(NAME, ...) FIELD_##NAME,
#include "crumb/rules/field_rows.h"
#undef FIELD
	FIELD_MAX
};

/* What a hit has that no event keeps. Views of the request. */
struct leaf_input {
	struct str title, url;
	const struct attr *params; /* p_NAME without the prefix */
	unsigned params_n;
};

/* Where the value is afterwards. */
enum field_kept {
	NOT_KEPT, /* in struct leaf_input alone: matched when the hit comes in, and then dropped */
	KEPT_WITH_EVENT,  /* in struct event: what the event is about */
	KEPT_CIRCUMSTANCE /* in struct event: place and device, which are known of the visitor as
			     well */
};

/* How the value is got from struct event, or from struct leaf_input where it is not kept. */
enum field_from {
	FROM_TEXT,     /* a struct str, `at` bytes from the beginning */
	FROM_NUMBER,   /* a uint8_t there, which counts in `words` */
	FROM_COUNTRY,  /* of the place */
	FROM_REGION,   /* of the place: alone, and with the country before it */
	FROM_ATTRS,    /* the event's attributes; the field takes a name */
	FROM_PARAMS,   /* the hit's parameters; the field takes a name */
	FROM_FUNCTION, /* of_event() or of_hit() computes it. It costs a call an event while some
			  rule wants the field */
	FROM_MAX
};

/* What the value is: how a pattern is read, and what is wrong with one. */
enum field_is {
	IS_TEXT,   /* anything; case aside */
	IS_PATH,   /* parts between slashes; one field is, for the matcher has one tree of them */
	IS_HOST,   /* a host name */
	IS_EVENT,  /* the name of an event */
	IS_WORDS,  /* words of a language, accents aside; one field is, as with paths */
	IS_CLOSED, /* one of `words`, or what known() knows */
	IS_MAX
};

/* Which patterns fit beside the value as it is (of a path: as parts; of words: as words). Bits. */
enum field_takes {
	TAKES_GLOB = 1,	 /* with '*' */
	TAKES_REGEX = 2, /* between slashes */
	TAKES_RANGE = 4, /* of numbers */
	TAKES_BELOW = 8	 /* hosts below it match, too */
};

/* What people write, and what they mean by it. */
struct slip {
	const char *written, *meant;
};

struct field {
	const char *name;    /* as written; "attr." and "p." take a name behind */
	const char *named;   /* NULL, or a regular expression of the names that it takes */
	const char *aliases; /* NULL, or what people write instead of it: "domain|hostname" */
	enum field_kept kept;
	enum field_from from;
	size_t at;
	/* FROM_FUNCTION: a view that lives as long as the event, or the hit */
	struct str (*of_event)(const struct event *e);
	struct str (*of_hit)(const struct leaf_input *in);
	enum field_is is;
	unsigned takes;			 /* enum field_takes */
	const char *const *words;	 /* CLOSED: the values that there are, or NULL */
	unsigned words_n;		 /* of them */
	bool (*known)(struct str value); /* CLOSED without words: is it a value? */
	const struct slip *slips; /* NULL, or the usual slips in values, up to one without words */
	const char *hint; /* NULL, or what a value is, for whoever wrote one that looks like none */
	const char *says, *example; /* for marketers, in Markdown */
};
extern const struct field rule_fields[FIELD_MAX];

static inline bool field_is_kept(enum rule_field f)
{
	return rule_fields[f].kept != NOT_KEPT;
}
/* Can an event have one value of it only (of one name)? Sites and regions are matched by several.
 */
static inline bool field_is_single(enum rule_field f)
{
	const struct field *row = &rule_fields[f];
	return row->kept != NOT_KEPT && row->from != FROM_REGION && !(row->takes & TAKES_BELOW);
}
/* The field that a key names, and the name that it takes; FIELD_MAX: none does. */
enum rule_field field_named(struct str key, struct str *name);
#define FIELD_TEXT 64
/* As people read it: "path", "attr.NAME". */
const char *field_text(enum rule_field f, char out[FIELD_TEXT]);

/* Checks a value of a CLOSED field or a fact; reports it with the nearest that there is. */
bool field_check(
    struct report *report, const struct yaml_place *at, enum rule_field f, struct str value);

/* --- what is known of a visitor: fields whose latest value stays with the profile. LEARNED:
 * lookalikes learn from it. */
enum fact_learned { NOT_LEARNED, LEARNED };
#define RULE_FACTS(FACT)                                                                           \
	FACT(COUNTRY, LEARNED)                                                                     \
	FACT(REGION, NOT_LEARNED)                                                                  \
	FACT(DEVICE, LEARNED)                                                                      \
	FACT(OS, LEARNED)                                                                          \
	FACT(BROWSER, LEARNED)

enum fact {
#define FACT_NUMBER(NAME, ...) FACT_##NAME,
	RULE_FACTS(FACT_NUMBER)
#undef FACT_NUMBER
	    FACT_MAX
};
struct fact_row {
	enum rule_field field; /* names it, and knows its values */
	enum fact_learned learned;
};
extern const struct fact_row rule_facts[FACT_MAX];

static inline const char *fact_name(enum fact f)
{
	return rule_fields[rule_facts[f].field].name;
}

#endif
