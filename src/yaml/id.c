/* Ids that people give what they write of: categories, segments, partners, destinations. */
#include "crumb/yaml/yaml.h"

#include <stdio.h>

static bool id_character(char c)
{
	return chr_alpha(c) || chr_digit(c) || c == '_' || c == '-' || c == '.';
}

/* What YAML_ID_PATTERN says. */
static bool valid_id(struct str id)
{
	if (id.n == 0 || id.n > YAML_ID_MOST || id.p[0] == '.' || id.p[id.n - 1] == '.' ||
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
	char near[YAML_ID_MOST + 2],
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
	yaml_complain(y, n, "id", hint, "'" STR_FMT "' is no id", STR_ARG(s));
}
