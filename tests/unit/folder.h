/* A folder of the test that runs, which is gone when it ends. */
#ifndef CRUMB_TESTS_FOLDER_H
#define CRUMB_TESTS_FOLDER_H

#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[64];

static inline int folder_remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static inline int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/crumb-unit.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline int drop_folder(void **state)
{
	(void)state;
	return nftw(folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

#endif
