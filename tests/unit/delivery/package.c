/* delivery/package: files within a destination's limits, with their sums. */
#include "folder.h"

#include "encoded.h"

#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/base/memory.h"
#include "crumb/delivery/package.h"

#include <sodium.h>
#include <zlib.h>
#include <zstd.h>

static struct destination lake;

static int begin(void **state)
{
	memory_begin();
	lake = (struct destination){
	    .id = (char *)(uintptr_t) "lake", .format = &format_csv, .partner = -1};
	return make_folder(state);
}
#define PACKED(name) cmocka_unit_test_setup_teardown(name, begin, drop_folder)

/* Writes so many ids of one row each; the file that each is in goes to `chunks`. */
static const struct format_file *package(
    unsigned ids, uint32_t *chunks, unsigned *files, struct package **out)
{
	bool written;
	char id[32];
	const struct out_row row = ADD(coats, 1);
	assert_int_equal(package_begin(&lake, folder, FORMAT_DELTA, STR("delivery-1"), NOW, NOW, out), OK);
	for (unsigned i = 0; i < ids; i++) {
		snprintf(id, sizeof id, "visitor-%04u", i);
		struct out_item item = {.id = str_c(id), .rows = &row, .n = 1};
		assert_int_equal(package_item(*out, &item, 1, &chunks[i], &written), OK);
		assert_true(written);
	}
	assert_int_equal(package_end(*out), OK);
	return package_files(*out, files);
}

static struct buf contents(const char *name)
{
	struct buf b = {0};
	char path[400];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(file_read(path, 64 << 20, &b), OK);
	return b;
}

static void sums_are_right(const struct format_file *f)
{
	struct buf b = contents(f->name);
	uint8_t sum[32];
	char hex[65] = "";
	crypto_hash_sha256(sum, (uint8_t *)b.p, b.n);
	hex_encode(sum, 32, hex);
	hex[64] = 0;
	assert_string_equal(f->sha256, hex);
	assert_int_equal(f->bytes, b.n);
	crypto_hash_sha256(sum, (uint8_t *)b.p, b.n < FORMAT_BEGINS ? b.n : FORMAT_BEGINS);
	hex_encode(sum, 32, hex);
	assert_string_equal(f->begins, f->rows ? hex : "");
	buf_done(&b);
}

TEST(rows_of_a_file_are_at_most_what_the_destination_takes)
{
	uint32_t chunks[25];
	unsigned n;
	struct package *p;
	lake.rows = 10;
	const struct format_file *f = package(25, chunks, &n, &p);
	assert_int_equal(n, 3);
	assert_true(f[0].rows == 10 && f[1].rows == 10 && f[2].rows == 5);
	assert_true(chunks[9] == 0 && chunks[10] == 1 && chunks[24] == 2);
	assert_string_equal(f[0].name, "lake_delta_20261123T120000Z_part001.csv");
	assert_string_equal(f[2].name, "lake_delta_20261123T120000Z_part003.csv");
	for (unsigned i = 0; i < n; i++) {
		struct buf b = contents(f[i].name);
		assert_true(str_starts(buf_view(&b),
		    STR("id,segment,expires,action\nvisitor-"))); /* each has its head */
		assert_int_equal(f[i].lines, f[i].rows + 1);
		assert_int_equal(f[i].raw, b.n);
		buf_done(&b);
		sums_are_right(&f[i]);
	}
	package_free(p);
}

TEST(a_long_file_has_the_sum_of_its_beginning_too)
{
	static uint32_t chunks[150000];
	unsigned n;
	struct package *p;
	const struct format_file *f = package(150000, chunks, &n, &p);
	assert_int_equal(n, 1);
	assert_true(f[0].bytes > FORMAT_BEGINS);
	assert_string_not_equal(f[0].begins, f[0].sha256);
	sums_are_right(&f[0]);
	package_free(p);
}

