/* partners/signing: how a request is signed, against what others compute. */
#include "unit.h"

#include "crumb/partners/signing.h"

#include <stdlib.h>

#define SIGNED                                                                                     \
	"Crumb-Signature: "                                                                        \
	"t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae\n"

static const char *signed_by(
    const char *kind, const struct setting *with, unsigned n, const char *body)
{
	static char text[400];
	struct buf b = {0};
	if (signing_find(str_c(kind))->sign(with, n, str_c(body), 1700000000, &b) != OK)
		return "";
	buf_add(&b, "", 1);
	memcpy(text, b.p, b.n < sizeof text ? b.n : sizeof text);
	buf_done(&b);
	return text;
}

TEST(hmac_sha256_is_over_the_time_and_the_body)
{
	const struct setting s[] = {{STR("secret"), STR("key")}};
	/* printf '1700000000.{}' | openssl dgst -sha256 -hmac key */
	assert_string_equal(signed_by("hmac-sha256", s, 1, "{}"), SIGNED);
	assert_string_not_equal(signed_by("hmac-sha256", s, 1, "{ }"), SIGNED);
}

TEST(the_trade_desk_gets_one_or_two_signatures)
{
	const struct setting s[] = {{STR("secret"), STR("key")}, {STR("dp_secret"), STR("key")}};
	/* RFC 2202 has no such text; Wikipedia has: HMAC_SHA1("key", "The quick brown fox jumps
	 * over the lazy dog") */
	assert_string_equal(signed_by("ttd", s, 1, "The quick brown fox jumps over the lazy dog"),
	    "TtdSignature: 3nybhbi3iqa8ino29wqQcBydtNk=\n");
	assert_string_equal(signed_by("ttd", s, 2, "The quick brown fox jumps over the lazy dog"),
	    "TtdSignature: 3nybhbi3iqa8ino29wqQcBydtNk=\nTtdSignature-dp: "
	    "3nybhbi3iqa8ino29wqQcBydtNk=\n");
}

TEST(a_secret_that_is_not_where_it_should_be_is_told)
{
	const struct setting missing[] = {{STR("secret"), STR("env:CRUMB_NO_SUCH_SECRET")}};
	struct buf b = {0};
	assert_int_equal(
	    signing_find(STR("hmac-sha256"))->sign(missing, 1, STR(""), 1, &b), ERR_USAGE);
	assert_string_equal(err_text(), "the environment has no CRUMB_NO_SUCH_SECRET");
	assert_int_equal(b.n, 0);
	assert_null(signing_find(STR("md5")));
}

UNIT_TESTS(cmocka_unit_test(hmac_sha256_is_over_the_time_and_the_body),
    cmocka_unit_test(the_trade_desk_gets_one_or_two_signatures),
    cmocka_unit_test(a_secret_that_is_not_where_it_should_be_is_told))
