/* Inside the store: where a file of it is. */
#ifndef CRUMB_SRC_STORE_STORE_PATH_H
#define CRUMB_SRC_STORE_STORE_PATH_H

#include "crumb/store/store.h"

#include <stdio.h>

/* `name`: below the store. Never cut: STORE_PATH_MAX leaves room for it. */
static inline void store_path(const struct store *s, const char *name, char out[FILE_PATH_MAX])
{
	snprintf(out, FILE_PATH_MAX, "%s/%s", s->path, name);
}

#endif
