/* GET /v1/rules/category: what the files of rules say about a category, for whoever changes it.
 *
 *     any:
 *       - {event: [view, look], title: coat}
 *
 *     "any": [{"fields": [{"field": "event", "patterns": ["view", "look"]},
 *                         {"field": "title", "patterns": ["coat"]}]}]
 *
 * It is what stands there now, also when it does not serve yet. A pattern is told as it is written;
 * what is wrong with it is POST /v1/rules/check's to say. */
#include "routes.h"

#include "crumb/load/put.h"
#include "crumb/yaml/edit.h"
#include "crumb/yaml/yaml.h"

struct category_asked {
	char id[YAML_ID_MOST + 2]; /* a longer id is cut, and is then longer than any category's */
};

static enum err category_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct category_asked *asked = j->state;
	struct str id = asked_text(q, "id");
	(void)a;
	snprintf(asked->id, sizeof asked->id, STR_FMT, STR_ARG(id));
	return OK;
}

/* --- the shape of the answer */

/* A word is a list of one. What is neither is no pattern, and is left out. */
static json_t *words_of(const json_t *value)
{
	json_t *list = json_array(), *one;
	size_t i;
	if (json_is_string(value))
		json_array_append(list, (json_t *)(uintptr_t)value);
	json_array_foreach(value, i, one)
	{
		if (json_is_string(one))
			json_array_append(list, one);
	}
	return list;
}

static json_t *fields_of(const json_t *clause)
{
	json_t *fields = json_array(), *value;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)clause, name, value)
	{
		json_array_append_new(
		    fields, json_pack("{s:s,s:o}", "field", name, "patterns", words_of(value)));
	}
	return json_pack("{s:o}", "fields", fields);
}

static json_t *clauses_of(const json_t *list)
{
	json_t *clauses = json_array(), *one;
	size_t i;
	json_array_foreach(list, i, one)
	{
		json_array_append_new(clauses, fields_of(one));
	}
	return clauses;
}

static bool is_yes(const json_t *value)
{
	struct str s = str_c(json_is_string(value) ? json_string_value(value) : "");
	return str_ieq(s, STR("true")) || str_ieq(s, STR("yes"));
}

static json_t *category_json(const char *id, const char *file, const json_t *entry)
{
	return json_pack("{s:s,s:s?,s:O?,s:O?,s:o,s:o,s:o,s:o,s:b}", "id", id, "file", file, "name",
	    json_object_get(entry, "name"), "iab", json_object_get(entry, "iab"), "any",
	    clauses_of(json_object_get(entry, "any")), "all",
	    clauses_of(json_object_get(entry, "all")), "none",
	    clauses_of(json_object_get(entry, "none")), "labels",
	    words_of(json_object_get(entry, "labels")), "sensitive",
	    is_yes(json_object_get(entry, "sensitive")));
}

/* --- the entry */

/* A parent that exists through its children is in the rules, and stands in no file. */
static bool is_parent(struct admin *a, const char *id)
{
	struct rules *newest = node_rules(a->node);
	bool found = false;
	for (size_t i = 0; i < newest->categories_n && !found; i++)
		found = newest->categories[i].id && strcmp(newest->categories[i].id, id) == 0;
	rules_unref(newest);
	return found;
}

/* The first file that has it. A file that cannot be read as YAML has none, unless no other has. */
static enum err find_category(
    const struct rule_files *f, const char *id, const char **file, json_t **entry)
{
	enum err trouble = OK;
	for (unsigned i = 0; i < f->n; i++) {
		struct yaml_entry in = {f->list[i].text, f->list[i].name, "categories", id};
		enum err e = yaml_edit_read(&in, entry);
		if (!e) {
			*file = f->list[i].name;
			return OK;
		}
		if (e != ERR_NOT_FOUND)
			trouble = e;
	}
	return trouble;
}

static void category(struct admin *a, struct job *j)
{
	const struct category_asked *asked = j->state;
	struct rule_files f;
	json_t *entry = NULL;
	const char *file = NULL;
	j->result = rule_files_read(a->shared->config->rules_path, &f);
	if (!j->result)
		j->result = find_category(&f, asked->id, &file, &entry);
	if (!j->result && !file && !is_parent(a, asked->id))
		j->result = err_set(ERR_NOT_FOUND, "there is no category '%s'", asked->id);
	if (!j->result)
		j->answer = category_json(asked->id, file, entry);
	json_decref(entry);
	rule_files_done(&f);
}

/* --- shapes */

static const struct shape field_fields[] = {
    {"field", SHAPE_TEXT, .help = "what is looked at: `path`, `event`, `attr.NAME` …"},
    {"patterns", SHAPE_TEXTS, .help = "one of them must match"},
    {0},
};

static const struct shape clause_fields[] = {
    {"fields", SHAPE_LIST, .help = "all of them must match", .of = field_fields},
    {0},
};

static const struct shape category_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"file", SHAPE_TEXT, SHAPE_OR_NULL,
	.help =
	    "the file that it stands in; null: it is a parent that exists through its children"},
    {"name", SHAPE_TEXT, SHAPE_OR_NULL, .help = "null: the id is its name"},
    {"iab", SHAPE_TEXT, SHAPE_OR_NULL, .help = "row of the IAB's Audience Taxonomy"},
    {"any", SHAPE_LIST, .help = "one entry must match; empty: it has none", .of = clause_fields},
    {"all", SHAPE_LIST, .help = "every entry must match", .of = clause_fields},
    {"none", SHAPE_LIST, .help = "no entry may match", .of = clause_fields},
    {"labels", SHAPE_TEXTS, .when = SHAPE_ALWAYS},
    {"sensitive", SHAPE_TRUTH, .help = "its rule says so itself"},
    {0},
};

const struct route routes_rule_category[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/rules/category",
	.help = "What the files of rules say about a category, as they stand now. "
		"`POST /v1/rules/edit` takes `any`, `all` and `none` as lists of "
		"`{field: pattern or [patterns]}`.",
	.role = ROLE_MARKETER,
	.by = BY_TELL,
	.params = {{"id", PARAM_TEXT, PARAM_MUST, .help = "Id of the category.",
	    .example = "apparel.coats"}},
	.answers = {{200, "the category", .shape = {.kind = SHAPE_OBJECT, .of = category_fields}},
	    {400, .when =
		      "its file cannot be edited, for it has anchors, aliases or tags, or is no "
		      "YAML"},
	    {404, .when = "there is no category of that id"}},
	.state = sizeof(struct category_asked),
	.parse = category_parse,
	.run = category,
    },
    {0},
};
