/* reference fields, rule-maps, condition-forms: the rows of the rules' language (rules/fields.h,
 * load/load.h, condition/forms.h). etc/rules.schema.json and tables of docs/RULES.md are made from
 * them. */
#include "references.h"

#include "crumb/condition/forms.h"
#include "crumb/load/load.h"
#include "crumb/rules/fields.h"

/* "a|b" as an array; NULL is an empty array. */
static json_t *list_of(const char *text)
{
	json_t *list = json_array();
	struct str rest = str_c(text ? text : ""), word;
	while (str_cut(&rest, '|', &word) && word.n)
		reference_add(list, json_stringn(word.p, word.n));
	return list;
}

/* Which kinds of pattern fit a field: first the kind that a plain value is read as. */
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
			reference_add(list, json_string(others[i].name));
	return list;
}

/* Is the field a fact about the visitor (rules/fact.h), and not only about a hit? */
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
			reference_add(words, json_string(row->words[k]));
		reference_add(rows, json_pack("{s:s,s:s,s:s?,s:o,s:b,s:b,s:o,s:o,s:s,s:s}", "name",
					row->name, "text", field_text(f, text), "named", row->named,
					"aliases", list_of(row->aliases), "kept", field_is_kept(f),
					"fact", is_fact(f), "patterns", patterns_of(row), "words",
					words, "says", row->says, "example", row->example));
	}
	return rows;
}

static json_t *key_row(const struct yaml_key *k)
{
	static const char *const shapes[KEY_MAX] = {[KEY_ANY] = "any",
	    [KEY_TEXT] = "text",
	    [KEY_COUNT] = "count",
	    [KEY_NUMBER] = "number",
	    [KEY_TRUTH] = "truth",
	    [KEY_CHOICE] = "choice",
	    [KEY_WORDS] = "words",
	    [KEY_VALUES] = "values",
	    [KEY_MAPS] = "maps",
	    [KEY_MATCHES] = "matches",
	    [KEY_PARTS] = "parts"};
	json_t *row = json_pack("{s:s,s:s,s:s?,s:o}", "name", k->name, "shape", shapes[k->shape],
	    "says", k->says, "aliases", list_of(k->aliases));
	if (k->pattern)
		json_object_set_new(row, "pattern", json_string(k->pattern));
	if (k->words)
		json_object_set_new(row, "words", list_of(k->words));
	if (k->of)
		json_object_set_new(row, "of", json_string(k->of->name));
	if (k->min)
		json_object_set_new(row, "min", json_integer(k->min));
	if (k->max)
		json_object_set_new(row, "max", json_integer(k->max));
	return row;
}

/* The map, and behind it those that are in it. */
static void add_map(json_t *rows, const struct yaml_table *t)
{
	json_t *keys = json_array();
	for (size_t i = 0; i < t->keys_n; i++)
		reference_add(keys, key_row(&t->keys[i]));
	reference_add(
	    rows, json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "name", t->name, "what", t->what,
		      "required", list_of(t->required), "any_of", list_of(t->any_of), "one_of",
		      list_of(t->one_of), "or_else", list_of(t->or_else), "keys", keys));
	for (size_t i = 0; i < t->keys_n; i++)
		if (t->keys[i].of)
			add_map(rows, t->keys[i].of);
}

json_t *reference_maps(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	add_map(rows, &rules_table);
	return rows;
}

json_t *reference_forms(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (size_t i = 0; i < condition_forms_n; i++) {
		const struct condition_form *f = &condition_forms[i];
		reference_add(rows, json_pack("{s:s,s:s,s:s}", "form", f->form, "says", f->says,
					"example", f->example));
	}
	return rows;
}
