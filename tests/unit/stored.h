/* A store in a folder of its own, for tests of what is in it. */
#ifndef CRUMB_TESTS_STORED_H
#define CRUMB_TESTS_STORED_H

#include "unit.h"

#include "crumb/store/store.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[64]; /* of the test that runs */

static inline int stored_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static inline int make_folder(void **state)
{
	strcpy(folder, "/tmp/crumb-unit.XXXXXX");
	return sodium_init() < 0 || !mkdtemp(folder) ? -1 : 0;
}

static inline int drop_folder(void **state)
{
	return nftw(folder, stored_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

static inline struct store *open_store_as(struct config *c, enum store_mode mode)
{
	struct store *s = NULL;
	char option[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(store_open(c, mode, &s), OK);
	return s;
}

static inline struct store *open_store(struct config *c)
{
	return open_store_as(c, STORE_WRITE);
}

static inline void close_store(struct store *s, struct config *c)
{
	store_close(s);
	config_done(c);
}

static inline struct store *again(struct store *s, struct config *c)
{
	close_store(s, c);
	return open_store(c);
}

static inline FILE *open_file(const char *name, const char *mode)
{
	char path[128];
	snprintf(path, sizeof path, "%s/store/%s", folder, name);
	FILE *f = fopen(path, mode);
	assert_non_null(f);
	return f;
}

#endif
