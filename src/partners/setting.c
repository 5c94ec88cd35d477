/* Settings and the secrets behind them; partners/setting.h says what a value may be. */
#include "crumb/partners/setting.h"

#include "crumb/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str setting_get(const struct setting *list, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq(list[i].name, str_c(name)))
			return list[i].value;
	return STR("");
}

enum err setting_resolve(struct str value, char *out, size_t cap)
{
	char name[1024];
	if (!str_starts(value, STR("env:")) && !str_starts(value, STR("file:"))) {
		snprintf(out, cap, STR_FMT, STR_ARG(value));
		return OK;
	}
	bool env = value.p[0] == 'e';
	snprintf(name, sizeof name, STR_FMT, STR_ARG(str_skip(value, env ? 4 : 5)));
	if (env) {
		const char *v = getenv(name);
		if (!v)
			return err_set(ERR_USAGE, "the environment has no %s", name);
		snprintf(out, cap, "%s", v);
		return OK;
	}
	if (file_read_text(name, out, cap) != OK)
		return ERR_USAGE; /* whoever wrote the configuration named the file */
	out[strcspn(out, "\r\n")] = 0;
	return OK;
}
