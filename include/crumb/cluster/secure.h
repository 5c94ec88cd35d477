/* TLS in front of a server of http: what the server's sockets accept shakes hands first, and the
 * server then gets one end of a socket pair, on which it speaks plain HTTP.
 *
 *     node ══ TLS 1.3 ══ secure ── socket pair ── http_server
 *
 * Only a node with the same cluster.key comes through (cluster_key.h). Whoever does not is closed
 * with an alert of TLS, counted, and no byte of his reaches the parser of HTTP. After the handshake
 * the time-outs of http hold.
 *
 * Each direction holds at most SECURE_AHEAD bytes beyond a record: who does not read is not read
 * from.
 *
 * Threads: all of it belongs to the thread of the event base. Lifetime: secure_free() comes before
 * http_server_free(); it closes what is open. */
#ifndef CRUMB_CLUSTER_SECURE_H
#define CRUMB_CLUSTER_SECURE_H

#include "crumb/cluster/cluster_key.h"
#include "crumb/http/server.h"

#define SECURE_AHEAD 65536

struct secure;

struct secure_limits {
	unsigned connections;  /* with those that still shake hands; one more is closed at once */
	unsigned handshake_ms; /* for a whole handshake, and for the last bytes of an answer */
};

/* Stands in front of `server`, before its loop runs. Keeps nothing of `k`. ERR_NOMEM. */
enum err secure_new(struct event_base *base, struct http_server *server,
    const struct cluster_key *k, struct secure_limits limits, struct secure **out) MUST_CHECK;
unsigned secure_connections(const struct secure *s);
void secure_free(struct secure *s); /* NULL is fine */

#endif
