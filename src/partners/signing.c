/* How requests are signed: one function and one row each. A secret is read from where it is when a
 * request is signed, is on the stack while the sum is made, and is wiped. */
#include "crumb/partners/signing.h"

#include "crumb/base/code.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SECRET_MOST 1024 /* bytes, with the zero */

/* base64(HMAC-SHA1(secret, body)) */
static enum err sha1_line(const char *header, struct str secret, struct str body, struct buf *lines)
{
	char key[SECRET_MOST], text[64];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	enum err e = setting_resolve(secret, key, sizeof key);
	if (e)
		return e;
	bool made =
	    HMAC(EVP_sha1(), key, (int)strlen(key), (const uint8_t *)body.p, body.n, mac, &n);
	sodium_memzero(key, sizeof key);
	if (!made)
		return err_set(ERR_NOMEM, "no memory for this now");
	EVP_EncodeBlock((unsigned char *)text, mac, (int)n);
	buf_addf(lines, "%s: %s\n", header, text);
	return OK;
}

/* As The Trade Desk's older authentication wants it. */
static enum err sign_ttd(
    const struct setting *sign, unsigned n, struct str body, uint32_t now, struct buf *lines)
{
	struct str provider = setting_get(sign, n, "dp_secret");
	enum err e = sha1_line("TtdSignature", setting_get(sign, n, "secret"), body, lines);
	(void)now;
	return e || !provider.n ? e : sha1_line("TtdSignature-dp", provider, body, lines);
}

/* The time is a part of what is signed: a receiver that refuses old times cannot be told a request
 * again by somebody who listened. */
static enum err sign_hmac_sha256(
    const struct setting *sign, unsigned n, struct str body, uint32_t now, struct buf *lines)
{
	char key[SECRET_MOST], text[crypto_auth_hmacsha256_BYTES * 2 + 1];
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state s;
	enum err e = setting_resolve(setting_get(sign, n, "secret"), key, sizeof key);
	if (e)
		return e;
	crypto_auth_hmacsha256_init(&s, (const uint8_t *)key, strlen(key));
	sodium_memzero(key, sizeof key);
	snprintf(text, sizeof text, "%u.", now);
	crypto_auth_hmacsha256_update(&s, (const uint8_t *)text, strlen(text));
	crypto_auth_hmacsha256_update(&s, (const uint8_t *)body.p, body.n);
	crypto_auth_hmacsha256_final(&s, mac);
	hex_encode(mac, sizeof mac, text);
	text[2 * sizeof mac] = 0;
	buf_addf(lines, "Crumb-Signature: t=%u,v1=%s\n", now, text);
	return OK;
}

const struct signing signings[] = {
    {.kind = "ttd",
	.says = "`TtdSignature: BASE64` of HMAC-SHA1 of the body with `secret`, and "
		"`TtdSignature-dp` the same with `dp_secret`, where that is given",
	.sign = sign_ttd},
    {.kind = "hmac-sha256",
	.says =
	    "`Crumb-Signature: t=SECONDS,v1=HEX` of HMAC-SHA256 of `SECONDS.BODY` with `secret`",
	.sign = sign_hmac_sha256},
    {.kind = NULL},
};

const struct signing *signing_find(struct str kind)
{
	for (const struct signing *s = signings; s->kind; s++)
		if (str_eq(kind, str_c(s->kind)))
			return s;
	return NULL;
}
