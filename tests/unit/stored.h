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

#define STORED_PAGE 4096

/* Where the table of visitors parts for the last time, it leads nowhere (the layout is in
 * disk/pages.c). */
static inline void damage_branches(const char *name)
{
	uint8_t page[STORED_PAGE];
	unsigned damaged = 0;
	FILE *f = open_file(name, "r+b");
	for (long at = 2 * STORED_PAGE;
	     fseek(f, at, SEEK_SET) == 0 && fread(page, 1, STORED_PAGE, f) == STORED_PAGE;
	     at += STORED_PAGE) {
		uint16_t flags, lower, node, key_size;
		memcpy(&flags, page + 10, 2);
		memcpy(&lower, page + 12, 2);
		if (flags != 1 || lower < 18 || lower > STORED_PAGE)
			continue;
		memcpy(&node, page + lower - 2, 2);
		memcpy(&key_size, page + node + 6, 2);
		if (key_size != sizeof(struct vkey))
			continue;
		memset(page + node, 0xff, 6);
		assert_true(
		    fseek(f, at, SEEK_SET) == 0 && fwrite(page, 1, STORED_PAGE, f) == STORED_PAGE);
		damaged++;
	}
	fclose(f);
	assert_true(damaged > 0);
}

#endif
