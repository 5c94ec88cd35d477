/* Keys that go from node to node: they come as they were, or not at all. */
#include "unit.h"

#include "crumb/cluster/handed.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct cluster_key ours, theirs;

static struct keys *store_keys(char path[64])
{
	struct keys *k;
	snprintf(path, 64, "/tmp/crumb-handed-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(keys_open(path, KEYS_MAKE, &k), OK);
	return k;
}

static int make_keys(void **state)
{
	memset(ours.bytes, 1, sizeof ours.bytes);
	memset(theirs.bytes, 2, sizeof theirs.bytes);
	return 0;
}

TEST(what_is_handed_out_are_the_keys_of_the_store)
{
	char path[64];
	uint8_t key[32], id[STORE_ID_LEN];
	struct keys *k = store_keys(path);
	struct identity_keys identity;
	struct handed_keys h;
	assert_int_equal(handed_read(k, 20000, &h), OK);
	keys_id(k, id);
	assert_memory_equal(h.store_id, id, sizeof id);
	assert_int_equal(h.first_day, 20000);
	for (unsigned i = 0; i < HANDED_DAYS; i++) {
		assert_int_equal(keys_day(k, (uint16_t)(20000 + i), KEYS_DAY_FIND, key), OK);
		assert_memory_equal(h.days[i], key, sizeof key);
	}
	assert_int_equal(keys_day(k, 20000 + HANDED_DAYS, KEYS_DAY_FIND, key), ERR_NOT_FOUND);
	assert_int_equal(keys_identity(k, 20000, &identity), OK);
	assert_memory_equal(h.identity.cookie.b, identity.cookie.b, 16);
	assert_memory_equal(
	    h.identity.generations, identity.generations, sizeof identity.generations);
	keys_close(k);
	unlink(path);
}

TEST(keys_of_partners_ids_stay_at_home)
{
	char path[64];
	struct keys *k = store_keys(path);
	struct handed_keys h;
	assert_int_equal(handed_read(k, 20000, &h), OK);
	assert_true(sodium_is_zero(h.identity.imported.b, 16));
	assert_true(sodium_is_zero(h.identity.exported.b, 16));
	keys_close(k);
	unlink(path);
}

/* A second node that asks on the next day gets the same keys for the days that both know. */
TEST(a_day_has_one_key_whoever_asks_and_when)
{
	char path[64];
	struct keys *k = store_keys(path);
	struct handed_keys one, two;
	assert_int_equal(handed_read(k, 20000, &one), OK);
	assert_int_equal(handed_read(k, 20001, &two), OK);
	assert_memory_equal(one.days[1], two.days[0], 32);
	assert_memory_equal(one.days[2], two.days[1], 32);
	assert_memory_not_equal(two.days[1], two.days[2], 32);
	keys_close(k);
	unlink(path);
}

static void some(struct handed_keys *h)
{
	memset(h, 0, sizeof *h);
	randombytes_buf(h->store_id, sizeof h->store_id);
	randombytes_buf(h->days, sizeof h->days);
	randombytes_buf(h->identity.cookie.b, 16);
	h->first_day = 20333;
	for (unsigned i = 0; i < 4; i++) {
		h->identity.generations[i].first_day = (uint16_t)(20000 + 30 * i);
		randombytes_buf(h->identity.generations[i].key.b, 16);
	}
}

TEST(what_was_sealed_is_opened_as_it_was)
{
	struct handed_keys h, got;
	uint8_t sealed[HANDED_LEN];
	some(&h);
	memset(&got, 0xff, sizeof got);
	handed_seal(&ours, &h, sealed);
	assert_int_equal(handed_open(&ours, str_make((char *)sealed, sizeof sealed), &got), OK);
	assert_memory_equal(got.store_id, h.store_id, sizeof h.store_id);
	assert_int_equal(got.first_day, h.first_day);
	assert_memory_equal(got.days, h.days, sizeof h.days);
	assert_memory_equal(&got.identity, &h.identity, sizeof h.identity);
}

TEST(no_key_stands_among_the_sealed_bytes)
{
	struct handed_keys h;
	uint8_t sealed[HANDED_LEN];
	some(&h);
	handed_seal(&ours, &h, sealed);
	for (unsigned i = 0; i < HANDED_DAYS; i++)
		assert_null(memmem(sealed, sizeof sealed, h.days[i], 8));
	assert_null(memmem(sealed, sizeof sealed, h.identity.cookie.b, 8));
}

TEST(every_bit_counts_and_so_does_the_length)
{
	struct handed_keys h, got, before;
	uint8_t sealed[HANDED_LEN + 1] = {0};
	some(&h);
	memset(&got, 0x5a, sizeof got);
	before = got;
	handed_seal(&ours, &h, sealed);
	for (size_t i = 0; i < 8 * HANDED_LEN; i++) {
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(
		    handed_open(&ours, str_make((char *)sealed, HANDED_LEN), &got), ERR_CORRUPT);
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n <= sizeof sealed; n++)
		if (n != HANDED_LEN)
			assert_int_equal(
			    handed_open(&ours, str_make((char *)sealed, n), &got), ERR_CORRUPT);
	assert_int_equal(
	    handed_open(&theirs, str_make((char *)sealed, HANDED_LEN), &got), ERR_CORRUPT);
	assert_memory_equal(&got, &before, sizeof got); /* untouched by all that failed */
}

UNIT_TESTS_BETWEEN(make_keys, NULL, cmocka_unit_test(what_is_handed_out_are_the_keys_of_the_store),
    cmocka_unit_test(keys_of_partners_ids_stay_at_home),
    cmocka_unit_test(a_day_has_one_key_whoever_asks_and_when),
    cmocka_unit_test(what_was_sealed_is_opened_as_it_was),
    cmocka_unit_test(no_key_stands_among_the_sealed_bytes),
    cmocka_unit_test(every_bit_counts_and_so_does_the_length))
