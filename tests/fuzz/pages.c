/* An LMDB file in which somebody wrote: what the page walker lets through, LMDB reads and writes without giving up the process.
 *
 * The input is a list of changes to a small file that is made at the first call: offset u24, a byte that is written there. */
#include "crumb/disk/db.h"

#include "crumb/disk/pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP ((size_t)64 << 20)
#define MOST (1 << 20)

static char folder[] = "/tmp/crumb-fuzz-pages.XXXXXX", file[64], lock[64];
static uint8_t whole[MOST], bytes[MOST];
static size_t whole_n;
static volatile uint8_t seen;
static const char *const tables[] = {"few", "many", "large"};

static void put_some(struct db_txn *t, db_table table, unsigned from, unsigned to, size_t size)
{
	char key[16], value[9000];
	memset(value, 'v', sizeof value);
	for (unsigned i = from; i < to; i++) {
		snprintf(key, sizeof key, "key %06u", i);
		db_put(t, table, str_c(key), str_make(value, size));
	}
}

/* Three tables: one page, a tree of two levels, values with pages of their own; and pages that were freed. */
static void make(void)
{
	struct db d;
	struct db_txn t;
	db_table h[3];
	CHECK(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/data.mdb", folder);
	snprintf(lock, sizeof lock, "%s/lock.mdb", folder);
	CHECK(db_open(&d, folder, MAP, 4, DB_REBUILT) == OK && db_begin(&d, DB_WRITE, &t) == OK);
	for (int i = 0; i < 3; i++)
		CHECK(db_open_table(&t, tables[i], &h[i]) == OK);
	put_some(&t, h[0], 0, 5, 10);
	put_some(&t, h[1], 0, 400, 60);
	put_some(&t, h[2], 0, 3, 9000);
	CHECK(db_end(&t) == OK);
	for (int round = 0; round < 3; round++) {
		CHECK(db_begin(&d, DB_WRITE, &t) == OK);
		put_some(&t, h[1], 100, 250, 30);
		CHECK(db_del(&t, h[2], STR("key 000001")) == (round == 0));
		CHECK(db_end(&t) == OK);
	}
	db_close(&d);
	int fd = open(file, O_RDONLY);
	ssize_t n = read(fd, whole, sizeof whole);
	CHECK(n > 0 && n < MOST);
	whole_n = (size_t)n;
	close(fd);
	CHECK(pages_check(file, PAGES_ALL, 0) == OK);
}

static void use(void)
{
	struct db d;
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	db_table h[3];
	if (db_open(&d, folder, MAP, 4, DB_REBUILT) != OK)
		return;
	if (db_begin(&d, DB_WRITE, &t) == OK) {
		for (int i = 0; i < 3 && !t.err; i++) {
			if (db_open_table(&t, tables[i], &h[i]) != OK)
				break;
			db_walk(&t, h[i], &c);
			while (db_next(&c, &key, &value))
				for (size_t k = 0; k < value.n; k += 512)
					seen = (uint8_t)value.p[k];
			db_walk_end(&c);
			put_some(&t, h[i], 0, 40, 100);
			db_del(&t, h[i], STR("key 000002"));
		}
		if (t.err)
			db_abort(&t);
		else
			(void)!db_end(&t);
	}
	db_close(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!whole_n)
		make();
	memcpy(bytes, whole, whole_n);
	for (; n >= 4; data += 4, n -= 4)
		bytes[((size_t)data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) % whole_n] = data[3];
	unlink(lock);
	int fd = open(file, O_WRONLY | O_TRUNC);
	CHECK(fd >= 0 && write(fd, bytes, whole_n) == (ssize_t)whole_n);
	close(fd);
	if (pages_check(file, PAGES_ALL, 0) == OK)
		use();
	return 0;
}
