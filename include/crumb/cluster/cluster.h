/* What a node tells other nodes: an HTTP server at node.address behind TLS (secure.h), with routes
 * of its own. Only nodes with our cluster.key come as far as a route.
 *
 *     GET /v1/cluster/node      {"name","version","clock_ms"}
 *     GET /v1/cluster/keys      what a node without a store takes hits with (handed.h)
 *
 * Threads: the thread of the event base. The configuration is borrowed and outlives it. */
#ifndef CRUMB_CLUSTER_CLUSTER_H
#define CRUMB_CLUSTER_CLUSTER_H

#include "crumb/base/err.h"
#include "crumb/core/config.h"

struct event_base;
struct keys;
struct cluster;

#define CLUSTER_CONNECTIONS 256 /* of other nodes, at a time */
#define CLUSTER_NODE_PATH "/v1/cluster/node"
#define CLUSTER_KEYS_PATH "/v1/cluster/keys"

/* Can cluster.key be read, if there is a node.address? The errors of cluster_key_open(). */
enum err cluster_check(const struct config *c) MUST_CHECK;
/* Reads cluster.key and listens at node.address. `keys` are the store's, and outlive it. ERR_USAGE:
 * one of both cannot be taken. Others: what the system says. */
enum err cluster_open(struct event_base *base, const struct config *c, struct keys *keys,
    struct cluster **out) MUST_CHECK;
/* HOST:PORT as bound. */
void cluster_address(const struct cluster *s, char *out, size_t cap);
void cluster_close(struct cluster *s); /* NULL is fine */

/* The wall clock, moved as clock_now() is, in milliseconds. Any thread. */
int64_t cluster_clock_ms(void);

#endif
