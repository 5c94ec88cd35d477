/* The admin listener: metrics, health, JSON API. On the main thread's event base; whatever looks at
 * shards, reads files or waits for the disk goes to one of its threads, so that health is told at
 * once always. Every request needs the bearer token: it is looked at when the headers are there,
 * and who has none may send no more than a small body. */
#ifndef CRUMB_ADMIN_ADMIN_H
#define CRUMB_ADMIN_ADMIN_H

#include "crumb/collect/collect.h"
#include "crumb/node/keeper.h"

struct admin;
struct json_t;

/* Listens at `socket`, of which it makes a descriptor of its own, or at admin.listen when that is
 * -1. */
enum err admin_new(struct event_base *base, struct node *node, struct keeper *keeper,
    struct collect_shared *shared, const char *token, bool test_clock, int socket,
    struct admin **out) MUST_CHECK;
#define ADMIN_CONNECTIONS 256 /* open at a time, at most */
void admin_address(const struct admin *a, char *out, size_t cap);
void admin_tick(struct admin *a); /* answers what has waited long enough; call every few
				     milliseconds while admin_waits() */
bool admin_waits(const struct admin *a);
void admin_ready(struct admin *a, bool ready);
/* A lookalike was trained: rules are to be read again, on the thread that calls. */
void admin_on_models(struct admin *a, enum err (*changed)(void *), void *arg);
/* POST /v1/reload: `ask` begins to read everything again and names the round; `over` says whether
 * that is done, and what became of it. Main thread. */
void admin_on_reload(struct admin *a, uint64_t (*ask)(void *),
    bool (*over)(void *, uint64_t round, struct json_t **told), void *arg);
int admin_socket(const struct admin *a); /* where it listens */
void admin_adopt(
    struct admin *a, int fd, const struct sockaddr_storage *peer); /* takes a connection */
void admin_give(struct admin *a, bool (*give)(void *ctx, int fd),
    void *ctx); /* connections that ask for nothing go to `give` (http/server.h) */
void admin_free(struct admin *a);

extern const struct gauge
    *const admin_gauges[]; /* tables of gauges, those of all modules; NULL behind the last */

#endif
