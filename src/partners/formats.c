/* The list of formats, made of FORMATS (partners/format.h), and how one is found by its name. */
#include "crumb/partners/format.h"

#define FORMAT_LISTED(name) &format_##name,
const struct format *const formats[] = {FORMATS(FORMAT_LISTED) NULL};

const struct format *format_find(struct str name)
{
	for (const struct format *const *f = formats; *f; f++)
		if (str_eq(name, str_c((*f)->name)))
			return *f;
	return NULL;
}

const struct format *format_built_in(struct str id)
{
	const struct format *f = format_find(id);
	return f && f->built_in ? f : NULL;
}
