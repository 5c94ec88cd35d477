/* cluster.key: one secret that is the same on every node. Whoever holds it is a node.
 *
 * The file is one line of 64 hex digits, mode 0600. Nothing is sent of it. Each node derives one
 * pair of Ed25519 keys from it, and one certificate that says nothing but the public key:
 *
 *     seed = crypto_kdf(cluster.key, id 1, "crumbtls")	     the private key of Ed25519
 *
 * Both ends of a connection show the certificate, and prove by TLS 1.3's CertificateVerify that
 * they have its private key. Both compare the public key with their own. So there is no authority,
 * no name and no end of validity that could be wrong. A new cluster.key is put on every node, and
 * each node is restarted.
 *
 * Any thread may read a struct cluster_key that does not change. Its owner keeps it in locked
 * memory (cluster_key_open()) and wipes it (cluster_key_close()). OpenSSL has a copy of the derived
 * key in memory that is not locked; crumbd writes no core dump. */
#ifndef CRUMB_CLUSTER_CLUSTER_KEY_H
#define CRUMB_CLUSTER_CLUSTER_KEY_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

#include <stdint.h>

#define CLUSTER_KEY_LEN 32
#define CLUSTER_PEM_MOST 1024 /* bytes of a certificate or a key as text, with the end */
#define CLUSTER_PIN_MOST 64   /* bytes of a pin as text, with the end */

struct cluster_key {
	uint8_t bytes[CLUSTER_KEY_LEN];
};

/* Makes a file with a fresh key. ERR_USAGE: something is there already; a key in use would be lost.
 * ERR_IO: what the system says; then there is no file. */
enum err cluster_key_make(const char *path) MUST_CHECK;
/* Reads a file into locked memory of its own. ERR_NOT_FOUND: there is none. ERR_USAGE: others than
 * its owner may read or write it, it is no file, or it holds something else. ERR_IO. ERR_NOMEM. */
enum err cluster_key_open(const char *path, struct cluster_key **out) MUST_CHECK;
void cluster_key_close(struct cluster_key *k); /* wipes it; NULL is fine */

/* What a client of TLS needs, as text: certificate and private key (PEM), and the pin of the public
 * key as libcurl takes it ("sha256//BASE64"). To be wiped (sodium_memzero()). */
struct cluster_identity {
	char certificate[CLUSTER_PEM_MOST], key[CLUSTER_PEM_MOST], pin[CLUSTER_PIN_MOST];
};
enum err cluster_identity(const struct cluster_key *k, struct cluster_identity *out) MUST_CHECK;

#endif
