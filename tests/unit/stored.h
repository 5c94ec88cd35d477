/* A store in a folder of its own, for tests of what is in it. */
#ifndef CRUMB_TESTS_STORED_H
#define CRUMB_TESTS_STORED_H

#include "folder.h"

#include "crumb/store/store.h"

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
