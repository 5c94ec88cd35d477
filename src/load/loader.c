/* What every section of a file of rules, and a file of destinations, has: ids, words, labels. Kept
 * in the arena of what is loaded. */
#include "crumb/load/loader.h"

#include <stdio.h>

static bool valid_id(struct str id)
{
	if (id.n == 0 || id.n > ID_MOST || id.p[0] == '.' || id.p[id.n - 1] == '.' ||
	    id.p[0] == '-')
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		if (!chr_alpha(c) && !chr_digit(c) && c != '_' && c != '-' && c != '.')
			return false;
		if (c == '.' && id.p[i - 1] == '.')
			return false;
	}
	return true;
}

void yaml_id(struct yaml *y, const yaml_node_t *n, char **out)
{
	struct str s;
	char near[130], hint[200];
	if (!yaml_value(y, n, "an id", &s))
		return;
	if (valid_id(s)) {
		*out = yaml_kept(y, s);
		return;
	}
	size_t k = 0;
	for (size_t i = 0; i < s.n && k < sizeof near - 1; i++)
		near[k++] = chr_alpha(s.p[i]) || chr_digit(s.p[i]) || s.p[i] == '_' || s.p[i] == '.'
				? s.p[i]
				: '-';
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

void load_labels(struct yaml *y, const yaml_node_t *n, struct labels *out)
{
	yaml_words(y, n, "labels", &out->list, &out->n);
}