TEST(bytes_of_a_file_are_at_most_what_the_destination_takes)
{
	static uint32_t chunks[200];
	unsigned n;
	struct package *p;
	uint64_t rows = 0;
	lake.bytes = 1000;
	const struct format_file *f = package(200, chunks, &n, &p);
	assert_true(n > 5);
	for (unsigned i = 0; i < n; i++) {
		assert_true(f[i].raw <= 1000 && (f[i].raw > 800 || i == n - 1));
		rows += f[i].rows;
	}
	assert_int_equal(rows, 200);
	package_free(p);
}

TEST(one_item_that_is_too_large_has_a_file_of_its_own)
{
	uint32_t chunks[3];
	unsigned n;
	struct package *p;
	lake.bytes = 10;
	const struct format_file *f = package(3, chunks, &n, &p);
	assert_int_equal(n, 3);
	assert_true(f[1].rows == 1 && chunks[2] == 2);
	package_free(p);
}

TEST(compressed_files_unpack_to_what_was_written)
{
	static uint32_t chunks[500];
	static char out[100000];
	struct package *p;
	unsigned n;
	lake.compress = COMPRESS_GZ;
	const struct format_file *f = package(500, chunks, &n, &p);
	assert_string_equal(f[0].name, "lake_delta_20261123T120000Z_part001.csv.gz");
	sums_are_right(&f[0]);
	struct buf b = contents(f[0].name);
	z_stream z = {.next_in = (Bytef *)b.p,
	    .avail_in = (uInt)b.n,
	    .next_out = (Bytef *)out,
	    .avail_out = sizeof out};
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, f[0].raw);
	assert_true(str_starts(
	    str_make(out, z.total_out), STR("id,segment,expires,action\nvisitor-0000,101,")));
	inflateEnd(&z);
	assert_true(f[0].bytes < f[0].raw / 2);
	buf_done(&b);
	package_free(p);
	lake.compress = COMPRESS_ZSTD;
	f = package(500, chunks, &n, &p);
	assert_string_equal(f[0].name, "lake_delta_20261123T120000Z_part001.csv.zst");
	b = contents(f[0].name);
	assert_int_equal(ZSTD_decompress(out, sizeof out, b.p, b.n), f[0].raw);
	buf_done(&b);
	package_free(p);
}

TEST(nothing_to_say_is_no_file)
{
	struct package *p;
	unsigned n;
	(void)package(0, NULL, &n, &p);
	assert_int_equal(n, 0);
	package_free(p);
}

TEST(what_goes_beside_the_files_is_one_of_them)
{
	uint32_t chunks[3];
	unsigned n;
	struct package *p;
	static struct setting dpid = {S("dpid"), S("12")};
	lake.format = &format_aam;
	lake.settings = &dpid;
	lake.settings_n = 1;
	lake.rows = 2;
	const struct format_file *f = package(3, chunks, &n, &p);
	assert_int_equal(n, 3);
	assert_string_equal(f[0].name, "ftp_dpm_12_1795435200.sync.1");
	assert_string_equal(f[2].name, "ftp_dpm_12_1795435200.info");
	assert_int_equal(strlen(f[0].md5), 32);
	sums_are_right(&f[2]);
	struct buf b = contents(f[2].name);
	assert_true(str_has(buf_view(&b), str_c(f[1].md5)));
	buf_done(&b);
	package_free(p);
}

UNIT_TESTS(PACKED(rows_of_a_file_are_at_most_what_the_destination_takes),
    PACKED(a_long_file_has_the_sum_of_its_beginning_too),
    PACKED(bytes_of_a_file_are_at_most_what_the_destination_takes),
    PACKED(one_item_that_is_too_large_has_a_file_of_its_own),
    PACKED(compressed_files_unpack_to_what_was_written), PACKED(nothing_to_say_is_no_file),
    PACKED(what_goes_beside_the_files_is_one_of_them))
