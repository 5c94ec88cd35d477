/* reference: the rows of the rules' language. */
#include "references.h"

#include "crumb/rules/fields.h"

static void append(json_t *rows, json_t *row)
{
	CHECK(json_array_append_new(rows, row) == 0);
}

/* "a|b" as an array; NULL is an empty one. */
static json_t *list_of(const char *text)
{
	json_t *list = json_array();
	struct str rest = str_c(text ? text : ""), word;
	while (str_cut(&rest, '|', &word) && word.n)
		append(list, json_stringn(word.p, word.n));
	return list;
}

/* Which patterns fit: the value as it is read first, and then what may stand for it. */
static json_t *patterns_of(const struct field *row)
{
	static const char *const as_is[IS_MAX] = {[IS_TEXT] = "exact",
	    [IS_PATH] = "path",
	    [IS_HOST] = "exact",
	    [IS_EVENT] = "exact",
	    [IS_WORDS] = "words",
	    [IS_CLOSED] = "exact"};
	static const struct {
		enum field_takes bit;
		const char *name;
	} others[] = {{TAKES_GLOB, "glob"}, {TAKES_BELOW, "below"}, {TAKES_RANGE, "range"},
	    {TAKES_REGEX, "regex"}};
	json_t *list = json_pack("[s]", as_is[row->is]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (row->takes & others[i].bit)
			append(list, json_string(others[i].name));
	return list;
}

static bool is_fact(enum rule_field f)
{
	for (int i = 0; i < FACT_MAX; i++)
		if (rule_facts[i].field == f)
			return true;
	return false;
}

json_t *reference_fields(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (int i = 0; i < FIELD_MAX; i++) {
		enum rule_field f = (enum rule_field)i;
		const struct field *row = &rule_fields[f];
		char text[FIELD_TEXT];
		json_t *words = json_array();
		for (unsigned k = 0; k < row->words_n; k++)
			append(words, json_string(row->words[k]));
		append(rows, json_pack("{s:s,s:s,s:s?,s:o,s:b,s:b,s:o,s:o,s:s,s:s}", "name",
				 row->name, "text", field_text(f, text), "named", row->named,
				 "aliases", list_of(row->aliases), "kept", field_is_kept(f), "fact",
				 is_fact(f), "patterns", patterns_of(row), "words", words, "says",
				 row->says, "example", row->example));
	}
	return rows;
}
