/* The file of cluster.key, and what is derived from it. */
#include "unit.h"

#include "crumb/base/file.h"
#include "crumb/cluster/cluster_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static void begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/crumb-key-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/key", folder);
}

static void end(void)
{
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

static void put(const char *text, unsigned mode)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void refused(enum err e, const char *words)
{
	struct cluster_key *k = NULL;
	assert_int_equal(cluster_key_open(path, &k), e);
	assert_null(k);
	if (!strstr(err_text(), words))
		fail_msg("'%s' is not said: %s", words, err_text());
}

TEST(a_key_that_was_made_is_read_and_only_its_owner_may)
{
	struct cluster_key *k, *again;
	struct stat st;
	begin();
	assert_int_equal(cluster_key_make(path), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	assert_int_equal(cluster_key_open(path, &k), OK);
	assert_int_equal(cluster_key_open(path, &again), OK);
	assert_memory_equal(k->bytes, again->bytes, CLUSTER_KEY_LEN);
	cluster_key_close(k);
	cluster_key_close(again);
	end();
}

TEST(two_keys_that_are_made_differ)
{
	struct cluster_key *one, *two;
	begin();
	assert_int_equal(cluster_key_make(path), OK);
	assert_int_equal(cluster_key_open(path, &one), OK);
	unlink(path);
	assert_int_equal(cluster_key_make(path), OK);
	assert_int_equal(cluster_key_open(path, &two), OK);
	assert_memory_not_equal(one->bytes, two->bytes, CLUSTER_KEY_LEN);
	cluster_key_close(one);
	cluster_key_close(two);
	end();
}

TEST(a_key_in_use_is_not_overwritten)
{
	char text[65];
	begin();
	put("something\n", 0600);
	assert_int_equal(cluster_key_make(path), ERR_USAGE);
	assert_int_equal(file_read_text(path, text, sizeof text), OK);
	assert_string_equal(text, "something\n");
	end();
}

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

TEST(a_key_that_others_can_read_is_refused)
{
	static const unsigned modes[] = {0640, 0620, 0604, 0602, 0610, 0601};
	begin();
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		put(DIGITS "\n", modes[i]);
		refused(ERR_USAGE, "chmod 600");
	}
	put(DIGITS "\n", 0400);
	struct cluster_key *k;
	assert_int_equal(cluster_key_open(path, &k), OK);
	cluster_key_close(k);
	end();
}

TEST(what_is_no_key_is_refused)
{
	static const char *const texts[] = {"", "\n", "00", DIGITS "0", DIGITS "\n\n",
	    DIGITS "00\n", "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
	    DIGITS "\n" DIGITS "\n"};
	begin();
	refused(ERR_NOT_FOUND, "crumb cluster key");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		put(texts[i], 0600);
		refused(ERR_USAGE, "64 hex digits");
	}
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(ERR_USAGE, "is no file");
	end();
}

/* The same on every node and in every version: a rolling restart must not divide nodes. */
TEST(what_is_derived_is_always_the_same)
{
	static struct cluster_identity a, b;
	struct cluster_key k;
	for (unsigned i = 0; i < CLUSTER_KEY_LEN; i++)
		k.bytes[i] = (uint8_t)i;
	assert_int_equal(cluster_identity(&k, &a), OK);
	assert_int_equal(cluster_identity(&k, &b), OK);
	assert_string_equal(a.certificate, b.certificate);
	assert_string_equal(a.key, b.key);
	/* by BLAKE2b of Python's hashlib and `openssl pkey` */
	assert_string_equal(a.pin, "sha256//PP7iWLfQFA41RUaxJpcykLxZYn1TrT3Gr8Cz5mPnbu4=");
	k.bytes[31] ^= 1;
	assert_int_equal(cluster_identity(&k, &b), OK);
	assert_string_not_equal(a.pin, b.pin);
	assert_string_not_equal(a.key, b.key);
}

UNIT_TESTS(cmocka_unit_test(a_key_that_was_made_is_read_and_only_its_owner_may),
    cmocka_unit_test(two_keys_that_are_made_differ),
    cmocka_unit_test(a_key_in_use_is_not_overwritten),
    cmocka_unit_test(a_key_that_others_can_read_is_refused),
    cmocka_unit_test(what_is_no_key_is_refused),
    cmocka_unit_test(what_is_derived_is_always_the_same))
