/* The admin listener: metrics, health, JSON API. On the main thread's event base; whatever looks at shards, reads files or waits for the disk goes
 * to one of its threads, so that health is told at once always. Every request needs the bearer token: it is looked at when the headers are there,
 * and who has none may send no more than a small body. */
#ifndef CRUMB_HTTP_ADMIN_H
#define CRUMB_HTTP_ADMIN_H

#include "crumb/http/collect.h"
#include "crumb/node/keeper.h"

struct admin;

enum err admin_new(struct event_base *base, struct node *node, struct keeper *keeper, struct collect_shared *shared, const char *token,
    bool test_clock, struct admin **out) MUST_CHECK;
#define ADMIN_CONNECTIONS 256 /* open at a time, at most */
void admin_address(const struct admin *a, char *out, size_t cap);
void admin_tick(struct admin *a); /* answers what has waited long enough; call every few milliseconds while admin_waits() */
bool admin_waits(const struct admin *a);
void admin_ready(struct admin *a, bool ready);
/* A lookalike was trained: rules are to be read again, on the thread that calls. */
void admin_on_models(struct admin *a, enum err (*changed)(void *), void *arg);
void admin_free(struct admin *a);

#endif
