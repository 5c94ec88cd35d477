/* The admin listener: metrics, health, JSON API. It listens on the main thread's event base. Work
 * that looks at shards, reads files or waits for the disk goes to one of four threads of its own,
 * so that health is always told at once:
 *
 *     main thread   requests, parameters, health, all answers
 *     BY_TELL       lists and metrics                        reads views
 *     BY_ASK        questions, streams, the quarantine       reads views and journal
 *     BY_WRITE      imports, erasures, releases              writes to the journal
 *     BY_LONG       trainings and backups                    takes minutes
 *
 * Who asks is known by a token or by a session of a browser (src/admin/caller.h), and a row says
 * which role a route wants. Both are looked at when the headers are there: whoever may not ask may
 * send no more than a small body.
 *
 * All functions are for the main thread. */
#ifndef CRUMB_ADMIN_ADMIN_H
#define CRUMB_ADMIN_ADMIN_H

#include "crumb/collect/collect.h"
#include "crumb/node/keeper.h"

struct admin;
struct json_t;

/* Whose clock a server tells the time by. */
enum admin_clock {
	ADMIN_CLOCK_REAL,   /* the machine's: nobody moves it */
	ADMIN_CLOCK_MOVABLE /* POST /v1/clock moves it: for tests */
};

/* Listens at `socket`, of which it makes a descriptor of its own, or at admin.listen when `socket`
 * is -1. Borrows base, node, keeper and shared until admin_free(). */
enum err admin_new(struct event_base *base, struct node *node, struct keeper *keeper,
    struct collect_shared *shared, const char *token, enum admin_clock clock, int socket,
    struct admin **out) MUST_CHECK;
#define ADMIN_CONNECTIONS 256 /* open at a time, at most */
void admin_address(const struct admin *a, char *out, size_t cap);
/* Answers the requests that can be answered by now. To be called every few milliseconds while
 * admin_waits(). */
void admin_tick(struct admin *a);
bool admin_waits(const struct admin *a);
void admin_ready(struct admin *a); /* from now on GET /ready may say so */
/* `changed` is called when a lookalike was trained, and reads the rules again. It is called on the
 * thread of BY_LONG. */
void admin_on_models(struct admin *a, enum err (*changed)(void *), void *arg);
/* POST /v1/reload: `ask` begins to read everything again and names the round; `over` says whether
 * that round is done, and what it did. Both are called on the main thread. */
void admin_on_reload(struct admin *a, uint64_t (*ask)(void *),
    bool (*over)(void *, uint64_t round, struct json_t **told), void *arg);
/* --- two processes at one store (app/takeover.h) */
int admin_socket(const struct admin *a); /* the listening socket, borrowed */
/* Takes a connection from the process that served before. */
void admin_adopt(struct admin *a, int fd, const struct sockaddr_storage *peer);
/* Hands connections that ask for nothing to `give` (http/server.h). */
void admin_give(struct admin *a, bool (*give)(void *ctx, int fd), void *ctx);
/* Answers what still waits with 503, and ends the threads. */
void admin_free(struct admin *a);

extern const struct gauge *const admin_gauges[]; /* tables of all modules; NULL behind the last */

#endif
