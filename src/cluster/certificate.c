/* Certificate and keys of a node, derived from cluster.key; what they are for is in
 * cluster_key.h.
 *
 * A certificate is needed because TLS carries public keys in certificates. Ours is the same on
 * every node and at every start: serial 1, valid from 1970 to 9999, signed by itself. Ed25519 signs
 * without chance, so it is the same bytes, too. Nobody reads any of that: an end is known by its
 * public key, and by the signature over the handshake that only the private key can make. */
#include "certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdio.h>

#define CONTEXT "crumbtls" /* of crypto_kdf: eight bytes */
#define SUBKEY 1

static enum err derive(const struct cluster_key *k, EVP_PKEY **out)
{
	uint8_t seed[32];
	crypto_kdf_derive_from_key(seed, sizeof seed, SUBKEY, CONTEXT, k->bytes);
	*out = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
	sodium_memzero(seed, sizeof seed);
	return *out ? OK : err_set(ERR_NOMEM, "no key for TLS");
}

/* X509_sign() with Ed25519 wants no digest. */
static bool fill(X509 *x, EVP_PKEY *pair)
{
	X509_NAME *name = X509_get_subject_name(x);
	return X509_set_version(x, X509_VERSION_3) &&
	       ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
	       X509_NAME_add_entry_by_txt(
		   name, "CN", MBSTRING_ASC, (const unsigned char *)"crumb", -1, -1, 0) &&
	       X509_set_issuer_name(x, name) &&
	       ASN1_TIME_set_string(X509_getm_notBefore(x), "19700101000000Z") &&
	       ASN1_TIME_set_string(X509_getm_notAfter(x), "99991231235959Z") &&
	       X509_set_pubkey(x, pair) && X509_sign(x, pair, NULL) > 0;
}

static enum err certify(EVP_PKEY *pair, X509 **out)
{
	X509 *x = X509_new();
	if (!x || !fill(x, pair)) {
		X509_free(x);
		return err_set(ERR_NOMEM, "no certificate for TLS");
	}
	*out = x;
	return OK;
}

/* Both of one key. On failure there is neither. */
static enum err make(const struct cluster_key *k, EVP_PKEY **pair, X509 **certificate)
{
	enum err e = derive(k, pair);
	if (e)
		return e;
	if ((e = certify(*pair, certificate)))
		EVP_PKEY_free(*pair);
	return e;
}

/* --- for a client, as text */

static bool text_of(BIO *b, char out[CLUSTER_PEM_MOST])
{
	int n = BIO_read(b, out, CLUSTER_PEM_MOST - 1);
	if (n <= 0 || BIO_pending(b))
		return false;
	out[n] = 0;
	return true;
}

/* libcurl's pin: SHA-256 of the public key as it stands in the certificate (SPKI, DER). */
static bool pin_of(X509 *x, char out[CLUSTER_PIN_MOST])
{
	static const char kind[] = "sha256//";
	unsigned char *der = NULL;
	uint8_t sum[crypto_hash_sha256_BYTES];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	if (n <= 0)
		return false;
	crypto_hash_sha256(sum, der, (unsigned long long)n);
	OPENSSL_free(der);
	memcpy(out, kind, sizeof kind);
	sodium_bin2base64(out + sizeof kind - 1, CLUSTER_PIN_MOST - (sizeof kind - 1), sum,
	    sizeof sum, sodium_base64_VARIANT_ORIGINAL);
	return true;
}

enum err cluster_identity(const struct cluster_key *k, struct cluster_identity *out)
{
	EVP_PKEY *pair = NULL;
	X509 *x = NULL;
	enum err e = make(k, &pair, &x);
	if (e)
		return e;
	BIO *b = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
	bool fine = b && secret && PEM_write_bio_X509(b, x) && text_of(b, out->certificate) &&
		    PEM_write_bio_PrivateKey(secret, pair, NULL, NULL, 0, NULL, NULL) &&
		    text_of(secret, out->key) && pin_of(x, out->pin);
	BIO_free(b);
	BIO_free(secret);
	X509_free(x);
	EVP_PKEY_free(pair);
	if (!fine)
		sodium_memzero(out, sizeof *out);
	return fine ? OK : err_set(ERR_NOMEM, "no certificate for TLS");
}

/* --- for a server */

/* In the place of OpenSSL's chain of authorities: the public key of the other end is ours. That it
 * has the private key, too, is checked by TLS itself behind this. */
static int shows_our_key(X509_STORE_CTX *store, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *theirs = X509_STORE_CTX_get0_cert(store),
	     *ours = ssl ? SSL_get_certificate(ssl) : NULL;
	EVP_PKEY *a = theirs ? X509_get0_pubkey(theirs) : NULL,
		 *b = ours ? X509_get0_pubkey(ours) : NULL;
	(void)arg;
	if (a && b && EVP_PKEY_eq(a, b) == 1)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static bool set_up(SSL_CTX *c, EVP_PKEY *pair, X509 *x)
{
	SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c, shows_our_key, NULL);
	return SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) &&
	       SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) && SSL_CTX_set_num_tickets(c, 0) &&
	       SSL_CTX_set_max_early_data(c, 0) && SSL_CTX_use_certificate(c, x) == 1 &&
	       SSL_CTX_use_PrivateKey(c, pair) == 1;
}

enum err certificate_server(const struct cluster_key *k, SSL_CTX **out)
{
	EVP_PKEY *pair = NULL;
	X509 *x = NULL;
	enum err e = make(k, &pair, &x);
	if (e)
		return e;
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	bool fine = c && set_up(c, pair, x);
	X509_free(x);
	EVP_PKEY_free(pair);
	if (!fine) {
		SSL_CTX_free(c);
		return err_set(ERR_NOMEM, "TLS does not start");
	}
	*out = c;
	return OK;
}
