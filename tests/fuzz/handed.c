/* Bytes that claim to be handed keys: they are none, or just those that were sealed.
 *
 * The first byte says how: 0 the bytes are what came; else they are keys, which are sealed, opened, and opened again with a bit turned. */
#include "crumb/cluster/handed.h"

#include <sodium.h>
#include <string.h>

static const struct cluster_key key = {{7}};

static void there_and_back(const uint8_t *data, size_t n)
{
	struct handed_keys h, got, other;
	uint8_t sealed[HANDED_LEN];
	memset(&h, 0, sizeof h);
	memset(&got, 0, sizeof got);
	memcpy(h.store_id, data, n < sizeof h.store_id ? n : sizeof h.store_id);
	for (size_t i = 0; i < n; i++)
		((uint8_t *)h.days)[i % sizeof h.days] ^= data[i];
	h.first_day = (uint16_t)(n * 251);
	h.identity.generations[n % GENERATIONS_MAX].first_day = (uint16_t)n;
	handed_seal(&key, &h, sealed);
	CHECK(handed_open(&key, str_make((char *)sealed, sizeof sealed), &got) == OK);
	CHECK(memcmp(got.days, h.days, sizeof h.days) == 0 && got.first_day == h.first_day);
	CHECK(memcmp(&got.identity, &h.identity, sizeof h.identity) == 0);
	sealed[n % HANDED_LEN] ^= 1;
	CHECK(handed_open(&key, str_make((char *)sealed, sizeof sealed), &other) == ERR_CORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct handed_keys got;
	CHECK(sodium_init() >= 0);
	if (n && data[0])
		there_and_back(data + 1, n - 1);
	else if (n)
		CHECK(handed_open(&key, str_make((const char *)data + 1, n - 1), &got) == ERR_CORRUPT);
	return 0;
}
