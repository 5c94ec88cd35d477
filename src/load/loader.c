/* What every section of a file of rules has, and a file of destinations: ids, words, labels, and
 * the version. What is read is kept in the arena of what is loaded. */
#include "crumb/load/loader.h"

#include <stdio.h>

static bool id_character(char c)
{
	return chr_alpha(c) || chr_digit(c) || c == '_' || c == '-' || c == '.';
}

/* What ID_PATTERN says. */
static bool valid_id(struct str id)
{
	if (id.n == 0 || id.n > ID_MOST || id.p[0] == '.' || id.p[id.n - 1] == '.' ||
	    id.p[0] == '-')
		return false;
	for (size_t i = 0; i < id.n; i++) {
		if (!id_character(id.p[i]))
			return false;
		if (id.p[i] == '.' && id.p[i - 1] == '.')
			return false;
	}
	return true;
}

/* Offers the id with every other character as a hyphen, if that is one: "my shop" as my-shop. */
void yaml_id(struct yaml *y, const yaml_node_t *n, char **out)
{
	struct str s;
	char near[ID_MOST + 2],
	    hint[200]; /* one byte more than an id has: too long stays too long */
	if (!yaml_value(y, n, "an id", &s))
		return;
	if (valid_id(s)) {
		*out = yaml_kept(y, s);
		return;
	}
	size_t k = 0;
	for (size_t i = 0; i < s.n && k < sizeof near - 1; i++)
		near[k++] = id_character(s.p[i]) ? s.p[i] : '-';
	near[k] = 0;
	if (valid_id(str_make(near, k)))
		snprintf(hint, sizeof hint, "did you mean '%s'?", near);
	else
		snprintf(hint, sizeof hint,
		    "an id is letters, digits, '_' and '-', with dots between parts");
	complain(y, n, "id", hint, "'" STR_FMT "' is no id", STR_ARG(s));
}

void load_words(struct yaml *y, const yaml_node_t *n, const char *what, char **out)
{
	struct str s;
	if (yaml_text(y, n, what, &s))
		*out = yaml_kept(y, s);
}

void load_version(struct yaml *y, const yaml_node_t *n)
{
	struct str s;
	if (yaml_text(y, n, "version", &s) && !str_eq(s, STR(RULES_VERSION)))
		complain(y, n, "version", NULL, "this crumb reads version: " RULES_VERSION);
}

void load_labels(struct yaml *y, const yaml_node_t *n, struct labels *out)
{
	yaml_words(y, n, "labels", &out->list, &out->n);
}
