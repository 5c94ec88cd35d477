/* msgpack: what another writer writes is read, and cut bytes are no value. */
#include "unit.h"

#include "crumb/base/mp.h"

TEST(msgpack_reads_what_msgpack_c_writes)
{
	struct buf b = {0};
	msgpack_packer pk;
	static const uint64_t numbers[] = {
	    0, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
	char big[70000];
	memset(big, 'x', sizeof big);
	mp_packer(&pk, &b);
	for (size_t i = 0; i < 10; i++)
		msgpack_pack_uint64(&pk, numbers[i]);
	mp_put_str(&pk, STR("short"));
	mp_put_bin(&pk, big, 300);
	mp_put_str(&pk, str_make(big, sizeof big));
	msgpack_pack_array(&pk, 70000);
	msgpack_pack_map(&pk, 20);
	msgpack_pack_nil(&pk);
	msgpack_pack_double(&pk, -1.5);
	struct mp m = mp_over(buf_view(&b));
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(mp_uint(&m), numbers[i]);
	assert_true(str_eq(mp_str(&m), STR("short")));
	assert_int_equal(mp_str(&m).n, 300);
	assert_int_equal(mp_str(&m).n, sizeof big);
	assert_int_equal(mp_array(&m), 70000);
	assert_int_equal(mp_map(&m), 20);
	assert_true(mp_nil(&m));
	assert_true(mp_double(&m) == -1.5);
	assert_false(m.bad);
	assert_true(m.p == m.end);
	for (size_t cut = 0; cut < b.n; cut += cut < 400 ? 1 : 997) {
		struct mp c = mp_over(str_make(b.p, cut));
		while (!c.bad && c.p < c.end)
			(void)mp_uint(&c);
	}
	mp_uint(&m);
	assert_true(m.bad); /* past the end */
	buf_done(&b);
}

TEST(any_msgpack_value_is_passed_over_whole)
{
	struct buf b = {0};
	msgpack_packer pk;
	mp_packer(&pk, &b);
	for (int round = 0; round < 2; round++) {
		msgpack_pack_array(&pk, 9);
		msgpack_pack_uint64(&pk, 1ull << 40);
		msgpack_pack_int64(&pk, -5000000000);
		msgpack_pack_double(&pk, 1.5);
		msgpack_pack_nil(&pk);
		msgpack_pack_true(&pk);
		mp_put_str(&pk,
		    STR("a text that is longer than thirty-one bytes, so that it has a length"));
		mp_put_bin(&pk, "bin", 3);
		msgpack_pack_map(&pk, 1);
		mp_put_str(&pk, STR("k"));
		msgpack_pack_array(&pk, 0);
		msgpack_pack_uint8(&pk, 7);
	}
	struct mp m = mp_over(buf_view(&b));
	mp_skip(&m);
	assert_true(!m.bad && (size_t)(m.end - m.p) == b.n / 2);
	mp_skip(&m);
	assert_true(!m.bad && m.p == m.end);
	for (size_t cut = 0; cut < b.n / 2; cut++) {
		struct mp part = mp_over(str_make(b.p, cut));
		mp_skip(&part);
		assert_true(part.bad);
	}
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(msgpack_reads_what_msgpack_c_writes),
    cmocka_unit_test(any_msgpack_value_is_passed_over_whole))
