/* Asking another node, by HTTP over TLS 1.3. The other end must show the public key of our own
 * cluster.key before a byte of the request is sent; ours is shown to it.
 *
 * Blocks until there is an answer, for PEER_MOST_S seconds at most. One thread at a time uses a
 * struct peer. It keeps its connection for the next question. */
#ifndef CRUMB_CLUSTER_PEER_H
#define CRUMB_CLUSTER_PEER_H

#include "crumb/base/buf.h"
#include "crumb/cluster/cluster_key.h"

#define PEER_MOST_S 10
#define PEER_ANSWER_MOST (1u << 20) /* bytes of an answer */

struct peer;

/* `address` is HOST:PORT, the node.address of the other. Keeps nothing of `k` but what is derived.
 * ERR_USAGE: it is no HOST:PORT. ERR_NOMEM. */
enum err peer_new(const struct cluster_key *k, const char *address, struct peer **out) MUST_CHECK;
void peer_free(struct peer *p); /* wipes what it derived; NULL is fine */

/* Asks for a path and appends the body of the answer to *body, which is the caller's to wipe.
 * *status is that of HTTP. ERR_USAGE: the other end has another cluster.key. ERR_IO: there is no
 * answer; err_text() says why. */
enum err peer_get(struct peer *p, const char *path, long *status, struct buf *body) MUST_CHECK;

#endif
