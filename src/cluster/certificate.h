/* Inside the cluster layer: the keys and the certificate that TLS needs, derived from cluster.key,
 * and the one rule about the other end. No state: any thread. */
#ifndef CRUMB_SRC_CLUSTER_CERTIFICATE_H
#define CRUMB_SRC_CLUSTER_CERTIFICATE_H

#include "crumb/cluster/cluster_key.h"

#include <openssl/ssl.h>

/* A server's settings: TLS 1.3 alone, our certificate, and the client's public key must be ours.
 * Nothing is resumed and nothing is sent early, so that no record is taken twice. SSL_CTX_free()
 * it. */
enum err certificate_server(const struct cluster_key *k, SSL_CTX **out) MUST_CHECK;

#endif
