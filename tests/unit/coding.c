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

static void reads(enum coding coding, struct buf *bytes, size_t most, enum err want, const char *text)
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
	reads(CODING_GZIP, &b, SIZE_MAX - 1, ERR_FULL, ""); /* 16 times as long is not reached by honest bodies of this length */
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

static void fields_say_what_is_wanted(void **state)
{
	static const struct {
		const char *field;
		enum coding want;
	} cases[] = {{"", CODING_IDENTITY}, {"gzip", CODING_GZIP}, {"gzip, deflate, br, zstd", CODING_GZIP}, {"br", CODING_IDENTITY}, {"*", CODING_GZIP},
	    {"gzip;q=0", CODING_IDENTITY}, {"gzip;q=0.000", CODING_IDENTITY}, {"GZIP ; Q=0.5", CODING_GZIP}, {"x-gzip", CODING_GZIP}, {"gzip;q=0, *", CODING_IDENTITY},
	    {"*;q=0, gzip", CODING_GZIP}, {"identity;q=1, gzip;q=0.5", CODING_IDENTITY}, {"identity;q=0.5, gzip;q=0.8", CODING_GZIP}, {"gzip;q=0.001", CODING_GZIP},
	    {"identity;q=0, gzip;q=0", CODING_UNKNOWN}, {"*;q=0", CODING_UNKNOWN}, {"identity;q=0", CODING_UNKNOWN}, {"identity;q=0, *;q=0.1", CODING_GZIP},
	    {"gzip;q=2", CODING_IDENTITY}, {"gzip;q=0.5;x=1, ,deflate", CODING_GZIP}, {"gzip;q=", CODING_IDENTITY}, {"gzip;q=1.000", CODING_GZIP}, {"gzip;q=1.001", CODING_IDENTITY},
	    {"gzipped", CODING_IDENTITY}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (coding_wanted(str_c(cases[i].field)) != cases[i].want)
			fail_msg("'%s'", cases[i].field);
}

static void languages_are_chosen_by_how_gladly(void **state)
{
	static const char *const tags[] = {"en", "de", "fr"};
	static const struct {
		const char *field;
		unsigned want;
	} cases[] = {{"", 0}, {"de", 1}, {"de-AT", 1}, {"DE-at", 1}, {"den", 0}, {"en-GB,en;q=0.9,de;q=0.8", 0}, {"de-CH, de;q=0.9, en;q=0.8", 1}, {"de;q=0.8, en-US", 0},
	    {"ja, de;q=0.5, en;q=0.3", 1}, {"de, en", 1}, {"en, de", 0}, {"ja", 0}, {"*", 0}, {"en;q=0, *", 1}, {"de;q=0, *;q=0.5", 0}, {"en;q=0.2, *;q=0.5", 1},
	    {"de;q=0", 0}, {"en;q=0,de;q=0,fr;q=0", 0}, {"de;q=2, en;q=0.1", 0}, {"de;q=0.001", 1}, {"en;q=0.5, fr ; Q=0.7", 2}, {" ,, de ,", 1}, {"de-;q=0.5", 1}, {"-de", 0},
	    {"de;q=0.1, de-AT;q=0.9, en;q=0.5", 1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (accept_language(str_c(cases[i].field), tags, 3) != cases[i].want)
			fail_msg("'%s'", cases[i].field);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_form_is_read), cmocka_unit_test(a_few_bytes_do_not_become_many), cmocka_unit_test(fields_name_a_coding),
	    cmocka_unit_test(fields_say_what_is_wanted),
	    cmocka_unit_test(languages_are_chosen_by_how_gladly)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
