/* Content codings: what is read, where reading ends, what a client takes. */
#include "crumb/http/accept.h"
#include "crumb/http/coding.h"

#include "unit.h"

#include <stdlib.h>
#include <zlib.h>

static struct buf packed(const char *text, size_t n, int bits)
{
	struct buf out = {0};
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_true(buf_reserve(&out, deflateBound(&z, n) + 32));
	z.next_in = (Bytef *)(uintptr_t)text;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out.p;
	z.avail_out = (uInt)out.cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out.n = out.cap - z.avail_out;
	deflateEnd(&z);
	return out;
}

#define GZIP (MAX_WBITS + 16)

static void reads(
    enum coding coding, struct buf *bytes, size_t most, enum err want, const char *text)
{
	struct buf out = BUF_SECRET;
	enum err e = coding_read(coding, buf_view(bytes), most, &out);
	assert_int_equal(e, want);
	assert_true(e ? out.n == 0 : str_eq(buf_view(&out), str_c(text)));
	buf_done(&out);
}

static void every_form_is_read(void **state)
{
	static const int bits[] = {GZIP, MAX_WBITS, -MAX_WBITS};
	for (int i = 0; i < 3; i++) {
		enum coding coding = i ? CODING_DEFLATE : CODING_GZIP;
		struct buf b = packed("{\"e\":\"view\"}", 12, bits[i]);
		reads(coding, &b, 12, OK, "{\"e\":\"view\"}");
		reads(coding, &b, 11, ERR_FULL, "");
		for (size_t n = b.n - 1, whole = b.n; n < whole; n--) {
			b.n = n;
			reads(coding, &b, 1000, ERR_SYNTAX, "");
		}
		buf_done(&b);
	}
	struct buf one = packed("one", 3, GZIP), two = packed("two", 3, GZIP);
	buf_str(&one, buf_view(&two));
	reads(CODING_GZIP, &one, 6, OK, "onetwo");
	reads(CODING_GZIP, &one, 5, ERR_FULL, "");
	buf_add(&one, "\0\0\0\0\0\0\0", 7);
	reads(CODING_GZIP, &one, 6, OK, "onetwo");
	buf_c(&one, "more");
	reads(CODING_GZIP, &one, 100, ERR_SYNTAX, "");
	buf_done(&one);
	buf_done(&two);
	struct buf plain = {0};
	buf_c(&plain, "{\"e\":\"view\"}");
	reads(CODING_GZIP, &plain, 100, ERR_SYNTAX, "");
	reads(CODING_DEFLATE, &plain, 100, ERR_SYNTAX, "");
	buf_done(&plain);
}

static void a_few_bytes_do_not_become_many(void **state)
{
	size_t n = 64 << 20;
	char *zeros = calloc(1, n);
	struct buf b = packed(zeros, n, GZIP);
	assert_true(b.n < 70000);
	reads(CODING_GZIP, &b, 262144, ERR_FULL, "");
	reads(CODING_GZIP, &b, SIZE_MAX - 1, ERR_FULL,
	    ""); /* 16 times as long is not reached by honest bodies of this length */
	buf_done(&b);
	memset(zeros, 'x', CODING_FREE);
	b = packed(zeros, CODING_FREE, GZIP);
	struct buf out = {0};
	assert_int_equal(coding_read(CODING_GZIP, buf_view(&b), SIZE_MAX - 1, &out), OK);
	assert_int_equal(out.n, CODING_FREE);
	buf_done(&b);
	buf_done(&out);
	free(zeros);
}

static void fields_name_a_coding(void **state)
{
	assert_int_equal(coding_of(STR("")), CODING_IDENTITY);
	assert_int_equal(coding_of(STR("identity")), CODING_IDENTITY);
	assert_int_equal(coding_of(STR("GZip")), CODING_GZIP);
	assert_int_equal(coding_of(STR(" x-gzip ,, identity")), CODING_GZIP);
	assert_int_equal(coding_of(STR("deflate")), CODING_DEFLATE);
	assert_int_equal(coding_of(STR("br")), CODING_UNKNOWN);
	assert_int_equal(coding_of(STR("gzip, gzip")), CODING_UNKNOWN);
	assert_int_equal(coding_of(STR("gzip;q=1")), CODING_UNKNOWN);
}

UNIT_TESTS(cmocka_unit_test(every_form_is_read), cmocka_unit_test(a_few_bytes_do_not_become_many),
    cmocka_unit_test(fields_name_a_coding))
